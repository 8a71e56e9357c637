//! Twin of `shaders/conv2d/backward_input.wgsl`: each element of d_x gathers what the windows that hold it pass back.
//!
//! Positions of x that leave the same remainder by the stride are met by the same taps: one phase, one product.

use smallvec::SmallVec;

use super::{Conv2d, Geometry, Halo, repeated};
use crate::cpu::product::{self, Finish, Left, Right};
use crate::cpu::{ArgError, Args, Real, Scratch, parallel};

/// Reads d_y `[R, N, H_out, W_out, C_out]`, weight `[R, K_h, K_w, C_in, C_out]`; writes d_x `[R, N, H, W, C_in]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let params: Conv2d = args.params()?;
    let (d_y, weight, d_x) = (args.read()?, args.read()?, args.write()?);
    let geometry = Geometry::new(&params);
    let (batch, image) = (params.batch as usize, geometry.image());
    let plane = geometry.plane_out() * geometry.channels_out;
    let window = geometry.window() * geometry.channels_out;

    let halo = geometry.halo_out();
    let phases = geometry.phases(&halo);
    let longest = phases.iter().map(|phase| phase.rows.len()).max().unwrap_or(0);
    let pictures = Geometry::pictures(longest).min(batch);
    let tables: Phases<[Scratch<usize>; 2]> = phases
        .iter()
        .map(|phase| [repeated(&phase.rows, pictures, halo.len()), repeated(&phase.places, pictures, image)])
        .collect();
    let replicas = d_y.chunks_exact(batch * plane).zip(d_x.chunks_exact_mut(batch * image));
    for (weight, (d_y, d_x)) in weight.chunks_exact(window).zip(replicas) {
        let weights: Phases<Right<T>> = phases
            .iter()
            .map(|phase| {
                Right::transposed(weight, geometry.channels_in, geometry.channels_out, &phase.weights)
            })
            .collect();
        parallel::chunks(d_x, pictures * image, |i, d_x| {
            let (first, count) = (i * pictures, d_x.len() / image);
            let d_y = halo.around(&d_y[first * plane..(first + count) * plane]);
            for ((phase, [rows, places]), weight) in phases.iter().zip(&tables).zip(&weights) {
                let rows = &rows[..count * phase.rows.len()];
                let taps = Left { data: &d_y, rows, terms: &phase.terms };
                product::multiply(taps, weight, Finish::PLAIN, d_x, places);
            }
        });
    }
    Ok(())
}

/// One per phase; more than four, of strides above 2, go to the heap.
type Phases<T> = SmallVec<[T; 4]>;

/// The positions of a picture of x that the same taps meet.
struct Phase {
    /// Where the channels of each position start in d_x.
    places: Scratch<usize>,
    /// Where each position would look in d_y, with its halo, through a tap of distance 0.
    rows: Scratch<usize>,
    /// Where each tap and channel of y lies behind that.
    terms: Scratch<usize>,
    /// The weight of each tap and channel of y, for the first channel of x.
    weights: Scratch<usize>,
}

impl Geometry {
    /// The halo of d_y: positions of y that a tap leads to and that do not exist. Position h of x is met through tap
    /// k by position (h + p − k·d) / s of y, if that is whole.
    fn halo_out(&self) -> Halo {
        let before = |i: usize| {
            let reach = ((self.kernel[i] - 1) * self.dilation[i]).saturating_sub(self.padding[i]);
            reach.div_ceil(self.stride[i])
        };
        let after = |i: usize, size: usize, out: usize| {
            ((size - 1 + self.padding[i]) / self.stride[i]).saturating_sub(out - 1)
        };
        Halo {
            size: [self.height_out, self.width_out],
            channels: self.channels_out,
            before: [before(0), before(1)],
            after: [after(0, self.height, self.height_out), after(1, self.width, self.width_out)],
        }
    }

    /// Along one axis: for a phase, its taps and the distance in y that each leads to, counted from the halo's edge.
    fn taps(&self, i: usize, phase: usize, halo: &Halo) -> Scratch<(usize, usize)> {
        let (stride, start) = (self.stride[i], phase + self.padding[i] + halo.before[i] * self.stride[i]);
        let distances = (0..self.kernel[i]).map(|k| (k, start - k * self.dilation[i]));
        distances.filter(|(_, d)| d % stride == 0).map(|(k, d)| (k, d / stride)).collect()
    }

    fn phases(&self, halo: &Halo) -> Phases<Phase> {
        let [s_h, s_w] = self.stride;
        let [count_h, count_w] = [s_h.min(self.height), s_w.min(self.width)];
        let mut phases = SmallVec::with_capacity(count_h * count_w);
        for phase in (0..count_h * count_w).map(|i| [i / count_w, i % count_w]) {
            let positions = self.height.div_ceil(s_h) * self.width.div_ceil(s_w);
            let (mut places, mut rows) =
                (Scratch::with_capacity(positions), Scratch::with_capacity(positions));
            for (i, h) in (phase[0]..self.height).step_by(s_h).enumerate() {
                for (j, w) in (phase[1]..self.width).step_by(s_w).enumerate() {
                    places.push((h * self.width + w) * self.channels_in);
                    rows.push(halo.place(i, j));
                }
            }
            let (down, across) = (self.taps(0, phase[0], halo), self.taps(1, phase[1], halo));
            let taps = down.len() * across.len() * self.channels_out;
            let (mut terms, mut weights) = (Scratch::with_capacity(taps), Scratch::with_capacity(taps));
            for &(kh, h) in &down {
                for &(kw, w) in &across {
                    let tap = (kh * self.kernel[1] + kw) * self.channels_in * self.channels_out;
                    let place = halo.place(h, w);
                    terms.extend(place..place + self.channels_out);
                    weights.extend(tap..tap + self.channels_out);
                }
            }
            phases.push(Phase { places, rows, terms, weights });
        }
        phases
    }
}
