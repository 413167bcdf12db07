//! From the summary to the promise.

use super::bench::{Bench, Kill};
use super::fixture;
use super::gateway::Gateway;
use crate::engine::{Call, Config, Record, Reply, StoreFault, WAIT_MS_MAX, Write};
use crate::error::{HoldError, MethodError, SummaryError};
use crate::view::CartLine;
use holdfast_domain::{Mode, PaymentState, PaymentTypeCode};
use holdfast_protocol::SignedOrder;

fn summary(bench: &mut Bench, lines: &[(u32, u32)]) -> Result<(), SummaryError> {
    let line =
        |(item_id, quantity): &(u32, u32)| CartLine { item_id: *item_id, quantity: *quantity };
    match bench.ask(Call::OpenSummary(lines.iter().map(line).collect())) {
        Reply::OpenSummary(answer) => answer.map(|_| ()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_draft_is_on_disk_before_the_summary_is_shown() {
    let mut bench = Bench::enrolled();
    let payment = bench.draft();
    bench.restart();
    let view = bench.view(payment);
    assert_eq!(view.state, PaymentState::Draft);
    assert_eq!((view.total.minor, view.lines.len()), (2500, 1));
    assert_eq!(view.pay_address, None);
}

#[test]
fn carts_out_of_bounds_are_refused_by_name() {
    let mut bench = Bench::enrolled();
    assert_eq!(summary(&mut bench, &[]), Err(SummaryError::CartEmpty));
    assert_eq!(summary(&mut bench, &[(9, 1)]), Err(SummaryError::UnknownItem { item_id: 9 }));
    assert_eq!(summary(&mut bench, &[(1, 0)]), Err(SummaryError::Quantity { item_id: 1, max: 99 }));
    assert_eq!(summary(&mut bench, &[(1, 1); 13]), Err(SummaryError::TooManyLines { max: 12 }));
    assert_eq!(
        summary(&mut bench, &[(1, 1), (1, 2)]),
        Err(SummaryError::RepeatedItem { item_id: 1 })
    );
    let mut without_catalogue = Bench::new(Vec::new());
    assert_eq!(summary(&mut without_catalogue, &[(1, 1)]), Err(SummaryError::NoCatalogue));
}

#[test]
fn a_full_disk_is_named_and_leaves_nothing() {
    let mut bench = Bench::enrolled();
    bench.fault = Some(StoreFault::Full);
    assert_eq!(summary(&mut bench, &[(1, 1)]), Err(SummaryError::StorageFull));
    assert_eq!(bench.engine.snapshot(bench.now).payments, []);
}

#[test]
fn a_hold_signs_what_stood_on_the_screen_and_is_queued_with_its_pay_address() {
    let mut bench = Bench::enrolled();
    let payment = bench.held();
    let record = bench.engine.durable().payment(payment).unwrap();
    let order = SignedOrder::parse(&record.held.as_ref().unwrap().order).unwrap();
    assert_eq!(order.verify(&fixture::public_key()), Ok(()));
    let payload = order.payload();
    assert_eq!((payload.payment, payload.sequence, payload.mode), (payment, 1, Mode::Test));
    assert_eq!((payload.total.minor(), payload.catalogue_version), (2500, 3));
    assert_eq!((payload.officer.0, payload.lifetime_s), (1, 604_800));
    let view = bench.view(payment);
    assert_eq!(view.state, PaymentState::Queued);
    assert!(view.pay_address.unwrap().starts_with("HTTPS://PAY.EXAMPLE/O/"));
    assert_eq!(view.pay_host.unwrap(), "pay.example");
    assert_eq!(view.confirm_code, None, "the payer shows theirs first");
}

#[test]
fn holding_again_gives_the_same_answer_and_no_second_order() {
    let mut bench = Bench::enrolled();
    bench.key_answers = false;
    let payment = bench.draft();
    let first = bench.call(Call::Hold(payment));
    let second = bench.call(Call::Hold(payment));
    assert_eq!(bench.signing.len(), 1);
    bench.sign_next();
    assert_eq!(bench.reply(first), Some(&Reply::Hold(Ok(()))));
    assert_eq!(bench.reply(second), Some(&Reply::Hold(Ok(()))));
    let order = bench.engine.durable().payment(payment).unwrap().clone();
    assert_eq!(bench.ask(Call::Hold(payment)), Reply::Hold(Ok(())));
    assert_eq!(*bench.engine.durable().payment(payment).unwrap(), order);
}

#[test]
fn two_payments_held_at_once_are_signed_one_after_the_other() {
    let mut bench = Bench::enrolled();
    let payments = [bench.draft(), bench.draft()];
    bench.key_answers = false;
    let callers = payments.map(|payment| bench.call(Call::Hold(payment)));
    assert_eq!(bench.signing.len(), 1, "the second waits for its number");
    bench.sign_order();
    bench.sign_order();
    for (caller, payment) in callers.into_iter().zip(payments) {
        assert_eq!(bench.reply(caller), Some(&Reply::Hold(Ok(()))));
        assert_eq!(bench.view(payment).state, PaymentState::Queued);
    }
}

#[test]
fn a_hold_that_cannot_be_kept_is_refused_before_it_is_promised() {
    let mut bench = Bench::enrolled();
    let hold = |bench: &mut Bench, payment| match bench.ask(Call::Hold(payment)) {
        Reply::Hold(answer) => answer,
        other => panic!("{other:?}"),
    };
    assert_eq!(hold(&mut bench, fixture::payment_id(99)), Err(HoldError::NotFound));
    summary(&mut bench, &[(1, 1)]).unwrap();
    let without_method = bench.engine.durable().payments().last().unwrap().payment;
    assert_eq!(hold(&mut bench, without_method), Err(HoldError::NoMethodChosen));

    let payment = bench.draft();
    let mut revoked = fixture::enrolment();
    revoked.approved = false;
    let record = Record::Enrolment(Box::new(revoked));
    bench.disk.insert(record.key(), record);
    bench.restart();
    assert_eq!(hold(&mut bench, payment), Err(HoldError::NotApproved));
}

#[test]
fn numbers_have_no_gap_whatever_fails_on_the_way() {
    let mut bench = Bench::enrolled();
    let payments: Vec<_> = (0..3).map(|_| bench.draft()).collect();
    bench.key_answers = false;

    // The key refuses the first; the disk refuses the second; the third is killed twice.
    let refused = bench.call(Call::Hold(payments[0]));
    bench.refuse_to_sign();
    assert_eq!(bench.reply(refused), Some(&Reply::Hold(Err(HoldError::DeviceKeyUnavailable))));
    let full = bench.call(Call::Hold(payments[1]));
    bench.fault = Some(StoreFault::Failed);
    bench.sign_order();
    assert_eq!(bench.reply(full), Some(&Reply::Hold(Err(HoldError::Storage))));
    let killed = bench.call(Call::Hold(payments[2]));
    bench.kill = Some(Kill::BeforeTheCommit);
    bench.sign_order();
    assert_eq!(bench.reply(killed), None);
    assert_eq!(bench.view(payments[2]).state, PaymentState::Draft);
    bench.call(Call::Hold(payments[2]));
    bench.kill = Some(Kill::AfterTheCommit);
    bench.sign_order();
    assert_eq!(bench.view(payments[2]).state, PaymentState::Queued);

    bench.key_answers = true;
    bench.ask(Call::Hold(payments[0]));
    bench.ask(Call::Hold(payments[1]));
    let sequence = |payment: &_| {
        let record = bench.engine.durable().payment(*payment).unwrap();
        record.held.as_ref().unwrap().sequence
    };
    assert_eq!(payments.iter().map(sequence).collect::<Vec<_>>(), [2, 3, 1]);
}

#[test]
fn a_signature_by_another_key_is_found_before_it_is_promised() {
    let mut other = fixture::enrolment();
    let key = p256::ecdsa::SigningKey::from_slice(&[8; 32]).unwrap();
    let key = holdfast_protocol::DevicePublicKey::from(*key.verifying_key());
    other.public_key = key.to_sec1().to_vec();
    let mut records = fixture::records();
    records[0] = Record::Enrolment(Box::new(other));
    let mut bench = Bench::new(records);
    let payment = bench.draft();
    let answer = bench.ask(Call::Hold(payment));
    assert_eq!(answer, Reply::Hold(Err(HoldError::DeviceKeyLost)));
}

#[test]
fn only_what_is_offered_can_be_chosen_and_only_for_a_draft() {
    let mut bench = Bench::enrolled();
    let payment = bench.draft();
    let cash = PaymentTypeCode::parse("CASH").unwrap();
    let refused = MethodError::UnknownMethod { code: "CASH".to_owned() };
    assert_eq!(bench.ask(Call::ChooseMethod(payment, cash)), Reply::ChooseMethod(Err(refused)));
    bench.key_answers = false;
    bench.call(Call::Hold(payment));
    let promised = MethodError::NotADraft { state: PaymentState::Queued };
    let again = bench.ask(Call::ChooseMethod(payment, fixture::stripe()));
    assert_eq!(again, Reply::ChooseMethod(Err(promised)), "while it is being signed");
    let promised = SummaryError::NotADraft { state: PaymentState::Queued };
    let discarded = bench.ask(Call::DiscardDraft(payment));
    assert_eq!(discarded, Reply::DiscardDraft(Err(promised)));
}

#[test]
fn a_draft_can_be_discarded() {
    let mut bench = Bench::enrolled();
    let payment = bench.draft();
    assert_eq!(bench.ask(Call::DiscardDraft(payment)), Reply::DiscardDraft(Ok(())));
    assert_eq!(bench.engine.payment(payment), None);
    let gone = Reply::DiscardDraft(Err(SummaryError::NotFound));
    assert_eq!(bench.ask(Call::DiscardDraft(payment)), gone);
}

#[test]
fn drafts_left_behind_are_forgotten_after_a_day_and_promises_never() {
    let mut bench = Bench::enrolled();
    let (draft, held) = (bench.draft(), bench.held());
    bench.now.wall_ms += 25 * 60 * 60 * 1_000;
    bench.restart();
    assert_eq!(bench.engine.payment(draft), None);
    assert_eq!(bench.view(held).state, PaymentState::Queued);
}

#[test]
fn a_method_whose_mode_changed_must_be_chosen_again() {
    let mut bench = Bench::enrolled();
    let payment = bench.draft();
    let mut gateway = Gateway::new();
    gateway.config.payment_types = vec![fixture::offer(Mode::Live)];
    bench.serve(&mut gateway);
    assert_eq!(bench.view(payment).payment_type, None);
    assert_eq!(bench.ask(Call::Hold(payment)), Reply::Hold(Err(HoldError::NoMethodChosen)));
}

#[test]
fn the_newest_payment_stays_the_newest_when_the_clock_jumps_back() {
    let mut bench = Bench::enrolled();
    let first = bench.draft();
    bench.now.wall_ms -= 25 * 60 * 60 * 1_000;
    let second = bench.draft();
    bench.restart();
    let third = bench.draft();
    let shown = bench.engine.snapshot(bench.now).payments;
    let shown: Vec<_> = shown.into_iter().map(|view| view.payment_id).collect();
    assert_eq!(shown, [third, second, first].map(|payment| payment.to_string()));
}

#[test]
fn a_snapshot_shows_the_last_fifty_and_the_rest_by_id() {
    let mut records = fixture::records();
    records.extend((1..=60).map(|n| Record::Payment(Box::new(fixture::held_payment(n)))));
    let bench = Bench::new(records);
    let snapshot = bench.engine.snapshot(bench.now);
    assert_eq!((snapshot.payments.len(), snapshot.queued), (50, 60));
    assert_eq!(snapshot.payments[0].payment_id, fixture::payment_id(60).to_string());
    assert!(bench.engine.payment(fixture::payment_id(1)).is_some());
}

#[test]
fn the_catalogue_tells_its_age() {
    let mut records = fixture::records();
    let fetched_at_ms = fixture::START.wall_ms - 5_000;
    records[1] = Record::Config(Config { fetched_at_ms, config: fixture::config() });
    let bench = Bench::new(records);
    assert_eq!(bench.engine.snapshot(bench.now).catalogue_age_ms, Some(5_000));
}

#[test]
fn prices_that_are_too_old_are_refused_by_name_until_they_are_fetched_again() {
    let lifetime_ms = u64::from(fixture::config().catalogue_lifetime_s) * 1_000;
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    bench.serve(&mut gateway);
    // The handheld's own clock says nothing about it, whichever way it jumps.
    bench.now.wall_ms += 2 * lifetime_ms;
    assert!(summary(&mut bench, &[(1, 1)]).is_ok());
    bench.now.mono_ms += lifetime_ms + 2_000;
    assert_eq!(summary(&mut bench, &[(1, 1)]), Err(SummaryError::CatalogueExpired));
    // Not heard since the system started: so long it has been at the least.
    bench.reboot();
    bench.now.mono_ms = lifetime_ms;
    assert!(summary(&mut bench, &[(1, 1)]).is_ok());
    bench.now.mono_ms += 1;
    assert_eq!(summary(&mut bench, &[(1, 1)]), Err(SummaryError::CatalogueExpired));
    let passed_s = lifetime_ms / 1_000 + 10;
    gateway.time_unix_s += passed_s;
    gateway.config.gateway_time_unix_s += passed_s;
    bench.pass(WAIT_MS_MAX);
    bench.serve(&mut gateway);
    assert!(summary(&mut bench, &[(1, 1)]).is_ok());
}

#[test]
fn writes_show_no_contents_in_a_log() {
    let shown = format!("{:?}", [fixture::write(1), Write::enrolment(fixture::enrolment())]);
    assert_eq!(shown, format!("[put Payment({}), put Enrolment]", fixture::payment_id(1)));
}
