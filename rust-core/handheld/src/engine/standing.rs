//! Where a payment stands, by all that this handheld knows, and who acts.

use super::Engine;
use super::outbox::says_unpaid;
use super::record::{Delivery, NoticeState, NoticeTag, Payment};
use crate::view::{ParkedReason, RequestKind, RequestView, WhoActs};
use holdfast_domain::PaymentState;

impl Engine {
    /// The one state that every screen shows.
    ///
    /// Money first: what the gateway or an offline proof says of money outranks whatever hinders the
    /// order. Then what hinders it, then what the officer asked for, then the gateway's word.
    pub(super) fn state(&self, payment: &Payment) -> PaymentState {
        let Some(held) = &payment.held else {
            return PaymentState::Draft;
        };
        let known = held.status.as_ref().map(|status| status.state);
        if let Some(known) = known.filter(|known| !says_unpaid(*known)) {
            return known;
        }
        if held.proof.is_some() {
            return PaymentState::Paid;
        }
        let base = match held.delivery {
            Delivery::Withdrawn => return PaymentState::Withdrawn,
            // The office may know of money for it, whatever the officer asked for.
            Delivery::Parked(ParkedReason::Conflict | ParkedReason::OrderLost) => {
                return PaymentState::NeedsAttention;
            }
            Delivery::Parked(_) if self.is_given_up(payment) => return PaymentState::Withdrawn,
            Delivery::Parked(_) => return PaymentState::NeedsAttention,
            // The officer has the money: the hold is the payment, also without a network.
            Delivery::Queued if payment.is_cash() => PaymentState::Paid,
            Delivery::Delivered if payment.is_cash() && known.is_none() => PaymentState::Paid,
            Delivery::Queued => PaymentState::Queued,
            Delivery::Delivered => known.unwrap_or(PaymentState::Sent),
        };
        let is_open = base.can_be_paid()
            || base == PaymentState::Processing
            || (payment.is_cash() && base == PaymentState::Paid);
        if is_open && self.awaits_an_answer(payment) { PaymentState::CancelRequested } else { base }
    }

    /// True if the proof of payment is the handheld's own, and the gateway has not said so yet.
    pub(super) fn is_verified_offline(&self, payment: &Payment) -> bool {
        let held = payment.held.as_ref().filter(|held| held.proof.is_some());
        held.is_some_and(|held| held.status.as_ref().is_none_or(|s| says_unpaid(s.state)))
    }

    /// True if there is nothing left to cancel or to withdraw.
    pub(super) fn is_past_requests(&self, payment: &Payment) -> bool {
        use PaymentState as P;
        let state = self.state(payment);
        state.has_been_paid()
            || matches!(state, P::Expired | P::Canceled | P::Withdrawn | P::AlreadyPaid)
    }

    pub(super) fn request_view(&self, payment: &Payment) -> Option<RequestView> {
        let notice = |tag| self.durable.notice(payment.payment, tag);
        let (notice, kind) = match notice(NoticeTag::Withdraw) {
            Some(notice) => (notice, RequestKind::Withdraw),
            None => (notice(NoticeTag::Cancel)?, RequestKind::Cancel),
        };
        Some(RequestView {
            kind,
            reason: (!notice.reason.is_empty()).then(|| notice.reason.clone()),
            answered: notice.state == NoticeState::Answered,
            refused: match notice.state {
                NoticeState::Refused(reason) => Some(reason),
                NoticeState::Queued | NoticeState::Answered => None,
            },
        })
    }

    /// Who acts, if something is wrong; nobody else needs to.
    pub(super) fn who_acts(&self, payment: &Payment, lifetime_over: bool) -> Option<WhoActs> {
        let held = payment.held.as_ref()?;
        let state = self.state(payment);
        if let Delivery::Parked(reason) = held.delivery
            && state != PaymentState::Withdrawn
        {
            return Some(who_unparks(reason));
        }
        match state {
            PaymentState::NeedsAttention | PaymentState::RefundFailed | PaymentState::Disputed => {
                Some(WhoActs::Administrator)
            }
            PaymentState::Declined | PaymentState::Owed => Some(WhoActs::Officer),
            _ if state.can_be_paid() && lifetime_over => Some(WhoActs::Officer),
            _ if self.is_found_at_start(payment) => Some(WhoActs::Officer),
            _ if self.request_view(payment).is_some_and(|r| r.refused.is_some()) => {
                Some(WhoActs::Administrator)
            }
            _ => None,
        }
    }

    /// True if nobody may have been told that it is held.
    pub(super) fn is_found_at_start(&self, payment: &Payment) -> bool {
        let is_only_here =
            payment.is_cash() && payment.held.as_ref().is_some_and(|held| held.status.is_none());
        payment.held.as_ref().is_some_and(|held| !held.told)
            && !self.untold.includes(payment.payment)
            && (is_only_here || !self.is_past_requests(payment))
    }

    /// The officer gave it up, and the gateway never took it.
    fn is_given_up(&self, payment: &Payment) -> bool {
        let withdrawal = self.durable.notice(payment.payment, NoticeTag::Withdraw);
        withdrawal.is_some_and(|notice| !matches!(notice.state, NoticeState::Refused(_)))
    }

    fn awaits_an_answer(&self, payment: &Payment) -> bool {
        let asked = [NoticeTag::Cancel, NoticeTag::Withdraw];
        let mut notices =
            asked.into_iter().filter_map(|tag| self.durable.notice(payment.payment, tag));
        notices.any(|notice| notice.state == NoticeState::Queued)
    }
}

/// Who can do something about an order that the gateway refuses.
fn who_unparks(reason: ParkedReason) -> WhoActs {
    match reason {
        // Withdraw it, and hold again with what is right now.
        ParkedReason::SequenceReused
        | ParkedReason::MethodUnavailable
        | ParkedReason::ModeDiffers
        | ParkedReason::PricesDiffer
        | ParkedReason::AmountRefused
        | ParkedReason::LifetimeOver => WhoActs::Officer,
        ParkedReason::Conflict
        | ParkedReason::Unreadable
        | ParkedReason::DeviceRevoked
        | ParkedReason::DeviceUnknown
        | ParkedReason::WrongGateway
        | ParkedReason::OrderLost => WhoActs::Administrator,
    }
}
