//! The configuration: catalogue, payment types, officer, approval. Kept on disk for offline use.

use super::enrol::is_web_address;
use super::exchange::{Answer, Response, TransportFault};
use super::message::{Chore, Command, Step};
use super::outbox::Heard;
use super::record::{Config, Enrolment, Key, Record, Write};
use super::token::{REQUEST_MS_MAX, refresh_error};
use super::tries::Tries;
use super::turn::{Moment, Turn};
use super::{Engine, Purpose};
use crate::error::RefreshError;
use holdfast_protocol::order::LIFETIME_S_MAX;
use holdfast_protocol::wire::{ConfigResponse, WIRE_VERSION};

/// The configuration is fetched this often, in milliseconds (15 minutes): prices change rarely, and
/// an order names the version it was priced with.
const CONFIG_MS: u64 = 15 * 60 * 1_000;
/// While approval is awaited it is asked for this often, in milliseconds: somebody looks at the
/// screen.
const APPROVAL_MS: u64 = 3_000;

/// The tries to fetch it.
#[derive(Default)]
pub(super) struct Fetch {
    pub(super) tries: Tries,
}

impl Engine {
    pub(super) fn start_config(&mut self, commands: &mut Vec<Command>) {
        if let Some(request) = self.read_request("config", REQUEST_MS_MAX) {
            let ticket = self.issue(Purpose::Config);
            self.config.tries.start(ticket);
            commands.push(Command::Send { ticket, request });
        }
    }

    pub(super) fn config_answer(
        &mut self,
        answer: Result<Response, TransportFault>,
        turn: &mut Turn,
    ) -> Step {
        let answer = self.plausible(checked(Answer::read(answer)));
        self.hear(&answer, turn.now);
        self.refresh_config(match &answer {
            Answer::Good(_) => None,
            Answer::Refused(refusal) => Some(refresh_error(refusal)),
            Answer::Untrusted => Some(RefreshError::CertificateUntrusted),
            Answer::Unanswered | Answer::Strange => Some(RefreshError::Offline),
        });
        // A failed try until it is stored.
        self.config.tries.fail_with(&answer, turn);
        match answer {
            Answer::Good(config) => {
                self.clock.learn(config.gateway_time_unix_s, turn.now);
                let writes = self.config_writes(config, turn.now);
                Step { writes, chore: Some(Chore::Config), ..Step::default() }
            }
            Answer::Refused(refusal) => {
                if refusal.status == 401 && self.config.tries.failures() == 1 {
                    self.config.tries.hurry(turn.now.mono_ms);
                }
                Step::store(self.session_refused(&refusal))
            }
            Answer::Untrusted | Answer::Unanswered | Answer::Strange => Step::default(),
        }
    }

    /// The configuration is stored.
    pub(super) fn config_fetched(&mut self, now: Moment) {
        let pause_ms = if self.is_approved() { CONFIG_MS } else { APPROVAL_MS };
        self.config.tries.succeed(now.mono_ms.saturating_add(pause_ms));
    }

    fn config_writes(&self, config: ConfigResponse, now: Moment) -> Vec<Write> {
        let heard = Heard { epoch: config.epoch, at_unix_s: config.gateway_time_unix_s };
        let mut writes = self.drafts_to_choose_again(&config);
        writes.extend(self.heard_writes(Vec::new(), heard));
        let forgotten = self.forget_history(&config);
        // Both may move the counters; what is forgotten waits for the next time then.
        let moves = |write: &Write| write.key() == Key::Counters;
        if !writes.iter().any(moves) {
            writes.extend(forgotten);
        }
        if let Some(known) = self.durable.enrolment() {
            let enrolment = Enrolment {
                public_url: config.public_url.clone(),
                officer: config.officer.id,
                officer_name: config.officer.name.clone(),
                organisation: config.organisation.clone(),
                approved: config.approved,
                ..known.clone()
            };
            if enrolment != *known {
                writes.push(Write::enrolment(enrolment));
            }
        }
        writes.push(Write::Put(Record::Config(Config { fetched_at_ms: now.wall_ms, config })));
        writes
    }
}

/// A configuration that this handheld cannot work with is no answer: the last good one stays.
fn checked(answer: Answer<ConfigResponse>) -> Answer<ConfigResponse> {
    match answer {
        Answer::Good(config)
            if config.version > WIRE_VERSION
                || !(1..=LIFETIME_S_MAX).contains(&config.order_lifetime_s)
                || config.catalogue_lifetime_s == 0
                || !is_web_address(&config.public_url) =>
        {
            Answer::Strange
        }
        answer => answer,
    }
}
