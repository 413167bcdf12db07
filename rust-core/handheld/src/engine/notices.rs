//! Notices: what is said about an order after the hold, signed and durable like the order itself.
//!
//! - *Cancel* and *withdraw* are the officer's. Neither undoes a payment: paid wins. Until the
//!   gateway has answered, the screen reads *cancel requested*, and nothing is certain.
//! - *Quarantined* is the handheld's own: it cannot read the record of this payment any more. A payment
//!   that was taken over from the gateway since has no order to present to a restored one; the same
//!   report asks whether that still knows it, and if it does not, the administrator acts.
//!
//! A notice is on disk before it is claimed, and goes out as the same bytes until it is answered.
//! The order of the same payment always goes first, unless it is parked: otherwise the gateway would
//! hear of the end before the beginning.

use super::exchange::{Answer, HttpMethod, Request, Response, TransportFault, Trust};
use super::message::{Caller, Command, Reply, Step, Ticket};
use super::outbox::{Heard, parked_after_a_restore, parked_reason, revised};
use super::record::{
    Delivery, Enrolment, Held, Key, Notice, NoticeState, NoticeTag, Payment, Record, Route, Write,
};
use super::tries::Tries;
use super::turn::{Moment, Turn};
use super::{Durable, Engine, Purpose};
use crate::error::RequestError;
use crate::port::DeviceKeyError;
use crate::view::{ParkedReason, RecordFault};
use holdfast_domain::cash::officer_may_void;
use holdfast_domain::{GatewayId, PaymentId, PaymentState, TenantSlug};
use holdfast_protocol::notice::REASON_CHARS_MAX;
use holdfast_protocol::wire::{NoticeResponse, ORDER_CONTENT_TYPE};
use holdfast_protocol::{DeviceSignature, NoticeKind, NoticePayload, SignedNotice, SignedOrder};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Notices on their way at once: orders come first on a weak link.
const NOTICES_AT_ONCE: usize = 2;
/// How long one may take, in milliseconds; as long as an order.
const NOTICE_MS_MAX: u64 = 20_000;

type NoticeKey = (PaymentId, NoticeTag);

/// The notices that are not answered yet.
#[derive(Default)]
pub(super) struct Notices {
    tries: BTreeMap<NoticeKey, Tries>,
    signing: BTreeMap<Ticket, Signing>,
    /// When to have the next report of a quarantined payment signed.
    reports: Tries,
    /// Payments that only the gateway knew before it was restored. It is asked by a report.
    asked_about: BTreeSet<PaymentId>,
}

struct Signing {
    caller: Option<Caller>,
    payload: NoticePayload,
    tag: NoticeTag,
    reason: String,
    route: Arc<Route>,
}

/// Where a notice belongs.
struct Addressee {
    gateway: GatewayId,
    tenant: TenantSlug,
    route: Arc<Route>,
}

impl Notices {
    pub(super) fn load(durable: &Durable) -> Self {
        let mut notices = Self::default();
        notices.present_again(durable, 0);
        notices
    }

    pub(super) fn follow(&mut self, notice: &Notice, epoch: u64, now: Moment) {
        let key = (notice.payment, notice.tag);
        if notice.is_to_be_sent(epoch) {
            self.tries.entry(key).or_insert_with(|| Tries::due_at(now.mono_ms));
        } else {
            self.tries.remove(&key);
        }
    }

    pub(super) fn present_again(&mut self, durable: &Durable, now_ms: u64) {
        let epoch = durable.epoch();
        for notice in durable.notices().filter(|notice| notice.is_to_be_sent(epoch)) {
            let key = (notice.payment, notice.tag);
            self.tries.entry(key).or_insert_with(|| Tries::due_at(now_ms));
        }
        durable.payments().for_each(|payment| self.follow_payment(payment, epoch));
    }

    pub(super) fn follow_payment(&mut self, payment: &Payment, epoch: u64) {
        if payment.is_to_be_asked_about(epoch) {
            self.asked_about.insert(payment.payment);
        } else {
            self.asked_about.remove(&payment.payment);
        }
    }

    pub(super) fn forget_payment(&mut self, payment: PaymentId) {
        self.asked_about.remove(&payment);
    }

    /// A report is stored: the next one may follow.
    pub(super) fn reported(&mut self, now: Moment) {
        self.reports.succeed(now.mono_ms);
    }

    pub(super) fn forget(&mut self, payment: PaymentId, tag: NoticeTag) {
        self.tries.remove(&(payment, tag));
    }

    pub(super) fn hurry(&mut self, now: Moment) {
        self.tries.values_mut().for_each(|tries| tries.hurry(now.mono_ms));
    }

    pub(super) fn link_is_back(&mut self, now: Moment) {
        self.tries.values_mut().for_each(|tries| tries.link_is_back(now.mono_ms));
    }
}

impl Notice {
    fn is_to_be_sent(&self, epoch: u64) -> bool {
        match self.state {
            NoticeState::Queued => true,
            NoticeState::Answered => self.epoch < epoch,
            NoticeState::Refused(_) => false,
        }
    }
}

impl Engine {
    pub(super) fn cancel(&mut self, caller: Caller, payment: PaymentId, now: Moment) -> Step {
        self.request(caller, payment, NoticeTag::Cancel, String::new(), now)
    }

    pub(super) fn withdraw(
        &mut self,
        caller: Caller,
        payment: PaymentId,
        reason: &str,
        now: Moment,
    ) -> Step {
        match checked_reason(reason) {
            Ok(reason) => self.request(caller, payment, NoticeTag::Withdraw, reason, now),
            Err(error) => Step::reply(caller, Reply::Request(Err(error))),
        }
    }

    fn request(
        &mut self,
        caller: Caller,
        payment: PaymentId,
        tag: NoticeTag,
        reason: String,
        now: Moment,
    ) -> Step {
        if self.durable.payment(payment).is_some() && self.durable.notice(payment, tag).is_some() {
            // Asked for before: the same answer, and it is on its way.
            return Step::reply(caller, Reply::Request(Ok(())));
        }
        match self.addressee(payment, tag, now) {
            Ok(to) => self.have_signed(Some(caller), payment, tag, reason, to, now),
            Err(error) => Step::reply(caller, Reply::Request(Err(error))),
        }
    }

    /// True if a request about this payment would be taken, as far as this handheld knows.
    pub(super) fn can_request(&self, payment: PaymentId, tag: NoticeTag, now: Moment) -> bool {
        !self.device_key_lost && self.addressee(payment, tag, now).is_ok()
    }

    /// Where a request about this payment goes, if there is still something to ask for.
    fn addressee(
        &self,
        payment: PaymentId,
        tag: NoticeTag,
        now: Moment,
    ) -> Result<Addressee, RequestError> {
        let known = self.durable.payment(payment).ok_or(RequestError::NotFound)?;
        let held = known.held.as_ref().ok_or(RequestError::NotHeld)?;
        let state = self.state(known);
        let is_past = match known.is_cash() {
            true => !self.may_void(known, tag, now),
            false => self.is_past_requests(known),
        };
        if is_past {
            return Err(RequestError::Over { state });
        }
        let enrolment = self.durable.enrolment().ok_or(RequestError::NotEnrolled)?;
        let to = match SignedOrder::parse(&held.order) {
            Ok(order) => Addressee {
                gateway: order.payload().gateway,
                tenant: order.payload().tenant.clone(),
                route: held.route.clone(),
            },
            Err(_) => own(enrolment),
        };
        let is_ours = to.gateway == enrolment.gateway && to.tenant == enrolment.tenant;
        if is_ours { Ok(to) } else { Err(RequestError::NotEnrolled) }
    }

    /// Cash is given back by withdrawing it, for a reason, soon after the hold.
    fn may_void(&self, payment: &Payment, tag: NoticeTag, now: Moment) -> bool {
        let order = payment.held.as_ref().and_then(|held| SignedOrder::parse(&held.order).ok());
        let held_at = order.map(|order| order.payload().held_at_unix_s);
        let in_time = held_at.is_some_and(|at| officer_may_void(at, self.clock.unix_s(now)));
        let state = self.state(payment);
        let is_paid = matches!(state, PaymentState::Paid | PaymentState::NeedsAttention);
        tag == NoticeTag::Withdraw && in_time && is_paid
    }

    fn have_signed(
        &mut self,
        caller: Option<Caller>,
        payment: PaymentId,
        tag: NoticeTag,
        reason: String,
        to: Addressee,
        now: Moment,
    ) -> Step {
        let Some(enrolment) = self.durable.enrolment() else {
            return Step::default();
        };
        let kind = match tag {
            NoticeTag::Cancel => NoticeKind::Cancel,
            NoticeTag::Withdraw => NoticeKind::Withdraw { reason: reason.clone() },
            NoticeTag::Quarantined => NoticeKind::Quarantined { reason: reason.clone() },
        };
        let payload = NoticePayload {
            gateway: to.gateway,
            tenant: to.tenant,
            device: enrolment.device,
            payment,
            kind,
            made_at_unix_s: self.clock.unix_s(now),
        };
        let message = payload.to_be_signed();
        let ticket = self.issue(Purpose::NoticeSignature);
        let signing = Signing { caller, payload, tag, reason, route: to.route };
        self.notices.signing.insert(ticket, signing);
        Step::command(Command::Sign { ticket, message })
    }

    pub(super) fn notice_signature(
        &mut self,
        ticket: Ticket,
        answer: Result<Vec<u8>, DeviceKeyError>,
        turn: &mut Turn,
    ) -> Step {
        self.hear_of_the_key(&answer);
        let Some(signing) = self.notices.signing.remove(&ticket) else {
            return Step::default();
        };
        if signing.tag == NoticeTag::Quarantined {
            // A failed try until it is stored.
            self.notices.reports.fail(false, None, turn);
        }
        let (caller, signed) = (signing.caller, self.signed_notice(signing, answer));
        let refused = Err(RequestError::DeviceKeyUnavailable);
        let outcome = if signed.is_some() { Ok(()) } else { refused };
        let writes = signed.map(|notice| Write::Put(Record::Notice(Box::new(notice))));
        Step {
            writes: writes.into_iter().collect(),
            replies: caller.map(|who| (who, Reply::Request(outcome))).into_iter().collect(),
            ..Step::default()
        }
    }

    fn signed_notice(
        &self,
        signing: Signing,
        answer: Result<Vec<u8>, DeviceKeyError>,
    ) -> Option<Notice> {
        let enrolment = self.durable.enrolment()?;
        let signature = DeviceSignature::from_der(&answer.ok()?).ok()?;
        let payment = signing.payload.payment;
        let notice = SignedNotice::assemble(signing.payload, signature);
        notice.verify(&enrolment.device_key().ok()?).ok()?;
        Some(Notice {
            payment,
            tag: signing.tag,
            reason: signing.reason,
            signed: notice.to_bytes(),
            route: signing.route,
            state: NoticeState::Queued,
            epoch: 0,
        })
    }

    /// Reports the next quarantined payment, and sends what is due.
    pub(super) fn start_notices(&mut self, turn: &mut Turn, commands: &mut Vec<Command>) {
        if self.report_is_due(turn.now)
            && let Some((payment, reason)) = self.next_report()
            && let Some(to) = self.durable.enrolment().map(own)
        {
            let tag = NoticeTag::Quarantined;
            let step = self.have_signed(None, payment, tag, reason.to_owned(), to, turn.now);
            commands.extend(step.commands);
        }
        for (payment, tag) in self.notices_due(turn.now) {
            let Some(notice) = self.durable.notice(payment, tag) else {
                self.notices.forget(payment, tag);
                continue;
            };
            let request = delivery(notice, self.durable.trust_of(&notice.route.gateway_url));
            let ticket = self.issue(Purpose::Notice(payment, tag));
            if let Some(tries) = self.notices.tries.get_mut(&(payment, tag)) {
                tries.start(ticket);
            }
            commands.push(Command::Send { ticket, request });
        }
    }

    pub(super) fn notices_wake_ms(&self) -> Option<u64> {
        let reports = (self.notices.signing.is_empty() && self.next_report().is_some())
            .then(|| self.notices.reports.wake_ms())
            .flatten();
        let sending = self.notice_places() > 0;
        let ready = self.notices.tries.iter().filter(|(key, _)| sending && self.may_go(key));
        ready.filter_map(|(_, tries)| tries.wake_ms()).chain(reports).min()
    }

    fn notice_places(&self) -> usize {
        let in_flight = self.notices.tries.values().filter(|tries| tries.in_flight().is_some());
        NOTICES_AT_ONCE.saturating_sub(in_flight.count())
    }

    fn notices_due(&self, now: Moment) -> Vec<NoticeKey> {
        let due =
            |(key, tries): &(&NoticeKey, &Tries)| tries.is_due(now.mono_ms) && self.may_go(key);
        let due = self.notices.tries.iter().filter(due).map(|(key, _)| *key);
        due.take(self.notice_places()).collect()
    }

    /// The order of the same payment goes first, unless it is parked.
    fn may_go(&self, (payment, _): &NoticeKey) -> bool {
        !self.outbox.includes(*payment)
    }

    fn report_is_due(&self, now: Moment) -> bool {
        self.notices.signing.is_empty() && self.notices.reports.is_due(now.mono_ms)
    }

    /// The next quarantined payment that the gateway has not been told of, and what is wrong.
    fn next_report(&self) -> Option<(PaymentId, &'static str)> {
        if !self.is_approved() || self.device_key_lost {
            return None;
        }
        let is_unreported =
            |payment: PaymentId| self.durable.notice(payment, NoticeTag::Quarantined).is_none();
        let is_lost = |payment: PaymentId| self.durable.payment(payment).is_none();
        let quarantine = self.durable.quarantine().iter().filter(|lost| lost.may_be_held);
        let lost = quarantine.filter_map(|lost| Some((lost.payment()?, words(lost.fault))));
        let lost = lost.filter(|(payment, _)| is_lost(*payment));
        let asked_about = self.notices.asked_about.iter().map(|payment| (*payment, ORDER_LOST));
        lost.chain(asked_about).find(|(payment, _)| is_unreported(*payment))
    }

    pub(super) fn notice_answer(
        &mut self,
        (payment, tag): NoticeKey,
        answer: Result<Response, TransportFault>,
        turn: &mut Turn,
    ) -> Step {
        let answer = self.plausible(Answer::<NoticeResponse>::read(answer));
        self.hear(&answer, turn.now);
        // A failed try until what it leads to is stored.
        if let Some(tries) = self.notices.tries.get_mut(&(payment, tag)) {
            tries.fail_with(&answer, turn);
        }
        let Some(notice) = self.durable.notice(payment, tag).cloned() else {
            return Step::default();
        };
        match answer {
            Answer::Good(response)
                if response.payment.as_ref().is_none_or(|status| status.payment == payment) =>
            {
                self.clock.learn(response.gateway_time_unix_s, turn.now);
                Step::store(self.answered_writes(notice, response))
            }
            Answer::Refused(refusal) if refusal.is_final_for_an_order() => {
                log::warn!("a notice about {payment} is refused: {:?}", refusal.code);
                let state = NoticeState::Refused(parked_reason(&refusal));
                Step::store(vec![Write::Put(Record::Notice(Box::new(Notice { state, ..notice })))])
            }
            _ => Step::default(),
        }
    }

    fn answered_writes(&self, notice: Notice, response: NoticeResponse) -> Vec<Write> {
        let NoticeResponse { payment: status, gateway_time_unix_s, epoch } = response;
        let (payment, tag) = (notice.payment, notice.tag);
        let answered = Notice { state: NoticeState::Answered, epoch, ..notice };
        let is_unknown = status.is_none();
        let heard = Heard { epoch, at_unix_s: gateway_time_unix_s };
        let mut writes = self.heard_writes(status.into_iter().collect(), heard);
        let settled = writes.iter().any(|write| matches!(write, Write::Put(Record::Payment(_))));
        let known = self.durable.payment(payment);
        let lost = known.filter(|_| is_unknown).and_then(|known| lost_on_both_sides(known, heard));
        if let Some(lost) = lost {
            writes.push(Write::payment(lost));
        } else if tag != NoticeTag::Quarantined && (is_unknown || !settled) {
            writes.extend(known.and_then(given_up).map(Write::payment));
        }
        writes.push(Write::Put(Record::Notice(Box::new(answered))));
        writes
    }
}

/// A parked order that the gateway now refuses for good: nothing was accepted, nothing was paid.
fn given_up(payment: &Payment) -> Option<Payment> {
    let held = payment.held.as_ref()?;
    let is_parked = matches!(held.delivery, Delivery::Parked(_));
    let withdrawn = Held { delivery: Delivery::Withdrawn, ..held.clone() };
    is_parked.then(|| revised(payment, withdrawn))
}

/// What only the gateway knew, and it does not know it any more: the administrator has to look at Stripe.
fn lost_on_both_sides(payment: &Payment, heard: Heard) -> Option<Payment> {
    let held = payment.held.as_ref().filter(|held| held.imported && held.epoch <= heard.epoch)?;
    let parked = parked_after_a_restore(held, ParkedReason::OrderLost, heard.epoch);
    Some(revised(payment, parked))
}

fn own(enrolment: &Enrolment) -> Addressee {
    Addressee {
        gateway: enrolment.gateway,
        tenant: enrolment.tenant.clone(),
        route: enrolment.route().into(),
    }
}

/// As the notice takes it: one line, neither empty nor too long.
fn checked_reason(reason: &str) -> Result<String, RequestError> {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let reason: String = reason.trim().chars().map(plain).collect();
    match reason.chars().count() {
        0 => Err(RequestError::ReasonMissing),
        1..=REASON_CHARS_MAX => Ok(reason),
        _ => {
            let max = u32::try_from(REASON_CHARS_MAX).unwrap_or(u32::MAX);
            Err(RequestError::ReasonTooLong { max })
        }
    }
}

/// Said of a payment that was taken over from the gateway before that was restored.
const ORDER_LOST: &str = "The order of this payment is lost on the handheld.";

fn words(fault: RecordFault) -> &'static str {
    match fault {
        RecordFault::Damaged => "The record of this payment is damaged.",
        RecordFault::Missing => "The record of this payment was removed.",
        RecordFault::RolledBack => "An older record of this payment was put back.",
        RecordFault::Stray => "A record of this payment was put in from elsewhere.",
        RecordFault::Unvouched => "It is not certain that the record of this payment is the last.",
        RecordFault::KeyLost => "The key of this payment's record is lost.",
    }
}

fn delivery(notice: &Notice, trust: Trust) -> Request {
    Request {
        method: HttpMethod::Post,
        url: format!("{}/api/{}/notices", notice.route.gateway_url, notice.route.tenant),
        trust,
        headers: vec![("content-type", ORDER_CONTENT_TYPE.to_owned())],
        body: notice.signed.clone(),
        timeout_ms: NOTICE_MS_MAX,
    }
}

impl Notice {
    /// Its name on disk.
    pub fn key(&self) -> Key {
        Key::Notice(self.payment, self.tag)
    }
}
