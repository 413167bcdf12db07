//! Taking a signed order into the ledger.

mod checks;
mod refusal;

pub(super) use checks::find_sender;
pub(super) use refusal::Refusal;

use crate::charges::Claim;
use crate::charges::claims::{self, Outlook};
use crate::decisions::learn::settle;
use crate::decisions::recover::{adopt, is_recovering};
use crate::decisions::refused_cash;
use crate::recovery::FoundSession;
use crate::rows::{Carrier, Device, DeviceStatus, JobKind, Payment, Pin, Source};
use crate::store::{Decision, Env, StoreError, Tx};
#[cfg(any(test, feature = "conformance"))]
pub(crate) use checks::WAITING_OF_A_REVOKED_HANDHELD_MAX;
use checks::{check_device, check_lifetime, check_payment_type, check_waiting};
use holdfast_domain::cart::NO_CATALOGUE;
use holdfast_domain::{
    AttentionReason, Cart, ChargeReference, ClaimState, Evidence, Owed, PaymentState, TenantSlug,
};
use holdfast_protocol::SignedOrder;
use holdfast_protocol::wire::{ErrorCode, Provider};

/// A signed order was brought, by its handheld or by the payer's phone.
#[derive(Debug, Clone)]
pub struct Accept {
    /// Parsed, its signature not yet checked.
    pub order: SignedOrder,
    /// The tenant in whose address it came.
    pub tenant: TenantSlug,
    /// By whom.
    pub carrier: Carrier,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptOutcome {
    /// It is in the ledger.
    Accepted {
        /// As it stands now.
        payment: Box<Payment>,
        /// False if it was there before.
        new: bool,
    },
    /// Nothing was stored.
    Refused {
        /// For programs.
        code: ErrorCode,
        /// For people: what to do next.
        message: String,
    },
}

/// The users that hold on handhelds, as charges name them.
const HANDHELD_USERS: &str = "officers";

impl Decision for Accept {
    type Outcome = AcceptOutcome;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<AcceptOutcome, StoreError> {
        let payload = self.order.payload();
        let sender = (payload.gateway, &payload.tenant, payload.device);
        let device = match find_sender(tx, &self.tenant, sender).await? {
            Ok(device) => device,
            Err(refusal) => return Ok(refusal.into()),
        };
        let known = tx.payment(&self.tenant, payload.payment).await?;
        // The very bytes that were checked when they came first need no checking again.
        let was_checked =
            known.as_ref().is_some_and(|known| known.order_bytes == self.order.to_bytes());
        if !was_checked && self.order.verify(&device.public_key).is_err() {
            return Ok(Refusal::signature().into());
        }
        // The same order again is answered as before, whatever has changed since.
        if let Some(known) = known {
            return Ok(if known.digest == self.order.digest() && known.device == payload.device {
                AcceptOutcome::Accepted { payment: Box::new(known), new: false }
            } else {
                Refusal::conflict().into()
            });
        }
        // A card page at Stripe proves that a ledger which is lost had taken this order.
        let mut found = tx.found_sessions(&self.tenant, payload.payment).await?;
        found.retain(|session| session.mode == payload.mode);
        let given_up = tx.is_given_up(&self.tenant, payload.payment).await?;
        if given_up && found.is_empty() {
            return self.refuse_for_good(tx, Refusal::given_up(), env).await;
        }
        let priced = match self.check_content(tx, &device, found.last(), env.now_ms).await? {
            Ok(priced) => priced,
            Err(refusal) => return self.refuse_for_good(tx, refusal, env).await,
        };
        if priced.awaits_approval
            && let Err(refusal) = check_waiting(tx, &self.tenant, payload.device).await?
        {
            return Ok(refusal.into());
        }
        let mut payment = self.write(tx, priced, env).await?;
        refused_cash::taken_after_all(tx, &payment, env).await?;
        // An event may have named it already: after a restore, Stripe knows it before we do.
        tx.claim_events(&self.tenant, &payment.payment.to_string(), payment.payment).await?;
        if !found.is_empty() {
            payment = self.with_found(tx, payment, &found, given_up, env).await?;
        }
        Ok(AcceptOutcome::Accepted { payment: Box::new(payment), new: true })
    }
}

struct Priced {
    /// A person has to say first that the hold is genuine.
    awaits_approval: bool,
    cart: Cart,
    provider: Provider,
    pin: Pin,
    lifetime_ends_at_ms: i64,
}

impl Accept {
    /// A ledger that is recovering refuses nothing for good: what it does not know yet may decide.
    /// Cash that is refused is in the officer's pocket all the same: the office is told.
    async fn refuse_for_good<T: Tx>(
        &self,
        tx: &mut T,
        refusal: Refusal,
        env: &Env,
    ) -> Result<AcceptOutcome, StoreError> {
        if is_recovering(tx, &self.tenant, self.order.payload().mode).await? {
            return Ok(Refusal::recovering().into());
        }
        let kept = refused_cash::keep(tx, &self.tenant, &self.order, &refusal, env).await?;
        Ok(kept.err().unwrap_or(refusal).into())
    }

    /// The payment with the card pages that it had in a ledger which is lost.
    async fn with_found<T: Tx>(
        &self,
        tx: &mut T,
        payment: Payment,
        found: &[FoundSession],
        given_up: bool,
        env: &Env,
    ) -> Result<Payment, StoreError> {
        let id = payment.payment;
        adopt(tx, &payment, found, env).await?;
        tx.remove_found_sessions(&self.tenant, id).await?;
        if given_up {
            let asked = Evidence::CancelRequested;
            tx.add_evidence(&self.tenant, id, &asked, Source::Act, env.now_ms).await?;
        }
        Ok(settle(tx, &self.tenant, id, env).await?.unwrap_or(payment))
    }

    /// May this device hold for this, in this way, at this price?
    async fn check_content<T: Tx>(
        &self,
        tx: &mut T,
        device: &Device,
        found: Option<&FoundSession>,
        now_ms: i64,
    ) -> Result<Result<Priced, Refusal>, StoreError> {
        let payload = self.order.payload();
        // What was accepted once stays accepted, whatever has become of its handheld. What nobody has
        // seen of a handheld that was revoked is kept, and waits for a person.
        let awaits_approval = device.status == DeviceStatus::Revoked && found.is_none();
        if let Err(refusal) = check_device(device)
            && found.is_none()
        {
            return Ok(Err(refusal));
        }
        let used = tx.payment_of_sequence(&self.tenant, payload.device, payload.sequence).await?;
        if used.is_some() {
            return Ok(Err(Refusal::of(
                ErrorCode::SequenceReused,
                "Another payment of this handheld has the same number. Call the administrator: the \
                 handheld was copied or put back to an older state.",
            )));
        }
        let lifetime_ends_at_ms = match (check_lifetime(payload, now_ms), found) {
            (Ok(ends_at_ms), _) => ends_at_ms,
            // It was taken in time, and is over.
            (Err(_), Some(_)) => now_ms,
            (Err(refusal), None) => return Ok(Err(refusal)),
        };
        let payment_type = tx.payment_type(&self.tenant, &payload.payment_type).await?;
        let (provider, pin) = match (check_payment_type(payment_type.as_ref(), payload), found) {
            // The credentials that see its page are the ones it was tied to.
            (_, Some(found)) if found.payment_type == payload.payment_type => {
                (Provider::Stripe, found.pin.clone())
            }
            (Ok(way), _) => way,
            (Err(refusal), _) => return Ok(Err(refusal)),
        };
        let catalogue = tx.catalogue(&self.tenant, payload.catalogue_version).await?;
        if catalogue.is_none() && payload.catalogue_version != NO_CATALOGUE {
            return Ok(Err(Refusal::of(
                ErrorCode::UnknownCatalogue,
                "The gateway does not know the price list of this order. Refresh the handheld and \
                 hold again.",
            )));
        }
        let owed = match self.owed(tx).await? {
            Ok(owed) => owed,
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(match Cart::price_owed(catalogue.as_ref(), &owed, payload.lines.clone()) {
            Err(error) => Err(Refusal(ErrorCode::LinesRefused, format!("Refused: {error}."))),
            Ok(cart) if cart.total != payload.total => Err(Refusal(
                ErrorCode::TotalDiffers,
                format!(
                    "The handheld held for {} and the price list makes it {}. Refresh the handheld \
                     and hold again.",
                    payload.total, cart.total
                ),
            )),
            Ok(cart) => Ok(Priced { awaits_approval, cart, provider, pin, lifetime_ends_at_ms }),
        })
    }

    /// What is owed on the charges that the lines name. One that was settled meanwhile is still priced:
    /// such an order is taken, and told that it is paid already.
    async fn owed<T: Tx>(&self, tx: &mut T) -> Result<Result<Vec<Owed>, Refusal>, StoreError> {
        let mut owed = Vec::new();
        for (reference, _) in Cart::charges(&self.order.payload().lines) {
            let Some(charge) = tx.charge(&self.tenant, reference).await? else { continue };
            if !charge.withdrawn.is_empty() {
                let why = format!(
                    "Charge {reference} was withdrawn: it is not owed any more. Take it away and \
                     hold again."
                );
                return Ok(Err(Refusal(ErrorCode::LinesRefused, why)));
            }
            if !charge.is_for(HANDHELD_USERS) {
                let why = format!(
                    "Charge {reference} is not for officers to collect. The payer settles it \
                     online."
                );
                return Ok(Err(Refusal(ErrorCode::LinesRefused, why)));
            }
            owed.push(charge.owed());
        }
        Ok(Ok(owed))
    }

    /// Writes the payment, its claims on what it settles, and what is next to do.
    async fn write<T: Tx>(
        &self,
        tx: &mut T,
        priced: Priced,
        env: &Env,
    ) -> Result<Payment, StoreError> {
        let references: Vec<ChargeReference> =
            Cart::charges(&priced.cart.lines).map(|(reference, _)| reference.clone()).collect();
        let awaits_approval = priced.awaits_approval;
        // Cash is money only once somebody has said that the hold is genuine.
        let is_cash = priced.provider == Provider::Cash && !awaits_approval;
        let outlook =
            claims::outlook(tx, &self.tenant, self.order.payload().mode, &references).await?;
        let revision = tx.next_revision(&self.tenant).await?;
        let mut payment = self.new_payment(priced, revision, env.now_ms);
        match outlook {
            Outlook::Free => {}
            Outlook::HeldUp(reference) => payment.held_up = Some(reference),
            Outlook::Settled => payment.state = PaymentState::AlreadyPaid,
        }
        if awaits_approval {
            payment.state = PaymentState::NeedsAttention;
            payment.attention = Some(AttentionReason::AwaitsApproval);
        }
        tx.put_payment(&payment).await?;
        let (tenant, id) = (&self.tenant, payment.payment);
        tx.want_job(tenant, JobKind::EndLifetime, id, payment.lifetime_ends_at_ms).await?;
        for reference in references.iter().cloned() {
            let (tenant, state) = (tenant.clone(), ClaimState::Waiting);
            let (mode, made_at_ms, returned_at_ms) = (payment.mode, env.now_ms, None);
            let claim =
                Claim { tenant, mode, reference, payment: id, state, made_at_ms, returned_at_ms };
            tx.put_claim(&claim).await?;
        }
        if awaits_approval {
            let waits = Evidence::AwaitsApproval;
            tx.add_evidence(tenant, id, &waits, Source::Act, env.now_ms).await?;
        }
        if is_cash {
            // The officer has the money: the hold says so.
            let taken = Evidence::CashTaken { amount: payment.total };
            tx.add_evidence(tenant, id, &taken, Source::Act, env.now_ms).await?;
        }
        if !is_cash && references.is_empty() {
            return Ok(payment);
        }
        Ok(settle(tx, tenant, id, env).await?.unwrap_or(payment))
    }

    fn new_payment(&self, priced: Priced, revision: u64, now_ms: i64) -> Payment {
        let payload = self.order.payload();
        Payment {
            tenant: self.tenant.clone(),
            payment: payload.payment,
            device: payload.device,
            sequence: payload.sequence,
            officer: payload.officer,
            digest: self.order.digest(),
            order_bytes: self.order.to_bytes(),
            carrier: self.carrier,
            mode: payload.mode,
            payment_type: payload.payment_type.clone(),
            pin: priced.pin,
            lines: priced.cart.priced,
            total: priced.cart.total,
            held_at_unix_s: payload.held_at_unix_s,
            accepted_at_ms: now_ms,
            lifetime_ends_at_ms: priced.lifetime_ends_at_ms,
            state: PaymentState::Sent,
            decline: None,
            attention: None,
            revision,
            changed_at_ms: now_ms,
            receipt_order_id: None,
            paid_at_ms: None,
            held_up: None,
        }
    }
}
