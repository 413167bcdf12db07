//! Enrolment: the key's public half, its proof, the gateway's answer, and one commit.

use super::exchange::{Answer, HttpMethod, Request, Response, TransportFault, Trust};
use super::message::{Caller, Command, Reply, Step};
use super::record::{Counters, Enrolment, Key, Record, Write};
use super::turn::Turn;
use super::{Engine, Purpose};
use crate::address::{self, AddressFault};
use crate::error::EnrolError;
use crate::port::DeviceKeyError;
use data_encoding::BASE64URL_NOPAD;
use holdfast_domain::Secret;
use holdfast_protocol::ca_pin::CA_BYTES_MAX;
use holdfast_protocol::confirm::CONFIRM_SECRET_BYTES;
use holdfast_protocol::continuity::{self, CONTINUED_MAX};
use holdfast_protocol::enrolment::{proof_message, six_digits};
use holdfast_protocol::pay_address::host_in_words;
use holdfast_protocol::sealed_copy::{COPY_KEY_BYTES, CopyPublicKey};
use holdfast_protocol::wire::{
    ContinuedEnrolment, EnrolRequest, EnrolResponse, ErrorCode, WIRE_VERSION,
};
use holdfast_protocol::{DevicePublicKey, DeviceSignature, EnrolmentLink};
use zeroize::Zeroizing;

/// How long the gateway may take to enrol, in milliseconds. A person is waiting.
const ENROL_MS_MAX: u64 = 20_000;

/// An enrolment on its way.
pub(super) struct Enrolling {
    caller: Caller,
    link: EnrolmentLink,
    key: Option<DevicePublicKey>,
}

impl Engine {
    pub(super) fn enrol(&mut self, caller: Caller, link: EnrolmentLink) -> Step {
        let refuse = |error| Step::reply(caller, Reply::Enrol(Err(error)));
        if self.enrolling.is_some() {
            return refuse(EnrolError::Busy);
        }
        match address::check(&link.gateway_url) {
            Ok(()) => {}
            Err(AddressFault::NoAddress) => return refuse(EnrolError::LinkInvalid),
            Err(AddressFault::Insecure) => {
                let host = host_in_words(&link.gateway_url);
                return refuse(EnrolError::InsecureAddress { host });
            }
        }
        if link.ca.is_some() && !link.gateway_url.starts_with("https://") {
            // A pin says nothing about a connection without certificates.
            return refuse(EnrolError::LinkInvalid);
        }
        self.enrolling = Some(Enrolling { caller, link, key: None });
        let ticket = self.issue(Purpose::EnrolKey);
        Step::command(Command::PublicKey { ticket })
    }

    pub(super) fn enrol_key(&mut self, answer: Result<Vec<u8>, DeviceKeyError>) -> Step {
        let key = answer.ok().and_then(|spki| DevicePublicKey::from_spki_der(&spki).ok());
        let (Some(enrolling), Some(key)) = (self.enrolling.as_mut(), key) else {
            return self.enrol_failed(EnrolError::DeviceKeyUnavailable);
        };
        let message = proof_message(&enrolling.link.tenant, enrolling.link.code, &key);
        enrolling.key = Some(key);
        let ticket = self.issue(Purpose::EnrolProof);
        Step::command(Command::Sign { ticket, message })
    }

    pub(super) fn enrol_proof(&mut self, answer: Result<Vec<u8>, DeviceKeyError>) -> Step {
        let proof = answer.ok().and_then(|der| DeviceSignature::from_der(&der).ok());
        let request = self.enrolling.as_ref().zip(proof).and_then(|(enrolling, proof)| {
            enrolling.request(&proof, &self.device_name, self.continued(enrolling))
        });
        let Some(request) = request else {
            return self.enrol_failed(EnrolError::DeviceKeyUnavailable);
        };
        let ticket = self.issue(Purpose::Enrol);
        Step::command(Command::Send { ticket, request })
    }

    /// What this handheld was to this tenant before, the present enrolment first.
    fn continued(&self, enrolling: &Enrolling) -> Vec<ContinuedEnrolment> {
        let tenant = &enrolling.link.tenant;
        let before = self.durable.enrolments().filter(|before| before.tenant == *tenant);
        let continued = |before: &Enrolment| {
            let key = enrolling.key.as_ref()?;
            let proof = continuity::proof(&before.confirm_secret, tenant, before.device, key);
            let proof = BASE64URL_NOPAD.encode(&proof);
            Some(ContinuedEnrolment { device: before.device, proof })
        };
        before.filter_map(continued).take(CONTINUED_MAX).collect()
    }

    pub(super) fn enrol_answer(
        &mut self,
        answer: Result<Response, TransportFault>,
        turn: &mut Turn,
    ) -> Step {
        let answer = Answer::<EnrolResponse>::read(answer);
        self.hear(&answer, turn.now);
        let untrusted = || {
            let gateway_url = self.enrolling.as_ref().map(|enrolling| &enrolling.link.gateway_url);
            let host = gateway_url.map(|url| host_in_words(url)).unwrap_or_default();
            EnrolError::CertificateUntrusted { host }
        };
        let error = match answer {
            Answer::Good(response) if !self.names_the_pinned_ca(&response) => untrusted(),
            Answer::Untrusted => untrusted(),
            Answer::Good(response) => match self.accept(response) {
                Some(writes) => return self.enrolled(writes),
                None => EnrolError::NotAGateway,
            },
            Answer::Refused(refusal) if refusal.code == ErrorCode::CodeWrong => {
                EnrolError::CodeWrong
            }
            Answer::Refused(refusal) => EnrolError::Refused { sentence: refusal.sentence },
            Answer::Unanswered => EnrolError::Offline,
            Answer::Strange => EnrolError::NotAGateway,
        };
        self.enrol_failed(error)
    }

    /// True if the answer carries the CA that the link's pin names, or if there is no pin.
    fn names_the_pinned_ca(&self, response: &EnrolResponse) -> bool {
        match self.enrolling.as_ref().and_then(|enrolling| enrolling.link.ca) {
            Some(pin) => ca(response).is_some_and(|ca| pin.is_of(&ca)),
            None => true,
        }
    }

    /// What to store, if the answer is one to our request: for this tenant, and for our key as the
    /// gateway saw it.
    fn accept(&self, response: EnrolResponse) -> Option<Vec<Write>> {
        let Enrolling { link, key, .. } = self.enrolling.as_ref()?;
        let key = key.as_ref()?;
        let is_ours = response.version <= WIRE_VERSION
            && response.tenant == link.tenant
            && response.six_digits == six_digits(key)
            && is_web_address(&response.public_url);
        // A CA that no pin vouches for is not asked for, and not taken.
        let ca = link.ca.and_then(|_| ca(&response));
        let gateway_key = BASE64URL_NOPAD.decode(response.gateway_public_key.as_bytes()).ok()?;
        let gateway_key = DevicePublicKey::from_sec1(&gateway_key).ok()?;
        let confirm_secret = confirm_secret(response.confirm_secret)?;
        let copy_key = match response.copy_key {
            Some(text) => Some(copy_key(&text)?),
            None => None,
        };
        let enrolment = Enrolment {
            gateway_url: link.gateway_url.clone(),
            public_url: response.public_url,
            tenant: response.tenant,
            gateway: response.gateway,
            gateway_public_key: gateway_key.to_sec1().to_vec(),
            device: response.device,
            public_key: key.to_sec1().to_vec(),
            officer: response.officer.id,
            officer_name: response.officer.name,
            organisation: response.organisation,
            approved: response.approved,
            confirm_secret,
            copy_key,
            ca,
        };
        is_ours.then(|| self.enrolment_writes(enrolment))
    }

    /// The outbox stays: each order knows where it belongs. What is left of another tenant's
    /// catalogue goes.
    fn enrolment_writes(&self, enrolment: Enrolment) -> Vec<Write> {
        let mut writes = Vec::new();
        let stays = self.durable.enrolment().is_some_and(|before| {
            before.gateway == enrolment.gateway && before.tenant == enrolment.tenant
        });
        if !stays {
            let drafts = self.durable.payments().filter(|payment| payment.held.is_none());
            writes.extend(drafts.map(|draft| Write::Delete(Key::Payment(draft.payment))));
            writes.push(Write::Delete(Key::Config));
        }
        let is_same_device =
            self.durable.enrolment().is_some_and(|before| before.device == enrolment.device);
        if !is_same_device {
            writes.push(Write::Put(Record::Counters(Counters::new(enrolment.device))));
            let before = self.durable.enrolment().cloned().map(Box::new);
            writes.extend(before.map(|before| Write::Put(Record::Earlier(before))));
        }
        writes.push(Write::enrolment(enrolment));
        writes
    }

    fn enrolled(&mut self, writes: Vec<Write>) -> Step {
        // This key has just signed.
        self.device_key_lost = false;
        let replies = self.enrolling.take().map(|e| (e.caller, Reply::Enrol(Ok(()))));
        Step { writes, replies: replies.into_iter().collect(), ..Step::default() }
    }

    fn enrol_failed(&mut self, error: EnrolError) -> Step {
        log::warn!("not enrolled: {error}");
        let replies = self.enrolling.take().map(|e| (e.caller, Reply::Enrol(Err(error))));
        Step { replies: replies.into_iter().collect(), ..Step::default() }
    }
}

impl Enrolling {
    /// `None` if the signature is not by the key that the device showed.
    fn request(
        &self,
        proof: &DeviceSignature,
        device_name: &str,
        continues: Vec<ContinuedEnrolment>,
    ) -> Option<Request> {
        let key = self.key.as_ref()?;
        let message = proof_message(&self.link.tenant, self.link.code, key);
        key.verify(&message, proof).ok()?;
        let body = EnrolRequest {
            version: WIRE_VERSION,
            code: self.link.code.to_string(),
            name: device_name.to_owned(),
            public_key: BASE64URL_NOPAD.encode(&key.to_sec1()),
            proof: BASE64URL_NOPAD.encode(proof.as_bytes()),
            continues,
        };
        Some(Request {
            method: HttpMethod::Post,
            url: format!("{}/api/{}/handheld/enrol", self.link.gateway_url, self.link.tenant),
            trust: self.link.ca.map_or(Trust::Public, Trust::Pinned),
            headers: vec![("content-type", "application/json".to_owned())],
            body: serde_json::to_vec(&body).ok()?,
            timeout_ms: ENROL_MS_MAX,
        })
    }
}

/// True for what can be the base of a pay address.
pub(super) fn is_web_address(url: &str) -> bool {
    address::check(url) != Err(AddressFault::NoAddress) && url.is_ascii()
}

fn copy_key(text: &str) -> Option<[u8; COPY_KEY_BYTES]> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    CopyPublicKey::from_bytes(&bytes).ok().map(|key| *key.as_bytes())
}

/// The certificate of the CA in the answer, if there is one of sane length.
fn ca(response: &EnrolResponse) -> Option<Vec<u8>> {
    let text = response.ca.as_ref()?;
    BASE64URL_NOPAD.decode(text.as_bytes()).ok().filter(|ca| ca.len() <= CA_BYTES_MAX)
}

fn confirm_secret(text: String) -> Option<Secret<[u8; CONFIRM_SECRET_BYTES]>> {
    let text = Zeroizing::new(text);
    let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?);
    <[u8; CONFIRM_SECRET_BYTES]>::try_from(bytes.as_slice()).ok().map(Secret::new)
}
