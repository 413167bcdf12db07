//! Short words kept in place.

use std::fmt;

/// One to `N` ASCII characters, none of them NUL, without memory of their own: slugs and codes are
/// part of every key in the ledger, and copied with each of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Inline<const N: usize>([u8; N]);

impl<const N: usize> Inline<N> {
    /// The word, if it fits.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let fits = text.bytes().all(|byte| byte.is_ascii() && byte != 0) && !text.is_empty();
        let mut bytes = [0; N];
        bytes.get_mut(..text.len()).filter(|_| fits)?.copy_from_slice(text.as_bytes());
        Some(Self(bytes))
    }

    /// The word.
    pub(crate) fn as_str(&self) -> &str {
        // What is not used is NUL and sorts before everything, as the end of a text does.
        let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(N);
        let word = self.0.get(..length).unwrap_or_default();
        std::str::from_utf8(word).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Debug for Inline<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_fit_is_no_word() {
        assert_eq!(
            Inline::<4>::of("abcd").map(|word| word.as_str().to_owned()),
            Some("abcd".into())
        );
        for text in ["", "abcde", "a\0", "é"] {
            assert_eq!(Inline::<4>::of(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn words_sort_as_their_texts_do(a in "[!-~]{1,6}", b in "[!-~]{1,6}") {
            let (one, other) = (Inline::<6>::of(&a).unwrap(), Inline::<6>::of(&b).unwrap());
            prop_assert_eq!(one.cmp(&other), a.cmp(&b));
            prop_assert_eq!(one.as_str(), a);
        }
    }
}
