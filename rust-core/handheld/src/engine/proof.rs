//! Offline proof: the payer's receipt or confirm code says that it is paid, and this handheld can
//! check that without a network.
//!
//! The receipt is signed by the gateway's key, known since enrolment. The code is computed here and
//! compared in constant time; it is not shown before the payment is paid, so that the payer shows
//! theirs first. Either makes the payment *paid, verified offline*, once that is on disk. What the
//! gateway says later, it says with more knowledge: it confirms, or it says that a person must look.

use super::Engine;
use super::message::{Caller, Reply, Step};
use super::outbox::revised;
use super::record::{Enrolment, Held, Payment, Proof, Write};
use super::turn::Moment;
use crate::error::{CodeError, ReceiptError};
use holdfast_domain::{PaymentId, Secret, ShortCode};
use holdfast_protocol::{
    DevicePublicKey, MessageError, ReceiptPayload, SignedOrder, SignedReceipt, confirm_code,
};

/// Wrong codes before each further try has to wait. A slip or two is human; eight symbols are not
/// guessed in five tries, nor at one in [`CODE_LOCK_MS`].
pub const CODE_TRIES_MAX: u32 = 5;
/// How long the next try waits then, in milliseconds. Counted from the start of the process at the
/// least, so that a restart is no way around it.
pub const CODE_LOCK_MS: u64 = 60_000;

impl Engine {
    pub(super) fn verify_receipt(&mut self, caller: Caller, scanned: &str, now: Moment) -> Step {
        let verified = match self.receipt_of(scanned) {
            Ok(verified) => verified,
            Err(error) => return Step::reply(caller, Reply::VerifyReceipt(Err(error))),
        };
        let (payment, held, receipt) = verified;
        let proof = Proof {
            receipt: Some(receipt.to_bytes()),
            receipt_order_id: Some(receipt.payload().receipt_order_id),
            checked_at_unix_s: self.clock.unix_s(now),
        };
        let reply = (caller, Reply::VerifyReceipt(Ok(payment.payment)));
        let known = held.proof.as_ref().is_some_and(|known| known.receipt == proof.receipt);
        let proved = revised(payment, Held { proof: Some(proof.into()), ..held.clone() });
        let writes = if known { Vec::new() } else { vec![Write::payment(proved)] };
        Step { writes, replies: vec![reply], ..Step::default() }
    }

    fn receipt_of(&self, scanned: &str) -> Result<(&Payment, &Held, SignedReceipt), ReceiptError> {
        let receipt = self.signed_here(scanned)?;
        let paid = receipt.payload();
        let payment = self.durable.payment(paid.payment).ok_or(ReceiptError::UnknownPayment)?;
        let held = payment.held.as_ref().ok_or(ReceiptError::UnknownPayment)?;
        let order = SignedOrder::parse(&held.order).map_err(|_| ReceiptError::UnknownPayment)?;
        let order = order.payload();
        let ReceiptPayload { gateway, tenant, mode, amount, .. } = paid;
        if *gateway != order.gateway {
            return Err(ReceiptError::NotByThisGateway);
        }
        if *tenant != order.tenant {
            return Err(ReceiptError::AnotherTenant);
        }
        if *mode != order.mode {
            return Err(ReceiptError::ModeDiffers);
        }
        if *amount != order.total {
            return Err(ReceiptError::AmountDiffers);
        }
        Ok((payment, held, receipt))
    }

    /// A receipt that a gateway of this handheld has signed.
    fn signed_here(&self, scanned: &str) -> Result<SignedReceipt, ReceiptError> {
        let mut error = ReceiptError::NotByThisGateway;
        for enrolment in self.durable.enrolments() {
            let Ok(key) = DevicePublicKey::from_sec1(&enrolment.gateway_public_key) else {
                continue;
            };
            match SignedReceipt::verify_scanned(scanned, &key) {
                Ok(receipt) if receipt.payload().gateway == enrolment.gateway => {
                    return Ok(receipt);
                }
                Ok(_) | Err(MessageError::Signature(_)) => {}
                Err(_) => error = ReceiptError::NotAReceipt,
            }
        }
        Err(error)
    }

    pub(super) fn verify_code(
        &mut self,
        caller: Caller,
        payment: PaymentId,
        typed: &str,
        now: Moment,
    ) -> Step {
        match self.checked_code(payment, typed, now) {
            Ok(step) => Step {
                replies: step.replies.into_iter().map(|(_, reply)| (caller, reply)).collect(),
                ..step
            },
            Err(error) => Step::reply(caller, Reply::VerifyCode(Err(error))),
        }
    }

    /// What to store and to answer; the caller is filled in by [`Engine::verify_code`].
    fn checked_code(
        &mut self,
        payment: PaymentId,
        typed: &str,
        now: Moment,
    ) -> Result<Step, CodeError> {
        let known = self.durable.payment(payment).ok_or(CodeError::NotFound)?;
        let held = known.held.as_ref().filter(|held| !held.imported).ok_or(CodeError::NotHeld)?;
        let enrolment = self.durable.enrolment_of(held.device).ok_or(CodeError::NotHeld)?;
        let typed = ShortCode::parse(typed).ok_or(CodeError::Unreadable)?;
        if let Some(wait_ms) = self.code_lock_ms(held, payment, now) {
            let wait_s = u32::try_from(wait_ms.div_ceil(1_000)).unwrap_or(u32::MAX);
            return Err(CodeError::Locked { wait_s });
        }
        let is_right = is_code_of(enrolment, known, typed);
        let next = if is_right {
            let proof = Proof {
                receipt: None,
                receipt_order_id: None,
                checked_at_unix_s: self.clock.unix_s(now),
            };
            let proof = held.proof.clone().or(Some(proof.into()));
            Held { proof, wrong_codes: 0, ..held.clone() }
        } else {
            Held { wrong_codes: held.wrong_codes.saturating_add(1), ..held.clone() }
        };
        let tries_left = CODE_TRIES_MAX.saturating_sub(next.wrong_codes);
        let answer = if is_right { Ok(()) } else { Err(CodeError::Wrong { tries_left }) };
        let writes = vec![Write::payment(revised(known, next))];
        if !is_right {
            // Counted from this moment even if the count cannot be stored.
            self.wrong_code_at.insert(payment, now.mono_ms);
        }
        let replies = vec![(Caller(0), Reply::VerifyCode(answer))];
        Ok(Step { writes, replies, ..Step::default() })
    }

    /// How long the next try must wait, if it must.
    fn code_lock_ms(&self, held: &Held, payment: PaymentId, now: Moment) -> Option<u64> {
        if held.wrong_codes < CODE_TRIES_MAX {
            return None;
        }
        let last_ms = self.wrong_code_at.get(&payment).copied().unwrap_or(self.loaded_mono_ms);
        let until_ms = last_ms.saturating_add(CODE_LOCK_MS);
        until_ms.checked_sub(now.mono_ms).filter(|wait_ms| *wait_ms > 0)
    }
}

/// Compared as secrets are, in constant time.
fn is_code_of(enrolment: &Enrolment, payment: &Payment, typed: ShortCode) -> bool {
    let total = payment.cart.total;
    let code = confirm_code(&enrolment.confirm_secret, payment.payment, total);
    Secret::new(code.compact().to_owned()) == Secret::new(typed.compact().to_owned())
}
