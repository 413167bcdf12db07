//! When to send a request once more: a pure function over what is known of the last attempt.
//!
//! | what came | again? |
//! |---|---|
//! | no connection, or no (whole) answer | yes |
//! | 409 (another request with the key is in flight), 429 | yes |
//! | 5xx | yes, unless it is a replay: a stored server error never gets better |
//! | `Stripe-Should-Retry: true` or `false` | as it says, but for the replay |
//! | anything else | no |
//!
//! The wait is half fixed and half drawn at random: 0.5 to 1 second at first, doubling, never
//! above five. A longer `Retry-After` is obeyed up to a bound.

use std::time::Duration;

/// How often and how patiently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts_max: u32,
    /// The shortest first wait, in milliseconds.
    pub wait_ms_min: u64,
    /// The longest wait of our own, in milliseconds.
    pub wait_ms_max: u64,
    /// The longest `Retry-After` that is obeyed, in milliseconds. Beyond it the call ends, and
    /// the caller's durable job tries again later.
    pub retry_after_ms_max: u64,
}

impl Default for RetryPolicy {
    /// Stripe's own libraries wait 0.5 to 5 seconds; four attempts outlast a dropped connection
    /// and leave anything longer to the caller's durable job.
    fn default() -> Self {
        Self { attempts_max: 4, wait_ms_min: 500, wait_ms_max: 5_000, retry_after_ms_max: 20_000 }
    }
}

/// What one attempt gave, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// No connection: the request did not leave.
    NotSent,
    /// The request left, and no whole answer came.
    NoAnswer,
    /// An answer came.
    Answered {
        /// HTTP status.
        status: u16,
        /// `Idempotent-Replayed: true`.
        replayed: bool,
        /// `Stripe-Should-Retry`, if there.
        should_retry: Option<bool>,
        /// `Retry-After` in seconds, if there.
        retry_after_s: Option<u64>,
    },
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The last attempt stands.
    Stop,
    /// The same bytes again, after this wait.
    RetryAfter(Duration),
}

/// Decides after attempt number `attempt` (from 1). `jitter` is a random number; its value
/// modulo 1001 is used as thousandths.
pub fn decide(last: Attempt, attempt: u32, policy: &RetryPolicy, jitter: u64) -> Decision {
    if attempt >= policy.attempts_max || !worth_it(last) {
        return Decision::Stop;
    }
    let own_ms = backoff_ms(attempt, policy, jitter);
    match last {
        Attempt::Answered { retry_after_s: Some(asked_s), .. } => {
            let asked_ms = asked_s.saturating_mul(1_000);
            if asked_ms > policy.retry_after_ms_max {
                return Decision::Stop;
            }
            Decision::RetryAfter(Duration::from_millis(asked_ms.max(own_ms)))
        }
        _ => Decision::RetryAfter(Duration::from_millis(own_ms)),
    }
}

fn worth_it(last: Attempt) -> bool {
    match last {
        Attempt::NotSent | Attempt::NoAnswer => true,
        Attempt::Answered { status: 500.., replayed: true, .. } => false,
        Attempt::Answered { should_retry: Some(said), .. } => said,
        Attempt::Answered { status, .. } => matches!(status, 409 | 429 | 500..),
    }
}

/// Half of the wait is fixed and half is drawn, so that many callers do not return together.
fn backoff_ms(attempt: u32, policy: &RetryPolicy, jitter: u64) -> u64 {
    let doublings = attempt.min(16);
    let full_ms = policy.wait_ms_min.saturating_mul(1 << doublings).min(policy.wait_ms_max);
    let half_ms = full_ms / 2;
    let drawn_ms = half_ms.saturating_mul(jitter % 1_001) / 1_000;
    half_ms.saturating_add(drawn_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16) -> Attempt {
        Attempt::Answered { status, replayed: false, should_retry: None, retry_after_s: None }
    }

    fn with(status: u16, replayed: bool, should_retry: Option<bool>) -> Attempt {
        Attempt::Answered { status, replayed, should_retry, retry_after_s: None }
    }

    #[test]
    fn the_table_of_what_is_tried_again() {
        let table = [
            (Attempt::NotSent, true),
            (Attempt::NoAnswer, true),
            (answered(200), false),
            (answered(301), false),
            (answered(400), false),
            (answered(401), false),
            (answered(402), false),
            (answered(403), false),
            (answered(404), false),
            (answered(409), true),
            (answered(429), true),
            (answered(500), true),
            (answered(503), true),
            (with(500, true, None), false),
            (with(500, true, Some(true)), false),
            (with(500, false, Some(false)), false),
            (with(409, false, Some(false)), false),
            (with(400, false, Some(true)), true),
            (with(429, false, Some(true)), true),
        ];
        for (last, again) in table {
            let decision = decide(last, 1, &RetryPolicy::default(), 0);
            assert_eq!(decision != Decision::Stop, again, "{last:?}");
        }
    }

    #[test]
    fn attempts_are_bounded() {
        let policy = RetryPolicy::default();
        assert_ne!(decide(Attempt::NoAnswer, policy.attempts_max - 1, &policy, 0), Decision::Stop);
        assert_eq!(decide(Attempt::NoAnswer, policy.attempts_max, &policy, 0), Decision::Stop);
    }

    #[test]
    fn waits_grow_from_half_a_second_to_five_with_jitter_between() {
        let policy = RetryPolicy { attempts_max: 100, ..RetryPolicy::default() };
        let wait_ms = |attempt, jitter| match decide(Attempt::NoAnswer, attempt, &policy, jitter) {
            Decision::RetryAfter(wait) => wait.as_millis(),
            Decision::Stop => panic!("attempt {attempt} was the last"),
        };
        assert_eq!((wait_ms(1, 0), wait_ms(1, 1_000)), (500, 1_000));
        assert_eq!((wait_ms(2, 0), wait_ms(2, 500), wait_ms(2, 1_000)), (1_000, 1_500, 2_000));
        assert_eq!((wait_ms(60, 0), wait_ms(60, 1_000)), (2_500, 5_000));
    }

    #[test]
    fn retry_after_is_obeyed_up_to_a_bound() {
        let policy = RetryPolicy::default();
        let asked = |retry_after_s| Attempt::Answered {
            status: 429,
            replayed: false,
            should_retry: None,
            retry_after_s: Some(retry_after_s),
        };
        let wait = Duration::from_secs(7);
        assert_eq!(decide(asked(7), 1, &policy, 0), Decision::RetryAfter(wait));
        let own = Duration::from_millis(500);
        assert_eq!(decide(asked(0), 1, &policy, 0), Decision::RetryAfter(own));
        assert_eq!(decide(asked(21), 1, &policy, 0), Decision::Stop);
        assert_eq!(decide(asked(u64::MAX), 1, &policy, 0), Decision::Stop);
    }
}
