//! How many requests a second one key sends, so that Stripe need not refuse any.
//!
//! Stripe's page "Rate limits" gives a live account 100 requests a second and a sandbox 25. What
//! goes beyond is refused with 429, a refusal that costs a wait and helps nobody. So every attempt
//! takes a [`Window`] place first: never more than the limit in any second, and never the last fifth
//! of it for a request that only looks. A burst of look-ups (a page full of payments, a reconciler
//! after a night without network) therefore cannot hold up the request that moves money.
//!
//! Other programs with the same account are not seen here; Stripe's 429 tells of them, and then
//! everybody who uses the key waits.
//!
//! Nothing here knows a clock: times are durations since any one beginning.

use std::collections::VecDeque;
use std::time::Duration;

use holdfast_domain::Mode;

/// What Stripe allows a live account, in requests a second.
const LIVE_PER_S: u32 = 100;
/// What Stripe allows a sandbox, in requests a second.
const TEST_PER_S: u32 = 25;
/// One part in so many is left to requests that change something.
const KEPT_PART: u32 = 5;
/// What the limit is counted over.
const SECOND: Duration = Duration::from_secs(1);

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It only looks.
    Look,
    /// It changes something, money for instance.
    Act,
}

/// How many requests a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Of both kinds together.
    pub per_s: u32,
    /// How many of these are left to requests that change something.
    pub kept_for_acts: u32,
}

impl RateLimit {
    /// What Stripe allows in this mode.
    pub fn of(mode: Mode) -> Self {
        let per_s = match mode {
            Mode::Live => LIVE_PER_S,
            Mode::Test => TEST_PER_S,
        };
        Self { per_s, kept_for_acts: per_s / KEPT_PART }
    }

    /// How many requests a second may be under way before one for this purpose waits; at least one,
    /// or it would wait for ever.
    pub fn places(&self, purpose: Purpose) -> usize {
        let places = match purpose {
            Purpose::Act => self.per_s,
            Purpose::Look => self.per_s.saturating_sub(self.kept_for_acts),
        };
        usize::try_from(places.max(1)).unwrap_or(usize::MAX)
    }
}

/// The requests of the last second.
#[derive(Clone, Debug)]
pub struct Window {
    limit: RateLimit,
    /// When each left, oldest first; those older than a second are forgotten.
    left: VecDeque<Duration>,
    /// Stripe asked for silence until then.
    closed_until: Duration,
}

impl Window {
    /// A key that was not used yet.
    pub fn new(limit: RateLimit) -> Self {
        Self { limit, left: VecDeque::new(), closed_until: Duration::ZERO }
    }

    /// Takes a place for a request that leaves now, or says how long to wait before asking again.
    /// A refusal takes nothing.
    pub fn take(&mut self, purpose: Purpose, now: Duration) -> Result<(), Duration> {
        if now < self.closed_until {
            return Err(self.closed_until.saturating_sub(now));
        }
        while self.left.pop_front_if(|at| at.saturating_add(SECOND) <= now).is_some() {}
        let places = self.limit.places(purpose);
        // Once this one is older than a second, there is a place.
        let in_the_way = self.left.len().checked_sub(places).and_then(|at| self.left.get(at));
        if let Some(at) = in_the_way {
            return Err(at.saturating_add(SECOND).saturating_sub(now));
        }
        self.left.push_back(now);
        Ok(())
    }

    /// Stripe refused a request for being one too many: nobody sends anything for so long.
    pub fn refused(&mut self, wait: Duration, now: Duration) {
        self.closed_until = self.closed_until.max(now.saturating_add(wait));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn taken(window: &mut Window, purpose: Purpose, now: Duration) -> usize {
        std::iter::from_fn(|| window.take(purpose, now).ok()).count()
    }

    #[test]
    fn each_mode_has_stripes_own_limit_and_a_fifth_of_it_is_kept_for_money() {
        for (mode, acts, looks) in [(Mode::Test, 25, 20), (Mode::Live, 100, 80)] {
            let limit = RateLimit::of(mode);
            assert_eq!(taken(&mut Window::new(limit), Purpose::Act, ms(0)), acts);
            let mut window = Window::new(limit);
            assert_eq!(taken(&mut window, Purpose::Look, ms(0)), looks);
            assert_eq!(taken(&mut window, Purpose::Act, ms(0)), acts - looks, "the kept fifth");
        }
    }

    #[test]
    fn a_wait_is_as_long_as_it_must_be() {
        let mut window = Window::new(RateLimit { per_s: 2, kept_for_acts: 1 });
        assert_eq!(window.take(Purpose::Act, ms(0)), Ok(()));
        assert_eq!(window.take(Purpose::Act, ms(400)), Ok(()));
        assert_eq!(window.take(Purpose::Act, ms(500)), Err(ms(500)), "until the first is old");
        assert_eq!(window.take(Purpose::Look, ms(500)), Err(ms(900)), "until the second is, too");
        assert_eq!(window.take(Purpose::Act, ms(1_000)), Ok(()));
        assert_eq!(window.take(Purpose::Look, ms(1_400)), Err(ms(600)));
    }

    #[test]
    fn after_a_refusal_everybody_waits() {
        let mut window = Window::new(RateLimit::of(Mode::Live));
        window.refused(ms(700), ms(100));
        window.refused(ms(10), ms(200));
        assert_eq!(window.take(Purpose::Act, ms(300)), Err(ms(500)));
        assert_eq!(window.take(Purpose::Act, ms(800)), Ok(()));
    }

    #[test]
    fn a_limit_that_keeps_everything_still_lets_somebody_look() {
        let mut window = Window::new(RateLimit { per_s: 0, kept_for_acts: 9 });
        assert_eq!(window.take(Purpose::Look, ms(0)), Ok(()));
        assert_eq!(window.take(Purpose::Look, ms(0)), Err(SECOND));
    }

    proptest! {
        /// However requests fall, no second has more than the limit, and a wait that was obeyed
        /// leads to a place when nobody else comes.
        #[test]
        fn no_second_has_more_than_the_limit(
            steps in proptest::collection::vec((any::<bool>(), 0_u64..400), 1..200)
        ) {
            let limit = RateLimit { per_s: 5, kept_for_acts: 2 };
            let mut window = Window::new(limit);
            let (mut now, mut sent) = (Duration::ZERO, Vec::new());
            for (acts, pause_ms) in steps {
                let purpose = if acts { Purpose::Act } else { Purpose::Look };
                now += ms(pause_ms);
                if let Err(wait) = window.take(purpose, now) {
                    now += wait;
                    prop_assert_eq!(window.take(purpose, now), Ok(()));
                }
                sent.push(now);
            }
            for at in &sent {
                let within = sent.iter().filter(|it| *it >= at && **it < *at + SECOND).count();
                prop_assert!(within <= 5, "{within} from {at:?} on");
            }
        }
    }
}
