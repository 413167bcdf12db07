//! The long poll: what the gateway knows of this handheld's payments, as it happens.

use super::exchange::{Answer, Response, TransportFault};
use super::message::{Chore, Command, Step};
use super::outbox::Heard;
use super::record::{Counters, Record, Write};
use super::token::refresh_error;
use super::tries::Tries;
use super::turn::{Moment, Turn};
use super::{Engine, Purpose};
use crate::error::RefreshError;
use holdfast_protocol::wire::{ChangesResponse, LONG_POLL_S_MAX};
use std::cmp::Ordering;

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
    /// The epoch that its revision was counted in, and that revision.
    asked: (u64, u64),
}

impl Engine {
    pub(super) fn start_changes(&mut self, now: Moment, commands: &mut Vec<Command>) {
        let Some(enrolment) = self.durable.enrolment() else {
            return;
        };
        let known = self.durable.counters(enrolment);
        let after = known.changes_after;
        let asked = (known.epoch, after);
        let wait_s = if self.changes.at_once { 0 } else { LONG_POLL_S_MAX };
        let timeout_ms = u64::from(wait_s).saturating_mul(1_000).saturating_add(ANSWER_MS_MAX);
        let path = format!("payments?after={after}&wait_s={wait_s}");
        if let Some(request) = self.read_request(&path, timeout_ms) {
            let ticket = self.issue(Purpose::Changes);
            self.changes.tries.start(ticket);
            self.changes.started_ms = now.mono_ms;
            self.changes.asked = asked;
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
        let answer = self.follows(self.plausible(Answer::<ChangesResponse>::read(answer)));
        self.hear(&answer, turn.now);
        self.refresh_changes(match &answer {
            Answer::Good(_) => None,
            Answer::Refused(refusal) => Some(refresh_error(refusal)),
            Answer::Untrusted => Some(RefreshError::CertificateUntrusted),
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
            Answer::Untrusted | Answer::Unanswered | Answer::Strange => Step::default(),
        }
    }

    /// Without any change, the revision is the one that was asked after.
    fn follows(&self, answer: Answer<ChangesResponse>) -> Answer<ChangesResponse> {
        let known = self.durable.enrolment().map(|enrolment| self.durable.counters(enrolment));
        let asked_after = known.map_or(0, |counters| counters.changes_after);
        match answer {
            Answer::Good(response)
                if response.payments.is_empty() && response.revision > asked_after =>
            {
                Answer::Strange
            }
            answer => answer,
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
        let known = self.durable.counters(enrolment);
        let heard = Heard { epoch: response.epoch, at_unix_s: response.gateway_time_unix_s };
        // By the epoch in which it was asked: another answer may have told of the new one meanwhile.
        let (asked_epoch, asked_after) = self.changes.asked;
        let was_restored = asked_after > 0 && heard.epoch > asked_epoch;
        let mut writes = self.heard_writes(response.payments, heard);
        // What was asked for counted from a revision of before the restore: ask for everything.
        let changes_after = if was_restored { 0 } else { response.revision };
        let changes_after = match heard.epoch.cmp(&known.epoch) {
            Ordering::Less => known.changes_after,
            Ordering::Equal => changes_after.max(known.changes_after),
            Ordering::Greater => changes_after,
        };
        let counters = writes.iter_mut().find_map(|write| match write {
            Write::Put(Record::Counters(counters)) => Some(counters),
            _ => None,
        });
        match counters {
            Some(counters) => counters.changes_after = changes_after,
            None if changes_after != known.changes_after => {
                writes.push(Write::Put(Record::Counters(Counters { changes_after, ..known })));
            }
            None => {}
        }
        writes
    }
}
