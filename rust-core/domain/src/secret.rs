//! The one wrapper for values that must not leak.

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A secret: wiped when dropped, without `Debug`, `Display` or `Serialize`, compared in constant
/// time. Whoever reads it has to write [`Secret::expose`], which is easy to find in a review.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes the value in; the caller keeps no copy.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The plain value, for the one call that needs it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

/// By its one field, which wipes itself.
impl<T: Zeroize> ZeroizeOnDrop for Secret<T> {}

impl<T: Zeroize + AsRef<[u8]>> PartialEq for Secret<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ref().ct_eq(other.0.as_ref()).into()
    }
}

impl<T: Zeroize + AsRef<[u8]>> Eq for Secret<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_looks_at_the_bytes() {
        assert!(Secret::new("whsec_a".to_owned()) == Secret::new("whsec_a".to_owned()));
        assert!(Secret::new("whsec_a".to_owned()) != Secret::new("whsec_b".to_owned()));
        assert!(Secret::new("a".to_owned()) != Secret::new("ab".to_owned()));
    }
}
