//! Officers: add up, choose, hold, look again, and hold the same again if the screen says so.

use super::Broken;
use super::faults::Fault;
use super::fixture::{self, ITEMS};
use super::plan::Wants;
use super::world::{Happening, World};
use holdfast_domain::PaymentId;
use holdfast_handheld::CartLine;
use holdfast_handheld::engine::{Call, Durable, Reply};
use holdfast_handheld::error::HoldError;

/// How long an officer takes from one screen to the next, in milliseconds.
const THINKS_MS: (i64, i64) = (300, 3_000);
/// How soon an officer looks again at a screen that has not gone on, in milliseconds.
const LOOKS_AGAIN_MS: (i64, i64) = (2_000, 8_000);
/// How long after the hold an officer changes their mind, in milliseconds.
const GIVES_UP_MS: (i64, i64) = (1_000, 300_000);
/// After so many looks at a dark screen an officer gives up: nothing was promised.
const LOOKS_MAX: u32 = 60;

/// One thing to be paid, from the officer's side.
pub(super) struct Deal {
    pub(super) device: usize,
    pub(super) wants: Wants,
    /// The charge was found, and the handheld has not been started anew since.
    has_found: bool,
    /// Every payment that was opened for it.
    pub(super) payments: Vec<PaymentId>,
    looks: u32,
    pub(super) is_over: bool,
    /// A hold was asked for, and its process ended.
    asked_hold: Option<PaymentId>,
}

/// What an answer of the engine is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked {
    Search(usize),
    Summary(usize),
    Method(usize),
    Hold(usize, PaymentId),
    /// To be enrolled again.
    Enrol,
    /// To cancel, to withdraw or to try again: the screen shows what comes of it.
    Later,
}

impl Deal {
    pub(super) fn is_done(&self) -> bool {
        self.is_over
    }

    pub(super) fn new(device: usize, wants: Wants) -> Self {
        Self {
            device,
            wants,
            has_found: false,
            payments: Vec::new(),
            looks: 0,
            is_over: false,
            asked_hold: None,
        }
    }
}

/// What the screen of a payment offers next.
enum Next {
    Open,
    Choose(PaymentId),
    Hold(PaymentId),
    Promised(PaymentId),
    /// Held perhaps, and its record is damaged: the screen names it.
    Unreadable(PaymentId),
}

/// True if the screen names the payment as one that may have been held and cannot be read.
pub(super) fn is_named(durable: &Durable, payment: PaymentId) -> bool {
    let mut named = durable.quarantine().iter().filter(|lost| lost.may_be_held);
    named.any(|lost| lost.payment() == Some(payment))
}

impl World {
    fn deal(&mut self, deal: usize) -> &mut Deal {
        self.deals.get_mut(deal).expect("a deal of this run")
    }

    pub(super) fn officer_looks(&mut self, index: usize) {
        let deal = self.deal(index);
        if deal.is_over {
            return;
        }
        let device = deal.device;
        let is_dark = self.device(device).engine.is_none();
        let deal = self.deal(index);
        deal.looks = if is_dark { deal.looks.saturating_add(1) } else { 0 };
        // Where eight orders are asked for, everybody waits for a screen that is dark.
        let is_patient = self.plan.schedule == super::Schedule::Drain;
        let deal = self.deal(index);
        let gives_up = deal.looks > LOOKS_MAX && !is_patient;
        let again_ms = self.draw_ms(LOOKS_AGAIN_MS.0, LOOKS_AGAIN_MS.1);
        let next = self.next_of(index);
        match next {
            Some(Next::Promised(payment)) => return self.promised(index, payment),
            Some(Next::Unreadable(payment)) => {
                self.note(|| format!("officer {index}: reads that {payment} is damaged"));
                self.deal(index).is_over = true;
                return;
            }
            _ if gives_up => {
                self.note(|| format!("officer {index}: gives up"));
                self.deal(index).is_over = true;
                return;
            }
            // Off, or the answer to the last question is on its way.
            None => {}
            Some(Next::Open) => self.open_summary(index),
            Some(Next::Choose(payment)) => {
                let is_cash = self.deal(index).wants.is_cash();
                let code =
                    if is_cash { fixture::cash_code() } else { fixture::payment_type_code() };
                self.call(device, Asked::Method(index), Call::ChooseMethod(payment, code));
            }
            Some(Next::Hold(payment)) => self.hold(index, payment),
        }
        self.enter_in(again_ms, Happening::Officer(index));
    }

    /// What the screen shows, if it shows anything that waits for the officer.
    fn next_of(&mut self, index: usize) -> Option<Next> {
        let deal = self.deals.get(index)?;
        let handheld = self.devices.get(deal.device)?;
        let engine = handheld.engine.as_ref()?;
        let is_asking = |asked: &Asked| match asked {
            Asked::Search(it) | Asked::Summary(it) | Asked::Method(it) | Asked::Hold(it, _) => {
                *it == index
            }
            Asked::Enrol | Asked::Later => false,
        };
        if handheld.asked.values().any(is_asking) {
            return None;
        }
        let Some(payment) = deal.payments.last().copied() else { return Some(Next::Open) };
        let is_unanswered = deal.asked_hold == Some(payment);
        if is_unanswered && self.plan.broken == Some(Broken::NewPaymentOnRetry) {
            return Some(Next::Open);
        }
        Some(match engine.durable().payment(payment) {
            None if is_named(engine.durable(), payment) => Next::Unreadable(payment),
            None => Next::Open,
            Some(known) if known.held.is_some() => Next::Promised(payment),
            Some(known) if known.method.is_none() => Next::Choose(payment),
            Some(_) => Next::Hold(payment),
        })
    }

    fn hold(&mut self, index: usize, payment: PaymentId) {
        let device = self.deal(index).device;
        self.deal(index).asked_hold = Some(payment);
        self.call(device, Asked::Hold(index, payment), Call::Hold(payment));
        if self.strikes(Fault::HeldTwice) {
            self.call(device, Asked::Hold(index, payment), Call::Hold(payment));
        }
    }

    fn open_summary(&mut self, index: usize) {
        let Deal { device, wants, has_found, .. } = *self.deal(index);
        let reference = fixture::CHARGE.to_owned();
        let (asked, call) = match (wants, has_found) {
            (Wants::Items, _) => (Asked::Summary(index), Call::OpenSummary(self.cart())),
            (Wants::Charge { .. }, false) => (Asked::Search(index), Call::SearchCharges(reference)),
            (Wants::Charge { .. }, true) => {
                (Asked::Summary(index), Call::OpenSummaryOf(Vec::new(), vec![reference]))
            }
        };
        self.call(device, asked, call);
    }

    fn cart(&self) -> Vec<CartLine> {
        let mut shared = self.shared.lock();
        let (item_id, _, _) = *shared.chance.pick(&ITEMS).unwrap_or(&ITEMS[0]);
        let quantity = 1 + u32::try_from(shared.chance.below(3)).unwrap_or(0);
        vec![CartLine { item_id, quantity }]
    }

    /// The engine has answered.
    pub(super) fn replied(&mut self, device: usize, asked: Asked, reply: &Reply) {
        self.note(|| format!("handheld {device}: says {reply:?}"));
        let thinks_ms = self.draw_ms(THINKS_MS.0, THINKS_MS.1);
        match (asked, reply) {
            (Asked::Enrol, reply) => self.enrol_replied(device, reply),
            (Asked::Search(index), Reply::SearchCharges(Ok(found))) => {
                self.deal(index).has_found = !found.charges.is_empty();
                self.enter_in(thinks_ms, Happening::Officer(index));
            }
            (Asked::Summary(index), Reply::OpenSummary(Err(_))) => {
                self.deal(index).has_found = false;
            }
            (Asked::Summary(index), Reply::OpenSummary(Ok(payment))) => {
                self.deal(index).payments.push(*payment);
                self.deal(index).asked_hold = None;
                self.enter_in(thinks_ms, Happening::Officer(index));
            }
            (Asked::Method(index), Reply::ChooseMethod(Ok(()))) => {
                self.enter_in(thinks_ms, Happening::Officer(index));
            }
            (Asked::Hold(index, payment), Reply::Hold(Ok(()))) => self.promised(index, payment),
            (Asked::Hold(index, _), Reply::Hold(Err(HoldError::NotApproved))) => {
                self.note(|| format!("officer {index}: may not hold any more"));
                self.deal(index).is_over = true;
            }
            // Refused in words: it was not held, and the same may be held again.
            (Asked::Hold(index, payment), Reply::Hold(Err(_)))
                if self.deal(index).asked_hold == Some(payment) =>
            {
                self.deal(index).asked_hold = None;
            }
            _ => {}
        }
    }

    /// The screen says that it is held.
    fn promised(&mut self, index: usize, payment: PaymentId) {
        let device = self.deal(index).device;
        self.deal(index).is_over = true;
        if !self.device(device).promised.insert(payment) {
            return;
        }
        self.note(|| format!("officer {index}: has the promise of {payment}"));
        let view = self.device(device).engine.as_ref().and_then(|it| it.payment(payment));
        let address = view.and_then(|view| view.pay_address);
        if let Some(address) = address {
            self.payers_come(payment, &address);
        }
        let drawn = self.shared.lock().draw(&[Fault::Canceled, Fault::Withdrawn]);
        if let Some(drawn) = drawn {
            let withdraws = drawn == Fault::Withdrawn;
            let wait_ms = self.draw_ms(GIVES_UP_MS.0, GIVES_UP_MS.1);
            self.enter_in(wait_ms, Happening::GivesUp { device, payment, withdraws });
        }
    }

    /// The officer cancels or withdraws, if the screen can be used.
    pub(super) fn give_up(&mut self, device: usize, payment: PaymentId, withdraws: bool) {
        let call = if withdraws {
            Call::Withdraw(payment, "The payer has left.".to_owned())
        } else {
            Call::Cancel(payment)
        };
        self.call(device, Asked::Later, call);
    }
}
