//! A gateway in a few lines, for what the engine must be able to rely on: one payment for each ID,
//! the same answer to the same order, a conflict for another.

use super::fixture;
use crate::engine::{Request, Response};
use holdfast_domain::{PaymentId, PaymentState};
use holdfast_protocol::wire::{
    ChangesResponse, ConfigResponse, ErrorBody, ErrorCode, NoticeResponse, PaymentStatus,
    SubmitResponse, TokenResponse,
};
use holdfast_protocol::{NoticeKind, OrderDigest, SignedNotice, SignedOrder, request_signature};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) struct Gateway {
    pub(crate) config: ConfigResponse,
    pub(crate) time_unix_s: u64,
    pub(crate) epoch: u64,
    pub(crate) accepted: BTreeMap<PaymentId, Accepted>,
    pub(crate) submissions: Vec<Vec<u8>>,
    /// Every notice as it came.
    pub(crate) notices: Vec<Vec<u8>>,
    /// Payments whose order is refused, should it still come.
    pub(crate) given_up: BTreeSet<PaymentId>,
    pub(crate) tokens_given: u32,
    pub(crate) token_refusals: u32,
    pub(crate) token_lasts_s: u32,
    pub(crate) revision: u64,
}

pub(crate) struct Accepted {
    pub(crate) digest: OrderDigest,
    pub(crate) sequence: u64,
    pub(crate) status: PaymentStatus,
}

impl Gateway {
    pub(crate) fn new() -> Self {
        Self {
            config: fixture::config(),
            time_unix_s: fixture::START.wall_ms / 1_000,
            epoch: 1,
            accepted: BTreeMap::new(),
            submissions: Vec::new(),
            notices: Vec::new(),
            given_up: BTreeSet::new(),
            tokens_given: 0,
            token_refusals: 0,
            token_lasts_s: 900,
            revision: 0,
        }
    }

    pub(crate) fn answer(&mut self, request: &Request) -> Response {
        let path = request.url.strip_prefix(fixture::GATEWAY_URL).unwrap_or_default();
        let path = path.strip_prefix("/api/demo/").unwrap_or_default();
        match path.split_once('?').unwrap_or((path, "")) {
            ("orders", _) => self.submit(&request.body),
            ("notices", _) => self.notice(&request.body),
            ("handheld/token", _) => self.token(request),
            ("handheld/config", _) => self.with_token(request, |g| json(200, &g.config)),
            ("handheld/payments", query) => self.with_token(request, |g| g.changes(query)),
            _ => refusal(404, ErrorCode::NotFound),
        }
    }

    /// Moves a payment on, as evidence from Stripe would.
    pub(crate) fn move_on(&mut self, payment: PaymentId, state: PaymentState) {
        self.revision += 1;
        let status = &mut self.accepted.get_mut(&payment).unwrap().status;
        status.state = state;
        status.revision = self.revision;
    }

    /// The payer's phone brings an order.
    pub(crate) fn carry(&mut self, order: &[u8]) {
        self.submit(order);
    }

    fn submit(&mut self, body: &[u8]) -> Response {
        self.submissions.push(body.to_vec());
        let Ok(order) = SignedOrder::parse(body) else {
            return refusal(400, ErrorCode::Malformed);
        };
        if order.verify(&fixture::public_key()).is_err() {
            return refusal(400, ErrorCode::SignatureWrong);
        }
        let (payment, sequence) = (order.payload().payment, order.payload().sequence);
        match self.accepted.get(&payment) {
            None if self.given_up.contains(&payment) => {
                return refusal(409, ErrorCode::Withdrawn);
            }
            Some(known) if known.digest != order.digest() => {
                return refusal(409, ErrorCode::PaymentConflict);
            }
            Some(_) => {}
            None if self.accepted.values().any(|other| other.sequence == sequence) => {
                return refusal(409, ErrorCode::SequenceReused);
            }
            None => {
                self.revision += 1;
                let status = fixture::status(payment, self.revision, PaymentState::Sent);
                let digest = order.digest();
                self.accepted.insert(payment, Accepted { digest, sequence, status });
            }
        }
        let payment = self.accepted[&payment].status.clone();
        let (gateway_time_unix_s, epoch) = (self.time_unix_s, self.epoch);
        json(200, &SubmitResponse { payment, gateway_time_unix_s, epoch })
    }

    fn notice(&mut self, body: &[u8]) -> Response {
        self.notices.push(body.to_vec());
        let Ok(notice) = SignedNotice::parse(body) else {
            return refusal(400, ErrorCode::Malformed);
        };
        if notice.verify(&fixture::public_key()).is_err() {
            return refusal(401, ErrorCode::SignatureWrong);
        }
        let id = notice.payload().payment;
        let asks = !matches!(notice.payload().kind, NoticeKind::Quarantined { .. });
        let state = self.accepted.get(&id).map(|known| known.status.state);
        match state {
            Some(state) if asks && state.can_be_paid() => self.move_on(id, PaymentState::Canceled),
            None if asks => {
                self.given_up.insert(id);
            }
            _ => {}
        }
        let payment = self.accepted.get(&id).map(|known| known.status.clone());
        let (gateway_time_unix_s, epoch) = (self.time_unix_s, self.epoch);
        json(200, &NoticeResponse { payment, gateway_time_unix_s, epoch })
    }

    /// Forgets everything, as a restore from an old backup does.
    pub(crate) fn restore(&mut self) {
        self.accepted.clear();
        self.epoch += 1;
        self.config.epoch = self.epoch;
        self.revision = 0;
    }

    fn token(&mut self, request: &Request) -> Response {
        let header = |name| {
            let found = request.headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        if self.token_refusals > 0 {
            self.token_refusals -= 1;
            let (code, message) = (ErrorCode::DeviceRevoked, "No.".to_owned());
            let epoch = Some(self.epoch);
            return json(403, &ErrorBody { code, message, gateway_time_unix_s: None, epoch });
        }
        let (created_unix_s, device) =
            request_signature::claims(header("signature-input")).unwrap();
        let signed = request_signature::TokenRequest {
            authority: "gateway.example",
            path: "/api/demo/handheld/token",
            created_unix_s,
            device,
        };
        let key = fixture::public_key();
        match request_signature::verify(&signed, header("signature"), &key, self.time_unix_s) {
            Ok(()) => {
                self.tokens_given += 1;
                let token = format!("token-{}", self.tokens_given);
                json(200, &TokenResponse { token, expires_in_s: self.token_lasts_s })
            }
            Err(request_signature::RequestError::Clock { .. }) => {
                let gateway_time_unix_s = Some(self.time_unix_s);
                let (code, message) = (ErrorCode::ClockWrong, String::new());
                json(401, &ErrorBody { code, message, gateway_time_unix_s, epoch: None })
            }
            Err(_) => refusal(401, ErrorCode::SignatureWrong),
        }
    }

    fn with_token(&self, request: &Request, then: impl Fn(&Self) -> Response) -> Response {
        let current = ("authorization", format!("Bearer token-{}", self.tokens_given));
        if request.headers.contains(&current) {
            then(self)
        } else {
            refusal(401, ErrorCode::Unauthorized)
        }
    }

    fn changes(&self, query: &str) -> Response {
        let after = query.split('&').find_map(|part| part.strip_prefix("after="));
        let after: u64 = after.unwrap().parse().unwrap();
        let changed = self.accepted.values().map(|known| &known.status);
        let mut payments: Vec<_> = changed.filter(|s| s.revision > after).cloned().collect();
        payments.sort_by_key(|status| status.revision);
        json(
            200,
            &ChangesResponse {
                revision: self.revision,
                epoch: self.epoch,
                gateway_time_unix_s: self.time_unix_s,
                payments,
            },
        )
    }
}

pub(crate) fn json(status: u16, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).unwrap().into();
    Response { status, retry_after_s: None, body }
}

pub(crate) fn refusal(status: u16, code: ErrorCode) -> Response {
    let body =
        ErrorBody { code, message: "No.".to_owned(), gateway_time_unix_s: None, epoch: None };
    json(status, &body)
}
