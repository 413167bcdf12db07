//! PaymentIntents that the server makes itself: created, changed, canceled, listed.

use std::sync::Arc;

use holdfast_stripe::amount;
use holdfast_stripe::objects::{ErrorCode, EventType, IntentStatus};

use super::super::error::ApiError;
use super::super::expand;
use super::super::fields::Fields;
use super::super::model::{AutomaticMethods, Canceled, Intent, IntentData, IntentTerms, Snapshot};
use super::super::reply::Reply;
use super::super::shelf::Among;
use super::super::{Core, Id};

/// What Stripe takes as well, and the sandbox does not play.
pub(super) const ALSO_AT_STRIPE: &[&str] = &[
    "allowed_payment_method_types",
    "amount_details",
    "application_fee_amount",
    "confirmation_token",
    "customer_account",
    "excluded_payment_method_types",
    "hooks",
    "mandate",
    "mandate_data",
    "on_behalf_of",
    "payment_details",
    "payment_method_configuration",
    "radar_options",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];

/// What a PaymentIntent begins with.
pub(in super::super) struct NewIntent {
    pub(in super::super) amount: i64,
    pub(in super::super) currency: Arc<str>,
    pub(in super::super) data: Arc<IntentData>,
    pub(in super::super) session: Option<Id>,
    pub(in super::super) customer: Option<Id>,
    pub(in super::super) method: Option<Id>,
    pub(in super::super) automatic: AutomaticMethods,
    pub(in super::super) capture_by_hand: bool,
}

impl Core {
    pub(super) fn intent_create(&mut self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let amount = fields.required_integer("amount")?;
        let currency = fields.required_text("currency")?.to_ascii_lowercase();
        check_amount(amount, &currency)?;
        let data = IntentData {
            metadata: fields.metadata("metadata")?,
            description: fields.text_up_to("description", 1_000)?.map(Into::into),
            receipt_email: fields.text_up_to("receipt_email", 800)?.map(Into::into),
        };
        let customer = self.customer_param(&mut fields)?;
        let automatic = read_methods(&mut fields)?;
        let capture_by_hand = read_capture(&mut fields)?.unwrap_or(false);
        fields.word("confirmation_method", &["automatic", "manual"])?;
        let confirm = fields.boolean("confirm")? == Some(true);
        let confirmation = self.read_confirmation(&mut fields)?;
        let paths = expand::read(&mut fields)?;
        fields.finish(ALSO_AT_STRIPE)?;
        if confirm {
            confirmation.check_way_back(automatic)?;
            confirmation.choice.as_ref().ok_or_else(ApiError::no_method)?;
        }
        self.check_owner(customer.as_deref(), &confirmation)?;
        let method = self.chosen_method(&confirmation);
        let new = NewIntent {
            amount,
            currency: self.word(&currency),
            data: data.into(),
            session: None,
            customer,
            method,
            automatic,
            capture_by_hand,
        };
        let intent = self.add_intent(new);
        let intent = if confirm { self.confirm(&intent.id, &confirmation)? } else { intent };
        self.object_reply(Snapshot::Intent(intent), &paths)
    }

    /// Makes a PaymentIntent and says so.
    pub(in super::super) fn add_intent(&mut self, new: NewIntent) -> Arc<Intent> {
        let status = match new.method {
            None => IntentStatus::RequiresPaymentMethod,
            Some(_) => IntentStatus::RequiresConfirmation,
        };
        let terms = IntentTerms {
            id: self.ids.object("pi_3"),
            created: self.now_s(),
            amount: new.amount,
            currency: new.currency,
            data: new.data,
            session: new.session,
            customer: new.customer,
            automatic: new.automatic,
            capture_by_hand: new.capture_by_hand,
        };
        let intent = self.intents.insert(Intent {
            terms: terms.into(),
            status,
            method: new.method,
            amount_received: 0,
            charges: Vec::new(),
            last_error: None,
            pending: None,
            canceled: None,
        });
        if let Some(customer) = &intent.customer {
            self.intents.group(customer, &intent.id);
        }
        self.emit(EventType::IntentCreated, Snapshot::Intent(intent.clone()));
        intent
    }

    pub(super) fn intent_get(&self, id: &str, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let paths = expand::read(&mut fields)?;
        let secret = fields.text("client_secret")?;
        fields.finish(&[])?;
        let intent = self.intent(id)?;
        self.check_client_secret(&intent, secret)?;
        self.object_reply(Snapshot::Intent(intent), &paths)
    }

    pub(super) fn intent_update(
        &mut self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let amount = fields.integer("amount")?;
        let currency = fields.text("currency")?.map(str::to_ascii_lowercase);
        let description = fields.text_or_unset("description", 1_000)?;
        let receipt_email = fields.text_or_unset("receipt_email", 800)?;
        let customer = self.customer_param(&mut fields)?;
        let metadata = fields.metadata_changes("metadata")?;
        let capture = read_capture(&mut fields)?;
        fields.texts("payment_method_types")?;
        let confirmation = self.read_confirmation(&mut fields)?;
        let paths = expand::read(&mut fields)?;
        fields.finish(ALSO_AT_STRIPE)?;
        let intent = self.intent(id)?;
        let new_amount = amount.unwrap_or(intent.amount);
        let new_currency = currency.clone().map_or_else(|| intent.currency.clone(), Arc::from);
        check_amount(new_amount, &new_currency)?;
        let terms = amount.is_some() || currency.is_some() || capture.is_some();
        if (terms || confirmation.choice.is_some()) && !takes_a_card(&intent.status) {
            return Err(unexpected(
                &intent,
                "update",
                "requires_payment_method, \
                requires_confirmation, requires_action",
            ));
        }
        self.check_owner(customer.as_deref().or(intent.customer.as_deref()), &confirmation)?;
        let method = self.chosen_method(&confirmation);
        let changed = self.intents.change(&intent.id, |intent| {
            let terms = Arc::make_mut(&mut intent.terms);
            (terms.amount, terms.currency) = (new_amount, new_currency);
            let data = Arc::make_mut(&mut terms.data);
            metadata.apply(&mut data.metadata);
            if let Some(text) = description {
                data.description = text.map(Into::into);
            }
            if let Some(text) = receipt_email {
                data.receipt_email = text.map(Into::into);
            }
            terms.capture_by_hand = capture.unwrap_or(terms.capture_by_hand);
            terms.customer = customer.clone().or(terms.customer.take());
            if let Some(method) = method {
                intent.method = Some(method);
                intent.status = IntentStatus::RequiresConfirmation;
            }
        });
        if let Some(customer) = customer {
            self.intents.group(&customer, &intent.id);
        }
        self.object_reply(Snapshot::Intent(changed.unwrap_or(intent)), &paths)
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
        // A session owns its PaymentIntent until the money is reserved.
        if intent.session.is_some() && takes_a_card(&intent.status) {
            let message = "You cannot cancel this PaymentIntent because it belongs to a Checkout \
                 Session. Expire the session instead.";
            return Err(ApiError::invalid(message)
                .with_code(ErrorCode::UnexpectedState)
                .executed());
        }
        if matches!(intent.status, IntentStatus::Succeeded | IntentStatus::Canceled) {
            return Err(unexpected(
                &intent,
                "cancel",
                "requires_payment_method, requires_capture, requires_confirmation, \
                 requires_action, processing",
            ));
        }
        self.cancel(&intent.id, reason);
        self.object_reply(Snapshot::Intent(self.intent(id)?), &paths)
    }

    pub(super) fn intent_list(&self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let customer = fields.text("customer")?;
        let among = customer.map_or(Among::All, Among::Group);
        let keep = |_: &Arc<Intent>| true;
        self.list_reply("/v1/payment_intents", &self.intents, among, fields, keep, |core, row| {
            core.intent_json(row)
        })
    }

    pub(in super::super) fn intent(&self, id: &str) -> Result<Arc<Intent>, ApiError> {
        let missing = || ApiError::no_such("payment_intent", id, "intent");
        self.intents.get(id).cloned().ok_or_else(missing)
    }

    /// Cancels a PaymentIntent that is not final, and says so.
    pub(in super::super) fn cancel(&mut self, id: &Id, reason: Option<Arc<str>>) {
        let now_s = self.now_s();
        let Some(before) = self.intents.get(id).cloned() else { return };
        if matches!(before.status, IntentStatus::Succeeded | IntentStatus::Canceled) {
            return;
        }
        let canceled = self.intents.change(id, |intent| {
            intent.status = IntentStatus::Canceled;
            intent.canceled = Some(Canceled { at: now_s, reason }.into());
            intent.pending = None;
        });
        if before.status == IntentStatus::RequiresCapture {
            before.charges.last().inspect(|charge| self.release(charge));
        }
        if let Some(intent) = canceled {
            self.emit(EventType::IntentCanceled, Snapshot::Intent(intent));
        }
    }

    /// Who holds only the publishable key must know the PaymentIntent's secret.
    pub(super) fn check_client_secret(
        &self,
        intent: &Intent,
        given: Option<&str>,
    ) -> Result<(), ApiError> {
        let right = given.is_none_or(|given| given == self.client_secret(&intent.id));
        if right && (given.is_some() || !self.publishable) {
            return Ok(());
        }
        if given.is_none() {
            return Err(ApiError::missing_param("client_secret"));
        }
        let message = "The client_secret provided does not match any associated PaymentIntent on \
             this account. Ensure the publishable key used belongs to the same account that \
             created the PaymentIntent.";
        Err(ApiError::invalid(message).with_param("client_secret"))
    }
}

/// Whether a card can be presented, or be presented anew.
pub(super) fn takes_a_card(status: &IntentStatus) -> bool {
    matches!(
        status,
        IntentStatus::RequiresPaymentMethod
            | IntentStatus::RequiresConfirmation
            | IntentStatus::RequiresAction
    )
}

/// The refusal of what a PaymentIntent's status does not allow.
pub(super) fn unexpected(intent: &Arc<Intent>, verb: &str, allowed: &str) -> ApiError {
    let message = format!(
        "You cannot {verb} this PaymentIntent because it has a status of {}. Only a PaymentIntent \
         with one of the following statuses may be {}: {allowed}.",
        intent.status,
        match verb {
            "cancel" => "canceled",
            "capture" => "captured",
            "confirm" => "confirmed",
            _ => "updated",
        }
    );
    let error = ApiError::invalid(message).with_code(ErrorCode::UnexpectedState);
    error.with_intent(intent.clone()).executed()
}

fn check_amount(units: i64, currency: &str) -> Result<(), ApiError> {
    let refused = |message: String, code| {
        Err(ApiError::invalid(message).with_code(code).with_param("amount"))
    };
    if units < 1 {
        let code = ErrorCode::from("parameter_invalid_integer");
        return refused("This value must be greater than or equal to 1.".to_owned(), code);
    }
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

/// Cards only. Without any types, Stripe chooses, and some of its choices lead away.
fn read_methods(fields: &mut Fields<'_>) -> Result<AutomaticMethods, ApiError> {
    let types = fields.texts("payment_method_types")?;
    if types.iter().any(|method| *method != "card") {
        return Err(ApiError::not_simulated("payment_method_types"));
    }
    let Some(mut automatic) = fields.object("automatic_payment_methods")? else {
        let named = !types.is_empty();
        return Ok(if named { AutomaticMethods::Off } else { AutomaticMethods::WithRedirects });
    };
    let enabled = automatic.boolean("enabled")?;
    let redirects = automatic.word("allow_redirects", &["always", "never"])?;
    let missing = ApiError::missing_param(&automatic.name_of("enabled"));
    automatic.finish(&[])?;
    Ok(match (enabled.ok_or(missing)?, redirects) {
        (false, _) => AutomaticMethods::Off,
        (true, Some("never")) => AutomaticMethods::WithoutRedirects,
        (true, _) => AutomaticMethods::WithRedirects,
    })
}

pub(super) fn read_capture(fields: &mut Fields<'_>) -> Result<Option<bool>, ApiError> {
    let method = fields.word("capture_method", &["automatic", "automatic_async", "manual"])?;
    Ok(method.map(|method| method == "manual"))
}
