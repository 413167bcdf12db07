//! The rules. The first group is held against the world after every step, the second at its end.

use super::claims::claims_rule;
use super::device::Device;
use super::fixture;
use super::office::Wish;
use super::officer::is_named;
use super::world::{Ended, World};
use holdfast_domain::{AttentionReason, PaymentId, PaymentState};
use holdfast_ledger::memory::Tables;
use holdfast_ledger::recovery::RecoveryStage;
use holdfast_ledger::work::{META_PAYMENT, META_REFUND};
use holdfast_ledger::{AttemptState, DeviceStatus, JobKind, Notice, Payment};
use holdfast_protocol::NoticeKind;
use holdfast_sandbox::core::Core;
use holdfast_stripe::objects::{RefundStatus, SessionStatus};
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
    /// The sum of the ledger's revisions when its payments were last looked at.
    revision: u64,
    /// After how many changes of the ledger the rules were last held against it.
    ledger_changes: Option<u64>,
    /// What Stripe knew when it last changed.
    stripe: BTreeMap<String, AtStripe>,
}

impl Watch {
    /// A restored ledger knows less than it did.
    pub(super) fn forget(&mut self) {
        self.paid.clear();
        self.revision = 0;
    }
}

/// What Stripe knows of one payment.
#[derive(Debug, Default)]
pub(super) struct AtStripe {
    /// Sessions that can still take money, or have.
    live: u32,
    pub(super) open: u32,
    charges: u32,
    units: i64,
    attempts: BTreeSet<String>,
    doubled: Option<String>,
    /// Refunds by the key that they were asked for under.
    refunds: BTreeMap<String, u32>,
    /// What went back, or is on its way.
    back_units: i64,
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
    for refund in stripe.refunds() {
        let Some(reference) = refund.metadata.get(META_PAYMENT) else { continue };
        let payment = known.entry(reference.to_owned()).or_default();
        if !matches!(refund.status, RefundStatus::Failed | RefundStatus::Canceled) {
            payment.back_units = payment.back_units.saturating_add(refund.amount);
        }
        if let Some(key) = refund.metadata.get(META_REFUND) {
            let count = payment.refunds.entry(key.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
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
        let restored = self.gateway.restored_ms.is_some();
        let stripe_changed = std::mem::take(&mut shared.stripe_changed);
        if stripe_changed {
            self.watch.stripe = at_stripe(&shared.stripe);
        }
        let thawed = shared.wire.thawed.clone();
        drop(shared);
        let watch = &mut self.watch;
        let mut broken = thawed.map(|key| ("a key is sent with one body", key));
        if stripe_changed {
            broken = broken
                .or_else(|| stripe_rules(&watch.stripe, restored))
                .or_else(|| refund_rules(&watch.stripe, &self.wishes));
        }
        // Rows that are as they were break no rule that they did not break before.
        let changes = Some(self.gateway.ledger.changes());
        if std::mem::replace(&mut watch.ledger_changes, changes) != changes || stripe_changed {
            broken = broken.or_else(|| {
                self.gateway.tables(|tables| {
                    attempts_rule(tables)
                        .or_else(|| ledger_rules(tables, watch, restored, stripe_changed))
                })
            });
        }
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
        // A payment that was given up, or refused, is over for its officer before it is at Stripe.
        let pages_are_over = self.gateway.tables(|tables| {
            // After a restore a page that is over may still wait to be looked at.
            tables.jobs.keys().all(|(_, kind, _)| *kind != JobKind::CheckSession)
                && tables.attempts.values().all(|it| it.state == AttemptState::Disposed)
                && tables.recoveries.values().all(|it| it.stage == RecoveryStage::Done)
        });
        deals_are_over
            && pages_are_over
            && self.refunds_are_over()
            && self.gateway.tasks.is_empty()
            && self.devices.iter().all(|device| {
                let is_finished = |payment| self.unfinished(device, payment).is_none();
                device.listed().into_iter().all(is_finished)
            })
    }

    /// What is missing until a promise has come to a good end, or to a named person, and its screen
    /// shows that.
    fn unfinished(&self, device: &Device, payment: PaymentId) -> Option<String> {
        let shown = device.engine.as_ref().and_then(|engine| engine.standing(payment));
        let key = (fixture::tenant(), payment);
        let (known, is_revoked) = self.gateway.tables(|tables| {
            let of_id = |known: &&holdfast_ledger::Device| known.device == device.id;
            let found = tables.devices.values().find(of_id);
            let is_revoked = found.is_some_and(|known| known.status == DeviceStatus::Revoked);
            (tables.payments.get(&key).map(|payment| payment.state), is_revoked)
        });
        let is_finished = match (&shown, known) {
            // Given up before the gateway ever had it.
            (Some((PaymentState::Withdrawn, _)), None) => true,
            // Its order is lost in a damaged record, and the gateway's in the restore: the office has been
            // told of one of the two, and no screen says that somebody may still pay.
            (Some((shown, parked)), None) => {
                let is_told =
                    parked.is_some() || self.is_reported(payment) || self.is_found(payment);
                is_told && (is_over(*shown) || is_revoked)
            }
            // A handheld that was revoked is told nothing any more: the office knows.
            (Some((shown, _)), Some(known)) => is_over(known) && (*shown == known || is_revoked),
            // Its record is damaged: the screen names it, and the office has been told.
            (None, known) => {
                let durable = device.engine.as_ref().map(|engine| engine.durable());
                durable.is_some_and(|durable| is_named(durable, payment))
                    && (is_revoked || self.is_reported(payment))
                    && known.is_none_or(is_over)
            }
        };
        (!is_finished)
            .then(|| format!("{payment}: the screen says {shown:?}, the ledger {known:?}"))
    }

    /// The handheld's report that it cannot read the payment is among the office's.
    fn is_reported(&self, payment: PaymentId) -> bool {
        self.gateway.tables(|tables| {
            tables.notices.values().any(|it| it.payment == payment && is_report(it))
        })
    }

    /// The payment is among the card pages that a restored gateway found and whose orders are awaited.
    fn is_found(&self, payment: PaymentId) -> bool {
        self.gateway.tables(|tables| tables.found.values().any(|it| it.payment == payment))
    }

    /// What must be so when all is over.
    pub(super) fn check_the_end(&mut self) -> Result<(), Violation> {
        self.note(|| "the end".to_owned());
        let broken =
            self.promises_rule().or_else(|| self.money_rule()).or_else(|| self.drain_rule());
        let broken = broken.or_else(|| self.refunds_rule()).or_else(|| self.settled_once_rule());
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
            device.listed().into_iter().filter_map(|payment| self.unfinished(device, payment))
        });
        promises.next().map(|what| ("every promise comes to an end", what))
    }

    /// Charges, orders and the report tell the same sum.
    fn money_rule(&self) -> Option<Broken> {
        let stripe = at_stripe(&self.shared.lock().stripe);
        // The office is told of pages whose orders have not come again.
        let waiting: BTreeSet<String> = self
            .gateway
            .tables(|tables| tables.found.values().map(|it| it.payment.to_string()).collect());
        let here = || stripe.iter().filter(|(payment, _)| !waiting.contains(*payment));
        let charged: i64 = here().map(|(_, it)| it.units).sum();
        let count: u32 = here().map(|(_, it)| it.charges).sum();
        let (ordered, reported, orders) = self.gateway.tables(|tables| {
            // Cash never was at Stripe.
            let cash = fixture::cash_code();
            let by_card = tables.payments.values().filter(|payment| payment.payment_type != cash);
            let paid = by_card.filter(|payment| payment.paid_at_ms.is_some());
            let reported: i64 = paid.map(|payment| payment.total.minor()).sum();
            let is_cash = |payment: &Payment| payment.payment_type == cash;
            let orders = tables
                .orders
                .iter()
                .filter(|(key, _)| !tables.payments.get(key).is_some_and(is_cash));
            let amounts: Vec<i64> = orders.map(|(_, order)| order.amount.minor()).collect();
            (amounts.iter().sum::<i64>(), reported, amounts.len())
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
        let number = |count: usize| u64::try_from(count).unwrap_or(0);
        let (stripe, refunds) = {
            let stripe = &self.shared.lock().stripe;
            (at_stripe(stripe), number(stripe.refunds().count()))
        };
        let (orders, to_a_person, already_paid, reports) = self.gateway.tables(|tables| {
            let of = |state| tables.payments.values().filter(move |it| it.state == state).count();
            let reports = tables.notices.values().filter(|it| is_report(it)).count();
            let states = (of(PaymentState::NeedsAttention), of(PaymentState::AlreadyPaid));
            (tables.orders.len(), states.0, states.1, reports)
        });
        let parked =
            self.devices.iter().filter_map(|device| device.engine.as_ref().zip(Some(device)));
        let parked = parked.flat_map(|(engine, device)| {
            device.promised.iter().filter(move |payment| {
                engine.standing(**payment).is_some_and(|(_, parked)| parked.is_some())
            })
        });
        Ended {
            orders: number(orders),
            charges: stripe.values().map(|it| u64::from(it.charges)).sum(),
            to_a_person: number(to_a_person.saturating_add(parked.count())),
            refunds,
            already_paid: number(already_paid),
            reports: number(reports),
            ..Ended::default()
        }
    }
}

/// A rule and what breaks it.
pub(super) type Broken = (&'static str, String);

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

fn refund_rules(stripe: &BTreeMap<String, AtStripe>, wishes: &[Wish]) -> Option<Broken> {
    stripe.iter().filter(|(_, known)| !known.refunds.is_empty()).find_map(|(payment, known)| {
        if known.back_units > known.units {
            let what = format!("{payment}: {} of {}", known.back_units, known.units);
            return Some(("no more goes back than was paid", what));
        }
        let of_key = |key: &str| known.refunds.get(key).copied().unwrap_or(0);
        let of_wish = |wish: &Wish| wish.keys.iter().map(|key| of_key(key.as_str())).sum::<u32>();
        let is_doubled = wishes.iter().any(|wish| of_wish(wish) > 1);
        is_doubled.then(|| ("a wish to refund is one refund", format!("{payment}: {known:?}")))
    })
}

fn ledger_rules(
    tables: &Tables,
    watch: &mut Watch,
    restored: bool,
    stripe_changed: bool,
) -> Option<Broken> {
    if !restored && let Some(broken) = claims_rule(tables, &watch.stripe) {
        return Some(broken);
    }
    // Whatever changes about a payment gets a revision of its own.
    let revision = tables.revisions.values().sum();
    if std::mem::replace(&mut watch.revision, revision) == revision && !stripe_changed {
        return None;
    }
    let cash = fixture::cash_code();
    for payment in tables.payments.values() {
        let id = payment.payment;
        let has_order = tables.orders.contains_key(&(payment.tenant.clone(), id));
        if has_order != payment.receipt_order_id.is_some() {
            return Some(("an order is in the ledger once its payment has money", id.to_string()));
        }
        let is_cash = payment.payment_type == cash;
        let charged = || watch.stripe.get(&id.to_string()).map_or(0, |known| known.units);
        if has_order && !is_cash && charged() != payment.total.minor() {
            let charged = charged();
            let what = format!("{id}: {charged} of {}", payment.total);
            return Some(("an order has its money at Stripe", what));
        }
        if payment.state.has_been_paid() && !has_order {
            return Some(("what is paid has an order", id.to_string()));
        }
        if payment.state.has_been_paid() {
            watch.paid.insert(id);
        } else if watch.paid.contains(&id) && !is_cash {
            return Some(("paid stays paid", format!("{id} is {:?}", payment.state)));
        }
        // Stripe may refuse for good, and what a revoked handheld held needs an approval: a person hears
        // of both. Cash beside card is money that came twice: a person hears of that as well.
        let has_claims = !tables.charges.is_empty();
        let odd = payment.attention.filter(|it| match it {
            AttentionReason::StripeRefuses | AttentionReason::AwaitsApproval => false,
            AttentionReason::PaidTwice => !has_claims,
            _ => true,
        });
        if let Some(reason) = odd.filter(|_| !restored) {
            return Some(("nothing odd happens to money", format!("{id}: {reason:?}")));
        }
    }
    None
}

fn is_report(notice: &Notice) -> bool {
    matches!(notice.kind, NoticeKind::Quarantined { .. })
}

/// A payer can never pay the same payment on two pages.
fn attempts_rule(tables: &Tables) -> Option<Broken> {
    let mut before = None;
    for attempt in tables.attempts.values().filter(|it| it.state != AttemptState::Disposed) {
        // They lie in the order of their payments.
        if before.replace(attempt.payment) == Some(attempt.payment) {
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
