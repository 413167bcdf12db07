//! A ledger that was put back, and asks Stripe what it lost.

use super::fixture::{Bench, NOW_MS, accept, accepted, device, notice, order, payload, tenant};
use super::settling::{charge_of, learn, opened, opening, pay, session};
use crate::recovery::{FoundSession, Recovery, RecoveryKey, RecoveryStage};
use crate::{
    AcceptOutcome, AskRefundOutcome, AttemptState, BeginRecovery, Decision, Device, DeviceStatus,
    Env, Event, FinishJob, FollowFound, FoundSeen, Hint, JobEnd, JobKind, LeaseJobs, NoticeOutcome,
    PassList, PayOutcome, Payment, Pin, PutOffRecovery, RecordEvent, Store, StoreError, TakeEvents,
    TakeNamed, TakeNotice, TakeSessions, Tx,
};
use holdfast_domain::refund::RefundAmount;
use holdfast_domain::{ChargeOutcome, Evidence, Mode, PaymentId, PaymentState, SessionStatus};
use holdfast_protocol::wire::ErrorCode;
use holdfast_protocol::{NoticeKind, OrderPayload};

fn key() -> RecoveryKey {
    let payment_type = super::payment_type().code;
    RecoveryKey { tenant: tenant(), payment_type, mode: Mode::Test, generation: 1 }
}

async fn begin<B: Bench>(bench: &B) {
    let recovery = Recovery::begin(key(), "acct_1".into(), NOW_MS - 3_600_000, NOW_MS);
    bench.store().run(BeginRecovery { recoveries: vec![recovery] }).await.unwrap();
}

fn found(payment: PaymentId, number: u32, status: SessionStatus) -> FoundSession {
    FoundSession {
        tenant: tenant(),
        payment,
        session: format!("cs_{number}"),
        number,
        status,
        created_unix_s: NOW_MS / 1000 - 60,
        expires_at_unix_s: NOW_MS / 1000 + 7_140,
        url: Some(format!("https://checkout.example/cs_{number}")),
        mode: Mode::Test,
        payment_type: key().payment_type,
        pin: Pin { account: "acct_1".into(), generation: 1 },
        is_paid: false,
        due_at_ms: if status == SessionStatus::Expired { 0 } else { NOW_MS + 2_000 },
        looks: 0,
    }
}

async fn take<B: Bench>(
    bench: &B,
    cursor: &str,
    sessions: Vec<FoundSession>,
    next: Option<&str>,
) -> Option<Recovery> {
    let seen = u64::try_from(sessions.len()).unwrap();
    let (cursor, next) = (cursor.to_owned(), next.map(str::to_owned));
    let page = TakeSessions { key: key(), cursor, seen, sessions, next };
    bench.store().run(page).await.unwrap()
}

/// The last page of sessions, and an empty list of events.
async fn finish<B: Bench>(bench: &B, sessions: Vec<FoundSession>) {
    let after = take(bench, "", sessions, None).await.unwrap();
    assert_eq!(after.stage, RecoveryStage::Events);
    let page = TakeEvents { key: key(), cursor: String::new(), events: vec![], next: None };
    let after = bench.store().run(page).await.unwrap().unwrap();
    assert_eq!((after.stage, after.finished_at_ms), (RecoveryStage::Done, NOW_MS));
}

/// Looks at the attempts through a transaction, as decisions do.
struct Attempts(PaymentId);

impl Decision for Attempts {
    type Outcome = Vec<(u32, AttemptState, Option<String>)>;

    async fn decide<T: Tx>(&self, tx: &mut T, _env: &Env) -> Result<Self::Outcome, StoreError> {
        let attempts = tx.attempts(&tenant(), self.0).await?;
        Ok(attempts.into_iter().map(|it| (it.number, it.state, it.session)).collect())
    }
}

async fn attempts<B: Bench>(
    bench: &B,
    payment: PaymentId,
) -> Vec<(u32, AttemptState, Option<String>)> {
    bench.store().run(Attempts(payment)).await.unwrap()
}

async fn cancel<B: Bench>(bench: &B, n: u64) -> Option<Box<Payment>> {
    let notice = notice(payload(n).payment, NoticeKind::Cancel);
    match bench.store().run(TakeNotice { notice, tenant: tenant() }).await.unwrap() {
        NoticeOutcome::Taken { payment } => payment,
        NoticeOutcome::Refused { message, .. } => panic!("refused: {message}"),
    }
}

async fn refused<B: Bench>(bench: &B, n: u64, lifetime_s: u32) -> ErrorCode {
    let order = order(OrderPayload { lifetime_s, ..payload(n) });
    match bench.store().run(accept(order)).await.unwrap() {
        AcceptOutcome::Refused { code, .. } => code,
        AcceptOutcome::Accepted { .. } => panic!("accepted"),
    }
}

pub(super) async fn until_stripe_was_asked_nothing_new_is_opened<B: Bench>(bench: &B) {
    begin(bench).await;
    let payment = accepted(bench, 1).await.payment;
    assert!(matches!(pay(bench, payment, 1).await, PayOutcome::Recovering));
    // A cancel is no proof: a page may be open that is not known here.
    assert_eq!(cancel(bench, 1).await.unwrap().state, PaymentState::CancelRequested);
    let other = accepted(bench, 2).await.payment;
    // Too old, and given up before it came: but nothing is refused for good yet.
    assert_eq!(refused(bench, 3, 0).await, ErrorCode::Unavailable);
    assert_eq!(cancel(bench, 4).await, None);
    assert_eq!(refused(bench, 4, 86_400).await, ErrorCode::Unavailable);
    finish(bench, vec![]).await;
    assert_eq!(refused(bench, 3, 0).await, ErrorCode::LifetimeOver);
    assert_eq!(refused(bench, 4, 86_400).await, ErrorCode::Withdrawn);
    assert_eq!(learn(bench, payment, vec![]).await.0.state, PaymentState::Canceled);
    opening(pay(bench, other, 1).await);
}

pub(super) async fn a_page_found_before_its_order_is_its_attempt<B: Bench>(bench: &B) {
    begin(bench).await;
    let payment = payload(1).payment;
    let sessions =
        vec![found(payment, 2, SessionStatus::Open), found(payment, 1, SessionStatus::Expired)];
    finish(bench, sessions).await;
    let payment = accepted(bench, 1).await;
    assert_eq!(payment.state, PaymentState::WaitingForCard);
    let id = payment.payment;
    let expected = vec![
        (1, AttemptState::Disposed, Some("cs_1".to_owned())),
        (2, AttemptState::Opened, Some("cs_2".to_owned())),
    ];
    assert_eq!(attempts(bench, id).await, expected);
    match pay(bench, id, 1).await {
        PayOutcome::Open { url } => assert_eq!(url, "https://checkout.example/cs_2"),
        _ => panic!("the open page is not found"),
    }
    let over = vec![session(2, SessionStatus::Expired)];
    assert_eq!(learn(bench, id, over).await.0.state, PaymentState::Owed);
    assert!(matches!(pay(bench, id, 1).await, PayOutcome::Propose { number: 3 }));
}

/// Looks at the sessions that wait for their order, as decisions do.
struct Waiting(PaymentId);

impl Decision for Waiting {
    type Outcome = Vec<FoundSession>;

    async fn decide<T: Tx>(&self, tx: &mut T, _env: &Env) -> Result<Self::Outcome, StoreError> {
        tx.found_sessions(&tenant(), self.0).await
    }
}

pub(super) async fn a_page_without_its_order_is_followed_until_it_is_final<B: Bench>(bench: &B) {
    begin(bench).await;
    let payment = payload(1).payment;
    finish(bench, vec![found(payment, 1, SessionStatus::Open)]).await;
    let now = async || bench.store().run(Waiting(payment)).await.unwrap().pop().unwrap();
    let follow = async |seen: Option<(SessionStatus, bool)>| {
        let found = now().await;
        let seen = seen.map(|(status, is_paid)| FoundSeen { status, is_paid, url: None });
        bench.store().run(FollowFound { found, seen }).await.unwrap()
    };
    assert_eq!(now().await.due_at_ms, NOW_MS + 2_000);
    let put_off = follow(None).await.unwrap();
    assert_eq!((put_off.looks, put_off.due_at_ms), (1, NOW_MS + 2_000));
    follow(Some((SessionStatus::Open, false))).await;
    // It completes first, and is paid later: only then is it over.
    let slow = follow(Some((SessionStatus::Complete, false))).await.unwrap();
    assert!(slow.due_at_ms > NOW_MS && slow.looks == 3);
    let over = follow(Some((SessionStatus::Complete, true))).await.unwrap();
    assert_eq!((over.due_at_ms, over.is_paid), (0, true));
    assert!(now().await == over);
    // The order comes after all: its session is an attempt, and there is nothing left to follow.
    assert_eq!(accepted(bench, 1).await.state, PaymentState::Processing);
    assert!(bench.store().run(FollowFound { found: over, seen: None }).await.unwrap().is_none());
}

pub(super) async fn a_second_page_of_one_number_is_looked_at_as_well<B: Bench>(bench: &B) {
    let id = accepted(bench, 1).await.payment;
    opening(pay(bench, id, 1).await);
    opened(bench, id, 1).await;
    begin(bench).await;
    let mut second = found(id, 1, SessionStatus::Open);
    second.session = "cs_second".into();
    finish(bench, vec![second]).await;
    let expected = vec![
        (1, AttemptState::Opened, Some("cs_1".to_owned())),
        (2, AttemptState::Disposed, Some("cs_second".to_owned())),
    ];
    assert_eq!(attempts(bench, id).await, expected);
    let payment = learn(bench, id, vec![]).await.0;
    assert_eq!(payment.state, PaymentState::NeedsAttention);
}

pub(super) async fn a_page_found_after_its_order_is_its_attempt<B: Bench>(bench: &B) {
    let payment = accepted(bench, 1).await;
    let id = payment.payment;
    opening(pay(bench, id, 1).await);
    begin(bench).await;
    // The backup still waits for the answer to the first request; the lost ledger had got on to a
    // second one, so it had proof that the first is over.
    finish(bench, vec![found(id, 2, SessionStatus::Complete)]).await;
    let expected =
        vec![(1, AttemptState::Disposed, None), (2, AttemptState::Disposed, Some("cs_2".into()))];
    assert_eq!(attempts(bench, id).await, expected);
    assert!(matches!(pay(bench, id, 3).await, PayOutcome::NotPayable { .. }));
    let paid = vec![
        session(2, SessionStatus::Complete),
        charge_of(&payment, "ch_2", ChargeOutcome::Succeeded),
    ];
    assert_eq!(learn(bench, id, paid).await.0.state, PaymentState::Paid);
    assert_eq!(bench.counts().await, (1, 1));
}

pub(super) async fn the_answer_that_a_backup_waits_for_is_found<B: Bench>(bench: &B) {
    let id = accepted(bench, 1).await.payment;
    opening(pay(bench, id, 1).await);
    let known = accepted(bench, 2).await.payment;
    opening(pay(bench, known, 1).await);
    opened(bench, known, 1).await;
    begin(bench).await;
    let mut first = found(id, 1, SessionStatus::Open);
    first.session = "cs_of_1".into();
    // What the backup knows is no news.
    let after = take(bench, "", vec![first, found(known, 1, SessionStatus::Open)], None).await;
    assert_eq!(after.map(|it| (it.sessions_seen, it.sessions_found)), Some((2, 1)));
    let expected = vec![(1, AttemptState::Opened, Some("cs_of_1".to_owned()))];
    assert_eq!(attempts(bench, id).await, expected);
}

pub(super) async fn what_was_accepted_once_is_accepted_again<B: Bench>(bench: &B) {
    let (late, given_up) = (payload(1).payment, payload(2).payment);
    begin(bench).await;
    let mut second = found(given_up, 1, SessionStatus::Open);
    second.session = "cs_of_2".into();
    finish(bench, vec![found(late, 1, SessionStatus::Complete), second]).await;
    // Its lifetime is over, its handheld was revoked: the page at Stripe proves that it was taken.
    bench.put_device(Device { status: DeviceStatus::Revoked, ..device() }).await;
    bench.set_now_ms(NOW_MS + 10 * 86_400_000);
    assert_eq!(accepted(bench, 1).await.state, PaymentState::Processing);
    bench.put_device(device()).await;
    // The cancel comes before its order, and ends the page that is open.
    assert_eq!(cancel(bench, 2).await, None);
    assert_eq!(accepted(bench, 2).await.state, PaymentState::CancelRequested);
    let over =
        vec![Evidence::Session { session: "cs_of_2".into(), status: SessionStatus::Expired }];
    assert_eq!(learn(bench, given_up, over).await.0.state, PaymentState::Canceled);
}

pub(super) async fn a_page_is_taken_once_and_trouble_is_told<B: Bench>(bench: &B) {
    begin(bench).await;
    let payment = payload(1).payment;
    let first = || vec![found(payment, 2, SessionStatus::Expired)];
    let after = take(bench, "", first(), Some("cs_2")).await.unwrap();
    assert_eq!((after.cursor.as_str(), after.sessions_found), ("cs_2", 1));
    assert_eq!(take(bench, "", first(), Some("cs_2")).await, None);
    let put_off = PutOffRecovery { key: key(), trouble: "no connection".into() };
    bench.store().run(put_off).await.unwrap();
    let after = take(bench, "cs_2", vec![], None).await.unwrap();
    assert_eq!((after.trouble.as_str(), after.failures), ("", 0));
    let event = Event {
        tenant: tenant(),
        mode: Mode::Test,
        account: String::new(),
        event: "evt_1".into(),
        kind: "refund.created".into(),
        object: "re_1".into(),
        received_at_ms: NOW_MS,
        body: b"{}".to_vec(),
        payment: None,
        waiting_for: None,
    };
    let events = vec![RecordEvent { event, hint: Hint::Object("pi_1".into()) }];
    let again = events.clone();
    let page = |events, cursor: &str, next: Option<&str>| TakeEvents {
        key: key(),
        cursor: cursor.into(),
        events,
        next: next.map(str::to_owned),
    };
    let after = bench.store().run(page(events, "", Some("evt_1"))).await.unwrap().unwrap();
    assert_eq!(after.events_found, 1);
    let after = bench.store().run(page(again, "evt_1", None)).await.unwrap().unwrap();
    assert_eq!((after.events_found, after.stage), (1, RecoveryStage::Done));
    assert_eq!(bench.store().run(page(vec![], "", None)).await.unwrap(), None);
}

pub(super) async fn a_key_without_events_names_refunds_and_disputes<B: Bench>(bench: &B) {
    let paid = super::refunds::paid(bench).await.payment;
    begin(bench).await;
    take(bench, "", vec![], None).await;
    let pass = |stage| PassList { key: key(), stage };
    let named = |stage, cursor: &str, hints, next: Option<&str>| TakeNamed {
        key: key(),
        stage,
        cursor: cursor.into(),
        hints,
        next: next.map(str::to_owned),
    };
    let (refunds, disputes) = (RecoveryStage::Refunds, RecoveryStage::Disputes);
    // Only what may be gone without is passed, and a list only where it stands.
    bench.store().run(pass(RecoveryStage::Sessions)).await.unwrap();
    bench.store().run(pass(disputes)).await.unwrap();
    let early = named(refunds, "", vec![], None);
    assert_eq!(bench.store().run(early).await.unwrap(), None);
    bench.store().run(pass(RecoveryStage::Events)).await.unwrap();
    let hints = vec![Hint::Payment(paid), Hint::Object("pi_nobodys".into()), Hint::Nothing];
    let first = named(refunds, "", hints, Some("re_1"));
    let after = bench.store().run(first.clone()).await.unwrap().unwrap();
    assert_eq!((after.stage, after.cursor.as_str(), after.events_found), (refunds, "re_1", 1));
    assert_eq!(bench.store().run(first).await.unwrap(), None);
    bench.store().run(pass(refunds)).await.unwrap();
    let last = named(refunds, "re_1", vec![], None);
    let after = bench.store().run(last).await.unwrap().unwrap();
    assert_eq!((after.stage, after.finished_at_ms), (disputes, 0));
    bench.store().run(pass(disputes)).await.unwrap();
    let stands = bench.store().run(Recoveries).await.unwrap().pop().unwrap();
    assert_eq!((stands.stage, stands.finished_at_ms), (RecoveryStage::Done, NOW_MS));
    // The payment that was named is looked at.
    bench.set_now_ms(NOW_MS + 60_000);
    let jobs = bench.store().run(LeaseJobs { limit: 10 }).await.unwrap();
    assert!(jobs.iter().any(|job| job.payment == paid && job.kind == JobKind::CheckSession));
}

/// Looks at what is asked of Stripe, as decisions do.
struct Recoveries;

impl Decision for Recoveries {
    type Outcome = Vec<Recovery>;

    async fn decide<T: Tx>(&self, tx: &mut T, _env: &Env) -> Result<Self::Outcome, StoreError> {
        tx.recoveries(&tenant()).await
    }
}

pub(super) async fn no_money_goes_back_that_may_be_back_already<B: Bench>(bench: &B) {
    let payment = super::refunds::paid(bench).await;
    begin(bench).await;
    let ask = || super::refunds::ask(bench, &payment, 1, RefundAmount::Full);
    assert_eq!(ask().await, AskRefundOutcome::Recovering);
    finish(bench, vec![]).await;
    // Stripe named the payment; until it was looked at, its refunds are not known.
    bench.set_now_ms(NOW_MS + 60_000);
    assert_eq!(ask().await, AskRefundOutcome::Recovering);
    for job in bench.store().run(LeaseJobs { limit: 10 }).await.unwrap() {
        assert_eq!(ask().await, AskRefundOutcome::Recovering);
        bench.store().run(FinishJob { job, end: JobEnd::Done }).await.unwrap();
    }
    assert!(matches!(ask().await, AskRefundOutcome::Asked { new: true, .. }));
}
