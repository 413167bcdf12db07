//! What is kept, what is presented again, and what is found out about a file.

use super::bench::Bench;
use super::fixture;
use super::gateway::{Gateway, refusal};
use crate::engine::{Call, Event, Key, Quarantined, Reply, TransportFault, WAIT_MS_MAX};
use crate::error::HoldError;
use crate::view::{KeyState, LinkState, RecordFault, WhoActs};
use data_encoding::BASE64URL_NOPAD;
use holdfast_domain::{DeviceId, PaymentState};
use holdfast_protocol::enrolment::six_digits;
use holdfast_protocol::wire::{EnrolResponse, ErrorCode, Officer, WIRE_VERSION};
use holdfast_protocol::{EnrolmentLink, NoticeKind, SignedNotice, SignedOrder};

const DAY_S: u64 = 24 * 60 * 60;

pub(super) fn fetch_config(bench: &mut Bench, gateway: &mut Gateway) {
    bench.call(Call::Refresh);
    bench.serve(gateway);
}

#[test]
fn history_is_forgotten_after_its_days_by_the_gateways_clock_and_nothing_unpaid_is() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let (paid, owed) = (bench.held(), bench.held());
    bench.serve(&mut gateway);
    gateway.move_on(paid, PaymentState::Paid);
    gateway.move_on(owed, PaymentState::Owed);
    fetch_config(&mut bench, &mut gateway);
    // A year ahead by the handheld's clock: no matter.
    bench.now.wall_ms += 365 * DAY_S * 1_000;
    gateway.time_unix_s += 6 * DAY_S;
    gateway.config.gateway_time_unix_s = gateway.time_unix_s;
    bench.restart();
    fetch_config(&mut bench, &mut gateway);
    assert!(bench.engine.payment(paid).is_some());
    gateway.time_unix_s += 2 * DAY_S;
    gateway.config.gateway_time_unix_s = gateway.time_unix_s;
    fetch_config(&mut bench, &mut gateway);
    assert_eq!(bench.engine.payment(paid), None);
    assert_eq!(bench.view(owed).state, PaymentState::Owed);
    // News of what was forgotten is no sign of an older file.
    bench.pass(1_000);
    gateway.move_on(paid, PaymentState::Refunded);
    fetch_config(&mut bench, &mut gateway);
    assert_eq!(bench.engine.payment(paid), None);
    assert!(!bench.engine.snapshot(bench.now).older_file);
}

#[test]
fn a_restored_gateway_gets_every_acknowledged_order_and_request_again() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let (paid, canceled) = (bench.held(), bench.held());
    bench.serve(&mut gateway);
    bench.ask(Call::Cancel(canceled));
    gateway.move_on(paid, PaymentState::Paid);
    fetch_config(&mut bench, &mut gateway);
    assert_eq!((gateway.submissions.len(), gateway.notices.len()), (2, 1));

    gateway.restore();
    fetch_config(&mut bench, &mut gateway);
    let snapshot = bench.engine.snapshot(bench.now);
    assert_eq!(snapshot.queued, 0, "they wait for nothing that a screen should count");
    bench.pass(WAIT_MS_MAX);
    bench.serve(&mut gateway);
    assert_eq!((gateway.submissions.len(), gateway.notices.len()), (4, 2));
    assert_eq!(gateway.accepted.len(), 2, "nothing is lost by the restore");
    assert_eq!(gateway.submissions[..2].len(), 2);
    for order in &gateway.submissions[2..] {
        assert!(gateway.submissions[..2].contains(order), "as they were");
    }
    // It does not know of the money yet. A screen that said paid still does.
    assert_eq!(bench.view(paid).state, PaymentState::Paid);
    assert_eq!(bench.view(canceled).state, PaymentState::Canceled);
    gateway.move_on(paid, PaymentState::PartlyRefunded);
    fetch_config(&mut bench, &mut gateway);
    assert_eq!(bench.view(paid).state, PaymentState::PartlyRefunded);
    bench.pass(10 * WAIT_MS_MAX);
    assert_eq!(bench.find("/orders"), None);
}

#[test]
fn a_restored_gateway_counts_anew_and_its_next_word_is_heard() {
    use PaymentState as P;
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    bench.serve(&mut gateway);
    for state in [P::WaitingForCard, P::Processing, P::Paid, P::PartlyRefunded] {
        gateway.move_on(payment, state);
    }
    fetch_config(&mut bench, &mut gateway);
    gateway.restore();
    fetch_config(&mut bench, &mut gateway);
    bench.pass(WAIT_MS_MAX);
    bench.serve(&mut gateway);
    assert_eq!(bench.view(payment).state, P::PartlyRefunded);
    // Its second change, where the one before the restore was the fifth.
    gateway.move_on(payment, P::Refunded);
    fetch_config(&mut bench, &mut gateway);
    assert_eq!(bench.view(payment).state, P::Refunded);
}

#[test]
fn a_paid_order_that_a_restored_gateway_refuses_stays_paid_and_the_administrator_acts() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    bench.serve(&mut gateway);
    gateway.move_on(payment, PaymentState::Paid);
    fetch_config(&mut bench, &mut gateway);
    gateway.restore();
    bench.call(Call::Refresh);
    while bench.find("/orders").is_none() {
        let response = gateway.answer(&bench.sent[0].1);
        bench.answer(0, Ok(response));
    }
    bench.answer_path("/orders", Ok(refusal(403, ErrorCode::DeviceRevoked)));
    let view = bench.view(payment);
    assert_eq!((view.state, view.who_acts), (PaymentState::Paid, Some(WhoActs::Administrator)));
}

#[test]
fn a_handheld_revoked_before_it_heard_of_a_restore_still_presents_its_orders() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let payment = bench.held();
    bench.serve(&mut gateway);
    fetch_config(&mut bench, &mut gateway);
    assert_eq!(gateway.submissions.len(), 1);
    gateway.restore();
    // From now on it gets no token, and so hears of nothing but that.
    gateway.token_refusals = u32::MAX;
    bench.now.mono_ms += 24 * 60 * 60 * 1_000;
    bench.restart();
    bench.call(Call::Refresh);
    bench.serve(&mut gateway);
    bench.pass(WAIT_MS_MAX);
    bench.serve(&mut gateway);
    assert_eq!(gateway.submissions.len(), 2, "as it was, once more");
    assert_eq!(gateway.submissions[0], gateway.submissions[1]);
    assert!(gateway.accepted.contains_key(&payment));
    // Once is enough, and it promises nothing new.
    bench.pass(10 * WAIT_MS_MAX);
    bench.serve(&mut gateway);
    assert_eq!(gateway.submissions.len(), 2);
}

#[test]
fn an_older_file_put_back_is_found_out_and_made_good() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    bench.held();
    bench.serve(&mut gateway);
    let older = bench.disk.clone();
    let lost = bench.held();
    bench.serve(&mut gateway);
    gateway.move_on(lost, PaymentState::Paid);

    bench.disk = older;
    bench.restart();
    assert_eq!(bench.engine.payment(lost), None);
    fetch_config(&mut bench, &mut gateway);
    let view = bench.view(lost);
    assert_eq!((view.state, view.from_gateway), (PaymentState::Paid, true));
    assert_eq!((view.total.minor, view.pay_address), (2500, None));
    assert!(bench.engine.snapshot(bench.now).older_file);
    // The next hold takes a number that was never used.
    let next = bench.held();
    bench.serve(&mut gateway);
    assert_eq!(bench.view(next).state, PaymentState::Sent);
    assert!(gateway.accepted[&next].sequence > 2);
    assert_eq!(gateway.submissions.len(), 3, "what was imported is never sent");
}

#[test]
fn a_number_used_twice_parks_the_order_and_the_next_one_is_good() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    bench.serve(&mut gateway);
    let older = bench.disk.clone();
    bench.held();
    bench.serve(&mut gateway);
    bench.disk = older;
    bench.restart();
    // Held before the gateway has said a word.
    let twice = bench.held();
    bench.serve(&mut gateway);
    let view = bench.view(twice);
    assert_eq!((view.state, view.who_acts), (PaymentState::NeedsAttention, Some(WhoActs::Officer)));
    assert!(bench.engine.snapshot(bench.now).older_file);
    let next = bench.held();
    bench.serve(&mut gateway);
    assert_eq!(bench.view(next).state, PaymentState::Sent);
}

pub(super) fn unreadable(payment: holdfast_domain::PaymentId, may_be_held: bool) -> Quarantined {
    let fault = RecordFault::Damaged;
    Quarantined { table: "payment", record_id: payment.to_string(), fault, may_be_held }
}

#[test]
fn a_quarantined_payment_is_reported_and_comes_back_from_the_gateway() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let (known, never) = (bench.held(), fixture::payment_id(50));
    bench.serve(&mut gateway);
    bench.disk.remove(&Key::Payment(known));
    bench.quarantine = vec![
        unreadable(known, true),
        unreadable(never, true),
        unreadable(fixture::payment_id(51), false),
    ];
    bench.restart();
    assert_eq!(bench.engine.snapshot(bench.now).quarantine.len(), 3);
    bench.serve(&mut gateway);
    bench.pass(WAIT_MS_MAX);
    bench.serve(&mut gateway);
    assert_eq!(gateway.notices.len(), 2, "of a draft nothing was promised");
    for notice in &gateway.notices {
        let kind = SignedNotice::parse(notice).unwrap().payload().kind.clone();
        let reason = "The record of this payment is damaged.".to_owned();
        assert_eq!(kind, NoticeKind::Quarantined { reason });
    }
    assert_eq!(bench.view(known).state, PaymentState::Sent);
    assert!(bench.view(known).from_gateway);
    let snapshot = bench.engine.snapshot(bench.now);
    assert!(!snapshot.older_file, "nobody put an older file back");
    let left: Vec<_> =
        snapshot.quarantine.iter().map(|lost| (&lost.record_id, lost.reported)).collect();
    assert!(left.contains(&(&never.to_string(), true)), "{left:?}");
    assert_eq!(left.len(), 2);
    bench.quarantine.remove(0);
    bench.restart();
    bench.serve(&mut gateway);
    assert_eq!(gateway.notices.len(), 2, "each is reported once");
}

pub(super) fn enrol_again(bench: &mut Bench, device: DeviceId) {
    let link = EnrolmentLink::parse("https://gateway.example/e/demo/AB12-CD34").unwrap();
    bench.call(Call::Enrol(link));
    let key = holdfast_protocol::DevicePublicKey::from(*bench.key.verifying_key());
    let enrolment = fixture::enrolment();
    let response = EnrolResponse {
        version: WIRE_VERSION,
        gateway: enrolment.gateway,
        gateway_public_key: BASE64URL_NOPAD.encode(&enrolment.gateway_public_key),
        public_url: enrolment.public_url,
        organisation: enrolment.organisation,
        tenant: enrolment.tenant,
        device,
        officer: Officer { id: enrolment.officer, name: enrolment.officer_name },
        confirm_secret: BASE64URL_NOPAD.encode(&[9; 32]),
        copy_key: Some(BASE64URL_NOPAD.encode(fixture::copy_key().as_bytes())),
        ca: None,
        six_digits: six_digits(&key),
        approved: true,
    };
    let index = bench.find("enrol").unwrap();
    bench.answer(index, Ok(super::gateway::json(200, &response)));
}

#[test]
fn a_lost_device_key_stops_holds_and_a_new_enrolment_goes_on_with_the_outbox() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let held = bench.held();
    bench.answer_path("/orders", Err(TransportFault::Unreachable));
    let draft = bench.draft();
    bench.key_answers = false;
    bench.signing.clear();
    let caller = bench.call(Call::Hold(draft));
    bench.lose_the_key();
    assert_eq!(bench.reply(caller), Some(&Reply::Hold(Err(HoldError::DeviceKeyLost))));
    assert_eq!(bench.engine.snapshot(bench.now).keys, KeyState::DeviceKeyLost);
    bench.key_answers = true;
    assert_eq!(bench.ask(Call::Hold(draft)), Reply::Hold(Err(HoldError::DeviceKeyLost)));

    bench.key = p256::ecdsa::SigningKey::from_slice(&[8; 32]).unwrap();
    enrol_again(&mut bench, DeviceId::from_bytes([9; 8]));
    assert_eq!(bench.engine.snapshot(bench.now).keys, KeyState::Good);
    assert_eq!(bench.ask(Call::Hold(draft)), Reply::Hold(Ok(())));
    // The order of the old key goes as it is, and its code can still be checked and shown.
    bench.pass(WAIT_MS_MAX);
    let first = bench.sent.iter().map(|(_, request)| request);
    let orders = first.filter(|request| request.url.ends_with("/orders"));
    let of_old_key = orders.map(|request| SignedOrder::parse(&request.body).unwrap());
    let of_old_key: Vec<_> = of_old_key.filter(|order| order.payload().payment == held).collect();
    assert_eq!(of_old_key[0].verify(&fixture::public_key()), Ok(()));
    gateway.answer(&bench.sent[bench.find("/orders").unwrap()].1);
    bench.restart();
    let secret = fixture::enrolment().confirm_secret;
    let total = bench.engine.durable().payment(held).unwrap().cart.total;
    let code = holdfast_protocol::confirm_code(&secret, held, total).to_string();
    let verified = bench.ask(Call::VerifyCode(held, code.clone()));
    assert_eq!(verified, Reply::VerifyCode(Ok(())));
    assert_eq!(bench.view(held).confirm_code, Some(code));
}

#[test]
fn a_hold_that_was_refused_and_is_found_at_a_start_says_so() {
    let mut bench = Bench::enrolled();
    let payment = bench.draft();
    bench.key_answers = false;
    bench.signing.clear();
    bench.call(Call::Hold(payment));
    bench.kill = Some(super::bench::Kill::AfterTheCommit);
    bench.sign_order();
    let view = bench.view(payment);
    assert!(view.found_at_start && view.pay_address.is_some(), "it counts as held");
    assert_eq!(view.who_acts, Some(WhoActs::Officer));
    bench.restart();
    assert!(bench.view(payment).found_at_start, "until somebody is told");
    bench.key_answers = true;
    assert_eq!(bench.ask(Call::Hold(payment)), Reply::Hold(Ok(())));
    bench.restart();
    assert!(!bench.view(payment).found_at_start);
}

#[test]
fn a_hold_that_was_told_is_not_found_at_a_start() {
    let mut bench = Bench::enrolled();
    let payment = bench.held();
    assert!(!bench.view(payment).found_at_start);
    bench.pass(1_000);
    bench.restart();
    assert!(!bench.view(payment).found_at_start);
}

#[test]
fn a_network_that_comes_wakes_everything_and_one_that_goes_is_shown() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    bench.serve(&mut gateway);
    let payment = bench.held();
    for _ in 0..10 {
        bench.answer_path("/orders", Err(TransportFault::Unreachable));
        bench.pass(WAIT_MS_MAX);
    }
    bench.answer_path("/orders", Err(TransportFault::Unreachable));
    bench.tell(Event::Network { available: false });
    assert_eq!(bench.engine.snapshot(bench.now).link, LinkState::Offline);
    bench.tell(Event::Network { available: true });
    assert!(bench.find("/orders").is_some() && bench.find("wait_s=0").is_some());
    bench.serve(&mut gateway);
    assert_eq!(bench.view(payment).state, PaymentState::Sent);
}

#[test]
fn a_wrong_clock_changes_nothing_but_displayed_times_and_these_are_corrected() {
    for off_ms in [-90_000_000_i64, 90_000_000] {
        let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
        bench.now.wall_ms = bench.now.wall_ms.saturating_add_signed(off_ms);
        bench.restart();
        let early = bench.held();
        assert!(!bench.view(early).held_at_is_sure);
        bench.serve(&mut gateway);
        bench.now.wall_ms = bench.now.wall_ms.saturating_add_signed(-3 * off_ms);
        bench.pass(5_000);
        let late = bench.held();
        let order = &bench.engine.durable().payment(late).unwrap().held.clone().unwrap().order;
        let order = SignedOrder::parse(order).unwrap();
        let true_s = fixture::START.wall_ms / 1_000;
        assert_eq!(order.payload().held_at_unix_s, true_s + 5, "what is signed is right");
        bench.reboot();
        for (payment, expected_s) in [(early, true_s), (late, true_s + 5)] {
            let view = bench.view(payment);
            assert!(view.held_at_is_sure);
            assert_eq!(view.held_at_ms.unwrap() / 1_000, i64::try_from(expected_s).unwrap());
        }
    }
}

#[test]
fn a_lifetime_is_judged_by_the_best_clock_there_is() {
    let lifetime_ms = 604_800_000;
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    bench.serve(&mut gateway);
    let payment = bench.held();
    bench.answer_path("/orders", Err(TransportFault::Unreachable));
    // The same run: the clock that runs forward is enough, whatever the other says.
    bench.now.wall_ms += 2 * lifetime_ms;
    bench.restart();
    let view = bench.view(payment);
    assert_eq!((view.lifetime_over, view.lifetime_is_sure), (false, true));
    // Another run, and the gateway's time is not known: first sight, with a flag.
    bench.reboot();
    let view = bench.view(payment);
    assert_eq!((view.lifetime_over, view.lifetime_is_sure), (false, false));
    bench.now.mono_ms += lifetime_ms;
    let view = bench.engine.payment_at(payment, bench.now).unwrap();
    assert_eq!((view.lifetime_over, view.lifetime_is_sure), (true, false));
    // Now the gateway tells the time: not over after all.
    bench.now.mono_ms -= lifetime_ms;
    gateway.time_unix_s += 100;
    gateway.config.gateway_time_unix_s += 100;
    bench.answer_path("/orders", Err(TransportFault::Unreachable));
    bench.serve(&mut gateway);
    assert!(bench.view(payment).lifetime_is_sure);
    assert!(!bench.view(payment).lifetime_over);
}
