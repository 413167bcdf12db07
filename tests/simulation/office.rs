//! The office: somebody sends money back, over a connection that is as bad as everybody's, to cards
//! on which refunds hang, or fail after they had succeeded.

use super::Broken;
use super::faults::Fault;
use super::fixture;
use super::world::{Happening, World};
use holdfast_domain::refund::RefundAmount;
use holdfast_domain::{Facts, Money, PaymentId, PaymentState, RefundStatus};
use holdfast_ledger::{
    AskRefund, AskRefundOutcome, RefundKey, RefundRequest, RefundsOf, RequestState, refunds_known,
};
use holdfast_stripe::objects::RefundReason;
use std::collections::BTreeMap;

/// How long somebody takes over the form, in milliseconds.
const THINKS_MS: (i64, i64) = (1_000, 30_000);
/// How soon a form is sent again that got no answer, in milliseconds.
const SENDS_AGAIN_MS: (i64, i64) = (1_000, 60_000);
/// The same where somebody does it wrong, and does not wait for Stripe.
const IMPATIENT_MS: (i64, i64) = (300, 2_000);
/// After sending a form so many times nothing more is tried; it may have arrived all the same.
const SENDS_MAX: u32 = 12;

/// One decision to send money back, with the form that carries it.
pub(super) struct Wish {
    payment: PaymentId,
    amount: RefundAmount,
    /// What it was asked for under: one key, from the form on, unless somebody does it wrong.
    pub(super) keys: Vec<RefundKey>,
    /// How many refunds the form showed.
    known: usize,
    sends: u32,
    pub(super) is_over: bool,
}

impl World {
    /// Somebody looks through the payments, and decides whether money of one goes back.
    pub(super) fn office_looks(&mut self) {
        if !self.gateway.is_up {
            return;
        }
        let paid: Vec<(PaymentId, Money)> = self.gateway.tables(|tables| {
            let orders = tables.orders.values().filter(|order| order.amount.minor() > 1);
            orders.map(|order| (order.payment, order.amount)).collect()
        });
        let Some((payment, total)) = self.shared.lock().chance.pick(&paid).copied() else { return };
        let drawn = self.shared.lock().draw(&[Fault::Refunded, Fault::RefundedInPart]);
        let Some(drawn) = drawn else { return };
        let amount = if drawn == Fault::Refunded {
            RefundAmount::Full
        } else {
            let below = total.minor().unsigned_abs();
            let part = self.shared.lock().chance.below(below.saturating_sub(1)).saturating_add(1);
            let minor = i64::try_from(part).unwrap_or(1);
            RefundAmount::Part(Money::new(minor, total.currency()))
        };
        let Some(known) = self.refunds_shown(payment) else { return };
        let keys = vec![self.new_form()];
        self.note(|| format!("office: opens a form to refund {amount:?} of {payment}"));
        let index = self.wishes.len();
        self.wishes.push(Wish { payment, amount, keys, known, sends: 0, is_over: false });
        let thinks_ms = self.draw_ms(THINKS_MS.0, THINKS_MS.1);
        self.enter_in(thinks_ms, Happening::Refund(index));
    }

    fn new_form(&self) -> RefundKey {
        let mut random = [0; 16];
        holdfast_handheld::engine::Random::fill(&mut self.shared.lock().chance, &mut random);
        RefundKey::mint(random)
    }

    /// How many refunds a form of now shows.
    fn refunds_shown(&self, payment: PaymentId) -> Option<usize> {
        let requests = self.decide(RefundsOf { tenant: fixture::tenant(), payment }).ok()?;
        let facts = self.gateway.tables(|tables| {
            let pieces = tables.evidence.get(&(fixture::tenant(), payment));
            Facts::from_evidence(pieces.into_iter().flatten())
        });
        Some(refunds_known(&requests, &facts))
    }

    /// The form is sent; as the server takes it.
    pub(super) fn send_refund_form(&mut self, index: usize) {
        let Some(wish) = self.wishes.get_mut(index).filter(|wish| !wish.is_over) else { return };
        wish.sends = wish.sends.saturating_add(1);
        let (payment, sends) = (wish.payment, wish.sends);
        if sends > SENDS_MAX {
            wish.is_over = true;
            return;
        }
        let is_watched = self.plan.broken == Some(Broken::RefundAskedAnew);
        let (least, most) = if is_watched { IMPATIENT_MS } else { SENDS_AGAIN_MS };
        let again_ms = self.draw_ms(least, most);
        if !self.gateway.is_up || self.strikes(Fault::GatewayKilledBefore) {
            if self.gateway.is_up {
                self.kill_gateway("before a decision");
            }
            return self.enter_in(again_ms, Happening::Refund(index));
        }
        if sends > 1 && is_watched {
            self.take_for_lost(index, payment);
        }
        let times = if self.strikes(Fault::PressedTwice) { 2 } else { 1 };
        let mut heard = false;
        for _ in 0..times {
            heard = self.ask_refund(index);
        }
        if self.gateway.is_up && self.strikes(Fault::GatewayKilledAfter) {
            self.kill_gateway("after a decision");
            heard = false;
        }
        if !heard || self.strikes(Fault::BrowserLost) || is_watched {
            return self.enter_in(again_ms, Happening::Refund(index));
        }
        if let Some(wish) = self.wishes.get_mut(index) {
            wish.is_over = true;
        }
    }

    /// True if the person was told what became of it, whatever that is.
    fn ask_refund(&mut self, index: usize) -> bool {
        let Some(wish) = self.wishes.get(index) else { return true };
        let Some(key) = wish.keys.last().cloned() else { return true };
        let ask = AskRefund {
            tenant: fixture::tenant(),
            payment: wish.payment,
            key,
            amount: wish.amount,
            reason: "Asked for at the counter.".to_owned(),
            stripe_reason: RefundReason::RequestedByCustomer,
            who: "Office".to_owned(),
            known: Some(wish.known),
            cancels_charges: false,
        };
        let payment = wish.payment;
        let outcome = self.decide(ask);
        self.note(|| {
            let said = outcome.as_ref().map(|outcome| match outcome {
                AskRefundOutcome::Asked { request, new } => {
                    format!("{:?} of {}, new: {new}", request.state, request.amount)
                }
                other => format!("{other:?}").chars().take(80).collect(),
            });
            format!("office: asks for a refund of {payment}: {said:?}")
        });
        !matches!(outcome, Err(_) | Ok(AskRefundOutcome::Recovering))
    }

    /// What must not be done: an answer of Stripe that is not known is taken for none, and the same is
    /// asked for under a new key.
    fn take_for_lost(&mut self, index: usize, payment: PaymentId) {
        let keys = self.wishes.get(index).map(|wish| wish.keys.clone()).unwrap_or_default();
        let is_unknown =
            |it: &RefundRequest| it.state == RequestState::Frozen && keys.contains(&it.key);
        let was_lost = self.gateway.change_tables(|tables| {
            let mut unknown = tables.refund_requests.values_mut().filter(|it| is_unknown(it));
            let found = unknown.next();
            found.map(|request| request.state = RequestState::Refused).is_some()
        });
        let key = self.new_form();
        let shown = self.refunds_shown(payment);
        if let Some((wish, known)) = self.wishes.get_mut(index).zip(shown).filter(|_| was_lost) {
            wish.keys.push(key);
            wish.known = known;
        }
    }

    /// True once nothing is asked for any more, and the ledger knows of each refund how it ended.
    pub(super) fn refunds_are_over(&self) -> bool {
        self.wishes.iter().all(|wish| wish.is_over) && self.refunds_rule().is_none()
    }

    /// Once nothing fails any more, Stripe, the ledger and the list of the finance role say the same
    /// of every refund, and of what went back.
    pub(super) fn refunds_rule(&self) -> Option<(&'static str, String)> {
        let rule = "refunds are the same at Stripe, in the ledger and in the report";
        let at_stripe = self.refunds_at_stripe();
        self.gateway.tables(|tables| {
            let frozen = |it: &&RefundRequest| it.state == RequestState::Frozen;
            if let Some(request) = tables.refund_requests.values().find(frozen) {
                return Some((rule, format!("{} is not decided", request.key)));
            }
            for (payment, refunds) in &at_stripe {
                let key = (fixture::tenant(), *payment);
                // The office is told of what nobody has the order of.
                let Some(known) = tables.payments.get(&key) else { continue };
                let pieces = tables.evidence.get(&key);
                let facts = Facts::from_evidence(pieces.into_iter().flatten());
                let mut here: Vec<_> = facts.refunds();
                here.sort_by_key(|(id, ..)| id.to_string());
                let same = here.len() == refunds.len()
                    && here.iter().zip(refunds).all(|((id, status, amount), there)| {
                        let alert = tables.alerts.get(&(fixture::tenant(), (*id).to_owned()));
                        *id == there.id
                            && *status == there.status
                            && amount.minor() == there.units
                            && alert.is_some_and(|it| it.status == (*status).into())
                    });
                let back: i64 = refunds.iter().filter(|it| it.is_back()).map(|it| it.units).sum();
                let shown = known.state;
                let says_so = match back {
                    0 => !matches!(shown, PaymentState::Refunded | PaymentState::PartlyRefunded),
                    _ if shown == PaymentState::RefundFailed => {
                        refunds.iter().any(|it| !it.is_back())
                    }
                    _ if back == known.total.minor() => shown == PaymentState::Refunded,
                    _ => shown == PaymentState::PartlyRefunded,
                };
                if !same || !says_so {
                    let what =
                        format!("{payment} is {shown:?} with {here:?}, at Stripe {refunds:?}");
                    return Some((rule, what));
                }
            }
            None
        })
    }

    fn refunds_at_stripe(&self) -> BTreeMap<PaymentId, Vec<There>> {
        let shared = self.shared.lock();
        let mut known: BTreeMap<PaymentId, Vec<There>> = BTreeMap::new();
        for refund in shared.stripe.refunds() {
            let charge = shared.stripe.charge(&refund.charge);
            let reference = charge.and_then(|charge| charge.data.metadata.get("holdfast_payment"));
            let Some(payment) = reference.and_then(|id| PaymentId::parse(id).ok()) else {
                continue;
            };
            let status = refund.status.as_str().to_owned();
            let there = There {
                id: refund.id.to_string(),
                status: status_of(&status),
                units: refund.amount,
            };
            known.entry(payment).or_default().push(there);
        }
        known.values_mut().for_each(|refunds| refunds.sort_by(|a, b| a.id.cmp(&b.id)));
        known
    }
}

/// A refund as Stripe has it.
#[derive(Debug)]
struct There {
    id: String,
    status: RefundStatus,
    units: i64,
}

impl There {
    fn is_back(&self) -> bool {
        !matches!(self.status, RefundStatus::Failed | RefundStatus::Canceled)
    }
}

fn status_of(status: &str) -> RefundStatus {
    match status {
        "succeeded" => RefundStatus::Succeeded,
        "failed" => RefundStatus::Failed,
        "canceled" => RefundStatus::Canceled,
        "requires_action" => RefundStatus::RequiresAction,
        _ => RefundStatus::Pending,
    }
}
