//! Matrix products for the twins, in plain Rust: panels of both factors are copied so that the innermost loop
//! runs over small arrays of a fixed size, which the compiler keeps in vector registers.
//!
//! Every element of the product is one sum in the order of the inner dimension, whatever the cuts and threads.

use super::{Real, parallel};

/// Rows of the innermost block.
const ROWS: usize = 4;
/// Columns of the innermost block.
const COLUMNS: usize = 8;

/// A matrix inside a slice: element (i, j) is `data[i · row + j · column]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    data: &'a [T],
    row: usize,
    column: usize,
}

impl<'a, T: Real> Matrix<'a, T> {
    /// Row-major with rows of `columns` elements.
    pub fn new(data: &'a [T], columns: usize) -> Self {
        Self { data, row: columns, column: 1 }
    }

    /// The transpose.
    pub fn transposed(self) -> Self {
        Self { row: self.column, column: self.row, ..self }
    }

    /// The matrix from row `i` on.
    pub fn rows_from(self, i: usize) -> Self {
        Self { data: &self.data[i * self.row..], ..self }
    }

    fn at(&self, i: usize, j: usize) -> T {
        self.data[i * self.row + j * self.column]
    }
}

/// The right factor `[k, n]` of a product, cut into panels of eight columns; missing columns are 0.
#[derive(Debug)]
pub struct Panels<T> {
    k: usize,
    n: usize,
    data: Vec<[T; COLUMNS]>,
}

impl<T: Real> Panels<T> {
    /// Copies `b`, `k` rows of `n` columns.
    pub fn pack(b: Matrix<'_, T>, k: usize, n: usize) -> Self {
        let mut data = vec![[T::ZERO; COLUMNS]; n.div_ceil(COLUMNS) * k];
        parallel::chunks(&mut data, k, |panel, rows| {
            let first = panel * COLUMNS;
            for (i, row) in rows.iter_mut().enumerate() {
                for (j, value) in row.iter_mut().enumerate().take(n - first) {
                    *value = b.at(i, first + j);
                }
            }
        });
        Self { k, n, data }
    }

    /// `c[i, j] += Σ_k a[i, k] · b[k, j]` for the `m` rows of c, row-major with `n` columns.
    pub fn multiply_add(&self, a: Matrix<'_, T>, c: &mut [T]) {
        let m = c.len() / self.n;
        let mut blocks = vec![[T::ZERO; ROWS]; m.div_ceil(ROWS) * self.k];
        for (block, columns) in blocks.chunks_exact_mut(self.k).enumerate() {
            let first = block * ROWS;
            for i in 0..ROWS.min(m - first) {
                for (k, column) in columns.iter_mut().enumerate() {
                    column[i] = a.at(first + i, k);
                }
            }
        }
        for (panel, b) in self.data.chunks_exact(self.k).enumerate() {
            for (block, a) in blocks.chunks_exact(self.k).enumerate() {
                let product = multiply_block(a, b);
                let rows = c.chunks_exact_mut(self.n).skip(block * ROWS);
                for (row, product) in rows.zip(&product) {
                    for (c, &p) in row[panel * COLUMNS..].iter_mut().zip(product) {
                        *c += p;
                    }
                }
            }
        }
    }
}

fn multiply_block<T: Real>(a: &[[T; ROWS]], b: &[[T; COLUMNS]]) -> [[T; COLUMNS]; ROWS] {
    let mut sums = [[T::ZERO; COLUMNS]; ROWS];
    for (a, b) in a.iter().zip(b) {
        for (sums, &a) in sums.iter_mut().zip(a) {
            for (sum, &b) in sums.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    sums
}

/// `c = a · b`, with `rows` rows of c to a chunk of work.
pub fn multiply<T: Real>(a: Matrix<'_, T>, b: &Panels<T>, c: &mut [T], rows: usize) {
    parallel::chunks(c, rows * b.n, |i, c| {
        c.fill(T::ZERO);
        b.multiply_add(a.rows_from(i * rows), c);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::check::normal;

    #[test]
    fn blocks_agree_with_three_loops() {
        for (m, k, n) in [(1, 1, 1), (4, 3, 8), (5, 7, 9), (13, 16, 17), (3, 40, 2)] {
            let (a, b) = (normal(m * k, 1), normal(k * n, 2));
            let expected: Vec<f64> =
                (0..m * n).map(|at| (0..k).map(|i| a[at / n * k + i] * b[i * n + at % n]).sum()).collect();
            let panels = Panels::pack(Matrix::new(&b, n), k, n);
            let mut c = vec![f64::NAN; m * n];
            multiply(Matrix::new(&a, k), &panels, &mut c, 2);
            crate::cpu::check::assert_close(&c, &expected, 1e-13);

            // The same through transposed copies of both factors.
            let a_t: Vec<f64> = (0..k * m).map(|at| a[at % m * k + at / m]).collect();
            let b_t: Vec<f64> = (0..n * k).map(|at| b[at % k * n + at / k]).collect();
            let panels = Panels::pack(Matrix::new(&b_t, k).transposed(), k, n);
            let mut again = vec![0.0; m * n];
            panels.multiply_add(Matrix::new(&a_t, m).transposed(), &mut again);
            assert_eq!(c, again);
        }
    }
}
