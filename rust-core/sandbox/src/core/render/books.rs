//! Disputes and balance transactions.

use holdfast_stripe::objects::DisputeStatus;
use serde_json::{Value, json};

use super::with_nulls;
use crate::core::Core;
use crate::core::model::{Dispute, Entry, EntryKind};

/// How long a merchant has to answer a dispute, in seconds.
const ANSWER_TIME_S: i64 = 9 * 24 * 60 * 60;

/// What a merchant may show to the bank; here only the free text is kept.
const EVIDENCE_NULLS: &[&str] = &[
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
];

impl Core {
    pub(in crate::core) fn dispute_json(&self, dispute: &Dispute) -> Value {
        let entries = dispute.entries.iter().filter_map(|id| self.entries.get(id));
        let entries: Vec<Value> = entries.map(|entry| self.entry_json(entry)).collect();
        let evidence = json!({ "enhanced_evidence": {}, "uncategorized_text": dispute.evidence });
        let card = self.charges.get(&dispute.charge).map(|charge| charge.presented.card);
        let brand = card.map_or("visa", |card| card.brand());
        let open = matches!(
            dispute.status,
            DisputeStatus::NeedsResponse | DisputeStatus::WarningNeedsResponse
        );
        json!({
            "id": dispute.id,
            "object": "dispute",
            "amount": dispute.amount,
            "balance_transactions": entries,
            "charge": dispute.charge,
            "created": dispute.created,
            "currency": dispute.currency,
            "enhanced_eligibility_types": [],
            "evidence": with_nulls(evidence, EVIDENCE_NULLS),
            "evidence_details": {
                "due_by": open.then_some(dispute.created.saturating_add(ANSWER_TIME_S)),
                "enhanced_eligibility": {},
                "has_evidence": dispute.evidence.is_some(),
                "past_due": false,
                "submission_count": dispute.submissions,
            },
            "is_charge_refundable": dispute.inquiry,
            "livemode": self.config.live,
            "metadata": *dispute.metadata,
            "payment_intent": dispute.intent,
            "payment_method_details": {
                "type": "card",
                "card": {
                    "brand": brand,
                    "case_type": if dispute.inquiry { "inquiry" } else { "chargeback" },
                    "network": brand,
                    "network_reason_code": null,
                },
            },
            "reason": dispute.reason,
            "status": dispute.status,
        })
    }

    pub(in crate::core) fn entry_json(&self, entry: &Entry) -> Value {
        let what = match entry.kind {
            EntryKind::Dispute => "Dispute fee",
            _ => "Stripe processing fees",
        };
        let fee = json!({
            "amount": entry.fee,
            "application": null,
            "currency": entry.currency,
            "description": what,
            "type": "stripe_fee",
        });
        let fees: Vec<Value> = (entry.fee != 0).then_some(fee).into_iter().collect();
        let there = entry.available_on <= self.now_s();
        json!({
            "id": entry.id,
            "object": "balance_transaction",
            "amount": entry.amount,
            "available_on": entry.available_on,
            "balance_type": "payments",
            "created": entry.created,
            "currency": entry.currency,
            "description": null,
            "exchange_rate": null,
            "fee": entry.fee,
            "fee_details": fees,
            "net": entry.amount.saturating_sub(entry.fee),
            "reporting_category": entry.kind.category(),
            "source": entry.source,
            "status": if there { "available" } else { "pending" },
            "type": entry.kind.as_str(),
        })
    }
}
