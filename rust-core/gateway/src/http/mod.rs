//! The gateway on the network: routes, and what every request passes through.

mod assets;
mod charge_search;
mod charges;
mod cookies;
mod error;
mod handheld;
pub(crate) mod hosts;
mod layers;
pub(crate) mod limits;
mod live;
mod notice;
mod office;
pub(crate) mod operation;
mod patience;
mod pay;
mod payer;
mod proxies;
mod receipt;
pub(crate) mod server;
pub(crate) mod tls;
mod webhook;

use crate::admin::{only_tenant, tenant_of_host};
use crate::cidr::Cidr;
use crate::clients::Clients;
use crate::core::{Core, FolderError, Installation, Tenant};
use crate::deliveries::refused::Refusals;
use crate::readiness::Readiness;
use crate::store::StoreError;
use crate::urls::PublicUrl;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};
use error::ApiError;
use holdfast_domain::{Secret, TenantSlug};
use holdfast_protocol::DevicePublicKey;
use holdfast_protocol::notice::NOTICE_BYTES_MAX;
use holdfast_protocol::order::ORDER_BYTES_MAX;
use hosts::RequestHost;
use limits::RateLimit;
use p256::ecdsa::SigningKey;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Largest body of a form or a small JSON message, in bytes.
const SMALL_BODY_BYTES_MAX: usize = 16 * 1024;
/// Largest form with a file of charges, in bytes: five thousand lines, percent-encoded.
const IMPORT_BODY_BYTES_MAX: usize = 3 * 1024 * 1024;
/// Tries to enrol in a minute, from one address and from all: a code has 40 bits and ten minutes.
const ENROL_TRIES: (u32, u32) = (10, 100);
/// Tries to sign in in a minute, from one address and from all.
const SIGN_IN_TRIES: (u32, u32) = (20, 200);
/// Searches for charges in a minute, from one handheld and from all: an officer types a plate every
/// few seconds at the most.
const SEARCHES: (u32, u32) = (30, 600);
/// Calls of programs that write charges in a minute, with one credential and with all.
const PROGRAM_CALLS: (u32, u32) = (600, 3_000);
/// Calls with a wrong credential in a minute, from one address and from all.
const WRONG_CREDENTIALS: (u32, u32) = (20, 200);
/// Payers coming back in a minute for whom Stripe is asked, from one address and from all. Over
/// that, their page waits for the next poll.
const RETURNS: (u32, u32) = (30, 600);
/// Live streams at once; each holds a connection. One more is asked to come back later.
const STREAMS_MAX: usize = 1024;

/// Who is at the other end of the connection.
type Peer = axum::extract::ConnectInfo<std::net::SocketAddr>;

/// What the handlers share.
pub(crate) struct App {
    pub(crate) core: Arc<Core>,
    pub(crate) clients: Arc<Clients>,
    pub(crate) world: crate::world::SharedWorld,
    pub(crate) public_url: PublicUrl,
    installation: Installation,
    token_secret: Secret<Vec<u8>>,
    /// Signs receipts.
    signing_key: SigningKey,
    enrol_limit: RateLimit,
    sign_in_limit: RateLimit,
    return_limit: RateLimit,
    search_limit: RateLimit<holdfast_domain::DeviceId>,
    program_limit: RateLimit<(TenantSlug, i64)>,
    wrong_credential_limit: RateLimit,
    /// Deliveries that are not believed.
    refusals: Refusals,
    /// Proxies that are believed when they say who the client is.
    trusted_proxies: Vec<Cidr>,
    /// The gateway's own certificate, unless a proxy has it.
    tls: Option<Arc<tls::Tls>>,
    streams: Arc<Semaphore>,
    readiness: Readiness,
    /// Held while a webhook is registered at Stripe.
    registering: tokio::sync::Mutex<()>,
    /// Turns true when the gateway stops: streams and long polls end then.
    stop: watch::Receiver<bool>,
}

/// Whose a host name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostOwner {
    /// The gateway's own: every tenant is served under it.
    Shared,
    /// One tenant's: no other is served under it.
    Tenant(TenantSlug),
}

impl HostOwner {
    /// True if this tenant is served under the host.
    fn serves(&self, tenant: &TenantSlug) -> bool {
        match self {
            Self::Shared => true,
            Self::Tenant(owner) => owner == tenant,
        }
    }

    /// The tenant that the host belongs to.
    fn tenant(&self) -> Option<&TenantSlug> {
        match self {
            Self::Shared => None,
            Self::Tenant(owner) => Some(owner),
        }
    }
}

impl App {
    pub(crate) async fn new(
        (core, clients): (Arc<Core>, Arc<Clients>),
        public_url: PublicUrl,
        trusted_proxies: Vec<Cidr>,
        tls: Option<Arc<tls::Tls>>,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, FolderError> {
        Ok(Self {
            world: Arc::clone(&core.world),
            installation: core.installation().await?,
            token_secret: crate::admin::token_secret(&core).await?,
            signing_key: crate::admin::signing_key(&core).await?,
            core,
            clients,
            public_url,
            enrol_limit: RateLimit::per_minute(ENROL_TRIES.0, ENROL_TRIES.1),
            sign_in_limit: RateLimit::per_minute(SIGN_IN_TRIES.0, SIGN_IN_TRIES.1),
            return_limit: RateLimit::per_minute(RETURNS.0, RETURNS.1),
            search_limit: RateLimit::per_minute(SEARCHES.0, SEARCHES.1),
            program_limit: RateLimit::per_minute(PROGRAM_CALLS.0, PROGRAM_CALLS.1),
            wrong_credential_limit: RateLimit::per_minute(WRONG_CREDENTIALS.0, WRONG_CREDENTIALS.1),
            refusals: Refusals::default(),
            trusted_proxies,
            tls,
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            readiness: Readiness::default(),
            registering: tokio::sync::Mutex::default(),
            stop,
        })
    }

    /// Whose a host name is; none if it is not registered here.
    async fn served_under(&self, host: &RequestHost) -> Result<Option<HostOwner>, StoreError> {
        if let Some(tenant) = tenant_of_host(&self.core, &host.name).await? {
            return Ok(Some(HostOwner::Tenant(tenant)));
        }
        let ours = host.is_loopback() || host.name == self.public_url.host();
        Ok(ours.then_some(HostOwner::Shared))
    }

    /// The tenant of an address, if it is served under this host.
    async fn tenant_at(&self, slug: &str, owner: &HostOwner) -> Result<Tenant, ApiError> {
        let slug = TenantSlug::parse(slug).map_err(|_| ApiError::not_found())?;
        if !owner.serves(&slug) {
            return Err(ApiError::not_found());
        }
        let found = self.core.tenant(&slug).await?;
        found.ok_or_else(ApiError::not_found)
    }

    /// The tenant of a host name: its owner, or the only tenant there is.
    async fn tenant_of(&self, owner: &HostOwner) -> Result<Option<TenantSlug>, StoreError> {
        match owner {
            HostOwner::Tenant(tenant) => Ok(Some(tenant.clone())),
            HostOwner::Shared => only_tenant(&self.core).await,
        }
    }

    /// The public half of the key that signs receipts.
    fn receipt_key(&self) -> DevicePublicKey {
        DevicePublicKey::from(*self.signing_key.verifying_key())
    }

    /// The gateway's clock in Unix seconds.
    fn now_unix_s(&self) -> u64 {
        u64::try_from(self.core.now_ms().div_euclid(1000)).unwrap_or(0)
    }
}

/// A failure of ours: the log gets the whole, the client the least.
macro_rules! failures_are_unavailable {
    ($($error:ty),*) => {$(
        impl From<$error> for ApiError {
            fn from(error: $error) -> Self {
                log_failure(&error);
                Self::unavailable()
            }
        }

        impl From<$error> for error::Problem {
            fn from(error: $error) -> Self {
                log_failure(&error);
                Self::unavailable()
            }
        }
    )*};
}
failures_are_unavailable!(
    StoreError,
    FolderError,
    holdfast_ledger::StoreError,
    crate::world::NoEntropy,
    askama::Error
);

/// Logs an error with everything behind it.
pub(crate) fn log_failure(error: &dyn std::error::Error) {
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        chain.push_str(": ");
        chain.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::error!(error = chain, "a request failed");
}

/// Routes that remember their addresses, so that a test can prove of each one what a stranger can do
/// with it.
#[derive(Default)]
struct Routes {
    router: Router<Arc<App>>,
    addresses: Vec<&'static str>,
}

impl Routes {
    fn route(mut self, address: &'static str, methods: MethodRouter<Arc<App>>) -> Self {
        self.addresses.push(address);
        Self { router: self.router.route(address, methods), ..self }
    }

    /// No body of the routes so far is longer, unless they say so themselves.
    fn body_bytes_max(self, most: usize) -> Self {
        Self { router: self.router.layer(DefaultBodyLimit::max(most)), ..self }
    }
}

/// Every address that is served to the world, with the names of its variable parts.
pub fn addresses() -> Vec<&'static str> {
    routes().addresses
}

/// Every route, inside every layer.
pub(crate) fn router(app: Arc<App>) -> Router {
    let routes = routes().router;
    routes
        .method_not_allowed_fallback(office::not_this_way)
        .fallback(webhook::elsewhere)
        .layer(from_fn(layers::deadline))
        .layer(from_fn_with_state(Arc::clone(&app), layers::room))
        .layer(from_fn_with_state(Arc::clone(&app), layers::host))
        .layer(from_fn_with_state(Arc::clone(&app), layers::trace))
        .layer(from_fn_with_state(Arc::clone(&app), layers::guard))
        .layer(from_fn_with_state(Arc::clone(&app), proxies::client))
        .with_state(app)
}

fn routes() -> Routes {
    let orders = post(handheld::submit).layer(DefaultBodyLimit::max(ORDER_BYTES_MAX));
    let notices = post(notice::take).layer(DefaultBodyLimit::max(NOTICE_BYTES_MAX));
    let import = get(office::charge_files::import_page)
        .post(office::charge_files::import)
        .layer(DefaultBodyLimit::max(IMPORT_BODY_BYTES_MAX));
    office_routes(api_routes(public_routes(Routes::default())))
        .body_bytes_max(SMALL_BODY_BYTES_MAX)
        .route("/admin/charges/import", import)
        .route("/api/{tenant}/orders", orders)
        .route("/api/{tenant}/notices", notices)
        .route("/api/{tenant}/qr/payment/webhook", post(webhook::by_path))
        .route("/api/system/payments/stripe/callback", post(webhook::by_host))
}

/// What everybody may open: payers' pages and the way in.
fn public_routes(routes: Routes) -> Routes {
    routes
        .route("/", get(office::home))
        .route("/health", get(operation::health))
        .route("/ready", get(operation::ready))
        .route("/assets/holdfast.css", get(assets::css))
        .route("/assets/holdfast.js", get(assets::js))
        .route("/assets/icon.svg", get(assets::icon))
        .route("/e/{tenant}/{code}", get(payer::enrolment_link))
        .route("/O/{order}", get(payer::order))
        .route("/o/{order}", get(payer::order))
        .route("/O/{order}/pay", post(payer::pay_order))
        .route("/o/{order}/pay", post(payer::pay_order))
        .route("/R/{receipt}", get(receipt::page))
        .route("/r/{receipt}", get(receipt::page))
        .route("/pay/{payment}", get(payer::payment))
        .route("/pay/{payment}/receipt.svg", get(receipt::picture))
        .route("/pay/{payment}/pay", post(payer::pay_again))
        .route("/pay/{payment}/return", get(payer::returned))
        .route("/pay/{payment}/live", get(live::payment))
        .route("/sign-in", get(office::enter::page).post(office::enter::by_password))
        .route("/sign-in/{token}", get(office::enter::link_page).post(office::enter::by_link))
}

/// What handhelds and programs ask.
fn api_routes(routes: Routes) -> Routes {
    routes
        .route("/api/{tenant}/handheld/enrol", post(handheld::enrol))
        .route("/api/{tenant}/handheld/token", post(handheld::token))
        .route("/api/{tenant}/handheld/config", get(handheld::config))
        .route("/api/{tenant}/handheld/payments", get(handheld::payments))
        .route("/api/{tenant}/handheld/charges", get(charge_search::search))
        .route("/api/{tenant}/handheld/cash", get(handheld::cash))
        .route("/api/{tenant}/charges", get(charges::list).post(charges::create))
        .route("/api/{tenant}/charges/{reference}", get(charges::read).put(charges::write))
        .route("/api/{tenant}/charges/{reference}/withdraw", post(charges::withdraw))
}

/// The office's pages.
fn office_routes(routes: Routes) -> Routes {
    routes
        .route("/admin", get(office::home))
        .route("/admin/payments", get(office::payments::page))
        .route("/admin/payments/live", get(live::office))
        .route("/admin/payments/{payment}", get(office::payment::page))
        .route("/admin/payments/{payment}/live", get(live::office_payment))
        .route("/admin/payments/{payment}/approve", post(office::payment::approve))
        .route("/admin/payments/{payment}/loss", post(office::payment::decide_loss))
        .route(
            "/admin/payments/{payment}/refund",
            get(office::refund::form).post(office::refund::confirm),
        )
        .route("/admin/refunds", get(office::alerts::page))
        .route("/admin/refunds/acknowledge", post(office::alerts::acknowledge))
        .route("/admin/handhelds", get(office::handhelds::page))
        .route("/admin/handhelds/code", post(office::handhelds::new_code))
        .route("/admin/handhelds/approve", post(office::handhelds::approve))
        .route("/admin/handhelds/revoke", post(office::handhelds::revoke))
        .route("/admin/users", get(office::people::page).post(office::people::add))
        .route("/admin/users/link", post(office::people::new_link))
        .route("/admin/users/reset", post(office::people::reset))
        .route("/admin/users/change", post(office::people::change))
        .route("/admin/types", get(office::types::list).post(office::types::add))
        .route("/admin/types/new", get(office::types::new))
        .route("/admin/types/{code}", get(office::types::edit).post(office::types::save))
        .route("/admin/types/{code}/keys", post(office::types::save_keys))
        .route(
            "/admin/types/{code}/live",
            get(office::live_mode::page).post(office::live_mode::change),
        )
        .route("/admin/types/{code}/check", post(office::types::check))
        .route("/admin/types/{code}/verify", post(office::types::verify))
        .route("/admin/types/{code}/register", post(office::types::register))
        .route("/admin/charges", get(office::charges::page).post(office::charges::add))
        .route("/admin/cash", get(office::cash::page))
        .route("/admin/cash/close", post(office::cash::close))
        .route("/admin/cash/void", post(office::cash::void))
        .route("/admin/cash/refused", post(office::cash::handle_refused))
        .route("/admin/types/{code}/cash", post(office::types::cash_mode))
        .route("/admin/charges/new", get(office::charges::new))
        .route("/admin/charges/example.csv", get(office::charge_files::example))
        .route("/admin/charges/export.csv", get(office::charge_files::export))
        .route(
            "/admin/charges/api",
            get(office::programs::programs).post(office::programs::make_credential),
        )
        .route("/admin/charges/api/revoke", post(office::programs::revoke_credential))
        .route(
            "/admin/charges/{reference}",
            get(office::charges::edit).post(office::charges::change),
        )
        .route("/admin/charges/{reference}/withdraw", post(office::charges::withdraw))
        .route("/admin/deliveries", get(office::deliveries::page))
        .route("/admin/deliveries/live", get(live::deliveries))
        .route("/admin/deliveries/ask", post(office::deliveries::ask))
        .route("/admin/deliveries/replay", post(office::deliveries::replay))
        .route("/admin/deliveries/drop", post(office::deliveries::drop_secret))
        .route("/admin/deliveries/cli-secret", post(office::deliveries::cli_secret))
        .route("/admin/deliveries/senders", post(office::deliveries::senders))
        .route("/admin/audit", get(office::audit::page))
        .route("/admin/account", get(office::enter::account).post(office::enter::set_password))
        .route("/admin/sign-out", post(office::enter::sign_out))
}
