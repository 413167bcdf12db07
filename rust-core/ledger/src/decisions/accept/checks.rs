//! What is looked at before an order is taken: who sent it, when, and by which payment type.

use super::Refusal;
use crate::rows::{Device, DeviceStatus, PaymentType, Pin};
use crate::store::{StoreError, Tx};
use holdfast_domain::live::{Channel, NotInTrial, check_trial};
use holdfast_domain::{DeviceId, GatewayId, TenantSlug};
use holdfast_protocol::OrderPayload;
use holdfast_protocol::wire::{ErrorCode, Provider};

/// How many orders of one revoked handheld wait for approval at most. It is more than an officer holds
/// in days without a network; who found the handheld, and can make it sign, cannot fill the office's
/// Payments page with it.
pub(crate) const WAITING_OF_A_REVOKED_HANDHELD_MAX: u64 = 200;

/// How far a handheld's clock may run ahead before its lifetime is counted from first sight, in
/// milliseconds.
const CLOCK_AHEAD_MS_MAX: i64 = 5 * 60 * 1000;

/// Is it for us, and from a handheld of ours? The signature is the caller's to check.
pub(in crate::decisions) async fn find_sender<T: Tx>(
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

pub(super) fn check_device(device: &Device) -> Result<(), Refusal> {
    match device.status {
        DeviceStatus::Approved | DeviceStatus::Revoked => Ok(()),
        DeviceStatus::Pending => Err(Refusal::of(
            ErrorCode::DeviceNotApproved,
            "This handheld waits for approval. The administrator approves it on the Handhelds \
             page.",
        )),
    }
}

/// A revoked handheld has room among what waits for approval. If not, nothing is refused for good: it
/// brings the order again, and has room once an administrator has decided about others.
pub(super) async fn check_waiting<T: Tx>(
    tx: &mut T,
    tenant: &TenantSlug,
    device: DeviceId,
) -> Result<Result<(), Refusal>, StoreError> {
    let waiting = tx.waiting_for_approval(tenant, device).await?;
    Ok(if waiting < WAITING_OF_A_REVOKED_HANDHELD_MAX {
        Ok(())
    } else {
        Err(Refusal(
            ErrorCode::RateLimited,
            format!(
                "{waiting} orders of this handheld, which was revoked, wait for approval. An \
                 administrator decides about them on the Payments page; then bring this one again."
            ),
        ))
    })
}

/// The lifetime counts from the hold. A clock that runs ahead cannot lengthen it: then it counts
/// from first sight.
pub(super) fn check_lifetime(payload: &OrderPayload, now_ms: i64) -> Result<i64, Refusal> {
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

pub(super) fn check_payment_type(
    payment_type: Option<&PaymentType>,
    payload: &OrderPayload,
) -> Result<(Provider, Pin), Refusal> {
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
    check_trial_of(payment_type, payload)?;
    let pin = match (payment_type.provider, &payment_type.pin) {
        (Provider::Stripe, Some(pin)) => pin.clone(),
        (Provider::Cash, _) => Pin { account: String::new(), generation: 0 },
        (Provider::Stripe, None) => {
            return Err(Refusal::of(
                ErrorCode::PaymentTypeNotReady,
                "The payment type has no Stripe keys yet. The administrator enters them on the \
                 Payment Types page.",
            ));
        }
    };
    if !(payment_type.minor_min..=payment_type.minor_max).contains(&payload.total.minor()) {
        return Err(Refusal(
            ErrorCode::AmountRefused,
            format!(
                "{} is more or less than {} takes. Change the cart and hold again.",
                payload.total, payment_type.code
            ),
        ));
    }
    Ok((payment_type.provider, pin))
}

/// While Live Mode is on trial it is for named officers and small sums.
fn check_trial_of(payment_type: &PaymentType, payload: &OrderPayload) -> Result<(), Refusal> {
    let Some(officers) = &payment_type.trial else { return Ok(()) };
    let channel = Channel::Officer(payload.officer);
    check_trial(officers, channel, payload.total, payment_type.minor_min).map_err(|why| {
        let code = match why {
            NotInTrial::Amount(_) => ErrorCode::AmountRefused,
            NotInTrial::Channel | NotInTrial::Officer => ErrorCode::UnknownPaymentType,
        };
        Refusal(code, format!("{why}. Refresh the handheld, or ask the administrator."))
    })
}
