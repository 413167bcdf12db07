//! The payer on the hosted page: types a card, is told no and tries another, or confirms at the
//! bank; leaves paid or not at all.

use std::sync::Arc;

use holdfast_stripe::objects::{EventType, IntentStatus, SessionPaymentStatus, SessionStatus};

use serde::{Deserialize, Serialize};

use super::cards::{self, Behaviour, CardFacts, CardFault, CardForm, Decline};
use super::model::{Charge, Intent, LastError, Payer, PendingCard, Session, Snapshot};
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

impl Core {
    /// The payer presses Pay.
    pub fn pay_session(&mut self, id: &str, form: &CardForm, now_ms: i64) -> PayOutcome {
        self.advance(now_ms);
        let session = match self.payable(id) {
            Ok(session) => session,
            Err(outcome) => return outcome,
        };
        let (card, behaviour) = match cards::read(form, self.now_s()) {
            Ok(read) => read,
            Err(fault) => return PayOutcome::Invalid(fault),
        };
        let intent = self.intent_of(&session);
        let payer = payer_of(&session, form);
        let outcome = match behaviour {
            Behaviour::Succeeds => self.succeed(&session.id, &intent, card, payer),
            Behaviour::Declines(decline) => self.decline(&intent, card, payer, decline),
            Behaviour::AsksPayer => self.challenge(&intent, card, payer),
        };
        // Only here: a number that is no test card never gets this far.
        self.record(Action::Pay { session: id.to_owned(), form: form.clone() });
        outcome
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
        let intent = session.intent.as_deref().and_then(|intent| self.intents.get(intent)).cloned();
        let pending = intent.as_ref().and_then(|intent| intent.pending.clone());
        let (Some(intent), Some(pending)) = (intent, pending) else {
            // Answered in another window: the page shows where the session stands.
            return PayOutcome::NotAuthenticated;
        };
        let outcome = match answer {
            ChallengeAnswer::Complete => {
                let (card, payer) = (pending.card.clone(), pending.payer.clone());
                self.succeed(&session.id, &intent.id, card, payer)
            }
            ChallengeAnswer::Fail => self.not_authenticated(&intent.id),
        };
        self.record(Action::Challenge { session: id.to_owned(), answer });
        outcome
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
    fn intent_of(&mut self, session: &Session) -> Id {
        if let Some(intent) = &session.intent {
            return intent.clone();
        }
        let owner = Some(session.id.clone());
        let data = session.intent_data.clone();
        let intent = self.add_intent(session.amount_total, session.currency.clone(), data, owner);
        self.sessions.change(&session.id, |session| session.intent = Some(intent.id.clone()));
        intent.id.clone()
    }

    fn succeed(&mut self, session: &Id, intent: &Id, card: CardFacts, payer: Payer) -> PayOutcome {
        let charge = self.add_charge(intent, card, payer.clone(), None);
        if let Some(charge) = charge {
            self.emit(EventType::ChargeSucceeded, Snapshot::Charge(charge));
        }
        let paid = self.intents.change(intent, |intent| {
            intent.status = IntentStatus::Succeeded;
            intent.last_error = None;
            intent.pending = None;
        });
        if let Some(intent) = paid {
            self.emit(EventType::IntentSucceeded, Snapshot::Intent(intent));
        }
        let complete = self.sessions.change(session, |session| {
            session.status = SessionStatus::Complete;
            session.payment_status = SessionPaymentStatus::Paid;
            session.payer = Some(Arc::new(payer));
        });
        let Some(session) = complete else { return PayOutcome::Missing };
        self.expiries.remove(&(session.expires_at, session.id.clone()));
        let redirect = success_address(&session);
        self.emit(EventType::SessionCompleted, Snapshot::Session(session));
        PayOutcome::Paid { redirect }
    }

    fn decline(
        &mut self,
        intent: &Id,
        card: CardFacts,
        payer: Payer,
        decline: &'static Decline,
    ) -> PayOutcome {
        let Some(charge) = self.add_charge(intent, card, payer, Some(decline)) else {
            return PayOutcome::Missing;
        };
        self.emit(EventType::ChargeFailed, Snapshot::Charge(charge.clone()));
        self.fail(intent, LastError::Declined(decline, charge.id.clone()));
        PayOutcome::Declined { message: decline.message }
    }

    fn challenge(&mut self, intent: &Id, card: CardFacts, payer: Payer) -> PayOutcome {
        let waiting = self.intents.change(intent, |intent| {
            intent.status = IntentStatus::RequiresAction;
            intent.last_error = None;
            intent.pending = Some(Arc::new(PendingCard { card, payer }));
        });
        if let Some(intent) = waiting {
            self.emit(EventType::IntentRequiresAction, Snapshot::Intent(intent));
        }
        PayOutcome::Challenge
    }

    fn not_authenticated(&mut self, intent: &Id) -> PayOutcome {
        self.fail(intent, LastError::NotAuthenticated);
        PayOutcome::NotAuthenticated
    }

    /// Back to the start, with the reason: another card may be tried.
    fn fail(&mut self, intent: &Id, why: LastError) {
        let failed = self.intents.change(intent, |intent| {
            intent.status = IntentStatus::RequiresPaymentMethod;
            intent.last_error = Some(why);
            intent.pending = None;
        });
        if let Some(intent) = failed {
            self.emit(EventType::IntentFailed, Snapshot::Intent(intent));
        }
    }

    fn add_charge(
        &mut self,
        intent: &Id,
        card: CardFacts,
        payer: Payer,
        decline: Option<&'static Decline>,
    ) -> Option<Arc<Charge>> {
        let id = self.ids.object("ch_3");
        let note = |intent: &mut Intent| intent.charges.push(id.clone());
        let intent = self.intents.change(intent, note)?;
        Some(self.charges.insert(Charge {
            id,
            created: self.now_s(),
            amount: intent.amount,
            currency: intent.currency.clone(),
            intent: intent.id.clone(),
            data: intent.data.clone(),
            card,
            payer,
            decline,
            amount_refunded: 0,
            refunds: Vec::new(),
        }))
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
