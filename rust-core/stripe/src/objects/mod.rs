//! Stripe's objects, as far as this project reads or writes them.
//!
//! Every enum is open, every field that Stripe may leave out has a default, and a field we do
//! not know is skipped: an object from a newer API version still parses. Amounts are in Stripe's
//! own units ([`crate::amount`] converts), times are Unix seconds.

mod account;
mod charge;
mod checkout;
mod dispute;
mod error;
mod event;
mod list;
mod payment_intent;
mod refund;
mod webhook_endpoint;

pub use account::{Account, AccountSettings, BusinessProfile, DashboardSettings};
pub use charge::{
    BalanceTransaction, BillingDetails, CardDetails, Charge, ChargeOutcome, ChargeStatus,
    PaymentMethodDetails,
};
pub use checkout::{
    CheckoutSession, CustomerDetails, LineItem, SessionMode, SessionPaymentStatus, SessionStatus,
};
pub use dispute::{Dispute, DisputeStatus};
pub use error::{AdviceCode, ErrorBody, ErrorCode, ErrorObject, ErrorType};
pub use event::{Event, EventData, EventRequest, EventType, Subject};
pub use list::List;
pub use payment_intent::{CaptureMethod, IntentStatus, PaymentIntent};
pub use refund::{Refund, RefundReason, RefundStatus};
pub use webhook_endpoint::{Deleted, EndpointStatus, WebhookEndpoint};

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The notes that we attach to an object and get back with it.
pub type Metadata = BTreeMap<String, String>;

/// A field that holds an ID, or the whole object when the request asked for it with `expand[]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Expandable<T> {
    /// The object's ID alone.
    Id(String),
    /// The object itself.
    Object(Box<T>),
}

/// Told by what comes, text or map: an object is not first read into a heap of loose values, as
/// `untagged` would do, three levels deep.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Expandable<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = Expandable<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an ID or an object")
            }

            fn visit_str<E: de::Error>(self, id: &str) -> Result<Self::Value, E> {
                Ok(Expandable::Id(id.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(object))
                    .map(|object| Expandable::Object(Box::new(object)))
            }
        }
        from.deserialize_any(Either(PhantomData))
    }
}

/// What has an ID that Stripe gave it.
pub trait Identified {
    /// The ID, such as `pi_3P…`.
    fn id(&self) -> &str;
}

impl<T: Identified> Expandable<T> {
    /// The ID, whether expanded or not.
    pub fn id(&self) -> &str {
        match self {
            Self::Id(id) => id,
            Self::Object(object) => object.id(),
        }
    }

    /// The object, if it was expanded.
    pub fn object(&self) -> Option<&T> {
        match self {
            Self::Id(_) => None,
            Self::Object(object) => Some(object),
        }
    }
}

macro_rules! identified {
    ($($name:ident),+ $(,)?) => {
        $(impl Identified for $name {
            fn id(&self) -> &str { &self.id }
        })+
    };
}
identified!(
    Account,
    BalanceTransaction,
    Charge,
    CheckoutSession,
    Dispute,
    Event,
    PaymentIntent,
    Refund,
    WebhookEndpoint,
);

/// Reads `null` as the default: Stripe writes `null` where a map or list is empty.
fn null_as_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
