//! What is set up.

use super::{LedgerTx, Result};
use crate::store::{StoreError, rows};
use holdfast_domain::{
    Catalogue, CatalogueItem, DeviceId, GatewayId, Money, PaymentTypeCode, TenantSlug,
};
use holdfast_ledger::{Device, PaymentType, Pin, SetupTx};
use holdfast_protocol::DevicePublicKey;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, query};

impl LedgerTx<'_> {
    async fn pin(&mut self, tenant: &TenantSlug, code: &PaymentTypeCode) -> Result<Option<Pin>> {
        let newest = query(
            "SELECT p.account, p.generation FROM processors p JOIN payment_types t \
             ON t.tenant = p.tenant AND t.code = p.code AND t.mode = p.mode \
             WHERE p.tenant = ? AND p.code = ? ORDER BY p.generation DESC LIMIT 1",
        );
        let row = self.one(newest.bind(tenant.as_str()).bind(code.as_str())).await?;
        let pin = |row: &SqliteRow| -> std::result::Result<Pin, StoreError> {
            Ok(Pin {
                account: rows::text(row, "account")?,
                generation: rows::small(row, "generation")?,
            })
        };
        Ok(row.as_ref().map(pin).transpose()?)
    }
}

impl SetupTx for LedgerTx<'_> {
    async fn gateway(&mut self) -> Result<GatewayId> {
        let row = self.one(query("SELECT gateway FROM installation")).await?;
        let row = row.ok_or(StoreError::Damaged("installation"))?;
        Ok(rows::parsed(&row, "gateway")?)
    }

    async fn device(&mut self, tenant: &TenantSlug, device: DeviceId) -> Result<Option<Device>> {
        let sql = query("SELECT public_key, status FROM devices WHERE tenant = ? AND device = ?");
        let row = self.one(sql.bind(tenant.as_str()).bind(device.to_string())).await?;
        let Some(row) = row else { return Ok(None) };
        let public_key = DevicePublicKey::from_sec1(&rows::bytes(&row, "public_key")?)
            .map_err(|_| StoreError::Damaged("public_key"))?;
        Ok(Some(Device { device, public_key, status: rows::device_status(&row)? }))
    }

    async fn continues(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
        earlier: DeviceId,
    ) -> Result<bool> {
        let sql = query(
            "SELECT 1 FROM device_continuity WHERE tenant = ? AND device = ? AND earlier = ?",
        );
        let sql = sql.bind(tenant.as_str()).bind(device.to_string()).bind(earlier.to_string());
        Ok(self.one(sql).await?.is_some())
    }

    async fn payment_type(
        &mut self,
        tenant: &TenantSlug,
        code: &PaymentTypeCode,
    ) -> Result<Option<PaymentType>> {
        let sql = query(
            "SELECT provider, mode, currency, minor_min, minor_max, trial_officers FROM payment_types \
             WHERE tenant = ? AND code = ?",
        );
        let row = self.one(sql.bind(tenant.as_str()).bind(code.as_str())).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(PaymentType {
            code: code.clone(),
            provider: rows::provider(&row)?,
            mode: rows::mode(&row)?,
            currency: rows::currency(&row)?,
            minor_min: rows::number(&row, "minor_min")?,
            minor_max: rows::number(&row, "minor_max")?,
            pin: self.pin(tenant, code).await?,
            trial: rows::trial(&row)?,
        }))
    }

    async fn end_trial(&mut self, tenant: &TenantSlug, code: &PaymentTypeCode) -> Result<()> {
        let sql =
            query("UPDATE payment_types SET trial_officers = '' WHERE tenant = ? AND code = ?");
        self.write(sql.bind(tenant.as_str()).bind(code.as_str())).await.map(|_| ())
    }

    async fn catalogue(&mut self, tenant: &TenantSlug, version: u32) -> Result<Option<Catalogue>> {
        Ok(catalogue(&mut *self.connection, tenant, version).await?)
    }
}

/// A catalogue at a version; also read outside decisions.
pub(crate) async fn catalogue(
    connection: &mut SqliteConnection,
    tenant: &TenantSlug,
    version: u32,
) -> std::result::Result<Option<Catalogue>, StoreError> {
    let head = query("SELECT currency FROM catalogues WHERE tenant = ? AND version = ?")
        .bind(tenant.as_str())
        .bind(i64::from(version))
        .fetch_optional(&mut *connection)
        .await?;
    let Some(head) = head else { return Ok(None) };
    let currency = rows::currency(&head)?;
    let found = query(
        "SELECT item, name, price_minor FROM catalogue_items WHERE tenant = ? AND version = ? \
         ORDER BY position",
    )
    .bind(tenant.as_str())
    .bind(i64::from(version))
    .fetch_all(connection)
    .await?;
    let item = |row: &SqliteRow| {
        Ok(CatalogueItem {
            id: rows::small(row, "item")?,
            name: rows::text(row, "name")?,
            price: Money::new(row.try_get("price_minor")?, currency),
        })
    };
    let items = found.iter().map(item).collect::<std::result::Result<_, StoreError>>()?;
    Ok(Some(Catalogue { version, currency, items }))
}
