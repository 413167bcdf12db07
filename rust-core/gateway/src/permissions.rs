//! What a restricted key must be allowed to do, in the words of Stripe's Dashboard, and what is missing
//! without it (row A5).

use holdfast_stripe::objects::List;
use holdfast_stripe::{CallError, Client, Created, FrozenRequest, Page};

/// A way to find out, without any effect: a request without its parameters and a look at what is not
/// there are refused, but only after the permission was looked at.
enum Probe {
    /// POST to this path, without parameters.
    Post(&'static str),
    Session,
    Intent,
    Charge,
    Dispute,
    Events,
    Endpoints,
}

/// One permission.
struct Needed {
    /// Resource and level, as Stripe's Dashboard words them (Developers, API keys, Create restricted
    /// key).
    name: &'static str,
    probe: Probe,
    /// What does not work without it, or works more slowly.
    without: &'static str,
}

/// Everything that Holdfast asks of Stripe. Writing includes reading.
const NEEDED: [Needed; 10] = [
    Needed {
        name: "Checkout Sessions: Read",
        probe: Probe::Session,
        without: "no payment is settled",
    },
    Needed {
        name: "Checkout Sessions: Write",
        probe: Probe::Post("/v1/checkout/sessions"),
        without: "no card page opens",
    },
    Needed { name: "PaymentIntents: Read", probe: Probe::Intent, without: "no payment is settled" },
    Needed {
        name: "PaymentIntents: Write",
        probe: Probe::Post("/v1/payment_intents"),
        without: "Verify webhook cannot try the events of PaymentIntents; payments work all the same",
    },
    Needed {
        name: "Charges and Refunds: Read",
        probe: Probe::Charge,
        without: "no payment is settled, and no refund is followed",
    },
    Needed {
        name: "Charges and Refunds: Write",
        probe: Probe::Post("/v1/refunds"),
        without: "nothing is refunded from here, not even money that arrived twice; refund it in \
                  Stripe's Dashboard",
    },
    Needed {
        name: "Disputes: Read",
        probe: Probe::Dispute,
        without: "disputes are not shown here, or only as open; look into Stripe's Dashboard",
    },
    Needed {
        name: "Events: Read",
        probe: Probe::Events,
        without: "a missed delivery is found minutes later, payment by payment, and after a restore \
                  refunds and disputes are listed instead, which needs Charges and Refunds: Read",
    },
    Needed {
        name: "Webhook Endpoints: Read",
        probe: Probe::Endpoints,
        without: "the webhook at Stripe is not compared with what is needed",
    },
    Needed {
        name: "Webhook Endpoints: Write",
        probe: Probe::Post("/v1/webhook_endpoints"),
        without: "the button cannot register the webhook; add it by hand",
    },
];

/// One sentence for each permission that the key lacks.
pub(crate) async fn missing(client: &Client, mut new_key: impl FnMut() -> String) -> Vec<String> {
    let mut sentences = Vec::new();
    for needed in &NEEDED {
        let answer = match needed.probe {
            Probe::Post(path) => ask_without_parameters(client, path, new_key()).await,
            Probe::Session => client.checkout_session("cs_test_0").await.map(|_| ()),
            Probe::Intent => client.payment_intent("pi_0").await.map(|_| ()),
            Probe::Charge => client.charge("ch_0").await.map(|_| ()),
            Probe::Dispute => client.dispute("dp_0").await.map(|_| ()),
            Probe::Events => {
                let page = Page { limit: 1, starting_after: None };
                let window = Created::default();
                client.events(window, false, &page).await.map(|_: List<_>| ())
            }
            Probe::Endpoints => client.webhook_endpoints().await.map(|_| ()),
        };
        if let Err(CallError::PermissionMissing(error)) = answer {
            let said = error.object.message.as_deref().unwrap_or("permission missing");
            let Needed { name, without, .. } = needed;
            sentences.push(format!(
                "Missing permission {name}. Without it, {without}. Stripe says: {said}"
            ));
        }
    }
    sentences
}

async fn ask_without_parameters(
    client: &Client,
    path: &str,
    idempotency_key: String,
) -> Result<(), CallError> {
    let empty = FrozenRequest { path: path.to_owned(), body: String::new(), idempotency_key };
    client.send::<serde_json::Value>(&empty).await.map(|_| ())
}
