//! Threads over outputs.
//!
//! A chunk is computed as a whole by one thread, so the result does not depend on how many there are. The loops of a
//! chunk are compiled for the widest registers too, where the compiler puts them in line.

use super::simd::{self, Task};

struct Chunk<F>(F);

impl<F: FnOnce()> Task for Chunk<F> {
    #[inline(always)]
    fn run(self) {
        (self.0)();
    }
}

/// Threads that share the work.
pub fn threads() -> usize {
    #[cfg(feature = "threads")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "threads"))]
    1
}

/// Whether there is nothing to share among threads.
#[cfg(feature = "threads")]
fn alone(len: usize, chunk: usize) -> bool {
    len <= chunk || rayon::current_num_threads() == 1
}

/// Runs `work` on a thread of the pool, so that all its parallel parts start from there: from outside, each would wait
/// for the pool to wake up.
pub fn in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    #[cfg(feature = "threads")]
    if rayon::current_num_threads() > 1 {
        return rayon::scope(|_| work());
    }
    work()
}

/// Runs `work(i, chunk)` for every chunk of `chunk` elements of `out`, the last one perhaps shorter; on several
/// threads where the feature `threads` is on.
pub fn chunks<T: Send>(out: &mut [T], chunk: usize, work: impl Fn(usize, &mut [T]) + Sync + Send) {
    let chunk = chunk.max(1);
    let work = |(i, out): (usize, &mut [T])| simd::wide(Chunk(|| work(i, out)));
    #[cfg(feature = "threads")]
    if !alone(out.len(), chunk) {
        use rayon::prelude::*;
        return out.par_chunks_mut(chunk).enumerate().for_each(work);
    }
    out.chunks_mut(chunk).enumerate().for_each(work);
}

/// The same over two outputs cut in step: chunk i of `a` together with chunk i of `b`.
pub fn chunks2<A: Send, B: Send>(
    (a, chunk_a): (&mut [A], usize),
    (b, chunk_b): (&mut [B], usize),
    work: impl Fn(usize, &mut [A], &mut [B]) + Sync + Send,
) {
    let (chunk_a, chunk_b) = (chunk_a.max(1), chunk_b.max(1));
    let work = |(i, (a, b)): (usize, (&mut [A], &mut [B]))| simd::wide(Chunk(|| work(i, a, b)));
    #[cfg(feature = "threads")]
    if !alone(a.len(), chunk_a) {
        use rayon::prelude::*;
        return a.par_chunks_mut(chunk_a).zip(b.par_chunks_mut(chunk_b)).enumerate().for_each(work);
    }
    a.chunks_mut(chunk_a).zip(b.chunks_mut(chunk_b)).enumerate().for_each(work);
}

/// The same over three outputs of one length.
pub fn chunks3<T: Send>(
    [a, b, c]: [&mut [T]; 3],
    chunk: usize,
    work: impl Fn(usize, [&mut [T]; 3]) + Sync + Send,
) {
    let chunk = chunk.max(1);
    type Three<'a, T> = (&'a mut [T], (&'a mut [T], &'a mut [T]));
    let work = |(i, (a, (b, c))): (usize, Three<T>)| simd::wide(Chunk(|| work(i, [a, b, c])));
    #[cfg(feature = "threads")]
    if !alone(a.len(), chunk) {
        use rayon::prelude::*;
        let (b, c) = (b.par_chunks_mut(chunk), c.par_chunks_mut(chunk));
        return a.par_chunks_mut(chunk).zip(b.zip(c)).enumerate().for_each(work);
    }
    let (b, c) = (b.chunks_mut(chunk), c.chunks_mut(chunk));
    a.chunks_mut(chunk).zip(b.zip(c)).enumerate().for_each(work);
}

/// A chunk length for element-wise work on `len` elements: long enough to be worth a thread.
pub fn even_chunk(len: usize) -> usize {
    (len / 64).max(4096)
}
