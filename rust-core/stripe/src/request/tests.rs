use holdfast_domain::{Currency, Money};

use super::*;
use crate::objects::{EventType, RefundReason};

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn notes(entries: &[(&str, &str)]) -> Metadata {
    entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn session() -> CreateSession {
    CreateSession {
        lines: vec![SessionLine { name: "Parking fine".into(), unit: usd(1_250), quantity: 2 }],
        success_url: "https://pay.example/return?session_id={CHECKOUT_SESSION_ID}".into(),
        cancel_url: "https://pay.example/p".into(),
        client_reference_id: "p-1".into(),
        metadata: notes(&[("payment", "p-1")]),
        intent_metadata: notes(&[("payment", "p-1")]),
        expires_at: 1_790_007_200,
    }
}

#[test]
fn the_same_parameters_make_the_same_bytes() {
    let frozen = session().freeze("p-1/session/1").unwrap();
    assert_eq!(frozen, session().freeze("p-1/session/1").unwrap());
    assert_eq!(frozen.path, "/v1/checkout/sessions");
    assert_eq!(
        frozen.body,
        "mode=payment\
         &line_items%5B0%5D%5Bprice_data%5D%5Bcurrency%5D=usd\
         &line_items%5B0%5D%5Bprice_data%5D%5Bproduct_data%5D%5Bname%5D=Parking+fine\
         &line_items%5B0%5D%5Bprice_data%5D%5Bunit_amount%5D=1250\
         &line_items%5B0%5D%5Bquantity%5D=2\
         &success_url=https%3A%2F%2Fpay.example%2Freturn%3Fsession_id%3D%7BCHECKOUT_SESSION_ID%7D\
         &cancel_url=https%3A%2F%2Fpay.example%2Fp\
         &expires_at=1790007200\
         &client_reference_id=p-1\
         &metadata%5Bpayment%5D=p-1\
         &payment_intent_data%5Bmetadata%5D%5Bpayment%5D=p-1"
    );
}

#[test]
fn what_stripe_would_refuse_is_refused_before_anything_is_stored() {
    let with = |change: fn(&mut CreateSession)| {
        let mut params = session();
        change(&mut params);
        params.freeze("k").unwrap_err()
    };
    assert!(matches!(with(|p| p.lines.clear()), FreezeError::Count { .. }));
    assert!(matches!(
        with(|p| p.lines[0].name.clear()),
        FreezeError::Length { field: "line name", .. }
    ));
    assert!(matches!(with(|p| p.lines[0].unit = usd(24)), FreezeError::Amount(_)));
    assert!(matches!(with(|p| p.lines[0].unit = usd(99_999_999)), FreezeError::Amount(_)));
    assert!(matches!(with(|p| p.lines[0].unit = usd(i64::MAX)), FreezeError::Amount(_)));
    assert!(matches!(
        with(|p| {
            let yen = Currency::from_code("JPY").unwrap();
            p.lines.push(SessionLine { name: "x".into(), unit: Money::new(500, yen), quantity: 1 });
        }),
        FreezeError::Currencies
    ));
    assert!(matches!(
        with(|p| p.metadata = notes(&[("k", &"v".repeat(501))])),
        FreezeError::Length { .. }
    ));
    assert!(matches!(with(|p| p.metadata = notes(&[("a[b]", "v")])), FreezeError::Brackets { .. }));
    for key in ["", "a b", "a\nb", "ä"] {
        assert_eq!(session().freeze(key).unwrap_err(), FreezeError::IdempotencyKey, "{key:?}");
    }
    assert_eq!(session().freeze(&"k".repeat(256)).unwrap_err(), FreezeError::IdempotencyKey);
}

#[test]
fn the_smaller_requests_name_their_object_and_amount() {
    let expire = expire_session("cs_test_1", "k").unwrap();
    assert_eq!(
        (expire.path.as_str(), expire.body.as_str()),
        ("/v1/checkout/sessions/cs_test_1/expire", "")
    );
    assert!(matches!(expire_session("../account", "k"), Err(FreezeError::Id(_))));
    assert_eq!(cancel_intent("pi_1", "k").unwrap().path, "/v1/payment_intents/pi_1/cancel");

    let refund = CreateRefund {
        target: RefundTarget::PaymentIntent("pi_1".into()),
        amount: usd(1),
        reason: Some(RefundReason::Duplicate),
        metadata: Metadata::new(),
    };
    assert_eq!(refund.freeze("k").unwrap().body, "payment_intent=pi_1&amount=1&reason=duplicate");
    let nothing = CreateRefund { amount: usd(0), ..refund };
    assert!(matches!(nothing.freeze("k"), Err(FreezeError::Amount(_))));

    let intent = CreateIntent { amount: usd(50), metadata: Metadata::new() };
    assert_eq!(
        intent.freeze("k").unwrap().body,
        "amount=50&currency=usd&payment_method_types%5B0%5D=card"
    );

    let endpoint = CreateWebhookEndpoint {
        url: "https://pay.example/hook".into(),
        enabled_events: vec![EventType::SessionCompleted],
        metadata: Metadata::new(),
    };
    let body = endpoint.freeze("k").unwrap().body;
    assert!(body.contains("api_version=2026-08-26.dahlia"), "{body}");
    assert!(body.contains("enabled_events%5B0%5D=checkout.session.completed"), "{body}");
}
