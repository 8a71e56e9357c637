//! Kullback–Leibler divergence between two softmaxes, the loss of the second stage.

pub mod forward;

use super::{ArgError, Args, Real, Scratch, lanes, parallel};

crate::params! {
    /// Uniform of `kl_divergence_forward`; the groups are those of [`super::softmax::Softmax`].
    pub struct KlDivergence {
        /// rows · inner.
        groups: u32,
        /// Values in a group.
        length: u32,
        /// Distance of the values of a group, and groups per row (G): 1, or the number of channels.
        inner: u32,
        /// N.
        batch: u32,
        /// T, by which target and z are divided.
        temperature: f32,
    }
}

/// One group of values under both softmaxes: what the twins of the other divergences read.
pub(super) struct Group<T: Real> {
    /// Values in the group.
    pub length: usize,
    /// (x − max x) / T of target and z.
    exponents: [Scratch<T>; 2],
    /// Σ exp of them, and its logarithm.
    sums: [T; 2],
    logs: [T; 2],
}

impl<T: Real> Group<T> {
    fn new(length: usize, temperature: T, t: impl Fn(usize) -> T, z: impl Fn(usize) -> T) -> Self {
        let (t_max, z_max) = (lanes::max(length, &t), lanes::max(length, &z));
        let a: Scratch<T> = (0..length).map(|i| (t(i) - t_max) / temperature).collect();
        let b: Scratch<T> = (0..length).map(|i| (z(i) - z_max) / temperature).collect();
        let sums = [lanes::sum(length, |i| a[i].exp()), lanes::sum(length, |i| b[i].exp())];
        Self { length, exponents: [a, b], sums, logs: sums.map(T::ln) }
    }

    pub fn p(&self, i: usize) -> T {
        self.exponents[0][i].exp() / self.sums[0]
    }

    pub fn q(&self, i: usize) -> T {
        self.exponents[1][i].exp() / self.sums[1]
    }

    pub fn log_p(&self, i: usize) -> T {
        self.exponents[0][i] - self.logs[0]
    }

    pub fn log_q(&self, i: usize) -> T {
        self.exponents[1][i] - self.logs[1]
    }
}

/// One picture of the arguments of `kl_divergence_forward`: t, z and d_z `[length, inner]`, losses `[inner]`.
pub(super) struct Row<'a, T> {
    pub t: &'a [T],
    pub z: &'a [T],
    pub losses: &'a mut [T],
    pub d_z: &'a mut [T],
    pub temperature: T,
    /// What a group's divergence counts: weight / inner.
    pub share: T,
    /// What a slope in z / T counts: share / (norm · T).
    pub factor: T,
}

/// Runs `each` on every picture that counts. Weights and the mean are seen to here; of skipped pictures losses and d_z are
/// exactly 0.
pub(super) fn each_row<T: Real>(
    args: &mut Args<T>,
    each: impl Fn(Row<'_, T>) + Sync + Send,
) -> Result<(), ArgError> {
    let KlDivergence { length, inner, batch, temperature, .. } = args.params()?;
    let (length, inner, batch) = (length as usize, inner as usize, batch as usize);
    let temperature = T::from_f32(temperature);
    let (t, z, weight, norm) = (args.read()?, args.read()?, args.read()?, args.read()?);
    let (losses, d_z) = (args.write()?, args.write()?);
    let size = length * inner;
    parallel::chunks2((losses, inner), (d_z, size), |row, losses, d_z| {
        let (weight, norm) = (weight[row], norm[row / batch]);
        if weight == T::ZERO || norm == T::ZERO {
            losses.fill(T::ZERO);
            d_z.fill(T::ZERO);
            return;
        }
        let (t, z) = (&t[row * size..][..size], &z[row * size..][..size]);
        let share = weight / T::from_usize(inner);
        each(Row { t, z, losses, d_z, temperature, share, factor: share / (norm * temperature) });
    });
    Ok(())
}

/// Runs `divergence` on every group; it returns the divergence and gives T · ∂/∂z_i of it to its second argument.
pub(super) fn each_group<T: Real>(
    args: &mut Args<T>,
    divergence: impl Fn(&Group<T>, &mut dyn FnMut(usize, T)) -> T + Sync + Send,
) -> Result<(), ArgError> {
    each_row(args, |Row { t, z, losses, d_z, temperature, share, factor }| {
        let inner = losses.len();
        for (g, loss) in losses.iter_mut().enumerate() {
            let at = |i| g + i * inner;
            let group = Group::new(t.len() / inner, temperature, |i| t[at(i)], |i| z[at(i)]);
            *loss = share * divergence(&group, &mut |i, slope| d_z[at(i)] = factor * slope);
        }
    })
}

#[cfg(test)]
mod tests;
