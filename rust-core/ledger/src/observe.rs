//! From what Stripe answered to evidence. What does not fit what we opened becomes a misfit.

use crate::rows::{Attempt, AttemptState, Payment};
use holdfast_domain::{
    AttentionReason, ChargeOutcome, Evidence, Mode, Money, PaymentState, SessionStatus,
};

/// A checkout session as Stripe shows it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSeen {
    /// Stripe's ID.
    pub session: String,
    /// Test or live.
    pub mode: Mode,
    /// Stripe's account, if the answer names one.
    pub account: Option<String>,
    /// How far it is.
    pub status: SessionStatus,
    /// What it asks for; none if the amount is no amount of ours (an unknown currency, say).
    pub amount: Option<Money>,
    /// Our payment ID, as Stripe gives it back.
    pub client_reference: Option<String>,
    /// The PaymentIntent, once there is one.
    pub intent: Option<String>,
    /// The latest attempt to charge a card.
    pub charge: Option<ChargeSeen>,
}

/// An attempt to charge a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeSeen {
    /// Stripe's ID.
    pub charge: String,
    /// Unix seconds.
    pub created_unix_s: i64,
    /// What became of it.
    pub outcome: ChargeOutcome,
    /// How much; none if it is no amount of ours.
    pub amount: Option<Money>,
}

/// What a look at a session teaches about its payment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lesson {
    /// For [`crate::Learn::evidence`].
    pub evidence: Vec<Evidence>,
    /// For [`crate::Learn::objects`].
    pub objects: Vec<String>,
}

/// Compares a session with the payment it should belong to.
pub fn lesson(payment: &Payment, attempts: &[Attempt], seen: &SessionSeen) -> Lesson {
    let mut lesson = Lesson::default();
    for reason in misfits(payment, attempts, seen) {
        lesson.evidence.push(Evidence::Misfit { reason });
    }
    lesson.evidence.push(Evidence::Session { session: seen.session.clone(), status: seen.status });
    lesson.objects.extend([Some(seen.session.clone()), seen.intent.clone()].into_iter().flatten());
    if let Some(charge) = &seen.charge {
        lesson.objects.push(charge.charge.clone());
        match charge.amount {
            Some(amount) => lesson.evidence.push(Evidence::Charge {
                charge: charge.charge.clone(),
                created: charge.created_unix_s,
                outcome: charge.outcome,
                amount,
            }),
            None => {
                let reason = AttentionReason::AmountDiffers;
                lesson.evidence.push(Evidence::Misfit { reason });
            }
        }
    }
    lesson
}

/// True while another look may find something new without anybody's act in the gateway.
pub fn may_change_by_itself(payment: &Payment, attempts: &[Attempt]) -> bool {
    let open = attempts.iter().any(|attempt| attempt.state == AttemptState::Opened);
    let on_its_way =
        [PaymentState::Processing, PaymentState::CancelRequested, PaymentState::RefundPending];
    open || on_its_way.contains(&payment.state)
}

fn misfits<'a>(
    payment: &'a Payment,
    attempts: &'a [Attempt],
    seen: &'a SessionSeen,
) -> impl Iterator<Item = AttentionReason> + 'a {
    let ours = attempts.iter().any(|attempt| attempt.session.as_ref() == Some(&seen.session))
        || seen.client_reference.as_deref() == Some(payment.payment.to_string().as_str());
    let account_fits = payment.pin.account.is_empty()
        || seen.account.as_ref().is_none_or(|account| *account == payment.pin.account);
    [
        (!ours).then_some(AttentionReason::ForeignSession),
        (seen.mode != payment.mode).then_some(AttentionReason::ModeDiffers),
        (!account_fits).then_some(AttentionReason::AccountDiffers),
        (seen.amount != Some(payment.total)).then_some(AttentionReason::AmountDiffers),
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{held_payment, opened_attempt};
    use AttentionReason as A;

    fn seen(payment: &Payment) -> SessionSeen {
        SessionSeen {
            session: "cs_1".into(),
            mode: payment.mode,
            account: None,
            status: SessionStatus::Complete,
            amount: Some(payment.total),
            client_reference: Some(payment.payment.to_string()),
            intent: Some("pi_1".into()),
            charge: Some(ChargeSeen {
                charge: "ch_1".into(),
                created_unix_s: 9,
                outcome: ChargeOutcome::Succeeded,
                amount: Some(payment.total),
            }),
        }
    }

    #[test]
    fn a_session_of_ours_teaches_session_and_charge() {
        let payment = held_payment();
        let lesson = lesson(&payment, &[opened_attempt(&payment, "cs_1")], &seen(&payment));
        assert_eq!(lesson.objects, ["cs_1", "pi_1", "ch_1"]);
        assert!(!lesson.evidence.iter().any(|e| matches!(e, Evidence::Misfit { .. })));
        assert_eq!(lesson.evidence.len(), 2);
    }

    #[test]
    fn whatever_does_not_fit_is_named() {
        let payment = held_payment();
        let attempts = [opened_attempt(&payment, "cs_1")];
        let check = |change: &dyn Fn(&mut SessionSeen), reason: A| {
            let mut seen = seen(&payment);
            change(&mut seen);
            let evidence = lesson(&payment, &attempts, &seen).evidence;
            assert!(evidence.contains(&Evidence::Misfit { reason }), "{reason:?}");
        };
        check(&|s| s.mode = Mode::Live, A::ModeDiffers);
        check(&|s| s.amount = Some(Money::new(1, payment.total.currency())), A::AmountDiffers);
        check(&|s| s.amount = None, A::AmountDiffers);
        check(&|s| s.account = Some("acct_other".into()), A::AccountDiffers);
        check(
            &|s| {
                s.session = "cs_9".into();
                s.client_reference = None;
            },
            A::ForeignSession,
        );
    }
}
