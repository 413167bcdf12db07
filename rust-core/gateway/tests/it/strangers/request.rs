//! A case's request, taken apart so that each part can be spoiled, and put together again.

use super::cases::{Body, Case, Who};
use super::stage::{House, OUR_HOST, Stage};
use super::wire::Wire;
use holdfast_protocol::request_signature::TokenRequest;
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const ORDER: &str = "application/cose";

/// Where the name of the host says whose it is.
const BY_HOST: &str = "/api/system/payments/stripe/callback";

/// What is sent.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    None,
    Form(Vec<(String, Vec<u8>)>),
    Json(Value),
    /// Bytes; signed: with Stripe's signature over what they are now.
    Raw {
        bytes: Vec<u8>,
        signed: bool,
    },
}

/// A request in its parts.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    /// The variable parts of the path.
    pub(crate) parts: Vec<(String, Vec<u8>)>,
    pub(crate) query: Vec<(String, Vec<u8>)>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) payload: Payload,
}

/// Replaces each `{name}` or `$name` of a text.
pub(crate) fn filled(text: &str, mark: char, part: impl Fn(&str) -> String) -> String {
    let mut pieces = text.split(mark);
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end =
            piece.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(piece.len());
        filled.push_str(&part(&piece[..end]));
        filled.push_str(piece[end..].strip_prefix('}').unwrap_or(&piece[end..]));
    }
    filled
}

/// The pairs of a form or query as it is written in a case.
fn pairs(stage: &Stage, written: &str) -> Vec<(String, Vec<u8>)> {
    let pairs = written.split('&').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.map(|(name, value)| {
        let value = value.replace('+', " ").replace("%2F", "/").replace("%0A", "\n");
        (name.to_owned(), filled(&value.replace("%3A", ":"), '$', |it| stage.part(it)).into_bytes())
    });
    pairs.collect()
}

fn percent(bytes: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let text = |byte: &u8| {
        if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }
    };
    bytes.iter().map(text).collect()
}

fn encoded(pairs: &[(String, Vec<u8>)]) -> String {
    let pair = |(name, value): &(String, Vec<u8>)| {
        format!("{}={}", percent(name.as_bytes()), percent(value))
    };
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

impl Request {
    /// The good request of a case, by somebody of the first house.
    pub(crate) async fn good(stage: &Stage, case: &Case) -> Self {
        Self::by(stage, case, &stage.demo).await
    }

    /// The same of somebody else, with all that the case names still of the first.
    pub(crate) async fn by(stage: &Stage, case: &Case, house: &House) -> Self {
        let parts = case.route.split('{').skip(1).filter_map(|it| it.split_once('}'));
        let parts = parts.map(|(name, _)| (name.to_owned(), stage.part(name).into_bytes()));
        let mut request = Self {
            method: case.method,
            route: case.route,
            parts: parts.collect(),
            query: pairs(stage, case.query),
            headers: Vec::new(),
            payload: Payload::None,
        };
        if case.route == BY_HOST {
            request.headers.push(("host".to_owned(), OUR_HOST.into()));
        }
        request.show(case.who, stage, house).await;
        request.payload = request.body(stage, case, house);
        request
    }

    async fn show(&mut self, who: Who, stage: &Stage, house: &House) {
        let (name, value) = match who {
            Who::Anyone => return,
            Who::Office => ("cookie", house.cookie.clone()),
            Who::Program => ("authorization", format!("Bearer {}", house.credential)),
            Who::Handheld => {
                let answer =
                    house.handheld.ask_for_token(&stage.world, &house.handheld.key, ahead_s(stage));
                let token = answer.await.json()["token"].as_str().unwrap().to_owned();
                ("authorization", format!("Bearer {token}"))
            }
        };
        self.headers.push((name.to_owned(), value.into_bytes()));
    }

    fn body(&mut self, stage: &Stage, case: &Case, house: &House) -> Payload {
        let mut kind = |kind: &str| self.headers.push(("content-type".into(), kind.into()));
        match case.body {
            Body::None => Payload::None,
            Body::Form(fields) => {
                kind(FORM);
                let mut fields = pairs(stage, fields);
                if case.who == Who::Office {
                    fields.insert(0, ("csrf".to_owned(), house.csrf.clone().into_bytes()));
                }
                Payload::Form(fields)
            }
            Body::Json(text) => {
                kind(JSON);
                let text = filled(text, '$', |it| stage.part(it));
                Payload::Json(serde_json::from_str(&text).unwrap())
            }
            Body::Order => {
                kind(ORDER);
                Payload::Raw { bytes: house.handheld.order().to_bytes(), signed: false }
            }
            Body::Notice => {
                kind(ORDER);
                Payload::Raw { bytes: stage.notice(), signed: false }
            }
            Body::Event => {
                kind(JSON);
                let event = r#"{"id":"evt_stranger","object":"event","type":"checkout.session.completed",
                    "created":1790000000,"livemode":false,"api_version":"2026-08-26.dahlia",
                    "data":{"object":{"id":"cs_test_1","object":"checkout.session"}}}"#;
                Payload::Raw { bytes: event.into(), signed: true }
            }
            Body::Token => {
                self.sign(stage, house);
                Payload::None
            }
        }
    }

    /// Signs for a token (RFC 9421), by the gateway's clock.
    fn sign(&mut self, stage: &Stage, house: &House) {
        let url = stage.world.url("");
        let path = format!("/api/{}/handheld/token", house.tenant);
        let request = TokenRequest {
            authority: url.strip_prefix("http://").unwrap(),
            path: &path,
            created_unix_s: u64::try_from(stage.world.now_ms() / 1000).unwrap(),
            device: house.handheld.enrolled.device,
        };
        let signature = crate::handheld::sign(&house.handheld.key, &request.signature_base());
        let lines = [
            ("signature-input", request.signature_input()),
            ("signature", TokenRequest::signature_header(&signature)),
        ];
        self.headers.extend(lines.map(|(name, value)| (name.to_owned(), value.into_bytes())));
    }

    pub(crate) fn path(&self) -> String {
        filled(self.route, '{', |name| {
            let part = self.parts.iter().find(|(known, _)| known == name);
            percent(&part.unwrap().1)
        })
    }

    /// As it goes over the wire.
    pub(crate) fn wire(&self, stage: &Stage) -> Wire {
        let mut target = self.path();
        if !self.query.is_empty() {
            target = format!("{target}?{}", encoded(&self.query));
        }
        let mut wire = Wire::new(self.method, &target);
        wire.headers = self.headers.clone();
        match &self.payload {
            Payload::None => {}
            Payload::Form(fields) => wire.body = encoded(fields).into_bytes(),
            Payload::Json(value) => wire.body = value.to_string().into_bytes(),
            Payload::Raw { bytes, signed } => {
                wire.body = bytes.clone();
                let has = wire.headers.iter().any(|(name, _)| name == "stripe-signature");
                if *signed && !has {
                    wire = wire.with("stripe-signature", stage.signed(bytes));
                }
            }
        }
        wire
    }
}

/// How far the gateway's clock is behind the machine's (mostly it is ahead: negative), in seconds.
fn ahead_s(stage: &Stage) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    i64::try_from(now).unwrap() - stage.world.now_ms() / 1000
}
