//! What is owed, and the claims on it.

use super::{LedgerTx, Result, refused_cash};
use crate::store::{StoreError, rows};
use holdfast_domain::{ChargeReference, ClaimState, DeviceId, Mode, Money, PaymentId, TenantSlug};
use holdfast_ledger::{Charge, ChargeTx, Claim, RefusedCash};
use sqlx::query;
use sqlx::sqlite::SqliteRow;

impl ChargeTx for LedgerTx<'_> {
    async fn charge(
        &mut self,
        tenant: &TenantSlug,
        reference: &ChargeReference,
    ) -> Result<Option<Charge>> {
        let sql = query("SELECT * FROM charges WHERE tenant = ? AND reference = ?");
        let row = self.one(sql.bind(tenant.as_str()).bind(reference.as_str())).await?;
        Ok(row.as_ref().map(charge).transpose()?)
    }

    async fn put_charge(&mut self, charge: &Charge) -> Result<()> {
        let sql = query(
            "INSERT INTO charges (tenant, reference, plate, plate_folded, payer, payer_folded, \
             lines, currency, amount_minor, due_on, user_types, withdrawn, created_at_ms, \
             changed_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT \
             (tenant, reference) DO UPDATE SET plate = excluded.plate, plate_folded = \
             excluded.plate_folded, payer = excluded.payer, payer_folded = excluded.payer_folded, \
             lines = excluded.lines, currency = excluded.currency, amount_minor = \
             excluded.amount_minor, due_on = excluded.due_on, user_types = excluded.user_types, \
             withdrawn = excluded.withdrawn, changed_at_ms = excluded.changed_at_ms",
        );
        let sql = sql
            .bind(charge.tenant.as_str())
            .bind(charge.reference.as_str())
            .bind(&charge.plate)
            .bind(fold_plate(&charge.plate))
            .bind(&charge.payer)
            .bind(fold_name(&charge.payer))
            .bind(rows::json(&charge.lines)?)
            .bind(charge.amount.currency().code().to_owned())
            .bind(charge.amount.minor())
            .bind(&charge.due_on)
            .bind(&charge.user_types)
            .bind(&charge.withdrawn)
            .bind(charge.created_at_ms)
            .bind(charge.changed_at_ms);
        self.write(sql).await.map(|_| ())
    }

    async fn claims_of(&mut self, tenant: &TenantSlug, payment: PaymentId) -> Result<Vec<Claim>> {
        let sql = query("SELECT * FROM claims WHERE tenant = ? AND payment = ? ORDER BY reference");
        let found = self.all(sql.bind(tenant.as_str()).bind(payment.to_string())).await?;
        Ok(found.iter().map(claim).collect::<std::result::Result<_, _>>()?)
    }

    async fn claims_on(
        &mut self,
        tenant: &TenantSlug,
        mode: Mode,
        reference: &ChargeReference,
    ) -> Result<Vec<Claim>> {
        let sql = query(
            "SELECT * FROM claims WHERE tenant = ? AND mode = ? AND reference = ? \
             ORDER BY made_at_ms, payment",
        );
        let sql = sql.bind(tenant.as_str()).bind(mode.as_str()).bind(reference.as_str());
        let found = self.all(sql).await?;
        Ok(found.iter().map(claim).collect::<std::result::Result<_, _>>()?)
    }

    async fn put_claim(&mut self, claim: &Claim) -> Result<()> {
        let sql = query(
            "INSERT INTO claims (tenant, reference, payment, mode, state, made_at_ms, \
             returned_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, reference, payment) \
             DO UPDATE SET state = excluded.state, returned_at_ms = excluded.returned_at_ms",
        );
        let sql = sql
            .bind(claim.tenant.as_str())
            .bind(claim.reference.as_str())
            .bind(claim.payment.to_string())
            .bind(claim.mode.as_str())
            .bind(claim.state.as_str())
            .bind(claim.made_at_ms)
            .bind(claim.returned_at_ms.unwrap_or_default());
        self.write(sql).await.map(|_| ())
    }

    async fn refused_cash(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Option<RefusedCash>> {
        let sql = query("SELECT * FROM refused_cash WHERE tenant = ? AND payment = ?");
        let row = self.one(sql.bind(tenant.as_str()).bind(payment.to_string())).await?;
        Ok(row.as_ref().map(refused_cash::read).transpose()?)
    }

    async fn refused_cash_waiting(&mut self, tenant: &TenantSlug, device: DeviceId) -> Result<u64> {
        let sql = query(
            "SELECT COUNT(*) AS waiting FROM refused_cash \
             WHERE tenant = ? AND device = ? AND handled_by = ''",
        );
        let row = self.one(sql.bind(tenant.as_str()).bind(device.to_string())).await?;
        let row = row.ok_or(StoreError::Damaged("refused_cash"))?;
        Ok(rows::unsigned(&row, "waiting")?)
    }

    async fn put_refused_cash(&mut self, refused: &RefusedCash) -> Result<()> {
        self.write(refused_cash::put(refused)).await.map(|_| ())
    }

    async fn is_handed_in(&mut self, tenant: &TenantSlug, payment: PaymentId) -> Result<bool> {
        let sql = query("SELECT 1 FROM cash_handed_in WHERE tenant = ? AND payment = ?");
        Ok(self.one(sql.bind(tenant.as_str()).bind(payment.to_string())).await?.is_some())
    }
}

/// A charge of a row that has all its columns.
pub(crate) fn charge(row: &SqliteRow) -> std::result::Result<Charge, StoreError> {
    Ok(Charge {
        tenant: rows::parsed(row, "tenant")?,
        reference: rows::parsed(row, "reference")?,
        plate: rows::text(row, "plate")?,
        payer: rows::text(row, "payer")?,
        lines: rows::from_json(&rows::text(row, "lines")?, "lines")?,
        amount: Money::new(rows::number(row, "amount_minor")?, rows::currency(row)?),
        due_on: rows::text(row, "due_on")?,
        user_types: rows::text(row, "user_types")?,
        withdrawn: rows::text(row, "withdrawn")?,
        created_at_ms: rows::number(row, "created_at_ms")?,
        changed_at_ms: rows::number(row, "changed_at_ms")?,
    })
}

/// A claim of a row that has all its columns.
pub(crate) fn claim(row: &SqliteRow) -> std::result::Result<Claim, StoreError> {
    Ok(Claim {
        tenant: rows::parsed(row, "tenant")?,
        mode: rows::mode(row)?,
        reference: rows::parsed(row, "reference")?,
        payment: rows::parsed(row, "payment")?,
        state: ClaimState::parse(&rows::text(row, "state")?)
            .ok_or(StoreError::Damaged("claim state"))?,
        made_at_ms: rows::number(row, "made_at_ms")?,
        returned_at_ms: Some(rows::number(row, "returned_at_ms")?).filter(|at_ms| *at_ms != 0),
    })
}

/// A plate as it is searched for: letters and digits in capitals, however it is spaced.
pub(crate) fn fold_plate(plate: &str) -> String {
    plate.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// A name as it is searched for: in small letters, one space between words.
pub(crate) fn fold_name(name: &str) -> String {
    name.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}
