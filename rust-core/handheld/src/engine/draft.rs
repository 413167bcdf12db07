//! Drafts: a payment before the hold.

use super::message::{Caller, Reply, Step};
use super::record::{Config, Key, Payment, Write};
use super::turn::Turn;
use super::{Engine, Moment};
use crate::error::{MethodError, SummaryError};
use crate::view::CartLine;
use holdfast_domain::{Cart, ChargeReference, OrderLine, PaymentId, PaymentTypeCode};
use holdfast_protocol::wire::{ConfigResponse, PaymentTypeOffer};

/// A draft that nobody has held for this long is forgotten at the next start, in milliseconds
/// (a day): whoever opened it has gone home.
const DRAFT_KEPT_MS: u64 = 24 * 60 * 60 * 1_000;

impl Engine {
    pub(super) fn open_summary(
        &mut self,
        caller: Caller,
        lines: (&[CartLine], &[String]),
        turn: &mut Turn,
    ) -> Step {
        let cart = match self.price(lines, turn.now) {
            Ok(cart) => cart,
            Err(error) => return Step::reply(caller, Reply::OpenSummary(Err(error))),
        };
        if let Some(cap) = self.cap_passed_by(cart.total, turn.now) {
            let refused = Reply::OpenSummary(Err(SummaryError::OverCap { cap }));
            return Step::reply(caller, refused);
        }
        let payment = self.mint(turn);
        let draft = Payment {
            payment,
            revision: 1,
            drafted_at_ms: turn.now.wall_ms,
            cart,
            method: None,
            held: None,
        };
        Step {
            writes: vec![Write::payment(draft)],
            replies: vec![(caller, Reply::OpenSummary(Ok(payment)))],
            ..Step::default()
        }
    }

    pub(super) fn choose_method(
        &mut self,
        caller: Caller,
        payment: PaymentId,
        code: &PaymentTypeCode,
        now: Moment,
    ) -> Step {
        match self.with_method(payment, code, now) {
            Ok(draft) => Step {
                writes: vec![Write::payment(draft)],
                replies: vec![(caller, Reply::ChooseMethod(Ok(())))],
                ..Step::default()
            },
            Err(error) => Step::reply(caller, Reply::ChooseMethod(Err(error))),
        }
    }

    pub(super) fn discard_draft(&mut self, caller: Caller, payment: PaymentId) -> Step {
        let Some(draft) = self.durable.payment(payment) else {
            return Step::reply(caller, Reply::DiscardDraft(Err(SummaryError::NotFound)));
        };
        if let Some(state) = self.promised_state(draft) {
            let refused = Reply::DiscardDraft(Err(SummaryError::NotADraft { state }));
            return Step::reply(caller, refused);
        }
        Step {
            writes: vec![Write::Delete(Key::Payment(payment))],
            replies: vec![(caller, Reply::DiscardDraft(Ok(())))],
            ..Step::default()
        }
    }

    /// At the start: forgets drafts that were left behind.
    pub(super) fn drop_old_drafts(&mut self, turn: &mut Turn) -> Step {
        let is_old = |draft: &&Payment| {
            let age_ms = turn.now.wall_ms.saturating_sub(draft.drafted_at_ms);
            draft.held.is_none() && age_ms > DRAFT_KEPT_MS
        };
        let old = self.durable.payments().filter(is_old);
        Step::store(old.map(|draft| Write::Delete(Key::Payment(draft.payment))).collect())
    }

    /// Drafts whose chosen method is not offered any more as it was: it must be chosen again, since
    /// an order binds the mode that stood on the screen.
    pub(super) fn drafts_to_choose_again(&self, config: &ConfigResponse) -> Vec<Write> {
        let is_gone = |offer: &PaymentTypeOffer| !config.payment_types.contains(offer);
        self.durable
            .payments()
            .filter(|draft| draft.held.is_none() && draft.method.as_deref().is_some_and(is_gone))
            .map(|draft| {
                let revision = draft.revision.saturating_add(1);
                let draft = Payment { method: None, revision, ..draft.clone() };
                Write::payment(draft)
            })
            .collect()
    }

    fn price(
        &self,
        (items, charges): (&[CartLine], &[String]),
        now: Moment,
    ) -> Result<Cart, SummaryError> {
        let config = self.durable.config();
        let catalogue = config.and_then(|config| config.config.catalogue.as_ref());
        if catalogue.is_none() && (charges.is_empty() || !items.is_empty()) {
            return Err(SummaryError::NoCatalogue);
        }
        if !items.is_empty() && config.is_some_and(|config| self.is_expired(config, now)) {
            return Err(SummaryError::CatalogueExpired);
        }
        let item =
            |line: &CartLine| OrderLine::Item { item: line.item_id, quantity: line.quantity };
        let mut lines: Vec<OrderLine> = items.iter().map(item).collect();
        let mut owed = Vec::new();
        for reference in charges {
            let known = ChargeReference::parse(reference).ok();
            let known = known.and_then(|reference| self.searches.owed(&reference));
            let unknown = || SummaryError::UnknownCharge { reference: reference.clone() };
            let known = known.ok_or_else(unknown)?;
            let (reference, minor) = (known.reference.clone(), known.amount.minor());
            lines.push(OrderLine::Charge { reference, minor });
            owed.push(known.clone());
        }
        Ok(Cart::price_owed(catalogue, &owed, lines)?)
    }

    /// Whether the catalogue is too old to sell by. Where the gateway's time is not known, the clock
    /// since the last start of the system is what has passed at the least.
    fn is_expired(&self, config: &Config, now: Moment) -> bool {
        let fetched_ms = config.config.gateway_time_unix_s.saturating_mul(1_000);
        let passed_ms = match self.clock.unix_ms_at(now.mono_ms) {
            Some(now_ms) => now_ms.saturating_sub(fetched_ms),
            None => now.mono_ms,
        };
        passed_ms > u64::from(config.config.catalogue_lifetime_s).saturating_mul(1_000)
    }

    fn mint(&mut self, turn: &mut Turn) -> PaymentId {
        // Later than every ID before it, even if the clock has jumped back: the newest payment
        // stays the newest.
        self.last_minted_ms = turn.now.wall_ms.max(self.last_minted_ms.saturating_add(1));
        let mut random = [0; 10];
        turn.random.fill(&mut random);
        PaymentId::mint(self.last_minted_ms, &random)
    }

    fn with_method(
        &self,
        payment: PaymentId,
        code: &PaymentTypeCode,
        now: Moment,
    ) -> Result<Payment, MethodError> {
        let draft = self.durable.payment(payment).ok_or(MethodError::NotFound)?;
        if let Some(state) = self.promised_state(draft) {
            return Err(MethodError::NotADraft { state });
        }
        let offers = self.durable.config().map(|c| c.config.payment_types.as_slice());
        let offer = offers
            .unwrap_or_default()
            .iter()
            .find(|offer| offer.code == *code)
            .ok_or_else(|| MethodError::UnknownMethod { code: code.to_string() })?;
        if offer.currency != draft.cart.total.currency() {
            let (code, currency) = (code.to_string(), offer.currency.to_string());
            return Err(MethodError::CurrencyDiffers { code, currency });
        }
        if let Some(cap) = self.cap_passed_by(draft.cart.total, now) {
            return Err(MethodError::OverCap { cap });
        }
        let revision = draft.revision.saturating_add(1);
        Ok(Payment { method: Some(offer.clone().into()), revision, ..draft.clone() })
    }

    /// The state of a payment that is no draft any more, or is about to be none.
    fn promised_state(&self, payment: &Payment) -> Option<holdfast_domain::PaymentState> {
        if self.holds.includes(payment.payment) {
            return Some(holdfast_domain::PaymentState::Queued);
        }
        payment.held.as_ref().map(|_| self.state(payment))
    }
}
