//! The hold: from a draft to a signed order on disk.

use super::message::{Caller, Command, Reply, Step};
use super::outbox::revised;
use super::record::{Counters, Delivery, Enrolment, Held, HeldMoment, Key, Payment, Record, Write};
use super::turn::{Moment, Turn};
use super::{Engine, Purpose};
use crate::error::HoldError;
use crate::port::DeviceKeyError;
use holdfast_domain::PaymentId;
use holdfast_protocol::{DeviceSignature, OrderPayload, SignedOrder};
use std::collections::{BTreeSet, VecDeque};

/// That a hold was told is stored this much later, in milliseconds, unless something else is stored
/// before: an answer of the gateway often is.
const TOLD_MS: u64 = 500;
/// Should that fail, it is tried again this much later, in milliseconds.
const TOLD_AGAIN_MS: u64 = 60_000;

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
    moment: HeldMoment,
}

/// Holds that are on disk and told, while the disk does not say yet that they were told.
///
/// A commit can fail and be in the file all the same, or the process can end between the commit and
/// the answer. Then an order is found at the next start of which nobody was told, or was even told
/// the contrary. It must not be sent in silence, nor be dropped: a payer may have seen its code. So
/// each hold is stored as *not told*, and stored again as *told* soon after the answer; what is
/// found untold at a start counts as held, and its screen says how it was found.
#[derive(Default)]
pub(super) struct Untold {
    payments: BTreeSet<PaymentId>,
    due_ms: u64,
}

impl Untold {
    pub(super) fn includes(&self, payment: PaymentId) -> bool {
        self.payments.contains(&payment)
    }

    fn wake_ms(&self) -> Option<u64> {
        (!self.payments.is_empty()).then_some(self.due_ms)
    }
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
            Some(known @ Payment { held: Some(_), .. }) => Step {
                // Found at a start: now somebody is told.
                writes: match self.untold.includes(payment) {
                    true => Vec::new(),
                    false => self.told(known).into_iter().collect(),
                },
                replies: vec![(caller, Reply::Hold(Ok(())))],
                ..Step::default()
            },
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
                    let moment = self.held_moment(turn.now);
                    self.holds.signing = Some(Signing { hold, payload, held_at_ms, moment });
                }
                Err(error) => commands.extend(super::replies(hold.answer(&Err(error)))),
            }
        }
    }

    pub(super) fn hold_signature(&mut self, answer: Result<Vec<u8>, DeviceKeyError>) -> Step {
        self.hear_of_the_key(&answer);
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
                if error == HoldError::DeviceKeyLost {
                    self.lose_the_device_key();
                }
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
        if self.device_key_lost {
            return Err(HoldError::DeviceKeyLost);
        }
        if !enrolment.approved {
            return Err(HoldError::NotApproved);
        }
        let method = draft.method.as_ref().ok_or(HoldError::NoMethodChosen)?;
        // A draft has a method only after a configuration came, and that is never forgotten.
        let config = self.durable.config().ok_or(HoldError::NoMethodChosen)?;
        if let Some(cap) = self.cap_passed_by(draft.cart.total, now) {
            return Err(HoldError::OverCap { cap });
        }
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
            held_at_unix_s: self.clock.unix_s(now),
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
            route: enrolment.route().into(),
            delivery: Delivery::Queued,
            status: None,
            moment: signing.moment,
            told: false,
            imported: false,
            epoch: 0,
            acknowledged_at_unix_s: None,
            proof: None,
            wrong_codes: 0,
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

impl Engine {
    /// After a commit: a hold that is stored is told at once, and that is to be stored soon.
    pub(super) fn follow_untold(&mut self, payment: &Payment, now: Moment) {
        let is_told = payment.held.as_ref().is_none_or(|held| held.told);
        if is_told {
            self.untold.payments.remove(&payment.payment);
        } else if self.durable.payment(payment.payment).is_some_and(|known| known.held.is_none()) {
            self.untold.due_ms = now.mono_ms.saturating_add(TOLD_MS);
            self.untold.payments.insert(payment.payment);
        }
    }

    pub(super) fn untold_wake_ms(&self) -> Option<u64> {
        self.untold.wake_ms()
    }

    /// Stores that holds were told, together with whatever is stored anyway, or when it is time.
    pub(super) fn tell(&mut self, step: &mut Step, now: Moment) {
        let is_due = self.untold.wake_ms().is_some_and(|due_ms| due_ms <= now.mono_ms);
        if step.writes.is_empty() && !is_due {
            return;
        }
        for write in &mut step.writes {
            if let Write::Put(Record::Payment(payment)) = write
                && self.untold.includes(payment.payment)
                && let Some(held) = &mut payment.held
            {
                held.told = true;
            }
        }
        let is_written = |payment: &PaymentId| {
            let key = Key::Payment(*payment);
            step.writes.iter().any(|write| write.key() == key)
        };
        let rest = self.untold.payments.iter().filter(|payment| !is_written(payment));
        let rest = rest.filter_map(|payment| self.told(self.durable.payment(*payment)?));
        let rest: Vec<_> = rest.collect();
        step.writes.extend(rest);
        if is_due {
            // Should it not be stored, then the next time.
            self.untold.due_ms = now.mono_ms.saturating_add(TOLD_AGAIN_MS);
        }
    }

    /// The record of a payment that somebody has been told of.
    fn told(&self, known: &Payment) -> Option<Write> {
        let held = known.held.as_ref().filter(|held| !held.told)?;
        Some(Write::payment(revised(known, Held { told: true, ..held.clone() })))
    }

    /// Any signature, or its absence, tells whether the device key is there.
    pub(super) fn hear_of_the_key(&mut self, answer: &Result<Vec<u8>, DeviceKeyError>) {
        if *answer == Err(DeviceKeyError::Lost) {
            self.lose_the_device_key();
        }
    }

    pub(super) fn lose_the_device_key(&mut self) {
        if !self.device_key_lost {
            log::error!("the device key is lost; enrol again");
            self.device_key_lost = true;
            self.revision = self.revision.saturating_add(1);
        }
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
        match error {
            DeviceKeyError::Lost => HoldError::DeviceKeyLost,
            DeviceKeyError::Unavailable { .. } => HoldError::DeviceKeyUnavailable,
        }
    })?;
    let signature = DeviceSignature::from_der(&der).map_err(unavailable)?;
    let order = SignedOrder::assemble(payload, signature);
    let key = enrolment.device_key().map_err(unavailable)?;
    order.verify(&key).map_err(|_| HoldError::DeviceKeyLost)?;
    Ok(order)
}
