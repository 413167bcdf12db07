//! One rule, as it is written and read.

use std::fmt;
use std::str::FromStr;

use holdfast_stripe::objects::EventType;
use serde::{Deserialize, Serialize};

use super::ApiFault;
use crate::core::ids::Ids;

/// What `webhook-reorder` without a time spreads deliveries over, in milliseconds: enough to be
/// overtaken, and still while somebody looks.
const REORDER_MS: u32 = 5_000;

/// What goes wrong with one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WebhookFault {
    /// Lost on its way, and tried again.
    Drop,
    /// Never sent.
    Lose,
    /// Late by so many milliseconds.
    Delay(u32),
    /// Late by a random time up to so many milliseconds.
    Reorder(u32),
    /// Sent twice.
    Duplicate,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// With a request.
    Api(ApiFault),
    /// With a delivery.
    Webhook(WebhookFault),
}

/// Which requests or deliveries something goes wrong with, how often, and how many times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule {
    /// What goes wrong.
    pub fault: Fault,
    /// Upper case; none means any.
    pub method: Option<String>,
    /// An address's beginning, or an event type (`charge.*` is a family); none means all.
    pub place: Option<String>,
    /// The chance of each strike.
    pub percent: u8,
    /// Strikes that are left; none means without end.
    pub times: Option<u32>,
}

impl From<Fault> for FaultRule {
    /// Always, everywhere.
    fn from(fault: Fault) -> Self {
        Self { fault, method: None, place: None, percent: 100, times: None }
    }
}

impl FaultRule {
    pub(super) fn is_for(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted == method)
            && self.place.as_deref().is_none_or(|place| path.starts_with(place))
    }

    pub(super) fn is_for_event(&self, kind: &EventType) -> bool {
        let Some(place) = self.place.as_deref() else { return true };
        match place.strip_suffix('*') {
            Some(family) => kind.as_str().starts_with(family),
            None => kind.as_str() == place,
        }
    }

    /// Draws a lot, and counts the strike.
    pub(super) fn strikes(&mut self, lots: &mut Ids) -> bool {
        if self.times == Some(0) {
            return false;
        }
        let hit = self.percent >= 100 || lots.below(100) < u64::from(self.percent);
        if hit {
            self.times = self.times.map(|left| left.saturating_sub(1));
        }
        hit
    }
}

/// Why a rule cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// A word is none that a rule has.
    #[error("{0} is no part of a fault: write for instance 'POST /v1/refunds 500-stored 25% x3'")]
    Word(String),
    /// No word says what goes wrong.
    #[error("it does not say what goes wrong: write for instance '429' or 'webhook-drop'")]
    Nothing,
}

impl FromStr for FaultRule {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let mut fault = None;
        let (mut method, mut place, mut percent, mut times) = (None, None, 100, None);
        for word in text.split_whitespace() {
            let unknown = || FaultError::Word(word.to_owned());
            if let Some(read) = read_fault(word) {
                fault = Some(read);
            } else if let Some(number) = word.strip_suffix('%') {
                percent = number.parse().ok().filter(|it| *it <= 100).ok_or_else(unknown)?;
            } else if let Some(count) = word.strip_prefix('x') {
                times = Some(count.parse().map_err(|_| unknown())?);
            } else if matches!(word, "GET" | "POST" | "DELETE") {
                method = Some(word.to_owned());
            } else if word.starts_with('/') || word.contains('.') {
                place = Some(word.to_owned());
            } else {
                return Err(unknown());
            }
        }
        let fault = fault.ok_or(FaultError::Nothing)?;
        Ok(Self { fault, method, place, percent, times })
    }
}

fn read_fault(word: &str) -> Option<Fault> {
    let (name, ms) = match word.split_once('=') {
        Some((name, ms)) => (name, Some(ms.parse::<u32>().ok()?)),
        None => (word, None),
    };
    let fault = match (name, ms) {
        ("409", None) => Fault::Api(ApiFault::Conflict),
        ("429", None) => Fault::Api(ApiFault::RateLimit),
        ("500", None) => Fault::Api(ApiFault::ServerError),
        ("500-stored", None) => Fault::Api(ApiFault::ServerErrorStored),
        ("500-after", None) => Fault::Api(ApiFault::ServerErrorAfter),
        ("503", None) => Fault::Api(ApiFault::Unavailable),
        ("drop", None) => Fault::Api(ApiFault::Drop),
        ("drop-after", None) => Fault::Api(ApiFault::DropAfter),
        ("truncate", None) => Fault::Api(ApiFault::Truncate),
        ("truncate-after", None) => Fault::Api(ApiFault::TruncateAfter),
        ("duplicate", None) => Fault::Api(ApiFault::Duplicate),
        ("delay", Some(ms)) => Fault::Api(ApiFault::Delay(ms)),
        ("delay-after", Some(ms)) => Fault::Api(ApiFault::DelayAfter(ms)),
        ("webhook-drop", None) => Fault::Webhook(WebhookFault::Drop),
        ("webhook-lose", None) => Fault::Webhook(WebhookFault::Lose),
        ("webhook-duplicate", None) => Fault::Webhook(WebhookFault::Duplicate),
        ("webhook-delay", Some(ms)) => Fault::Webhook(WebhookFault::Delay(ms)),
        ("webhook-reorder", ms) => Fault::Webhook(WebhookFault::Reorder(ms.unwrap_or(REORDER_MS))),
        _ => return None,
    };
    Some(fault)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(ApiFault::Conflict) => f.write_str("409"),
            Self::Api(ApiFault::RateLimit) => f.write_str("429"),
            Self::Api(ApiFault::ServerError) => f.write_str("500"),
            Self::Api(ApiFault::ServerErrorStored) => f.write_str("500-stored"),
            Self::Api(ApiFault::ServerErrorAfter) => f.write_str("500-after"),
            Self::Api(ApiFault::Unavailable) => f.write_str("503"),
            Self::Api(ApiFault::Drop) => f.write_str("drop"),
            Self::Api(ApiFault::DropAfter) => f.write_str("drop-after"),
            Self::Api(ApiFault::Truncate) => f.write_str("truncate"),
            Self::Api(ApiFault::TruncateAfter) => f.write_str("truncate-after"),
            Self::Api(ApiFault::Duplicate) => f.write_str("duplicate"),
            Self::Api(ApiFault::Delay(ms)) => write!(f, "delay={ms}"),
            Self::Api(ApiFault::DelayAfter(ms)) => write!(f, "delay-after={ms}"),
            Self::Webhook(WebhookFault::Drop) => f.write_str("webhook-drop"),
            Self::Webhook(WebhookFault::Lose) => f.write_str("webhook-lose"),
            Self::Webhook(WebhookFault::Duplicate) => f.write_str("webhook-duplicate"),
            Self::Webhook(WebhookFault::Delay(ms)) => write!(f, "webhook-delay={ms}"),
            Self::Webhook(WebhookFault::Reorder(ms)) => write!(f, "webhook-reorder={ms}"),
        }
    }
}

impl fmt::Display for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for word in [&self.method, &self.place].into_iter().flatten() {
            write!(f, "{word} ")?;
        }
        write!(f, "{}", self.fault)?;
        if self.percent < 100 {
            write!(f, " {}%", self.percent)?;
        }
        self.times.map_or(Ok(()), |times| write!(f, " x{times}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_written_as_it_was_read() {
        for text in [
            "409",
            "POST /v1/refunds 500-stored 25% x3",
            "GET 429",
            "/v1/checkout delay-after=1500 x1",
            "payment_intent.succeeded webhook-drop 50%",
            "charge.* webhook-reorder=800",
            "webhook-delay=10",
        ] {
            let rule: FaultRule = text.parse().unwrap();
            assert_eq!(rule.to_string(), text);
        }
        let spread: FaultRule = "webhook-reorder".parse().unwrap();
        assert_eq!(spread.to_string(), "webhook-reorder=5000");
    }

    #[test]
    fn a_word_that_is_none_is_named() {
        for bad in ["", "POST /v1", "101% 409", "409 xmany", "410", "delay=soon", "delay", "409=1"]
        {
            assert!(bad.parse::<FaultRule>().is_err(), "{bad:?}");
        }
        let error = "409 loudly".parse::<FaultRule>().unwrap_err();
        assert!(error.to_string().starts_with("loudly is no part"), "{error}");
    }
}
