//! Random-looking IDs from a seed: the same seed and the same calls give the same IDs.

use super::model::Id;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The source of every ID and secret of one sandbox.
pub(super) struct Ids {
    state: u64,
}

impl Ids {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Where the source stands: equal after equal draws.
    pub(super) fn state(&self) -> u64 {
        self.state
    }

    /// SplitMix64: small, quick, and good enough where nobody defends anything.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// What a source of letters of its own begins with.
    pub(super) fn seed(&mut self) -> u64 {
        self.next()
    }

    /// A number below a bound. The bias of the remainder is far below what anybody could notice.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or_default()
    }

    /// A prefix and so many letters and digits.
    pub(super) fn text(&mut self, prefix: &str, length: usize) -> String {
        let mut text = String::with_capacity(prefix.len().saturating_add(length));
        text.push_str(prefix);
        let mut bits = 0;
        for index in 0..length {
            if index % 10 == 0 {
                bits = self.next();
            }
            let letter = usize::try_from(bits % 62).ok().and_then(|at| ALPHABET.get(at));
            text.push(char::from(*letter.unwrap_or(&b'0')));
            bits /= 62;
        }
        text
    }

    pub(super) fn session(&mut self, live: bool) -> Id {
        self.text(if live { "cs_live_a1" } else { "cs_test_a1" }, 56).into()
    }

    /// An ID of Stripe's usual form, such as `pi_3…`.
    pub(super) fn object(&mut self, prefix: &str) -> Id {
        self.text(prefix, 23).into()
    }

    pub(super) fn request(&mut self) -> Id {
        self.text("req_", 14).into()
    }

    pub(super) fn hex(&mut self) -> String {
        (0..4).map(|_| format!("{:016x}", self.next())).collect()
    }
}

/// Letters that follow from an ID and a seed, for a secret that needs no memory of its own.
pub(super) fn derived(seed: u64, id: &str, length: usize) -> String {
    let mixed = id.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Ids::new(mixed).text("", length)
}

/// The ID of something that belongs to another object and needs no memory of its own: the same
/// letters behind another prefix.
pub(super) fn kin(id: &str, prefix: &str) -> String {
    let letters = id.rsplit('_').next().unwrap_or(id);
    format!("{prefix}{}", letters.get(1..).unwrap_or(letters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_ids_again_and_another_seed_others() {
        let three = |seed| {
            let mut ids = Ids::new(seed);
            [ids.session(false), ids.object("pi_3"), ids.request()]
        };
        assert_eq!(three(7), three(7));
        assert_ne!(three(7), three(8));
        assert!(three(7)[0].starts_with("cs_test_a1") && three(7)[0].len() == 66);
    }

    #[test]
    fn kin_share_their_letters() {
        assert_eq!(kin("ch_3abc", "txn_3"), "txn_3abc");
    }
}
