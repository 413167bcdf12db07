//! One attempt to charge a card, whoever presents it: the payer on the hosted page, the server by
//! a call, or a merchant's page through Stripe.js.
//!
//! ```text
//! requires_payment_method ──► requires_confirmation ──┐
//!        ▲      ▲                                     ▼ presented
//!        │      └──── bank says no ──────────────── attempt ──► succeeded
//!        └──── payer says no ── requires_action ◄──── │    └──► requires_capture ──► succeeded
//! ```

use std::sync::Arc;

use holdfast_stripe::objects::{EventType, IntentStatus, SessionPaymentStatus, SessionStatus};

use super::agenda::{HOLD_LIFETIME_MS, LATER_MS, Task};
use super::cards::{Aftermath, Behaviour, Decline};
use super::model::{
    Charge, EntryKind, Intent, LastError, PendingCard, Presented, Session, Snapshot,
};
use super::{Core, Id};

/// How an attempt ended.
pub(super) enum Attempted {
    /// The money was taken, or reserved.
    Authorised,
    /// The bank said no.
    Declined(&'static Decline),
    /// The bank wants the payer to confirm.
    AsksPayer,
}

impl Core {
    /// Presents a card for a PaymentIntent that takes one.
    pub(super) fn attempt(
        &mut self,
        intent: &Id,
        presented: Presented,
        return_url: Option<Arc<str>>,
    ) -> Attempted {
        match presented.card.behaviour() {
            Behaviour::Succeeds => self.authorise(intent, presented),
            Behaviour::Declines(decline) => self.decline(intent, presented, decline),
            Behaviour::AsksPayer(_) => self.ask_payer(intent, presented, return_url),
        }
    }

    /// The payer confirmed at the bank.
    pub(super) fn confirmed(&mut self, intent: &Id, presented: Presented) -> Attempted {
        match presented.card.behaviour() {
            Behaviour::AsksPayer(Some(decline)) => self.decline(intent, presented, decline),
            _ => self.authorise(intent, presented),
        }
    }

    /// The payer did not confirm at the bank.
    pub(super) fn not_confirmed(&mut self, intent: &Id) {
        self.fail(intent, LastError::NotAuthenticated);
    }

    fn authorise(&mut self, intent: &Id, presented: Presented) -> Attempted {
        let (method, aftermath) = (presented.method.clone(), presented.card.aftermath());
        let charge = self.add_charge(intent, presented, None);
        let changed = self.intents.change(intent, |intent| {
            let by_hand = intent.capture_by_hand;
            intent.status =
                if by_hand { IntentStatus::RequiresCapture } else { IntentStatus::Succeeded };
            intent.amount_received = if by_hand { 0 } else { intent.amount };
            (intent.last_error, intent.pending, intent.method) = (None, None, method);
        });
        let (Some(charge), Some(intent)) = (charge, changed) else { return Attempted::Authorised };
        self.emit(EventType::ChargeSucceeded, Snapshot::Charge(charge.clone()));
        if intent.capture_by_hand {
            self.later(HOLD_LIFETIME_MS, Task::Release(intent.id.clone()));
            self.emit(EventType::IntentCapturable, Snapshot::Intent(intent.clone()));
        } else {
            self.book(EntryKind::Charge, &charge.id, charge.amount, &charge.currency);
            self.emit(EventType::IntentSucceeded, Snapshot::Intent(intent.clone()));
        }
        if let Aftermath::Disputed { .. } = aftermath {
            self.later(LATER_MS, Task::Dispute(charge.id.clone()));
        }
        self.complete_session(&intent, &charge);
        Attempted::Authorised
    }

    /// A session is complete once its PaymentIntent has the money, or a hold on it.
    fn complete_session(&mut self, intent: &Intent, charge: &Charge) {
        let Some(session) = &intent.session else { return };
        let was_complete =
            self.sessions.get(session).is_some_and(|it| it.status == SessionStatus::Complete);
        let complete = self.sessions.change(session, |session| {
            session.status = SessionStatus::Complete;
            if !intent.capture_by_hand {
                session.payment_status = SessionPaymentStatus::Paid;
            }
            session.payer = Some(charge.presented.payer.clone());
        });
        let Some(session) = complete else { return };
        if was_complete {
            // A method that takes days: complete before, and paid only now.
            self.emit(EventType::SessionAsyncSucceeded, Snapshot::Session(session));
            return;
        }
        self.forget_expiry(&session);
        self.note_session_status(&session.id, SessionStatus::Complete);
        self.emit(EventType::SessionCompleted, Snapshot::Session(session));
    }

    /// What is complete or expired does not expire again.
    pub(super) fn forget_expiry(&mut self, session: &Session) {
        let at_ms = session.expires_at.saturating_mul(1_000);
        self.agenda.remove(at_ms, Task::Expire(session.id.clone()));
    }

    pub(super) fn decline(
        &mut self,
        intent: &Id,
        presented: Presented,
        decline: &'static Decline,
    ) -> Attempted {
        if let Some(charge) = self.add_charge(intent, presented, Some(decline)) {
            self.emit(EventType::ChargeFailed, Snapshot::Charge(charge.clone()));
            self.fail(intent, LastError::Declined(decline, charge.id.clone()));
        }
        Attempted::Declined(decline)
    }

    fn ask_payer(
        &mut self,
        intent: &Id,
        presented: Presented,
        return_url: Option<Arc<str>>,
    ) -> Attempted {
        let waiting = self.intents.change(intent, |intent| {
            intent.status = IntentStatus::RequiresAction;
            intent.last_error = None;
            intent.method = presented.method.clone();
            intent.pending = Some(Arc::new(PendingCard { presented, return_url }));
        });
        if let Some(intent) = waiting {
            self.emit(EventType::IntentRequiresAction, Snapshot::Intent(intent));
        }
        Attempted::AsksPayer
    }

    /// Back to the start, with the reason: another card may be tried.
    pub(super) fn fail(&mut self, intent: &Id, why: LastError) {
        let failed = self.intents.change(intent, |intent| {
            intent.status = IntentStatus::RequiresPaymentMethod;
            intent.last_error = Some(why.into());
            (intent.pending, intent.method) = (None, None);
        });
        if let Some(intent) = failed {
            self.emit(EventType::IntentFailed, Snapshot::Intent(intent));
        }
    }

    fn add_charge(
        &mut self,
        intent: &Id,
        presented: Presented,
        decline: Option<&'static Decline>,
    ) -> Option<Arc<Charge>> {
        let id = self.ids.object("ch_3");
        let note = |intent: &mut Intent| {
            // Most have one; growing by four would take more room than the ID.
            intent.charges.reserve_exact(1);
            intent.charges.push(id.clone());
        };
        let intent = self.intents.change(intent, note)?;
        let captured = decline.is_none() && !intent.capture_by_hand;
        let charge = self.charges.insert(Charge {
            id,
            created: self.now_s(),
            amount: intent.amount,
            currency: intent.currency.clone(),
            intent: intent.id.clone(),
            data: intent.data.clone(),
            presented,
            customer: intent.customer.clone(),
            amount_captured: if captured { intent.amount } else { 0 },
            captured,
            dispute: None,
            decline,
            amount_refunded: 0,
            refunds: Vec::new(),
        });
        if let Some(customer) = &intent.customer {
            self.charges.group(customer, &charge.id);
        }
        Some(charge)
    }

    /// Takes money that was reserved, all of it or a part.
    pub(super) fn take(&mut self, intent: &Id, amount: i64) {
        let charge = self.intents.get(intent).and_then(|intent| intent.charges.last()).cloned();
        let Some(charge) = charge else { return };
        let taken = self.charges.change(&charge, |charge| {
            charge.captured = true;
            charge.amount_captured = amount;
        });
        let paid = self.intents.change(intent, |intent| {
            intent.status = IntentStatus::Succeeded;
            intent.amount_received = amount;
        });
        let (Some(charge), Some(intent)) = (taken, paid) else { return };
        self.book(EntryKind::Charge, &charge.id, amount, &charge.currency);
        self.emit(EventType::ChargeCaptured, Snapshot::Charge(charge));
        self.emit(EventType::IntentSucceeded, Snapshot::Intent(intent.clone()));
        let Some(session) = &intent.session else { return };
        self.sessions.change(session, |it| it.payment_status = SessionPaymentStatus::Paid);
    }

    /// Lets reserved money go.
    pub(super) fn release(&mut self, charge: &Id) {
        let released = self.charges.change(charge, |charge| {
            if !charge.captured && charge.decline.is_none() {
                charge.amount_refunded = charge.amount;
            }
        });
        if let Some(charge) = released.filter(|charge| charge.amount_refunded > 0) {
            self.emit(EventType::ChargeRefunded, Snapshot::Charge(charge));
        }
    }
}
