//! Confirming a PaymentIntent with a payment method, and capturing what was reserved.

use std::sync::Arc;

use holdfast_stripe::objects::{ErrorCode, IntentStatus};

use super::super::attempt::Attempted;
use super::super::cards::{AUTHENTICATION_REQUIRED, Behaviour, CardFacts};
use super::super::error::ApiError;
use super::super::expand;
use super::super::fields::Fields;
use super::super::model::{AutomaticMethods, Intent, Payer, Presented, Snapshot};
use super::super::notes::Notes;
use super::super::reply::Reply;
use super::super::{Core, Id};
use super::intents::{ALSO_AT_STRIPE, read_capture, takes_a_card, unexpected};
use super::methods::{read_payer, read_token};

/// What a call says about how to confirm.
pub(super) struct Confirmation {
    pub(super) choice: Option<Choice>,
    return_url: Option<Arc<str>>,
    /// Stripe.js asks the bank's question in a frame, without leaving the page.
    in_page: bool,
    /// The payer is not there, so nobody could answer the bank.
    unattended: bool,
}

/// The payment method that a call names.
pub(super) enum Choice {
    /// One that exists.
    Kept(Id),
    /// A card of its own, of which a payment method is made.
    New(CardFacts, Arc<Payer>),
}

impl Confirmation {
    /// Some of the payment methods that Stripe would choose lead away: there must be a way back.
    pub(super) fn check_way_back(&self, automatic: AutomaticMethods) -> Result<(), ApiError> {
        if automatic != AutomaticMethods::WithRedirects || self.return_url.is_some() {
            return Ok(());
        }
        Err(ApiError::invalid(
            "This PaymentIntent is configured to accept payment methods enabled in your \
             Dashboard. Because some of these payment methods might redirect your customer off of \
             your page, you must provide a `return_url`. If you don't want to accept \
             redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` \
             and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup \
             Intents and Payment Intents.",
        ))
    }
}

impl Core {
    pub(super) fn intent_confirm(
        &mut self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let confirmation = self.read_confirmation(&mut fields)?;
        let secret = fields.text("client_secret")?;
        let capture = read_capture(&mut fields)?;
        let receipt_email = fields.text_up_to("receipt_email", 800)?.map(Arc::<str>::from);
        fields.texts("payment_method_types")?;
        let paths = expand::read(&mut fields)?;
        fields.finish(ALSO_AT_STRIPE)?;
        let intent = self.intent(id)?;
        self.check_client_secret(&intent, secret)?;
        if intent.session.is_some() {
            let message = "You cannot confirm this PaymentIntent because it belongs to a Checkout \
                 Session, which confirms it itself.";
            return Err(ApiError::invalid(message)
                .with_code(ErrorCode::UnexpectedState)
                .executed());
        }
        if !takes_a_card(&intent.status) {
            return Err(unexpected(
                &intent,
                "confirm",
                "requires_payment_method, requires_confirmation, requires_action",
            ));
        }
        confirmation.check_way_back(intent.automatic)?;
        self.check_owner(intent.customer.as_deref(), &confirmation)?;
        let chosen = self.chosen_method(&confirmation);
        if chosen.is_none() && intent.method.is_none() {
            return Err(ApiError::no_method().with_intent(intent).executed());
        }
        self.intents.change(&intent.id, |intent| {
            intent.method = chosen.or(intent.method.take());
            if capture.is_some() || receipt_email.is_some() {
                let terms = Arc::make_mut(&mut intent.terms);
                terms.capture_by_hand = capture.unwrap_or(terms.capture_by_hand);
                let data = Arc::make_mut(&mut terms.data);
                data.receipt_email = receipt_email.or(data.receipt_email.take());
            }
        });
        let intent = self.confirm(&intent.id, &confirmation)?;
        self.object_reply(Snapshot::Intent(intent), &paths)
    }

    /// Presents the PaymentIntent's own payment method.
    pub(super) fn confirm(
        &mut self,
        id: &Id,
        confirmation: &Confirmation,
    ) -> Result<Arc<Intent>, ApiError> {
        let intent = self.intent(id)?;
        let method = intent.method.as_deref().and_then(|method| self.methods.get(method));
        let method = method.cloned().ok_or_else(ApiError::no_method)?;
        let presented = Presented {
            card: method.card,
            payer: method.payer.clone(),
            method: Some(method.id.clone()),
        };
        let asks = matches!(method.card.behaviour(), Behaviour::AsksPayer(_));
        let attempted = if asks && confirmation.unattended {
            self.decline(id, presented, &AUTHENTICATION_REQUIRED)
        } else {
            let away = confirmation.return_url.clone().filter(|_| !confirmation.in_page);
            self.attempt(id, presented, away)
        };
        let intent = self.intent(id)?;
        match attempted {
            Attempted::Authorised | Attempted::AsksPayer => Ok(intent),
            Attempted::Declined(decline) => {
                let charge = intent.charges.last().map(ToString::to_string);
                Err(ApiError::declined(decline, charge).with_intent(intent))
            }
        }
    }

    pub(super) fn read_confirmation(
        &self,
        fields: &mut Fields<'_>,
    ) -> Result<Confirmation, ApiError> {
        let named = fields.text_or_unset("payment_method", 255)?.flatten();
        let made = match fields.object("payment_method_data")? {
            Some(data) => Some(self.read_method_data(data)?),
            None => None,
        };
        let choice = match (named, made) {
            (Some(_), Some(_)) => {
                return Err(ApiError::exclusive("payment_method, payment_method_data"));
            }
            (Some(id), None) => Some(self.choice_named(id)?),
            (None, made) => made,
        };
        let return_url = fields.url("return_url")?.map(Into::into);
        let off_session = fields.text("off_session")?.is_some_and(|said| said != "false");
        let strict = fields.boolean("error_on_requires_action")? == Some(true);
        let in_page = fields.boolean("use_stripe_sdk")? == Some(true);
        fields.word("setup_future_usage", &["on_session", "off_session"])?;
        if let Some(mut options) = fields.object("payment_method_options")? {
            options.object("card")?;
            options.finish(&[])?;
        }
        Ok(Confirmation { choice, return_url, in_page, unattended: off_session || strict })
    }

    fn choice_named(&self, id: &str) -> Result<Choice, ApiError> {
        if let Some(card) = CardFacts::by_name(id, self.now_s()) {
            return Ok(Choice::New(card, Payer::nobody()));
        }
        let missing = || ApiError::no_such_reference("PaymentMethod", id, "payment_method");
        Ok(Choice::Kept(self.methods.get(id).ok_or_else(missing)?.id.clone()))
    }

    fn read_method_data(&self, mut data: Fields<'_>) -> Result<Choice, ApiError> {
        let card = read_token(&mut data, self.now_s())?;
        let payer = read_payer(&mut data)?;
        data.word("allow_redisplay", &["always", "limited", "unspecified"])?;
        data.metadata("metadata")?;
        data.finish(&["radar_options"])?;
        Ok(Choice::New(card, payer.into()))
    }

    /// The payment method that was chosen, made now if it does not exist yet.
    pub(super) fn chosen_method(&mut self, confirmation: &Confirmation) -> Option<Id> {
        match confirmation.choice.as_ref()? {
            Choice::Kept(id) => Some(id.clone()),
            Choice::New(card, payer) => {
                Some(self.add_method(*card, payer.clone(), Notes::none()).id.clone())
            }
        }
    }

    /// A payment method of one customer pays for no other.
    pub(super) fn check_owner(
        &self,
        customer: Option<&str>,
        confirmation: &Confirmation,
    ) -> Result<(), ApiError> {
        let Some(Choice::Kept(id)) = &confirmation.choice else { return Ok(()) };
        let owner = self.methods.get(id).and_then(|method| method.customer.clone());
        match (owner, customer) {
            (None, _) => Ok(()),
            (Some(owner), Some(customer)) if *owner == *customer => Ok(()),
            (Some(owner), _) => Err(ApiError::invalid(format!(
                "The provided PaymentMethod ({id}) belongs to the Customer {owner}. Please include \
                 the Customer in the `customer` parameter on the PaymentIntent."
            ))
            .with_param("payment_method")),
        }
    }

    pub(super) fn intent_capture(
        &mut self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let asked = fields.integer("amount_to_capture")?;
        let metadata = fields.metadata_changes("metadata")?;
        fields.boolean("final_capture")?;
        let paths = expand::read(&mut fields)?;
        fields.finish(ALSO_AT_STRIPE)?;
        let intent = self.intent(id)?;
        if intent.status != IntentStatus::RequiresCapture {
            return Err(unexpected(&intent, "capture", "requires_capture"));
        }
        let amount = asked.unwrap_or(intent.amount);
        if amount < 1 || amount > intent.amount {
            let message = format!(
                "The amount to capture ({amount}) must be at least 1 and at most the amount that \
                 was reserved ({}).",
                intent.amount
            );
            let error = ApiError::invalid(message).with_param("amount_to_capture");
            return Err(error.with_code(ErrorCode::AmountTooLarge).executed());
        }
        self.intents.change(&intent.id, |intent| {
            let terms = Arc::make_mut(&mut intent.terms);
            metadata.apply(&mut Arc::make_mut(&mut terms.data).metadata);
        });
        self.take(&intent.id, amount);
        self.object_reply(Snapshot::Intent(self.intent(id)?), &paths)
    }
}
