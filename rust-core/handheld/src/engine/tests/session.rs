//! Enrolment, token, configuration, long poll and refresh.

use super::bench::Bench;
use super::fixture;
use super::gateway::{Gateway, json, refusal};
use crate::engine::{Call, Caller, Engine, Reply, TransportFault, WAIT_MS_MAX};
use crate::error::{EnrolError, HoldError, RefreshError};
use crate::view::LinkState;
use data_encoding::BASE64URL_NOPAD;
use holdfast_domain::{DeclineReason, PaymentState, ReceiptOrderId};
use holdfast_protocol::enrolment::{proof_message, six_digits};
use holdfast_protocol::wire::{EnrolRequest, EnrolResponse, ErrorCode, Officer, WIRE_VERSION};
use holdfast_protocol::{DeviceSignature, EnrolmentLink};

pub(super) const LINK: &str = "https://gateway.example/e/demo/AB12-CD34";

pub(super) fn enrol_response() -> EnrolResponse {
    let enrolment = fixture::enrolment();
    EnrolResponse {
        version: WIRE_VERSION,
        gateway: enrolment.gateway,
        gateway_public_key: BASE64URL_NOPAD.encode(&enrolment.gateway_public_key),
        public_url: enrolment.public_url,
        organisation: enrolment.organisation,
        tenant: enrolment.tenant,
        device: enrolment.device,
        officer: Officer { id: enrolment.officer, name: enrolment.officer_name },
        confirm_secret: BASE64URL_NOPAD.encode(&[5; 32]),
        copy_key: None,
        ca: None,
        six_digits: six_digits(&fixture::public_key()),
        approved: true,
    }
}

fn begin(bench: &mut Bench) -> Caller {
    bench.call(Call::Enrol(EnrolmentLink::parse(LINK).unwrap()))
}

fn refused(bench: &Bench, caller: Caller) -> EnrolError {
    match bench.reply(caller) {
        Some(Reply::Enrol(Err(error))) => error.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn enrolment_proves_the_key_and_leads_straight_to_the_first_hold() {
    let (mut bench, mut gateway) = (Bench::new(Vec::new()), Gateway::new());
    let caller = begin(&mut bench);
    let (_, request) = &bench.sent[0];
    assert_eq!(request.url, "https://gateway.example/api/demo/handheld/enrol");
    let body: EnrolRequest = serde_json::from_slice(&request.body).unwrap();
    let link = EnrolmentLink::parse(LINK).unwrap();
    let proof = BASE64URL_NOPAD.decode(body.proof.as_bytes()).unwrap();
    let proof = DeviceSignature::from_bytes(&proof).unwrap();
    let message = proof_message(&link.tenant, link.code, &fixture::public_key());
    assert_eq!(fixture::public_key().verify(&message, &proof), Ok(()));

    bench.answer(0, Ok(json(200, &enrol_response())));
    assert_eq!(bench.reply(caller), Some(&Reply::Enrol(Ok(()))));
    bench.serve(&mut gateway);
    let shown = bench.engine.snapshot(bench.now);
    let enrolment = shown.enrolment.unwrap();
    assert_eq!((enrolment.gateway_host.as_str(), enrolment.approved), ("gateway.example", true));
    assert_eq!(enrolment.six_digits, six_digits(&fixture::public_key()));
    assert_eq!((shown.catalogue.len(), shown.payment_types.len()), (2, 1));
    bench.held();
}

#[test]
fn an_enrolment_that_fails_says_why() {
    for (answer, error) in [
        (Err(TransportFault::Unreachable), EnrolError::Offline),
        (Ok(refusal(403, ErrorCode::CodeWrong)), EnrolError::CodeWrong),
        (
            Ok(refusal(429, ErrorCode::RateLimited)),
            EnrolError::Refused { sentence: "No.".to_owned() },
        ),
        (Ok(json(200, &"hello")), EnrolError::NotAGateway),
    ] {
        let mut bench = Bench::new(Vec::new());
        let caller = begin(&mut bench);
        bench.answer(0, answer);
        assert_eq!(refused(&bench, caller), error);
    }
}

#[test]
fn an_answer_for_another_key_or_tenant_is_not_believed() {
    let other_key = EnrolResponse { six_digits: "000 000".to_owned(), ..enrol_response() };
    let tenant = holdfast_domain::TenantSlug::parse("other").unwrap();
    let other_tenant = EnrolResponse { tenant, ..enrol_response() };
    let no_secret = EnrolResponse { confirm_secret: "AAAA".to_owned(), ..enrol_response() };
    for response in [other_key, other_tenant, no_secret] {
        let mut bench = Bench::new(Vec::new());
        let caller = begin(&mut bench);
        bench.answer(0, Ok(json(200, &response)));
        assert_eq!(refused(&bench, caller), EnrolError::NotAGateway);
        assert!(bench.disk.is_empty());
    }
}

#[test]
fn plain_http_to_another_machine_is_refused_before_a_byte_is_sent() {
    let mut bench = Bench::new(Vec::new());
    let link = EnrolmentLink::parse("http://10.0.2.2:8080/e/demo/AB12-CD34").unwrap();
    let caller = bench.call(Call::Enrol(link));
    let host = "10.0.2.2:8080".to_owned();
    assert_eq!(refused(&bench, caller), EnrolError::InsecureAddress { host });
    assert!(bench.sent.is_empty());
}

#[test]
fn one_enrolment_at_a_time() {
    let mut bench = Bench::new(Vec::new());
    begin(&mut bench);
    let second = begin(&mut bench);
    assert_eq!(refused(&bench, second), EnrolError::Busy);
}

#[test]
fn until_it_is_approved_it_asks_often_and_promises_nothing() {
    let (mut bench, mut gateway) = (Bench::new(Vec::new()), Gateway::new());
    begin(&mut bench);
    bench.answer(0, Ok(json(200, &EnrolResponse { approved: false, ..enrol_response() })));
    gateway.config.approved = false;
    bench.serve(&mut gateway);
    assert_eq!(bench.find("payments?"), None, "nothing to follow yet");
    let payment = bench.draft();
    assert_eq!(bench.ask(Call::Hold(payment)), Reply::Hold(Err(HoldError::NotApproved)));
    gateway.config.approved = true;
    bench.pass(3_000);
    bench.serve(&mut gateway);
    assert_eq!(bench.ask(Call::Hold(payment)), Reply::Hold(Ok(())));
    assert!(bench.find("payments?").is_some());
}

#[test]
fn the_token_is_renewed_when_it_is_refused_and_before_it_ends() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    bench.serve(&mut gateway);
    assert_eq!(gateway.tokens_given, 1);
    bench.answer_path("wait_s=25", Ok(refusal(401, ErrorCode::Unauthorized)));
    bench.serve(&mut gateway);
    assert_eq!(gateway.tokens_given, 2);
    // 900 s less a minute; the poll on its way ends, and the next one needs a new token.
    bench.pass(841_000);
    gateway.time_unix_s += 841;
    bench.serve(&mut gateway);
    bench.serve_poll(&mut gateway);
    bench.pass(1_000);
    bench.serve(&mut gateway);
    assert_eq!(gateway.tokens_given, 3);
}

#[test]
fn a_token_that_ends_at_once_is_not_fetched_in_a_circle() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    gateway.token_lasts_s = 0;
    for _ in 0..100 {
        bench.serve(&mut gateway);
        bench.pass(100);
    }
    assert!(gateway.tokens_given <= 2, "{} tokens in 10 s", gateway.tokens_given);
}

#[test]
fn a_wrong_clock_is_put_right_by_the_gateways() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    bench.now.wall_ms += 25 * 60 * 60 * 1_000;
    bench.restart();
    bench.serve(&mut gateway);
    assert_eq!(gateway.tokens_given, 1);
    // Once known, a jump of the clock changes nothing.
    bench.now.wall_ms -= 50 * 60 * 60 * 1_000;
    bench.answer_path("wait_s=25", Ok(refusal(401, ErrorCode::Unauthorized)));
    bench.serve(&mut gateway);
    assert_eq!(gateway.tokens_given, 2);
}

#[test]
fn a_revoked_handheld_promises_nothing_until_it_is_welcome_again() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    gateway.token_refusals = 1;
    bench.serve(&mut gateway);
    let payment = bench.draft();
    assert_eq!(bench.ask(Call::Hold(payment)), Reply::Hold(Err(HoldError::NotApproved)));
    bench.pass(WAIT_MS_MAX);
    bench.serve(&mut gateway);
    assert_eq!(bench.ask(Call::Hold(payment)), Reply::Hold(Ok(())));
}

#[test]
fn a_configuration_that_makes_no_sense_leaves_the_last_one() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    gateway.config.order_lifetime_s = 0;
    gateway.config.catalogue = None;
    bench.serve(&mut gateway);
    assert_eq!(bench.engine.snapshot(bench.now).catalogue.len(), 2);
}

#[test]
fn the_screen_follows_the_payment_and_shows_the_code_only_when_it_is_paid() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    bench.serve(&mut gateway);
    gateway.move_on(payment, PaymentState::Declined);
    gateway.accepted.get_mut(&payment).unwrap().status.decline =
        Some(DeclineReason::NotEnoughFunds);
    bench.serve_poll(&mut gateway);
    let view = bench.view(payment);
    assert_eq!(view.state, PaymentState::Declined);
    assert_eq!(view.decline, Some(DeclineReason::NotEnoughFunds));
    assert_eq!(view.confirm_code, None);
    bench.pass(1_000);

    gateway.move_on(payment, PaymentState::Paid);
    let status = &mut gateway.accepted.get_mut(&payment).unwrap().status;
    status.receipt_order_id = Some(ReceiptOrderId::from_bits([1; 5]));
    bench.serve_poll(&mut gateway);
    let view = bench.view(payment);
    let secret = &fixture::enrolment().confirm_secret;
    let amount = bench.engine.durable().payment(payment).unwrap().cart.total;
    let code = holdfast_protocol::confirm_code(secret, payment, amount).to_string();
    assert_eq!((view.state, view.confirm_code), (PaymentState::Paid, Some(code)));
    assert_eq!((view.pay_address, view.pay_host), (None, None), "nothing is left to pay");
    bench.restart();
    assert_eq!(bench.view(payment).state, PaymentState::Paid);
}

#[test]
fn news_about_an_order_that_the_payer_brought_settles_it() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    bench.serve(&mut gateway);
    let payment = bench.held();
    let index = bench.find("/orders").unwrap();
    // The payer's phone was first; our own delivery is lost on the way.
    gateway.answer(&bench.sent[index].1);
    bench.answer(index, Err(TransportFault::Unreachable));
    gateway.move_on(payment, PaymentState::Paid);
    bench.pass(10);
    bench.serve_poll(&mut gateway);
    assert_eq!(bench.view(payment).state, PaymentState::Paid);
    bench.pass(WAIT_MS_MAX);
    assert_eq!(bench.find("/orders"), None, "the gateway has it");
}

#[test]
fn old_news_changes_nothing() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    bench.serve(&mut gateway);
    gateway.move_on(payment, PaymentState::Paid);
    bench.serve_poll(&mut gateway);
    bench.pass(1_000);
    let status = &mut gateway.accepted.get_mut(&payment).unwrap().status;
    *status = fixture::status(payment, 1, PaymentState::Sent);
    let stale = gateway.answer(&bench.sent[bench.find("wait_s").unwrap()].1);
    bench.answer_path("wait_s", Ok(stale));
    assert_eq!(bench.view(payment).state, PaymentState::Paid);
}

#[test]
fn a_restored_gateway_is_asked_for_everything_again() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    bench.serve(&mut gateway);
    for _ in 0..5 {
        gateway.move_on(payment, PaymentState::WaitingForCard);
    }
    bench.serve_poll(&mut gateway);
    bench.pass(1_000);
    // The backup knows the payment, and counts from where it was.
    gateway.epoch = 2;
    gateway.revision = 1;
    gateway.move_on(payment, PaymentState::Paid);
    bench.serve_poll(&mut gateway);
    bench.pass(1_000);
    bench.serve_poll(&mut gateway);
    assert_eq!(bench.view(payment).state, PaymentState::Paid);
}

#[test]
fn a_gateway_that_does_not_wait_is_not_asked_in_a_circle() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    bench.serve(&mut gateway);
    let mut polls = 0;
    let end_ms = bench.now.mono_ms + 10_000;
    while bench.now.mono_ms < end_ms {
        if bench.find("wait_s").is_some() {
            bench.serve_poll(&mut gateway);
            polls += 1;
        }
        bench.pass(10);
    }
    assert!((30..=40).contains(&polls), "{polls} polls in 10 s");
}

#[test]
fn a_refresh_asks_for_everything_now_and_then_answers() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    bench.serve(&mut gateway);
    let payment = bench.held();
    for _ in 0..8 {
        bench.answer_path("/orders", Err(TransportFault::Unreachable));
        bench.pass(WAIT_MS_MAX);
    }
    bench.answer_path("/orders", Err(TransportFault::Unreachable));
    let caller = bench.call(Call::Refresh);
    assert_eq!(bench.abandoned.len(), 1, "the poll that may hang");
    assert!(bench.find("wait_s=0").is_some() && bench.find("config").is_some());
    let second = bench.call(Call::Refresh);
    bench.serve(&mut gateway);
    assert_eq!(bench.reply(caller), Some(&Reply::Refresh(Ok(()))));
    assert_eq!(bench.reply(second), Some(&Reply::Refresh(Ok(()))));
    assert_eq!(bench.view(payment).state, PaymentState::Sent);
    bench.pass(1_000);
    assert!(bench.find("wait_s=25").is_some(), "and then it waits for news again");
}

#[test]
fn a_refresh_without_network_says_so() {
    let mut bench = Bench::enrolled();
    let caller = bench.call(Call::Refresh);
    bench.answer_path("token", Err(TransportFault::Unreachable));
    assert_eq!(bench.reply(caller), Some(&Reply::Refresh(Err(RefreshError::Offline))));
    assert_eq!(bench.engine.snapshot(bench.now).link, LinkState::Offline);
    let mut nobody = Bench::new(Vec::new());
    let answer = nobody.ask(Call::Refresh);
    assert_eq!(answer, Reply::Refresh(Err(RefreshError::NotEnrolled)));
}

#[test]
fn a_refresh_with_a_full_disk_says_so() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let caller = bench.call(Call::Refresh);
    let token = gateway.answer(&bench.sent[bench.find("token").unwrap()].1);
    bench.answer_path("token", Ok(token));
    bench.fault = Some(crate::engine::StoreFault::Full);
    bench.serve(&mut gateway);
    assert_eq!(bench.reply(caller), Some(&Reply::Refresh(Err(RefreshError::Storage))));
}

#[test]
fn a_late_answer_to_something_abandoned_is_not_heard() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    bench.serve(&mut gateway);
    let (ticket, request) = bench.sent[bench.find("wait_s=25").unwrap()].clone();
    bench.call(Call::Refresh);
    let answer = Ok(gateway.answer(&request));
    bench.tell(crate::engine::Event::Answered { ticket, answer });
    bench.serve(&mut gateway);
}

#[test]
fn re_enrolment_keeps_the_outbox_and_counts_anew() {
    let mut bench = Bench::enrolled();
    let held = bench.held();
    let draft = bench.draft();
    begin(&mut bench);
    let device = holdfast_domain::DeviceId::from_bytes([9; 8]);
    let gateway = holdfast_domain::GatewayId::from_bytes([8; 8]);
    let index = bench.find("enrol").unwrap();
    bench.answer(index, Ok(json(200, &EnrolResponse { device, gateway, ..enrol_response() })));
    assert_eq!(bench.view(held).state, PaymentState::Queued);
    assert_eq!(bench.engine.payment(draft), None, "of another tenant's catalogue");
    let durable = bench.engine.durable();
    assert_eq!(durable.counters(durable.enrolment().unwrap()).next_sequence, 1);
}

#[test]
fn an_enrolment_while_the_key_signs_has_the_order_signed_anew() {
    let mut bench = Bench::enrolled();
    let payment = bench.draft();
    bench.key_answers = false;
    bench.signing.clear();
    let caller = bench.call(Call::Hold(payment));
    begin(&mut bench);
    let proof = bench.signing.remove(1);
    let answer = Ok(fixture::signed(&proof.1));
    bench.tell(crate::engine::Event::Signed { ticket: proof.0, answer });
    let device = holdfast_domain::DeviceId::from_bytes([9; 8]);
    let index = bench.find("enrol").unwrap();
    bench.answer(index, Ok(json(200, &EnrolResponse { device, ..enrol_response() })));
    bench.key_answers = true;
    bench.sign_next();
    assert_eq!(bench.reply(caller), Some(&Reply::Hold(Ok(()))));
    let held = bench.engine.durable().payment(payment).unwrap().held.clone().unwrap();
    assert_eq!((held.device, held.sequence), (device, 1));
}

#[test]
fn an_engine_is_small_enough_to_pass_around() {
    assert!(size_of::<Engine>() < 2_000, "{}", size_of::<Engine>());
}
