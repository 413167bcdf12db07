//! Caps: how much may wait on this handheld, as the tenant decides.
//!
//! A hold beyond a cap is refused before it is confirmed. That is looked at when the summary is
//! opened and when the method is chosen, so that nobody taps and holds in vain, and once more for
//! the hold itself, which alone decides.

use super::Engine;
use super::record::Payment;
use super::turn::Moment;
use crate::view::Cap;
use holdfast_domain::Money;

impl Engine {
    /// The cap that one more order of this total would pass.
    pub(super) fn cap_passed_by(&self, total: Money, now: Moment) -> Option<Cap> {
        let caps = self.durable.config()?.config.caps;
        let (mut orders, mut sum) = (1_u32, i128::from(total.minor()));
        for waiting in self.durable.payments().filter(|payment| payment.is_queued()) {
            orders = orders.saturating_add(1);
            if waiting.cart.total.currency() == total.currency() {
                sum = sum.saturating_add(i128::from(waiting.cart.total.minor()));
            }
            if self.waits_for_s(waiting, now) > u64::from(caps.age_s_max) {
                return Some(Cap::Age { max_s: caps.age_s_max });
            }
        }
        if orders > caps.orders_max {
            return Some(Cap::Orders { max: caps.orders_max });
        }
        let max = Money::new(caps.sum_minor_max, total.currency());
        (sum > i128::from(caps.sum_minor_max)).then(|| Cap::Sum { max: max.into() })
    }

    fn waits_for_s(&self, waiting: &Payment, now: Moment) -> u64 {
        waiting.held.as_ref().map_or(0, |held| self.age(held, now).ms / 1_000)
    }
}
