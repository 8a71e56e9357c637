// Bounds hold for what any device computes in f32, so every layer moves its own outward by
//   margin = relative · S + absolute, where S is the sum of the sizes of all terms.
// `ops::interval::margin` derives both numbers. Sizes count as 2^-100 more than they are: a device that flushes
// subnormal weights or inputs to zero stays inside.
const FLOOR: f32 = 0x1p-100;

// The larger one of |lo| and |hi|, as |centre| + radius: a sum, so that a NaN at either end comes through.
fn size(lo: f32, hi: f32) -> f32 {
    return 0.5 * (abs(lo + hi) + (hi - lo));
}
