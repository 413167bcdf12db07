//! Payments on the same charges, their steps in many orders.

use super::claiming::{cash_type, charge, claims, held, now, order_for, put, withdraw};
use super::fixture::{Bench, tenant};
use super::settling::{charge_of, learn, pay};
use crate::{PayOutcome, Payment, Store};
use holdfast_domain::{
    Cart, ChargeOutcome, ChargeReference, ClaimState, Evidence, PaymentState, RefundStatus,
    SessionStatus,
};
use holdfast_protocol::wire::Provider;

/// Numbers that look random and are the same each time (Knuth's MMIX constants).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// Two handhelds' worth of payments on two charges, their steps in many orders: whatever happens, a
/// charge has one settler at most, and no payment waits for a charge that is free.
pub(super) async fn no_interleaving_settles_a_charge_twice<B: Bench>(bench: &B) {
    bench.put_payment_type(cash_type()).await;
    for seed in 0..12_u64 {
        let names = [format!("A-{seed}"), format!("B-{seed}")];
        let [a, b] = [names[0].as_str(), names[1].as_str()];
        put(bench, vec![charge(a, 1000), charge(b, 500)]).await;
        let carts: [(&[(&str, i64)], Provider); 5] = [
            (&[(a, 1000)], Provider::Stripe),
            (&[(a, 1000), (b, 500)], Provider::Stripe),
            (&[(b, 500)], Provider::Stripe),
            (&[(a, 1000)], Provider::Cash),
            (&[(b, 500), (a, 1000)], Provider::Stripe),
        ];
        let mut payments: Vec<Option<Payment>> = vec![None; carts.len()];
        let mut dice = Dice(seed);
        for _ in 0..36 {
            let which = dice.throw(carts.len());
            let (lines, provider) = carts[which];
            match payments[which].clone() {
                None => {
                    let n = seed * 10 + which as u64 + 1;
                    payments[which] = Some(held(bench, order_for(n, lines, provider)).await);
                }
                Some(payment) => step(bench, &payment, dice.throw(7)).await,
            }
            for text in [a, b] {
                one_settler(bench, text, seed).await;
            }
        }
        for payment in payments.iter().flatten() {
            nothing_is_stuck(bench, payment, seed).await;
        }
    }
}

async fn step<B: Bench>(bench: &B, payment: &Payment, what: usize) {
    match what {
        0 => match pay(bench, payment.payment, 1).await {
            PayOutcome::Opening { .. } => {
                opened_as(bench, payment).await;
            }
            PayOutcome::HeldUp { .. } => {
                assert!(now(bench, payment).await.held_up.is_some());
            }
            _ => {}
        },
        1 => {
            let may_come = now(bench, payment).await.state == PaymentState::WaitingForCard;
            if may_come {
                learn(bench, payment.payment, money_of_own_session(payment)).await;
            }
        }
        2 => {
            learn(bench, payment.payment, vec![own_session(payment, SessionStatus::Expired)]).await;
        }
        3 => {
            withdraw(bench, payment, 0).await;
        }
        // Money that is here goes back; what went back fails after all.
        4 | 5 if now(bench, payment).await.state == PaymentState::Paid => {
            learn(bench, payment.payment, back(payment, RefundStatus::Succeeded)).await;
        }
        _ if now(bench, payment).await.state == PaymentState::Refunded => {
            learn(bench, payment.payment, back(payment, RefundStatus::Failed)).await;
        }
        _ => {}
    }
}

fn back(payment: &Payment, status: RefundStatus) -> Vec<Evidence> {
    let (refund, amount) = (format!("re_{}", payment.sequence), payment.total);
    vec![Evidence::Refund { refund, created: 9, status, amount }]
}

fn own_session(payment: &Payment, status: SessionStatus) -> Evidence {
    Evidence::Session { session: format!("cs_{}", payment.sequence), status }
}

fn money_of_own_session(payment: &Payment) -> Vec<Evidence> {
    let id = format!("ch_{}", payment.sequence);
    let money = charge_of(payment, &id, ChargeOutcome::Succeeded);
    vec![own_session(payment, SessionStatus::Complete), money]
}

async fn opened_as<B: Bench>(bench: &B, payment: &Payment) {
    let session = format!("cs_{}", payment.sequence);
    let opened = crate::SessionOpened {
        tenant: tenant(),
        payment: payment.payment,
        number: 1,
        url: Some("https://checkout.example/c/pay".into()),
        session,
    };
    bench.store().run(opened).await.unwrap();
}

async fn one_settler<B: Bench>(bench: &B, text: &str, seed: u64) {
    let found = claims(bench, text).await;
    let settling = found.iter().filter(|(_, state)| state.is_settling()).count();
    assert!(settling <= 1, "seed {seed}: {found:?}");
}

async fn nothing_is_stuck<B: Bench>(bench: &B, payment: &Payment, seed: u64) {
    let now = now(bench, payment).await;
    let order = order_for(payment.sequence, &[], Provider::Stripe);
    assert_eq!(order.payment, payment.payment);
    let has_money = now.receipt_order_id.is_some();
    let mut references: Vec<ChargeReference> = Vec::new();
    let signed = holdfast_protocol::SignedOrder::parse(&now.order_bytes).unwrap();
    references.extend(Cart::charges(&signed.payload().lines).map(|(it, _)| it.clone()));
    let mut held_by_another = false;
    for reference in &references {
        let found = claims(bench, reference.as_str()).await;
        let mine = found.iter().find(|(id, _)| *id == payment.payment).unwrap().1;
        let others = || found.iter().filter(|(id, _)| *id != payment.payment);
        held_by_another |= others().any(|(_, state)| state.is_settling());
        let another_settled = others().any(|(_, state)| *state == ClaimState::Settled);
        if has_money && now.state == PaymentState::Paid {
            assert_eq!(mine, ClaimState::Settled, "seed {seed}: {now:?}");
        }
        if now.state == PaymentState::Refunded {
            assert!(!mine.is_settling(), "seed {seed}: {now:?}");
        }
        if now.state == PaymentState::AlreadyPaid {
            assert!(!mine.is_settling(), "seed {seed}");
        }
        if another_settled && now.state.can_be_paid() {
            panic!("seed {seed}: payable although settled: {now:?}");
        }
    }
    if now.state.can_be_paid() {
        assert_eq!(now.held_up.is_some(), held_by_another, "seed {seed}: {now:?}");
    }
}
