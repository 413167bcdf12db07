//! The payer on the hosted page: types a card, is told no and tries another, or confirms at the
//! bank; leaves paid or not at all.

use std::sync::Arc;

use holdfast_stripe::objects::SessionStatus;

use serde::{Deserialize, Serialize};

use super::attempt::Attempted;
use super::calls::NewIntent;
use super::cards::{self, CardFault, CardForm};
use super::model::{AutomaticMethods, Payer, Presented, Session};
use super::replay::Action;
use super::{Core, Id};

/// What the payer sees after pressing Pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayOutcome {
    /// Paid; the browser goes to the merchant.
    Paid {
        /// The success address with the session's ID filled in.
        redirect: String,
    },
    /// The bank said no; the session takes another card.
    Declined {
        /// What the payer reads.
        message: &'static str,
    },
    /// The bank wants the payer to confirm.
    Challenge,
    /// The payer did not confirm; the session takes another card.
    NotAuthenticated,
    /// A field is wrong; no bank was asked.
    Invalid(CardFault),
    /// The session was paid before, perhaps in another window.
    AlreadyPaid {
        /// The success address with the session's ID filled in.
        redirect: String,
    },
    /// The session has expired.
    Expired,
    /// There is no such session.
    Missing,
}

/// What the payer answers to the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChallengeAnswer {
    /// It is me.
    Complete,
    /// It is not, or the code was wrong.
    Fail,
}

/// What comes of the payer's answer for a PaymentIntent without a hosted page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// The bank knows; the payer goes where the call that confirmed said, if it said so.
    Noted {
        /// With the PaymentIntent's ID and standing added.
        return_url: Option<String>,
    },
    /// Nothing waits for an answer: it came before, or there is no such PaymentIntent.
    NotAsked,
}

impl Core {
    /// The payer presses Pay.
    pub fn pay_session(&mut self, id: &str, form: &CardForm, now_ms: i64) -> PayOutcome {
        self.advance(now_ms);
        let session = match self.payable(id) {
            Ok(session) => session,
            Err(outcome) => return outcome,
        };
        let card = match cards::read(form, self.now_s()) {
            Ok(card) => card,
            Err(fault) => return PayOutcome::Invalid(fault),
        };
        let intent = self.intent_of(&session);
        let payer = Arc::new(payer_of(&session, form));
        let attempted = self.attempt(&intent, Presented { card, payer, method: None }, None);
        // Only here: a number that is no test card never gets this far.
        self.record(Action::Pay { session: id.to_owned(), form: form.clone() });
        outcome(attempted, &session)
    }

    /// The payer answers the bank's question.
    pub fn answer_challenge(
        &mut self,
        id: &str,
        answer: ChallengeAnswer,
        now_ms: i64,
    ) -> PayOutcome {
        self.advance(now_ms);
        let session = match self.payable(id) {
            Ok(session) => session,
            Err(outcome) => return outcome,
        };
        let Some(attempted) = session.intent.clone().and_then(|id| self.answered(&id, answer))
        else {
            // Answered in another window: the page shows where the session stands.
            return PayOutcome::NotAuthenticated;
        };
        self.record(Action::Challenge { session: id.to_owned(), answer });
        attempted.map_or(PayOutcome::NotAuthenticated, |attempted| outcome(attempted, &session))
    }

    /// The payer answers the bank's question about a PaymentIntent that a server, or a merchant's
    /// own page, confirmed.
    pub fn answer_authentication(
        &mut self,
        id: &str,
        answer: ChallengeAnswer,
        now_ms: i64,
    ) -> Answered {
        self.advance(now_ms);
        let Some(intent) = self.intents.get(id).filter(|it| it.session.is_none()).cloned() else {
            return Answered::NotAsked;
        };
        let back = intent.pending.as_ref().and_then(|pending| pending.return_url.clone());
        if self.answered(&intent.id, answer).is_none() {
            return Answered::NotAsked;
        }
        self.record(Action::Authentication { intent: id.to_owned(), answer });
        let return_url = back.map(|url| self.return_address(&url, &intent.id));
        Answered::Noted { return_url }
    }

    /// None when nothing waits for an answer; then, none when it was no.
    fn answered(&mut self, intent: &Id, answer: ChallengeAnswer) -> Option<Option<Attempted>> {
        let pending = self.intents.get(intent)?.pending.clone()?;
        Some(match answer {
            ChallengeAnswer::Complete => Some(self.confirmed(intent, pending.presented.clone())),
            ChallengeAnswer::Fail => {
                self.not_confirmed(intent);
                None
            }
        })
    }

    fn payable(&self, id: &str) -> Result<Arc<Session>, PayOutcome> {
        let session = self.sessions.get(id).ok_or(PayOutcome::Missing)?;
        match session.status {
            SessionStatus::Open => Ok(session.clone()),
            SessionStatus::Complete => {
                Err(PayOutcome::AlreadyPaid { redirect: success_address(session) })
            }
            _ => Err(PayOutcome::Expired),
        }
    }

    /// The session's PaymentIntent, made when the payer first confirms.
    pub(super) fn intent_of(&mut self, session: &Session) -> Id {
        if let Some(intent) = &session.intent {
            return intent.clone();
        }
        let intent = self.add_intent(NewIntent {
            amount: session.amount_total,
            currency: session.currency.clone(),
            data: session.intent_data.clone(),
            session: Some(session.id.clone()),
            customer: session.customer.clone(),
            method: None,
            automatic: AutomaticMethods::Off,
            capture_by_hand: session.capture_by_hand,
        });
        self.sessions.change(&session.id, |session| session.intent = Some(intent.id.clone()));
        intent.id.clone()
    }

    /// Where a browser goes after the bank's question, as Stripe adds to it.
    pub(super) fn return_address(&self, url: &str, intent: &Id) -> String {
        let secret = self.client_secret(intent);
        let status = self.intents.get(intent).map(|intent| intent.status.clone());
        let paid = status
            .is_some_and(|status| matches!(status.as_str(), "succeeded" | "requires_capture"));
        let redirect = if paid { "succeeded" } else { "failed" };
        let joint = if url.contains('?') { '&' } else { '?' };
        format!(
            "{url}{joint}payment_intent={intent}&payment_intent_client_secret={secret}\
             &redirect_status={redirect}"
        )
    }
}

fn outcome(attempted: Attempted, session: &Session) -> PayOutcome {
    match attempted {
        Attempted::Authorised => PayOutcome::Paid { redirect: success_address(session) },
        Attempted::Declined(decline) => PayOutcome::Declined { message: decline.message },
        Attempted::AsksPayer => PayOutcome::Challenge,
    }
}

fn payer_of(session: &Session, form: &CardForm) -> Payer {
    let kept = |text: &str| Some(text.trim().chars().take(200).collect::<String>());
    let typed = kept(&form.email).filter(|email| !email.is_empty());
    Payer {
        email: session.customer_email.as_deref().map(str::to_owned).or(typed),
        name: kept(&form.name),
    }
}

pub(super) fn success_address(session: &Session) -> String {
    session.success_url.replace("{CHECKOUT_SESSION_ID}", &session.id)
}
