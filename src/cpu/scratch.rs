//! Buffers that a thread lends to its twins and takes back, so that a step in motion allocates nothing.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::thread::LocalKey;

/// Buffers that a thread keeps, per type of element: those of a convolution with a stride of 4, the most that a command
/// asks for at once, and some.
const KEPT: usize = 128;

/// Bytes that a thread keeps, per type of element.
const BUDGET: usize = 64 << 20;

/// What a thread keeps between calls.
pub type Store<T> = RefCell<Vec<Vec<T>>>;

/// An element of scratch.
pub trait Element: Copy + Default + 'static {
    /// The buffers of this thread.
    fn store() -> &'static LocalKey<Store<Self>>;
}

macro_rules! element {
    ($($ty:ty),*) => {$(
        impl Element for $ty {
            fn store() -> &'static LocalKey<Store<Self>> {
                thread_local!(static STORE: Store<$ty> = const { RefCell::new(Vec::new()) });
                &STORE
            }
        }
    )*};
}

element!(f32, f64, usize, (usize, usize));

/// A buffer on loan; it goes back to its thread when it is dropped.
#[derive(Debug)]
pub struct Scratch<T: Element>(Vec<T>);

impl<T: Element> Scratch<T> {
    /// Without elements, and with room for so many where one of the thread's buffers has it.
    pub fn with_capacity(capacity: usize) -> Self {
        let mut buffer = Self::lent(capacity);
        buffer.0.clear();
        buffer.0.reserve_exact(capacity);
        buffer
    }

    /// `len` elements of one value.
    pub fn filled(len: usize, value: T) -> Self {
        let mut buffer = Self::with_capacity(len);
        buffer.0.resize(len, value);
        buffer
    }

    /// `len` elements to be written before they are read: they hold whatever was there.
    pub fn stale(len: usize) -> Self {
        let mut buffer = Self::lent(len);
        buffer.0.reserve_exact(len.saturating_sub(buffer.0.len()));
        buffer.0.resize(len, T::default());
        buffer
    }

    /// The smallest buffer with room for `len` elements, or the largest one.
    fn lent(len: usize) -> Self {
        let taken = T::store().try_with(|store| {
            let mut store = store.borrow_mut();
            let sizes = store.iter().map(Vec::capacity).enumerate();
            let (place, _) = sizes.min_by_key(|&(_, size)| (size < len, size.abs_diff(len)))?;
            Some(store.swap_remove(place))
        });
        Self(taken.ok().flatten().unwrap_or_default())
    }
}

impl<T: Element> Drop for Scratch<T> {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        if buffer.capacity() == 0 {
            return;
        }
        // A thread that ends has no store any more.
        let _ = T::store().try_with(|store| {
            let mut store = store.borrow_mut();
            let kept: usize = store.iter().map(Vec::capacity).sum();
            if store.len() < KEPT && (kept + buffer.capacity()) * size_of::<T>() <= BUDGET {
                store.push(buffer);
            }
        });
    }
}

impl<T: Element> Deref for Scratch<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Element> DerefMut for Scratch<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<T: Element> FromIterator<T> for Scratch<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let values = values.into_iter();
        let mut buffer = Self::with_capacity(values.size_hint().0);
        buffer.0.extend(values);
        buffer
    }
}

impl<'a, T: Element> IntoIterator for &'a Scratch<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Elements that lie somewhere, or a copy of them in scratch.
#[derive(Debug)]
pub enum Held<'a, T: Element> {
    /// Where they lie.
    There(&'a [T]),
    /// Copied.
    Copied(Scratch<T>),
}

impl<T: Element> Deref for Held<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::There(values) => values,
            Self::Copied(values) => values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_and_is_lent_again() {
        let first = Scratch::filled(100, 1.5f64);
        let place = first.as_ptr();
        assert_eq!(*first, vec![1.5; 100]);
        drop(first);
        let again: Scratch<f64> = (0..50).map(f64::from).collect();
        assert_eq!(again.as_ptr(), place);
        assert_eq!(*again, (0..50).map(f64::from).collect::<Vec<_>>());
        // What is lent is not lent twice.
        let other = Scratch::filled(50, 2.0f64);
        assert_ne!(other.as_ptr(), again.as_ptr());
    }

    #[test]
    fn the_smallest_buffer_that_is_large_enough_is_lent() {
        let places =
            [1000, 10, 100].map(|len| Scratch::filled(len, 0usize)).map(|buffer| (buffer.as_ptr(), buffer));
        let [large, small, middle] = places.map(|(place, _)| place);
        let taken = [50, 1, 500].map(Scratch::<usize>::with_capacity);
        assert_eq!(taken.each_ref().map(|buffer| buffer.as_ptr()), [middle, small, large]);
    }

    #[test]
    fn stale_elements_are_as_many_as_asked_for() {
        drop(Scratch::filled(8, 7.0f32));
        assert_eq!(Scratch::<f32>::stale(4).len(), 4);
        assert_eq!(Scratch::<f32>::stale(4000).len(), 4000);
        assert_eq!(*Scratch::filled(4, 0.0f32), [0.0; 4]);
    }

    #[test]
    fn a_store_has_an_end() {
        drop(std::array::from_fn::<_, 200, _>(|_| Scratch::filled(4, (0usize, 0usize))));
        <(usize, usize)>::store().with_borrow(|store| assert_eq!(store.len(), KEPT));
        drop(std::array::from_fn::<_, 5, _>(|_| Scratch::<f32>::with_capacity(BUDGET / 4 / 4)));
        f32::store().with_borrow(|store| assert_eq!(store.len(), 4));
        drop(Scratch::<f32>::with_capacity(BUDGET / 4 + 1));
        f32::store().with_borrow(|store| assert_eq!(store.len(), 3));
    }
}
