//! What a receipt shows of a charge.

use super::{Core, page};

/// A successful charge as its receipt shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// `ch_…`
    pub charge: String,
    /// The merchant's name.
    pub business_name: String,
    /// What was paid, with its currency.
    pub amount: String,
    /// What went back, with its currency; none when nothing did.
    pub refunded: Option<String>,
    /// Such as `visa`.
    pub brand: &'static str,
    /// The last four digits.
    pub last4: String,
}

impl Core {
    /// The receipt of a charge; a failed one has none.
    pub fn receipt(&self, charge: &str) -> Option<Receipt> {
        let charge = self.charges.get(charge).filter(|charge| charge.decline.is_none())?;
        let price = |units| page::price(units, &charge.currency);
        Some(Receipt {
            charge: charge.id.to_string(),
            business_name: self.config.business_name.clone(),
            amount: price(charge.amount),
            refunded: (charge.amount_refunded > 0).then(|| price(charge.amount_refunded)),
            brand: charge.presented.card.brand(),
            last4: charge.presented.card.last4().to_owned(),
        })
    }
}
