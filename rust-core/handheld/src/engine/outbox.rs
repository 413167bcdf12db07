//! The outbox: every queued order is brought to its gateway, each at its own pace.

use super::exchange::{Answer, HttpMethod, Refusal, Request, Response, TransportFault, Trust};
use super::message::{Caller, Command, Reply, Step};
use super::record::{Delivery, Held, Payment, Write};
use super::tries::Tries;
use super::turn::{Moment, Turn};
use super::{Durable, Engine, Purpose};
use crate::error::RetryError;
use crate::view::ParkedReason;
use holdfast_domain::{PaymentId, PaymentState};
use holdfast_protocol::wire::{ErrorCode, ORDER_CONTENT_TYPE, PaymentStatus, SubmitResponse};
use std::collections::BTreeMap;

/// Orders on their way at once: enough that one slow answer holds up nobody, few enough for a weak
/// radio link.
const DELIVERIES_AT_ONCE: usize = 4;
/// How long one delivery may take, in milliseconds. A few hundred bytes each way, over a bad link.
const DELIVERY_MS_MAX: u64 = 20_000;

/// The queued orders and their tries.
#[derive(Default)]
pub(super) struct Outbox(BTreeMap<PaymentId, Tries>);

impl Outbox {
    /// After a start, everything that wants to be sent is due.
    pub(super) fn load(durable: &Durable) -> Self {
        let mut outbox = Self::default();
        outbox.present_again(durable, 0);
        outbox
    }

    /// Follows a stored payment: a new promise is due at once, a settled one is let go.
    pub(super) fn follow(&mut self, payment: &Payment, epoch: u64, now: Moment) {
        if payment.is_queued() || payment.is_to_be_presented_again(epoch) {
            self.0.entry(payment.payment).or_insert_with(|| Tries::due_at(now.mono_ms));
        } else {
            self.0.remove(&payment.payment);
        }
    }

    /// Looks at every payment, after the gateway was restored.
    pub(super) fn present_again(&mut self, durable: &Durable, now_ms: u64) {
        let epoch = durable.epoch();
        let wanted =
            |payment: &&Payment| payment.is_queued() || payment.is_to_be_presented_again(epoch);
        for payment in durable.payments().filter(wanted) {
            self.0.entry(payment.payment).or_insert_with(|| Tries::due_at(now_ms));
        }
    }

    pub(super) fn includes(&self, payment: PaymentId) -> bool {
        self.0.contains_key(&payment)
    }

    pub(super) fn forget(&mut self, payment: PaymentId) {
        self.0.remove(&payment);
    }

    pub(super) fn payments(&self) -> impl Iterator<Item = PaymentId> {
        self.0.keys().copied()
    }

    pub(super) fn link_is_back(&mut self, now: Moment) {
        self.0.values_mut().for_each(|tries| tries.link_is_back(now.mono_ms));
    }

    pub(super) fn hurry(&mut self, now: Moment) {
        self.0.values_mut().for_each(|tries| tries.hurry(now.mono_ms));
    }

    pub(super) fn wake_ms(&self) -> Option<u64> {
        if self.places() == 0 {
            return None;
        }
        self.0.values().filter_map(Tries::wake_ms).min()
    }

    fn places(&self) -> usize {
        let in_flight = self.0.values().filter(|tries| tries.in_flight().is_some()).count();
        DELIVERIES_AT_ONCE.saturating_sub(in_flight)
    }

    /// Those to start now, the longest due first.
    fn due(&self, now: Moment) -> Vec<PaymentId> {
        let places = self.places();
        if places == 0 {
            return Vec::new();
        }
        let is_due = |(_, tries): &(&PaymentId, &Tries)| tries.is_due(now.mono_ms);
        let mut due: Vec<_> = self.0.iter().filter(is_due).collect();
        due.sort_by_key(|(payment, tries)| (tries.wake_ms(), **payment));
        due.into_iter().map(|(payment, _)| *payment).take(places).collect()
    }
}

impl Engine {
    pub(super) fn start_deliveries(&mut self, now: Moment, commands: &mut Vec<Command>) {
        for payment in self.outbox.due(now) {
            let held = self.durable.payment(payment).and_then(|payment| payment.held.as_ref());
            let trust = |held: &Held| self.durable.trust_of(&held.route.gateway_url);
            let Some(request) = held.map(|held| delivery(held, trust(held))) else {
                self.outbox.0.remove(&payment);
                continue;
            };
            let ticket = self.issue(Purpose::Order(payment));
            if let Some(tries) = self.outbox.0.get_mut(&payment) {
                tries.start(ticket);
            }
            commands.push(Command::Send { ticket, request });
        }
    }

    pub(super) fn order_answer(
        &mut self,
        payment: PaymentId,
        answer: Result<Response, TransportFault>,
        turn: &mut Turn,
    ) -> Step {
        let answer = self.plausible(Answer::<SubmitResponse>::read(answer));
        self.hear(&answer, turn.now);
        self.refresh_order(payment, &answer);
        // A failed try until what it leads to is stored; then the outbox lets go of it.
        if let Some(tries) = self.outbox.0.get_mut(&payment) {
            tries.fail_with(&answer, turn);
        }
        match answer {
            Answer::Good(response) if response.payment.payment == payment => {
                self.clock.learn(response.gateway_time_unix_s, turn.now);
                let SubmitResponse { payment, gateway_time_unix_s, epoch } = response;
                let heard = Heard { epoch, at_unix_s: gateway_time_unix_s };
                Step::store(self.heard_writes(vec![payment], heard))
            }
            Answer::Refused(refusal) if refusal.is_final_for_an_order() => {
                Step::store(self.refused_writes(payment, &refusal))
            }
            _ => Step::default(),
        }
    }

    /// The gateway will never take this order as it is.
    fn refused_writes(&self, payment: PaymentId, refusal: &Refusal) -> Vec<Write> {
        log::warn!("payment {payment} is refused: {:?}", refusal.code);
        let Some(known) = self.durable.payment(payment) else {
            return Vec::new();
        };
        let next = match (known.is_queued(), refusal.code) {
            (true, ErrorCode::Withdrawn) => with_delivery(known, Delivery::Withdrawn),
            (true, _) => with_delivery(known, Delivery::Parked(parked_reason(refusal))),
            (false, _) => self.refused_again(known, parked_reason(refusal)),
        };
        let mut writes: Vec<_> = next.map(Write::payment).into_iter().collect();
        if refusal.code == ErrorCode::SequenceReused {
            writes.extend(self.after_an_older_file());
        }
        writes
    }

    /// A restored gateway lost this order and does not take it again. What was paid stays known as
    /// paid, with the refusal beside it for the administrator; anything else is parked.
    fn refused_again(&self, known: &Payment, reason: ParkedReason) -> Option<Payment> {
        let held = known.held.as_ref()?;
        Some(revised(known, parked_after_a_restore(held, reason, self.durable.epoch())))
    }

    /// Puts a parked order back into the outbox: the same bytes, as always.
    pub(super) fn retry(&mut self, caller: Caller, payment: PaymentId) -> Step {
        let refuse = |error| Step::reply(caller, Reply::Retry(Err(error)));
        let Some(known) = self.durable.payment(payment) else {
            return refuse(RetryError::NotFound);
        };
        match known.held.as_ref() {
            // What was imported has no bytes to send.
            Some(held) if matches!(held.delivery, Delivery::Parked(_)) && !held.imported => Step {
                writes: vec![Write::payment(revised(
                    known,
                    Held { delivery: Delivery::Queued, ..held.clone() },
                ))],
                replies: vec![(caller, Reply::Retry(Ok(())))],
                ..Step::default()
            },
            _ => refuse(RetryError::NotParked { state: self.state(known) }),
        }
    }
}

/// When and in which of its epochs the gateway said something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    pub(super) epoch: u64,
    pub(super) at_unix_s: u64,
}

/// The payment after the gateway has told where it stands; `None` if that is no news.
///
/// Whoever hears of a payment from the gateway knows that the order has arrived, no matter who
/// brought it. Only a conflict stays parked: there, the gateway speaks of other contents. A restored
/// gateway that has not learned of the money yet does not make a paid payment unpaid: its next word
/// will.
pub(super) fn with_status(
    payment: &Payment,
    status: PaymentStatus,
    heard: Heard,
) -> Option<Payment> {
    let held = payment.held.as_ref()?;
    let is_conflict = held.delivery == Delivery::Parked(ParkedReason::Conflict);
    if is_conflict || heard.epoch < held.epoch {
        return None;
    }
    let known = held.status.as_ref();
    let is_of_before = known.is_some_and(|known| known.revision == REVISION_OF_BEFORE);
    let same_epoch = heard.epoch == held.epoch && !is_of_before;
    let is_old = same_epoch && known.is_some_and(|known| known.revision >= status.revision);
    if is_old && held.delivery == Delivery::Delivered {
        return None;
    }
    let was_paid = known.is_some_and(|known| known.state.has_been_paid());
    let forgets_money = was_paid && !same_epoch && says_unpaid(status.state);
    let status = match &held.status {
        Some(known) if is_old => known.clone(),
        // Its next word follows this one, however far the gateway had counted before the restore.
        Some(known) if forgets_money => {
            Box::new(PaymentStatus { revision: status.revision, ..PaymentStatus::clone(known) })
        }
        _ => Box::new(status),
    };
    let held = Held {
        delivery: Delivery::Delivered,
        status: Some(status),
        epoch: heard.epoch,
        acknowledged_at_unix_s: held.acknowledged_at_unix_s.or(Some(heard.at_unix_s)),
        ..held.clone()
    };
    Some(revised(payment, held))
}

/// In place of the count of a gateway before it was restored: it counts anew, so its next word is news
/// whatever its number. No change of a gateway has it.
const REVISION_OF_BEFORE: u64 = 0;

/// A restored gateway has not taken it (again). What was known of it before stays known as such.
pub(super) fn parked_after_a_restore(held: &Held, reason: ParkedReason, epoch: u64) -> Held {
    let of_before = |known: &PaymentStatus| {
        Box::new(PaymentStatus { revision: REVISION_OF_BEFORE, ..known.clone() })
    };
    let status = held.status.as_deref().map(of_before);
    Held { epoch, delivery: Delivery::Parked(reason), status, ..held.clone() }
}

/// True for what a gateway says of a payment whose money it has not heard of.
pub(super) fn says_unpaid(state: PaymentState) -> bool {
    use PaymentState as P;
    state.can_be_paid()
        || matches!(
            state,
            P::Processing | P::Expired | P::CancelRequested | P::Canceled | P::Withdrawn
        )
}

fn with_delivery(payment: &Payment, delivery: Delivery) -> Option<Payment> {
    let held = payment.held.as_ref().filter(|held| held.delivery == Delivery::Queued)?;
    Some(revised(payment, Held { delivery, ..held.clone() }))
}

pub(super) fn revised(payment: &Payment, held: Held) -> Payment {
    let revision = payment.revision.saturating_add(1);
    Payment { revision, held: Some(held), ..payment.clone() }
}

fn delivery(held: &Held, trust: Trust) -> Request {
    Request {
        method: HttpMethod::Post,
        url: format!("{}/api/{}/orders", held.route.gateway_url, held.route.tenant),
        trust,
        headers: vec![("content-type", ORDER_CONTENT_TYPE.to_owned())],
        body: held.order.clone(),
        timeout_ms: DELIVERY_MS_MAX,
    }
}

pub(super) fn parked_reason(refusal: &Refusal) -> ParkedReason {
    match refusal.code {
        ErrorCode::PaymentConflict => ParkedReason::Conflict,
        ErrorCode::SequenceReused => ParkedReason::SequenceReused,
        ErrorCode::DeviceRevoked => ParkedReason::DeviceRevoked,
        ErrorCode::UnknownDevice => ParkedReason::DeviceUnknown,
        ErrorCode::WrongGateway | ErrorCode::WrongTenant => ParkedReason::WrongGateway,
        ErrorCode::UnknownPaymentType => ParkedReason::MethodUnavailable,
        ErrorCode::ModeDiffers => ParkedReason::ModeDiffers,
        ErrorCode::UnknownCatalogue | ErrorCode::LinesRefused | ErrorCode::TotalDiffers => {
            ParkedReason::PricesDiffer
        }
        ErrorCode::AmountRefused => ParkedReason::AmountRefused,
        ErrorCode::LifetimeOver => ParkedReason::LifetimeOver,
        // The order itself; a withdrawal, which has a state of its own; and codes that
        // `is_final_for_an_order` keeps from coming here.
        ErrorCode::Malformed
        | ErrorCode::UnknownVersion
        | ErrorCode::SignatureWrong
        | ErrorCode::Withdrawn
        | ErrorCode::VoidRefused
        | ErrorCode::TooLarge
        | ErrorCode::ClockWrong
        | ErrorCode::DeviceNotApproved
        | ErrorCode::PaymentTypeNotReady
        | ErrorCode::CodeWrong
        | ErrorCode::Unauthorized
        | ErrorCode::RateLimited
        | ErrorCode::NotFound
        | ErrorCode::Unavailable
        | ErrorCode::Unknown => ParkedReason::Unreadable,
    }
}
