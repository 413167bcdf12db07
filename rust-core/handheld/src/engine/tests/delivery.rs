//! The outbox against everything that can stand between a handheld and its gateway.

use super::bench::Bench;
use super::fixture;
use super::gateway::{Gateway, json, refusal};
use crate::engine::{Record, Response, TransportFault, WAIT_MS_MAX};
use crate::view::{LinkState, ParkedReason};
use holdfast_domain::PaymentState;
use holdfast_protocol::wire::{ErrorCode, SubmitResponse};

fn strange(status: u16, body: &str) -> Result<Response, TransportFault> {
    Ok(Response { status, retry_after_s: None, body: body.as_bytes().to_vec().into() })
}

#[test]
fn a_hold_is_sent_at_once_and_then_known() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    let (_, request) = &bench.sent[bench.find("/orders").unwrap()];
    assert_eq!(request.url, "https://gateway.example/api/demo/orders");
    assert_eq!(request.headers, [("content-type", "application/cose".to_owned())]);
    bench.serve(&mut gateway);
    assert_eq!(bench.view(payment).state, PaymentState::Sent);
    assert_eq!(bench.engine.snapshot(bench.now).queued, 0);
    bench.pass(10 * WAIT_MS_MAX);
    assert_eq!(gateway.submissions.len(), 1);
}

#[test]
fn whatever_is_no_gateways_answer_means_the_same_bytes_again() {
    let answers = [
        Err(TransportFault::Unreachable),
        Err(TransportFault::Timeout),
        Err(TransportFault::TooLarge),
        Err(TransportFault::AddressRefused),
        strange(200, "<html>Sign in to the Wi-Fi</html>"),
        strange(302, ""),
        strange(404, "<html>not found</html>"),
        strange(502, "Bad Gateway"),
        strange(200, r#"{"payment":{}}"#),
        Ok(refusal(401, ErrorCode::Unauthorized)),
        Ok(refusal(403, ErrorCode::DeviceNotApproved)),
        Ok(refusal(408, ErrorCode::Malformed)),
        Ok(refusal(409, ErrorCode::Unavailable)),
        Ok(refusal(425, ErrorCode::Malformed)),
        Ok(refusal(429, ErrorCode::RateLimited)),
        Ok(refusal(500, ErrorCode::Malformed)),
        Ok(refusal(503, ErrorCode::Unavailable)),
        Ok(refusal(418, ErrorCode::Unknown)),
    ];
    for answer in answers {
        let shown = format!("{answer:?}");
        let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
        let payment = bench.held();
        let bytes = bench.sent[bench.find("/orders").unwrap()].1.body.clone();
        bench.answer_path("/orders", answer);
        assert_eq!(bench.view(payment).state, PaymentState::Queued, "{shown}");
        bench.pass(WAIT_MS_MAX);
        assert_eq!(bench.sent[bench.find("/orders").unwrap()].1.body, bytes, "{shown}");
        bench.serve(&mut gateway);
        assert_eq!(bench.view(payment).state, PaymentState::Sent, "{shown}");
    }
}

#[test]
fn an_answer_about_another_payment_is_no_answer() {
    let mut bench = Bench::enrolled();
    let payment = bench.held();
    let other = fixture::status(fixture::payment_id(77), 1, PaymentState::Paid);
    let body = SubmitResponse { payment: other, gateway_time_unix_s: 1, epoch: 1 };
    bench.answer_path("/orders", Ok(json(200, &body)));
    assert_eq!(bench.view(payment).state, PaymentState::Queued);
}

#[test]
fn a_lost_answer_is_made_good_and_makes_no_second_payment() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    let index = bench.find("/orders").unwrap();
    gateway.answer(&bench.sent[index].1);
    bench.answer(index, Err(TransportFault::Unreachable));
    bench.pass(WAIT_MS_MAX);
    bench.serve(&mut gateway);
    assert_eq!(bench.view(payment).state, PaymentState::Sent);
    assert_eq!((gateway.submissions.len(), gateway.accepted.len()), (2, 1));
    assert_eq!(gateway.submissions[0], gateway.submissions[1]);
}

#[test]
fn it_never_gives_up_and_never_waits_longer_than_the_maximum() {
    let mut bench = Bench::enrolled();
    let payment = bench.held();
    for _ in 0..100 {
        bench.answer_path("/orders", Err(TransportFault::Unreachable));
        bench.pass(WAIT_MS_MAX);
    }
    assert!(bench.find("/orders").is_some());
    assert_eq!(bench.view(payment).state, PaymentState::Queued);
    assert_eq!(bench.engine.snapshot(bench.now).link, LinkState::Offline);
}

#[test]
fn what_can_never_succeed_is_parked_with_its_reason() {
    for (status, code, reason) in [
        (409, ErrorCode::PaymentConflict, ParkedReason::Conflict),
        (409, ErrorCode::SequenceReused, ParkedReason::SequenceReused),
        (400, ErrorCode::Malformed, ParkedReason::Unreadable),
        (400, ErrorCode::SignatureWrong, ParkedReason::Unreadable),
        (403, ErrorCode::DeviceRevoked, ParkedReason::DeviceRevoked),
        (403, ErrorCode::UnknownDevice, ParkedReason::DeviceUnknown),
        (422, ErrorCode::WrongTenant, ParkedReason::WrongGateway),
        (422, ErrorCode::UnknownPaymentType, ParkedReason::MethodUnavailable),
        (422, ErrorCode::ModeDiffers, ParkedReason::ModeDiffers),
        (422, ErrorCode::TotalDiffers, ParkedReason::PricesDiffer),
        (422, ErrorCode::AmountRefused, ParkedReason::AmountRefused),
        (410, ErrorCode::LifetimeOver, ParkedReason::LifetimeOver),
    ] {
        let mut bench = Bench::enrolled();
        let payment = bench.held();
        bench.answer_path("/orders", Ok(refusal(status, code)));
        bench.pass(10 * WAIT_MS_MAX);
        bench.restart();
        assert_eq!(bench.find("/orders"), None, "{code:?}");
        let view = bench.view(payment);
        assert_eq!((view.state, view.parked), (PaymentState::NeedsAttention, Some(reason)));
        assert_eq!(view.pay_address, None);
    }
}

#[test]
fn a_refusal_that_could_not_be_stored_is_asked_for_again() {
    let mut bench = Bench::enrolled();
    let payment = bench.held();
    bench.fault = Some(crate::engine::StoreFault::Full);
    bench.answer_path("/orders", Ok(refusal(409, ErrorCode::PaymentConflict)));
    assert_eq!(bench.view(payment).state, PaymentState::Queued, "nothing is claimed");
    bench.pass(WAIT_MS_MAX);
    bench.answer_path("/orders", Ok(refusal(409, ErrorCode::PaymentConflict)));
    assert_eq!(bench.view(payment).parked, Some(ParkedReason::Conflict));
}

#[test]
fn nobody_waits_behind_another() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let stuck = bench.held();
    bench.answer_path("/orders", strange(502, "no"));
    let second = bench.held();
    let third = bench.held();
    bench.answer_path("/orders", Ok(refusal(422, ErrorCode::TotalDiffers)));
    bench.serve(&mut gateway);
    assert_eq!(bench.view(stuck).state, PaymentState::Queued);
    assert_eq!(bench.view(second).state, PaymentState::NeedsAttention);
    assert_eq!(bench.view(third).state, PaymentState::Sent);
}

#[test]
fn many_orders_go_a_few_at_a_time_and_all_arrive() {
    let mut records = fixture::records();
    records.extend((1..=30).map(|n| Record::Payment(Box::new(fixture::held_payment(n)))));
    let (mut bench, mut gateway) = (Bench::new(records), Gateway::new());
    let orders = |bench: &Bench| {
        bench.sent.iter().filter(|(_, request)| request.url.ends_with("/orders")).count()
    };
    assert_eq!(orders(&bench), 4);
    bench.serve(&mut gateway);
    assert_eq!((gateway.accepted.len(), gateway.submissions.len()), (30, 30));
}

#[test]
fn when_the_network_is_back_nothing_waits_for_its_pause() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let waiting = bench.held();
    for _ in 0..10 {
        bench.answer_path("/orders", Err(TransportFault::Unreachable));
        bench.pass(WAIT_MS_MAX);
    }
    bench.answer_path("/orders", Err(TransportFault::Unreachable));
    // A new hold is sent at once, and its answer wakes the other.
    bench.held();
    bench.serve(&mut gateway);
    assert_eq!(bench.view(waiting).state, PaymentState::Sent);
    assert_eq!(bench.engine.snapshot(bench.now).link, LinkState::Online);
}

#[test]
fn after_a_restart_the_outbox_is_sent() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    let order = bench.engine.durable().payment(payment).unwrap().held.clone().unwrap().order;
    bench.restart();
    bench.serve(&mut gateway);
    assert_eq!(gateway.submissions, [order]);
    assert_eq!(bench.view(payment).state, PaymentState::Sent);
}

#[test]
fn an_order_goes_where_it_was_held_for_even_after_another_enrolment() {
    let mut bench = Bench::enrolled();
    let payment = bench.held();
    let mut other = fixture::enrolment();
    other.gateway_url = "https://other.example".to_owned();
    other.device = holdfast_domain::DeviceId::from_bytes([3; 8]);
    let record = Record::Enrolment(Box::new(other));
    bench.disk.insert(record.key(), record);
    bench.restart();
    let (_, request) = &bench.sent[bench.find("/orders").unwrap()];
    assert_eq!(request.url, "https://gateway.example/api/demo/orders");
    assert!(bench.view(payment).pay_address.unwrap().starts_with("HTTPS://PAY.EXAMPLE/O/"));
}
