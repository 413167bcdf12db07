//! What an officer can do about a payment now: only what can work is offered.
//!
//! An offer is no promise. Whether a cancellation comes in time the gateway alone knows, and paid
//! wins; but nothing is offered that is certain to be refused.

use super::Engine;
use super::record::{NoticeTag, Payment};
use super::show::parked;
use super::turn::Moment;
use crate::view::{OfficerAction, ParkedReason};
use holdfast_domain::PaymentState;

impl Engine {
    pub(super) fn officer_actions(&self, payment: &Payment, now: Moment) -> Vec<OfficerAction> {
        let offers = [
            (OfficerAction::Retry, self.can_retry(payment)),
            (OfficerAction::CheckCode, self.can_check_code(payment)),
            (OfficerAction::Cancel, self.can_cancel(payment, now)),
            (OfficerAction::Withdraw, self.can_withdraw(payment, now)),
        ];
        offers.into_iter().filter(|(_, offered)| *offered).map(|(action, _)| action).collect()
    }

    fn can_retry(&self, payment: &Payment) -> bool {
        parked(payment).is_some_and(may_be_taken_later)
            && self.state(payment) == PaymentState::NeedsAttention
    }

    /// While the payer may be paying. Cash has no payer's page.
    fn can_check_code(&self, payment: &Payment) -> bool {
        let held = payment.held.as_ref().filter(|held| !held.imported);
        let has_secret = held.is_some_and(|held| self.durable.enrolment_of(held.device).is_some());
        let state = self.state(payment);
        let may_be_paid = state.can_be_paid()
            || matches!(state, PaymentState::Processing | PaymentState::CancelRequested);
        has_secret && may_be_paid && !payment.is_cash()
    }

    /// What nobody has paid and nobody has asked about yet. What is owed is given up for a reason.
    fn can_cancel(&self, payment: &Payment, now: Moment) -> bool {
        use PaymentState as P;
        let state = self.state(payment);
        matches!(state, P::Queued | P::Sent | P::WaitingForCard | P::Processing | P::Declined)
            && self.request_view(payment).is_none()
            && self.can_request(payment.payment, NoticeTag::Cancel, now)
    }

    /// What is owed, what the gateway does not take, and cash that was just taken.
    fn can_withdraw(&self, payment: &Payment, now: Moment) -> bool {
        let state = self.state(payment);
        let is_to_give_up = match parked(payment) {
            Some(reason) => state == PaymentState::NeedsAttention && may_be_given_up(reason),
            None => state == PaymentState::Owed || payment.is_cash(),
        };
        is_to_give_up
            && self.request_view(payment).is_none()
            && self.can_request(payment.payment, NoticeTag::Withdraw, now)
    }
}

/// True if the office can change what stands in the way of the very same order.
fn may_be_taken_later(reason: ParkedReason) -> bool {
    use ParkedReason as R;
    match reason {
        R::Unreadable
        | R::DeviceRevoked
        | R::DeviceUnknown
        | R::WrongGateway
        | R::MethodUnavailable
        | R::ModeDiffers
        | R::PricesDiffer => true,
        R::Conflict | R::SequenceReused | R::AmountRefused | R::LifetimeOver | R::OrderLost => {
            false
        }
    }
}

/// True if the gateway would hear this handheld's withdrawal, and of this payment: under a conflict
/// the ID is another payment's there.
fn may_be_given_up(reason: ParkedReason) -> bool {
    use ParkedReason as R;
    match reason {
        R::SequenceReused
        | R::Unreadable
        | R::MethodUnavailable
        | R::ModeDiffers
        | R::PricesDiffer
        | R::AmountRefused
        | R::LifetimeOver => true,
        R::Conflict | R::DeviceRevoked | R::DeviceUnknown | R::WrongGateway | R::OrderLost => false,
    }
}
