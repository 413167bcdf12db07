//! What an officer can do after the hold, and how much may wait.

use super::bench::Bench;
use super::fixture;
use super::gateway::{Gateway, refusal};
use crate::engine::{Call, Reply, Response, StoreFault, TransportFault, WAIT_MS_MAX};
use crate::error::{HoldError, MethodError, RequestError, RetryError, SummaryError};
use crate::view::{Cap, CartLine, OfficerAction, ParkedReason, RequestKind, WhoActs};
use holdfast_domain::{Currency, Mode, Money, PaymentId, PaymentState, TenantSlug};
use holdfast_protocol::wire::{Caps, ErrorCode};
use holdfast_protocol::{NoticeKind, SignedNotice};

fn asked(bench: &mut Bench, call: Call) -> Result<(), RequestError> {
    match bench.ask(call) {
        Reply::Request(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn lose_orders(bench: &mut Bench) {
    while bench.find("/orders").is_some() {
        bench.answer_path("/orders", Err(TransportFault::Unreachable));
    }
}

fn with_caps(caps: Caps) -> Bench {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    gateway.config.caps = caps;
    bench.serve(&mut gateway);
    bench
}

#[test]
fn beyond_a_cap_nothing_is_held_and_the_cap_is_named() {
    let usd = |minor| Money::new(minor, Currency::USD).into();
    for (caps, cap) in [
        (Caps { orders_max: 2, ..Caps::default() }, Cap::Orders { max: 2 }),
        (Caps { sum_minor_max: 7_000, ..Caps::default() }, Cap::Sum { max: usd(7_000) }),
    ] {
        let mut bench = with_caps(caps);
        let third = bench.draft();
        let fourth = match bench.ask(Call::OpenSummary(vec![CartLine { item_id: 1, quantity: 2 }]))
        {
            Reply::OpenSummary(Ok(payment)) => payment,
            other => panic!("{other:?}"),
        };
        bench.held();
        bench.held();
        lose_orders(&mut bench);
        let cart = vec![CartLine { item_id: 1, quantity: 2 }];
        let refused = Reply::OpenSummary(Err(SummaryError::OverCap { cap: cap.clone() }));
        assert_eq!(bench.ask(Call::OpenSummary(cart)), refused);
        let refused = Reply::ChooseMethod(Err(MethodError::OverCap { cap: cap.clone() }));
        assert_eq!(bench.ask(Call::ChooseMethod(fourth, fixture::stripe())), refused);
        let refused = Reply::Hold(Err(HoldError::OverCap { cap }));
        assert_eq!(bench.ask(Call::Hold(third)), refused);
        assert_eq!(bench.view(third).state, PaymentState::Draft, "nothing was promised");
    }
}

#[test]
fn an_order_that_waits_too_long_stops_new_holds_until_it_is_sent() {
    let mut bench = with_caps(Caps { age_s_max: 3_600, ..Caps::default() });
    let waiting = bench.held();
    let next = bench.draft();
    for _ in 0..70 {
        lose_orders(&mut bench);
        bench.pass(WAIT_MS_MAX);
    }
    // Neither a jump of the clock nor a restart makes it younger.
    bench.now.wall_ms -= 90_000_000;
    bench.restart();
    let refused = HoldError::OverCap { cap: Cap::Age { max_s: 3_600 } };
    assert_eq!(bench.ask(Call::Hold(next)), Reply::Hold(Err(refused)));
    bench.serve(&mut Gateway::new());
    assert_eq!(bench.view(waiting).state, PaymentState::Sent);
    assert_eq!(bench.ask(Call::Hold(next)), Reply::Hold(Ok(())));
}

#[test]
fn offline_a_cancellation_reads_requested_and_goes_after_its_order() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    bench.answer_path("/orders", Err(TransportFault::Unreachable));
    assert_eq!(asked(&mut bench, Call::Cancel(payment)), Ok(()));
    assert_eq!(asked(&mut bench, Call::Cancel(payment)), Ok(()), "again is the same");
    let view = bench.view(payment);
    assert_eq!((view.state, view.pay_address), (PaymentState::CancelRequested, None));
    bench.restart();
    assert_eq!(bench.view(payment).state, PaymentState::CancelRequested, "it is on disk");
    assert_eq!(bench.find("/notices"), None, "the order goes first");
    bench.serve(&mut gateway);
    let view = bench.view(payment);
    assert_eq!(view.state, PaymentState::Canceled);
    let request = view.request.unwrap();
    assert_eq!((request.kind, request.answered), (RequestKind::Cancel, true));
    assert_eq!((gateway.submissions.len(), gateway.notices.len()), (1, 1));
    assert_eq!(asked(&mut bench, Call::Cancel(payment)), Ok(()));
}

#[test]
fn a_notice_is_sent_as_the_same_bytes_until_it_is_answered() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    bench.serve(&mut gateway);
    assert_eq!(asked(&mut bench, Call::Cancel(payment)), Ok(()));
    let body = b"<html>".to_vec().into();
    for answer in [
        Err(TransportFault::Timeout),
        Ok(Response { status: 200, retry_after_s: None, body }),
        Ok(refusal(503, ErrorCode::Unavailable)),
    ] {
        let index = bench.find("/notices").unwrap();
        gateway.answer(&bench.sent[index].1);
        bench.answer(index, answer);
        bench.pass(WAIT_MS_MAX);
    }
    bench.serve(&mut gateway);
    assert_eq!(gateway.notices.len(), 4);
    assert!(gateway.notices.iter().all(|notice| *notice == gateway.notices[0]));
    bench.pass(10 * WAIT_MS_MAX);
    assert_eq!(bench.find("/notices"), None);
}

#[test]
fn paid_wins_over_a_cancellation() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    bench.serve(&mut gateway);
    assert_eq!(asked(&mut bench, Call::Cancel(payment)), Ok(()));
    gateway.move_on(payment, PaymentState::Paid);
    bench.serve(&mut gateway);
    assert_eq!(bench.view(payment).state, PaymentState::Paid);
    let over = RequestError::Over { state: PaymentState::Paid };
    assert_eq!(asked(&mut bench, Call::Withdraw(payment, "No.".into())), Err(over));
}

#[test]
fn a_request_that_cannot_be_kept_is_refused_by_name() {
    let mut bench = Bench::enrolled();
    let draft = bench.draft();
    let cancel = |bench: &mut Bench, payment| asked(bench, Call::Cancel(payment));
    assert_eq!(cancel(&mut bench, fixture::payment_id(99)), Err(RequestError::NotFound));
    assert_eq!(cancel(&mut bench, draft), Err(RequestError::NotHeld));
    let payment = bench.held();
    let withdraw = |reason: &str| Call::Withdraw(payment, reason.to_owned());
    assert_eq!(asked(&mut bench, withdraw(" \n ")), Err(RequestError::ReasonMissing));
    let long = "x".repeat(141);
    assert_eq!(asked(&mut bench, withdraw(&long)), Err(RequestError::ReasonTooLong { max: 140 }));
    bench.fault = Some(StoreFault::Full);
    assert_eq!(asked(&mut bench, withdraw("No card.")), Err(RequestError::StorageFull));
    assert_eq!(bench.view(payment).state, PaymentState::Queued, "nothing is claimed");
    bench.key_answers = false;
    bench.signing.clear();
    let caller = bench.call(Call::Cancel(payment));
    bench.refuse_to_sign();
    let refused = Reply::Request(Err(RequestError::DeviceKeyUnavailable));
    assert_eq!(bench.reply(caller), Some(&refused));
}

/// A payment that the gateway has refused for this reason.
fn parked(bench: &mut Bench, code: ErrorCode) -> PaymentId {
    let payment = bench.held();
    bench.answer_path("/orders", Ok(refusal(422, code)));
    assert_eq!(bench.view(payment).state, PaymentState::NeedsAttention);
    payment
}

#[test]
fn a_parked_payment_is_withdrawn_with_a_signed_reason_before_its_order_and_for_good() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = parked(&mut bench, ErrorCode::TotalDiffers);
    assert_eq!(bench.view(payment).who_acts, Some(WhoActs::Officer));
    let reason = " Prices changed.\nHeld anew. ".to_owned();
    assert_eq!(asked(&mut bench, Call::Withdraw(payment, reason)), Ok(()));
    let view = bench.view(payment);
    assert_eq!((view.state, view.who_acts), (PaymentState::Withdrawn, None));
    let request = view.request.unwrap();
    assert_eq!(request.reason.as_deref(), Some("Prices changed. Held anew."));
    assert_eq!((request.kind, request.answered), (RequestKind::Withdraw, false));
    bench.restart();
    bench.serve(&mut gateway);
    let notice = SignedNotice::parse(&gateway.notices[0]).unwrap();
    assert_eq!(notice.verify(&fixture::public_key()), Ok(()));
    let kind = NoticeKind::Withdraw { reason: "Prices changed. Held anew.".to_owned() };
    assert_eq!((notice.payload().payment, &notice.payload().kind), (payment, &kind));
    assert!(gateway.submissions.is_empty(), "a parked order is not sent");
    let view = bench.view(payment);
    assert_eq!((view.state, view.parked), (PaymentState::Withdrawn, None));
    assert!(view.request.unwrap().answered);
    assert_eq!(bench.engine.snapshot(bench.now).queued, 0);
}

#[test]
fn a_parked_payment_is_tried_again_as_the_same_bytes() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = parked(&mut bench, ErrorCode::UnknownPaymentType);
    let order = bench.engine.durable().payment(payment).unwrap().held.clone().unwrap().order;
    assert_eq!(bench.ask(Call::Retry(payment)), Reply::Retry(Ok(())));
    bench.serve(&mut gateway);
    assert_eq!(gateway.submissions, [order]);
    assert_eq!(bench.view(payment).state, PaymentState::Sent);
    let not_parked = RetryError::NotParked { state: PaymentState::Sent };
    assert_eq!(bench.ask(Call::Retry(payment)), Reply::Retry(Err(not_parked)));
    let unknown = bench.ask(Call::Retry(fixture::payment_id(99)));
    assert_eq!(unknown, Reply::Retry(Err(RetryError::NotFound)));
}

#[test]
fn an_order_that_was_withdrawn_elsewhere_is_over() {
    let mut bench = Bench::enrolled();
    let payment = bench.held();
    bench.answer_path("/orders", Ok(refusal(409, ErrorCode::Withdrawn)));
    assert_eq!(bench.view(payment).state, PaymentState::Withdrawn);
}

#[test]
fn an_order_held_in_test_mode_never_runs_live() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    bench.serve(&mut gateway);
    let payment = bench.held();
    gateway.config.payment_types = vec![fixture::offer(Mode::Live)];
    bench.pass(16 * 60 * 1_000);
    bench.answer_path("/orders", Ok(refusal(422, ErrorCode::ModeDiffers)));
    bench.serve(&mut gateway);
    let view = bench.view(payment);
    assert_eq!((view.mode, view.parked), (Some(Mode::Test), Some(ParkedReason::ModeDiffers)));
    // Tried again, it is the very same order.
    assert_eq!(bench.ask(Call::Retry(payment)), Reply::Retry(Ok(())));
    let (_, request) = &bench.sent[bench.find("/orders").unwrap()];
    let order = holdfast_protocol::SignedOrder::parse(&request.body).unwrap();
    assert_eq!(order.payload().mode, Mode::Test);
}

#[test]
fn each_reason_names_who_acts() {
    for (code, who) in [
        (ErrorCode::LifetimeOver, WhoActs::Officer),
        (ErrorCode::AmountRefused, WhoActs::Officer),
        (ErrorCode::SequenceReused, WhoActs::Officer),
        (ErrorCode::PaymentConflict, WhoActs::Administrator),
        (ErrorCode::DeviceRevoked, WhoActs::Administrator),
        (ErrorCode::SignatureWrong, WhoActs::Administrator),
    ] {
        let mut bench = Bench::enrolled();
        let payment = parked(&mut bench, code);
        assert_eq!(bench.view(payment).who_acts, Some(who), "{code:?}");
    }
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    assert_eq!(bench.view(payment).who_acts, None, "nothing is wrong");
    bench.serve(&mut gateway);
    gateway.move_on(payment, PaymentState::NeedsAttention);
    bench.serve_poll(&mut gateway);
    assert_eq!(bench.view(payment).who_acts, Some(WhoActs::Administrator));
}

#[test]
fn what_is_offered_works_and_nothing_else_is_offered() {
    use OfficerAction::{Cancel, CheckCode, Retry, Withdraw};
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let draft = bench.draft();
    assert_eq!(bench.view(draft).actions, []);
    let payment = bench.held();
    assert_eq!(bench.view(payment).actions, [CheckCode, Cancel], "also before it is sent");
    bench.serve(&mut gateway);
    for (state, offered) in [
        (PaymentState::WaitingForCard, vec![CheckCode, Cancel]),
        (PaymentState::Declined, vec![CheckCode, Cancel]),
        (PaymentState::Owed, vec![CheckCode, Withdraw]),
        (PaymentState::NeedsAttention, vec![]),
        (PaymentState::Paid, vec![]),
        (PaymentState::Refunded, vec![]),
    ] {
        gateway.move_on(payment, state);
        bench.pass(WAIT_MS_MAX);
        bench.serve(&mut gateway);
        bench.serve_poll(&mut gateway);
        assert_eq!(bench.view(payment).actions, offered, "{state:?}");
    }
    let asked_for = bench.held();
    assert_eq!(asked(&mut bench, Call::Cancel(asked_for)), Ok(()));
    assert_eq!(bench.view(asked_for).actions, [CheckCode], "not asked for twice");
    assert_eq!(bench.engine.snapshot(bench.now).queued_requests, 1);
    for (code, offered) in [
        (ErrorCode::TotalDiffers, vec![Retry, Withdraw]),
        (ErrorCode::LifetimeOver, vec![Withdraw]),
        (ErrorCode::DeviceRevoked, vec![Retry]),
        (ErrorCode::PaymentConflict, vec![]),
    ] {
        let mut bench = Bench::enrolled();
        let payment = parked(&mut bench, code);
        assert_eq!(bench.view(payment).actions, offered, "{code:?}");
        if offered.contains(&Withdraw) {
            assert_eq!(asked(&mut bench, Call::Withdraw(payment, "No.".into())), Ok(()));
            assert_eq!(bench.view(payment).actions, [], "given up");
        }
    }
}

#[test]
fn without_its_key_a_handheld_offers_nothing_that_is_signed() {
    let mut bench = Bench::enrolled();
    let payment = bench.held();
    bench.engine.device_key_lost = true;
    assert_eq!(bench.view(payment).actions, [OfficerAction::CheckCode]);
}

#[test]
fn the_oldest_that_waits_is_the_oldest_whatever_its_clock_said() {
    let mut bench = Bench::enrolled();
    assert_eq!(bench.engine.snapshot(bench.now).queued_since_ms, None);
    let oldest = bench.held();
    lose_orders(&mut bench);
    bench.pass(1_000);
    bench.now.wall_ms -= 90_000_000;
    bench.held();
    let since = bench.engine.snapshot(bench.now).queued_since_ms;
    assert_eq!(since, bench.view(oldest).held_at_ms);
}

#[test]
fn a_notice_of_another_tenant_is_not_signed_with_this_ones_name() {
    let mut bench = Bench::enrolled();
    let payment = bench.held();
    let mut other = fixture::enrolment();
    other.tenant = TenantSlug::parse("other").unwrap();
    let record = crate::engine::Record::Enrolment(Box::new(other));
    bench.disk.insert(record.key(), record);
    bench.restart();
    assert_eq!(asked(&mut bench, Call::Cancel(payment)), Err(RequestError::NotEnrolled));
}
