//! A forced refresh: everything is asked once, now, and the caller hears how that went.

use super::Engine;
use super::exchange::Answer;
use super::message::{Caller, Chore, Command, Reply, Step};
use super::turn::Turn;
use crate::error::RefreshError;
use holdfast_domain::PaymentId;
use std::collections::BTreeSet;

/// What is still to be heard of.
pub(super) struct Refresh {
    callers: Vec<Caller>,
    config: bool,
    changes: bool,
    orders: BTreeSet<PaymentId>,
    fault: Option<RefreshError>,
}

impl Refresh {
    /// The first thing that went wrong is what the caller hears.
    fn note(&mut self, fault: Option<RefreshError>) {
        self.fault = self.fault.take().or(fault);
    }
}

impl Engine {
    pub(super) fn refresh(&mut self, caller: Caller, turn: &mut Turn) -> Step {
        if self.durable.enrolment().is_none() {
            return Step::reply(caller, Reply::Refresh(Err(RefreshError::NotEnrolled)));
        }
        if let Some(running) = &mut self.refresh {
            running.callers.push(caller);
            return Step::default();
        }
        self.refresh = Some(Refresh {
            callers: vec![caller],
            config: true,
            changes: self.is_approved(),
            orders: self.outbox.payments().collect(),
            fault: None,
        });
        self.outbox.hurry(turn.now);
        self.notices.hurry(turn.now);
        self.token.hurry(turn.now);
        self.config.tries.hurry(turn.now.mono_ms);
        let abandoned = self.poll_at_once(turn.now);
        Step { commands: abandoned.into_iter().collect(), ..Step::default() }
    }

    pub(super) fn refresh_order<T>(&mut self, payment: PaymentId, answer: &Answer<T>) {
        if let Some(refresh) = &mut self.refresh
            && refresh.orders.remove(&payment)
        {
            match answer {
                Answer::Untrusted => refresh.note(Some(RefreshError::CertificateUntrusted)),
                Answer::Unanswered | Answer::Strange => refresh.note(Some(RefreshError::Offline)),
                Answer::Good(_) | Answer::Refused(_) => {}
            }
        }
    }

    pub(super) fn refresh_config(&mut self, fault: Option<RefreshError>) {
        if let Some(refresh) = &mut self.refresh {
            refresh.config = false;
            refresh.note(fault);
        }
    }

    pub(super) fn refresh_changes(&mut self, fault: Option<RefreshError>) {
        if let Some(refresh) = &mut self.refresh {
            refresh.changes = false;
            refresh.note(fault);
        }
    }

    /// Without a token neither will be asked for.
    pub(super) fn refresh_session_failed(&mut self, fault: RefreshError) {
        self.searches.fail(&fault);
        self.refresh_config(Some(fault));
        self.refresh_changes(None);
    }

    pub(super) fn refresh_not_stored(&mut self, chore: Option<Chore>) {
        if let (Some(refresh), Some(_)) = (&mut self.refresh, chore) {
            refresh.note(Some(RefreshError::Storage));
        }
    }

    pub(super) fn finish_refresh(&mut self, commands: &mut Vec<Command>) {
        let is_approved = self.is_approved();
        let Some(refresh) = &mut self.refresh else {
            return;
        };
        let queued: BTreeSet<_> = self.outbox.payments().collect();
        refresh.orders.retain(|payment| queued.contains(payment));
        if refresh.config || (refresh.changes && is_approved) || !refresh.orders.is_empty() {
            return;
        }
        let Some(Refresh { callers, fault, .. }) = self.refresh.take() else {
            return;
        };
        let answer = fault.map_or(Ok(()), Err);
        let replies = callers.into_iter().map(|caller| (caller, Reply::Refresh(answer.clone())));
        commands.extend(super::replies(replies));
    }
}
