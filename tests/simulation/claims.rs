//! One charge that several people settle at once: two handhelds, cash beside card.

use super::fixture::{self, CHARGE};
use super::gateway::now;
use super::invariants::{AtStripe, Broken};
use super::world::World;
use holdfast_domain::{ChargeState, ClaimState, PaymentId, PaymentState};
use holdfast_handheld::engine::Response;
use holdfast_ledger::memory::Tables;
use holdfast_ledger::{AlertStatus, Claim, FinanceAlert, PutCharges, PutOutcome, Store};
use holdfast_protocol::wire::{ChargeFound, ChargesResponse};
use std::collections::BTreeMap;

impl World {
    /// The office writes down what is owed.
    pub(super) fn put_charges(&mut self) {
        let charges = vec![fixture::charge()];
        let put =
            PutCharges { charges, may_change: false, seen_ms: None, who: "Office".to_owned() };
        let outcome = now(self.gateway.ledger.run(put));
        assert!(matches!(outcome, Ok(PutOutcome::Written { new: 1, .. })), "{outcome:?}");
    }

    /// The answer to a handheld that looks for charges.
    pub(super) fn found_charges(&self) -> Response {
        let found = self.gateway.tables(|tables| {
            let is = |state| tables.claims.values().any(|claim| claim.state == state);
            let test = match (is(ClaimState::Settled), is(ClaimState::Holding)) {
                (true, _) => ChargeState::Settled,
                (false, true) => ChargeState::BeingPaid,
                (false, false) => ChargeState::Open,
            };
            let told = |charge: &holdfast_ledger::Charge| ChargeFound {
                owed: charge.owed(),
                plate: charge.plate.clone(),
                payer: charge.payer.clone(),
                due_on: charge.due_on.clone(),
                test,
                live: ChargeState::Open,
            };
            tables.charges.values().map(told).collect()
        });
        let gateway_time_unix_s = fixture::unix_s(self.now_ms());
        let answer = ChargesResponse { charges: found, more: false, gateway_time_unix_s };
        super::edge::json(200, &answer)
    }

    /// What must not be done: a claim is taken away from whoever has it.
    pub(super) fn take_claims(&mut self, payment: PaymentId) {
        self.gateway.change_tables(|tables| {
            for claim in tables.claims.values_mut().filter(|it| it.payment != payment) {
                if claim.state == ClaimState::Holding {
                    claim.state = ClaimState::Released;
                }
            }
            if let Some(mine) = tables.payments.get_mut(&(fixture::tenant(), payment)) {
                mine.held_up = None;
            }
        });
    }

    /// When all is over, at most one payment has settled the charge; money that came beside it went
    /// back, or a person has decided about it.
    pub(super) fn settled_once_rule(&self) -> Option<Broken> {
        self.gateway.tables(|tables| {
            let keeps = |claim: &&Claim| {
                let payment = tables.payments.get(&(claim.tenant.clone(), claim.payment));
                payment.is_some_and(|it| match it.state {
                    PaymentState::Paid => true,
                    PaymentState::PartlyRefunded => !is_decided(tables, claim),
                    _ => false,
                })
            };
            let kept: Vec<_> = tables.claims.values().filter(keeps).map(|it| it.payment).collect();
            (kept.len() > 1)
                .then(|| ("a charge is settled once", format!("{CHARGE} by each of {kept:?}")))
        })
    }
}

/// Somebody was told that this money came beside another payment's, and sent back as much of it as they
/// saw fit. The rest settles nothing.
fn is_decided(tables: &Tables, claim: &Claim) -> bool {
    let is_told = |alert: &FinanceAlert| {
        alert.payment == claim.payment && alert.status == AlertStatus::PaidTwice
    };
    claim.state == ClaimState::Released && tables.alerts.values().any(is_told)
}

/// Two people never have a card page for the same charge.
pub(super) fn claims_rule(tables: &Tables, stripe: &BTreeMap<String, AtStripe>) -> Option<Broken> {
    let is_open =
        |claim: &&Claim| stripe.get(&claim.payment.to_string()).is_some_and(|known| known.open > 0);
    let open: Vec<_> = tables.claims.values().filter(is_open).map(|it| it.payment).collect();
    (open.len() > 1)
        .then(|| ("a charge has one page that takes money", format!("{CHARGE}: {open:?}")))
}
