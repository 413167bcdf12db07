//! The books: balance transactions and the balance.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::expand;
use super::super::fields::Fields;
use super::super::ids::kin;
use super::super::model::{Entry, EntryKind};
use super::super::reply::Reply;
use super::super::shelf::Among;
use super::super::{Core, Id};

/// How long money is on its way to the balance, in seconds: two days, as in the United States.
const ON_ITS_WAY_S: i64 = 2 * 24 * 60 * 60;

/// What a dispute costs, in Stripe's units of US dollars.
const DISPUTE_FEE: i64 = 1_500;

/// What a charge costs besides its share, in Stripe's units.
const CHARGE_FEE: i64 = 30;

/// What a charge costs, in thousandths of its amount.
const CHARGE_FEE_PER_MILLE: i64 = 29;

/// Money of one currency.
#[derive(Clone, Copy, Default)]
pub(in super::super) struct Funds {
    /// On its way or there.
    total: i64,
    /// On its way.
    pending: i64,
}

impl Core {
    /// Writes an entry for a sum that came in, or went out if it is negative.
    pub(in super::super) fn book(
        &mut self,
        kind: EntryKind,
        source: &Id,
        amount: i64,
        currency: &Arc<str>,
    ) -> Id {
        let id = match kind {
            EntryKind::Charge | EntryKind::Refund => kin(source, "txn_3").into(),
            _ => self.ids.object("txn_1"),
        };
        let fee = match kind {
            EntryKind::Charge => charge_fee(amount),
            EntryKind::Dispute => DISPUTE_FEE,
            _ => 0,
        };
        let created = self.now_s();
        let entry = self.entries.insert(Entry {
            id,
            created,
            available_on: created.saturating_add(ON_ITS_WAY_S),
            amount,
            fee,
            currency: currency.clone(),
            kind,
            source: source.clone(),
        });
        self.entries.group(kind.as_str(), &entry.id);
        let net = amount.saturating_sub(fee);
        let funds = self.funds.entry(currency.clone()).or_default();
        funds.total = funds.total.saturating_add(net);
        funds.pending = funds.pending.saturating_add(net);
        match self.arriving.back_mut() {
            Some((at_s, same, sum)) if *at_s == entry.available_on && same == currency => {
                *sum = sum.saturating_add(net);
            }
            _ => self.arriving.push_back((entry.available_on, currency.clone(), net)),
        }
        entry.id.clone()
    }

    /// Money that was on its way is there.
    pub(in super::super) fn let_funds_arrive(&mut self) {
        let now_s = self.now_s();
        while let Some((_, currency, net)) = self.arriving.pop_front_if(|(at_s, ..)| *at_s <= now_s)
        {
            if let Some(funds) = self.funds.get_mut(&currency) {
                funds.pending = funds.pending.saturating_sub(net);
            }
        }
    }

    pub(super) fn balance_get(&self, fields: Fields<'_>) -> Result<Reply, ApiError> {
        fields.finish(&["expand"])?;
        let funds: BTreeMap<&str, Funds> = self.funds.iter().map(|(c, f)| (&**c, *f)).collect();
        let sums = |of: fn(Funds) -> i64| -> Vec<Value> {
            let sum = |(currency, funds): (&&str, &Funds)| {
                let amount = of(*funds);
                json!({ "amount": amount, "currency": currency, "source_types": { "card": amount } })
            };
            if funds.is_empty() {
                return vec![sum((&"usd", &Funds::default()))];
            }
            funds.iter().map(sum).collect()
        };
        Ok(json!({
            "object": "balance",
            "available": sums(|funds| funds.total.saturating_sub(funds.pending)),
            "livemode": self.config.live,
            "pending": sums(|funds| funds.pending),
            "refund_and_dispute_prefunding": { "available": [], "pending": [] },
        })
        .into())
    }

    pub(super) fn entry_get(&self, id: &str, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        let missing = || ApiError::no_such("balance transaction", id, "id");
        let mut value = self.entry_json(self.entries.get(id).ok_or_else(missing)?);
        self.expand(&mut value, &paths)?;
        Ok(value.into())
    }

    /// The entries that tell of an object.
    fn entries_of(&self, source: &str) -> Vec<Id> {
        let own = kin(source, "txn_3").into();
        let back = self.refunds.get(source).and_then(|refund| refund.failure_entry.clone());
        let disputed = self.disputes.get(source).map(|dispute| dispute.entries.clone());
        [own].into_iter().chain(back).chain(disputed.unwrap_or_default()).collect()
    }

    pub(super) fn entry_list(&self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let currency = fields.text("currency")?.map(str::to_ascii_lowercase);
        let source = fields.text("source")?;
        let kind = fields.text("type")?;
        // Nothing is ever paid out here.
        let paid_out = fields.text("payout")?.is_some();
        let among = match (source, kind) {
            _ if paid_out => Among::These(Vec::new()),
            (Some(source), _) => Among::These(self.entries_of(source)),
            (None, Some(kind)) => Among::Group(kind),
            (None, None) => Among::All,
        };
        let keep = |entry: &Arc<Entry>| {
            currency.as_deref().is_none_or(|currency| *entry.currency == *currency)
                && kind.is_none_or(|kind| entry.kind.as_str() == kind)
        };
        let url = "/v1/balance_transactions";
        self.list_reply(url, &self.entries, among, fields, keep, |core, row| core.entry_json(row))
    }
}

/// Rounded half up, as on Stripe's invoices.
fn charge_fee(amount: i64) -> i64 {
    let share = amount.saturating_mul(CHARGE_FEE_PER_MILLE).saturating_add(500) / 1_000;
    share.saturating_add(CHARGE_FEE).min(amount)
}

#[test]
fn a_charge_costs_its_share_and_a_fixed_sum() {
    for (amount, fee) in [(1_000, 59), (2_500, 103), (50, 31), (20, 20)] {
        assert_eq!(charge_fee(amount), fee, "{amount}");
    }
}
