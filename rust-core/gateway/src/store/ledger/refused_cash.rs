//! Cash without a payment.

use super::Sql;
use crate::store::{StoreError, rows};
use holdfast_domain::Money;
use holdfast_ledger::{Handled, RefusedCash};
use sqlx::query;
use sqlx::sqlite::SqliteRow;

/// Keeps it, or what was done about it.
pub(super) fn put(refused: &RefusedCash) -> Sql<'_> {
    let sql = query(
        "INSERT INTO refused_cash (tenant, payment, device, sequence, officer, payment_type, mode, \
         currency, amount_minor, held_at_unix_s, why, refused_at_ms, handled, handled_by, \
         handled_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT \
         (tenant, payment) DO UPDATE SET handled = excluded.handled, \
         handled_by = excluded.handled_by, handled_at_ms = excluded.handled_at_ms",
    );
    let handled = refused.handled.as_ref();
    sql.bind(refused.tenant.as_str())
        .bind(refused.payment.to_string())
        .bind(refused.device.to_string())
        .bind(rows::same_bits(refused.sequence))
        .bind(i64::from(refused.officer.0))
        .bind(refused.payment_type.to_string())
        .bind(refused.mode.as_str())
        .bind(refused.amount.currency().code().to_owned())
        .bind(refused.amount.minor())
        .bind(rows::same_bits(refused.held_at_unix_s))
        .bind(&refused.why)
        .bind(refused.refused_at_ms)
        .bind(handled.map(|it| it.what.as_str()).unwrap_or_default())
        .bind(handled.map(|it| it.who.as_str()).unwrap_or_default())
        .bind(handled.map(|it| it.at_ms).unwrap_or_default())
}

pub(crate) fn read(row: &SqliteRow) -> Result<RefusedCash, StoreError> {
    let who = rows::some(rows::text(row, "handled_by")?);
    let (what, at_ms) = (rows::text(row, "handled")?, rows::number(row, "handled_at_ms")?);
    Ok(RefusedCash {
        tenant: rows::parsed(row, "tenant")?,
        payment: rows::parsed(row, "payment")?,
        device: rows::device_id(row)?,
        sequence: rows::unsigned(row, "sequence")?,
        officer: holdfast_domain::OfficerId(rows::small(row, "officer")?),
        payment_type: rows::parsed(row, "payment_type")?,
        mode: rows::mode(row)?,
        amount: Money::new(rows::number(row, "amount_minor")?, rows::currency(row)?),
        held_at_unix_s: rows::unsigned(row, "held_at_unix_s")?,
        why: rows::text(row, "why")?,
        refused_at_ms: rows::number(row, "refused_at_ms")?,
        handled: who.map(|who| Handled { who, at_ms, what }),
    })
}
