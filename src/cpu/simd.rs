//! The product of `product.rs` in f32, in the widest vector registers that this machine has.
//!
//! A block of rows times one or two registers of columns is summed at once, so that a term loads each column register
//! once for all rows. Each sum is a chain of fused multiply-adds in the order of the terms.

use std::sync::OnceLock;

use pulp::{Arch, Simd, WithSimd};

use super::product::{Finish, Left, PANEL, Right};

/// The instruction set, found once.
fn arch() -> Arch {
    static ARCH: OnceLock<Arch> = OnceLock::new();
    *ARCH.get_or_init(Arch::new)
}

/// Work whose loops are to run in the widest registers. `run` must be `#[inline(always)]`, and what it calls small.
pub trait Task {
    /// Does it.
    fn run(self);
}

/// Does a task, compiled for each instruction set. Rounds as ever: nothing is reordered or fused.
pub fn wide(task: impl Task) {
    arch().dispatch(Wide(task));
}

struct Wide<W>(W);

impl<W: Task> WithSimd for Wide<W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.0.run();
    }
}

/// `product::multiply` in f32.
pub fn multiply(
    a: Left<'_, f32>,
    b: &Right<'_, f32>,
    finish: Finish<'_, f32>,
    c: &mut [f32],
    places: &[usize],
) {
    arch().dispatch(Multiply { a, b, finish, c, places });
}

struct Multiply<'a, 'b> {
    a: Left<'a, f32>,
    b: &'a Right<'b, f32>,
    finish: Finish<'a, f32>,
    c: &'a mut [f32],
    places: &'a [usize],
}

impl WithSimd for Multiply<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { a, b, finish, c, places } = self;
        let lanes = S::F32_LANES;
        let Some(span) = a.terms.iter().max().map(|last| last + 1) else {
            return super::product::multiply_plainly(a, b, finish, c, places);
        };
        let (vectors, _) = S::as_simd_f32s(&b.data);
        // Registers of columns side by side, and where in `vectors` a row of each begins.
        let mut first = 0;
        while first < b.columns {
            let two = first + lanes < b.columns;
            let start = |column: usize| (column / PANEL * b.panel + column % PANEL) / lanes;
            let columns =
                Columns { vectors, starts: [start(first), start(first + lanes)], row: b.row / lanes, first };
            let mut done = 0;
            while done < a.rows.len() {
                let (rows, places) = (&a.rows[done..], &places[done..]);
                let left = rows.len();
                let job = Job {
                    simd,
                    data: a.data,
                    span,
                    terms: a.terms,
                    rows,
                    columns,
                    finish,
                    n: b.columns,
                    places,
                };
                // As many rows as the registers hold beside the columns; fewer at the end.
                done += match (two, S::REGISTER_COUNT > 16) {
                    (true, true) if left > 8 => job.block::<12, 2>(c),
                    (true, true) if left > 4 => job.block::<8, 2>(c),
                    (true, false) if left > 4 => job.block::<6, 2>(c),
                    (true, _) => job.block::<4, 2>(c),
                    (false, _) if left > 8 => job.block::<12, 1>(c),
                    (false, _) if left > 4 => job.block::<8, 1>(c),
                    (false, _) => job.block::<4, 1>(c),
                };
            }
            first += if two { 2 * lanes } else { lanes };
        }
    }
}

/// One or two registers of columns of the right factor.
struct Columns<'a, S: Simd> {
    vectors: &'a [S::f32s],
    starts: [usize; 2],
    row: usize,
    first: usize,
}

impl<S: Simd> Clone for Columns<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S: Simd> Copy for Columns<'_, S> {}

/// The rest of a product, from some row on.
struct Job<'a, S: Simd> {
    simd: S,
    data: &'a [f32],
    span: usize,
    terms: &'a [usize],
    rows: &'a [usize],
    columns: Columns<'a, S>,
    finish: Finish<'a, f32>,
    n: usize,
    places: &'a [usize],
}

impl<S: Simd> Job<'_, S> {
    /// Sums up to `ROWS` rows times `COLUMNS` registers into c; returns how many rows those were.
    #[inline(always)]
    fn block<const ROWS: usize, const COLUMNS: usize>(&self, c: &mut [f32]) -> usize {
        let (simd, lanes, first) = (self.simd, S::F32_LANES, self.columns.first);
        let count = ROWS.min(self.rows.len());
        // Rows past the end repeat the last one; their sums are dropped.
        let at: [&[f32]; ROWS] =
            std::array::from_fn(|i| &self.data[self.rows[i.min(count - 1)]..][..self.span]);
        let start: [S::f32s; COLUMNS] = std::array::from_fn(|j| match self.finish.bias {
            Some(bias) => {
                let from = &bias[(first + j * lanes).min(self.n)..];
                simd.partial_load_f32s(&from[..lanes.min(from.len())])
            }
            None => simd.splat_f32s(0.0),
        });
        let mut sums = simd.vectorize(Sums::<S, ROWS, COLUMNS> {
            simd,
            at: &at,
            terms: self.terms,
            columns: self.columns,
            start,
        });
        if self.finish.relu {
            let zero = simd.splat_f32s(0.0);
            for sum in sums.iter_mut().flatten() {
                *sum = simd.select_f32s(simd.less_than_f32s(*sum, zero), zero, *sum);
            }
        }
        for (sums, &place) in sums.iter().zip(&self.places[..count]) {
            let row = &mut c[place..][..self.n];
            for (sum, to) in sums.iter().zip(row[first..].chunks_mut(lanes)) {
                simd.partial_store_f32s(to, *sum);
            }
        }
        count
    }
}

/// The inner loop, a function of its own so that its sums stay in registers.
struct Sums<'a, S: Simd, const ROWS: usize, const COLUMNS: usize> {
    simd: S,
    at: &'a [&'a [f32]; ROWS],
    terms: &'a [usize],
    columns: Columns<'a, S>,
    start: [S::f32s; COLUMNS],
}

impl<S: Simd, const ROWS: usize, const COLUMNS: usize> WithSimd for Sums<'_, S, ROWS, COLUMNS> {
    type Output = [[S::f32s; COLUMNS]; ROWS];

    #[inline(always)]
    fn with_simd<Q: Simd>(self, _: Q) -> Self::Output {
        let Self { simd, at, terms, columns, start } = self;
        let Columns { vectors, starts, row, .. } = columns;
        let mut sums = [start; ROWS];
        let b: [&[S::f32s]; COLUMNS] = std::array::from_fn(|j| &vectors[starts[j]..]);
        for (k, &term) in terms.iter().enumerate() {
            let b: [S::f32s; COLUMNS] = std::array::from_fn(|j| b[j][k * row]);
            for (sums, at) in sums.iter_mut().zip(at) {
                let x = simd.splat_f32s(at[term]);
                for (sum, &b) in sums.iter_mut().zip(&b) {
                    *sum = simd.mul_add_e_f32s(x, b, *sum);
                }
            }
        }
        sums
    }
}

/// Chains of multiply-adds that hide each other's latency and leave registers for the factor and the summand.
const CHAINS: usize = 12;

/// `rounds` multiply-adds in registers, on each of twelve independent chains as wide as this machine has them; returns
/// the sum of the chains and the number of FLOPs. What the CPU device is measured against.
pub fn multiply_adds(rounds: usize, start: f32) -> (f32, u64) {
    arch().dispatch(MultiplyAdds { rounds, start })
}

struct MultiplyAdds {
    rounds: usize,
    start: f32,
}

impl WithSimd for MultiplyAdds {
    type Output = (f32, u64);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        // Below 1, so that the chains stay bounded.
        let (m, c) = (simd.splat_f32s(0.5), simd.splat_f32s(self.start));
        let mut chains: [S::f32s; CHAINS] = std::array::from_fn(|i| simd.splat_f32s(i as f32));
        for _ in 0..self.rounds {
            for chain in &mut chains {
                *chain = simd.mul_add_e_f32s(*chain, m, c);
            }
        }
        let sum = chains.into_iter().map(|chain| simd.reduce_sum_f32s(chain)).sum();
        (sum, 2 * (CHAINS * S::F32_LANES * self.rounds) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiply_adds_run_to_their_fixed_point_and_are_counted() {
        // a = a / 2 + 3 comes to 6 in every lane.
        let (sum, flops) = multiply_adds(200, 3.0);
        let lanes = flops / 400;
        assert!(lanes >= CHAINS as u64 && flops.is_multiple_of(400));
        assert!(
            (f64::from(sum) - 6.0 * lanes as f64).abs() < 1e-3 * lanes as f64,
            "{sum} over {lanes} lanes"
        );
    }
}
