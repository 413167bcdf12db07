//! Events stored once, and durable work.

use super::fixture::{Bench, NOW_MS, accepted, tenant};
use super::settling::{learn, opened, opening, pay};
use crate::{
    Event, FinishJob, Hint, Job, JobEnd, JobKind, LeaseJobs, RecordEvent, RecordEventOutcome,
    Store, schedule,
};
use holdfast_domain::{AttentionReason, Mode};

fn event(id: &str) -> Event {
    Event {
        tenant: tenant(),
        mode: Mode::Test,
        account: String::new(),
        event: id.into(),
        kind: "checkout.session.completed".into(),
        object: "cs_1".into(),
        received_at_ms: NOW_MS,
        body: b"{}".to_vec(),
        payment: None,
        waiting_for: None,
    }
}

async fn record<B: Bench>(bench: &B, id: &str, hint: Hint) -> RecordEventOutcome {
    bench.store().run(RecordEvent { event: event(id), hint }).await.unwrap()
}

async fn lease<B: Bench>(bench: &B) -> Vec<Job> {
    bench.store().run(LeaseJobs { limit: 10 }).await.unwrap()
}

async fn finish<B: Bench>(bench: &B, job: &Job, end: JobEnd) -> bool {
    bench.store().run(FinishJob { job: job.clone(), end }).await.unwrap()
}

/// One payment with one due job.
async fn one_job<B: Bench>(bench: &B) -> Job {
    let payment = accepted(bench, 1).await.payment;
    record(bench, "evt_1", Hint::Payment(payment)).await;
    let jobs = lease(bench).await;
    assert_eq!(jobs.len(), 1);
    assert_eq!((jobs[0].kind, jobs[0].payment, jobs[0].tries), (JobKind::CheckSession, payment, 1));
    jobs[0].clone()
}

pub(super) async fn an_event_is_stored_once<B: Bench>(bench: &B) {
    assert_eq!(record(bench, "evt_1", Hint::Nothing).await, RecordEventOutcome::Ignored);
    assert_eq!(record(bench, "evt_1", Hint::Nothing).await, RecordEventOutcome::Duplicate);
    let unknown = Hint::Object("cs_unknown".into());
    assert_eq!(record(bench, "evt_2", unknown).await, RecordEventOutcome::Waiting);
    assert!(lease(bench).await.is_empty());
}

pub(super) async fn an_event_wakes_the_payment_it_names<B: Bench>(bench: &B) {
    let payment = accepted(bench, 1).await.payment;
    let followed = RecordEventOutcome::Followed(payment);
    assert_eq!(record(bench, "evt_1", Hint::Payment(payment)).await, followed);
    assert_eq!(lease(bench).await.len(), 1);
    assert!(lease(bench).await.is_empty(), "leased twice");
}

pub(super) async fn a_lost_lease_cannot_finish<B: Bench>(bench: &B) {
    let lost = one_job(bench).await;
    bench.set_now_ms(NOW_MS + schedule::LEASE_MS);
    let taken_over = lease(bench).await;
    assert_eq!(taken_over.len(), 1);
    assert!(!finish(bench, &lost, JobEnd::Done).await);
    assert!(finish(bench, &taken_over[0], JobEnd::Done).await);
}

pub(super) async fn a_wish_during_the_work_is_not_lost<B: Bench>(bench: &B) {
    let job = one_job(bench).await;
    record(bench, "evt_2", Hint::Payment(job.payment)).await;
    assert!(lease(bench).await.is_empty(), "a second worker took leased work");
    assert!(finish(bench, &job, JobEnd::Done).await);
    let again = lease(bench).await;
    assert_eq!(again.len(), 1);
    assert!(finish(bench, &again[0], JobEnd::Done).await);
    assert!(lease(bench).await.is_empty());
}

pub(super) async fn a_removed_job_does_not_give_its_fence_away<B: Bench>(bench: &B) {
    let first = one_job(bench).await;
    assert!(finish(bench, &first, JobEnd::Done).await);
    record(bench, "evt_2", Hint::Payment(first.payment)).await;
    assert_eq!(lease(bench).await.len(), 1);
    assert!(!finish(bench, &first, JobEnd::Done).await);
}

pub(super) async fn unfinished_work_comes_back_later_and_later<B: Bench>(bench: &B) {
    let job = one_job(bench).await;
    assert!(finish(bench, &job, JobEnd::Again).await);
    assert!(lease(bench).await.is_empty());
    let second_ms = NOW_MS + schedule::check_again_ms(1);
    bench.set_now_ms(second_ms);
    let again = lease(bench).await;
    assert_eq!((again.len(), again[0].tries), (1, 2));
    assert!(finish(bench, &again[0], JobEnd::Again).await);
    bench.set_now_ms(second_ms + schedule::check_again_ms(2) - 1);
    assert!(lease(bench).await.is_empty());
    bench.set_now_ms(second_ms + schedule::check_again_ms(2));
    assert_eq!(lease(bench).await.len(), 1);
}

pub(super) async fn an_event_before_its_object_is_followed_later<B: Bench>(bench: &B) {
    let payment = accepted(bench, 1).await.payment;
    opening(pay(bench, payment, 1).await);
    for job in lease(bench).await {
        assert!(finish(bench, &job, JobEnd::Done).await);
    }
    let early = Hint::Object("cs_1".into());
    assert_eq!(record(bench, "evt_1", early.clone()).await, RecordEventOutcome::Waiting);
    let other = Hint::Object("cs_of_somebody_else".into());
    assert_eq!(record(bench, "evt_2", other).await, RecordEventOutcome::Waiting);
    assert!(lease(bench).await.is_empty(), "nobody knows yet whose it is");
    opened(bench, payment, 1).await;
    // At once, and not only when the session's own first look is due.
    let jobs = lease(bench).await;
    assert_eq!(jobs.len(), 1);
    assert_eq!((jobs[0].kind, jobs[0].payment), (JobKind::CheckSession, payment));
    assert_eq!(record(bench, "evt_1", early.clone()).await, RecordEventOutcome::Duplicate);
    assert_eq!(record(bench, "evt_3", early).await, RecordEventOutcome::Followed(payment));
}

pub(super) async fn an_event_of_another_account_needs_a_person<B: Bench>(bench: &B) {
    let payment = accepted(bench, 1).await.payment;
    for (id, account, attention) in
        [("evt_1", "acct_1", None), ("evt_2", "acct_other", Some(AttentionReason::AccountDiffers))]
    {
        let event = Event { account: account.into(), ..event(id) };
        let hint = Hint::Payment(payment);
        let outcome = bench.store().run(RecordEvent { event, hint }).await.unwrap();
        assert_eq!(outcome, RecordEventOutcome::Followed(payment));
        assert_eq!(learn(bench, payment, vec![]).await.0.attention, attention);
    }
}
