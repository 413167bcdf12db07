//! Checkout Sessions.

use std::sync::Arc;

use holdfast_stripe::amount;
use holdfast_stripe::objects::{ErrorCode, SessionPaymentStatus, SessionStatus};
use holdfast_stripe::request::{SESSION_LIFETIME_S_MAX, SESSION_LIFETIME_S_MIN};

use super::super::error::ApiError;
use super::super::expand;
use super::super::fields::Fields;
use super::super::model::{IntentData, Line, Session, Snapshot};
use super::super::reply::Reply;
use super::super::{Core, Id};

/// Stripe's most lines in a session.
const LINES_MAX: usize = 100;
/// Stripe's longest reference, in characters.
const REFERENCE_LENGTH_MAX: usize = 200;

/// What Stripe takes as well, and the sandbox does not play.
const ALSO_AT_STRIPE: &[&str] = &[
    "adaptive_pricing",
    "after_expiration",
    "allow_promotion_codes",
    "automatic_tax",
    "branding_settings",
    "consent_collection",
    "custom_fields",
    "custom_text",
    "customer",
    "customer_account",
    "customer_update",
    "discounts",
    "excluded_payment_method_types",
    "integration_identifier",
    "invoice_creation",
    "managed_payments",
    "name_collection",
    "optional_items",
    "origin_context",
    "payment_method_collection",
    "payment_method_configuration",
    "payment_method_data",
    "payment_method_options",
    "permissions",
    "phone_number_collection",
    "redirect_on_completion",
    "return_url",
    "saved_payment_method_options",
    "setup_intent_data",
    "shipping_address_collection",
    "shipping_options",
    "subscription_data",
    "tax_id_collection",
    "wallet_options",
];

impl Core {
    pub(super) fn session_create(&mut self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        check_kind(&mut fields)?;
        let (currency, lines) = self.read_lines(&mut fields)?;
        let amount_total = total(&currency, &lines)?;
        let expires_at = self.read_expiry(&mut fields)?;
        let success_url = fields.url("success_url")?;
        let success_url = success_url.ok_or_else(|| ApiError::missing_param("success_url"))?.into();
        let session = Session {
            id: self.ids.session(),
            created: self.now_s(),
            expires_at,
            status: SessionStatus::Open,
            payment_status: SessionPaymentStatus::Unpaid,
            lines,
            currency,
            amount_total,
            success_url,
            cancel_url: fields.url("cancel_url")?.map(Into::into),
            client_reference_id: fields
                .text_up_to("client_reference_id", REFERENCE_LENGTH_MAX)?
                .map(Into::into),
            metadata: fields.metadata("metadata")?.into(),
            intent_data: read_intent_data(&mut fields)?.into(),
            intent: None,
            customer_email: fields.text_up_to("customer_email", 800)?.map(Into::into),
            payer: None,
            locale: fields.text_up_to("locale", 10)?.map(Into::into),
            submit_type: fields
                .word("submit_type", &["auto", "book", "donate", "pay"])?
                .map(Into::into),
        };
        let paths = expand::read(&mut fields)?;
        fields.finish(ALSO_AT_STRIPE)?;
        self.expiries.insert((session.expires_at, session.id.clone()));
        let session = self.sessions.insert(session);
        self.object_reply(Snapshot::Session(session), &paths)
    }

    fn read_lines(&mut self, fields: &mut Fields<'_>) -> Result<(Arc<str>, Arc<[Line]>), ApiError> {
        let entries = fields.objects("line_items")?;
        if entries.is_empty() {
            return Err(ApiError::missing_param("line_items"));
        }
        if entries.len() > LINES_MAX {
            let message = format!("A session can have up to {LINES_MAX} line items.");
            return Err(ApiError::invalid(message).with_param("line_items"));
        }
        let mut currency: Option<String> = None;
        let mut lines = Vec::with_capacity(entries.len());
        for entry in entries {
            let (line_currency, line) = self.read_line(entry)?;
            if currency.get_or_insert_with(|| line_currency.clone()) != &line_currency {
                let message = "All prices on a Checkout session must be in the same currency";
                return Err(ApiError::invalid(message).with_param("line_items"));
            }
            lines.push(line);
        }
        let currency = currency.unwrap_or_default();
        let given = fields.text("currency")?.map(str::to_ascii_lowercase);
        if given.is_some_and(|given| given != currency) {
            let message = "The currency does not match that of the line items.";
            return Err(ApiError::invalid(message).with_param("currency"));
        }
        Ok((currency.into(), lines.into()))
    }

    fn read_line(&mut self, mut entry: Fields<'_>) -> Result<(String, Line), ApiError> {
        let quantity = entry.integer("quantity")?.unwrap_or(1);
        if quantity < 1 {
            let param = entry.name_of("quantity");
            let message = "This value must be greater than or equal to 1.";
            return Err(ApiError::invalid(message).with_param(param));
        }
        let missing = ApiError::missing_param(&entry.name_of("price_data"));
        let mut price = entry.object("price_data")?.ok_or(missing)?;
        entry.finish(&[
            "price",
            "adjustable_quantity",
            "dynamic_tax_rates",
            "tax_rates",
            "metadata",
        ])?;
        let currency = price.required_text("currency")?.to_ascii_lowercase();
        let unit_amount = price.required_integer("unit_amount")?;
        check_unit(&price, &currency, unit_amount)?;
        let missing = ApiError::missing_param(&price.name_of("product_data"));
        let mut product = price.object("product_data")?.ok_or(missing)?;
        let name: Arc<str> = product.required_text("name")?.into();
        product.finish(&["description", "images", "metadata", "tax_code", "unit_label"])?;
        let amount = unit_amount.checked_mul(quantity).ok_or_else(too_large)?;
        price.finish(&["product", "recurring", "tax_behavior", "unit_amount_decimal"])?;
        let id = self.ids.object("li_1");
        Ok((currency, Line { id, name, unit_amount, quantity, amount }))
    }

    fn read_expiry(&self, fields: &mut Fields<'_>) -> Result<i64, ApiError> {
        let now_s = self.now_s();
        let latest = now_s.saturating_add(SESSION_LIFETIME_S_MAX);
        let Some(at) = fields.integer("expires_at")? else { return Ok(latest) };
        let refused = |message: &str| Err(ApiError::invalid(message).with_param("expires_at"));
        if at < now_s.saturating_add(SESSION_LIFETIME_S_MIN) {
            return refused(
                "The `expires_at` timestamp must be at least 30 minutes from Checkout Session \
                 creation.",
            );
        }
        if at > latest {
            return refused(
                "The `expires_at` timestamp must be less than 24 hours from Checkout Session \
                 creation.",
            );
        }
        Ok(at)
    }

    pub(super) fn session_get(&self, id: &str, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        self.object_reply(Snapshot::Session(self.session(id)?), &paths)
    }

    pub(super) fn session_lines(&self, id: &str, fields: Fields<'_>) -> Result<Reply, ApiError> {
        fields.finish(&["limit", "starting_after", "ending_before", "expand"])?;
        Ok(self.lines_json(&*self.session(id)?).into())
    }

    pub(super) fn session_expire(
        &mut self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        let session = self.session(id)?;
        if session.status != SessionStatus::Open {
            let message = format!(
                "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout \
                 Session has a status of `{}`.",
                session.status
            );
            return Err(ApiError::invalid(message).executed());
        }
        self.expiries.remove(&(session.expires_at, session.id.clone()));
        self.expire(&session.id);
        self.object_reply(Snapshot::Session(self.session(id)?), &paths)
    }

    pub(super) fn session_list(&self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let status = fields.word("status", &["open", "complete", "expired"])?;
        let intent = fields.text("payment_intent")?;
        let keep = |session: &Session| {
            status.is_none_or(|status| session.status.as_str() == status)
                && intent.is_none_or(|intent| session.intent.as_deref() == Some(intent))
        };
        self.list_reply("/v1/checkout/sessions", &self.sessions, fields, keep, |core, row| {
            core.session_json(row)
        })
    }

    fn session(&self, id: &str) -> Result<Arc<Session>, ApiError> {
        let missing = || ApiError::no_such("checkout.session", id, "session");
        self.sessions.get(id).cloned().ok_or_else(missing)
    }

    /// Closes an open session, and with it a PaymentIntent that some attempt left behind.
    pub(in super::super) fn expire(&mut self, id: &Id) {
        let expired = self.sessions.change(id, |session| session.status = SessionStatus::Expired);
        let Some(session) = expired else { return };
        if let Some(intent) = session.intent.clone() {
            self.cancel(&intent, Some("automatic".into()));
        }
        self.emit(holdfast_stripe::objects::EventType::SessionExpired, Snapshot::Session(session));
    }
}

/// Hosted one-time card payments are what the sandbox plays.
fn check_kind(fields: &mut Fields<'_>) -> Result<(), ApiError> {
    let missing = || ApiError::missing_param("mode");
    let mode = fields.word("mode", &["payment", "setup", "subscription"])?.ok_or_else(missing)?;
    if mode != "payment" {
        return Err(ApiError::not_simulated(&format!("mode {mode}")).with_param("mode"));
    }
    let ui = fields.word("ui_mode", &["elements", "embedded_page", "hosted_page"])?;
    if ui.is_some_and(|ui| ui != "hosted_page") {
        return Err(ApiError::not_simulated("ui_mode"));
    }
    let methods = fields.texts("payment_method_types")?;
    if methods.iter().any(|method| *method != "card") {
        return Err(ApiError::not_simulated("payment_method_types"));
    }
    fields.word("billing_address_collection", &["auto"])?;
    fields.word("customer_creation", &["if_required"])?;
    Ok(())
}

fn read_intent_data(fields: &mut Fields<'_>) -> Result<IntentData, ApiError> {
    let Some(mut data) = fields.object("payment_intent_data")? else {
        return Ok(IntentData::default());
    };
    let metadata = data.metadata("metadata")?.into();
    let description = data.text_up_to("description", 1_000)?.map(Into::into);
    data.finish(&[
        "application_fee_amount",
        "capture_method",
        "on_behalf_of",
        "receipt_email",
        "setup_future_usage",
        "shipping",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_data",
        "transfer_group",
    ])?;
    Ok(IntentData { metadata, description })
}

fn check_unit(price: &Fields<'_>, currency: &str, unit_amount: i64) -> Result<(), ApiError> {
    if unit_amount < 0 {
        let message = "Invalid non-negative integer";
        return Err(ApiError::invalid(message).with_param(price.name_of("unit_amount")));
    }
    amount::money(unit_amount, currency).map(|_| ()).map_err(|error| match error {
        amount::AmountError::Unsupported { code } => {
            ApiError::invalid(format!("Invalid currency: {code}"))
                .with_param(price.name_of("currency"))
        }
        other => ApiError::invalid(other.to_string()).with_param(price.name_of("unit_amount")),
    })
}

fn total(currency: &str, lines: &[Line]) -> Result<i64, ApiError> {
    let sum = lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.amount));
    let sum = sum.filter(|sum| *sum <= amount::UNITS_MAX).ok_or_else(too_large)?;
    let least = amount::units_min(currency);
    if sum < least {
        let least = amount::money(least, currency).map(|m| m.to_string()).unwrap_or_default();
        let message =
            format!("The Checkout Session's total amount due must add up to at least {least}");
        return Err(ApiError::invalid(message).with_code(ErrorCode::AmountTooSmall));
    }
    Ok(sum)
}

fn too_large() -> ApiError {
    ApiError::invalid("The Checkout Session's total amount must have at most eight digits.")
        .with_code(ErrorCode::AmountTooLarge)
}
