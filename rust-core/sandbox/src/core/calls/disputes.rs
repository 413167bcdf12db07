//! Disputes: opened by the bank, answered by us, closed by the bank.

use std::sync::Arc;

use holdfast_stripe::objects::{DisputeStatus, EventType};

use super::super::cards::Aftermath;
use super::super::error::ApiError;
use super::super::expand;
use super::super::fields::Fields;
use super::super::model::{Charge, Dispute, EntryKind, Snapshot};
use super::super::notes::Notes;
use super::super::reply::Reply;
use super::super::{Core, Id};

/// Evidence that Stripe's test mode takes for a verdict.
const WINNING: &str = "winning_evidence";
const LOSING: &str = "losing_evidence";

impl Core {
    pub(super) fn dispute_get(&self, id: &str, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        self.object_reply(Snapshot::Dispute(self.dispute(id)?), &paths)
    }

    pub(super) fn dispute_list(&self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let charge = fields.text("charge")?;
        let intent = fields.text("payment_intent")?;
        let of = |charge: &Charge| charge.dispute.iter().cloned().collect();
        let among = self.among_those_of(charge, intent, of);
        let keep = |dispute: &Arc<Dispute>| intent.is_none_or(|intent| *dispute.intent == *intent);
        self.list_reply("/v1/disputes", &self.disputes, among, fields, keep, |core, row| {
            core.dispute_json(row)
        })
    }

    /// Answers the bank. Two words of test mode decide the dispute at once.
    pub(super) fn dispute_update(
        &mut self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let metadata = fields.metadata_changes("metadata")?;
        let submit = fields.boolean("submit")?.unwrap_or(true);
        let text = match fields.object("evidence")? {
            None => None,
            Some(mut evidence) => evidence.text("uncategorized_text")?.map(Arc::<str>::from),
        };
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        let before = self.dispute(id)?;
        if is_closed(&before.status) {
            return Err(ApiError::invalid("This dispute is already closed").executed());
        }
        let answered = text.is_some() && submit;
        let changed = self.disputes.change(id, |dispute| {
            metadata.apply(&mut dispute.metadata);
            dispute.evidence = text.clone().or(dispute.evidence.take());
            if answered {
                dispute.submissions = dispute.submissions.saturating_add(1);
                dispute.status = if dispute.inquiry {
                    DisputeStatus::WarningUnderReview
                } else {
                    DisputeStatus::UnderReview
                };
            }
        });
        let dispute = changed.unwrap_or(before);
        self.emit(EventType::from("charge.dispute.updated"), Snapshot::Dispute(dispute.clone()));
        match text.as_deref().filter(|_| answered) {
            Some(WINNING) => self.close(&dispute.id, true),
            Some(LOSING) => self.close(&dispute.id, false),
            _ => {}
        }
        self.object_reply(Snapshot::Dispute(self.dispute(id)?), &paths)
    }

    /// Gives in.
    pub(super) fn dispute_close(
        &mut self,
        id: &str,
        mut fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        let dispute = self.dispute(id)?;
        if is_closed(&dispute.status) {
            return Err(ApiError::invalid("This dispute is already closed").executed());
        }
        self.close(&dispute.id, false);
        self.object_reply(Snapshot::Dispute(self.dispute(id)?), &paths)
    }

    fn dispute(&self, id: &str) -> Result<Arc<Dispute>, ApiError> {
        let missing = || ApiError::no_such("dispute", id, "dispute");
        self.disputes.get(id).cloned().ok_or_else(missing)
    }

    /// The payer went to the bank, which takes the money back until it has decided.
    pub(in super::super) fn open_dispute(&mut self, charge: &Id) {
        let Some(charge) = self.charges.get(charge).cloned() else { return };
        let Aftermath::Disputed { reason, inquiry } = charge.presented.card.aftermath() else {
            return;
        };
        if charge.dispute.is_some() || !charge.captured || charge.amount_refunded > 0 {
            return;
        }
        let dispute = self.disputes.insert(Dispute {
            id: self.ids.object("du_1"),
            created: self.now_s(),
            amount: charge.amount_captured,
            currency: charge.currency.clone(),
            charge: charge.id.clone(),
            intent: charge.intent.clone(),
            reason,
            inquiry,
            status: if inquiry {
                DisputeStatus::WarningNeedsResponse
            } else {
                DisputeStatus::NeedsResponse
            },
            entries: Vec::new(),
            evidence: None,
            submissions: 0,
            metadata: Notes::none(),
        });
        self.charges.change(&charge.id, |charge| charge.dispute = Some(dispute.id.clone()));
        if inquiry {
            self.emit(EventType::DisputeCreated, Snapshot::Dispute(dispute));
            return;
        }
        let dispute = self.book_dispute(&dispute, EntryKind::Dispute);
        self.emit(EventType::DisputeCreated, Snapshot::Dispute(dispute.clone()));
        let withdrawn = EventType::from("charge.dispute.funds_withdrawn");
        self.emit(withdrawn, Snapshot::Dispute(dispute));
    }

    fn close(&mut self, id: &Id, won: bool) {
        let closed = self.disputes.change(id, |dispute| {
            dispute.status = match (dispute.inquiry, won) {
                (true, _) => DisputeStatus::WarningClosed,
                (false, true) => DisputeStatus::Won,
                (false, false) => DisputeStatus::Lost,
            };
        });
        let Some(mut dispute) = closed else { return };
        let back = won && !dispute.inquiry;
        if back {
            dispute = self.book_dispute(&dispute, EntryKind::DisputeReversal);
        }
        self.emit(EventType::DisputeClosed, Snapshot::Dispute(dispute.clone()));
        if back {
            let reinstated = EventType::from("charge.dispute.funds_reinstated");
            self.emit(reinstated, Snapshot::Dispute(dispute));
        }
    }

    fn book_dispute(&mut self, dispute: &Arc<Dispute>, kind: EntryKind) -> Arc<Dispute> {
        let amount = match kind {
            EntryKind::Dispute => dispute.amount.saturating_neg(),
            _ => dispute.amount,
        };
        let entry = self.book(kind, &dispute.id, amount, &dispute.currency);
        let changed = self.disputes.change(&dispute.id, |it| it.entries.push(entry));
        changed.unwrap_or_else(|| dispute.clone())
    }
}

fn is_closed(status: &DisputeStatus) -> bool {
    use DisputeStatus::{Lost, Prevented, WarningClosed, Won};
    matches!(status, Won | Lost | Prevented | WarningClosed)
}
