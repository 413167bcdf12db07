//! A handheld that has lost who it is, or that a restored gateway does not know any more, is enrolled
//! again: the administrator makes a code, the officer types it.

use super::edge::{json, refusal};
use super::fixture;
use super::link::Exchange;
use super::officer::Asked;
use super::world::{Happening, World};
use data_encoding::BASE64URL_NOPAD;
use holdfast_domain::{DeviceId, OfficerId, ShortCode};
use holdfast_handheld::engine::{Call, Event, Reply, Response, Ticket};
use holdfast_handheld::error::EnrolError;
use holdfast_ledger::{Device, DeviceStatus};
use holdfast_protocol::enrolment::{proof_message, six_digits};
use holdfast_protocol::wire::{EnrolRequest, EnrolResponse, ErrorCode, Officer, WIRE_VERSION};
use holdfast_protocol::{DevicePublicKey, DeviceSignature, EnrolmentLink};
use p256::pkcs8::EncodePublicKey;
use std::collections::BTreeMap;

/// How long it takes until somebody stands there with a code, in milliseconds.
const CODE_MS: (i64, i64) = (5_000, 300_000);

/// The codes that administrators have made, and which handheld each has enrolled.
#[derive(Default)]
pub(super) struct Codes {
    used: BTreeMap<ShortCode, Option<DeviceId>>,
    made: u64,
}

impl World {
    /// Sees to it that a handheld which is nobody becomes somebody again.
    pub(super) fn enrol_if_needed(&mut self, device: usize) {
        if self.is_nobody(device) && !std::mem::replace(&mut self.device(device).awaits_code, true)
        {
            let wait_ms = self.draw_ms(CODE_MS.0, CODE_MS.1);
            self.enter_in(wait_ms, Happening::Enrols { device });
        }
    }

    /// It cannot read who it is, or the gateway does not know it.
    fn is_nobody(&mut self, device: usize) -> bool {
        let handheld = self.device(device);
        let Some(engine) = &handheld.engine else { return false };
        let Some(enrolment) = engine.durable().enrolment() else { return true };
        let key = (fixture::tenant(), enrolment.device);
        self.gateway.tables(|tables| !tables.devices.contains_key(&key))
    }

    pub(super) fn enrols(&mut self, device: usize) {
        self.device(device).awaits_code = false;
        if !self.is_nobody(device) {
            return;
        }
        let code = match self.device(device).code {
            Some(code) => code,
            None => self.new_code(device),
        };
        let (gateway_url, tenant) = (fixture::GATEWAY_URL.to_owned(), fixture::tenant());
        let link = EnrolmentLink { gateway_url, tenant, code, ca: None };
        self.call(device, Asked::Enrol, Call::Enrol(link));
        // Should that come to nothing.
        self.enrol_if_needed(device);
    }

    fn new_code(&mut self, device: usize) -> ShortCode {
        let codes = &mut self.gateway.codes;
        codes.made = codes.made.saturating_add(1);
        let number = codes.made.to_be_bytes();
        let [_, _, _, bits @ ..] = number;
        let code = ShortCode::from_bits(bits);
        codes.used.insert(code, None);
        self.device(device).code = Some(code);
        code
    }

    pub(super) fn shows_its_key(&mut self, device: usize, ticket: Ticket) {
        let key = fixture::key(device).verifying_key().to_public_key_der().expect("a key");
        self.tell(device, Event::PublicKey { ticket, answer: Ok(key.as_bytes().to_vec()) });
    }

    pub(super) fn enrol_replied(&mut self, device: usize, reply: &Reply) {
        match reply {
            Reply::Enrol(Ok(())) => {
                let handheld = self.device(device);
                handheld.code = None;
                handheld.learn_who_it_is();
            }
            Reply::Enrol(Err(EnrolError::CodeWrong)) => self.device(device).code = None,
            _ => {}
        }
    }

    /// The gateway's side: as `gateway::handhelds::enrol` does it.
    pub(super) fn enrol(&mut self, exchange: &Exchange) -> Response {
        let Some((code, key)) = applicant(&exchange.request.body) else {
            return refusal(ErrorCode::Malformed);
        };
        let device = match self.gateway.codes.used.get(&code) {
            None => return refusal(ErrorCode::CodeWrong),
            Some(Some(device)) => *device,
            Some(None) => self.new_device(exchange.device, code, &key),
        };
        self.note(|| format!("gateway: enrolled {device}"));
        self.shared.lock().changed = true;
        json(200, &enrolled(device, &key))
    }

    fn new_device(&mut self, index: usize, code: ShortCode, key: &DevicePublicKey) -> DeviceId {
        let made = u8::try_from(self.gateway.codes.made).unwrap_or(u8::MAX);
        let index = u8::try_from(index).unwrap_or(0);
        let device = DeviceId::from_bytes([0xD1, made, 0, 0, 0, 0, 0, index]);
        self.gateway.codes.used.insert(code, Some(device));
        let tenant = fixture::tenant();
        self.gateway.change_tables(|tables| {
            // Whoever holds the key of an earlier handheld was that handheld.
            let same_key = |known: &&Device| known.public_key == *key;
            let earlier: Vec<_> =
                tables.devices.values().filter(same_key).map(|known| known.device).collect();
            for earlier in earlier {
                tables.continuity.insert((tenant.clone(), device, earlier));
            }
            let (public_key, status) = (key.clone(), DeviceStatus::Approved);
            tables.devices.insert((tenant.clone(), device), Device { device, public_key, status });
        });
        device
    }

    /// A restored gateway knows none of the codes that were made since.
    pub(super) fn forget_codes(&mut self) {
        self.gateway.codes.used.clear();
        for device in 0..self.devices.len() {
            self.enrol_if_needed(device);
        }
    }
}

/// Code and key of an applicant that proves to hold the key.
fn applicant(body: &[u8]) -> Option<(ShortCode, DevicePublicKey)> {
    let request: EnrolRequest = serde_json::from_slice(body).ok()?;
    let code = ShortCode::parse(&request.code)?;
    let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    let key = DevicePublicKey::from_sec1(&bytes(&request.public_key)?).ok()?;
    let proof = DeviceSignature::from_bytes(&bytes(&request.proof)?).ok()?;
    key.verify(&proof_message(&fixture::tenant(), code, &key), &proof).ok()?;
    Some((code, key))
}

fn enrolled(device: DeviceId, key: &DevicePublicKey) -> EnrolResponse {
    EnrolResponse {
        version: WIRE_VERSION,
        gateway: fixture::gateway(),
        gateway_public_key: BASE64URL_NOPAD.encode(&fixture::public_key(0).to_sec1()),
        public_url: fixture::PUBLIC_URL.to_owned(),
        organisation: "City of Hill".to_owned(),
        tenant: fixture::tenant(),
        device,
        officer: Officer { id: OfficerId(1), name: "Officer One".to_owned() },
        confirm_secret: BASE64URL_NOPAD.encode(&[5; 32]),
        copy_key: None,
        ca: None,
        six_digits: six_digits(key),
        approved: true,
    }
}
