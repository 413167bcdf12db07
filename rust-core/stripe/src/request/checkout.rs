//! Checkout Sessions: open one, expire one.

use holdfast_domain::Money;

use super::{FreezeError, FrozenRequest, action_path, checked_length, checked_metadata};
use crate::amount;
use crate::form::Form;
use crate::objects::Metadata;

/// Stripe refuses an `expires_at` nearer than this, in seconds from the moment of creation.
pub const SESSION_LIFETIME_S_MIN: i64 = 30 * 60;
/// Stripe refuses an `expires_at` farther than this, in seconds.
pub const SESSION_LIFETIME_S_MAX: i64 = 24 * 60 * 60;
/// Stripe takes at most this many lines in a session.
const LINES_MAX: usize = 100;
/// Longest product name that the page shows, in characters.
const NAME_LENGTH_MAX: usize = 250;
/// Longest reference of our own, in characters.
const REFERENCE_LENGTH_MAX: usize = 200;
/// Longest address, in characters.
const URL_LENGTH_MAX: usize = 5_000;
/// What Stripe replaces in `success_url` by the session's ID.
pub const SESSION_ID_PLACEHOLDER: &str = "{CHECKOUT_SESSION_ID}";

/// One line on the hosted page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionLine {
    /// What it is.
    pub name: String,
    /// Price of one.
    pub unit: Money,
    /// How many.
    pub quantity: u32,
}

/// What is needed to open a Checkout Session for one payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateSession {
    /// What is paid for, in one currency.
    pub lines: Vec<SessionLine>,
    /// Where a paid session leads; may hold [`SESSION_ID_PLACEHOLDER`].
    pub success_url: String,
    /// Where the page's back link leads.
    pub cancel_url: String,
    /// Our own reference, to find the session again in a list.
    pub client_reference_id: String,
    /// Notes on the session.
    pub metadata: Metadata,
    /// Notes on the PaymentIntent, which Stripe makes when the payer confirms.
    pub intent_metadata: Metadata,
    /// Unix seconds, 30 minutes to 24 hours after creation.
    pub expires_at: i64,
}

impl CreateSession {
    /// Freezes the request under a key.
    pub fn freeze(&self, idempotency_key: &str) -> Result<FrozenRequest, FreezeError> {
        let mut form = Form::default();
        form.set("mode", "payment");
        self.put_lines(&mut form)?;
        form.set("success_url", checked_length("success_url", &self.success_url, URL_LENGTH_MAX)?)
            .set("cancel_url", checked_length("cancel_url", &self.cancel_url, URL_LENGTH_MAX)?)
            .set("expires_at", self.expires_at)
            .set(
                "client_reference_id",
                checked_length(
                    "client_reference_id",
                    &self.client_reference_id,
                    REFERENCE_LENGTH_MAX,
                )?,
            )
            .set_map("metadata", checked_metadata("metadata", &self.metadata)?)
            .set_map(
                "payment_intent_data[metadata]",
                checked_metadata("payment_intent_data[metadata]", &self.intent_metadata)?,
            );
        FrozenRequest::new("/v1/checkout/sessions".to_owned(), &form, idempotency_key)
    }

    fn put_lines(&self, form: &mut Form) -> Result<(), FreezeError> {
        if self.lines.is_empty() || self.lines.len() > LINES_MAX {
            return Err(FreezeError::Count { field: "lines", count_min: 1, count_max: LINES_MAX });
        }
        let mut total = None::<Money>;
        for (index, line) in self.lines.iter().enumerate() {
            let name = checked_length("line name", &line.name, NAME_LENGTH_MAX)?;
            let currency = line.unit.currency().code().to_ascii_lowercase();
            let field = |rest: &str| format!("line_items[{index}]{rest}");
            form.set(&field("[price_data][currency]"), currency)
                .set(&field("[price_data][product_data][name]"), name)
                .set(&field("[price_data][unit_amount]"), amount::units(line.unit)?)
                .set(&field("[quantity]"), line.quantity);
            let line_total =
                line.unit.checked_mul(line.quantity).map_err(|_| too_large(line.unit))?;
            total = Some(match total {
                None => line_total,
                Some(sum) if sum.currency() != line.unit.currency() => {
                    return Err(FreezeError::Currencies);
                }
                Some(sum) => sum.checked_add(line_total).map_err(|_| too_large(line.unit))?,
            });
        }
        if let Some(total) = total {
            amount::charge_units(total)?;
        }
        Ok(())
    }
}

fn too_large(unit: Money) -> FreezeError {
    let most = Money::new(amount::UNITS_MAX, unit.currency());
    FreezeError::Amount(amount::AmountError::TooLarge { money: unit, most })
}

/// Closes an open session, so that nobody can pay it any more.
pub fn expire_session(
    session_id: &str,
    idempotency_key: &str,
) -> Result<FrozenRequest, FreezeError> {
    let path = action_path("checkout/sessions", session_id, "expire")?;
    FrozenRequest::new(path, &Form::default(), idempotency_key)
}
