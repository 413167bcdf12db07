//! The long poll: what the gateway knows of this handheld's payments, as it happens.

use super::exchange::{Answer, Response, TransportFault};
use super::message::{Chore, Command, Step};
use super::outbox::{revised, with_status};
use super::record::{Counters, Held, Payment, Record, Write};
use super::token::refresh_error;
use super::tries::Tries;
use super::turn::{Moment, Turn};
use super::{Engine, Purpose};
use crate::error::RefreshError;
use holdfast_domain::PaymentId;
use holdfast_protocol::wire::{ChangesResponse, LONG_POLL_S_MAX, PaymentStatus};
use std::collections::BTreeMap;

/// An answer may come this much later than the wait that was asked for, in milliseconds.
const ANSWER_MS_MAX: u64 = 10_000;
/// Least time from one poll's start to the next, in milliseconds: a gateway that does not wait at
/// all must not drain the battery.
const POLL_MS_MIN: u64 = 250;

/// The tries of the poll.
#[derive(Default)]
pub(super) struct Poll {
    pub(super) tries: Tries,
    /// The next one asks for an answer at once.
    at_once: bool,
    started_ms: u64,
}

impl Engine {
    pub(super) fn start_changes(&mut self, now: Moment, commands: &mut Vec<Command>) {
        let Some(enrolment) = self.durable.enrolment() else {
            return;
        };
        let after = self.durable.counters(enrolment).changes_after;
        let wait_s = if self.changes.at_once { 0 } else { LONG_POLL_S_MAX };
        let timeout_ms = u64::from(wait_s).saturating_mul(1_000).saturating_add(ANSWER_MS_MAX);
        let path = format!("payments?after={after}&wait_s={wait_s}");
        if let Some(request) = self.read_request(&path, timeout_ms) {
            let ticket = self.issue(Purpose::Changes);
            self.changes.tries.start(ticket);
            self.changes.started_ms = now.mono_ms;
            commands.push(Command::Send { ticket, request });
        }
    }

    /// Asks anew, for an answer at once. The poll on its way may hang on a dead connection.
    pub(super) fn poll_at_once(&mut self, now: Moment) -> Option<Command> {
        self.changes.at_once = true;
        let abandoned = self.changes.tries.abandon();
        self.changes.tries.hurry(now.mono_ms);
        abandoned.map(|ticket| {
            self.tickets.remove(&ticket);
            Command::Abandon { ticket }
        })
    }

    pub(super) fn changes_answer(
        &mut self,
        answer: Result<Response, TransportFault>,
        turn: &mut Turn,
    ) -> Step {
        let answer = Answer::<ChangesResponse>::read(answer);
        self.hear(&answer, turn.now);
        self.refresh_changes(match &answer {
            Answer::Good(_) => None,
            Answer::Refused(refusal) => Some(refresh_error(refusal)),
            Answer::Unanswered | Answer::Strange => Some(RefreshError::Offline),
        });
        // A failed try until it is stored.
        self.changes.tries.fail_with(&answer, turn);
        match answer {
            Answer::Good(response) => {
                self.clock.learn(response.gateway_time_unix_s, turn.now);
                let writes = self.change_writes(response);
                Step { writes, chore: Some(Chore::Changes), ..Step::default() }
            }
            Answer::Refused(refusal) => {
                if refusal.status == 401 && self.changes.tries.failures() == 1 {
                    self.changes.tries.hurry(turn.now.mono_ms);
                }
                Step::store(self.session_refused(&refusal))
            }
            Answer::Unanswered | Answer::Strange => Step::default(),
        }
    }

    /// The changes are stored: ask for the next.
    pub(super) fn changes_fetched(&mut self, now: Moment) {
        self.changes.at_once = false;
        let earliest_ms = self.changes.started_ms.saturating_add(POLL_MS_MIN);
        self.changes.tries.succeed(now.mono_ms.max(earliest_ms));
    }

    fn change_writes(&self, response: ChangesResponse) -> Vec<Write> {
        let Some(enrolment) = self.durable.enrolment() else {
            return Vec::new();
        };
        let counters = self.durable.counters(enrolment);
        if counters.changes_after > 0 && counters.epoch != response.epoch {
            return self.restored_writes(counters, response.epoch);
        }
        let next = Counters {
            changes_after: response.revision.max(counters.changes_after),
            epoch: response.epoch,
            ..counters
        };
        let mut writes: Vec<_> = self.news(response.payments).collect();
        if next != counters {
            writes.push(Write::Put(Record::Counters(next)));
        }
        writes
    }

    /// The payments that changed, each once.
    fn news(&self, statuses: Vec<PaymentStatus>) -> impl Iterator<Item = Write> {
        let mut changed: BTreeMap<PaymentId, Payment> = BTreeMap::new();
        for status in statuses {
            let payment = status.payment;
            let known = changed.get(&payment).or_else(|| self.durable.payment(payment));
            if let Some(next) = known.and_then(|known| with_status(known, status)) {
                changed.insert(payment, next);
            }
        }
        changed.into_values().map(Write::payment)
    }

    /// The gateway was restored from a backup and counts its revisions anew: ask for everything,
    /// and let any answer be news.
    fn restored_writes(&self, counters: Counters, epoch: u64) -> Vec<Write> {
        log::warn!("the gateway was restored: epoch {} follows {}", epoch, counters.epoch);
        let forget = |payment: &Payment| {
            let held = payment.held.as_ref()?;
            let status = PaymentStatus { revision: 0, ..held.status.clone()? };
            Some(revised(payment, Held { status: Some(status), ..held.clone() }))
        };
        let payments = self.durable.payments().filter_map(forget);
        let mut writes: Vec<_> = payments.map(Write::payment).collect();
        writes.push(Write::Put(Record::Counters(Counters { changes_after: 0, epoch, ..counters })));
        writes
    }
}
