//! What is owed: catalogue items, the lines of an order, and the one rule that prices them.
//!
//! The handheld prices a cart to show it, the gateway prices the same lines again before it
//! accepts them. Both call [`Cart::price`], so they can only differ when the catalogue does.

use crate::currency::Currency;
use crate::money::{Money, MoneyError};
use serde::{Deserialize, Serialize};

/// Lines in a cart at the most, so that its QR code stays readable.
pub const CART_LINES_MAX: usize = 12;
/// Pieces of one item at the most: more is a slip of the finger.
pub const QUANTITY_MAX: u32 = 99;
/// Longest name of an item, in characters: one line on the handheld and on Stripe's page.
pub const ITEM_NAME_CHARS_MAX: usize = 60;
/// Largest total in minor units: Stripe takes at most eight digits.
pub const TOTAL_MINOR_MAX: i64 = 99_999_999;

/// Something that can be added to a cart. Its number is small, since orders carry it in a QR code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueItem {
    /// Number of the item within its tenant, from 1.
    pub id: u32,
    /// What officer and payer read.
    pub name: String,
    /// Price of one.
    pub price: Money,
}

/// The items of a tenant at one version. A version is never changed, only followed by another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Counted from 1; an order names the version it was priced with.
    pub version: u32,
    /// The currency of every price.
    pub currency: Currency,
    /// The items, in the order they are shown.
    pub items: Vec<CatalogueItem>,
}

/// One line of an order as it is signed: only references, never names or prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OrderLine {
    /// So many of a catalogue item.
    Item {
        /// [`CatalogueItem::id`].
        item: u32,
        /// 1 to [`QUANTITY_MAX`].
        quantity: u32,
    },
}

/// A line with its name and amount, as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedLine {
    /// Name of the item.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// Price times quantity.
    pub amount: Money,
}

/// A priced cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// Version of the catalogue that priced it.
    pub catalogue_version: u32,
    /// The lines as they will be signed.
    pub lines: Vec<OrderLine>,
    /// The same lines as people read them.
    pub priced: Vec<PricedLine>,
    /// Their sum: more than zero, at most [`TOTAL_MINOR_MAX`].
    pub total: Money,
}

/// Why lines do not make a cart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CartError {
    /// There is nothing to pay.
    #[error("the cart is empty; add an item")]
    Empty,
    /// More lines than [`CART_LINES_MAX`].
    #[error("a cart has at most {CART_LINES_MAX} lines; take some for a second payment")]
    TooManyLines,
    /// A quantity outside 1 to [`QUANTITY_MAX`].
    #[error("item {item}: the quantity is 1 to {QUANTITY_MAX}")]
    Quantity {
        /// The item.
        item: u32,
    },
    /// The catalogue has no such item.
    #[error("item {item} is not in the catalogue; refresh it")]
    UnknownItem {
        /// The item.
        item: u32,
    },
    /// One item stands on two lines.
    #[error("item {item} stands on two lines; put them together")]
    Repeated {
        /// The item.
        item: u32,
    },
    /// The sum is zero or less.
    #[error("the total must be more than zero")]
    NothingOwed,
    /// The sum is more than Stripe takes.
    #[error("the total is more than {TOTAL_MINOR_MAX} minor units; split it")]
    TooMuch,
}

impl From<MoneyError> for CartError {
    fn from(_: MoneyError) -> Self {
        // A catalogue has one currency, so the only way to fail is to grow too large.
        Self::TooMuch
    }
}

impl Cart {
    /// Prices the lines from a catalogue.
    pub fn price(catalogue: &Catalogue, lines: Vec<OrderLine>) -> Result<Self, CartError> {
        if lines.is_empty() {
            return Err(CartError::Empty);
        }
        if lines.len() > CART_LINES_MAX {
            return Err(CartError::TooManyLines);
        }
        refuse_repeats(&lines)?;
        let priced =
            lines.iter().map(|line| catalogue.price_line(line)).collect::<Result<Vec<_>, _>>()?;
        let mut total = Money::zero(catalogue.currency);
        for line in &priced {
            total = total.checked_add(line.amount)?;
        }
        match total.minor() {
            ..=0 => Err(CartError::NothingOwed),
            1..=TOTAL_MINOR_MAX => {
                Ok(Self { catalogue_version: catalogue.version, lines, priced, total })
            }
            _ => Err(CartError::TooMuch),
        }
    }
}

impl Catalogue {
    /// The item of that number.
    pub fn item(&self, id: u32) -> Option<&CatalogueItem> {
        self.items.iter().find(|item| item.id == id)
    }

    fn price_line(&self, line: &OrderLine) -> Result<PricedLine, CartError> {
        let OrderLine::Item { item: id, quantity } = *line;
        if !(1..=QUANTITY_MAX).contains(&quantity) {
            return Err(CartError::Quantity { item: id });
        }
        let item = self.item(id).ok_or(CartError::UnknownItem { item: id })?;
        let amount = item.price.checked_mul(quantity)?;
        Ok(PricedLine { name: item.name.clone(), quantity, amount })
    }
}

fn refuse_repeats(lines: &[OrderLine]) -> Result<(), CartError> {
    let mut seen = std::collections::BTreeSet::new();
    for OrderLine::Item { item, .. } in lines {
        if !seen.insert(*item) {
            return Err(CartError::Repeated { item: *item });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        let item = |id, name: &str, minor| CatalogueItem {
            id,
            name: name.to_owned(),
            price: Money::new(minor, Currency::USD),
        };
        Catalogue {
            version: 3,
            currency: Currency::USD,
            items: vec![item(1, "Day permit", 1250), item(2, "Clamp release", 90_000_000)],
        }
    }

    fn line(item: u32, quantity: u32) -> OrderLine {
        OrderLine::Item { item, quantity }
    }

    #[test]
    fn lines_are_priced_and_summed() {
        let cart = Cart::price(&catalogue(), vec![line(1, 2), line(2, 1)]).unwrap();
        assert_eq!(cart.total, Money::new(90_002_500, Currency::USD));
        assert_eq!(cart.priced[0].amount.minor(), 2500);
        assert_eq!(cart.catalogue_version, 3);
    }

    #[test]
    fn what_is_no_cart_is_refused_by_name() {
        let check = |lines: Vec<OrderLine>, error: CartError| {
            assert_eq!(Cart::price(&catalogue(), lines), Err(error));
        };
        check(vec![], CartError::Empty);
        check((0..13).map(|i| line(i, 1)).collect(), CartError::TooManyLines);
        check(vec![line(1, 0)], CartError::Quantity { item: 1 });
        check(vec![line(1, 100)], CartError::Quantity { item: 1 });
        check(vec![line(9, 1)], CartError::UnknownItem { item: 9 });
        check(vec![line(1, 1), line(1, 2)], CartError::Repeated { item: 1 });
        check(vec![line(2, 2)], CartError::TooMuch);
    }

    #[test]
    fn a_free_cart_is_no_payment() {
        let mut free = catalogue();
        free.items[0].price = Money::zero(Currency::USD);
        assert_eq!(Cart::price(&free, vec![line(1, 5)]), Err(CartError::NothingOwed));
    }
}
