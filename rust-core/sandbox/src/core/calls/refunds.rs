//! Refunds. A card that succeeds is refunded at once.

use std::sync::Arc;

use holdfast_stripe::objects::{ErrorCode, EventType, RefundReason, RefundStatus};

use super::super::Core;
use super::super::error::ApiError;
use super::super::expand;
use super::super::fields::Fields;
use super::super::model::{Charge, Refund, Snapshot};
use super::super::reply::Reply;

const REASONS: [&str; 3] = ["duplicate", "fraudulent", "requested_by_customer"];

impl Core {
    pub(super) fn refund_create(&mut self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let charge_id = fields.text("charge")?;
        let intent_id = fields.text("payment_intent")?;
        let asked = fields.integer("amount")?;
        let reason = fields.word("reason", &REASONS)?.map(RefundReason::from);
        let metadata = fields.metadata("metadata")?;
        let paths = expand::read(&mut fields)?;
        fields.finish(&[
            "currency",
            "customer",
            "instructions_email",
            "origin",
            "refund_application_fee",
            "reverse_transfer",
        ])?;
        let charge = self.charge_to_refund(charge_id, intent_id)?;
        let amount = refundable(&charge, asked)?;
        let refund = self.refunds.insert(Refund {
            id: self.ids.object("re_3"),
            created: self.now_s(),
            amount,
            currency: charge.currency.clone(),
            charge: charge.id.clone(),
            intent: charge.intent.clone(),
            reason,
            metadata: metadata.into(),
            status: RefundStatus::Succeeded,
        });
        let changed = self.charges.change(&charge.id, |charge| {
            charge.amount_refunded = charge.amount_refunded.saturating_add(amount);
            charge.refunds.push(refund.id.clone());
        });
        self.emit(EventType::RefundCreated, Snapshot::Refund(refund.clone()));
        if let Some(charge) = changed {
            self.emit(EventType::ChargeRefunded, Snapshot::Charge(charge));
        }
        self.object_reply(Snapshot::Refund(refund), &paths)
    }

    fn charge_to_refund(
        &self,
        charge: Option<&str>,
        intent: Option<&str>,
    ) -> Result<Arc<Charge>, ApiError> {
        let charge_id = match (charge, intent) {
            (Some(_), Some(_)) => {
                let message =
                    "You may only specify one of these parameters: charge, payment_intent.";
                return Err(ApiError::invalid(message).with_code(ErrorCode::MoreThanOneParameter));
            }
            (None, None) => {
                let message = "One of the following params should be provided for this request: \
                     payment_intent or charge.";
                return Err(ApiError::invalid(message));
            }
            (Some(charge), None) => charge,
            (None, Some(id)) => {
                let missing = || ApiError::no_such("payment_intent", id, "payment_intent");
                let intent = self.intents.get(id).ok_or_else(missing)?;
                intent.charges.last().ok_or_else(|| {
                    let message = "This PaymentIntent does not have a successful charge to refund.";
                    ApiError::invalid(message).with_code(ErrorCode::UnexpectedState).executed()
                })?
            }
        };
        let missing = || ApiError::no_such("charge", charge_id, "charge");
        self.charges.get(charge_id).cloned().ok_or_else(missing)
    }

    pub(super) fn refund_get(&self, id: &str, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        let missing = || ApiError::no_such("refund", id, "refund");
        let refund = self.refunds.get(id).cloned().ok_or_else(missing)?;
        self.object_reply(Snapshot::Refund(refund), &paths)
    }

    pub(super) fn refund_list(&self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let charge = fields.text("charge")?;
        let intent = fields.text("payment_intent")?;
        let keep = |refund: &Refund| {
            charge.is_none_or(|charge| *refund.charge == *charge)
                && intent.is_none_or(|intent| *refund.intent == *intent)
        };
        self.list_reply("/v1/refunds", &self.refunds, fields, keep, |core, row| {
            core.refund_json(row)
        })
    }
}

/// How much goes back: what was asked for, or all that is left.
fn refundable(charge: &Charge, asked: Option<i64>) -> Result<i64, ApiError> {
    if charge.decline.is_some() {
        let message =
            format!("This charge ({}) did not succeed, so it cannot be refunded.", charge.id);
        return Err(ApiError::invalid(message).executed());
    }
    let left = charge.amount.saturating_sub(charge.amount_refunded);
    if left == 0 {
        let message = format!("Charge {} has already been refunded.", charge.id);
        return Err(ApiError::invalid(message)
            .with_code(ErrorCode::ChargeAlreadyRefunded)
            .executed());
    }
    let amount = asked.unwrap_or(left);
    if amount < 1 {
        return Err(ApiError::invalid("Invalid positive integer").with_param("amount"));
    }
    if amount > left {
        let message = format!(
            "Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        );
        return Err(ApiError::invalid(message).with_param("amount").executed());
    }
    Ok(amount)
}
