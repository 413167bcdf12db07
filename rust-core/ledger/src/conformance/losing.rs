//! Money that a bank took back: its charge stays settled until somebody decides.

use super::claiming::{card, claims, open, owing, pays, state};
use super::fixture::{Bench, tenant};
use super::settling::learn;
use super::whole_life::permutation;
use crate::{
    Acknowledge, AlertStatus, DecideLoss, Decision, Env, FinanceAlert, LossOutcome, Payment, Store,
    StoreError, Tx,
};
use holdfast_domain::{
    ChargeOutcome, ClaimState, DisputeOutcome, Evidence, PaymentState, SessionStatus,
};

const DISPUTE: &str = "dp_1";
/// Paid, disputed, lost, said to be owed again.
const STEPS: usize = 4;
/// In how many orders that can be learned.
const ORDERS: usize = 24;

fn dispute(outcome: DisputeOutcome) -> Vec<Evidence> {
    vec![Evidence::Dispute { dispute: DISPUTE.into(), outcome }]
}

async fn settled<B: Bench>(bench: &B, n: u64) -> Payment {
    let payment = card(bench, n, &[("N-1", 6500)]).await;
    open(bench, &payment).await;
    pays(bench, &payment).await
}

async fn claim_of<B: Bench>(bench: &B, payment: &Payment) -> ClaimState {
    let found = claims(bench, "N-1").await;
    found.into_iter().find(|it| it.0 == payment.payment).unwrap().1
}

async fn decide<B: Bench>(bench: &B, payment: &Payment, owed_again: bool) -> LossOutcome {
    let (tenant, who) = (tenant(), "Fay".to_owned());
    let decision = DecideLoss { tenant, payment: payment.payment, owed_again, who };
    bench.store().run(decision).await.unwrap()
}

/// Looks at the line of the dispute, as decisions do.
struct Line;

impl Decision for Line {
    type Outcome = Option<FinanceAlert>;

    async fn decide<T: Tx>(&self, tx: &mut T, _: &Env) -> Result<Self::Outcome, StoreError> {
        tx.alert(&tenant(), DISPUTE).await
    }
}

pub(super) async fn a_lost_dispute_settles_until_somebody_says_otherwise<B: Bench>(bench: &B) {
    owing(bench).await;
    let first = settled(bench, 1).await;
    assert_eq!(decide(bench, &first, true).await, LossOutcome::NothingLost);
    learn(bench, first.payment, dispute(DisputeOutcome::Open)).await;
    assert_eq!(decide(bench, &first, true).await, LossOutcome::NothingLost, "not decided yet");
    learn(bench, first.payment, dispute(DisputeOutcome::Lost)).await;
    assert_eq!(claim_of(bench, &first).await, ClaimState::Settled);
    let line = async || bench.store().run(Line).await.unwrap().unwrap();
    assert!(line().await.acknowledged.is_none() && !line().await.written_off);
    // Written off: whoever decides has read it, and nothing moves.
    assert!(matches!(decide(bench, &first, false).await, LossOutcome::Decided { .. }));
    assert_eq!(claim_of(bench, &first).await, ClaimState::Settled);
    assert!(line().await.written_off);
    assert_eq!(line().await.acknowledged.unwrap().0, "Fay");
    // Thought better of: anybody may pay it now, and no money is refunded that is gone.
    assert!(matches!(decide(bench, &first, true).await, LossOutcome::Decided { .. }));
    assert!(!line().await.written_off);
    assert_eq!(claim_of(bench, &first).await, ClaimState::Released);
    assert_eq!(state(bench, &first).await, PaymentState::Disputed);
    assert_eq!(decide(bench, &first, false).await, LossOutcome::NothingLost, "it settles nothing");
    let second = settled(bench, 2).await;
    assert_eq!(second.state, PaymentState::Paid);
    assert_eq!(claim_of(bench, &second).await, ClaimState::Settled);
    // Told once more, nothing is undone.
    learn(bench, first.payment, dispute(DisputeOutcome::Lost)).await;
    assert_eq!(claim_of(bench, &second).await, ClaimState::Settled);
    assert_eq!(claim_of(bench, &first).await, ClaimState::Released);
}

pub(super) async fn reading_of_a_loss_decides_nothing<B: Bench>(bench: &B) {
    owing(bench).await;
    let first = settled(bench, 1).await;
    learn(bench, first.payment, dispute(DisputeOutcome::Lost)).await;
    let (object, who) = (DISPUTE.to_owned(), "Fay".to_owned());
    let read = Acknowledge { tenant: tenant(), object, status: AlertStatus::DisputeLost, who };
    assert!(bench.store().run(read).await.unwrap());
    assert!(!bench.store().run(Line).await.unwrap().unwrap().written_off);
    let outcome = decide(bench, &first, true).await;
    assert!(matches!(outcome, LossOutcome::Decided { .. }), "{outcome:?}");
}

pub(super) async fn every_order_of_a_loss_ends_alike<B: Bench>(bench: &B) {
    owing(bench).await;
    for nth in 0..ORDERS {
        let payment = card(bench, 10 + nth as u64, &[("N-1", 6500)]).await;
        open(bench, &payment).await;
        for step in permutation(STEPS, nth) {
            let learned = match step {
                0 => vec![
                    super::settling::session(1, SessionStatus::Complete),
                    super::settling::charge_of(&payment, "ch_1", ChargeOutcome::Succeeded),
                ],
                1 => dispute(DisputeOutcome::Open),
                2 => dispute(DisputeOutcome::Lost),
                _ => vec![Evidence::OwedAgain],
            };
            learn(bench, payment.payment, learned).await;
        }
        assert_eq!(state(bench, &payment).await, PaymentState::Disputed, "order {nth}");
        assert_eq!(claim_of(bench, &payment).await, ClaimState::Released, "order {nth}");
    }
}
