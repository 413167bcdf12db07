//! The hold: from a draft to a signed order on disk.

use super::message::{Caller, Command, Reply, Step};
use super::record::{Counters, Delivery, Enrolment, Held, Payment, Record, Write};
use super::turn::{Moment, Turn};
use super::{Engine, Purpose};
use crate::error::HoldError;
use crate::port::DeviceKeyError;
use holdfast_domain::PaymentId;
use holdfast_protocol::{DeviceSignature, OrderPayload, SignedOrder};
use std::collections::VecDeque;

/// Holds that are not on disk yet.
#[derive(Default)]
pub(super) struct Holds {
    waiting: VecDeque<Hold>,
    signing: Option<Signing>,
}

/// One hold, and everyone who asked for it.
struct Hold {
    payment: PaymentId,
    callers: Vec<Caller>,
}

/// The one order that is with the device key. Its sequence number is the next one, and is taken
/// only when the order is stored; hence one at a time.
struct Signing {
    hold: Hold,
    payload: OrderPayload,
    held_at_ms: u64,
}

impl Holds {
    /// True if this payment is being held.
    pub(super) fn includes(&self, payment: PaymentId) -> bool {
        let signing = self.signing.as_ref().is_some_and(|s| s.hold.payment == payment);
        signing || self.waiting.iter().any(|hold| hold.payment == payment)
    }

    fn of(&mut self, payment: PaymentId) -> Option<&mut Hold> {
        let signing = self.signing.as_mut().map(|signing| &mut signing.hold);
        signing.into_iter().chain(&mut self.waiting).find(|hold| hold.payment == payment)
    }
}

impl Hold {
    fn answer(self, answer: &Result<(), HoldError>) -> Vec<(Caller, Reply)> {
        self.callers.into_iter().map(|caller| (caller, Reply::Hold(answer.clone()))).collect()
    }
}

impl Engine {
    pub(super) fn hold(&mut self, caller: Caller, payment: PaymentId) -> Step {
        if let Some(hold) = self.holds.of(payment) {
            hold.callers.push(caller);
            return Step::default();
        }
        match self.durable.payment(payment) {
            None => Step::reply(caller, Reply::Hold(Err(HoldError::NotFound))),
            Some(Payment { held: Some(_), .. }) => Step::reply(caller, Reply::Hold(Ok(()))),
            Some(_) => {
                self.holds.waiting.push_back(Hold { payment, callers: vec![caller] });
                Step::default()
            }
        }
    }

    /// Brings the next hold to the device key, if none is there.
    pub(super) fn start_signing(&mut self, turn: &mut Turn, commands: &mut Vec<Command>) {
        while self.holds.signing.is_none() {
            let Some(hold) = self.holds.waiting.pop_front() else {
                return;
            };
            match self.payload(hold.payment, turn.now) {
                Ok(payload) => {
                    let ticket = self.issue(Purpose::HoldSignature);
                    commands.push(Command::Sign { ticket, message: payload.to_be_signed() });
                    let held_at_ms = turn.now.wall_ms;
                    self.holds.signing = Some(Signing { hold, payload, held_at_ms });
                }
                Err(error) => commands.extend(super::replies(hold.answer(&Err(error)))),
            }
        }
    }

    pub(super) fn hold_signature(&mut self, answer: Result<Vec<u8>, DeviceKeyError>) -> Step {
        let Some(signing) = self.holds.signing.take() else {
            return Step::default();
        };
        if self.is_outdated(&signing.payload) {
            self.holds.waiting.push_front(signing.hold);
            return Step::default();
        }
        match self.promise(&signing, answer) {
            Ok(writes) => Step { writes, replies: signing.hold.answer(&Ok(())), ..Step::default() },
            Err(error) => {
                log::warn!("payment {} was not held: {error}", signing.hold.payment);
                Step { replies: signing.hold.answer(&Err(error)), ..Step::default() }
            }
        }
    }

    /// True if the handheld was enrolled anew while the key was signing: the order would be
    /// another handheld's, and is made again.
    fn is_outdated(&self, payload: &OrderPayload) -> bool {
        self.durable.enrolment().is_none_or(|enrolment| {
            enrolment.device != payload.device
                || self.durable.counters(enrolment).next_sequence != payload.sequence
        })
    }

    /// What the officer promises, or why it cannot be promised.
    fn payload(&self, payment: PaymentId, now: Moment) -> Result<OrderPayload, HoldError> {
        let draft = self.durable.payment(payment).ok_or(HoldError::NotFound)?;
        let enrolment = self.durable.enrolment().ok_or(HoldError::NotEnrolled)?;
        if !enrolment.approved {
            return Err(HoldError::NotApproved);
        }
        let method = draft.method.as_ref().ok_or(HoldError::NoMethodChosen)?;
        // A draft has a method only after a configuration came, and that is never forgotten.
        let config = self.durable.config().ok_or(HoldError::NoMethodChosen)?;
        Ok(OrderPayload {
            gateway: enrolment.gateway,
            tenant: enrolment.tenant.clone(),
            mode: method.mode,
            device: enrolment.device,
            sequence: self.durable.counters(enrolment).next_sequence,
            payment,
            officer: enrolment.officer,
            payment_type: method.code.clone(),
            catalogue_version: draft.cart.catalogue_version,
            lines: draft.cart.lines.clone(),
            total: draft.cart.total,
            held_at_unix_s: now.wall_ms / 1_000,
            lifetime_s: config.config.order_lifetime_s,
        })
    }

    /// The order and the counters, for one commit.
    fn promise(
        &self,
        signing: &Signing,
        answer: Result<Vec<u8>, DeviceKeyError>,
    ) -> Result<Vec<Write>, HoldError> {
        let draft = self.durable.payment(signing.hold.payment).ok_or(HoldError::NotFound)?;
        let enrolment = self.durable.enrolment().ok_or(HoldError::NotEnrolled)?;
        let order = order(signing.payload.clone(), answer, enrolment)?;
        let counters = self.durable.counters(enrolment);
        let sequence = signing.payload.sequence;
        let held = Held {
            order: order.to_bytes(),
            sequence,
            device: enrolment.device,
            held_at_ms: signing.held_at_ms,
            route: enrolment.route(),
            delivery: Delivery::Queued,
            status: None,
        };
        let revision = draft.revision.saturating_add(1);
        let payment = Payment { revision, held: Some(held), ..draft.clone() };
        let next_sequence = sequence.saturating_add(1);
        Ok(vec![
            Write::payment(payment),
            Write::Put(Record::Counters(Counters { next_sequence, ..counters })),
        ])
    }
}

/// The signed order, checked as the gateway will check it: a key that the system has replaced is
/// found now and not by a refusal later.
fn order(
    payload: OrderPayload,
    answer: Result<Vec<u8>, DeviceKeyError>,
    enrolment: &Enrolment,
) -> Result<SignedOrder, HoldError> {
    let unavailable = |_| HoldError::DeviceKeyUnavailable;
    let der = answer.map_err(|error| {
        log::warn!("no signature: {error}");
        HoldError::DeviceKeyUnavailable
    })?;
    let signature = DeviceSignature::from_der(&der).map_err(unavailable)?;
    let order = SignedOrder::assemble(payload, signature);
    let key = enrolment.device_key().map_err(unavailable)?;
    order.verify(&key).map_err(|_| HoldError::DeviceKeyUnavailable)?;
    Ok(order)
}
