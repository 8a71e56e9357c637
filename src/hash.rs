//! FNV-1a in 64 bits (Fowler, Noll, Vo): names, records and data told apart by a few digits. No guard against malice.

use std::fmt;

/// A digest in the making; it shows as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fnv(u64);

impl Fnv {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::default().with(bytes)
    }

    /// The digest with more bytes behind.
    #[must_use]
    pub fn with(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
    }

    /// The digest as a number.
    pub fn value(self) -> u64 {
        self.0
    }
}

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl fmt::Display for Fnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The published test vectors of FNV-1a, 64 bits.
    #[test]
    fn vectors() {
        assert_eq!(Fnv::of(b"").value(), 0xcbf2_9ce4_8422_2325);
        assert_eq!(Fnv::of(b"a").value(), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(Fnv::of(b"foo").with(b"bar").to_string(), "85944171f73967e8");
    }
}
