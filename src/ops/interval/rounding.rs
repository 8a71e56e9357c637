//! The margin for rounding that makes bounds hold in f32.

use crate::plan::PlanError;

/// Relative error of one operation: WGSL lets a sum or product round either way, so a whole unit in the last place.
pub(super) const U: f64 = f32::EPSILON as f64;
/// The most products in one sum; far above what a kernel may loop over.
pub(super) const MOST_TERMS: usize = 1 << 19;

/// By how much a layer moves its bounds outward, `(relative, absolute)`: margin = relative · S + absolute, where S is
/// the sum of the sizes of a bias and n products.
///
/// With γ_k = k u / (1 − k u) and u = 2⁻²³, a sum of a bias and n products lies within γ_(n+1) · S of its exact value,
/// however it is ordered or fused (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1). That counts
/// twice: for what the forward kernel computes, and for the bound itself. The bound is rounded once more, by
/// u (1 + γ_(n+1)) S and by u times the margin, as the margin is added. With N = n + 4, a term of S, S, the margin and
/// the bound pass N + 4 roundings in a row at most, so that what arrives is at least γ_2N (1 − γ_(N+4)) S for
/// relative = γ_2N. That is enough: with N u ≤ 1/16, (1 − 2 (N + 4) u) / (1 − 2 N u) ≥ 1 − 10 u, so
/// γ_2N (1 − γ_(N+4)) ≥ 2 N u (1 − 10 u) / (1 − (n + 1) u), and 2 N (1 − 10 u) ≥ 2 (n + 1) + 1 = 2 N − 5.
/// Results below 2⁻¹²⁶ may be flushed to zero, fewer than 16 N of them; flushed inputs are seen to by the floor that
/// `shaders/shared/interval.wgsl` puts under every size.
pub(super) fn margin(op: &str, terms: usize) -> Result<(f32, f32), PlanError> {
    if terms > MOST_TERMS {
        return Err(PlanError::Limit {
            what: format!("{op}: products in one sum"),
            limit: "bound on rounding",
            needed: terms as u64,
            allowed: MOST_TERMS as u64,
            unit: "products",
            remedy: "use smaller layers",
        });
    }
    let n = (terms + 4) as f64;
    let relative = 2.0 * n * U / (1.0 - 2.0 * n * U);
    let absolute = 16.0 * n * f64::from(f32::MIN_POSITIVE);
    Ok((above(relative), above(absolute)))
}

/// The least f32 that is not below x.
pub(super) fn above(x: f64) -> f32 {
    let near = x as f32;
    if f64::from(near) < x { near.next_up() } else { near }
}
