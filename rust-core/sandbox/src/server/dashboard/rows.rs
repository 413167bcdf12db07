//! Rows of the dashboard's tables, in people's words.

use holdfast_stripe::amount;
use holdfast_stripe::objects::IntentStatus;

use crate::core::{
    Attempt, Core, Delivery, DeliveryState, Endpoint, Event, Intent, LastError, Message,
    SendResult, utc,
};

/// As much of an answer as a row shows, in characters.
const ANSWER_SHOWN_MAX: usize = 120;

pub(super) struct PaymentRow {
    pub(super) id: String,
    pub(super) amount: String,
    pub(super) status: &'static str,
    pub(super) tone: &'static str,
    pub(super) decline: String,
    pub(super) card: String,
    pub(super) created: String,
}

impl PaymentRow {
    pub(super) fn of(core: &Core, intent: &Intent) -> Self {
        let charge = intent.charges.last().and_then(|id| core.charge(id));
        let money = amount::money(intent.amount, &intent.currency);
        let back = charge.is_some_and(|charge| charge.amount_refunded > 0);
        let disputed = charge.is_some_and(|charge| charge.dispute.is_some());
        let (status, tone) = match &intent.status {
            IntentStatus::Succeeded if disputed => ("Disputed", "bad"),
            IntentStatus::Succeeded if back => ("Refunded", "waiting"),
            IntentStatus::Succeeded => ("Succeeded", "good"),
            IntentStatus::Canceled => ("Canceled", "bad"),
            IntentStatus::RequiresCapture => ("Uncaptured", "waiting"),
            IntentStatus::RequiresAction => ("3-D Secure", "waiting"),
            IntentStatus::Processing => ("Pending", "waiting"),
            _ if intent.last_error.is_some() => ("Failed", "bad"),
            _ => ("Incomplete", "waiting"),
        };
        let decline = match intent.last_error.as_deref() {
            None => String::new(),
            Some(LastError::NotAuthenticated) => "the payer did not confirm at the bank".to_owned(),
            Some(LastError::Declined(decline, _)) => {
                decline.decline_code.unwrap_or(decline.code).to_owned()
            }
        };
        let card = charge.map(|charge| {
            let card = charge.presented.card;
            format!("{} {}", card.brand(), card.last4())
        });
        Self {
            id: intent.id.to_string(),
            amount: money.map_or_else(|_| intent.amount.to_string(), |money| money.to_string()),
            status,
            tone,
            decline,
            card: card.unwrap_or_default(),
            created: utc(intent.created.saturating_mul(1_000)),
        }
    }
}

pub(super) struct EventRow {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) object: String,
    pub(super) pending: u32,
    pub(super) created: String,
}

impl EventRow {
    pub(super) fn of(event: &Event) -> Self {
        Self {
            id: event.id.to_string(),
            kind: event.kind.to_string(),
            object: event.subject.id().to_string(),
            pending: event.pending_webhooks,
            created: utc(event.created.saturating_mul(1_000)),
        }
    }
}

pub(super) struct EndpointRow {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) status: &'static str,
    pub(super) events: String,
}

impl EndpointRow {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        let events: Vec<&str> = endpoint.enabled_events.iter().map(|kind| kind.as_str()).collect();
        Self {
            id: endpoint.id.to_string(),
            url: endpoint.url.to_string(),
            status: if endpoint.disabled { "Disabled" } else { "Enabled" },
            events: if events == ["*"] { "all events".to_owned() } else { events.join(", ") },
        }
    }
}

pub(super) struct DeliveryRow {
    pub(super) number: usize,
    pub(super) state: &'static str,
    pub(super) tone: &'static str,
    pub(super) kind: String,
    pub(super) event: String,
    /// Every attempt, oldest first.
    pub(super) attempts: Vec<AttemptRow>,
    /// What was sent.
    pub(super) body: String,
}

impl DeliveryRow {
    pub(super) fn of(core: &Core, number: usize, delivery: &Delivery) -> Self {
        let (state, tone) = match delivery.state {
            DeliveryState::Delivered => ("Delivered", "good"),
            DeliveryState::Failed => ("Failed", "bad"),
            DeliveryState::Pending | DeliveryState::InFlight => ("Pending", "waiting"),
        };
        let event = core.event(&delivery.event);
        let body = event.as_ref().map(|event| core.event_text(event)).unwrap_or_default();
        let kind = event.map(|event| event.kind.to_string());
        Self {
            body,
            number,
            state,
            tone,
            kind: kind.unwrap_or_default(),
            event: delivery.event.to_string(),
            attempts: delivery.attempts.iter().map(AttemptRow::of).collect(),
        }
    }

    pub(super) fn last(&self) -> Option<&AttemptRow> {
        self.attempts.last()
    }
}

pub(super) struct AttemptRow {
    pub(super) at: String,
    /// The HTTP status, or that there was no answer.
    pub(super) status: String,
    pub(super) answer: String,
}

impl AttemptRow {
    fn of(attempt: &Attempt) -> Self {
        let (status, answer) = match &attempt.result {
            SendResult::Answered { status, body } => (status.to_string(), body),
            SendResult::Unreachable { why } => ("no answer".to_owned(), why),
        };
        let answer = answer.chars().take(ANSWER_SHOWN_MAX).collect();
        Self { at: utc(attempt.at_ms), status, answer }
    }
}

pub(super) struct MessageRow {
    pub(super) at: String,
    pub(super) channel: &'static str,
    pub(super) to: String,
    pub(super) subject: String,
    /// The text, its links apart from the rest.
    pub(super) parts: Vec<(String, bool)>,
}

impl MessageRow {
    pub(super) fn of(message: &Message) -> Self {
        let is_link = |word: &str| word.starts_with("https://") || word.starts_with("http://");
        let words = message.text.split_inclusive(char::is_whitespace);
        Self {
            at: utc(message.at_ms),
            channel: message.channel.as_str(),
            to: message.to.clone(),
            subject: message.subject.clone(),
            parts: words.map(|word| (word.to_owned(), is_link(word))).collect(),
        }
    }
}
