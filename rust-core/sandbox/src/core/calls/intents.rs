//! PaymentIntents that the server makes itself. Confirming one takes a payment method, which the
//! sandbox does not have yet.

use std::sync::Arc;

use holdfast_stripe::amount;
use holdfast_stripe::objects::{ErrorCode, EventType, IntentStatus};

use super::super::error::ApiError;
use super::super::expand;
use super::super::fields::Fields;
use super::super::model::{Intent, IntentData, Snapshot};
use super::super::reply::Reply;
use super::super::{Core, Id};

const ALSO_AT_STRIPE: &[&str] = &[
    "allowed_payment_method_types",
    "amount_details",
    "application_fee_amount",
    "capture_method",
    "confirmation_method",
    "confirmation_token",
    "customer",
    "customer_account",
    "error_on_requires_action",
    "excluded_payment_method_types",
    "hooks",
    "mandate",
    "mandate_data",
    "off_session",
    "on_behalf_of",
    "payment_details",
    "payment_method",
    "payment_method_configuration",
    "payment_method_data",
    "payment_method_options",
    "radar_options",
    "receipt_email",
    "return_url",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
    "use_stripe_sdk",
];

impl Core {
    pub(super) fn intent_create(&mut self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let amount = fields.required_integer("amount")?;
        let currency = fields.required_text("currency")?.to_ascii_lowercase();
        check_amount(amount, &currency)?;
        let data = IntentData {
            metadata: fields.metadata("metadata")?.into(),
            description: fields.text_up_to("description", 1_000)?.map(Into::into),
        };
        check_methods(&mut fields)?;
        let paths = expand::read(&mut fields)?;
        fields.finish(ALSO_AT_STRIPE)?;
        let intent = self.add_intent(amount, currency.into(), data.into(), None);
        self.object_reply(Snapshot::Intent(intent), &paths)
    }

    /// Makes a PaymentIntent and says so.
    pub(in super::super) fn add_intent(
        &mut self,
        amount: i64,
        currency: Arc<str>,
        data: Arc<IntentData>,
        session: Option<Id>,
    ) -> Arc<Intent> {
        let intent = self.intents.insert(Intent {
            id: self.ids.object("pi_3"),
            created: self.now_s(),
            amount,
            currency,
            status: IntentStatus::RequiresPaymentMethod,
            data,
            session,
            charges: Vec::new(),
            last_error: None,
            pending: None,
            canceled_at: None,
            cancellation_reason: None,
        });
        self.emit(EventType::IntentCreated, Snapshot::Intent(intent.clone()));
        intent
    }

    pub(super) fn intent_get(&self, id: &str, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let paths = expand::read(&mut fields)?;
        fields.finish(&["client_secret"])?;
        self.object_reply(Snapshot::Intent(self.intent(id)?), &paths)
    }

    pub(super) fn intent_cancel(
        &mut self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let reasons = ["duplicate", "fraudulent", "requested_by_customer", "abandoned"];
        let reason = fields.word("cancellation_reason", &reasons)?.map(Arc::from);
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        let intent = self.intent(id)?;
        let refused = |message: String| {
            Err(ApiError::invalid(message).with_code(ErrorCode::UnexpectedState).executed())
        };
        if intent.session.is_some() {
            return refused(
                "You cannot cancel this PaymentIntent because it belongs to a Checkout Session. \
                 Expire the session instead."
                    .to_owned(),
            );
        }
        if matches!(intent.status, IntentStatus::Succeeded | IntentStatus::Canceled) {
            return refused(format!(
                "You cannot cancel this PaymentIntent because it has a status of {}. Only a \
                 PaymentIntent with one of the following statuses may be canceled: \
                 requires_payment_method, requires_capture, requires_confirmation, \
                 requires_action, processing.",
                intent.status
            ));
        }
        self.cancel(&intent.id, reason);
        self.object_reply(Snapshot::Intent(self.intent(id)?), &paths)
    }

    pub(super) fn intent_list(&self, fields: Fields<'_>) -> Result<Reply, ApiError> {
        self.list_reply(
            "/v1/payment_intents",
            &self.intents,
            fields,
            |_| true,
            |core, row| core.intent_json(row),
        )
    }

    fn intent(&self, id: &str) -> Result<Arc<Intent>, ApiError> {
        let missing = || ApiError::no_such("payment_intent", id, "intent");
        self.intents.get(id).cloned().ok_or_else(missing)
    }

    /// Cancels a PaymentIntent that is not final, and says so.
    pub(in super::super) fn cancel(&mut self, id: &Id, reason: Option<Arc<str>>) {
        let now_s = self.now_s();
        let is_final = |intent: &Intent| {
            matches!(intent.status, IntentStatus::Succeeded | IntentStatus::Canceled)
        };
        if self.intents.get(id).is_none_or(|intent| is_final(intent)) {
            return;
        }
        let canceled = self.intents.change(id, |intent| {
            intent.status = IntentStatus::Canceled;
            intent.canceled_at = Some(now_s);
            intent.cancellation_reason = reason;
            intent.pending = None;
        });
        if let Some(intent) = canceled {
            self.emit(EventType::IntentCanceled, Snapshot::Intent(intent));
        }
    }
}

fn check_amount(units: i64, currency: &str) -> Result<(), ApiError> {
    let refused = |message: String, code| {
        Err(ApiError::invalid(message).with_code(code).with_param("amount"))
    };
    let money = match amount::money(units, currency) {
        Ok(money) => money,
        Err(amount::AmountError::Unsupported { code }) => {
            let message = format!("Invalid currency: {code}");
            return Err(ApiError::invalid(message).with_param("currency"));
        }
        Err(other) => return Err(ApiError::invalid(other.to_string()).with_param("amount")),
    };
    match amount::charge_units(money) {
        Ok(_) => Ok(()),
        Err(amount::AmountError::TooSmall { least, .. }) => {
            refused(format!("Amount must be at least {least}"), ErrorCode::AmountTooSmall)
        }
        Err(amount::AmountError::TooLarge { most, .. }) => {
            refused(format!("Amount must be no more than {most}"), ErrorCode::AmountTooLarge)
        }
        Err(other) => Err(ApiError::invalid(other.to_string()).with_param("amount")),
    }
}

/// Cards only; a confirmation at once is not played.
fn check_methods(fields: &mut Fields<'_>) -> Result<(), ApiError> {
    if fields.texts("payment_method_types")?.iter().any(|method| *method != "card") {
        return Err(ApiError::not_simulated("payment_method_types"));
    }
    if let Some(mut automatic) = fields.object("automatic_payment_methods")? {
        automatic.boolean("enabled")?;
        automatic.word("allow_redirects", &["always", "never"])?;
        automatic.finish(&[])?;
    }
    if fields.boolean("confirm")? == Some(true) {
        return Err(ApiError::not_simulated("confirm"));
    }
    Ok(())
}
