//! What a twin is called with: the command's numbers and its tensors, in the order of the shader's bindings.

use crate::params::Params;
use crate::shader::DType;

/// A tensor in host memory.
#[derive(Clone, Debug, PartialEq)]
pub enum Host<T> {
    /// Floats.
    Real(Vec<T>),
    /// Indices, labels, packed bytes.
    Index(Vec<u32>),
}

impl<T: Clone> Host<T> {
    /// `len` elements of one value, or zeros for indices.
    pub fn filled(dtype: DType, len: usize, value: T) -> Self {
        match dtype {
            DType::F32 => Host::Real(vec![value; len]),
            DType::U32 => Host::Index(vec![0; len]),
        }
    }
}

/// One argument, borrowed.
#[derive(Debug)]
pub enum Slice<'a, T> {
    /// Floats to read.
    Read(&'a [T]),
    /// Floats to read and write.
    Write(&'a mut [T]),
    /// Indices to read.
    ReadIndex(&'a [u32]),
    /// Indices to read and write.
    WriteIndex(&'a mut [u32]),
}

/// A twin asked for an argument that the command does not have. A mistake in the table of kernels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a CPU twin asked for {0}, which its command does not have")]
pub struct ArgError(&'static str);

/// The arguments of one call; each `read…` or `write…` takes the next one.
#[derive(Debug)]
pub struct Args<'a, T> {
    params: &'a [u8],
    /// In place, so that a call allocates nothing.
    slices: [Option<Slice<'a, T>>; MOST],
    taken: usize,
}

/// Storage buffers of a command at most: what WebGPU promises, and what the table of kernels is tested for.
pub const MOST: usize = 8;

impl<'a, T> Args<'a, T> {
    /// Packs the uniform's bytes and the tensors.
    pub fn new(params: &'a [u8], slices: impl IntoIterator<Item = Slice<'a, T>>) -> Self {
        let mut slices = slices.into_iter();
        Self { params, slices: std::array::from_fn(|_| slices.next()), taken: 0 }
    }

    fn next(&mut self) -> Option<Slice<'a, T>> {
        let slice = self.slices.get_mut(self.taken)?.take();
        self.taken += 1;
        slice
    }

    /// The uniform struct.
    pub fn params<P: Params>(&self) -> Result<P, ArgError> {
        bytemuck::try_pod_read_unaligned(self.params).map_err(|_| ArgError("another uniform struct"))
    }

    /// The next argument, floats to read.
    pub fn read(&mut self) -> Result<&'a [T], ArgError> {
        match self.next() {
            Some(Slice::Read(slice)) => Ok(slice),
            _ => Err(ArgError("floats to read")),
        }
    }

    /// The next argument, floats to write.
    pub fn write(&mut self) -> Result<&'a mut [T], ArgError> {
        match self.next() {
            Some(Slice::Write(slice)) => Ok(slice),
            _ => Err(ArgError("floats to write")),
        }
    }

    /// The next argument, indices to read.
    pub fn read_index(&mut self) -> Result<&'a [u32], ArgError> {
        match self.next() {
            Some(Slice::ReadIndex(slice)) => Ok(slice),
            _ => Err(ArgError("indices to read")),
        }
    }

    /// The next argument, indices to write.
    pub fn write_index(&mut self) -> Result<&'a mut [u32], ArgError> {
        match self.next() {
            Some(Slice::WriteIndex(slice)) => Ok(slice),
            _ => Err(ArgError("indices to write")),
        }
    }
}
