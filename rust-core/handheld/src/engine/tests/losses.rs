//! What handheld and gateway lose at the same time, and a handheld that has lost who it is.

use super::bench::Bench;
use super::fixture;
use super::gateway::{Gateway, refusal};
use super::histories::{enrol_again, fetch_config, unreadable};
use crate::engine::{Call, Key, NoticeTag, Quarantined, Reply, TransportFault, WAIT_MS_MAX};
use crate::error::{HoldError, RequestError, RetryError, SummaryError};
use crate::view::{CartLine, ParkedReason, RecordFault, WhoActs};
use holdfast_domain::{DeviceId, PaymentId, PaymentState};
use holdfast_protocol::wire::ErrorCode;

/// A payment whose record went bad and which came back from the gateway, which then was restored
/// to a time before the payment.
fn lost_on_both_sides(report_is_lost_too: bool) -> (Bench, Gateway, PaymentId) {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    bench.serve(&mut gateway);
    fetch_config(&mut bench, &mut gateway);
    bench.disk.remove(&Key::Payment(payment));
    bench.quarantine = vec![unreadable(payment, true)];
    bench.restart();
    bench.serve(&mut gateway);
    gateway.move_on(payment, PaymentState::WaitingForCard);
    fetch_config(&mut bench, &mut gateway);
    let view = bench.view(payment);
    assert_eq!((view.state, view.from_gateway), (PaymentState::WaitingForCard, true));
    // Written anew, the payment's record is good; that of the report may go bad as well.
    bench.quarantine.clear();
    if report_is_lost_too {
        bench.disk.remove(&Key::Notice(payment, NoticeTag::Quarantined));
    }
    bench.restart();
    gateway.restore();
    fetch_config(&mut bench, &mut gateway);
    bench.pass(WAIT_MS_MAX);
    bench.serve(&mut gateway);
    (bench, gateway, payment)
}

#[test]
fn what_handheld_and_restored_gateway_have_both_lost_comes_to_the_administrator() {
    for report_is_lost_too in [false, true] {
        let (mut bench, mut gateway, payment) = lost_on_both_sides(report_is_lost_too);
        assert_eq!(gateway.notices.len(), 2, "the office is told, again or anew");
        let view = bench.view(payment);
        assert_eq!(view.state, PaymentState::NeedsAttention);
        assert_eq!(view.parked, Some(ParkedReason::OrderLost));
        assert_eq!((view.who_acts, view.actions), (Some(WhoActs::Administrator), Vec::new()));
        let again =
            Reply::Retry(Err(RetryError::NotParked { state: PaymentState::NeedsAttention }));
        assert_eq!(bench.ask(Call::Retry(payment)), again, "there are no bytes to send");
        // It stays like this, and is not asked about for ever.
        bench.restart();
        bench.serve(&mut gateway);
        bench.pass(10 * WAIT_MS_MAX);
        bench.serve(&mut gateway);
        assert_eq!(gateway.notices.len(), 2);
        assert_eq!(bench.view(payment).state, PaymentState::NeedsAttention);
    }
}

#[test]
fn what_both_had_lost_is_as_the_gateway_says_once_its_order_was_brought_again() {
    let (mut bench, mut gateway, payment) = lost_on_both_sides(true);
    // The payer's phone had the order.
    let order = gateway.submissions[0].clone();
    gateway.carry(&order);
    gateway.move_on(payment, PaymentState::Paid);
    fetch_config(&mut bench, &mut gateway);
    let view = bench.view(payment);
    assert_eq!((view.state, view.parked), (PaymentState::Paid, None));
}

#[test]
fn a_restore_is_heard_of_also_where_the_counters_are_lost() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    bench.serve(&mut gateway);
    fetch_config(&mut bench, &mut gateway);
    bench.disk.remove(&Key::Counters);
    let fault = RecordFault::Missing;
    let record_id = String::new();
    bench.quarantine = vec![Quarantined { table: "counters", record_id, fault, may_be_held: true }];
    gateway.restore();
    bench.restart();
    fetch_config(&mut bench, &mut gateway);
    bench.pass(WAIT_MS_MAX);
    bench.serve(&mut gateway);
    assert_eq!(gateway.submissions.len(), 2);
    assert!(gateway.accepted.contains_key(&payment), "presented again at once");
}

#[test]
fn a_word_after_a_refusal_by_a_restored_gateway_is_heard_however_far_it_had_counted() {
    for (before, after, shown) in [
        (PaymentState::WaitingForCard, PaymentState::Paid, PaymentState::Paid),
        // It has not heard of the money yet.
        (PaymentState::Paid, PaymentState::WaitingForCard, PaymentState::Paid),
    ] {
        let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
        let payment = bench.held();
        bench.serve(&mut gateway);
        for state in [PaymentState::WaitingForCard, PaymentState::Declined, before] {
            gateway.move_on(payment, state);
        }
        fetch_config(&mut bench, &mut gateway);
        gateway.restore();
        bench.call(Call::Refresh);
        while bench.find("/orders").is_none() {
            let response = gateway.answer(&bench.sent[0].1);
            bench.answer(0, Ok(response));
        }
        let order = bench.sent[bench.find("/orders").unwrap()].1.body.clone();
        bench.answer_path("/orders", Ok(refusal(422, ErrorCode::UnknownPaymentType)));
        assert_eq!(bench.view(payment).parked, Some(ParkedReason::MethodUnavailable));
        // The office has opened the way to pay again, and the payer brings the order.
        gateway.carry(&order);
        gateway.move_on(payment, after);
        fetch_config(&mut bench, &mut gateway);
        bench.pass(WAIT_MS_MAX);
        bench.serve(&mut gateway);
        let view = bench.view(payment);
        assert_eq!((view.state, view.parked), (shown, None));
        gateway.move_on(payment, PaymentState::PartlyRefunded);
        fetch_config(&mut bench, &mut gateway);
        assert_eq!(bench.view(payment).state, PaymentState::PartlyRefunded);
    }
}

/// The enrolment's record went bad while the handheld was off.
fn without_enrolment(bench: &mut Bench, fault: RecordFault) {
    bench.disk.remove(&Key::Enrolment);
    let record_id = String::new();
    bench.quarantine =
        vec![Quarantined { table: "enrolment", record_id, fault, may_be_held: true }];
    bench.restart();
}

#[test]
fn a_lost_enrolment_stops_holds_and_what_waits_is_sent_all_the_same() {
    for fault in [RecordFault::Damaged, RecordFault::Missing, RecordFault::RolledBack] {
        let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
        let held = bench.held();
        bench.answer_path("/orders", Err(TransportFault::Unreachable));
        let draft = bench.draft();
        without_enrolment(&mut bench, fault);
        let snapshot = bench.engine.snapshot(bench.now);
        assert!(snapshot.enrolment.is_none());
        let named: Vec<_> =
            snapshot.quarantine.iter().map(|lost| (lost.table.as_str(), lost.fault)).collect();
        assert_eq!(named, [("enrolment", fault)]);
        assert_eq!(bench.ask(Call::Hold(draft)), Reply::Hold(Err(HoldError::NotEnrolled)));
        let cancel = bench.ask(Call::Cancel(held));
        assert_eq!(cancel, Reply::Request(Err(RequestError::NotEnrolled)));
        // The order carries its own proof, and knows where it belongs.
        bench.serve(&mut gateway);
        assert!(gateway.accepted.contains_key(&held));
        assert_eq!(bench.view(held).state, PaymentState::Sent);
    }
}

#[test]
fn enrolled_again_after_a_lost_enrolment_it_has_its_outbox_and_counts_anew() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let (sent, waits) = (bench.held(), bench.held());
    bench.serve(&mut gateway);
    let offline = bench.held();
    bench.answer_path("/orders", Err(TransportFault::Unreachable));
    without_enrolment(&mut bench, RecordFault::Damaged);
    bench.answer_path("/orders", Err(TransportFault::Unreachable));
    let before = bench.engine.durable().payment(offline).cloned();

    let device = DeviceId::from_bytes([9; 8]);
    enrol_again(&mut bench, device);
    let snapshot = bench.engine.snapshot(bench.now);
    assert_eq!(snapshot.enrolment.map(|it| it.device_id), Some(device.to_string()));
    assert_eq!(bench.engine.durable().payment(offline).cloned(), before, "as it was signed");
    bench.pass(WAIT_MS_MAX);
    bench.serve(&mut gateway);
    for payment in [sent, waits, offline] {
        assert!(gateway.accepted.contains_key(&payment));
        assert_eq!(bench.view(payment).state, PaymentState::Sent);
    }
    let (older, config) = (gateway.submissions.len(), fixture::config());
    gateway.config = config;
    fetch_config(&mut bench, &mut gateway);
    let next = bench.held();
    let held = bench.engine.durable().payment(next).and_then(|it| it.held.clone()).unwrap();
    assert_eq!((held.device, held.sequence), (device, 1));
    assert_eq!(gateway.submissions.len(), older);
    bench.quarantine.clear();
    bench.restart();
    assert!(bench.engine.snapshot(bench.now).quarantine.is_empty());
}

#[test]
fn a_lost_price_list_is_fetched_again_and_what_is_held_stays() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let held = bench.held();
    bench.serve(&mut gateway);
    bench.disk.remove(&Key::Config);
    let (record_id, fault) = (String::new(), RecordFault::Damaged);
    bench.quarantine = vec![Quarantined { table: "config", record_id, fault, may_be_held: true }];
    bench.restart();
    let lines = vec![CartLine { item_id: 1, quantity: 2 }];
    let refused = bench.ask(Call::OpenSummary(lines));
    assert_eq!(refused, Reply::OpenSummary(Err(SummaryError::NoCatalogue)));
    assert_eq!(bench.view(held).state, PaymentState::Sent);
    bench.serve(&mut gateway);
    let next = bench.held();
    bench.serve(&mut gateway);
    assert_eq!(bench.view(next).state, PaymentState::Sent);
}

#[test]
fn a_lost_notice_is_asked_for_again_and_a_lost_clock_changes_no_promise() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let held = bench.held();
    bench.serve(&mut gateway);
    bench.ask(Call::Cancel(held));
    assert_eq!(bench.view(held).state, PaymentState::CancelRequested);
    bench.disk.remove(&Key::Notice(held, NoticeTag::Cancel));
    bench.disk.remove(&Key::Clock);
    bench.restart();
    // Nobody has the request any more: the screen does not say that it is on its way.
    assert_eq!(bench.view(held).state, PaymentState::Sent);
    assert_eq!(bench.ask(Call::Cancel(held)), Reply::Request(Ok(())));
    bench.serve(&mut gateway);
    assert_eq!(bench.view(held).state, PaymentState::Canceled);
}
