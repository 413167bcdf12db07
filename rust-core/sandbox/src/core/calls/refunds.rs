//! Refunds.
//!
//! ```text
//! most cards                    ──► succeeded
//! pm_card_pendingRefund         ──► pending ──► succeeded
//! pm_card_refundFail            ──► succeeded ──► failed
//! with an `instructions_email`  ──► requires_action ──► canceled, by a call or after 45 days
//! ```
//!
//! The last is how Stripe refunds what cannot go back by itself: it asks the payer by e-mail where
//! the money should go. Here nobody ever answers.

use std::sync::Arc;

use holdfast_stripe::objects::{ErrorCode, EventType, RefundReason, RefundStatus};

use super::super::agenda::{LATER_MS, Task};
use super::super::cards::Aftermath;
use super::super::error::ApiError;
use super::super::expand;
use super::super::fields::Fields;
use super::super::model::{Charge, EntryKind, Refund, Snapshot};
use super::super::reply::Reply;
use super::super::{Core, Id};

const REASONS: [&str; 3] = ["duplicate", "fraudulent", "requested_by_customer"];

/// How long the payer has to say where the money should go, in milliseconds: Stripe waits 45 days.
pub(in super::super) const INSTRUCTIONS_LIFETIME_MS: i64 = 45 * 24 * 60 * 60 * 1_000;

/// What happens to a refund, and after how many milliseconds.
type Later = (i64, fn(Id) -> Task);

impl Core {
    pub(super) fn refund_create(&mut self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let charge_id = fields.text("charge")?;
        let intent_id = fields.text("payment_intent")?;
        let asked = fields.integer("amount")?;
        let reason = fields.word("reason", &REASONS)?.map(RefundReason::from);
        let metadata = fields.metadata("metadata")?;
        let instructions_email = fields.text_up_to("instructions_email", 800)?.map(Into::into);
        let paths = expand::read(&mut fields)?;
        fields.finish(&[
            "currency",
            "customer",
            "origin",
            "refund_application_fee",
            "reverse_transfer",
        ])?;
        let charge = self.charge_to_refund(charge_id, intent_id)?;
        let amount = refundable(&charge, asked)?;
        let (status, later) = course(charge.presented.card.aftermath(), &instructions_email);
        let refund = self.refunds.insert(Refund {
            id: self.ids.object("re_3"),
            created: self.now_s(),
            amount,
            currency: charge.currency.clone(),
            charge: charge.id.clone(),
            intent: charge.intent.clone(),
            reason,
            metadata,
            status,
            instructions_email,
            failure_reason: None,
            failure_entry: None,
        });
        if let Some((after_ms, task)) = later {
            self.later(after_ms, task(refund.id.clone()));
        }
        let changed = self.charges.change(&charge.id, |charge| {
            charge.amount_refunded = charge.amount_refunded.saturating_add(amount);
            charge.refunds.push(refund.id.clone());
        });
        self.book(EntryKind::Refund, &refund.id, amount.saturating_neg(), &refund.currency);
        self.emit(EventType::RefundCreated, Snapshot::Refund(refund.clone()));
        if let Some(charge) = changed {
            self.emit(EventType::ChargeRefunded, Snapshot::Charge(charge));
        }
        self.object_reply(Snapshot::Refund(refund), &paths)
    }

    /// A pending refund reached the payer.
    pub(in super::super) fn complete_refund(&mut self, id: &Id) {
        if self.refunds.get(id).is_none_or(|refund| refund.status != RefundStatus::Pending) {
            return;
        }
        let done = self.refunds.change(id, |refund| refund.status = RefundStatus::Succeeded);
        if let Some(refund) = done {
            self.emit(EventType::RefundUpdated, Snapshot::Refund(refund));
        }
    }

    /// A refund came back from the payer's bank, and the money with it.
    pub(in super::super) fn fail_refund(&mut self, id: &Id) {
        if self.refunds.get(id).is_none_or(|refund| refund.status != RefundStatus::Succeeded) {
            return;
        }
        let why = Some("expired_or_canceled_card");
        let Some((refund, charge)) = self.take_back(id, RefundStatus::Failed, why) else { return };
        self.emit(EventType::RefundUpdated, Snapshot::Refund(refund.clone()));
        self.emit(EventType::RefundFailed, Snapshot::Refund(refund));
        self.emit(EventType::ChargeUpdated, Snapshot::Charge(charge));
    }

    /// The payer never said where the money should go.
    pub(in super::super) fn expire_refund(&mut self, id: &Id) {
        if self.refunds.get(id).is_some_and(|it| it.status == RefundStatus::RequiresAction) {
            self.cancel_refund(id, None);
        }
    }

    fn cancel_refund(&mut self, id: &Id, why: Option<&'static str>) -> Option<Arc<Refund>> {
        let (refund, charge) = self.take_back(id, RefundStatus::Canceled, why)?;
        self.emit(EventType::RefundUpdated, Snapshot::Refund(refund.clone()));
        self.emit(EventType::ChargeUpdated, Snapshot::Charge(charge));
        Some(refund)
    }

    /// The money of a refund is back, and can be refunded again.
    fn take_back(
        &mut self,
        id: &Id,
        status: RefundStatus,
        why: Option<&'static str>,
    ) -> Option<(Arc<Refund>, Arc<Charge>)> {
        let refund = self.refunds.get(id).cloned()?;
        let entry = self.book(EntryKind::RefundFailure, id, refund.amount, &refund.currency);
        let changed = self.refunds.change(id, |refund| {
            refund.status = status;
            refund.failure_reason = why;
            refund.failure_entry = Some(entry);
        })?;
        let charge = self.charges.change(&refund.charge, |charge| {
            charge.amount_refunded = charge.amount_refunded.saturating_sub(refund.amount);
        })?;
        Some((changed, charge))
    }

    pub(super) fn refund_update(
        &mut self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let metadata = fields.metadata_changes("metadata")?;
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        let before = self.refund(id)?;
        let changed = self.refunds.change(id, |refund| metadata.apply(&mut refund.metadata));
        let refund = changed.unwrap_or(before);
        self.emit(EventType::RefundUpdated, Snapshot::Refund(refund.clone()));
        self.object_reply(Snapshot::Refund(refund), &paths)
    }

    /// Only a refund that waits for the payer can be canceled.
    pub(super) fn refund_cancel(
        &mut self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        let refund = self.refund(id)?;
        if refund.status != RefundStatus::RequiresAction {
            let message = format!(
                "You cannot cancel this Refund because it has a status of {}. Only a Refund with \
                 one of the following statuses may be canceled: requires_action.",
                refund.status
            );
            return Err(ApiError::invalid(message).executed());
        }
        let canceled = self.cancel_refund(&refund.id, Some("merchant_request")).unwrap_or(refund);
        self.object_reply(Snapshot::Refund(canceled), &paths)
    }

    fn refund(&self, id: &str) -> Result<Arc<Refund>, ApiError> {
        let missing = || ApiError::no_such("refund", id, "refund");
        self.refunds.get(id).cloned().ok_or_else(missing)
    }

    fn charge_to_refund(
        &self,
        charge: Option<&str>,
        intent: Option<&str>,
    ) -> Result<Arc<Charge>, ApiError> {
        let charge_id = match (charge, intent) {
            (Some(_), Some(_)) => return Err(ApiError::exclusive("charge, payment_intent")),
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
        self.object_reply(Snapshot::Refund(self.refund(id)?), &paths)
    }

    pub(super) fn refund_list(&self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let charge = fields.text("charge")?;
        let intent = fields.text("payment_intent")?;
        let among = self.among_those_of(charge, intent, |charge| charge.refunds.clone());
        let keep = |refund: &Arc<Refund>| intent.is_none_or(|intent| *refund.intent == *intent);
        self.list_reply("/v1/refunds", &self.refunds, among, fields, keep, |core, row| {
            core.refund_json(row)
        })
    }
}

/// Where a new refund stands, and what becomes of it by itself.
fn course(aftermath: Aftermath, asked_at: &Option<Arc<str>>) -> (RefundStatus, Option<Later>) {
    match aftermath {
        _ if asked_at.is_some() => {
            (RefundStatus::RequiresAction, Some((INSTRUCTIONS_LIFETIME_MS, Task::ExpireRefund)))
        }
        Aftermath::RefundPends => (RefundStatus::Pending, Some((LATER_MS, Task::CompleteRefund))),
        Aftermath::RefundFails => (RefundStatus::Succeeded, Some((LATER_MS, Task::FailRefund))),
        Aftermath::Nothing | Aftermath::Disputed { .. } => (RefundStatus::Succeeded, None),
    }
}

/// How much goes back: what was asked for, or all that is left.
fn refundable(charge: &Charge, asked: Option<i64>) -> Result<i64, ApiError> {
    if charge.decline.is_some() {
        let message =
            format!("This charge ({}) did not succeed, so it cannot be refunded.", charge.id);
        return Err(ApiError::invalid(message).executed());
    }
    if charge.dispute.is_some() {
        let message = format!("Charge {} has been charged back; cannot issue a refund.", charge.id);
        return Err(ApiError::invalid(message).with_code(ErrorCode::ChargeDisputed).executed());
    }
    if !charge.captured {
        let message = format!(
            "Charge {} was not captured: cancel its PaymentIntent to let the money go.",
            charge.id
        );
        return Err(ApiError::invalid(message).with_code(ErrorCode::UnexpectedState).executed());
    }
    let left = charge.amount_captured.saturating_sub(charge.amount_refunded);
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
