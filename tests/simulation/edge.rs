//! The gateway's HTTP, as thin as it can be: the same addresses, statuses and codes as the server's.

use super::Broken;
use super::fixture;
use super::gateway::Parked;
use super::link::Exchange;
use super::world::{Happening, World};
use data_encoding::BASE64URL_NOPAD;
use holdfast_domain::DeviceId;
use holdfast_handheld::engine::{Request, Response};
use holdfast_ledger::{
    Accept, AcceptOutcome, Carrier, Device, DeviceStatus, NoticeOutcome, Payment, TakeNotice,
};
use holdfast_protocol::wire::{
    ChangesResponse, ErrorBody, ErrorCode, NoticeResponse, SubmitResponse, TokenResponse,
};
use holdfast_protocol::{NoticeKind, SignedNotice, SignedOrder, request_signature};
use serde::Serialize;

/// How long a token is good, in seconds.
const TOKEN_TTL_S: u32 = 15 * 60;

impl World {
    /// Answers everything but long polls.
    pub(super) fn answer(&mut self, exchange: &Exchange) -> Response {
        match exchange.path() {
            "orders" => self.submit(&exchange.request),
            "notices" => self.take_notice(&exchange.request),
            "handheld/enrol" => self.enrol(exchange),
            "handheld/token" => self.token(exchange),
            "handheld/config" => match self.authorised(&exchange.request) {
                Ok(device) => {
                    let approved = device.status == DeviceStatus::Approved;
                    let (now_ms, epoch) = (self.now_ms(), self.gateway.epoch);
                    json(200, &fixture::config(now_ms, epoch, approved, self.script.lifetime_s))
                }
                Err(refused) => refused,
            },
            path if path.starts_with("handheld/charges?") => {
                match self.authorised(&exchange.request) {
                    Ok(_) => self.found_charges(),
                    Err(refused) => refused,
                }
            }
            _ => refusal(ErrorCode::NotFound),
        }
    }

    fn submit(&mut self, request: &Request) -> Response {
        let Ok(order) = SignedOrder::parse(&request.body) else {
            return refusal(ErrorCode::Malformed);
        };
        let carrier = Carrier::Handheld;
        match self.decide(Accept { order, tenant: fixture::tenant(), carrier }) {
            Ok(AcceptOutcome::Accepted { payment, new }) => {
                self.note(|| format!("gateway: accepted {} (new: {new})", payment.payment));
                let payment = payment.status();
                let gateway_time_unix_s = fixture::unix_s(self.now_ms());
                let epoch = self.gateway.epoch;
                json(200, &SubmitResponse { payment, gateway_time_unix_s, epoch })
            }
            Ok(AcceptOutcome::Refused { code, message }) => {
                self.note(|| format!("gateway: refused an order: {message}"));
                refusal(code)
            }
            Err(_) => refusal(ErrorCode::Unavailable),
        }
    }

    fn take_notice(&mut self, request: &Request) -> Response {
        let Ok(notice) = SignedNotice::parse(&request.body) else {
            return refusal(ErrorCode::Malformed);
        };
        let is_report = matches!(notice.payload().kind, NoticeKind::Quarantined { .. });
        if is_report && self.plan.broken == Some(Broken::ReportSwallowed) {
            let gateway_time_unix_s = fixture::unix_s(self.now_ms());
            let epoch = self.gateway.epoch;
            return json(200, &NoticeResponse { payment: None, gateway_time_unix_s, epoch });
        }
        match self.decide(TakeNotice { notice, tenant: fixture::tenant() }) {
            Ok(NoticeOutcome::Taken { payment }) => {
                self.note(|| format!("gateway: took a notice about {payment:?}"));
                let payment = payment.map(|payment| payment.status());
                let gateway_time_unix_s = fixture::unix_s(self.now_ms());
                let epoch = self.gateway.epoch;
                json(200, &NoticeResponse { payment, gateway_time_unix_s, epoch })
            }
            Ok(NoticeOutcome::Refused { code, message }) => {
                self.note(|| format!("gateway: refused a notice: {message}"));
                refusal(code)
            }
            Err(_) => refusal(ErrorCode::Unavailable),
        }
    }

    fn token(&mut self, exchange: &Exchange) -> Response {
        let header = |name: &str| {
            let found = exchange.request.headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        let Ok((created_unix_s, device)) = request_signature::claims(header("signature-input"))
        else {
            return refusal(ErrorCode::Malformed);
        };
        let known = self.known_device(device);
        let Some(known) = known else { return refusal(ErrorCode::UnknownDevice) };
        let now_s = fixture::unix_s(self.now_ms());
        let signed = request_signature::TokenRequest {
            authority: "gateway.example",
            path: "/api/demo/handheld/token",
            created_unix_s,
            device,
        };
        let signature = header("signature");
        let verified = request_signature::verify(&signed, signature, &known.public_key, now_s);
        if verified.is_err_and(|e| !matches!(e, request_signature::RequestError::Clock { .. })) {
            return refusal(ErrorCode::SignatureWrong);
        }
        if now_s.abs_diff(created_unix_s) > request_signature::CLOCK_TOLERANCE_S {
            let (code, message) = (ErrorCode::ClockWrong, "Sign again.".to_owned());
            let body = ErrorBody { code, message, gateway_time_unix_s: Some(now_s), epoch: None };
            return json(401, &body);
        }
        if known.status == DeviceStatus::Revoked {
            let (code, message) = (ErrorCode::DeviceRevoked, "No.".to_owned());
            let epoch = Some(self.gateway.epoch);
            return json(403, &ErrorBody { code, message, gateway_time_unix_s: None, epoch });
        }
        let mut token = device.as_bytes().to_vec();
        token.extend(now_s.saturating_add(u64::from(TOKEN_TTL_S)).to_be_bytes());
        let token = BASE64URL_NOPAD.encode(&token);
        json(200, &TokenResponse { token, expires_in_s: TOKEN_TTL_S })
    }

    fn known_device(&self, device: holdfast_domain::DeviceId) -> Option<Device> {
        self.gateway.tables(|tables| tables.devices.get(&(fixture::tenant(), device)).cloned())
    }

    /// The handheld whose token the request carries.
    fn authorised(&self, request: &Request) -> Result<Device, Response> {
        let read = || {
            let (_, value) = request.headers.iter().find(|(name, _)| *name == "authorization")?;
            let token = BASE64URL_NOPAD.decode(value.strip_prefix("Bearer ")?.as_bytes()).ok()?;
            let (device, until) = token.split_first_chunk::<8>()?;
            let until = u64::from_be_bytes(until.try_into().ok()?);
            let device = holdfast_domain::DeviceId::from_bytes(*device);
            (until > fixture::unix_s(self.now_ms())).then_some(device)
        };
        let device = read().ok_or_else(|| refusal(ErrorCode::Unauthorized))?;
        let known = self.known_device(device).ok_or_else(|| refusal(ErrorCode::UnknownDevice))?;
        match known.status {
            DeviceStatus::Revoked => Err(refusal(ErrorCode::DeviceRevoked)),
            DeviceStatus::Pending | DeviceStatus::Approved => Ok(known),
        }
    }

    /// A long poll: answered at once if there is news, otherwise when there is, or at its end.
    pub(super) fn poll(&mut self, exchange: Exchange, query: &str) {
        let devices = match self.authorised(&exchange.request) {
            Ok(device) => self.asked_about(device.device),
            Err(refused) => return self.send_back(&exchange, refused),
        };
        let number = |name: &str| {
            let found = query.split('&').find_map(|part| part.strip_prefix(name));
            found.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
        };
        let (after, wait_s) = (number("after="), number("wait_s="));
        let has_news = !self.gateway.changes(&devices, after).is_empty();
        if has_news || wait_s == 0 {
            return self.send_changes(&exchange, &devices, after);
        }
        let parked = self.gateway.number();
        self.gateway.polls.insert(parked, Parked { exchange, after, devices });
        let wait_ms = i64::try_from(wait_s).unwrap_or(0).saturating_mul(1_000);
        self.enter_in(wait_ms, Happening::PollEnds(parked));
    }

    pub(super) fn poll_ends(&mut self, number: u64) {
        if let Some(Parked { exchange, after, devices }) = self.gateway.polls.remove(&number) {
            self.send_changes(&exchange, &devices, after);
        }
    }

    /// Itself, and the handhelds that it was before.
    fn asked_about(&self, device: DeviceId) -> Vec<DeviceId> {
        let earlier: Vec<_> = self.gateway.tables(|tables| {
            let its = tables.continuity.iter().filter(|(_, now, _)| *now == device);
            its.map(|(_, _, earlier)| *earlier).collect()
        });
        [device].into_iter().chain(earlier).collect()
    }

    /// Something changed: whoever waits for it hears it.
    pub(super) fn answer_polls(&mut self) {
        // No poll is parked that had news already.
        let changes = Some(self.gateway.ledger.changes());
        let has_changed = std::mem::replace(&mut self.gateway.polls_seen, changes) != changes;
        if self.gateway.polls.is_empty() || !has_changed {
            return;
        }
        let has_news = |(number, parked): (&u64, &Parked)| {
            let devices = &parked.devices;
            let is_news = self.gateway.tables(|tables| {
                let is_newer =
                    |p: &Payment| p.revision > parked.after && devices.contains(&p.device);
                tables.payments.values().any(is_newer)
            });
            is_news.then_some(*number)
        };
        let ready: Vec<u64> = self.gateway.polls.iter().filter_map(has_news).collect();
        for number in ready {
            self.poll_ends(number);
        }
    }

    fn send_changes(&mut self, exchange: &Exchange, devices: &[DeviceId], after: u64) {
        let changed = self.gateway.changes(devices, after);
        let changes = ChangesResponse {
            revision: changed.last().map_or(after, |payment| payment.revision),
            epoch: self.gateway.epoch,
            gateway_time_unix_s: fixture::unix_s(self.now_ms()),
            payments: changed.iter().map(Payment::status).collect(),
        };
        self.send_back(exchange, json(200, &changes));
    }
}

pub(super) fn json(status: u16, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).unwrap_or_default().into();
    Response { status, retry_after_s: None, body }
}

/// As `gateway::http::error` has it.
pub(super) fn refusal(code: ErrorCode) -> Response {
    let status = match code {
        ErrorCode::Malformed | ErrorCode::UnknownVersion => 400,
        ErrorCode::SignatureWrong
        | ErrorCode::ClockWrong
        | ErrorCode::Unauthorized
        | ErrorCode::CodeWrong => 401,
        ErrorCode::UnknownDevice | ErrorCode::DeviceRevoked | ErrorCode::DeviceNotApproved => 403,
        ErrorCode::NotFound => 404,
        ErrorCode::PaymentConflict | ErrorCode::SequenceReused => 409,
        ErrorCode::LifetimeOver | ErrorCode::Withdrawn => 410,
        ErrorCode::TooLarge => 413,
        ErrorCode::RateLimited => 429,
        ErrorCode::PaymentTypeNotReady | ErrorCode::Unavailable | ErrorCode::Unknown => 503,
        _ => 422,
    };
    let again = matches!(status, 429 | 503).then_some(10);
    let body =
        ErrorBody { code, message: "No.".to_owned(), gateway_time_unix_s: None, epoch: None };
    Response { retry_after_s: again, ..json(status, &body) }
}
