//! The rules. The first group is held against the world after every step, the second at its end.

use super::device::Device;
use super::fixture;
use super::world::{Ended, World};
use holdfast_domain::{AttentionReason, PaymentId, PaymentState};
use holdfast_ledger::memory::Tables;
use holdfast_ledger::{AttemptState, DeviceStatus, Payment};
use holdfast_sandbox::core::Core;
use holdfast_stripe::objects::SessionStatus;
use std::collections::{BTreeMap, BTreeSet};

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule, as a sentence.
    pub rule: &'static str,
    /// What breaks it.
    pub what: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the rule “{}” is broken: {}", self.rule, self.what)
    }
}

/// What must be remembered from step to step.
#[derive(Default)]
pub(super) struct Watch {
    /// Payments that the ledger has called paid.
    paid: BTreeSet<PaymentId>,
}

impl Watch {
    /// A restored ledger knows less than it did.
    pub(super) fn forget(&mut self) {
        self.paid.clear();
    }
}

/// What Stripe knows of one payment.
#[derive(Default)]
struct AtStripe {
    /// Sessions that can still take money, or have.
    live: u32,
    open: u32,
    charges: u32,
    units: i64,
    attempts: BTreeSet<String>,
    doubled: Option<String>,
}

fn at_stripe(stripe: &Core) -> BTreeMap<String, AtStripe> {
    let mut known: BTreeMap<String, AtStripe> = BTreeMap::new();
    for session in stripe.sessions() {
        let Some(reference) = session.client_reference_id.as_deref() else { continue };
        let payment = known.entry(reference.to_owned()).or_default();
        match session.status {
            SessionStatus::Open => {
                payment.open = payment.open.saturating_add(1);
                payment.live = payment.live.saturating_add(1);
            }
            SessionStatus::Complete => payment.live = payment.live.saturating_add(1),
            _ => {}
        }
        if let Some(number) = session.metadata.get("holdfast_attempt")
            && !payment.attempts.insert(number.to_owned())
        {
            payment.doubled = Some(number.to_owned());
        }
    }
    for charge in stripe.charges().filter(|charge| charge.decline.is_none()) {
        let Some(reference) = charge.data.metadata.get("holdfast_payment") else { continue };
        let payment = known.entry(reference.to_owned()).or_default();
        payment.charges = payment.charges.saturating_add(1);
        payment.units = payment.units.saturating_add(charge.amount);
    }
    known
}

impl World {
    /// Holds the rules against the world, if anything has changed.
    pub(super) fn check(&mut self) {
        let mut shared = self.shared.lock();
        if !std::mem::take(&mut shared.changed) {
            return;
        }
        let stripe = at_stripe(&shared.stripe);
        let thawed = shared.wire.thawed.clone();
        drop(shared);
        let restored = self.gateway.restored_ms.is_some();
        let broken = self.gateway.tables(|tables| {
            thawed
                .map(|key| ("a key is sent with one body", key))
                .or_else(|| stripe_rules(&stripe, restored))
                .or_else(|| ledger_rules(tables, &stripe, &mut self.watch, restored))
        });
        let broken = broken.or_else(|| self.deals_rule());
        if let Some((rule, what)) = broken {
            self.break_rule(rule, || what);
        }
    }

    /// One hold is one payment, however often the officer had to press.
    fn deals_rule(&self) -> Option<Broken> {
        if self.deals.iter().all(|deal| deal.payments.len() < 2) {
            return None;
        }
        let accepted = |deal: &&super::officer::Deal| {
            let known = |payment: &&PaymentId| {
                self.gateway
                    .tables(|tables| tables.payments.contains_key(&(fixture::tenant(), **payment)))
            };
            deal.payments.iter().filter(known).count() > 1
        };
        let deal = self.deals.iter().find(accepted)?;
        Some(("one hold is one payment", format!("{:?}", deal.payments)))
    }

    /// True once every promise has come to its end and everybody knows.
    pub(super) fn is_settled(&self) -> bool {
        let deals_are_over = self.deals.iter().all(super::officer::Deal::is_done);
        deals_are_over
            && self.gateway.tasks.is_empty()
            && self.devices.iter().all(|device| {
                device.promised.iter().all(|payment| self.unfinished(device, *payment).is_none())
            })
    }

    /// What is missing until a promise has come to a good end, or to a named person, and its screen
    /// shows that.
    fn unfinished(&self, device: &Device, payment: PaymentId) -> Option<String> {
        let view = device.engine.as_ref().and_then(|engine| engine.payment(payment));
        let shown = view.map(|view| (view.state, view.parked));
        let key = (fixture::tenant(), payment);
        let (known, is_revoked) = self.gateway.tables(|tables| {
            let of_id = |known: &&holdfast_ledger::Device| known.device == device.id;
            let found = tables.devices.values().find(of_id);
            let is_revoked = found.is_some_and(|known| known.status == DeviceStatus::Revoked);
            (tables.payments.get(&key).map(|payment| payment.state), is_revoked)
        });
        let is_finished = match (&shown, known) {
            (Some((_, parked)), None) => parked.is_some(),
            // A handheld that was revoked is told nothing any more: the office knows.
            (Some((shown, _)), Some(known)) => is_over(known) && (*shown == known || is_revoked),
            (None, _) => false,
        };
        (!is_finished)
            .then(|| format!("{payment}: the screen says {shown:?}, the ledger {known:?}"))
    }

    /// What must be so when all is over.
    pub(super) fn check_the_end(&mut self) -> Result<(), Violation> {
        self.note(|| "the end".to_owned());
        let broken =
            self.promises_rule().or_else(|| self.money_rule()).or_else(|| self.drain_rule());
        match broken {
            None => Ok(()),
            Some((rule, what)) => {
                self.break_rule(rule, || what.clone());
                Err(Violation { rule, what })
            }
        }
    }

    /// Every promise comes to a good end or to a named person, and the handheld shows it.
    fn promises_rule(&self) -> Option<Broken> {
        let mut promises = self.devices.iter().flat_map(|device| {
            device.promised.iter().filter_map(move |payment| self.unfinished(device, *payment))
        });
        promises.next().map(|what| ("every promise comes to an end", what))
    }

    /// Charges, orders and the report tell the same sum.
    fn money_rule(&self) -> Option<Broken> {
        let stripe = at_stripe(&self.shared.lock().stripe);
        let charged: i64 = stripe.values().map(|it| it.units).sum();
        let count: u32 = stripe.values().map(|it| it.charges).sum();
        let (ordered, reported, orders) = self.gateway.tables(|tables| {
            let ordered: i64 = tables.orders.values().map(|order| order.amount.minor()).sum();
            let paid = tables.payments.values().filter(|payment| payment.paid_at_ms.is_some());
            let reported: i64 = paid.map(|payment| payment.total.minor()).sum();
            (ordered, reported, tables.orders.len())
        });
        let agree = charged == ordered && ordered == reported;
        (!agree || usize::try_from(count).ok() != Some(orders)).then(|| {
            let what = format!(
                "{count} charges over {charged}, {orders} orders over {ordered}, reported {reported}"
            );
            ("charges, orders and the report tell the same sum", what)
        })
    }

    /// Eight orders through an outbox, everybody pays: eight charges.
    fn drain_rule(&self) -> Option<Broken> {
        if self.plan.schedule != super::Schedule::Drain {
            return None;
        }
        let ended = self.counted();
        let promised: usize = self.devices.iter().map(|device| device.promised.len()).sum();
        let all = u64::try_from(self.deals.len()).unwrap_or(0);
        let exact = ended.orders == all && ended.charges == all && promised == self.deals.len();
        (!exact).then(|| {
            let what = format!(
                "{promised} promises, {} orders and {} charges",
                ended.orders, ended.charges
            );
            ("eight orders are eight charges", what)
        })
    }

    pub(super) fn counted(&self) -> Ended {
        let stripe = at_stripe(&self.shared.lock().stripe);
        let number = |count: usize| u64::try_from(count).unwrap_or(0);
        let (orders, to_a_person) = self.gateway.tables(|tables| {
            let attention = |p: &&Payment| p.state == PaymentState::NeedsAttention;
            (tables.orders.len(), tables.payments.values().filter(attention).count())
        });
        let parked =
            self.devices.iter().filter_map(|device| device.engine.as_ref().zip(Some(device)));
        let parked = parked.flat_map(|(engine, device)| {
            device.promised.iter().filter(move |payment| {
                engine.payment(**payment).is_some_and(|view| view.parked.is_some())
            })
        });
        Ended {
            orders: number(orders),
            charges: stripe.values().map(|it| u64::from(it.charges)).sum(),
            to_a_person: number(to_a_person.saturating_add(parked.count())),
            ..Ended::default()
        }
    }
}

/// A rule and what breaks it.
type Broken = (&'static str, String);

fn stripe_rules(stripe: &BTreeMap<String, AtStripe>, restored: bool) -> Option<Broken> {
    stripe.iter().find_map(|(payment, known)| {
        if known.charges > 1 {
            let what = format!("{payment}: {} charges", known.charges);
            return Some(("a payment is charged at most once", what));
        }
        if restored {
            return None;
        }
        if known.live > 1 {
            let what = format!("{payment}: {} sessions, {} open", known.live, known.open);
            return Some(("a payment has one session that takes money", what));
        }
        known.doubled.as_ref().map(|number| {
            let what = format!("{payment}: two of attempt {number}");
            ("an attempt makes one session", what)
        })
    })
}

fn ledger_rules(
    tables: &Tables,
    stripe: &BTreeMap<String, AtStripe>,
    watch: &mut Watch,
    restored: bool,
) -> Option<Broken> {
    for payment in tables.payments.values() {
        let id = payment.payment;
        let has_order = tables.orders.contains_key(&(payment.tenant.clone(), id));
        if has_order != payment.receipt_order_id.is_some() {
            return Some(("an order is in the ledger once its payment has money", id.to_string()));
        }
        let known = stripe.get(&id.to_string());
        let charged = known.map_or(0, |known| known.units);
        if has_order && charged != payment.total.minor() {
            let what = format!("{id}: {charged} of {}", payment.total);
            return Some(("an order has its money at Stripe", what));
        }
        if payment.state.has_been_paid() && !has_order {
            return Some(("what is paid has an order", id.to_string()));
        }
        if payment.state.has_been_paid() {
            watch.paid.insert(id);
        } else if watch.paid.contains(&id) {
            return Some(("paid stays paid", format!("{id} is {:?}", payment.state)));
        }
        // Stripe may refuse for good, which a person hears of. Nothing else in a run asks for one.
        let odd = payment.attention.filter(|it| *it != AttentionReason::StripeRefuses);
        if let Some(reason) = odd.filter(|_| !restored) {
            return Some(("nothing odd happens to money", format!("{id}: {reason:?}")));
        }
    }
    let open = tables.attempts.values().filter(|it| it.state != AttemptState::Disposed);
    let mut seen = BTreeSet::new();
    for attempt in open {
        if !seen.insert(attempt.payment) {
            let what = attempt.payment.to_string();
            return Some(("one attempt of a payment is not disposed of", what));
        }
    }
    None
}

/// Nothing more happens to it unless somebody acts.
fn is_over(state: PaymentState) -> bool {
    state.has_been_paid()
        || matches!(
            state,
            PaymentState::Expired
                | PaymentState::Canceled
                | PaymentState::Withdrawn
                | PaymentState::AlreadyPaid
                | PaymentState::NeedsAttention
        )
}
