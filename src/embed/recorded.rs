//! The plans of a setup: what is trained, what comes in, and what a host may look at.

use super::{EmbedError, Setup};
use crate::exec::Loaded;
use crate::model::{self, D_X, Dimensions, Network, SCALE};
use crate::ops::{gather, overlay, place};
use crate::plan::{Part, Plan, Role, Target, TensorId, Variants};
use crate::shader::DType;
use crate::train::{first_phase, phases};

/// The data set's name in the plans that train, and in those that look at one picture of it.
pub(super) const TRAIN: &str = "train";
pub(super) const SHOW: &str = "show";
/// What the plans that look share with those that train.
pub(super) const SHARED: [&str; 6] = ["pixels", "masks", "labels", "explained", "class_weights", "fill"];

/// RGBA8 `[H·W]` of a picture on its way in, and the number that it gets.
pub(super) const TEXELS: &str = "upload.texels";
pub(super) const INDEX: &str = "upload.index";
/// The colour table, and RGBA8 of what is drawn: at the size of a picture, and at that of f(x).
pub(super) const TABLE: &str = "overlay.table";
pub(super) const SHOWN: &str = "overlay.texels";
pub(super) const SHOWN_MAP: &str = "overlay.map";

/// Every plan, in the order in which they are loaded, and which is which.
pub(super) struct Recorded {
    pub(super) plans: Vec<Plan>,
    pub(super) dimensions: Dimensions,
    pub(super) phases: Vec<Loaded>,
    pub(super) first: Option<Loaded>,
    pub(super) place_picture: Loaded,
    pub(super) place_mask: Loaded,
    pub(super) gradient: Loaded,
    pub(super) masked: Loaded,
    /// None where the mapping layer has no weight per position.
    pub(super) mapping: Option<Loaded>,
    pub(super) logits: Loaded,
}

impl Recorded {
    /// Records everything for a device.
    pub(super) fn new(setup: &Setup, network: &Network, target: Target) -> Result<Self, EmbedError> {
        let variants = &Variants::new().on(target);
        let batch = setup.training.batch;
        // One place more than pictures: for what is only looked at.
        let count = setup.capacity + 1;
        let dimensions = Dimensions {
            count,
            batch,
            steps: setup.capacity.div_ceil(batch),
            packed: true,
            augmented: false,
        };
        let mut plans = Vec::new();
        let mut add = |plan: Plan| {
            plans.push(plan);
            Loaded(plans.len() - 1)
        };
        let trained = phases(network, &dimensions, &setup.training, variants)?;
        let phases = trained.into_iter().map(&mut add).collect();
        let first = first_phase(network, &dimensions, &setup.training, variants)?.map(&mut add);
        let channels = setup.picture.channels;
        let place_picture = add(place(setup, "place picture", "train.pixels", channels, count, variants)?);
        let place_mask = add(place(setup, "place mask", "train.masks", 1, count, variants)?);
        let one = Dimensions { batch: 1, steps: 1, ..dimensions };
        let gradient = add(gradient(network, &one, variants)?);
        let masked = add(masked(network, &one, setup.training.hard_masks, variants)?);
        let mapping = mapping(network, &one, variants)?.map(&mut add);
        let logits = add(model::logits(network, SHOW, &one, variants)?);
        Ok(Self {
            plans,
            dimensions,
            phases,
            first,
            place_picture,
            place_mask,
            gradient,
            masked,
            mapping,
            logits,
        })
    }

    /// The plans that train.
    pub(super) fn training(&self) -> impl Iterator<Item = Loaded> {
        self.phases.iter().copied().chain(self.first)
    }

    /// The first plan that looks at one picture: from here on the data set has a second name.
    pub(super) fn first_to_look(&self) -> Loaded {
        self.gradient
    }
}

fn index(plan: &mut Plan, name: &str, len: usize) -> Result<TensorId, EmbedError> {
    Ok(plan.add(name, &[len], DType::U32, Role::Data)?)
}

fn place(
    setup: &Setup,
    name: &str,
    bytes: &str,
    channels: usize,
    count: usize,
    variants: &Variants,
) -> Result<Plan, EmbedError> {
    let mut plan = Plan::with_variants(name, variants);
    let positions = setup.picture.height * setup.picture.width;
    let texels = index(&mut plan, TEXELS, positions)?;
    let number = index(&mut plan, INDEX, 1)?;
    let bytes = index(&mut plan, bytes, (count * positions * channels).div_ceil(4))?;
    place::picture(&mut plan, name, texels, number, bytes, channels, count)?;
    Ok(plan)
}

/// Records heat and colours of a map `[…, H, W, C]`, to be drawn.
fn heat(
    plan: &mut Plan,
    values: TensorId,
    [positions, channels]: [usize; 2],
    (shift, floor): (f32, f32),
    shown: &str,
) -> Result<(), EmbedError> {
    plan.reshape(values, &[positions, channels])?;
    let heat = overlay::heat(plan, "overlay", values, shift, floor)?;
    let table = index(plan, TABLE, overlay::COLORS)?;
    let texels = index(plan, shown, positions)?;
    Ok(overlay::colors(plan, "overlay", heat, table, texels)?)
}

fn gradient(network: &Network, one: &Dimensions, variants: &Variants) -> Result<Plan, EmbedError> {
    let mut plan = model::input_gradient(network, SHOW, one, variants)?;
    let input = network.input();
    if let Some(d_x) = plan.find(D_X) {
        let size = [input.height * input.width, input.channels];
        heat(&mut plan, d_x, size, (0.0, f32::MIN), SHOWN)?;
    }
    Ok(plan)
}

fn masked(network: &Network, one: &Dimensions, hard: bool, variants: &Variants) -> Result<Plan, EmbedError> {
    let mut plan = Plan::with_variants("masked input", variants);
    let source = model::data_source(&mut plan, SHOW, network, one)?;
    let x = gather::masked(&mut plan, "gather x'", &source, 1, hard)?;
    let positions = source.height * source.width;
    plan.reshape(x, &[positions, source.channels])?;
    let texels = index(&mut plan, SHOWN, positions)?;
    overlay::picture(&mut plan, "overlay", x, texels)?;
    Ok(plan)
}

/// The diagonal's weights, or the gate's g = max(1 + s, 0) for one picture.
fn mapping(network: &Network, one: &Dimensions, variants: &Variants) -> Result<Option<Plan>, EmbedError> {
    let features = network.features();
    let size = [features.height * features.width, features.channels];
    if network.has_gate() {
        let mut plan = model::gate(network, SHOW, one, variants)?;
        if let Some(s) = plan.find(SCALE) {
            heat(&mut plan, s, size, (1.0, 0.0), SHOWN_MAP)?;
        }
        return Ok(Some(plan));
    }
    let weight = network
        .parameters()
        .into_iter()
        .find(|parameter| parameter.part == Part::Mapping && parameter.dims == [features.len()]);
    let Some(weight) = weight.filter(|weight| weight.name.ends_with("weight")) else { return Ok(None) };
    let mut plan = Plan::with_variants("mapping", variants);
    let weight = network.parameter(&mut plan, &weight)?;
    heat(&mut plan, weight, size, (0.0, f32::MIN), SHOWN_MAP)?;
    Ok(Some(plan))
}
