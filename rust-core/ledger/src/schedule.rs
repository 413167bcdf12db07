//! When work is done again. Pure tables, so that they can be read and tested.

/// Waits between looks at an unfinished payment, in milliseconds. Short at first, while a payer
/// stands there and perhaps no webhook can reach this gateway; then growing, to stay far within
/// Stripe's 25 requests a second in test mode.
const CHECK_AGAIN_MS: [i64; 10] =
    [2_000, 2_000, 3_000, 5_000, 10_000, 20_000, 60_000, 120_000, 300_000, 600_000];

/// Waits before a request of unknown outcome is sent again, in milliseconds.
const OPEN_AGAIN_MS: [i64; 7] = [500, 1_000, 2_000, 5_000, 15_000, 30_000, 60_000];

/// One day, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Waits between looks at a refund that is made, in milliseconds: a bank may give it back for weeks,
/// and the webhook that would tell may have missed us.
const FOLLOW_AGAIN_MS: [i64; 6] = [DAY_MS, DAY_MS, 2 * DAY_MS, 4 * DAY_MS, 8 * DAY_MS, 14 * DAY_MS];

/// The pause between two pages that a restored ledger asks for, in milliseconds: at most four requests
/// a second, a sixth of what Stripe takes in test mode.
pub const PAGE_AGAIN_MS: i64 = 250;

/// How long a worker may keep a job before another takes it over, in milliseconds: longer than
/// a call to Stripe with all its retries.
pub const LEASE_MS: i64 = 90_000;

/// How long a checkout session lives from the first send, in seconds.
pub const SESSION_LIFETIME_S: i64 = 2 * 60 * 60;

/// A frozen request is sent again only while more of its session than this would remain, in
/// seconds. Stripe's minimum is 30 minutes; one more allows for clocks.
pub const RESEND_REMAINING_S_MIN: i64 = 31 * 60;

/// The wait after the `tries`th look (from 1).
pub fn check_again_ms(tries: u32) -> i64 {
    nth(&CHECK_AGAIN_MS, tries)
}

/// The wait after the `tries`th send (from 1).
pub fn open_again_ms(tries: u32) -> i64 {
    nth(&OPEN_AGAIN_MS, tries)
}

/// The wait before the `tries`th look at refunds that are made (from 1).
pub fn follow_again_ms(tries: u32) -> i64 {
    nth(&FOLLOW_AGAIN_MS, tries)
}

/// True if refunds are looked at once more after the `tries`th look: 30 days in all.
pub fn goes_on_following(tries: u32) -> bool {
    usize::try_from(tries).is_ok_and(|tries| tries < FOLLOW_AGAIN_MS.len())
}

/// True while the frozen request may be sent again as it is.
pub fn may_resend(session_expires_at_unix_s: i64, now_ms: i64) -> bool {
    session_expires_at_unix_s.saturating_sub(now_ms.div_euclid(1000)) > RESEND_REMAINING_S_MIN
}

fn nth(table: &[i64], tries: u32) -> i64 {
    let index = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
    table.get(index).or(table.last()).copied().unwrap_or(60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_then_stay() {
        assert_eq!(
            [1, 2, 3, 10, 11, 999].map(check_again_ms),
            [2_000, 2_000, 3_000, 600_000, 600_000, 600_000]
        );
        assert_eq!([0, 1, 7, 8].map(open_again_ms), [500, 500, 60_000, 60_000]);
    }

    #[test]
    fn refunds_are_followed_for_thirty_days() {
        assert_eq!(FOLLOW_AGAIN_MS.iter().sum::<i64>(), 30 * DAY_MS);
        assert_eq!([1, 5, 6, 7].map(goes_on_following), [true, true, false, false]);
    }

    #[test]
    fn a_request_is_not_sent_again_when_stripe_would_refuse_its_expiry() {
        let expires = 7_200;
        assert!(may_resend(expires, 0));
        assert!(may_resend(expires, (7_200 - 31 * 60 - 1) * 1_000));
        assert!(!may_resend(expires, (7_200 - 31 * 60) * 1_000));
    }
}
