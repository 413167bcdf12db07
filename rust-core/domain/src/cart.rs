//! What is owed: catalogue items, the lines of an order, and the one rule that prices them.
//!
//! The handheld prices a cart to show it, the gateway prices the same lines again before it
//! accepts them. Both call [`Cart::price`] (or [`Cart::price_owed`], with charges), so they can only
//! differ when the catalogue does, or what is owed.

use crate::charge::{ChargeReference, Owed};
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

/// Stands for the version of a price list where there is none; versions count from 1.
pub const NO_CATALOGUE: u32 = 0;

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
    /// A charge, for all that is owed on it.
    Charge {
        /// Which.
        reference: ChargeReference,
        /// What the officer held for, in minor units of the order's currency.
        minor: i64,
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
    /// Version of the catalogue that priced it; [`NO_CATALOGUE`] for charges alone where there is no
    /// price list.
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
    /// Nobody owes this, as far as is known here.
    #[error("charge {reference} is not known here; look for it again")]
    UnknownCharge {
        /// The charge.
        reference: ChargeReference,
    },
    /// Another amount is owed than was held for.
    #[error("charge {reference}: {owed} is owed, not {held}; look for it again")]
    ChargeDiffers {
        /// The charge.
        reference: ChargeReference,
        /// What was held for.
        held: Money,
        /// What is owed.
        owed: Money,
    },
    /// One charge stands on two lines.
    #[error("charge {reference} stands on two lines; take one away")]
    ChargeRepeated {
        /// The charge.
        reference: ChargeReference,
    },
    /// Items and charges of two currencies.
    #[error("the lines are in two currencies; make a payment for each")]
    Currencies,
    /// The sum is zero or less.
    #[error("the total must be more than zero")]
    NothingOwed,
    /// The sum is more than Stripe takes.
    #[error("the total is more than {TOTAL_MINOR_MAX} minor units; split it")]
    TooMuch,
}

impl From<MoneyError> for CartError {
    fn from(error: MoneyError) -> Self {
        match error {
            MoneyError::Currencies { .. } => Self::Currencies,
            MoneyError::Overflow | MoneyError::NotAnAmount(_) => Self::TooMuch,
        }
    }
}

impl Cart {
    /// Prices lines of items from a catalogue.
    pub fn price(catalogue: &Catalogue, lines: Vec<OrderLine>) -> Result<Self, CartError> {
        Self::price_owed(Some(catalogue), &[], lines)
    }

    /// Prices lines of items from a catalogue, and lines of charges from what is owed.
    pub fn price_owed(
        catalogue: Option<&Catalogue>,
        owed: &[Owed],
        lines: Vec<OrderLine>,
    ) -> Result<Self, CartError> {
        if lines.is_empty() {
            return Err(CartError::Empty);
        }
        if lines.len() > CART_LINES_MAX {
            return Err(CartError::TooManyLines);
        }
        refuse_repeats(&lines)?;
        let price = |line: &OrderLine| match line {
            OrderLine::Item { item, quantity } => price_item(catalogue, *item, *quantity),
            OrderLine::Charge { reference, minor } => price_charge(owed, reference, *minor),
        };
        let priced = lines.iter().map(price).collect::<Result<Vec<_>, _>>()?;
        let first = priced.first().ok_or(CartError::Empty)?;
        let mut total = Money::zero(first.amount.currency());
        for line in &priced {
            total = total.checked_add(line.amount)?;
        }
        let catalogue_version = catalogue.map_or(NO_CATALOGUE, |catalogue| catalogue.version);
        match total.minor() {
            ..=0 => Err(CartError::NothingOwed),
            1..=TOTAL_MINOR_MAX => Ok(Self { catalogue_version, lines, priced, total }),
            _ => Err(CartError::TooMuch),
        }
    }

    /// The charges among the lines.
    pub fn charges(lines: &[OrderLine]) -> impl Iterator<Item = (&ChargeReference, i64)> {
        lines.iter().filter_map(|line| match line {
            OrderLine::Charge { reference, minor } => Some((reference, *minor)),
            OrderLine::Item { .. } => None,
        })
    }
}

impl Catalogue {
    /// The item of that number.
    pub fn item(&self, id: u32) -> Option<&CatalogueItem> {
        self.items.iter().find(|item| item.id == id)
    }
}

fn price_item(
    catalogue: Option<&Catalogue>,
    id: u32,
    quantity: u32,
) -> Result<PricedLine, CartError> {
    if !(1..=QUANTITY_MAX).contains(&quantity) {
        return Err(CartError::Quantity { item: id });
    }
    let item = catalogue.and_then(|catalogue| catalogue.item(id));
    let item = item.ok_or(CartError::UnknownItem { item: id })?;
    let amount = item.price.checked_mul(quantity)?;
    Ok(PricedLine { name: item.name.clone(), quantity, amount })
}

fn price_charge(
    owed: &[Owed],
    reference: &ChargeReference,
    minor: i64,
) -> Result<PricedLine, CartError> {
    let known = owed.iter().find(|owed| owed.reference == *reference);
    let known = known.ok_or_else(|| CartError::UnknownCharge { reference: reference.clone() })?;
    if known.amount.minor() != minor {
        return Err(CartError::ChargeDiffers {
            reference: reference.clone(),
            held: Money::new(minor, known.amount.currency()),
            owed: known.amount,
        });
    }
    Ok(PricedLine { name: known.name.clone(), quantity: 1, amount: known.amount })
}

fn refuse_repeats(lines: &[OrderLine]) -> Result<(), CartError> {
    let mut items = std::collections::BTreeSet::new();
    let mut charges = std::collections::BTreeSet::new();
    for line in lines {
        match line {
            OrderLine::Item { item, .. } if !items.insert(*item) => {
                return Err(CartError::Repeated { item: *item });
            }
            OrderLine::Charge { reference, .. } if !charges.insert(reference) => {
                return Err(CartError::ChargeRepeated { reference: reference.clone() });
            }
            OrderLine::Item { .. } | OrderLine::Charge { .. } => {}
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

    fn owed(reference: &str, minor: i64, currency: Currency) -> Owed {
        let reference = ChargeReference::parse(reference).unwrap();
        let name = format!("Parking notice {reference}");
        Owed { reference, name, amount: Money::new(minor, currency) }
    }

    fn charge(reference: &str, minor: i64) -> OrderLine {
        OrderLine::Charge { reference: ChargeReference::parse(reference).unwrap(), minor }
    }

    #[test]
    fn charges_are_priced_by_what_is_owed_now() {
        let known = [
            owed("N-1", 6500, Currency::USD),
            owed("E-1", 100, Currency::from_code("EUR").unwrap()),
        ];
        let check = |catalogue: Option<&Catalogue>, lines: Vec<OrderLine>| {
            Cart::price_owed(catalogue, &known, lines)
        };
        let cart = check(Some(&catalogue()), vec![line(1, 1), charge("N-1", 6500)]).unwrap();
        assert_eq!((cart.total.minor(), cart.catalogue_version), (7750, 3));
        let alone = check(None, vec![charge("N-1", 6500)]).unwrap();
        assert_eq!((alone.total.minor(), alone.catalogue_version), (6500, NO_CATALOGUE));
        let differs = check(None, vec![charge("N-1", 5000)]).unwrap_err();
        assert_eq!(
            differs.to_string(),
            "charge N-1: USD 65.00 is owed, not USD 50.00; look for it again"
        );
        let refused = [
            (vec![charge("N-9", 1)], "UnknownCharge"),
            (vec![charge("N-1", 6500), charge("N-1", 6500)], "ChargeRepeated"),
            (vec![charge("N-1", 6500), charge("E-1", 100)], "Currencies"),
            (vec![line(1, 1)], "UnknownItem"),
        ];
        for (lines, error) in refused {
            assert!(format!("{:?}", check(None, lines).unwrap_err()).starts_with(error), "{error}");
        }
    }
}
