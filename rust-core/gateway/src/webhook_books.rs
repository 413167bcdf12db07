//! What Stripe has on its books about our webhooks: is the address right, is the endpoint enabled, does
//! it send what is needed?
//!
//! Two lists of event types are each enough to settle every payment; the rest only makes things show
//! sooner. Whatever is missing is found by asking, later.

use crate::connection::{Step, Subject, explain};
use holdfast_domain::TenantSlug;
use holdfast_ledger::work::FOLLOWED;
use holdfast_stripe::objects::{EndpointStatus, EventType, WebhookEndpoint};
use holdfast_stripe::{API_VERSION, CallError};

/// The short list of Checkout Sessions.
const BY_SESSION: [EventType; 2] = [EventType::SessionCompleted, EventType::SessionExpired];
/// The short list of PaymentIntents.
const BY_INTENT: [EventType; 3] =
    [EventType::IntentSucceeded, EventType::IntentFailed, EventType::IntentCanceled];
/// What shows later without some types.
const LATER: [(&[EventType], &str); 5] = [
    (&BY_SESSION, "that a card page was left or has expired"),
    (&BY_INTENT, "that a card was declined"),
    (
        &[
            EventType::SessionAsyncSucceeded,
            EventType::SessionAsyncFailed,
            EventType::IntentProcessing,
        ],
        "how a payment by a slow method, such as a bank debit, goes on",
    ),
    (
        &[
            EventType::RefundCreated,
            EventType::RefundUpdated,
            EventType::RefundFailed,
            EventType::ChargeRefunded,
        ],
        "refunds that are made at Stripe, and refunds that fail",
    ),
    (&[EventType::DisputeCreated, EventType::DisputeClosed], "disputes"),
];

/// The addresses that a tenant's webhook may have.
pub(crate) fn addresses(public_url: &str, tenant: &TenantSlug) -> [String; 2] {
    [
        format!("{public_url}/api/{tenant}/qr/payment/webhook"),
        format!("{public_url}/api/system/payments/stripe/callback"),
    ]
}

impl Subject<'_> {
    /// What Stripe has on its books about our webhooks; good things too.
    pub(crate) async fn on_the_books(&self, public_url: &str) -> Vec<Step> {
        let client = match self.client() {
            Ok(client) => client,
            Err(step) => return vec![step],
        };
        let found = match client.webhook_endpoints().await {
            Ok(found) => found.data,
            Err(CallError::PermissionMissing(_)) => {
                return vec![Step::good(
                    "This restricted key may not read webhook endpoints, so Stripe's side is not \
                     known. Give it that permission to see more here.",
                )];
            }
            Err(error) => return vec![Step::bad(explain(&error))],
        };
        let ours = addresses(public_url, self.tenant);
        let to_us: Vec<_> = found.iter().filter(|it| ours.contains(&it.url)).collect();
        if to_us.is_empty() {
            return endpoint_trouble(&found, public_url, self.tenant);
        }
        to_us.into_iter().flat_map(describe).collect()
    }
}

/// What is wrong with the endpoints that Stripe has on its books, in plain words.
pub(crate) fn endpoint_trouble(
    found: &[WebhookEndpoint],
    public_url: &str,
    tenant: &TenantSlug,
) -> Vec<Step> {
    let ours = addresses(public_url, tenant);
    let to_us: Vec<_> = found.iter().filter(|it| ours.contains(&it.url)).collect();
    if to_us.is_empty() {
        let others: Vec<&str> = found.iter().map(|it| it.url.as_str()).collect();
        let others = if others.is_empty() {
            "Stripe has no webhook at all".to_owned()
        } else {
            format!("Stripe sends to {}", others.join(", "))
        };
        let [wanted, _] = ours;
        return vec![Step::bad(format!("Wrong address: {others}. Change it to {wanted}."))];
    }
    to_us.into_iter().flat_map(describe).filter(|step| !step.good).collect()
}

/// An endpoint at our address: is it enabled, and are the events right?
pub(crate) fn describe(endpoint: &WebhookEndpoint) -> Vec<Step> {
    let mut steps = vec![Step::good(format!("{} sends to {}", endpoint.id, endpoint.url))];
    if endpoint.status == EndpointStatus::Disabled {
        steps.push(Step::bad(format!("{} is disabled at Stripe; enable it there.", endpoint.id)));
    }
    steps.extend(missing(endpoint));
    let needless = endpoint.enabled_events.iter().filter(|it| !FOLLOWED.contains(it));
    let needless: Vec<&str> = needless.map(EventType::as_str).collect();
    if needless == ["*"] {
        steps.push(Step::good(format!(
            "{} gets events of every type. That works; choosing only the needed ones saves traffic",
            endpoint.id
        )));
    } else if !needless.is_empty() {
        steps.push(Step::good(format!(
            "Needless event types, which may be removed: {}",
            needless.join(", ")
        )));
    }
    let version = endpoint.api_version.as_deref().filter(|version| *version != API_VERSION);
    if let Some(version) = version {
        steps.push(Step::good(format!(
            "{} sends events of the API version {version}; this gateway speaks {API_VERSION}. It takes \
             them all the same, because it asks Stripe for the object itself",
            endpoint.id
        )));
    }
    steps
}

/// What is not sent, and what shows later because of it.
fn missing(endpoint: &WebhookEndpoint) -> Vec<Step> {
    let has = |kind: &EventType| {
        endpoint.enabled_events.iter().any(|it| it == kind || it.as_str() == "*")
    };
    let missing: Vec<&str> = FOLLOWED.iter().filter(|it| !has(it)).map(EventType::as_str).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let settles = BY_SESSION.iter().all(has) || BY_INTENT.iter().all(has);
    let missing = missing.join(", ");
    if !settles {
        return vec![Step::bad(format!(
            "Missing event types: {missing}. Add them at Stripe; until then payments are settled when \
             the gateway asks by itself, up to ten minutes later."
        ))];
    }
    let later = LATER.iter().filter(|(kinds, _)| !kinds.iter().all(has)).map(|(_, words)| *words);
    let later = later.collect::<Vec<_>>().join("; ");
    vec![Step::good(format!(
        "Every payment is settled by the event types that are sent. Without {missing} these show up to \
         ten minutes later, when the gateway asks by itself: {later}"
    ))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(kinds: &[EventType]) -> WebhookEndpoint {
        let kinds: Vec<&str> = kinds.iter().map(EventType::as_str).collect();
        serde_json::from_value(serde_json::json!({
            "id": "we_1", "object": "webhook_endpoint", "created": 1, "livemode": false,
            "status": "enabled", "url": "https://a.example/", "enabled_events": kinds,
            "api_version": API_VERSION, "metadata": {},
        }))
        .unwrap()
    }

    #[test]
    fn either_short_list_alone_is_enough_and_less_is_not() {
        for (kinds, good, words) in [
            (&FOLLOWED[..], true, "sends to"),
            (&BY_SESSION[..], true, "a card was declined"),
            (&BY_INTENT[..], true, "a card page was left"),
            (&BY_SESSION[..1], false, "Missing event types: checkout.session.expired"),
            (&BY_INTENT[..2], false, "payment_intent.canceled"),
        ] {
            let steps = describe(&endpoint(kinds));
            assert_eq!(steps.iter().all(|step| step.good), good, "{steps:?}");
            assert!(steps.iter().any(|step| step.words.contains(words)), "{steps:?}");
        }
        let all = describe(&endpoint(&[EventType::from("*")]));
        assert!(all.iter().all(|step| step.good && !step.words.contains("Missing")), "{all:?}");
    }

    #[test]
    fn every_type_that_is_followed_is_on_a_list() {
        let listed: Vec<&EventType> = LATER.iter().flat_map(|(kinds, _)| *kinds).collect();
        assert!(
            FOLLOWED.iter().all(|kind| listed.contains(&kind)) && listed.len() == FOLLOWED.len()
        );
    }
}
