//! What the gateway knows and this handheld does not, and the other way round.
//!
//! - **History.** A payment that is over is kept for as many days as the tenant says, counted from
//!   the gateway's first answer by the gateway's clock, and then forgotten. Anything that may still
//!   need a person is never forgotten.
//! - **A restored gateway** has a greater epoch. Whatever it acknowledged in an earlier one it may
//!   have lost: those orders are presented again, as they are, and so are the notices.
//! - **An older file put back.** Each record of it is good, so no seal can tell. The gateway can: it
//!   knows payments of this handheld that the file does not, or sequence numbers that the file
//!   takes for free. Such payments are taken over as the gateway tells them, and the numbers go on
//!   after a gap that is longer than what was lost can be.

use super::durable::minted_ms;
use super::outbox::{Heard, with_status};
use super::record::{Counters, Delivery, Held, HeldMoment, Key, NoticeTag, Payment, Record, Write};
use super::{Engine, Quarantined};
use holdfast_domain::{Cart, PaymentId, PaymentState};
use holdfast_protocol::wire::{ConfigResponse, PaymentStatus};
use std::collections::BTreeMap;

/// Numbers left out after an older file was put back: more orders than a handheld makes between two
/// backups. The gateway reports the gap, and that is right.
const SEQUENCE_GAP: u64 = 100_000;
/// Payments forgotten by one commit at the most: the rest follows with the next configuration.
const FORGOTTEN_AT_ONCE: usize = 500;

impl Engine {
    /// What the gateway said about these payments, and whatever else follows from it.
    pub(super) fn heard_writes(&self, statuses: Vec<PaymentStatus>, heard: Heard) -> Vec<Write> {
        let mut changed: BTreeMap<PaymentId, Payment> = BTreeMap::new();
        let mut older_file = false;
        for status in statuses {
            let payment = status.payment;
            let known = changed.get(&payment).or_else(|| self.durable.payment(payment));
            let next = match known {
                Some(known) if known.held.is_some() => with_status(known, status, heard),
                known => {
                    let news = self.is_news(payment);
                    older_file |= news && !self.is_quarantined(payment);
                    news.then(|| self.imported(known, status, heard)).flatten()
                }
            };
            changed.extend(next.map(|next| (payment, self.with_better_time(next))));
        }
        let mut writes: Vec<_> = changed.into_values().map(Write::payment).collect();
        let counters = self.counters_after(heard, older_file);
        writes.extend(counters.map(|counters| Write::Put(Record::Counters(counters))));
        writes.extend(self.clock_mark());
        writes
    }

    /// The numbers go on after a gap.
    pub(super) fn after_an_older_file(&self) -> Option<Write> {
        let enrolment = self.durable.enrolment()?;
        let counters = past_an_older_file(self.durable.counters(enrolment));
        Some(Write::Put(Record::Counters(counters)))
    }

    /// Forgets what is over for long enough.
    pub(super) fn forget_history(&self, config: &ConfigResponse) -> Vec<Write> {
        let Some(enrolment) = self.durable.enrolment() else {
            return Vec::new();
        };
        let days_s = u64::from(config.history_days).saturating_mul(24 * 60 * 60);
        let until_s = config.gateway_time_unix_s.saturating_sub(days_s);
        let old = |payment: &&Payment| {
            let acknowledged = payment.held.as_ref().and_then(|h| h.acknowledged_at_unix_s);
            acknowledged.is_some_and(|at| at < until_s)
                && self.is_over_for_good(payment)
                && !self.outbox.includes(payment.payment)
        };
        let old: Vec<_> = self.durable.payments().filter(old).take(FORGOTTEN_AT_ONCE).collect();
        let Some(newest) = old.iter().map(|payment| minted_ms(payment.payment)).max() else {
            return Vec::new();
        };
        let counters = self.durable.counters(enrolment);
        let forgotten_until_ms = counters.forgotten_until_ms.max(newest);
        let counters = Counters { forgotten_until_ms, ..counters };
        let ids = old.into_iter().map(|payment| payment.payment);
        let mut writes: Vec<_> = ids.flat_map(|payment| self.forget(payment)).collect();
        writes.push(Write::Put(Record::Counters(counters)));
        writes
    }

    fn forget(&self, payment: PaymentId) -> Vec<Write> {
        let tags = [NoticeTag::Cancel, NoticeTag::Withdraw, NoticeTag::Quarantined];
        let known = tags.into_iter().filter(|tag| self.durable.notice(payment, *tag).is_some());
        let notices = known.map(|tag| Write::Delete(Key::Notice(payment, tag)));
        notices.chain([Write::Delete(Key::Payment(payment))]).collect()
    }

    /// Nothing can be asked of anybody any more, as far as the gateway has said.
    fn is_over_for_good(&self, payment: &Payment) -> bool {
        use PaymentState as P;
        let held = payment.held.as_ref();
        let is_parked = held.is_some_and(|held| matches!(held.delivery, Delivery::Parked(_)));
        let state = self.state(payment);
        let is_over = matches!(
            state,
            P::Paid | P::Refunded | P::PartlyRefunded | P::Expired | P::Canceled | P::Withdrawn
        );
        let is_only_here = payment.is_cash() && held.is_some_and(|held| held.status.is_none());
        !is_parked && !is_only_here && (is_over || state == P::AlreadyPaid)
    }

    /// True if this handheld ought to know the payment: it is not history.
    fn is_news(&self, payment: PaymentId) -> bool {
        let forgotten = |enrolment| self.durable.counters(enrolment).forgotten_until_ms;
        let forgotten_until_ms = self.durable.enrolment().map_or(0, forgotten);
        self.is_quarantined(payment) || minted_ms(payment) > forgotten_until_ms
    }

    fn is_quarantined(&self, payment: PaymentId) -> bool {
        self.durable.quarantine().iter().filter_map(Quarantined::payment).any(|id| id == payment)
    }

    fn counters_after(&self, heard: Heard, older_file: bool) -> Option<Counters> {
        let known = self.durable.counters(self.durable.enrolment()?);
        let mut next = if older_file { past_an_older_file(known) } else { known };
        if heard.epoch > next.epoch {
            if next.epoch > 0 {
                log::warn!("the gateway was restored: epoch {} after {}", heard.epoch, next.epoch);
            }
            // It counts its changes anew: ask for all of them.
            next = Counters { epoch: heard.epoch, changes_after: 0, ..next };
        }
        (next != known).then_some(next)
    }

    /// A record made from what the gateway says, in place of one that is lost.
    fn imported(
        &self,
        known: Option<&Payment>,
        status: PaymentStatus,
        heard: Heard,
    ) -> Option<Payment> {
        let enrolment = self.durable.enrolment()?;
        log::warn!("payment {} is known from the gateway alone", status.payment);
        let lines = || Cart {
            catalogue_version: 0,
            lines: Vec::new(),
            priced: Vec::new(),
            total: status.amount,
        };
        let cart = known.map(|draft| draft.cart.clone()).filter(|cart| cart.total == status.amount);
        let held = Held {
            order: Vec::new(),
            sequence: 0,
            device: enrolment.device,
            held_at_ms: minted_ms(status.payment),
            route: enrolment.route().into(),
            delivery: Delivery::Delivered,
            moment: HeldMoment::default(),
            told: true,
            imported: true,
            epoch: heard.epoch,
            acknowledged_at_unix_s: Some(heard.at_unix_s),
            proof: None,
            wrong_codes: 0,
            status: None,
        };
        Some(Payment {
            payment: status.payment,
            revision: known.map_or(1, |draft| draft.revision.saturating_add(1)),
            drafted_at_ms: minted_ms(status.payment),
            cart: cart.unwrap_or_else(lines),
            method: known.and_then(|draft| draft.method.clone()),
            held: Some(Held { status: Some(status.into()), ..held }),
        })
    }

    /// Notes when it was held by the gateway's clock, while that can be known.
    fn with_better_time(&self, payment: Payment) -> Payment {
        let Some(held) = &payment.held else {
            return payment;
        };
        let mut moment = held.moment;
        moment.gateway_ms = moment.gateway_ms.or_else(|| self.held_at_gateway_ms(held));
        Payment { held: Some(Held { moment, ..held.clone() }), ..payment }
    }
}

fn past_an_older_file(counters: Counters) -> Counters {
    let next_sequence = counters.next_sequence.saturating_add(SEQUENCE_GAP);
    Counters { next_sequence, older_file: true, ..counters }
}
