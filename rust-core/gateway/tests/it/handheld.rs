//! A handheld made of a key: enrols, signs orders, asks for tokens.

use crate::world::{Answer, World, tenant};
use data_encoding::BASE64URL_NOPAD;
use holdfast_domain::{Currency, Mode, Money, OfficerId, OrderLine, PaymentId};
use holdfast_gateway::{TenantSlug, admin};
use holdfast_protocol::enrolment::proof_message;
use holdfast_protocol::request_signature::TokenRequest;
use holdfast_protocol::wire::EnrolResponse;
use holdfast_protocol::{
    DevicePublicKey, DeviceSignature, EnrolmentLink, OrderPayload, SignedOrder, pay_address,
};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) struct Handheld {
    pub(crate) key: SigningKey,
    pub(crate) enrolled: EnrolResponse,
    sequence: AtomicU64,
}

pub(crate) fn new_key() -> SigningKey {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).unwrap();
    SigningKey::from_slice(&bytes).unwrap()
}

pub(crate) fn sign(key: &SigningKey, message: &[u8]) -> DeviceSignature {
    let signature: Signature = key.sign(message);
    DeviceSignature::from_der(signature.to_der().as_bytes()).unwrap()
}

/// A new enrolment code.
pub(crate) async fn new_link(world: &World, approved: bool) -> EnrolmentLink {
    new_link_of(world, &tenant(), approved).await
}

/// The same of any tenant.
pub(crate) async fn new_link_of(
    world: &World,
    tenant: &TenantSlug,
    approved: bool,
) -> EnrolmentLink {
    let made = admin::handheld_code(&world.data(), tenant, None, approved).await.unwrap();
    EnrolmentLink::parse(&made.link).unwrap()
}

/// The request of a key that wants to be enrolled, its proof made with another if that is given.
pub(crate) async fn ask_to_enrol(
    world: &World,
    link: &EnrolmentLink,
    key: &SigningKey,
    prover: &SigningKey,
) -> Answer {
    let public = DevicePublicKey::from(*key.verifying_key());
    let proof = sign(prover, &proof_message(&link.tenant, link.code, &public));
    let path = format!("/api/{}/handheld/enrol", link.tenant);
    let body = json!({
        "version": 1,
        "code": link.code.to_string(),
        "name": "Rugged 7",
        "public_key": BASE64URL_NOPAD.encode(&public.to_sec1()),
        "proof": BASE64URL_NOPAD.encode(proof.as_bytes()),
    });
    let headers = [("content-type", "application/json")];
    world.post(&path, &headers, body.to_string().into_bytes()).await
}

impl Handheld {
    /// An approved handheld.
    pub(crate) async fn enrol(world: &World) -> Self {
        Self::enrol_with(world, &new_link(world, true).await).await
    }

    pub(crate) async fn enrol_with(world: &World, link: &EnrolmentLink) -> Self {
        let key = new_key();
        let answer = ask_to_enrol(world, link, &key, &key).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let enrolled = serde_json::from_str(&answer.body).unwrap();
        Self { key, enrolled, sequence: AtomicU64::new(1) }
    }

    /// An order for so many day permits, of the next sequence number.
    pub(crate) fn payload(&self, quantity: u32) -> OrderPayload {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let now_ms = u64::try_from(now_ms).unwrap();
        let mut random = [0; 10];
        getrandom::fill(&mut random).unwrap();
        OrderPayload {
            gateway: self.enrolled.gateway,
            tenant: self.enrolled.tenant.clone(),
            mode: Mode::Test,
            device: self.enrolled.device,
            sequence: self.sequence.fetch_add(1, Ordering::SeqCst),
            payment: PaymentId::mint(now_ms, &random),
            officer: OfficerId(1),
            payment_type: "STRIPE".parse().unwrap(),
            catalogue_version: 1,
            lines: vec![OrderLine::Item { item: 1, quantity }],
            total: Money::new(1250 * i64::from(quantity), Currency::USD),
            held_at_unix_s: now_ms / 1000,
            lifetime_s: 86_400,
        }
    }

    pub(crate) fn signed(&self, payload: OrderPayload) -> SignedOrder {
        let signature = sign(&self.key, &payload.to_be_signed());
        SignedOrder::assemble(payload, signature)
    }

    /// A signed order for one day permit.
    pub(crate) fn order(&self) -> SignedOrder {
        self.signed(self.payload(1))
    }

    /// Sends an order and expects it to be taken; the payment's ID.
    pub(crate) async fn send(&self, world: &World, order: &SignedOrder) -> String {
        let answer = submit(world, order.to_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["payment"]["payment"].as_str().unwrap().to_owned()
    }

    /// Asks for a token, `late_s` seconds off the real time.
    pub(crate) async fn ask_for_token(
        &self,
        world: &World,
        signer: &SigningKey,
        late_s: i64,
    ) -> Answer {
        let path = &format!("/api/{}/handheld/token", self.enrolled.tenant);
        let url = world.url("");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let request = TokenRequest {
            authority: url.strip_prefix("http://").unwrap(),
            path,
            created_unix_s: now.saturating_add_signed(-late_s),
            device: self.enrolled.device,
        };
        let signature = sign(signer, &request.signature_base());
        let headers = [
            ("signature-input", request.signature_input()),
            ("signature", TokenRequest::signature_header(&signature)),
        ];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        world.post(path, &headers, Vec::new()).await
    }

    /// An `Authorization` header.
    pub(crate) async fn authorization(&self, world: &World) -> String {
        let answer = self.ask_for_token(world, &self.key, 0).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        format!("Bearer {}", answer.json()["token"].as_str().unwrap())
    }
}

/// Sends bytes as an order.
pub(crate) async fn submit(world: &World, bytes: Vec<u8>) -> Answer {
    world.post("/api/demo/orders", &[("content-type", "application/cose")], bytes).await
}

/// The path of an order's pay address.
pub(crate) fn path_of(order: &SignedOrder) -> String {
    pay_address::pay_address("", order)
}
