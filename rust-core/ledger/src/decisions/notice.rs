//! What a handheld says about an order after the hold.

use crate::decisions::accept::{Refusal, find_sender};
use crate::decisions::cash::{VoidOutcome, is_cash, void};
use crate::decisions::learn::settle;
use crate::refund::AuditAct;
use crate::rows::{DeviceStatus, JobKind, Notice, Payment, Source};
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::cash::officer_may_void;
use holdfast_domain::{Evidence, TenantSlug};
use holdfast_protocol::wire::ErrorCode;
use holdfast_protocol::{NoticeKind, SignedNotice};

/// A signed notice came. The same one again is answered as before.
#[derive(Debug, Clone)]
pub struct TakeNotice {
    /// Parsed, its signature not yet checked.
    pub notice: SignedNotice,
    /// The tenant in whose address it came.
    pub tenant: TenantSlug,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeOutcome {
    /// It is in the ledger.
    Taken {
        /// The payment as it stands; none if its order never came. An order that comes after it
        /// was given up is refused.
        payment: Option<Box<Payment>>,
    },
    /// Nothing was stored.
    Refused {
        /// For programs.
        code: ErrorCode,
        /// For people: what to do next.
        message: String,
    },
}

impl Decision for TakeNotice {
    type Outcome = NoticeOutcome;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<NoticeOutcome, StoreError> {
        let payload = self.notice.payload();
        let sender = (payload.gateway, &payload.tenant, payload.device);
        let refusal = match find_sender(tx, &self.tenant, sender).await? {
            Err(refusal) => Some(refusal),
            Ok(device) if self.notice.verify(&device.public_key).is_err() => {
                Some(Refusal::signature())
            }
            Ok(device) if device.status == DeviceStatus::Revoked => Some(Refusal::of(
                ErrorCode::DeviceRevoked,
                "This handheld was revoked. Call the administrator.",
            )),
            Ok(_) => None,
        };
        if let Some(Refusal(code, message)) = refusal {
            return Ok(NoticeOutcome::Refused { code, message });
        }
        let payment = tx.payment(&self.tenant, payload.payment).await?;
        if let Some(payment) = payment.as_ref().filter(|payment| payment.device != payload.device)
            && let Some(refused) = self.refused_to_another(tx, payment).await?
        {
            return Ok(refused);
        }
        if let Some(payment) = &payment
            && is_cash(tx, payment).await?
        {
            return self.void(tx, payment, env).await;
        }
        tx.add_notice(&self.row(env.now_ms)).await?;
        let payment = match payment {
            Some(payment) => self.act_on(tx, &payment, env).await?.map(Box::new),
            None => None,
        };
        Ok(NoticeOutcome::Taken { payment })
    }
}

impl TakeNotice {
    /// A handheld speaks for what it held under an earlier enrolment, once it has proved that this was
    /// its own and an administrator has approved it.
    async fn refused_to_another<T: Tx>(
        &self,
        tx: &mut T,
        payment: &Payment,
    ) -> Result<Option<NoticeOutcome>, StoreError> {
        let sender = self.notice.payload().device;
        let (code, message) = if !tx.continues(&self.tenant, sender, payment.device).await? {
            (ErrorCode::UnknownDevice, "This payment was held on another handheld. Ask there.")
        } else if tx
            .device(&self.tenant, sender)
            .await?
            .is_none_or(|device| device.status != DeviceStatus::Approved)
        {
            (
                ErrorCode::DeviceNotApproved,
                "This handheld waits for approval. The administrator approves it on the Handhelds \
                 page.",
            )
        } else {
            return Ok(None);
        };
        Ok(Some(NoticeOutcome::Refused { code, message: message.to_owned() }))
    }

    /// Evidence, and a look at Stripe that ends what is open.
    async fn act_on<T: Tx>(
        &self,
        tx: &mut T,
        payment: &Payment,
        env: &Env,
    ) -> Result<Option<Payment>, StoreError> {
        let evidence = match self.notice.payload().kind {
            NoticeKind::Cancel => Evidence::CancelRequested,
            NoticeKind::Withdraw { .. } => Evidence::Withdrawn,
            NoticeKind::Quarantined { .. } => return Ok(Some(payment.clone())),
        };
        let (tenant, id) = (&self.tenant, payment.payment);
        if tx.add_evidence(tenant, id, &evidence, Source::Act, env.now_ms).await? {
            tx.want_job(tenant, JobKind::CheckSession, id, env.now_ms).await?;
        }
        settle(tx, tenant, id, env).await
    }

    /// Cash is given back by withdrawing, with its reason, soon after the hold.
    async fn void<T: Tx>(
        &self,
        tx: &mut T,
        payment: &Payment,
        env: &Env,
    ) -> Result<NoticeOutcome, StoreError> {
        let payload = self.notice.payload();
        let is_void = match payload.kind {
            NoticeKind::Withdraw { .. } => true,
            NoticeKind::Cancel => false,
            NoticeKind::Quarantined { .. } => {
                tx.add_notice(&self.row(env.now_ms)).await?;
                return Ok(NoticeOutcome::Taken { payment: Some(Box::new(payment.clone())) });
            }
        };
        let in_time = officer_may_void(payment.held_at_unix_s, payload.made_at_unix_s);
        if !is_void || !in_time {
            return Ok(void_refused(
                "Cash is voided by withdrawing with a reason, within 15 minutes of the hold. The \
                 administrator or finance can void it on the Cash page.",
            ));
        }
        match void(tx, payment.clone(), env).await? {
            VoidOutcome::Voided { payment, new } => {
                tx.add_notice(&self.row(env.now_ms)).await?;
                if let (NoticeKind::Withdraw { reason }, true) = (&payload.kind, new) {
                    let act = AuditAct {
                        tenant: self.tenant.clone(),
                        at_ms: env.now_ms,
                        who: format!(
                            "Officer {} on handheld {}",
                            payment.officer.0, payload.device
                        ),
                        what: "cash_voided",
                        detail: format!(
                            "{} of payment {}: {reason}",
                            payment.total, payment.payment
                        ),
                    };
                    tx.record_act(act).await?;
                }
                Ok(NoticeOutcome::Taken { payment: Some(payment) })
            }
            VoidOutcome::HandedIn | VoidOutcome::Unknown => Ok(void_refused(
                "This cash was handed in: its shift is closed. Ask the administrator or finance.",
            )),
        }
    }

    fn row(&self, now_ms: i64) -> Notice {
        let payload = self.notice.payload();
        Notice {
            tenant: self.tenant.clone(),
            payment: payload.payment,
            device: payload.device,
            digest: self.notice.digest(),
            kind: payload.kind.clone(),
            made_at_unix_s: payload.made_at_unix_s,
            received_at_ms: now_ms,
            bytes: self.notice.to_bytes(),
        }
    }
}

fn void_refused(why: &str) -> NoticeOutcome {
    NoticeOutcome::Refused { code: ErrorCode::VoidRefused, message: why.to_owned() }
}
