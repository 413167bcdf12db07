//! What the doctor asks Stripe.

use super::Finding;
use crate::accounts;
use crate::core::{Core, FolderError};
use crate::credentials::{self, credentials, newest_generation};
use crate::processors::{self, PaymentTypeRow};
use holdfast_domain::{Mode, TenantSlug};
use holdfast_stripe::{CallError, Client};

/// A clock that is off by more than this, in milliseconds, is worth a word; webhooks are refused
/// from 300 s on.
const CLOCK_OFF_MS_MAX: u64 = 30_000;
/// How long the look at the clock may take.
const CLOCK_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

pub(super) async fn examine(core: &Core, tenant: &TenantSlug) -> Result<Vec<Finding>, FolderError> {
    let mut findings = Vec::new();
    for kind in processors::payment_types(core, tenant).await? {
        findings.extend(payment_type(core, tenant, &kind).await?);
    }
    if findings.is_empty() {
        let words = "there is none yet; add one on the Payment Types page";
        findings.push(Finding::advice(format!("payment types of {tenant}"), words));
    }
    Ok(findings)
}

async fn payment_type(
    core: &Core,
    tenant: &TenantSlug,
    kind: &PaymentTypeRow,
) -> Result<Vec<Finding>, FolderError> {
    let (code, mode) = (&kind.code, kind.mode);
    let what = format!("{code} of {tenant} ({mode})");
    let Some(generation) = newest_generation(core, tenant, code, mode).await? else {
        let words = "no Secret Key is stored for this mode; enter it on the Payment Types page";
        return Ok(vec![Finding::bad(what, words)]);
    };
    let mut findings = vec![webhook_secret(core, tenant, &what, mode).await?];
    let found = match credentials(core, tenant, code, mode, generation).await {
        Ok(found) => found,
        Err(error) => {
            findings.push(Finding::bad(what, error.to_string()));
            return Ok(findings);
        }
    };
    let api_base = found.api_base.clone();
    let client = accounts::config(core, &found.api_base, found.secret_key).and_then(Client::new);
    findings.push(match client {
        Ok(client) => match client.account().await {
            Ok(account) => {
                let other = accounts::of_other_mode(core, tenant, code, mode).await?;
                match other.filter(|other| *other != account.id) {
                    None => Finding::good(what.clone(), format!("the key is good for {}", account.id)),
                    Some(other) => Finding::advice(what.clone(), format!(
                        "the key is good for {}, and the key of the other mode is of {other}; unless one \
                         is a sandbox of the same business, enter the Secret Key again that is of the \
                         wrong account", account.id
                    )),
                }
            }
            Err(CallError::PermissionMissing(error)) => {
                Finding::advice(what.clone(), error.to_string())
            }
            Err(error) => Finding::bad(what.clone(), error.to_string()),
        },
        Err(error) => Finding::bad(what.clone(), error.to_string()),
    });
    findings.extend(clock(core, &api_base).await);
    Ok(findings)
}

async fn webhook_secret(
    core: &Core,
    tenant: &TenantSlug,
    what: &str,
    mode: Mode,
) -> Result<Finding, FolderError> {
    let known = credentials::webhook_secrets(core, tenant).await?;
    let what = format!("webhook secret for {what}");
    Ok(if known.iter().any(|it| it.mode == mode) {
        Finding::good(what, "it is stored")
    } else {
        let words = "none is stored, so Stripe's deliveries are refused and payments settle only \
                     when they are asked about; register the webhook on the Payment Types page";
        Finding::bad(what, words)
    })
}

/// Compares this machine's clock with the time on Stripe's answer.
async fn clock(core: &Core, api_base: &str) -> Option<Finding> {
    let tls = holdfast_stripe::tls::client_config().ok()?;
    let http = reqwest::Client::builder().tls_backend_preconfigured(tls);
    let on_this_machine = api_base.starts_with("http://");
    let http = if on_this_machine { http.no_proxy() } else { http };
    let http = http.timeout(CLOCK_TIMEOUT).build().ok()?;
    let answer = http.get(api_base).send().await.ok()?;
    let date = answer.headers().get("date")?.to_str().ok()?;
    let theirs_s = i64::try_from(httpdate_s(date)?).ok()?;
    let off_ms = core.now_ms().abs_diff(theirs_s.saturating_mul(1000));
    let words = format!("off by {} s from Stripe's", off_ms / 1000);
    Some(if off_ms > CLOCK_OFF_MS_MAX {
        Finding::bad("clock", format!("{words}; set this machine's clock, best by NTP"))
    } else {
        Finding::good("clock", words)
    })
}

/// Unix seconds of a date such as `Mon, 23 Nov 2026 02:40:56 GMT`.
fn httpdate_s(text: &str) -> Option<u64> {
    let time = httpdate::parse_http_date(text).ok()?;
    time.duration_since(std::time::UNIX_EPOCH).ok().map(|since| since.as_secs())
}
