//! Whether a delivery is Stripe's.
//!
//! Limits come before any work: the sender's address, a signature header of the right form and the size are
//! looked at before the body is read, and the body before a secret is opened.
//!
//! The content type is not looked at: Stripe's signature does not cover it, and a proxy that changes
//! it must not lose an event. What counts is the signature over the raw bytes.

use super::shown;
use crate::core::Tenant;
use crate::credentials::{self, KnownSecret};
use crate::deliveries::{Outcome, senders};
use crate::http::error::ApiError;
use crate::http::{App, Peer};
use crate::store::{StoreError, rows};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use holdfast_domain::TenantSlug;
use holdfast_ledger::work::mode;
use holdfast_protocol::wire::ErrorCode;
use holdfast_stripe::objects;
use holdfast_stripe::webhook::{SIGNATURE_HEADER, SignatureError, TOLERANCE_S, Verified, verify};
use sqlx::query;
use std::time::Duration;

/// Largest body in bytes: an event carries one object, mostly of a few kilobytes.
const BODY_BYTES_MAX: usize = 512 * 1024;

/// How long a body may take to arrive: Stripe sends it in one piece.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest ID of Stripe's, in characters.
const ID_CHARS_MAX: usize = 255;

/// Why a delivery was not taken: for the list, and in words with what to do.
pub(super) struct Refusal {
    pub(super) outcome: Outcome,
    pub(super) reason: String,
    pub(super) answer: ApiError,
}

impl Refusal {
    /// The sender is told nothing.
    fn bare(outcome: Outcome, reason: impl Into<String>) -> Self {
        let answer = ApiError::new(ErrorCode::Malformed, "The delivery was not accepted.");
        Self { outcome, reason: reason.into(), answer }
    }

    fn of_status(outcome: Outcome, reason: impl Into<String>, status: StatusCode) -> Self {
        Self { outcome, reason: reason.into(), answer: ApiError::of_body(status) }
    }
}

impl From<SignatureError> for Refusal {
    fn from(error: SignatureError) -> Self {
        let outcome = match error {
            SignatureError::HeaderMissing
            | SignatureError::HeaderMalformed
            | SignatureError::NoSignature => Outcome::Unsigned,
            SignatureError::NoSecret => Outcome::NoSecret,
            SignatureError::Mismatch => Outcome::WrongSecret,
            SignatureError::TooOld { .. } => Outcome::Clock,
        };
        Self::bare(outcome, error.to_string())
    }
}

/// What can be said before a byte of the body is read.
pub(super) async fn admit(
    app: &App,
    tenant: &Tenant,
    peer: &Peer,
    headers: &HeaderMap,
) -> Result<Result<(), Refusal>, ApiError> {
    if !senders::of(&app.core, &tenant.slug).await?.allow(peer.0.ip()) {
        return Ok(Err(Refusal::bare(
            Outcome::Sender,
            "the sender's address is not on the list of allowed senders; add it if it is Stripe's, \
             or, behind a proxy, start serve with --trusted-proxy",
        )));
    }
    if !headers.contains_key(SIGNATURE_HEADER) {
        return Ok(Err(SignatureError::HeaderMissing.into()));
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length = length.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    if length > u64::try_from(BODY_BYTES_MAX).unwrap_or(u64::MAX) {
        return Ok(Err(too_large()));
    }
    Ok(Ok(()))
}

pub(super) async fn read_body(body: Body) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(Refusal::of_status(
            Outcome::TooSlow,
            format!("the body did not arrive within {} s", BODY_TIMEOUT.as_secs()),
            StatusCode::REQUEST_TIMEOUT,
        )),
    }
}

fn too_large() -> Refusal {
    let reason =
        format!("the body is larger than {BODY_BYTES_MAX} bytes, as no event of Stripe's is");
    Refusal::of_status(Outcome::TooLarge, reason, StatusCode::PAYLOAD_TOO_LARGE)
}

/// A delivery of Stripe's.
pub(super) struct Believed {
    pub(super) event: objects::Event,
    pub(super) known: Vec<KnownSecret>,
    pub(super) verified: Verified,
}

/// The event, or why it is not believed.
pub(super) async fn believe(
    app: &App,
    tenant: &Tenant,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Result<Believed, Refusal>, ApiError> {
    let known = credentials::webhook_secrets(&app.core, &tenant.slug).await?;
    let secrets: Vec<_> = known.iter().map(|it| it.secret.clone()).collect();
    let header = headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
    let now_unix_s = app.core.now_ms().div_euclid(1000);
    let verified = match verify(body, header, &secrets, now_unix_s, TOLERANCE_S) {
        Ok(verified) => verified,
        Err(error) => return Ok(Err(error.into())),
    };
    let Ok(event) = serde_json::from_slice::<objects::Event>(body) else {
        let reason = "signature right, but the body is no event of Stripe's";
        return Ok(Err(Refusal::bare(Outcome::NotAnEvent, reason)));
    };
    if event.id.is_empty() || event.id.len() > ID_CHARS_MAX {
        let reason = "signature right, but the event's ID is none of Stripe's";
        return Ok(Err(Refusal::bare(Outcome::NotAnEvent, reason)));
    }
    let believed = Believed { event, known, verified };
    if let Some(refusal) = believed.wrong_mode() {
        return Ok(Err(refusal));
    }
    if let Some(refusal) = believed.other_account(app, &tenant.slug).await? {
        return Ok(Err(refusal));
    }
    Ok(Ok(believed))
}

impl Believed {
    pub(super) fn matched(&self) -> impl Iterator<Item = &KnownSecret> + Clone {
        self.verified.matched.iter().filter_map(|index| self.known.get(*index))
    }

    fn wrong_mode(&self) -> Option<Refusal> {
        let said = mode(self.event.livemode);
        if self.matched().any(|it| it.mode == said) {
            return None;
        }
        let stored = mode(!self.event.livemode);
        Some(Refusal::bare(
            Outcome::WrongMode,
            format!(
                "signature right, but it is a {said} event and its secret is stored under the \
                 {stored} keys; drop that secret and enter it under the {said} keys"
            ),
        ))
    }

    /// An event of a connected account that no key of ours belongs to. While the account of some key
    /// is not known yet, nobody can say so.
    async fn other_account(
        &self,
        app: &App,
        tenant: &TenantSlug,
    ) -> Result<Option<Refusal>, StoreError> {
        let Some(account) = self.event.account.as_deref() else { return Ok(None) };
        let sql = query(
            "SELECT COUNT(*) AS known FROM processors WHERE tenant = ? AND mode = ? AND account IN \
             ('', ?)",
        );
        let sql = sql.bind(tenant.as_str()).bind(mode(self.event.livemode).as_str());
        let row = sql.bind(account.to_owned()).fetch_one(&app.core.store.reads).await?;
        if rows::number(&row, "known")? > 0 {
            return Ok(None);
        }
        Ok(Some(Refusal::bare(
            Outcome::OtherAccount,
            format!(
                "signature right, but the event is of the connected account {}, and no payment type \
                 here has its key; let the endpoint listen to events on your own account",
                shown(account)
            ),
        )))
    }

    /// Stripe's clock should never be ahead of ours.
    pub(super) fn clock_behind(&self, now_ms: i64) -> Option<String> {
        let by_s = self.verified.signed_at.saturating_sub(now_ms.div_euclid(1000));
        (by_s > TOLERANCE_S)
            .then(|| format!("this machine's clock is behind by {by_s} s; set it, best by NTP"))
    }
}
