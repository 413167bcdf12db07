//! Opened, declined, paid, refunded, refund failed, disputed: in every order, the same end.

use super::fixture::{Bench, accepted};
use super::settling::{learn, opened, pay, session};
use crate::Payment;
use holdfast_domain::{
    ChargeOutcome, DeclineReason, DisputeOutcome, Evidence, PaymentState, RefundStatus,
    SessionStatus,
};

/// What happens in a whole life.
const STEPS: usize = 6;
/// In how many orders it can be learned.
#[cfg(test)]
pub(super) const ORDERS: usize = 720;
/// Each store goes through every twentieth order; the one in memory goes through all.
const SAMPLE: usize = 20;

pub(super) async fn every_order_of_a_whole_life_ends_alike<B: Bench>(bench: &B) {
    for n in 0..36 {
        one_order_ends_alike(bench, 100 + n as u64, n * SAMPLE).await;
    }
}

/// Lives one payment, in the `nth` order of what is learned about it.
pub(super) async fn one_order_ends_alike<B: Bench>(bench: &B, id: u64, nth: usize) {
    let payment = accepted(bench, id).await;
    pay(bench, payment.payment, 1).await;
    let mut made = 0;
    for step in order(nth) {
        made += usize::from(learn_step(bench, &payment, step).await);
    }
    let (end, again) = learn(bench, payment.payment, vec![]).await;
    assert!(!again && made == 1 && end.receipt_order_id.is_some(), "order {nth}: {made} made");
    assert_eq!(end.state, PaymentState::Disputed, "order {nth}");
}

/// True if an order was made.
async fn learn_step<B: Bench>(bench: &B, payment: &Payment, step: usize) -> bool {
    let refund = |status| Evidence::Refund {
        refund: "re_1".into(),
        created: 9,
        status,
        amount: payment.total,
    };
    let charge = |id: &str, created, outcome| Evidence::Charge {
        charge: id.into(),
        created,
        outcome,
        amount: payment.total,
    };
    let declined = ChargeOutcome::Failed(DeclineReason::BankDeclined);
    let dispute = Evidence::Dispute { dispute: "dp_1".into(), outcome: DisputeOutcome::Open };
    let complete = session(1, SessionStatus::Complete);
    let learned = match step {
        0 => {
            // The answer to the request may come after everything that followed from it.
            opened(bench, payment.payment, 1).await;
            return false;
        }
        1 => vec![charge("ch_0", 1, declined)],
        2 => vec![complete, charge("ch_1", 2, ChargeOutcome::Succeeded)],
        3 => vec![refund(RefundStatus::Succeeded)],
        4 => vec![refund(RefundStatus::Failed)],
        _ => vec![dispute],
    };
    learn(bench, payment.payment, learned).await.1
}

/// The `nth` order of the steps: each number below 720 names another one.
pub(super) fn order(nth: usize) -> Vec<usize> {
    permutation(STEPS, nth)
}

/// The `nth` order of so many steps.
pub(super) fn permutation(steps: usize, mut nth: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..steps).collect();
    let mut order = Vec::with_capacity(steps);
    while !left.is_empty() {
        let count = left.len();
        order.push(left.remove(nth % count));
        nth /= count;
    }
    order
}
