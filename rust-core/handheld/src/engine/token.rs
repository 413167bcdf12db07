//! The session with the gateway: a short-lived token, and what is fetched with it.
//!
//! The token is fetched with a signed request (RFC 9421), lives in memory only, reads a little and
//! moves nothing: orders go without it.

use super::exchange::{Answer, HttpMethod, Refusal, Request, Response, TransportFault};
use super::message::{Command, Step};
use super::outbox::Heard;
use super::record::{Enrolment, Write};
use super::tries::Tries;
use super::turn::{Moment, Turn};
use super::{Engine, Purpose};
use crate::address::authority;
use crate::error::RefreshError;
use crate::port::DeviceKeyError;
use holdfast_domain::Secret;
use holdfast_protocol::DeviceSignature;
use holdfast_protocol::request_signature::TokenRequest;
use holdfast_protocol::wire::{ErrorCode, TokenResponse};

/// How long a short request may take, in milliseconds.
pub(super) const REQUEST_MS_MAX: u64 = 20_000;
/// A token is renewed this long before it ends, in milliseconds: longer than a long poll takes.
const RENEWAL_MS: u64 = 60_000;
/// A token is used for this long at least, in milliseconds: one that ends at once must not be
/// fetched in a circle.
const USE_MS_MIN: u64 = 10_000;

/// The token, and the tries to get one.
#[derive(Default)]
pub(super) struct Token {
    bearer: Option<Bearer>,
    tries: Tries,
    created_unix_s: u64,
}

struct Bearer {
    token: Secret<String>,
    until_ms: u64,
}

impl Token {
    pub(super) fn hurry(&mut self, now: Moment) {
        self.tries.hurry(now.mono_ms);
    }

    fn is_good(&self, now: Moment) -> bool {
        self.bearer.as_ref().is_some_and(|bearer| bearer.until_ms > now.mono_ms)
    }
}

impl Engine {
    /// Starts what needs a token, or the fetching of a token if there is none.
    pub(super) fn start_session(&mut self, turn: &mut Turn, commands: &mut Vec<Command>) {
        let now = turn.now;
        let wants_config = self.config.tries.is_due(now.mono_ms);
        let wants_changes = self.is_approved() && self.changes.tries.is_due(now.mono_ms);
        let wants_search = self.searches.wants_a_token();
        if self.durable.enrolment().is_none() || !(wants_config || wants_changes || wants_search) {
            return;
        }
        if !self.token.is_good(now) {
            self.token.bearer = None;
            self.start_token(now, commands);
            return;
        }
        self.start_searches(commands);
        if wants_config {
            self.start_config(commands);
        }
        if wants_changes {
            self.start_changes(now, commands);
        }
    }

    /// When [`Engine::start_session`] will have something to start.
    pub(super) fn session_wake_ms(&self) -> Option<u64> {
        self.durable.enrolment()?;
        let changes = self.is_approved().then(|| self.changes.tries.wake_ms()).flatten();
        let wanted = [self.config.tries.wake_ms(), changes].into_iter().flatten().min()?;
        match self.token.bearer {
            Some(_) => Some(wanted),
            None => self.token.tries.wake_ms().map(|token| token.max(wanted)),
        }
    }

    pub(super) fn is_approved(&self) -> bool {
        self.durable.enrolment().is_some_and(|enrolment| enrolment.approved)
    }

    /// A GET with the token, below the tenant's `/handheld/`.
    pub(super) fn read_request(&self, path_and_query: &str, timeout_ms: u64) -> Option<Request> {
        let enrolment = self.durable.enrolment()?;
        let bearer = self.token.bearer.as_ref()?;
        Some(Request {
            method: HttpMethod::Get,
            url: format!("{}{}{path_and_query}", enrolment.gateway_url, base_path(enrolment)),
            trust: enrolment.trust(),
            headers: vec![("authorization", format!("Bearer {}", bearer.token.expose()))],
            body: Vec::new(),
            timeout_ms,
        })
    }

    /// The gateway refused a request that carried the token.
    pub(super) fn session_refused(&mut self, refusal: &Refusal) -> Vec<Write> {
        if refusal.status == 401 {
            self.token.bearer = None;
        }
        self.device_refused(refusal)
    }

    fn start_token(&mut self, now: Moment, commands: &mut Vec<Command>) {
        let Some(enrolment) = self.durable.enrolment() else {
            return;
        };
        if !self.token.tries.is_due(now.mono_ms) {
            return;
        }
        let created_unix_s = self.clock.unix_s(now);
        let path = token_path(enrolment);
        let message = token_request(enrolment, &path, created_unix_s).signature_base();
        let ticket = self.issue(Purpose::TokenSignature);
        self.token.created_unix_s = created_unix_s;
        self.token.tries.start(ticket);
        commands.push(Command::Sign { ticket, message });
    }

    pub(super) fn token_signature(
        &mut self,
        answer: Result<Vec<u8>, DeviceKeyError>,
        turn: &mut Turn,
    ) -> Step {
        self.hear_of_the_key(&answer);
        let signature = answer.ok().and_then(|der| DeviceSignature::from_der(&der).ok());
        let (Some(enrolment), Some(signature)) = (self.durable.enrolment(), signature) else {
            self.token.tries.fail(false, None, turn);
            self.refresh_session_failed(RefreshError::DeviceKeyUnavailable);
            return Step::default();
        };
        let path = token_path(enrolment);
        let signed = token_request(enrolment, &path, self.token.created_unix_s);
        let request = Request {
            method: HttpMethod::Post,
            url: format!("{}{path}", enrolment.gateway_url),
            trust: enrolment.trust(),
            headers: vec![
                ("signature-input", signed.signature_input()),
                ("signature", TokenRequest::signature_header(&signature)),
            ],
            body: Vec::new(),
            timeout_ms: REQUEST_MS_MAX,
        };
        let ticket = self.issue(Purpose::Token);
        self.token.tries.start(ticket);
        Step::command(Command::Send { ticket, request })
    }

    pub(super) fn token_answer(
        &mut self,
        answer: Result<Response, TransportFault>,
        turn: &mut Turn,
    ) -> Step {
        let answer = Answer::<TokenResponse>::read(answer);
        self.hear(&answer, turn.now);
        self.token.tries.fail_with(&answer, turn);
        match answer {
            Answer::Good(response) => {
                self.token.bearer = Some(bearer(response, turn.now));
                self.token.tries.succeed(turn.now.mono_ms);
                Step::default()
            }
            Answer::Refused(refusal) => self.token_refused(&refusal, turn),
            Answer::Untrusted => {
                self.refresh_session_failed(RefreshError::CertificateUntrusted);
                Step::default()
            }
            Answer::Unanswered | Answer::Strange => {
                self.refresh_session_failed(RefreshError::Offline);
                Step::default()
            }
        }
    }

    fn token_refused(&mut self, refusal: &Refusal, turn: &mut Turn) -> Step {
        log::warn!("no token: {:?}", refusal.code);
        if let (ErrorCode::ClockWrong, Some(time)) = (refusal.code, refusal.gateway_time_unix_s) {
            self.clock.learn(time, turn.now);
            if self.token.tries.failures() == 1 {
                // Now that the right time is known, there is nothing to wait for.
                self.token.tries.hurry(turn.now.mono_ms);
                return Step::default();
            }
        }
        self.refresh_session_failed(refresh_error(refusal));
        Step::store(self.device_refused(refusal))
    }

    /// A handheld that the gateway does not know any more hears nothing else; but what a restored
    /// gateway has lost it still brings, and a person there decides.
    fn device_refused(&self, refusal: &Refusal) -> Vec<Write> {
        if !refusal.is_about_the_device() {
            return Vec::new();
        }
        let mut writes = self.approval_withdrawn();
        if let Some(epoch) = refusal.epoch {
            let at_unix_s = refusal.gateway_time_unix_s.unwrap_or_default();
            writes.extend(self.heard_writes(Vec::new(), Heard { epoch, at_unix_s }));
        }
        writes
    }

    /// The gateway does not know this handheld any more: nothing new is promised until it does.
    fn approval_withdrawn(&self) -> Vec<Write> {
        let approved = self.durable.enrolment().filter(|enrolment| enrolment.approved);
        let withdrawn =
            approved.map(|enrolment| Enrolment { approved: false, ..enrolment.clone() });
        withdrawn.map(Write::enrolment).into_iter().collect()
    }
}

/// A refusal of the session, for whoever forced a refresh.
pub(super) fn refresh_error(refusal: &Refusal) -> RefreshError {
    if refusal.is_about_the_device() {
        RefreshError::DeviceRevoked
    } else {
        RefreshError::Refused { sentence: refusal.sentence.clone() }
    }
}

fn bearer(response: TokenResponse, now: Moment) -> Bearer {
    let lasts_ms = u64::from(response.expires_in_s).saturating_mul(1_000);
    let used_ms = lasts_ms.saturating_sub(RENEWAL_MS).max(lasts_ms / 2).max(USE_MS_MIN);
    let until_ms = now.mono_ms.saturating_add(used_ms);
    Bearer { token: Secret::new(response.token), until_ms }
}

fn base_path(enrolment: &Enrolment) -> String {
    format!("/api/{}/handheld/", enrolment.tenant)
}

fn token_path(enrolment: &Enrolment) -> String {
    base_path(enrolment) + "token"
}

fn token_request<'a>(
    enrolment: &'a Enrolment,
    path: &'a str,
    created_unix_s: u64,
) -> TokenRequest<'a> {
    let authority = authority(&enrolment.gateway_url);
    TokenRequest { authority, path, created_unix_s, device: enrolment.device }
}
