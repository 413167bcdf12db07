//! *Pay* was pressed: the way to Stripe's page.
//!
//! The request only writes down what is wanted ([`holdfast_ledger::Pay`]); the worker sends it.
//! This waits for the outcome, so that the payer usually goes straight on. Two browsers that press
//! at once wait for the same attempt and get the same page.

use super::App;
use super::error::Problem;
use crate::payments;
use crate::store::StoreError;
use axum::http::StatusCode;
use holdfast_ledger::work::propose;
use holdfast_ledger::{Attempt, AttemptState, JobKind, Pay, PayOutcome, Payment, Store};
use sqlx::query;
use std::time::Duration;
use tokio::time::Instant;

/// How long a payer waits for Stripe: longer than its slowest answer, shorter than a request may
/// take here.
const OPENING_WAIT: Duration = Duration::from_secs(35);
/// How often the attempt is looked at without news of it.
const OPENING_LOOK: Duration = Duration::from_millis(200);
/// Proposals in one go: each further one means that an attempt ended in between.
const PROPOSALS_MAX: u32 = 3;

/// Where the payer goes.
pub(super) enum Way {
    /// To Stripe's page.
    Stripe(String),
    /// To the payment's own page: there is nothing to pay any more.
    Payment,
}

/// Opens the card page of an accepted payment, or finds the one that is open.
pub(super) async fn way_to_pay(app: &App, payment: &Payment) -> Result<Way, Problem> {
    match ask(app, payment).await? {
        Asked::Way(way) => Ok(way),
        Asked::Wait(attempt) => wait(app, &attempt).await,
    }
}

enum Asked {
    Way(Way),
    Wait(Box<Attempt>),
}

async fn ask(app: &App, payment: &Payment) -> Result<Asked, Problem> {
    let mut number = 1;
    for _ in 0..PROPOSALS_MAX {
        let proposal = propose(payment, number, app.public_url.as_str(), app.core.now_ms());
        let proposal = proposal.map_err(|error| cannot_be_charged(&error.to_string()))?;
        let pay = Pay { tenant: payment.tenant.clone(), payment: payment.payment, proposal };
        match app.core.store.run(pay).await? {
            PayOutcome::Open { url } => return Ok(Asked::Way(Way::Stripe(url))),
            PayOutcome::Opening { attempt } => return Ok(Asked::Wait(attempt)),
            PayOutcome::Propose { number: next } => number = next,
            PayOutcome::Recovering => return Err(recovering()),
            PayOutcome::NotPayable { .. } | PayOutcome::HeldUp { .. } => {
                return Ok(Asked::Way(Way::Payment));
            }
            PayOutcome::Unknown => return Err(Problem::unavailable()),
        }
    }
    Err(no_answer())
}

/// Waits until the attempt is opened or disposed of.
async fn wait(app: &App, attempt: &Attempt) -> Result<Way, Problem> {
    let mut news = app.core.store.news.subscribe();
    let deadline = Instant::now() + OPENING_WAIT;
    while Instant::now() < deadline {
        let attempts = payments::attempts(&app.core, &attempt.tenant, attempt.payment).await?;
        let now = attempts.into_iter().find(|it| it.number == attempt.number);
        match now {
            Some(Attempt { state: AttemptState::Opened, url: Some(url), .. }) => {
                return Ok(Way::Stripe(url));
            }
            Some(Attempt { state: AttemptState::Frozen, .. }) => {
                if has_failed(app, attempt).await? {
                    return Err(no_answer());
                }
            }
            Some(_) | None => return Ok(Way::Payment),
        }
        let ours = async {
            while let Ok(change) = news.recv().await {
                if change.payment == attempt.payment {
                    break;
                }
            }
        };
        // Time or news, whichever is first: an attempt can change without news of its payment.
        let _ = tokio::time::timeout(OPENING_LOOK, ours).await;
    }
    Err(no_answer())
}

/// True once the worker tried and put the request off: it goes on by itself, but not at once.
async fn has_failed(app: &App, attempt: &Attempt) -> Result<bool, StoreError> {
    let sql = query(
        "SELECT 1 FROM jobs WHERE tenant = ? AND kind = ? AND payment = ? AND tries > 0 \
         AND leased_until_ms = 0 AND due_at_ms > ?",
    );
    let sql = sql.bind(attempt.tenant.as_str()).bind(JobKind::OpenSession.as_str());
    let sql = sql.bind(attempt.payment.to_string()).bind(app.core.now_ms());
    Ok(sql.fetch_optional(&app.core.store.reads).await?.is_some())
}

/// A gateway that was put back opens no new card page until it knows of every old one.
pub(super) fn recovering() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "Please wait a few minutes",
        "The gateway was restored from a backup and is asking Stripe what happened since. What was \
         paid is found again.",
        "Try again in a few minutes. You cannot pay twice by that.",
    )
}

fn no_answer() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "Stripe does not answer yet",
        "The card page could not be opened in time. Nothing was charged.",
        "Go back and press Pay again in a minute. You cannot pay twice by that.",
    )
}

fn cannot_be_charged(why: &str) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "This cannot be paid by card",
        format!("Stripe does not take this payment: {why}."),
        "Show this to the officer, who makes a new one.",
    )
}
