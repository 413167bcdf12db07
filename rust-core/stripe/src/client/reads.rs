//! Calls that only look. Objects come with what this project always needs of them expanded.

use super::Client;
use crate::error::{CallError, NotSentWhy, UnknownWhy};
use crate::form::Form;
use crate::objects::{
    Account, Charge, CheckoutSession, Dispute, Event, EventType, List, PaymentIntent, Refund,
    WebhookEndpoint,
};
use crate::path;

/// Stripe's largest page.
const PAGE_MAX: u32 = 100;

/// A search over many pages ends after this many: ten thousand sessions in one window is no
/// search any more, and the caller should narrow it.
const PAGES_MAX: u32 = 100;

/// A window of creation times, in Unix seconds, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Created {
    /// Not before.
    pub from: Option<i64>,
    /// Not after.
    pub to: Option<i64>,
}

/// Which page of a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many, 1 to 100.
    pub limit: u32,
    /// The last ID of the page before.
    pub starting_after: Option<String>,
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: PAGE_MAX, starting_after: None }
    }
}

impl Client {
    /// The account that the key belongs to.
    pub async fn account(&self) -> Result<Account, CallError> {
        self.get("/v1/account", "").await
    }

    /// A session, with its PaymentIntent and latest charge.
    pub async fn checkout_session(&self, id: &str) -> Result<CheckoutSession, CallError> {
        self.retrieve("checkout/sessions", id, &["payment_intent", "payment_intent.latest_charge"])
            .await
    }

    /// Sessions created in a window.
    pub async fn checkout_sessions(
        &self,
        created: Created,
        page: &Page,
    ) -> Result<List<CheckoutSession>, CallError> {
        self.list("checkout/sessions", list_query(created, page)).await
    }

    /// Every session created in a window that carries our reference: how a session is found whose
    /// creation was never answered. More than one is possible and matters.
    pub async fn checkout_sessions_of(
        &self,
        client_reference_id: &str,
        created: Created,
    ) -> Result<Vec<CheckoutSession>, CallError> {
        let mut found = Vec::new();
        let mut page = Page::default();
        for _ in 0..PAGES_MAX {
            let List { data, has_more } = self.checkout_sessions(created, &page).await?;
            page.starting_after = data.last().map(|session| session.id.clone());
            found.extend(
                data.into_iter()
                    .filter(|s| s.client_reference_id.as_deref() == Some(client_reference_id)),
            );
            if !has_more || page.starting_after.is_none() {
                return Ok(found);
            }
        }
        Err(CallError::Unknown { why: UnknownWhy::WindowTooWide, request_id: None })
    }

    /// A PaymentIntent, with its latest charge.
    pub async fn payment_intent(&self, id: &str) -> Result<PaymentIntent, CallError> {
        self.retrieve("payment_intents", id, &["latest_charge"]).await
    }

    /// PaymentIntents created in a window.
    pub async fn payment_intents(
        &self,
        created: Created,
        page: &Page,
    ) -> Result<List<PaymentIntent>, CallError> {
        self.list("payment_intents", list_query(created, page)).await
    }

    /// A charge.
    pub async fn charge(&self, id: &str) -> Result<Charge, CallError> {
        self.retrieve("charges", id, &[]).await
    }

    /// The charges of a PaymentIntent: one for each attempt.
    pub async fn charges_of(&self, payment_intent: &str) -> Result<List<Charge>, CallError> {
        self.list_of("charges", payment_intent).await
    }

    /// A refund.
    pub async fn refund(&self, id: &str) -> Result<Refund, CallError> {
        self.retrieve("refunds", id, &[]).await
    }

    /// Refunds created in a window.
    pub async fn refunds(&self, created: Created, page: &Page) -> Result<List<Refund>, CallError> {
        self.list("refunds", list_query(created, page)).await
    }

    /// The refunds of a PaymentIntent.
    pub async fn refunds_of(&self, payment_intent: &str) -> Result<List<Refund>, CallError> {
        self.list_of("refunds", payment_intent).await
    }

    /// A dispute.
    pub async fn dispute(&self, id: &str) -> Result<Dispute, CallError> {
        self.retrieve("disputes", id, &[]).await
    }

    /// Disputes created in a window.
    pub async fn disputes(
        &self,
        created: Created,
        page: &Page,
    ) -> Result<List<Dispute>, CallError> {
        self.list("disputes", list_query(created, page)).await
    }

    /// The disputes of a PaymentIntent.
    pub async fn disputes_of(&self, payment_intent: &str) -> Result<List<Dispute>, CallError> {
        self.list_of("disputes", payment_intent).await
    }

    /// An event. Stripe keeps 30 days of them.
    pub async fn event(&self, id: &str) -> Result<Event, CallError> {
        self.retrieve("events", id, &[]).await
    }

    /// Events created in a window; with `undelivered` only those that an endpoint has not taken.
    pub async fn events(
        &self,
        created: Created,
        undelivered: bool,
        page: &Page,
    ) -> Result<List<Event>, CallError> {
        let mut query = list_query(created, page);
        if undelivered {
            query.set("delivery_success", false);
        }
        self.list("events", query).await
    }

    /// Events of these types (20 at most) created in a window, whether delivered or not.
    pub async fn events_of(
        &self,
        created: Created,
        kinds: &[EventType],
        page: &Page,
    ) -> Result<List<Event>, CallError> {
        let mut query = list_query(created, page);
        for kind in kinds {
            query.set("types[]", kind);
        }
        self.list("events", query).await
    }

    /// The registered webhook endpoints; at most 16, so one page holds them.
    pub async fn webhook_endpoints(&self) -> Result<List<WebhookEndpoint>, CallError> {
        self.list("webhook_endpoints", list_query(Created::default(), &Page::default())).await
    }

    async fn retrieve<T: serde::de::DeserializeOwned>(
        &self,
        collection: &str,
        id: &str,
        expand: &[&str],
    ) -> Result<T, CallError> {
        let id = path::id_segment(id).map_err(NotSentWhy::from).map_err(CallError::NotSent)?;
        let mut query = Form::default();
        for field in expand {
            query.set("expand[]", field);
        }
        self.get(&format!("/v1/{collection}/{id}"), &query.encode()).await
    }

    async fn list<T: serde::de::DeserializeOwned>(
        &self,
        collection: &str,
        query: Form,
    ) -> Result<List<T>, CallError> {
        self.get(&format!("/v1/{collection}"), &query.encode()).await
    }

    async fn list_of<T: serde::de::DeserializeOwned>(
        &self,
        collection: &str,
        payment_intent: &str,
    ) -> Result<List<T>, CallError> {
        let mut query = list_query(Created::default(), &Page::default());
        query.set("payment_intent", payment_intent);
        self.list(collection, query).await
    }
}

fn list_query(created: Created, page: &Page) -> Form {
    let mut query = Form::default();
    query
        .set("limit", page.limit.clamp(1, PAGE_MAX))
        .set_some("created[gte]", created.from)
        .set_some("created[lte]", created.to)
        .set_some("starting_after", page.starting_after.as_deref());
    query
}
