//! Taking a signed order into the ledger.

use crate::rows::{Carrier, Device, DeviceStatus, JobKind, Payment, PaymentType, Pin};
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::{Cart, DeviceId, GatewayId, PaymentState, TenantSlug};
use holdfast_protocol::wire::ErrorCode;
use holdfast_protocol::{OrderPayload, SignedOrder};

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

/// How far a handheld's clock may run ahead before its lifetime is counted from first sight, in
/// milliseconds.
const CLOCK_AHEAD_MS_MAX: i64 = 5 * 60 * 1000;

/// Why nothing is stored: for programs, and for people.
pub(super) struct Refusal(pub(super) ErrorCode, pub(super) String);

impl Decision for Accept {
    type Outcome = AcceptOutcome;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<AcceptOutcome, StoreError> {
        let payload = self.order.payload();
        let sender = (payload.gateway, &payload.tenant, payload.device);
        let device = match find_sender(tx, &self.tenant, sender).await? {
            Ok(device) if self.order.verify(&device.public_key).is_err() => {
                return Ok(Refusal::signature().into());
            }
            Ok(device) => device,
            Err(refusal) => return Ok(refusal.into()),
        };
        // The same order again is answered as before, whatever has changed since.
        if let Some(known) = tx.payment(&self.tenant, payload.payment).await? {
            return Ok(if known.digest == self.order.digest() && known.device == payload.device {
                AcceptOutcome::Accepted { payment: Box::new(known), new: false }
            } else {
                Refusal::conflict().into()
            });
        }
        if tx.is_given_up(&self.tenant, payload.payment).await? {
            return Ok(Refusal::of(
                ErrorCode::Withdrawn,
                "The officer gave this order up. Do not pay it; ask the officer for a new one.",
            )
            .into());
        }
        let priced = match self.check_content(tx, &device, env.now_ms).await? {
            Ok(priced) => priced,
            Err(refusal) => return Ok(refusal.into()),
        };
        let payment = self.new_payment(priced, tx.next_revision(&self.tenant).await?, env.now_ms);
        tx.put_payment(&payment).await?;
        let ends_at_ms = payment.lifetime_ends_at_ms;
        tx.want_job(&self.tenant, JobKind::EndLifetime, payment.payment, ends_at_ms).await?;
        Ok(AcceptOutcome::Accepted { payment: Box::new(payment), new: true })
    }
}

struct Priced {
    cart: Cart,
    pin: Pin,
    lifetime_ends_at_ms: i64,
}

impl Accept {
    /// May this device hold for this, in this way, at this price?
    async fn check_content<T: Tx>(
        &self,
        tx: &mut T,
        device: &Device,
        now_ms: i64,
    ) -> Result<Result<Priced, Refusal>, StoreError> {
        let payload = self.order.payload();
        if let Err(refusal) = check_device(device) {
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
        let lifetime_ends_at_ms = match check_lifetime(payload, now_ms) {
            Ok(ends_at_ms) => ends_at_ms,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let payment_type = tx.payment_type(&self.tenant, &payload.payment_type).await?;
        let pin = match check_payment_type(payment_type.as_ref(), payload) {
            Ok(pin) => pin,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(catalogue) = tx.catalogue(&self.tenant, payload.catalogue_version).await? else {
            return Ok(Err(Refusal::of(
                ErrorCode::UnknownCatalogue,
                "The gateway does not know the price list of this order. Refresh the handheld and \
                 hold again.",
            )));
        };
        Ok(match Cart::price(&catalogue, payload.lines.clone()) {
            Err(error) => Err(Refusal(ErrorCode::LinesRefused, format!("Refused: {error}."))),
            Ok(cart) if cart.total != payload.total => Err(Refusal(
                ErrorCode::TotalDiffers,
                format!(
                    "The handheld held for {} and the price list makes it {}. Refresh the handheld \
                     and hold again.",
                    payload.total, cart.total
                ),
            )),
            Ok(cart) => Ok(Priced { cart, pin, lifetime_ends_at_ms }),
        })
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
        }
    }
}

/// Is it for us, and from a handheld of ours? The signature is the caller's to check.
pub(super) async fn find_sender<T: Tx>(
    tx: &mut T,
    tenant: &TenantSlug,
    (gateway, named, device): (GatewayId, &TenantSlug, DeviceId),
) -> Result<Result<Device, Refusal>, StoreError> {
    if gateway != tx.gateway().await? {
        return Ok(Err(Refusal::of(
            ErrorCode::WrongGateway,
            "This was signed for another gateway. Enrol the handheld here and hold again.",
        )));
    }
    if named != tenant {
        return Ok(Err(Refusal::of(
            ErrorCode::WrongTenant,
            "This belongs to another organisation. Use the address it was made for.",
        )));
    }
    Ok(tx.device(tenant, device).await?.ok_or_else(|| {
        Refusal::of(
            ErrorCode::UnknownDevice,
            "This handheld is not enrolled here. Ask the administrator for an enrolment code.",
        )
    }))
}

fn check_device(device: &Device) -> Result<(), Refusal> {
    match device.status {
        DeviceStatus::Approved => Ok(()),
        DeviceStatus::Pending => Err(Refusal::of(
            ErrorCode::DeviceNotApproved,
            "This handheld waits for approval. The administrator approves it on the Handhelds \
             page.",
        )),
        DeviceStatus::Revoked => Err(Refusal::of(
            ErrorCode::DeviceRevoked,
            "This handheld was revoked. Call the administrator; do not pay with this code.",
        )),
    }
}

/// The lifetime counts from the hold. A clock that runs ahead cannot lengthen it: then it counts
/// from first sight.
fn check_lifetime(payload: &OrderPayload, now_ms: i64) -> Result<i64, Refusal> {
    let held_at_ms = i64::try_from(payload.held_at_unix_s)
        .ok()
        .and_then(|seconds| seconds.checked_mul(1000))
        .filter(|held_at_ms| *held_at_ms <= now_ms.saturating_add(CLOCK_AHEAD_MS_MAX))
        .unwrap_or(now_ms);
    let ends_at_ms = held_at_ms.saturating_add(i64::from(payload.lifetime_s).saturating_mul(1000));
    if ends_at_ms <= now_ms {
        return Err(Refusal::of(
            ErrorCode::LifetimeOver,
            "This order is too old to be paid. Ask the officer for a new one.",
        ));
    }
    Ok(ends_at_ms)
}

fn check_payment_type(
    payment_type: Option<&PaymentType>,
    payload: &OrderPayload,
) -> Result<Pin, Refusal> {
    let Some(payment_type) = payment_type.filter(|t| t.currency == payload.total.currency()) else {
        return Err(Refusal(
            ErrorCode::UnknownPaymentType,
            format!(
                "There is no payment type {} in {} here. Refresh the handheld and hold again.",
                payload.payment_type,
                payload.total.currency()
            ),
        ));
    };
    if payment_type.mode != payload.mode {
        return Err(Refusal(
            ErrorCode::ModeDiffers,
            format!(
                "This order was held in {} mode and the payment type is in {} mode now. It cannot \
                 run there; hold again.",
                payload.mode, payment_type.mode
            ),
        ));
    }
    let Some(pin) = &payment_type.pin else {
        return Err(Refusal::of(
            ErrorCode::PaymentTypeNotReady,
            "The payment type has no Stripe keys yet. The administrator enters them on the \
             Payment Types page.",
        ));
    };
    if !(payment_type.minor_min..=payment_type.minor_max).contains(&payload.total.minor()) {
        return Err(Refusal(
            ErrorCode::AmountRefused,
            format!("Stripe does not take {}. Change the cart and hold again.", payload.total),
        ));
    }
    Ok(pin.clone())
}

impl Refusal {
    pub(super) fn of(code: ErrorCode, message: &str) -> Self {
        Self(code, message.to_owned())
    }

    pub(super) fn signature() -> Self {
        Self::of(
            ErrorCode::SignatureWrong,
            "This was changed after it was signed, or the code was read wrongly. Scan it again; if \
             that does not help, the officer makes a new one.",
        )
    }

    fn conflict() -> Self {
        Self::of(
            ErrorCode::PaymentConflict,
            "Another order with the same payment ID was accepted before. Do not pay this one; call \
             the administrator.",
        )
    }
}

impl From<Refusal> for AcceptOutcome {
    fn from(Refusal(code, message): Refusal) -> Self {
        Self::Refused { code, message }
    }
}
