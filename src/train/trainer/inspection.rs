//! Sessions beside the training session, for diagnosis: their memory is given back afterwards.

use super::{EVALUATION_BATCH, Trainer};
use crate::data::Dataset;
use crate::exec::{Device, Loaded, Session};
use crate::model::{Dimensions, ModelError, Network};
use crate::plan::{Plan, Variants};
use crate::train::{TrainError, upload};

/// Name of the data set in the session.
pub(super) const NAME: &str = "inspect";

/// Records a plan over the data set called [`NAME`], for a network with one replica.
pub(super) type Recording<'a> = &'a dyn Fn(&Network, &Dimensions, &Variants) -> Result<Plan, ModelError>;

/// Plans with the weights of one replica in its last good state, and pictures to run them on.
pub(super) struct Inspection {
    session: Box<dyn Session>,
    plans: Vec<Loaded>,
    dimensions: Dimensions,
    fill: Vec<f32>,
}

impl Inspection {
    /// Puts as many pictures of the same form in the place of those before.
    pub fn show(&mut self, data: &Dataset) -> Result<(), TrainError> {
        upload::write(self.session.as_mut(), NAME, data, &self.fill, &[])
    }

    /// Outputs `[count, …]` of a plan over all batches.
    pub fn rows(&mut self, plan: usize, outputs: &[&str]) -> Result<Vec<Vec<f32>>, TrainError> {
        let Dimensions { count, batch, steps, .. } = self.dimensions;
        self.session.write_index(&format!("{NAME}.clock"), &[0])?;
        let mut rows = vec![Vec::new(); outputs.len()];
        for step in 0..steps {
            self.session.run(self.plans[plan], 1)?;
            let pictures = (count - step * batch).min(batch);
            for (rows, name) in rows.iter_mut().zip(outputs) {
                let values = self.session.read_output(self.plans[plan], name)?;
                rows.extend_from_slice(&values[..values.len() / batch * pictures]);
            }
        }
        Ok(rows)
    }
}

impl Trainer {
    /// Loads plans and shows them the pictures of `data`.
    pub(super) fn inspection(
        &self,
        device: &Device,
        data: &Dataset,
        replica: usize,
        recordings: &[Recording<'_>],
    ) -> Result<Inspection, TrainError> {
        let network = self.network.single();
        let dimensions = upload::dimensions(data, EVALUATION_BATCH);
        let variants = self.variants.clone().on(device.limits().target);
        let mut session = device.session();
        let mut plans = Vec::new();
        for record in recordings {
            let plan = record(&network, &dimensions, &variants)?;
            plans.push(session.load(&plan)?);
            for parameter in network.parameters().into_iter().chain(network.running()) {
                let len: usize = parameter.dims.iter().product();
                if plan.find(&parameter.name).is_some()
                    && let Some((_, values)) = self.last_good.tensors.get(&parameter.name)
                {
                    session.write(&parameter.name, &values[replica * len..(replica + 1) * len])?;
                }
            }
            if plan.find("ones").is_some() {
                session.write("ones", &[1.0])?;
            }
        }
        let order = upload::padded(0..data.len() as u32, &dimensions);
        session.write_index(&format!("{NAME}.order"), &order)?;
        let fill = upload::fill_values(self.config.fill, data);
        let mut inspection = Inspection { session, plans, dimensions, fill };
        inspection.show(data)?;
        Ok(inspection)
    }

    /// Outputs of one plan on the pictures of `data`.
    pub(super) fn inspect(
        &self,
        device: &Device,
        data: &Dataset,
        replica: usize,
        record: Recording<'_>,
        outputs: &[&str],
    ) -> Result<Vec<Vec<f32>>, TrainError> {
        self.inspection(device, data, replica, &[record])?.rows(0, outputs)
    }
}
