//! Payment methods: test cards by their names, never by a number that a server was given.

use std::sync::Arc;

use holdfast_stripe::objects::{ErrorCode, EventType};

use super::super::cards::{self, CardFacts, CardForm};
use super::super::error::ApiError;
use super::super::expand;
use super::super::fields::Fields;
use super::super::ids::kin;
use super::super::model::{Method, Payer, Snapshot};
use super::super::notes::Notes;
use super::super::reply::Reply;
use super::super::shelf::Among;
use super::super::{Core, Id};

/// What Stripe answers to a server that sends card numbers.
const RAW_CARD: &str = "Sending credit card numbers directly to the Stripe API is generally \
     unsafe. To continue processing use Stripe.js, the Stripe mobile bindings, or Stripe \
     Elements. For more information, see \
     https://dashboard.stripe.com/account/integration/settings. If you are qualified to handle \
     card data directly, see \
     https://support.stripe.com/questions/enabling-access-to-raw-card-data-apis.";

impl Core {
    pub(super) fn method_create(&mut self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let card = if self.publishable {
            read_typed(&mut fields, self.now_s())?
        } else {
            read_token(&mut fields, self.now_s())?
        };
        let payer = read_payer(&mut fields)?;
        let metadata = fields.metadata("metadata")?;
        fields.word("allow_redisplay", &["always", "limited", "unspecified"])?;
        let paths = expand::read(&mut fields)?;
        fields.finish(&["customer", "customer_account", "payment_method", "radar_options"])?;
        let method = self.add_method(card, payer.into(), metadata);
        self.object_reply(Snapshot::Method(method), &paths)
    }

    pub(super) fn add_method(
        &mut self,
        card: CardFacts,
        payer: Arc<Payer>,
        metadata: Arc<Notes>,
    ) -> Arc<Method> {
        let (id, created) = (self.ids.object("pm_1"), self.now_s());
        self.methods.insert(Method { id, created, card, payer, customer: None, metadata })
    }

    pub(super) fn method_get(&self, id: &str, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        self.object_reply(Snapshot::Method(self.method(id)?), &paths)
    }

    pub(super) fn method_update(
        &mut self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let metadata = fields.metadata_changes("metadata")?;
        let billing = fields.has("billing_details");
        let payer = read_payer(&mut fields)?;
        fields.word("allow_redisplay", &["always", "limited", "unspecified"])?;
        let paths = expand::read(&mut fields)?;
        fields.finish(&["card", "us_bank_account", "payto"])?;
        let method = self.method(id)?;
        if method.customer.is_none() {
            let message =
                "You must save this PaymentMethod to a customer before you can update it.";
            return Err(ApiError::invalid(message).executed());
        }
        let changed = self.methods.change(&method.id, |method| {
            metadata.apply(&mut method.metadata);
            if billing {
                method.payer = payer.into();
            }
        });
        self.object_reply(Snapshot::Method(changed.unwrap_or(method)), &paths)
    }

    pub(super) fn method_attach(
        &mut self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let missing = || ApiError::missing_param("customer");
        let customer = self.customer_param(&mut fields)?.ok_or_else(missing)?;
        let paths = expand::read(&mut fields)?;
        fields.finish(&["customer_account"])?;
        let method = match CardFacts::by_name(id, self.now_s()) {
            Some(card) => self.add_method(card, Payer::nobody(), Notes::none()),
            None => self.method(id)?,
        };
        if method.customer.as_ref().is_some_and(|owner| *owner != customer) {
            let message =
                "The payment method you provided has already been attached to a customer.";
            return Err(ApiError::invalid(message).executed());
        }
        let attached = self.methods.change(&method.id, |it| it.customer = Some(customer.clone()));
        let attached = attached.unwrap_or(method);
        self.methods.group(&customer, &attached.id);
        self.emit(EventType::from("payment_method.attached"), Snapshot::Method(attached.clone()));
        self.object_reply(Snapshot::Method(attached), &paths)
    }

    pub(super) fn method_detach(
        &mut self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        let method = self.method(id)?;
        let Some(customer) = method.customer.clone() else {
            let message = "The payment method you provided is not attached to a customer so \
                 detachment is impossible.";
            return Err(ApiError::invalid(message).executed());
        };
        self.methods.ungroup(&customer, &method.id);
        let detached = self.methods.change(&method.id, |it| it.customer = None).unwrap_or(method);
        self.emit(EventType::from("payment_method.detached"), Snapshot::Method(detached.clone()));
        self.object_reply(Snapshot::Method(detached), &paths)
    }

    pub(super) fn method_list(&self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let customer = self.customer_param(&mut fields)?;
        self.methods_of("/v1/payment_methods", customer, fields)
    }

    pub(super) fn customer_methods(
        &self,
        customer: &str,
        fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let customer = self.customer(customer)?.id.clone();
        self.methods_of(
            &format!("/v1/customers/{customer}/payment_methods"),
            Some(customer),
            fields,
        )
    }

    fn methods_of(
        &self,
        url: &str,
        customer: Option<Id>,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let cards = fields.text("type")?.is_none_or(|kind| kind == "card");
        fields.word("allow_redisplay", &["always", "limited", "unspecified"])?;
        // Without a customer Stripe lists what belongs to none: nothing that is kept.
        let among = match &customer {
            Some(customer) if cards => Among::Group(customer),
            _ => Among::These(Vec::new()),
        };
        self.list_reply(
            url,
            &self.methods,
            among,
            fields,
            |_| true,
            |core, row| core.method_json(row),
        )
    }

    /// A payment method, that of a payment on the hosted page included: it is the charge's kin.
    pub(in super::super) fn method(&self, id: &str) -> Result<Arc<Method>, ApiError> {
        if let Some(method) = self.methods.get(id) {
            return Ok(method.clone());
        }
        let named = CardFacts::by_name(id, self.now_s());
        let (presented, created) = match self.charges.get(&kin(id, "ch_3")) {
            Some(charge) if id.starts_with("pm_1") => (&charge.presented, charge.created),
            _ => {
                let card = named
                    .ok_or_else(|| ApiError::no_such("PaymentMethod", id, "payment_method"))?;
                let payer = Payer::nobody();
                let (id, created) = (id.into(), self.now_s());
                let metadata = Notes::none();
                let method = Method { id, created, card, payer, customer: None, metadata };
                return Ok(method.into());
            }
        };
        let (card, payer) = (presented.card, presented.payer.clone());
        let metadata = Notes::none();
        let id = id.into();
        Ok(Method { id, created, card, payer, customer: None, metadata }.into())
    }
}

/// The card of a server's call: a test card's token.
pub(super) fn read_token(fields: &mut Fields<'_>, now_s: i64) -> Result<CardFacts, ApiError> {
    let mut card = read_card(fields)?;
    if card.has("number") {
        return Err(ApiError { status: 402, ..ApiError::invalid(RAW_CARD) });
    }
    let token = card.required_text("token")?;
    let param = card.name_of("token");
    card.finish(&["networks"])?;
    CardFacts::by_name(token, now_s)
        .ok_or_else(|| ApiError::no_such_reference("token", token, &param))
}

/// The card of a browser's call, as the payer typed it into Stripe's own frame.
fn read_typed(fields: &mut Fields<'_>, now_s: i64) -> Result<CardFacts, ApiError> {
    let mut card = read_card(fields)?;
    let month = card.required_text("exp_month")?;
    let year = card.required_text("exp_year")?;
    let form = CardForm {
        number: card.required_text("number")?.to_owned(),
        expiry: format!("{month:0>2}/{year}"),
        cvc: card.text("cvc")?.unwrap_or_default().to_owned(),
        // The frame asks for no name.
        name: "-".to_owned(),
        email: String::new(),
    };
    card.finish(&["networks"])?;
    cards::read(&form, now_s).map_err(ApiError::card_fault)
}

fn read_card<'a>(fields: &mut Fields<'a>) -> Result<Fields<'a>, ApiError> {
    if fields.required_text("type")? != "card" {
        return Err(ApiError::not_simulated("type"));
    }
    let missing = || ApiError::missing_param("card");
    fields.object("card")?.ok_or_else(missing)
}

pub(super) fn read_payer(fields: &mut Fields<'_>) -> Result<Payer, ApiError> {
    let Some(mut billing) = fields.object("billing_details")? else { return Ok(Payer::default()) };
    let email = billing.text_or_unset("email", 800)?.flatten().map(str::to_owned);
    let name = billing.text_or_unset("name", 800)?.flatten().map(str::to_owned);
    billing.text_or_unset("phone", 100)?;
    billing.object("address")?;
    billing.finish(&["tax_id"])?;
    if email.as_deref().is_some_and(|email| !email.contains('@')) {
        let error =
            ApiError::invalid(format!("Invalid email address: {}", email.unwrap_or_default()));
        return Err(error.with_code(ErrorCode::from("email_invalid")));
    }
    Ok(Payer { email, name })
}
