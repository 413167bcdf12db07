//! The SQL ledger by itself, for the tests of other packages. Not part of the server.

mod tables;

pub use tables::ActRow;

use crate::store::{Store, StoreError, database_path, rows};
use crate::world::SharedWorld;
use holdfast_domain::{DeviceId, TenantSlug};
use holdfast_ledger::memory::Tables;
use holdfast_ledger::{Decision, DeviceStatus};
use sqlx::query;
use std::path::Path;
use tokio::task::JoinHandle;

/// A ledger in a database file, without a server around it.
pub struct SqlLedger {
    store: Store,
    tenant: TenantSlug,
    _writing: JoinHandle<()>,
}

type Sql = sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

impl SqlLedger {
    /// A new database with what these tables have set up: handhelds, payment types, price lists.
    pub async fn new(
        folder: &Path,
        world: SharedWorld,
        gateway: holdfast_domain::GatewayId,
        tenant: TenantSlug,
        tables: &Tables,
    ) -> Result<Self, StoreError> {
        let (store, _writing) = Store::open(folder, true, world).await?;
        let ledger = Self { store, tenant, _writing };
        ledger.write(ledger.set_up(gateway, tables)).await?;
        Ok(ledger)
    }

    /// A database that is there already, such as a backup that takes the place of another.
    pub async fn open(
        folder: &Path,
        world: SharedWorld,
        tenant: TenantSlug,
    ) -> Result<Self, StoreError> {
        let (store, _writing) = Store::open(folder, false, world).await?;
        Ok(Self { store, tenant, _writing })
    }

    /// Writes a copy into another folder, as `holdfast backup` does beside a running gateway.
    pub async fn back_up(&self, folder: &Path) -> Result<(), StoreError> {
        let copy = database_path(folder).display().to_string();
        query("VACUUM INTO ?").bind(copy).execute(&self.store.reads).await?;
        Ok(())
    }

    /// An administrator approves or revokes a handheld.
    pub async fn set_status(
        &self,
        device: DeviceId,
        status: DeviceStatus,
    ) -> Result<(), StoreError> {
        let update = query("UPDATE devices SET status = ? WHERE tenant = ? AND device = ?");
        let update = update.bind(rows::device_status_text(status)).bind(self.tenant.to_string());
        self.write(vec![update.bind(device.to_string())]).await
    }

    fn set_up(&self, gateway: holdfast_domain::GatewayId, tables: &Tables) -> Vec<Sql> {
        let tenant = self.tenant.to_string();
        let installation = query(
            "INSERT INTO installation VALUES (1, ?, 1, '', '', x'00', x'00', x'00', x'00', x'00', 0, 0, x'')",
        );
        let tenants = query("INSERT INTO tenants VALUES (?, 'Demo', 0, 0)");
        let mut all = vec![installation.bind(gateway.to_string()), tenants.bind(tenant.clone())];
        for device in tables.devices.values() {
            let insert = query("INSERT INTO devices VALUES (?, ?, 'Handheld', ?, ?, 1, x'00', 0)");
            let insert = insert.bind(tenant.clone()).bind(device.device.to_string());
            let insert = insert.bind(device.public_key.to_sec1().to_vec());
            all.push(insert.bind(rows::device_status_text(device.status)));
        }
        for kind in tables.payment_types.values() {
            let insert = query(
                "INSERT INTO payment_types (tenant, code, name, provider, mode, currency, \
                 minor_min, minor_max, created_at_ms, user_types, trial_officers) \
                 VALUES (?, ?, 'Card', ?, ?, ?, ?, ?, 0, 'officers', '')",
            );
            let insert = insert.bind(tenant.clone()).bind(kind.code.to_string());
            let insert = insert.bind(rows::provider_text(kind.provider)).bind(kind.mode.as_str());
            let insert = insert.bind(kind.currency.code().to_owned());
            all.push(insert.bind(kind.minor_min).bind(kind.minor_max));
            if let Some(pin) = &kind.pin {
                let insert = query(
                    "INSERT INTO processors VALUES (?, ?, ?, ?, ?, '', x'00', '', '', 0, 0, 0)",
                );
                let insert = insert.bind(tenant.clone()).bind(kind.code.to_string());
                let insert = insert.bind(kind.mode.as_str()).bind(i64::from(pin.generation));
                all.push(insert.bind(pin.account.clone()));
            }
        }
        for catalogue in tables.catalogues.values() {
            let version = i64::from(catalogue.version);
            let insert = query("INSERT INTO catalogues VALUES (?, ?, ?, 0)");
            let insert = insert.bind(tenant.clone()).bind(version);
            all.push(insert.bind(catalogue.currency.code().to_owned()));
            for (position, item) in (0_i64..).zip(&catalogue.items) {
                let insert = query("INSERT INTO catalogue_items VALUES (?, ?, ?, ?, ?, ?)");
                let insert = insert.bind(tenant.clone()).bind(version).bind(position);
                let insert = insert.bind(i64::from(item.id)).bind(item.name.clone());
                all.push(insert.bind(item.price.minor()));
            }
        }
        all
    }

    async fn write(&self, statements: Vec<Sql>) -> Result<(), StoreError> {
        let change = self.store.writer.run(move |tx| {
            Box::pin(async move {
                for statement in statements {
                    statement.execute(&mut tx.connection).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        change.await
    }
}

impl holdfast_ledger::Store for SqlLedger {
    async fn run<D: Decision>(
        &self,
        decision: D,
    ) -> Result<D::Outcome, holdfast_ledger::StoreError> {
        self.store.run(decision).await
    }
}
