//! Opened, declined, paid, refunded, refund failed, disputed: in every order, the same end.

use super::fixture::{Bench, accepted};
use super::settling::{learn, opened, pay, session};
use holdfast_domain::{
    ChargeOutcome, DeclineReason, DisputeOutcome, Evidence, PaymentState, RefundStatus,
    SessionStatus,
};
use std::collections::BTreeSet;

/// Orders that are tried on a store; the pure function behind it is tried on all of them.
const ORDERS: usize = 36;

pub(super) async fn every_order_of_a_whole_life_ends_alike<B: Bench>(bench: &B) {
    let mut ends = BTreeSet::new();
    for n in 0..ORDERS {
        let payment = accepted(bench, 100 + n as u64).await;
        pay(bench, payment.payment, 1).await;
        opened(bench, payment.payment, 1).await;
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
        let mut life = vec![
            session(1, SessionStatus::Complete),
            charge("ch_0", 1, declined),
            charge("ch_1", 2, ChargeOutcome::Succeeded),
            refund(RefundStatus::Succeeded),
            refund(RefundStatus::Failed),
            Evidence::Dispute { dispute: "dp_1".into(), outcome: DisputeOutcome::Open },
        ];
        let mut shuffled = Vec::new();
        let mut draw = n;
        while !life.is_empty() {
            shuffled.push(life.remove(draw % life.len()));
            draw = draw / 2 + n;
        }
        let mut made = 0;
        for piece in shuffled {
            made += usize::from(learn(bench, payment.payment, vec![piece]).await.1);
        }
        assert_eq!(made, 1, "one order, whatever the order of what was learned");
        let (end, again) = learn(bench, payment.payment, vec![]).await;
        assert!(!again);
        ends.insert(end.state.as_str());
    }
    assert_eq!(ends, BTreeSet::from([PaymentState::Disputed.as_str()]));
}
