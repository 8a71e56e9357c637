//! Threads over outputs.

/// Runs `work(i, chunk)` for every chunk of `chunk` elements of `out`, the last one perhaps shorter; on several
/// threads where the feature `threads` is on. Each chunk is computed as a whole by one thread, so the result
/// does not depend on how many there are.
pub fn chunks<T: Send>(out: &mut [T], chunk: usize, work: impl Fn(usize, &mut [T]) + Sync + Send) {
    #[cfg(feature = "threads")]
    {
        use rayon::prelude::*;
        out.par_chunks_mut(chunk.max(1)).enumerate().for_each(|(i, chunk)| work(i, chunk));
    }
    #[cfg(not(feature = "threads"))]
    out.chunks_mut(chunk.max(1)).enumerate().for_each(|(i, chunk)| work(i, chunk));
}

/// The same over two outputs cut in step: chunk i of `a` together with chunk i of `b`.
pub fn chunks2<A: Send, B: Send>(
    (a, chunk_a): (&mut [A], usize),
    (b, chunk_b): (&mut [B], usize),
    work: impl Fn(usize, &mut [A], &mut [B]) + Sync + Send,
) {
    let (chunk_a, chunk_b) = (chunk_a.max(1), chunk_b.max(1));
    #[cfg(feature = "threads")]
    {
        use rayon::prelude::*;
        a.par_chunks_mut(chunk_a)
            .zip(b.par_chunks_mut(chunk_b))
            .enumerate()
            .for_each(|(i, (a, b))| work(i, a, b));
    }
    #[cfg(not(feature = "threads"))]
    a.chunks_mut(chunk_a).zip(b.chunks_mut(chunk_b)).enumerate().for_each(|(i, (a, b))| work(i, a, b));
}

/// The same over three outputs of one length.
pub fn chunks3<T: Send>(
    [a, b, c]: [&mut [T]; 3],
    chunk: usize,
    work: impl Fn(usize, [&mut [T]; 3]) + Sync + Send,
) {
    let chunk = chunk.max(1);
    #[cfg(feature = "threads")]
    if a.len() > chunk {
        use rayon::prelude::*;
        let (b, c) = (b.par_chunks_mut(chunk), c.par_chunks_mut(chunk));
        return a
            .par_chunks_mut(chunk)
            .zip(b.zip(c))
            .enumerate()
            .for_each(|(i, (a, (b, c)))| work(i, [a, b, c]));
    }
    let (b, c) = (b.chunks_mut(chunk), c.chunks_mut(chunk));
    a.chunks_mut(chunk).zip(b.zip(c)).enumerate().for_each(|(i, (a, (b, c)))| work(i, [a, b, c]));
}

/// A chunk length for element-wise work on `len` elements: long enough to be worth a thread.
pub fn even_chunk(len: usize) -> usize {
    (len / 64).max(4096)
}
