//! Webhooks that came to a wrong path or host name: the office that may be meant is told.

use super::shown;
use crate::deliveries::{Delivery, Outcome};
use crate::http::hosts::RequestHost;
use crate::http::{App, HostOwner, Peer};
use crate::store::StoreError;
use crate::webhook_books;
use axum::extract::Request;
use axum::http::{StatusCode, Uri};
use holdfast_domain::TenantSlug;
use holdfast_stripe::webhook::SIGNATURE_HEADER;
use std::net::IpAddr;

/// Something that carries a signature of Stripe's form and came to an address that takes none.
pub(in crate::http) struct Misaddressed {
    host: String,
    path: String,
    /// The tenant that the path names.
    slug: Option<TenantSlug>,
    from: IpAddr,
}

impl Misaddressed {
    /// None for a request that does not look like a webhook.
    pub(in crate::http) fn of(request: &Request) -> Option<Self> {
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
    pub(in crate::http) async fn note(
        self,
        app: &App,
        owner: Option<&HostOwner>,
    ) -> Result<(), StoreError> {
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
