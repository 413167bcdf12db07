//! Between rows of SQL and the rows of the ledger. A value that this program never writes is
//! reported as damage, not guessed at.

use super::StoreError;
use holdfast_domain::{
    Currency, DeviceId, Evidence, Mode, Money, OfficerId, PaymentState, PaymentTypeCode,
    ReceiptOrderId,
};
use holdfast_ledger::{Attempt, AttemptState, Carrier, DeviceStatus, Job, JobKind, Payment, Pin};
use holdfast_protocol::wire::Provider;
use holdfast_protocol::{NoticeKind, OrderDigest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

type Result<T> = std::result::Result<T, StoreError>;

/// A text column.
pub(crate) fn text(row: &SqliteRow, column: &'static str) -> Result<String> {
    Ok(row.try_get(column)?)
}

/// A number column.
pub(crate) fn number(row: &SqliteRow, column: &'static str) -> Result<i64> {
    Ok(row.try_get(column)?)
}

/// A column of bytes.
pub(crate) fn bytes(row: &SqliteRow, column: &'static str) -> Result<Vec<u8>> {
    Ok(row.try_get(column)?)
}

/// A text column that is parsed by its type.
pub(crate) fn parsed<T: std::str::FromStr>(row: &SqliteRow, column: &'static str) -> Result<T> {
    text(row, column)?.parse().map_err(|_| StoreError::Damaged(column))
}

/// A number column that holds a smaller unsigned number.
pub(crate) fn small(row: &SqliteRow, column: &'static str) -> Result<u32> {
    u32::try_from(number(row, column)?).map_err(|_| StoreError::Damaged(column))
}

/// A number that is never negative.
pub(crate) fn unsigned(row: &SqliteRow, column: &'static str) -> Result<u64> {
    u64::try_from(number(row, column)?).map_err(|_| StoreError::Damaged(column))
}

/// Empty text is none.
pub(crate) fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// A value as JSON text.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| StoreError::Damaged("json"))
}

/// A value of JSON text.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str, column: &'static str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| StoreError::Damaged(column))
}

/// JSON text, or empty for none.
pub(crate) fn json_or_empty<T: Serialize>(value: Option<&T>) -> Result<String> {
    value.map_or(Ok(String::new()), json)
}

/// A 64-bit count without sign, kept as the signed number of the same bits. Such columns are
/// only compared for equality.
pub(crate) fn same_bits(count: u64) -> i64 {
    count.cast_signed()
}

pub(crate) fn mode(row: &SqliteRow) -> Result<Mode> {
    Mode::parse(&text(row, "mode")?).ok_or(StoreError::Damaged("mode"))
}

/// The officers of a trial; none while there is none.
pub(crate) fn trial(row: &SqliteRow) -> Result<Option<Vec<OfficerId>>> {
    let officers = text(row, "trial_officers")?;
    let number = |text: &str| text.parse().map(OfficerId);
    let officers =
        some(officers).map(|it| it.split(',').map(number).collect::<std::result::Result<_, _>>());
    officers.transpose().map_err(|_| StoreError::Damaged("trial_officers"))
}

pub(crate) fn currency(row: &SqliteRow) -> Result<Currency> {
    Currency::from_code(&text(row, "currency")?).map_err(|_| StoreError::Damaged("currency"))
}

pub(crate) fn payment(row: &SqliteRow) -> Result<Payment> {
    let optional = |column| text(row, column).map(some);
    let total = Money::new(number(row, "total_minor")?, currency(row)?);
    let receipt = optional("receipt_order_id")?;
    let paid_at_ms = number(row, "paid_at_ms")?;
    let state = PaymentState::parse(&text(row, "state")?).ok_or(StoreError::Damaged("state"))?;
    Ok(Payment {
        tenant: parsed(row, "tenant")?,
        payment: parsed(row, "payment")?,
        device: parsed(row, "device")?,
        sequence: number(row, "sequence")?.cast_unsigned(),
        officer: OfficerId(small(row, "officer")?),
        digest: digest(row)?,
        order_bytes: bytes(row, "order_bytes")?,
        carrier: carrier(&text(row, "carrier")?)?,
        mode: mode(row)?,
        payment_type: parsed(row, "payment_type")?,
        pin: Pin { account: text(row, "pin_account")?, generation: small(row, "pin_generation")? },
        lines: from_json(&text(row, "lines")?, "lines")?,
        total,
        held_at_unix_s: number(row, "held_at_unix_s")?.cast_unsigned(),
        accepted_at_ms: number(row, "accepted_at_ms")?,
        lifetime_ends_at_ms: number(row, "lifetime_ends_at_ms")?,
        state,
        decline: optional("decline")?.map(|text| from_json(&text, "decline")).transpose()?,
        attention: optional("attention")?.map(|text| from_json(&text, "attention")).transpose()?,
        revision: unsigned(row, "revision")?,
        changed_at_ms: number(row, "changed_at_ms")?,
        receipt_order_id: receipt.map(|text| receipt_id(&text)).transpose()?,
        paid_at_ms: (paid_at_ms != 0).then_some(paid_at_ms),
        held_up: optional("held_up")?
            .map(|text| text.parse().map_err(|_| StoreError::Damaged("held_up")))
            .transpose()?,
    })
}

fn digest(row: &SqliteRow) -> Result<OrderDigest> {
    let digest = bytes(row, "digest")?;
    digest.as_slice().try_into().map(OrderDigest).map_err(|_| StoreError::Damaged("digest"))
}

fn receipt_id(text: &str) -> Result<ReceiptOrderId> {
    ReceiptOrderId::parse(text).map_err(|_| StoreError::Damaged("receipt_order_id"))
}

/// Kind and reason of a notice.
pub(crate) fn notice_text(kind: &NoticeKind) -> (&'static str, &str) {
    match kind {
        NoticeKind::Cancel => ("cancel", ""),
        NoticeKind::Withdraw { reason } => ("withdraw", reason),
        NoticeKind::Quarantined { reason } => ("quarantined", reason),
    }
}

pub(crate) fn carrier_text(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Handheld => "handheld",
        Carrier::Payer => "payer",
    }
}

fn carrier(text: &str) -> Result<Carrier> {
    match text {
        "handheld" => Ok(Carrier::Handheld),
        "payer" => Ok(Carrier::Payer),
        _ => Err(StoreError::Damaged("carrier")),
    }
}

pub(crate) fn attempt(row: &SqliteRow) -> Result<Attempt> {
    Ok(Attempt {
        tenant: parsed(row, "tenant")?,
        payment: parsed(row, "payment")?,
        number: small(row, "number")?,
        state: attempt_state(&text(row, "state")?)?,
        idempotency_key: text(row, "idempotency_key")?,
        frozen_body: text(row, "frozen_body")?,
        frozen_at_ms: number(row, "frozen_at_ms")?,
        expires_at_unix_s: number(row, "expires_at_unix_s")?,
        session: some(text(row, "session")?),
        url: some(text(row, "url")?),
    })
}

pub(crate) fn attempt_state_text(state: AttemptState) -> &'static str {
    match state {
        AttemptState::Frozen => "frozen",
        AttemptState::Opened => "opened",
        AttemptState::Disposed => "disposed",
    }
}

fn attempt_state(text: &str) -> Result<AttemptState> {
    match text {
        "frozen" => Ok(AttemptState::Frozen),
        "opened" => Ok(AttemptState::Opened),
        "disposed" => Ok(AttemptState::Disposed),
        _ => Err(StoreError::Damaged("attempt state")),
    }
}

pub(crate) fn job(row: &SqliteRow) -> Result<Job> {
    Ok(Job {
        tenant: parsed(row, "tenant")?,
        kind: JobKind::parse(&text(row, "kind")?).ok_or(StoreError::Damaged("kind"))?,
        payment: parsed(row, "payment")?,
        due_at_ms: number(row, "due_at_ms")?,
        leased_until_ms: number(row, "leased_until_ms")?,
        fence: unsigned(row, "fence")?,
        wanted: unsigned(row, "wanted")?,
        tries: small(row, "tries")?,
    })
}

pub(crate) fn evidence(row: &SqliteRow) -> Result<Evidence> {
    from_json(&text(row, "piece")?, "piece")
}

pub(crate) fn device_status_text(status: DeviceStatus) -> &'static str {
    match status {
        DeviceStatus::Pending => "pending",
        DeviceStatus::Approved => "approved",
        DeviceStatus::Revoked => "revoked",
    }
}

pub(crate) fn device_status(row: &SqliteRow) -> Result<DeviceStatus> {
    match text(row, "status")?.as_str() {
        "pending" => Ok(DeviceStatus::Pending),
        "approved" => Ok(DeviceStatus::Approved),
        "revoked" => Ok(DeviceStatus::Revoked),
        _ => Err(StoreError::Damaged("status")),
    }
}

pub(crate) fn provider_text(provider: Provider) -> &'static str {
    match provider {
        Provider::Stripe => "stripe",
        Provider::Cash => "cash",
    }
}

pub(crate) fn provider(row: &SqliteRow) -> Result<Provider> {
    match text(row, "provider")?.as_str() {
        "stripe" => Ok(Provider::Stripe),
        "cash" => Ok(Provider::Cash),
        _ => Err(StoreError::Damaged("provider")),
    }
}

/// A device ID column.
pub(crate) fn device_id(row: &SqliteRow) -> Result<DeviceId> {
    parsed(row, "device")
}

/// A payment type code column.
pub(crate) fn type_code(row: &SqliteRow) -> Result<PaymentTypeCode> {
    parsed(row, "code")
}
