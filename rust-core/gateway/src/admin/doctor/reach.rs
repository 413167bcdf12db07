//! Whether Stripe would get through to the webhook: the doctor goes the way that a delivery goes, from
//! the name to the answer, and says where it ends. It goes from this machine; a firewall before it is
//! seen only from outside.

use super::Finding;
use crate::admin::tenant::hosts_of;
use crate::certificate::Validity;
use crate::core::{Core, FolderError};
use crate::deliveries::look;
use crate::pages::Moment;
use crate::processors;
use crate::webhook_books::addresses;
use axum::http::{StatusCode, Uri, header};
use holdfast_domain::TenantSlug;
use holdfast_protocol::wire::Provider;
use holdfast_stripe::is_public;
use std::error::Error;
use std::io;
use std::time::Duration;

/// How long each part of the way may take: Stripe itself waits no longer than this for long.
const PATIENCE: Duration = Duration::from_secs(10);
/// A certificate with so many days left should have been renewed: most are a month before their end.
const DAYS_LEFT_MIN: i64 = 14;
/// What the gateway answers to whom it does not believe; who else answers 400 says something else.
const OUR_WORD: &str = "The delivery was not accepted.";

/// How far one gets.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// The gateway answered as it answers strangers. With the end of its certificate, if it has one.
    Through(Option<Validity>),
    /// The name leads nowhere.
    NoName,
    /// The name leads to addresses that only this network knows.
    Private(String),
    /// Nobody listens there.
    Refused,
    /// Nobody answers.
    Silent,
    /// The certificate is not one that Stripe trusts.
    Certificate(String),
    /// It answers, but with another status than ours.
    Answers { status: u16, to: Option<String> },
    /// Something else went wrong.
    Broken(String),
}

pub(super) async fn examine(core: &Core, tenant: &TenantSlug) -> Result<Vec<Finding>, FolderError> {
    let types = processors::payment_types(core, tenant).await?;
    if !types.iter().any(|kind| kind.provider == Provider::Stripe) {
        return Ok(Vec::new());
    }
    let base_url = core.base_url().await?;
    let [by_path, _] = addresses(&base_url, tenant);
    let mut wanted = vec![by_path];
    if base_url.starts_with("https://") {
        for host in hosts_of(core, tenant).await? {
            let [_, by_host] = addresses(&format!("https://{host}"), tenant);
            wanted.push(by_host);
        }
    }
    let secret = crate::admin::token_secret(core).await?;
    let mut findings = Vec::new();
    for address in wanted {
        let path = address.parse::<Uri>().map(|it| it.path().to_owned()).unwrap_or_default();
        let proof = look::prove(secret.expose(), &path, core.now_ms().div_euclid(1000));
        let way = way_to(&address, &proof).await;
        findings.extend(told(core.now_ms(), &address, &way));
    }
    Ok(findings)
}

async fn way_to(address: &str, proof: &str) -> Way {
    let Ok(uri) = address.parse::<Uri>() else { return Way::NoName };
    let is_tls = uri.scheme_str() == Some("https");
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let lookup = tokio::net::lookup_host((host.as_str(), port));
    let found: Vec<_> = match tokio::time::timeout(PATIENCE, lookup).await {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(_)) | Err(_) => return Way::NoName,
    };
    let Some(first) = found.first() else { return Way::NoName };
    let way = ask(address, proof).await;
    let is_ours = matches!(way, Way::Through(_));
    if is_ours && is_tls && !found.iter().any(|it| is_public(it.ip())) {
        return Way::Private(first.ip().to_string());
    }
    way
}

/// Sends what Stripe never sends: nothing, unsigned. The proof keeps it out of the list of deliveries.
async fn ask(address: &str, proof: &str) -> Way {
    let client =
        holdfast_stripe::tls::client_config().map_err(|it| it.to_string()).and_then(|tls| {
            let client = reqwest::Client::builder().tls_backend_preconfigured(tls).tls_info(true);
            let client = client.redirect(reqwest::redirect::Policy::none()).no_proxy();
            client.timeout(PATIENCE).build().map_err(|it| it.to_string())
        });
    let client = match client {
        Ok(client) => client,
        Err(why) => return Way::Broken(why),
    };
    let answer = match client.post(address).header(look::HEADER, proof).send().await {
        Ok(answer) => answer,
        Err(error) => return failed(&error),
    };
    let status = answer.status();
    let to = answer.headers().get(header::LOCATION).and_then(|it| it.to_str().ok());
    let to = to.map(|it| it.chars().filter(|c| !c.is_control()).take(120).collect());
    let tls = answer.extensions().get::<reqwest::tls::TlsInfo>();
    let validity = tls.and_then(|tls| tls.peer_certificate()).and_then(Validity::of);
    let is_ours = status == StatusCode::BAD_REQUEST
        && answer.text().await.is_ok_and(|words| words.contains(OUR_WORD));
    if is_ours { Way::Through(validity) } else { Way::Answers { status: status.as_u16(), to } }
}

fn failed(error: &reqwest::Error) -> Way {
    if error.is_timeout() {
        return Way::Silent;
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut last = String::new();
    while let Some(it) = cause {
        last = it.to_string();
        if let Some(rustls::Error::InvalidCertificate(why)) = it.downcast_ref() {
            return Way::Certificate(in_words(why));
        }
        let system = it.downcast_ref::<io::Error>();
        if system.is_some_and(|it| it.kind() == io::ErrorKind::ConnectionRefused) {
            return Way::Refused;
        }
        // An I/O error shows what it carries by `get_ref`, and only what lies behind that as a source.
        cause = match system.and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => it.source(),
        };
    }
    Way::Broken(last)
}

fn in_words(why: &rustls::CertificateError) -> String {
    use rustls::CertificateError as Why;
    match why {
        Why::Expired | Why::ExpiredContext { .. } => "it has expired; renew it".to_owned(),
        Why::NotValidYet | Why::NotValidYetContext { .. } => {
            "it is not valid yet; check its dates and this machine's clock".to_owned()
        }
        Why::NotValidForName | Why::NotValidForNameContext { .. } => {
            "it is for another name; get one for this host".to_owned()
        }
        Why::UnknownIssuer => {
            "nobody public has signed it; use one of a public authority, with its \
                               whole chain in --tls-cert"
                .to_owned()
        }
        _ => "it is not in order; get a new one".to_owned(),
    }
}

/// What is told about a way, and what to do.
fn told(now_ms: i64, address: &str, way: &Way) -> Vec<Finding> {
    let what = format!("webhook at {address}");
    let is_local = address.starts_with("http://");
    let bad = |words: &str| vec![Finding::bad(what.clone(), words)];
    match way {
        Way::Through(_) if is_local => vec![Finding::good(
            what,
            "it answers on this machine, for the sandbox and for stripe listen; Stripe itself needs a \
             public https address",
        )],
        Way::Through(validity) => {
            let mut findings = vec![Finding::good(what, "it answers as it should")];
            findings.extend(validity.map(|validity| certificate(now_ms, address, validity)));
            findings
        }
        Way::Refused if is_local => vec![Finding::advice(
            what,
            "nothing listens there; start it with holdfast serve, then ask the doctor again",
        )],
        Way::NoName => bad(
            "its host name is not found in the DNS; add an A or AAAA record, or correct --public-url \
             or --host",
        ),
        Way::Private(ip) => vec![Finding::advice(
            what,
            format!(
                "it answers, but the name leads to {ip}, which the internet does not reach; Stripe \
                 needs a public address, or a proxy that has one"
            ),
        )],
        Way::Refused => bad(
            "the connection is refused; start holdfast serve there, or let the proxy listen on this \
             port, and open it in the firewall",
        ),
        Way::Silent => bad(
            "nobody answers within 10 s; open the port in the firewall, and let the router pass it on \
             to this machine",
        ),
        Way::Certificate(why) => bad(&format!("Stripe would not trust its certificate: {why}")),
        Way::Answers { status, to } => bad(&answered(*status, to.as_deref())),
        Way::Broken(why) => bad(&format!("the connection breaks ({why}); check TLS and the proxy")),
    }
}

fn answered(status: u16, to: Option<&str>) -> String {
    match status {
        300..=399 => {
            let to = to.unwrap_or("another address");
            format!(
                "it redirects to {to}, and Stripe follows no redirect; register that address, or let \
                 this one answer itself"
            )
        }
        404 | 405 => format!(
            "it answers {status}: something else serves this path; let the proxy pass /api/ on \
             unchanged to holdfast serve"
        ),
        421 => {
            "it answers 421: the gateway does not know this host name; let the proxy pass the Host \
                header on, or start serve with --public-url, or register the name with --host"
                .to_owned()
        }
        401 | 403 => format!(
            "it answers {status}: a login or a filter stands before it; let POST through to this \
             address without one"
        ),
        408 | 502..=504 => format!(
            "it answers {status}: there is a proxy and nothing answers behind it, or the gateway takes \
             nothing just now; start holdfast serve and see its /ready"
        ),
        _ => format!(
            "it answers {status} in other words than the gateway's: another program is there; correct \
             --public-url or the proxy"
        ),
    }
}

fn certificate(now_ms: i64, address: &str, validity: Validity) -> Finding {
    let what = format!("certificate at {address}");
    let days = validity.days_left(now_ms);
    let end = Moment::from_ms(validity.until_s.saturating_mul(1000));
    if days < DAYS_LEFT_MIN {
        let words = format!(
            "it ends on {end}, in {days} days; renew it, or payers, handhelds and Stripe are shut out"
        );
        return Finding::bad(what, words);
    }
    Finding::good(what, format!("good for {days} more days, until {end}"))
}

#[cfg(test)]
mod tests;
