//! Stripe's webhooks. What is acknowledged is on disk; what it means is found out later, by asking.
//!
//! Whoever sends something that Stripe did not sign learns nothing: the reason goes to the
//! administrator. Limits come before any work: the sender's address, a signature header of the right
//! form and the size are looked at before the body is read, and the body before a secret is opened.
//!
//! The content type is not looked at: Stripe's signature does not cover it, and a proxy that changes
//! it must not lose an event. What counts is the signature over the raw bytes.

use super::error::ApiError;
use super::hosts::RequestHost;
use super::layers::about;
use super::{App, HostOwner, Peer};
use crate::core::Tenant;
use crate::credentials::{self, KnownSecret};
use crate::deliveries::about::is_check;
use crate::deliveries::secrets::{note_use, uses};
use crate::deliveries::{Delivery, Outcome, record, senders};
use crate::metrics::Counter;
use crate::store::{StoreError, decide, rows};
use crate::webhook_books;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use holdfast_domain::TenantSlug;
use holdfast_ledger::RecordEventOutcome;
use holdfast_ledger::work::{FOLLOWED, mode, recorded};
use holdfast_protocol::wire::ErrorCode;
use holdfast_stripe::objects;
use holdfast_stripe::webhook::{SIGNATURE_HEADER, SignatureError, TOLERANCE_S, Verified, verify};
use serde_json::{Value, json};
use sqlx::query;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Largest body in bytes: an event carries one object, mostly of a few kilobytes.
const BODY_BYTES_MAX: usize = 512 * 1024;
/// How long a body may take to arrive: Stripe sends it in one piece.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest ID of Stripe's, in characters.
const ID_CHARS_MAX: usize = 255;
/// Longest path or host name that is shown of a delivery to a wrong address, in characters.
const ADDRESS_SHOWN_CHARS_MAX: usize = 100;

type Answer = Result<Json<Value>, ApiError>;

/// `/api/{tenant}/qr/payment/webhook`.
pub(super) async fn by_path(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(peer): Extension<Peer>,
    Path(slug): Path<String>,
    request: Request,
) -> Answer {
    match app.tenant_at(&slug, &owner).await {
        Ok(tenant) => deliver(&app, &tenant, &peer, request).await,
        Err(error) => {
            if let Some(delivery) = Misaddressed::of(&request) {
                delivery.note(&app, Some(&owner)).await?;
            }
            Err(error)
        }
    }
}

/// `/api/system/payments/stripe/callback` on a host name of the tenant.
pub(super) async fn by_host(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Answer {
    let Some(slug) = app.tenant_of(&owner).await? else {
        return Err(ApiError::new(
            ErrorCode::NotFound,
            "This host name belongs to no single tenant. Register one for the tenant with --host, \
             or use /api/TENANT/qr/payment/webhook.",
        ));
    };
    let tenant = app.core.tenant(&slug).await?.ok_or_else(ApiError::not_found)?;
    deliver(&app, &tenant, &peer, request).await
}

/// Why a delivery was not taken: for the list, and in words with what to do.
struct Refusal {
    outcome: Outcome,
    reason: String,
    answer: ApiError,
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

async fn deliver(app: &App, tenant: &Tenant, peer: &Peer, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let now_ms = app.core.now_ms();
    let came = Delivery {
        address: shown(parts.uri.path()),
        sender: peer.0.ip().to_canonical().to_string(),
        ..Delivery::unknown(now_ms, Outcome::Refused)
    };
    let read = match admit(app, tenant, peer, &parts.headers).await? {
        Ok(()) => read_body(body).await,
        Err(refusal) => Err(refusal),
    };
    let refusal = match read {
        Ok(body) => match believe(app, tenant, &parts.headers, &body).await? {
            Ok(believed) => return store(app, tenant, came, believed, &body).await,
            Err(refusal) => refusal,
        },
        Err(refusal) => refusal,
    };
    app.core.metrics.count(Counter::Webhooks, &[("result", "refused")]);
    let answer = refusal.answer.status.as_u16();
    let (outcome, reason) = (refusal.outcome, refusal.reason);
    let refused = Delivery { outcome, reason, answer: Some(answer), ..came };
    app.refusals.note(&app.core, &tenant.slug, peer.0.ip(), refused).await?;
    Err(refusal.answer)
}

/// What can be said before a byte of the body is read.
async fn admit(
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

fn too_large() -> Refusal {
    let reason =
        format!("the body is larger than {BODY_BYTES_MAX} bytes, as no event of Stripe's is");
    Refusal::of_status(Outcome::TooLarge, reason, StatusCode::PAYLOAD_TOO_LARGE)
}

async fn read_body(body: Body) -> Result<Bytes, Refusal> {
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

/// A delivery of Stripe's.
struct Believed {
    event: objects::Event,
    known: Vec<KnownSecret>,
    verified: Verified,
}

/// The event, or why it is not believed.
async fn believe(
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
    fn matched(&self) -> impl Iterator<Item = &KnownSecret> + Clone {
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
    fn clock_behind(&self, now_ms: i64) -> Option<String> {
        let by_s = self.verified.signed_at.saturating_sub(now_ms.div_euclid(1000));
        (by_s > TOLERANCE_S)
            .then(|| format!("this machine's clock is behind by {by_s} s; set it, best by NTP"))
    }
}

/// Stores event, delivery and what was learned about secrets, in one transaction.
async fn store(
    app: &App,
    tenant: &Tenant,
    came: Delivery,
    believed: Believed,
    body: &Bytes,
) -> Answer {
    let event = &believed.event;
    let secret = believed.matched().find(|it| it.mode == mode(event.livemode));
    let came = Delivery {
        mode: mode(event.livemode).as_str().to_owned(),
        endpoint: secret.map(|it| it.endpoint.clone()).unwrap_or_default(),
        kind: event.kind.as_str().to_owned(),
        event: event.id.clone(),
        api_version: event.api_version.clone().unwrap_or_default(),
        answer: Some(StatusCode::OK.as_u16()),
        reason: believed.clock_behind(came.at_ms).unwrap_or_default(),
        ..came
    };
    let used = uses(believed.matched(), came.at_ms);
    let decision = recorded(&tenant.slug, event, body.to_vec(), came.at_ms);
    let needless = !FOLLOWED.contains(&event.kind);
    let check = is_check(event);
    let (world, slug) = (Arc::clone(&app.world), tenant.slug.clone());
    let write = app.core.store.writer.run(move |tx| {
        Box::pin(async move {
            let outcome = decide(tx, world.as_ref(), &decision).await?;
            for used in &used {
                note_use(tx, &slug, used, came.at_ms).await?;
            }
            let (outcome, payment) = match outcome {
                RecordEventOutcome::Followed(payment) => (Outcome::Followed, payment.to_string()),
                RecordEventOutcome::Duplicate => (Outcome::Duplicate, String::new()),
                _ if check => (Outcome::Check, String::new()),
                _ if needless => (Outcome::Needless, String::new()),
                RecordEventOutcome::Waiting | RecordEventOutcome::Ignored => {
                    (Outcome::Waiting, String::new())
                }
            };
            let kind = came.kind.clone();
            let about = payment.clone();
            record(tx, &slug, Delivery { outcome, payment, ..came }).await?;
            Ok::<_, holdfast_ledger::StoreError>((outcome, kind, about))
        })
    });
    let (outcome, kind, payment) = write.await?;
    if let Ok(payment) = payment.parse() {
        about(payment);
    }
    app.core.metrics.count(Counter::Webhooks, &[("result", outcome.as_str())]);
    tracing::info!(kind, outcome = outcome.as_str(), "webhook event stored");
    app.core.store.tell_delivery(&tenant.slug);
    Ok(Json(json!({ "received": true })))
}

/// What came to no route: mostly nothing of ours, and 404.
pub(super) async fn elsewhere(
    State(app): State<Arc<App>>,
    Extension(owner): Extension<HostOwner>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    if let Some(delivery) = Misaddressed::of(&request) {
        delivery.note(&app, Some(&owner)).await?;
    }
    Ok(StatusCode::NOT_FOUND)
}

/// Something that carries a signature of Stripe's form and came to an address that takes none.
pub(super) struct Misaddressed {
    host: String,
    path: String,
    /// The tenant that the path names.
    slug: Option<TenantSlug>,
    from: IpAddr,
}

impl Misaddressed {
    /// None for a request that does not look like a webhook.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let peer = request.extensions().get::<Peer>()?;
        request.headers().get(SIGNATURE_HEADER)?;
        Some(Self {
            host: RequestHost::of(request).map(|host| shown(&host.name)).unwrap_or_default(),
            path: shown(request.uri().path()),
            slug: slug_in(request.uri()),
            from: peer.0.ip().to_canonical(),
        })
    }

    /// Tells the office of the tenant that may be meant. The owner is that of the host name, if it has
    /// one.
    pub(super) async fn note(self, app: &App, owner: Option<&HostOwner>) -> Result<(), StoreError> {
        let named = match &self.slug {
            Some(slug) => app.core.tenant(slug).await?.map(|tenant| tenant.slug),
            None => None,
        };
        let wrong_host = owner.is_none() || named.is_some();
        let meant = match (named, owner) {
            (Some(slug), _) => Some(slug),
            (None, Some(owner)) => app.tenant_of(owner).await?,
            (None, None) => crate::admin::only_tenant(&app.core).await?,
        };
        let Some(tenant) = meant else { return Ok(()) };
        let [right, _] = webhook_books::addresses(app.public_url.as_str(), &tenant);
        let what = if wrong_host {
            format!("sent to the host name {}, which is not this organisation's", self.host)
        } else {
            format!("sent to the path {}, which takes no webhook here", self.path)
        };
        let status =
            if owner.is_some() { StatusCode::NOT_FOUND } else { StatusCode::MISDIRECTED_REQUEST };
        let refused = Delivery {
            address: self.path,
            sender: self.from.to_string(),
            answer: Some(status.as_u16()),
            reason: format!("{what}; at Stripe change the endpoint's address to {right}"),
            ..Delivery::unknown(app.core.now_ms(), Outcome::WrongAddress)
        };
        app.refusals.note(&app.core, &tenant, self.from, refused).await
    }
}

/// The tenant that the path of a webhook names.
fn slug_in(uri: &Uri) -> Option<TenantSlug> {
    let slug = uri.path().strip_prefix("/api/")?.strip_suffix("/qr/payment/webhook")?;
    TenantSlug::parse(slug).ok()
}

fn shown(text: &str) -> String {
    text.chars().take(ADDRESS_SHOWN_CHARS_MAX).collect()
}
