//! Who buys what, and with which card.

use std::sync::Arc;

use super::{CardFacts, Id, Payer};
use crate::core::notes::Notes;

/// A payment method: always a test card.
#[derive(Clone, Debug)]
pub struct Method {
    /// `pm_…`
    pub id: Id,
    /// Unix seconds.
    pub created: i64,
    /// The card.
    pub card: CardFacts,
    /// Whose it is, as typed.
    pub payer: Arc<Payer>,
    /// `cus_…`
    pub customer: Option<Id>,
    /// Notes.
    pub metadata: Arc<Notes>,
}

/// A customer.
#[derive(Clone, Debug)]
pub struct Customer {
    /// `cus_…`
    pub id: Id,
    /// Unix seconds.
    pub created: i64,
    /// E-mail address.
    pub email: Option<Arc<str>>,
    /// Name.
    pub name: Option<Arc<str>>,
    /// Telephone number.
    pub phone: Option<Arc<str>>,
    /// Description.
    pub description: Option<Arc<str>>,
    /// Notes.
    pub metadata: Arc<Notes>,
    /// Gone: kept so that payments still have a name.
    pub deleted: bool,
}

/// Something for sale.
#[derive(Clone, Debug)]
pub struct Product {
    /// `prod_…`
    pub id: Id,
    /// Unix seconds.
    pub created: i64,
    /// What payers read.
    pub name: Arc<str>,
    /// More of it.
    pub description: Option<Arc<str>>,
    /// Notes.
    pub metadata: Arc<Notes>,
    /// Whether it can still be sold.
    pub active: bool,
}

/// What it costs, once.
#[derive(Clone, Debug)]
pub struct Price {
    /// `price_…`
    pub id: Id,
    /// Unix seconds.
    pub created: i64,
    /// Of what.
    pub product: Id,
    /// Lower case.
    pub currency: Arc<str>,
    /// In Stripe's units.
    pub unit_amount: i64,
    /// Notes.
    pub metadata: Arc<Notes>,
    /// Whether it can still be used.
    pub active: bool,
}
