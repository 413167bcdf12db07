//! The outbox: every queued order is brought to its gateway, each at its own pace.

use super::exchange::{Answer, HttpMethod, Refusal, Request, Response, TransportFault};
use super::message::{Command, Step};
use super::record::{Delivery, Held, Payment, Write};
use super::tries::Tries;
use super::turn::{Moment, Turn};
use super::{Durable, Engine, Purpose};
use crate::view::ParkedReason;
use holdfast_domain::PaymentId;
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
    /// After a start, everything queued is due.
    pub(super) fn load(durable: &Durable) -> Self {
        let queued = durable.payments().filter(|payment| payment.is_queued());
        Self(queued.map(|payment| (payment.payment, Tries::default())).collect())
    }

    /// Follows a stored payment: a new promise is due at once, a settled one is let go.
    pub(super) fn follow(&mut self, payment: &Payment, now: Moment) {
        if payment.is_queued() {
            self.0.entry(payment.payment).or_insert_with(|| Tries::due_at(now.mono_ms));
        } else {
            self.0.remove(&payment.payment);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
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
        let is_due = |(_, tries): &(&PaymentId, &Tries)| tries.is_due(now.mono_ms);
        let mut due: Vec<_> = self.0.iter().filter(is_due).collect();
        due.sort_by_key(|(payment, tries)| (tries.wake_ms(), **payment));
        due.into_iter().map(|(payment, _)| *payment).take(self.places()).collect()
    }
}

impl Engine {
    pub(super) fn start_deliveries(&mut self, now: Moment, commands: &mut Vec<Command>) {
        for payment in self.outbox.due(now) {
            let held = self.durable.payment(payment).and_then(|payment| payment.held.as_ref());
            let Some(request) = held.map(delivery) else {
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
        let answer = Answer::<SubmitResponse>::read(answer);
        self.hear(&answer, turn.now);
        self.refresh_order(payment, &answer);
        // A failed try until what it leads to is stored; then the outbox lets go of it.
        if let Some(tries) = self.outbox.0.get_mut(&payment) {
            tries.fail_with(&answer, turn);
        }
        let Some(known) = self.durable.payment(payment) else {
            return Step::default();
        };
        let next = match answer {
            Answer::Good(response) if response.payment.payment == payment => {
                self.clock.learn(response.gateway_time_unix_s, turn.now);
                with_status(known, response.payment)
            }
            Answer::Refused(refusal) if refusal.is_final_for_an_order() => {
                log::warn!("payment {payment} is parked: {:?}", refusal.code);
                with_delivery(known, Delivery::Parked(parked_reason(&refusal)))
            }
            _ => None,
        };
        let writes = next.map(Write::payment);
        Step::store(writes.into_iter().collect())
    }
}

/// The payment after the gateway has told where it stands; `None` if that is no news.
///
/// Whoever hears of a payment from the gateway knows that the order has arrived, no matter who
/// brought it. Only a conflict stays parked: there, the gateway speaks of other contents.
pub(super) fn with_status(payment: &Payment, status: PaymentStatus) -> Option<Payment> {
    let held = payment.held.as_ref()?;
    let is_old = held.status.as_ref().is_some_and(|known| known.revision >= status.revision);
    let is_conflict = held.delivery == Delivery::Parked(ParkedReason::Conflict);
    if is_conflict || (is_old && held.delivery == Delivery::Delivered) {
        return None;
    }
    let status = if is_old { held.status.clone() } else { Some(status) };
    let held = Held { delivery: Delivery::Delivered, status, ..held.clone() };
    Some(revised(payment, held))
}

fn with_delivery(payment: &Payment, delivery: Delivery) -> Option<Payment> {
    let held = payment.held.as_ref().filter(|held| held.delivery == Delivery::Queued)?;
    Some(revised(payment, Held { delivery, ..held.clone() }))
}

pub(super) fn revised(payment: &Payment, held: Held) -> Payment {
    let revision = payment.revision.saturating_add(1);
    Payment { revision, held: Some(held), ..payment.clone() }
}

fn delivery(held: &Held) -> Request {
    Request {
        method: HttpMethod::Post,
        url: format!("{}/api/{}/orders", held.route.gateway_url, held.route.tenant),
        headers: vec![("content-type", ORDER_CONTENT_TYPE.to_owned())],
        body: held.order.clone(),
        timeout_ms: DELIVERY_MS_MAX,
    }
}

fn parked_reason(refusal: &Refusal) -> ParkedReason {
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
        // The order itself; and codes that `is_final_for_an_order` keeps from coming here.
        ErrorCode::Malformed
        | ErrorCode::UnknownVersion
        | ErrorCode::SignatureWrong
        | ErrorCode::TooLarge
        | ErrorCode::Withdrawn
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
