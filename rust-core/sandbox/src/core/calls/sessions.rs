//! Checkout Sessions.

use std::sync::Arc;

use holdfast_stripe::amount;
use holdfast_stripe::objects::{ErrorCode, SessionPaymentStatus, SessionStatus};
use holdfast_stripe::request::{SESSION_LIFETIME_S_MAX, SESSION_LIFETIME_S_MIN};

use super::super::agenda::Task;
use super::super::error::ApiError;
use super::super::expand;
use super::super::fields::Fields;
use super::super::model::{IntentData, Line, Session, SessionTerms, Snapshot};
use super::super::notes::Notes;
use super::super::reply::Reply;
use super::super::shelf::{Among, Query};
use super::super::{Core, Id};
use super::intents::read_capture;

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
        let customer = self.customer_param(&mut fields)?;
        let (intent_data, capture_by_hand) = read_intent_data(&mut fields)?;
        let metadata = fields.metadata("metadata")?;
        let terms = SessionTerms {
            id: self.ids.session(self.config.live),
            created: self.now_s(),
            expires_at,
            lines,
            currency: self.word(&currency),
            amount_total,
            success_url,
            cancel_url: fields.url("cancel_url")?.map(Into::into),
            client_reference_id: fields
                .text_up_to("client_reference_id", REFERENCE_LENGTH_MAX)?
                .map(Into::into),
            intent_data: with_shared_notes(intent_data, &metadata).into(),
            metadata,
            capture_by_hand,
            customer,
            customer_email: fields.text_up_to("customer_email", 800)?.map(Into::into),
            locale: fields.text_up_to("locale", 10)?.map(Into::into),
            submit_type: fields
                .word("submit_type", &["auto", "book", "donate", "pay"])?
                .map(Into::into),
        };
        let session = Session {
            terms: terms.into(),
            status: SessionStatus::Open,
            payment_status: SessionPaymentStatus::Unpaid,
            intent: None,
            payer: None,
        };
        let paths = expand::read(&mut fields)?;
        fields.finish(ALSO_AT_STRIPE)?;
        let at_ms = session.expires_at.saturating_mul(1_000);
        self.agenda.add(at_ms, Task::Expire(session.id.clone()));
        let session = self.sessions.insert(session);
        self.sessions.group(SessionStatus::Open.as_str(), &session.id);
        if let Some(customer) = &session.customer {
            self.sessions.group(customer, &session.id);
        }
        self.object_reply(Snapshot::Session(session), &paths)
    }

    fn read_lines(&self, fields: &mut Fields<'_>) -> Result<(String, Arc<[Line]>), ApiError> {
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
        Ok((currency, lines.into()))
    }

    fn read_line(&self, mut entry: Fields<'_>) -> Result<(String, Line), ApiError> {
        let quantity = entry.integer("quantity")?.unwrap_or(1);
        if quantity < 1 {
            let param = entry.name_of("quantity");
            let message = "This value must be greater than or equal to 1.";
            return Err(ApiError::invalid(message).with_param(param));
        }
        if let Some(id) = entry.text("price")? {
            let param = entry.name_of("price");
            entry.finish(&["adjustable_quantity", "dynamic_tax_rates", "tax_rates", "metadata"])?;
            return self.line_of_price(id, &param, quantity);
        }
        let missing = ApiError::missing_param(&entry.name_of("price_data"));
        let mut price = entry.object("price_data")?.ok_or(missing)?;
        entry.finish(&["adjustable_quantity", "dynamic_tax_rates", "tax_rates", "metadata"])?;
        let currency = price.required_text("currency")?.to_ascii_lowercase();
        let unit_amount = price.required_integer("unit_amount")?;
        check_unit(&price, &currency, unit_amount)?;
        let missing = ApiError::missing_param(&price.name_of("product_data"));
        let mut product = price.object("product_data")?.ok_or(missing)?;
        let name: Arc<str> = product.required_text("name")?.into();
        product.finish(&["description", "images", "metadata", "tax_code", "unit_label"])?;
        let amount = unit_amount.checked_mul(quantity).ok_or_else(too_large)?;
        price.finish(&["product", "recurring", "tax_behavior", "unit_amount_decimal"])?;
        Ok((currency, Line { name, unit_amount, quantity, amount, price: None }))
    }

    fn line_of_price(
        &self,
        id: &str,
        param: &str,
        quantity: i64,
    ) -> Result<(String, Line), ApiError> {
        let (price, product) = self.price_of_line(id, param)?;
        let unit_amount = price.unit_amount;
        let amount = unit_amount.checked_mul(quantity).ok_or_else(too_large)?;
        let name = product.name.clone();
        let line = Line { name, unit_amount, quantity, amount, price: Some(price.id.clone()) };
        Ok((price.currency.to_string(), line))
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

    pub(super) fn session_lines(
        &self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let query = Query::read(&mut fields)?;
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        let mut list = self.lines_json(&*self.session(id)?, Some(&query))?;
        self.expand(&mut list, &paths)?;
        Ok(list.into())
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
        self.forget_expiry(&session);
        self.expire(&session.id);
        self.object_reply(Snapshot::Session(self.session(id)?), &paths)
    }

    pub(super) fn session_list(&self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let status = fields.word("status", &["open", "complete", "expired"])?;
        let intent = fields.text("payment_intent")?;
        let customer = fields.text("customer")?;
        let among = match intent.or(customer).or(status) {
            None => Among::All,
            Some(_) if intent.is_some() => {
                let intent = intent.and_then(|intent| self.intents.get(intent));
                Among::These(intent.and_then(|intent| intent.session.clone()).into_iter().collect())
            }
            Some(group) => Among::Group(group),
        };
        let keep = |session: &Arc<Session>| {
            status.is_none_or(|status| session.status.as_str() == status)
                && customer.is_none_or(|customer| session.customer.as_deref() == Some(customer))
        };
        self.list_reply(
            "/v1/checkout/sessions",
            &self.sessions,
            among,
            fields,
            keep,
            |core, row| core.session_json(row),
        )
    }

    fn session(&self, id: &str) -> Result<Arc<Session>, ApiError> {
        let missing = || ApiError::no_such("checkout.session", id, "session");
        self.sessions.get(id).cloned().ok_or_else(missing)
    }

    /// Keeps the groups that lists by status are made of.
    pub(in super::super) fn note_session_status(&mut self, id: &Id, now: SessionStatus) {
        self.sessions.ungroup(SessionStatus::Open.as_str(), id);
        self.sessions.group(now.as_str(), id);
    }

    /// Closes an open session, and with it a PaymentIntent that some attempt left behind.
    pub(in super::super) fn expire(&mut self, id: &Id) {
        let expired = self.sessions.change(id, |session| session.status = SessionStatus::Expired);
        let Some(session) = expired else { return };
        self.note_session_status(id, SessionStatus::Expired);
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

/// Most callers note the same on the session and on its PaymentIntent.
fn with_shared_notes(data: IntentData, notes: &Arc<Notes>) -> IntentData {
    let shared = if data.metadata == *notes { notes.clone() } else { data.metadata };
    IntentData { metadata: shared, ..data }
}

fn read_intent_data(fields: &mut Fields<'_>) -> Result<(IntentData, bool), ApiError> {
    let Some(mut data) = fields.object("payment_intent_data")? else {
        return Ok((IntentData::default(), false));
    };
    let by_hand = read_capture(&mut data)?.unwrap_or(false);
    let metadata = data.metadata("metadata")?;
    let description = data.text_up_to("description", 1_000)?.map(Into::into);
    let receipt_email = data.text_up_to("receipt_email", 800)?.map(Into::into);
    data.finish(&[
        "application_fee_amount",
        "on_behalf_of",
        "setup_future_usage",
        "shipping",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_data",
        "transfer_group",
    ])?;
    Ok((IntentData { metadata, description, receipt_email }, by_hand))
}

pub(super) fn check_unit(
    price: &Fields<'_>,
    currency: &str,
    unit_amount: i64,
) -> Result<(), ApiError> {
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
