//! What the hosted page shows of a session.

use holdfast_stripe::amount;
use holdfast_stripe::objects::SessionStatus;

use super::model::Session;
use super::{Core, pay};

/// A session as the payer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedPage {
    /// The merchant's name.
    pub business_name: String,
    /// What is paid for.
    pub lines: Vec<PageLine>,
    /// The total, with its currency.
    pub total: String,
    /// Open, complete or expired.
    pub status: SessionStatus,
    /// Whether the bank waits for the payer's answer.
    pub challenged: bool,
    /// Where the back link leads.
    pub cancel_url: Option<String>,
    /// Where a paid session leads, with its ID filled in.
    pub success_address: String,
    /// The e-mail address, if the merchant gave it.
    pub email: Option<String>,
}

/// One line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageLine {
    /// What it is.
    pub name: String,
    /// How many.
    pub quantity: i64,
    /// All of them together, with the currency.
    pub amount: String,
}

/// What the bank's question shows of a PaymentIntent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticationPage {
    /// The merchant's name.
    pub business_name: String,
    /// The amount, with its currency.
    pub total: String,
    /// Whether it still waits for an answer.
    pub waits: bool,
    /// Where the payer goes afterwards.
    pub return_url: Option<String>,
}

impl Core {
    /// What the bank's question shows, to whoever has the PaymentIntent's secret.
    pub fn authentication_page(
        &mut self,
        id: &str,
        secret: &str,
        now_ms: i64,
    ) -> Option<AuthenticationPage> {
        self.advance(now_ms);
        let intent = self.intents.get(id).filter(|it| self.client_secret(&it.id) == secret)?;
        let pending = intent.pending.as_ref();
        let return_url = pending.and_then(|pending| pending.return_url.as_deref());
        Some(AuthenticationPage {
            business_name: self.config.business_name.clone(),
            total: price(intent.amount, &intent.currency),
            waits: pending.is_some(),
            return_url: return_url.map(str::to_owned),
        })
    }

    /// What the hosted page of a session shows.
    pub fn hosted_page(&mut self, id: &str, now_ms: i64) -> Option<HostedPage> {
        self.advance(now_ms);
        let session = self.sessions.get(id)?;
        let intent = session.intent.as_deref().and_then(|intent| self.intents.get(intent));
        Some(HostedPage {
            business_name: self.config.business_name.clone(),
            lines: lines(session),
            total: price(session.amount_total, &session.currency),
            status: session.status.clone(),
            challenged: intent.is_some_and(|intent| intent.pending.is_some()),
            cancel_url: session.cancel_url.as_deref().map(str::to_owned),
            success_address: pay::success_address(session),
            email: session.customer_email.as_deref().map(str::to_owned),
        })
    }
}

fn lines(session: &Session) -> Vec<PageLine> {
    let line = |line: &super::Line| PageLine {
        name: line.name.to_string(),
        quantity: line.quantity,
        amount: price(line.amount, &session.currency),
    };
    session.lines.iter().map(line).collect()
}

/// An amount in Stripe's units, for people.
pub(super) fn price(units: i64, currency: &str) -> String {
    amount::money(units, currency)
        .map(|money| money.to_string())
        .unwrap_or_else(|_| format!("{units} {currency}"))
}
