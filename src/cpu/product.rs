//! Matrix products for the twins. The left factor is not copied but found through two tables of places, so that a
//! convolution is a product over the pictures as they lie: no windows are laid out.
//!
//! Every element of the result is one sum in the order of the inner dimension, whatever the cuts and threads. In
//! f64 this file does it in three plain loops; in f32 `simd` does the same sums in vector registers.

use super::scratch::{Held, Scratch};
use super::{Real, parallel};

/// Columns of a panel of the right factor: a multiple of the lanes of every vector unit.
pub const PANEL: usize = 16;

/// The left factor: element (i, k) is `data[rows[i] + terms[k]]`.
#[derive(Clone, Copy, Debug)]
pub struct Left<'a, T> {
    /// Where the elements are.
    pub data: &'a [T],
    /// Where each row starts.
    pub rows: &'a [usize],
    /// Where each term of a row's sum lies behind its start.
    pub terms: &'a [usize],
}

/// The right factor `[terms, columns]` in panels of [`PANEL`] columns: element (k, j) of panel p is
/// `data[p · panel + k · row + j]`.
#[derive(Debug)]
pub struct Right<'a, T: Real> {
    pub(super) data: Held<'a, T>,
    pub(super) columns: usize,
    pub(super) panel: usize,
    pub(super) row: usize,
}

/// Rows longer than this are copied: so far apart, they would share the few cache sets that a panel falls into.
const LONGEST_ROW: usize = 128;

/// Terms that are transposed at a time.
const TERMS: usize = 64;

impl<'a, T: Real> Right<'a, T> {
    /// Row-major with rows of `columns` elements; used where it lies if the columns fill their panels.
    pub fn rows(b: &'a [T], columns: usize) -> Self {
        if columns.is_multiple_of(PANEL) && columns <= LONGEST_ROW {
            return Self { data: Held::There(b), columns, panel: PANEL, row: columns };
        }
        let terms = b.len() / columns;
        let mut data = Scratch::with_capacity(columns.div_ceil(PANEL) * terms * PANEL);
        for first in (0..columns).step_by(PANEL) {
            let width = PANEL.min(columns - first);
            for row in b.chunks_exact(columns) {
                data.extend_from_slice(&row[first..first + width]);
                let end = data.len() + PANEL - width;
                data.resize(end, T::ZERO);
            }
        }
        Self { data: Held::Copied(data), columns, panel: terms * PANEL, row: PANEL }
    }

    /// The transpose of a row-major matrix, of which the terms named (each the place of an element of column 0)
    /// count; `step` is the distance of two columns.
    pub fn transposed(b: &[T], columns: usize, step: usize, terms: &[usize]) -> Self {
        let panels = columns.div_ceil(PANEL);
        // Only the last panel has columns that nothing is written to.
        let mut data = Scratch::<T>::stale(panels * terms.len() * PANEL);
        if !columns.is_multiple_of(PANEL) {
            data[(panels - 1) * terms.len() * PANEL..].fill(T::ZERO);
        }
        for (panel, data) in data.chunks_exact_mut((terms.len() * PANEL).max(1)).enumerate() {
            let first = panel * PANEL;
            // Few terms at a time, so that what is written stays in the nearest cache.
            for (data, terms) in data.chunks_mut(TERMS * PANEL).zip(terms.chunks(TERMS)) {
                for j in 0..PANEL.min(columns - first) {
                    let b = &b[(first + j) * step..];
                    for (row, &term) in data.chunks_exact_mut(PANEL).zip(terms) {
                        row[j] = b[term];
                    }
                }
            }
        }
        Self { data: Held::Copied(data), columns, panel: terms.len() * PANEL, row: PANEL }
    }

    /// Columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    fn at(&self, k: usize, j: usize) -> T {
        self.data[j / PANEL * self.panel + k * self.row + j % PANEL]
    }
}

/// What a product starts from, and what is done to each sum.
#[derive(Clone, Copy, Debug)]
pub struct Finish<'a, T> {
    /// The start of each column's sums; 0 where there is none.
    pub bias: Option<&'a [T]>,
    /// A ReLU behind the sum; a NaN stays a NaN.
    pub relu: bool,
}

impl<T> Finish<'_, T> {
    /// The sums alone.
    pub const PLAIN: Self = Finish { bias: None, relu: false };
}

/// `c[places[i] + j] = Σ_k a[i, k] · b[k, j]`, from a bias and through a ReLU if `finish` says so.
pub fn multiply<T: Real>(
    a: Left<'_, T>,
    b: &Right<'_, T>,
    finish: Finish<'_, T>,
    c: &mut [T],
    places: &[usize],
) {
    T::multiply(a, b, finish, c, places);
}

/// The same with row i of c at i · columns, cut into chunks of `rows` rows for the threads.
pub fn multiply_rows<T: Real>(
    a: Left<'_, T>,
    b: &Right<'_, T>,
    finish: Finish<'_, T>,
    c: &mut [T],
    rows: usize,
) {
    let places = even(rows.min(a.rows.len()), b.columns);
    parallel::chunks(c, rows * b.columns, |i, c| {
        let own = &a.rows[i * rows..][..c.len() / b.columns];
        T::multiply(Left { rows: own, ..a }, b, finish, c, &places[..own.len()]);
    });
}

/// The three loops.
pub(super) fn multiply_plainly<T: Real>(
    a: Left<'_, T>,
    b: &Right<'_, T>,
    finish: Finish<'_, T>,
    c: &mut [T],
    places: &[usize],
) {
    for (&row, &place) in a.rows.iter().zip(places) {
        for j in 0..b.columns {
            let mut sum = finish.bias.map_or(T::ZERO, |bias| bias[j]);
            for (k, &term) in a.terms.iter().enumerate() {
                sum += a.data[row + term] * b.at(k, j);
            }
            c[place + j] = if finish.relu && sum < T::ZERO { T::ZERO } else { sum };
        }
    }
}

/// 0, step, 2 · step, …: the places of evenly spread rows or terms.
pub fn even(count: usize, step: usize) -> Scratch<usize> {
    (0..count).map(|i| i * step).collect()
}

#[cfg(test)]
mod tests;
