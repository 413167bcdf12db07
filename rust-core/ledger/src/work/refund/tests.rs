//! A refund whose answers are lost, against a Stripe that the test writes.

use super::*;
use crate::conformance::{
    NOW_MS, catalogue, device, gateway, order, payload, payment_type, proposal, tenant,
};
use crate::memory::MemoryStore;
use crate::{Accept, AskRefund, Carrier, Env, Learn, Pay, SessionOpened};
use holdfast_domain::refund::RefundAmount;
use holdfast_domain::{ChargeOutcome, Evidence, PaymentId, SessionStatus};
use holdfast_stripe::objects::{
    Charge, CheckoutSession, ErrorObject, Metadata, PaymentIntent, RefundReason, RefundStatus,
};
use holdfast_stripe::{Created, FrozenRequest, NotSentWhy, StripeError};
use serde_json::json;
use std::sync::Mutex;

type Ledger = MemoryStore<Box<dyn Fn() -> Env + Send + Sync>>;

/// Answers in turn, and remembers every request it was sent.
#[derive(Default)]
struct Scripted {
    answers: Mutex<Vec<Result<Refund, CallError>>>,
    sent: Mutex<Vec<FrozenRequest>>,
    listed: Mutex<Vec<Refund>>,
}

impl StripeCalls for Scripted {
    async fn send_for_session(&self, _: &FrozenRequest) -> Result<CheckoutSession, CallError> {
        unreachable!("no session is opened here")
    }

    async fn checkout_session(&self, _: &str) -> Result<CheckoutSession, CallError> {
        unreachable!("no session is looked at here")
    }

    async fn checkout_sessions_of(
        &self,
        _: &str,
        _: Created,
    ) -> Result<Vec<CheckoutSession>, CallError> {
        unreachable!("no session is looked up here")
    }

    async fn payment_intent(&self, _: &str) -> Result<PaymentIntent, CallError> {
        unreachable!("no intent is looked at here")
    }

    async fn charge(&self, id: &str) -> Result<Charge, CallError> {
        let charge = json!({
            "id": id, "object": "charge", "amount": 1250, "amount_captured": 1250,
            "amount_refunded": 0, "captured": true, "created": 1, "currency": "usd",
            "disputed": false, "livemode": false, "paid": true, "refunded": false,
            "status": "succeeded", "payment_intent": "pi_1",
        });
        Ok(serde_json::from_value(charge).unwrap())
    }

    async fn refunds_of(&self, intent: &str) -> Result<Vec<Refund>, CallError> {
        assert_eq!(intent, "pi_1");
        Ok(self.listed.lock().unwrap().clone())
    }

    async fn send_for_refund(&self, request: &FrozenRequest) -> Result<Refund, CallError> {
        self.sent.lock().unwrap().push(request.clone());
        self.answers.lock().unwrap().remove(0)
    }
}

fn unknown(why: UnknownWhy) -> CallError {
    CallError::Unknown { why, request_id: None }
}

fn refusal(message: &str) -> CallError {
    let object: ErrorObject =
        serde_json::from_value(json!({"type": "invalid_request_error", "message": message}))
            .unwrap();
    let (request_id, http_status, replayed) = (None, 400, false);
    CallError::Refused(Box::new(StripeError { object, request_id, http_status, replayed }))
}

fn refund_of(key: &RefundKey) -> Refund {
    Refund {
        id: "re_1".into(),
        amount: 500,
        charge: None,
        created: 9,
        currency: "usd".into(),
        failure_reason: None,
        metadata: Metadata::from([(META_REFUND.to_owned(), key.to_string())]),
        payment_intent: None,
        pending_reason: None,
        reason: None,
        status: Some(RefundStatus::Succeeded),
    }
}

/// A paid payment of which 5.00 are asked back.
async fn asked() -> (Ledger, Payment, RefundKey) {
    let env = || Env { now_ms: NOW_MS, entropy: [5; 30] };
    let ledger: Ledger = MemoryStore::new(gateway(), Box::new(env));
    ledger.with_tables(|tables| {
        tables.devices.insert((tenant(), device().device), device());
        tables.payment_types.insert((tenant(), payment_type().code), payment_type());
        tables.catalogues.insert((tenant(), 1), catalogue());
    });
    let accept = Accept { order: order(payload(1)), tenant: tenant(), carrier: Carrier::Handheld };
    ledger.run(accept).await.unwrap();
    let payment = payload(1).payment;
    ledger.run(Pay { tenant: tenant(), payment, proposal: proposal(1) }).await.ok().unwrap();
    let (session, url) = ("cs_1".to_owned(), None);
    ledger.run(SessionOpened { tenant: tenant(), payment, number: 1, session, url }).await.unwrap();
    learn_paid(&ledger, payment).await;
    let key = RefundKey::mint([1; 16]);
    let amount = holdfast_domain::Money::new(500, payload(1).total.currency());
    let ask = AskRefund {
        tenant: tenant(),
        payment,
        key: key.clone(),
        amount: RefundAmount::Part(amount),
        reason: String::new(),
        stripe_reason: RefundReason::RequestedByCustomer,
        who: "Fay".into(),
        known: None,
        cancels_charges: false,
    };
    ledger.run(ask).await.unwrap();
    let payment = ledger.with_tables(|it| it.payments[&(tenant(), payment)].clone());
    (ledger, payment, key)
}

async fn learn_paid(ledger: &Ledger, payment: PaymentId) {
    let session = Evidence::Session { session: "cs_1".into(), status: SessionStatus::Complete };
    let charge = Evidence::Charge {
        charge: "ch_1".into(),
        created: 1,
        outcome: ChargeOutcome::Succeeded,
        amount: payload(1).total,
    };
    let (source, objects) = (Source::Poll, vec![]);
    let evidence = vec![session, charge];
    ledger.run(Learn { tenant: tenant(), payment, source, evidence, objects }).await.unwrap();
}

fn request(ledger: &Ledger, key: &RefundKey) -> RefundRequest {
    ledger.with_tables(|it| it.refund_requests[&(tenant(), key.clone())].clone())
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_with_the_same_bytes() {
    let (ledger, payment, key) = asked().await;
    let stripe = Scripted::default();
    stripe.answers.lock().unwrap().extend([
        Err(unknown(UnknownWhy::NoAnswer)),
        Err(unknown(UnknownWhy::ServerError { status: 500, replayed: false })),
        Err(CallError::NotSent(NotSentWhy::NoConnection)),
        Ok(refund_of(&key)),
    ]);
    for _ in 0..3 {
        assert!(send_refund(&ledger, &stripe, &payment, NOW_MS).await.is_err());
        assert_eq!(request(&ledger, &key).state, RequestState::Frozen);
        assert!(!request(&ledger, &key).problem.is_empty(), "the office sees why it waits");
    }
    assert_eq!(send_refund(&ledger, &stripe, &payment, NOW_MS).await.unwrap(), JobEnd::Done);
    let sent = stripe.sent.lock().unwrap();
    assert!(sent.len() == 4 && sent.iter().all(|it| *it == sent[0]));
    let request = request(&ledger, &key);
    assert_eq!((request.state, request.refund.as_deref()), (RequestState::Made, Some("re_1")));
    assert!(request.problem.is_empty());
}

#[tokio::test]
async fn after_a_stored_failure_or_a_day_the_refund_is_looked_up_and_not_sent() {
    let stored = || unknown(UnknownWhy::ServerError { status: 500, replayed: true });
    let day_ms = 24 * 60 * 60 * 1000;
    for (after_ms, answers) in [(0, vec![Err(stored())]), (day_ms, vec![])] {
        for is_there in [true, false] {
            let (ledger, payment, key) = asked().await;
            let stripe = Scripted::default();
            let answer = answers.clone();
            stripe.answers.lock().unwrap().extend(answer.clone());
            stripe.answers.lock().unwrap().extend(answer);
            let other = RefundKey::mint([9; 16]);
            stripe.listed.lock().unwrap().push(refund_of(if is_there { &key } else { &other }));
            let first = send_refund(&ledger, &stripe, &payment, NOW_MS + after_ms).await.unwrap();
            if !is_there && after_ms == 0 {
                // It may still be on its way: only later does finding nothing prove anything.
                assert_eq!(first, JobEnd::Again);
                assert_eq!(request(&ledger, &key).state, RequestState::Frozen);
                let later_ms = NOW_MS + SETTLED_MS;
                send_refund(&ledger, &stripe, &payment, later_ms).await.unwrap();
            }
            let wanted = if is_there { RequestState::Made } else { RequestState::Refused };
            assert_eq!(request(&ledger, &key).state, wanted, "after {after_ms}");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_a_known_failure_with_stripes_words() {
    let (ledger, payment, key) = asked().await;
    let stripe = Scripted::default();
    stripe.answers.lock().unwrap().push(Err(refusal("Insufficient funds in your account")));
    assert_eq!(send_refund(&ledger, &stripe, &payment, NOW_MS).await.unwrap(), JobEnd::Done);
    let request = request(&ledger, &key);
    assert_eq!(request.state, RequestState::Refused);
    assert_eq!(request.problem, "Stripe refused: Insufficient funds in your account");
    assert_eq!(send_refund(&ledger, &stripe, &payment, NOW_MS).await.unwrap(), JobEnd::Done);
    assert_eq!(stripe.sent.lock().unwrap().len(), 1, "a decided request is not sent again");
}
