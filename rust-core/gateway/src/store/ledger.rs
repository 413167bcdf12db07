//! The ledger's transaction on SQLite.

use super::rows::{self, json, json_or_empty, same_bits};
use super::{Change, StoreError};
use holdfast_domain::{
    Catalogue, CatalogueItem, DeviceId, Evidence, GatewayId, Money, PaymentId, PaymentTypeCode,
    ReceiptOrderId, TenantSlug,
};
use holdfast_ledger::{
    Attempt, Device, Event, Job, JobKind, Notice, Order, Payment, PaymentType, Pin, Source, Tx,
};
use holdfast_protocol::DevicePublicKey;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{Row, SqliteConnection, query};

type Result<T> = std::result::Result<T, holdfast_ledger::StoreError>;
type Sql<'q> = Query<'q, Sqlite, SqliteArguments>;

/// One transaction, as decisions see it.
pub(crate) struct LedgerTx<'c> {
    connection: &'c mut SqliteConnection,
    effect: Effect<'c>,
}

enum Effect<'c> {
    /// Written, and told to screens and workers after the commit.
    Real { changes: &'c mut Vec<Change>, work: &'c mut bool },
    /// Nothing is written: the decision shows what it would do.
    Preview,
}

impl<'c> LedgerTx<'c> {
    /// Inside the writer's transaction.
    pub(crate) fn real(
        connection: &'c mut SqliteConnection,
        changes: &'c mut Vec<Change>,
        work: &'c mut bool,
    ) -> Self {
        Self { connection, effect: Effect::Real { changes, work } }
    }

    /// On a connection that only reads.
    pub(crate) fn preview(connection: &'c mut SqliteConnection) -> Self {
        Self { connection, effect: Effect::Preview }
    }

    async fn one(&mut self, sql: Sql<'_>) -> Result<Option<SqliteRow>> {
        Ok(sql.fetch_optional(&mut *self.connection).await.map_err(StoreError::Sql)?)
    }

    async fn all(&mut self, sql: Sql<'_>) -> Result<Vec<SqliteRow>> {
        Ok(sql.fetch_all(&mut *self.connection).await.map_err(StoreError::Sql)?)
    }

    /// Writes, and says how many rows were touched.
    async fn write(&mut self, sql: Sql<'_>) -> Result<u64> {
        if matches!(self.effect, Effect::Preview) {
            return Ok(1);
        }
        let done = sql.execute(&mut *self.connection).await.map_err(StoreError::Sql)?;
        Ok(done.rows_affected())
    }

    /// A fence that no job ever had: the holder of a job that was removed and made anew can never
    /// pass for the holder of the new one.
    async fn next_fence(&mut self) -> Result<u64> {
        self.write(query("UPDATE installation SET last_fence = last_fence + 1")).await?;
        let row = self.one(query("SELECT last_fence FROM installation")).await?;
        Ok(rows::unsigned(&row.ok_or(StoreError::Damaged("installation"))?, "last_fence")?)
    }

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

impl Tx for LedgerTx<'_> {
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

    async fn payment_type(
        &mut self,
        tenant: &TenantSlug,
        code: &PaymentTypeCode,
    ) -> Result<Option<PaymentType>> {
        let sql = query(
            "SELECT provider, mode, currency, minor_min, minor_max FROM payment_types \
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
        }))
    }

    async fn catalogue(&mut self, tenant: &TenantSlug, version: u32) -> Result<Option<Catalogue>> {
        Ok(catalogue(&mut *self.connection, tenant, version).await?)
    }

    async fn payment(&mut self, tenant: &TenantSlug, id: PaymentId) -> Result<Option<Payment>> {
        let sql = query("SELECT * FROM payments WHERE tenant = ? AND payment = ?");
        let row = self.one(sql.bind(tenant.as_str()).bind(id.to_string())).await?;
        Ok(row.as_ref().map(rows::payment).transpose()?)
    }

    async fn payment_of_sequence(
        &mut self,
        tenant: &TenantSlug,
        device: DeviceId,
        sequence: u64,
    ) -> Result<Option<PaymentId>> {
        let sql =
            query("SELECT payment FROM payments WHERE tenant = ? AND device = ? AND sequence = ?");
        let sql = sql.bind(tenant.as_str()).bind(device.to_string()).bind(same_bits(sequence));
        let row = self.one(sql).await?;
        Ok(row.as_ref().map(|row| rows::parsed(row, "payment")).transpose()?)
    }

    async fn put_payment(&mut self, payment: &Payment) -> Result<()> {
        self.write(put_payment(payment)?).await?;
        if let Effect::Real { changes, .. } = &mut self.effect {
            changes.push(Change {
                tenant: payment.tenant.clone(),
                device: payment.device,
                payment: payment.payment,
                revision: payment.revision,
            });
        }
        Ok(())
    }

    async fn next_revision(&mut self, tenant: &TenantSlug) -> Result<u64> {
        let raise = query("UPDATE tenants SET revision = revision + 1 WHERE tenant = ?");
        self.write(raise.bind(tenant.as_str())).await?;
        let sql = query("SELECT revision FROM tenants WHERE tenant = ?");
        let row = self.one(sql.bind(tenant.as_str())).await?;
        let row = row.ok_or(StoreError::Damaged("tenants"))?;
        Ok(rows::unsigned(&row, "revision")?)
    }

    async fn attempts(&mut self, tenant: &TenantSlug, payment: PaymentId) -> Result<Vec<Attempt>> {
        let sql = query("SELECT * FROM attempts WHERE tenant = ? AND payment = ? ORDER BY number");
        let found = self.all(sql.bind(tenant.as_str()).bind(payment.to_string())).await?;
        Ok(found.iter().map(rows::attempt).collect::<std::result::Result<_, _>>()?)
    }

    async fn put_attempt(&mut self, attempt: &Attempt) -> Result<()> {
        let sql = query(
            "INSERT INTO attempts (tenant, payment, number, state, idempotency_key, frozen_body, \
             frozen_at_ms, expires_at_unix_s, session, url) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (tenant, payment, number) DO UPDATE SET state = excluded.state, \
             session = excluded.session, url = excluded.url",
        );
        let sql = sql
            .bind(attempt.tenant.as_str())
            .bind(attempt.payment.to_string())
            .bind(i64::from(attempt.number))
            .bind(rows::attempt_state_text(attempt.state))
            .bind(&attempt.idempotency_key)
            .bind(&attempt.frozen_body)
            .bind(attempt.frozen_at_ms)
            .bind(attempt.expires_at_unix_s)
            .bind(attempt.session.as_deref().unwrap_or_default())
            .bind(attempt.url.as_deref().unwrap_or_default());
        self.write(sql).await.map(|_| ())
    }

    async fn evidence(&mut self, tenant: &TenantSlug, payment: PaymentId) -> Result<Vec<Evidence>> {
        let sql = query("SELECT piece FROM evidence WHERE tenant = ? AND payment = ?");
        let found = self.all(sql.bind(tenant.as_str()).bind(payment.to_string())).await?;
        Ok(found.iter().map(rows::evidence).collect::<std::result::Result<_, _>>()?)
    }

    async fn add_evidence(
        &mut self,
        tenant: &TenantSlug,
        payment: PaymentId,
        evidence: &Evidence,
        source: Source,
        now_ms: i64,
    ) -> Result<bool> {
        let sql = query(
            "INSERT INTO evidence (tenant, payment, piece, source, learned_at_ms) \
             VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        );
        let sql = sql
            .bind(tenant.as_str())
            .bind(payment.to_string())
            .bind(json(evidence)?)
            .bind(source.as_str())
            .bind(now_ms);
        Ok(self.write(sql).await? > 0)
    }

    async fn add_notice(&mut self, notice: &Notice) -> Result<bool> {
        let (kind, reason) = rows::notice_text(&notice.kind);
        let sql = query(
            "INSERT INTO notices (tenant, payment, digest, device, kind, reason, made_at_unix_s, \
             received_at_ms, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        );
        let sql = sql
            .bind(notice.tenant.as_str())
            .bind(notice.payment.to_string())
            .bind(notice.digest.to_vec())
            .bind(notice.device.to_string())
            .bind(kind)
            .bind(reason)
            .bind(same_bits(notice.made_at_unix_s))
            .bind(notice.received_at_ms)
            .bind(&notice.bytes);
        Ok(self.write(sql).await? > 0)
    }

    async fn is_given_up(&mut self, tenant: &TenantSlug, payment: PaymentId) -> Result<bool> {
        let sql = query(
            "SELECT 1 FROM notices WHERE tenant = ? AND payment = ? AND kind IN ('cancel', \
             'withdraw') LIMIT 1",
        );
        Ok(self.one(sql.bind(tenant.as_str()).bind(payment.to_string())).await?.is_some())
    }

    async fn link_object(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
        payment: PaymentId,
    ) -> Result<()> {
        let sql = query(
            "INSERT INTO objects (tenant, object, payment) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        );
        let sql = sql.bind(tenant.as_str()).bind(object.to_owned()).bind(payment.to_string());
        self.write(sql).await.map(|_| ())
    }

    async fn payment_of_object(
        &mut self,
        tenant: &TenantSlug,
        object: &str,
    ) -> Result<Option<PaymentId>> {
        let sql = query("SELECT payment FROM objects WHERE tenant = ? AND object = ?");
        let row = self.one(sql.bind(tenant.as_str()).bind(object.to_owned())).await?;
        Ok(row.as_ref().map(|row| rows::parsed(row, "payment")).transpose()?)
    }

    async fn order(&mut self, tenant: &TenantSlug, payment: PaymentId) -> Result<Option<Order>> {
        let sql = query("SELECT * FROM orders WHERE tenant = ? AND payment = ?");
        let row = self.one(sql.bind(tenant.as_str()).bind(payment.to_string())).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Order {
            tenant: tenant.clone(),
            payment,
            receipt_order_id: rows::parsed(&row, "receipt_order_id")?,
            paid_at_ms: rows::number(&row, "paid_at_ms")?,
            amount: Money::new(rows::number(&row, "amount_minor")?, rows::currency(&row)?),
        }))
    }

    async fn receipt_is_taken(
        &mut self,
        tenant: &TenantSlug,
        receipt: ReceiptOrderId,
    ) -> Result<bool> {
        let sql = query("SELECT 1 FROM orders WHERE tenant = ? AND receipt_order_id = ?");
        let row = self.one(sql.bind(tenant.as_str()).bind(receipt.to_string())).await?;
        Ok(row.is_some())
    }

    async fn add_order(&mut self, order: &Order) -> Result<()> {
        let sql = query(
            "INSERT INTO orders (tenant, payment, receipt_order_id, paid_at_ms, currency, \
             amount_minor) VALUES (?, ?, ?, ?, ?, ?)",
        );
        let sql = sql
            .bind(order.tenant.as_str())
            .bind(order.payment.to_string())
            .bind(order.receipt_order_id.to_string())
            .bind(order.paid_at_ms)
            .bind(order.amount.currency().code().to_owned())
            .bind(order.amount.minor());
        self.write(sql).await.map(|_| ())
    }

    async fn add_event(&mut self, event: &Event) -> Result<bool> {
        let sql = query(
            "INSERT INTO events (tenant, mode, account, event, kind, object, received_at_ms, \
             body, payment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        );
        let payment = event.payment.map(|payment| payment.to_string());
        let sql = sql
            .bind(event.tenant.as_str())
            .bind(event.mode.as_str())
            .bind(&event.account)
            .bind(&event.event)
            .bind(&event.kind)
            .bind(&event.object)
            .bind(event.received_at_ms)
            .bind(&event.body)
            .bind(payment.unwrap_or_default());
        Ok(self.write(sql).await? > 0)
    }

    async fn want_job(
        &mut self,
        tenant: &TenantSlug,
        kind: JobKind,
        payment: PaymentId,
        due_at_ms: i64,
    ) -> Result<()> {
        let sql = query(
            "INSERT INTO jobs (tenant, kind, payment, due_at_ms, leased_until_ms, fence, wanted, \
             tries) VALUES (?, ?, ?, ?, 0, 0, 1, 0) ON CONFLICT (tenant, kind, payment) DO UPDATE \
             SET wanted = jobs.wanted + 1, due_at_ms = CASE WHEN excluded.due_at_ms < \
             jobs.due_at_ms THEN excluded.due_at_ms ELSE jobs.due_at_ms END",
        );
        let key = sql.bind(tenant.as_str()).bind(kind.as_str()).bind(payment.to_string());
        self.write(key.bind(due_at_ms)).await?;
        if let Effect::Real { work, .. } = &mut self.effect {
            **work = true;
        }
        Ok(())
    }

    async fn lease_jobs(
        &mut self,
        now_ms: i64,
        lease_until_ms: i64,
        limit: u32,
    ) -> Result<Vec<Job>> {
        let due = query(
            "SELECT * FROM jobs WHERE due_at_ms <= ? AND leased_until_ms <= ? \
             ORDER BY due_at_ms LIMIT ?",
        );
        let due = self.all(due.bind(now_ms).bind(now_ms).bind(i64::from(limit))).await?;
        let mut leased = Vec::with_capacity(due.len());
        for row in &due {
            let mut job = rows::job(row)?;
            job.fence = self.next_fence().await?;
            job.tries = job.tries.saturating_add(1);
            job.leased_until_ms = lease_until_ms;
            job.due_at_ms = lease_until_ms;
            self.put_job(&job).await?;
            leased.push(job);
        }
        Ok(leased)
    }

    async fn job(
        &mut self,
        tenant: &TenantSlug,
        kind: JobKind,
        payment: PaymentId,
    ) -> Result<Option<Job>> {
        let sql = query("SELECT * FROM jobs WHERE tenant = ? AND kind = ? AND payment = ?");
        let sql = sql.bind(tenant.as_str()).bind(kind.as_str()).bind(payment.to_string());
        let row = self.one(sql).await?;
        Ok(row.as_ref().map(rows::job).transpose()?)
    }

    async fn put_job(&mut self, job: &Job) -> Result<()> {
        let sql = query(
            "UPDATE jobs SET due_at_ms = ?, leased_until_ms = ?, fence = ?, wanted = ?, tries = ? \
             WHERE tenant = ? AND kind = ? AND payment = ?",
        );
        let sql = sql
            .bind(job.due_at_ms)
            .bind(job.leased_until_ms)
            .bind(same_bits(job.fence))
            .bind(same_bits(job.wanted))
            .bind(i64::from(job.tries))
            .bind(job.tenant.as_str())
            .bind(job.kind.as_str())
            .bind(job.payment.to_string());
        self.write(sql).await?;
        if let Effect::Real { work, .. } = &mut self.effect {
            **work = true;
        }
        Ok(())
    }

    async fn remove_job(
        &mut self,
        tenant: &TenantSlug,
        kind: JobKind,
        payment: PaymentId,
    ) -> Result<()> {
        let sql = query("DELETE FROM jobs WHERE tenant = ? AND kind = ? AND payment = ?");
        let sql = sql.bind(tenant.as_str()).bind(kind.as_str()).bind(payment.to_string());
        self.write(sql).await.map(|_| ())
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

fn put_payment(payment: &Payment) -> std::result::Result<Sql<'_>, StoreError> {
    let receipt = payment.receipt_order_id.map(|id| id.to_string());
    let sql = query(
        "INSERT INTO payments (tenant, payment, device, sequence, officer, digest, order_bytes, \
         carrier, mode, payment_type, pin_account, pin_generation, lines, currency, total_minor, \
         held_at_unix_s, accepted_at_ms, lifetime_ends_at_ms, state, decline, attention, \
         revision, changed_at_ms, receipt_order_id, paid_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, \
         ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, payment) \
         DO UPDATE SET state = excluded.state, decline = excluded.decline, \
         attention = excluded.attention, revision = excluded.revision, \
         changed_at_ms = excluded.changed_at_ms, receipt_order_id = excluded.receipt_order_id, \
         paid_at_ms = excluded.paid_at_ms",
    );
    Ok(sql
        .bind(payment.tenant.as_str())
        .bind(payment.payment.to_string())
        .bind(payment.device.to_string())
        .bind(same_bits(payment.sequence))
        .bind(i64::from(payment.officer.0))
        .bind(payment.digest.0.to_vec())
        .bind(&payment.order_bytes)
        .bind(rows::carrier_text(payment.carrier))
        .bind(payment.mode.as_str())
        .bind(payment.payment_type.as_str())
        .bind(&payment.pin.account)
        .bind(i64::from(payment.pin.generation))
        .bind(json(&payment.lines)?)
        .bind(payment.total.currency().code().to_owned())
        .bind(payment.total.minor())
        .bind(same_bits(payment.held_at_unix_s))
        .bind(payment.accepted_at_ms)
        .bind(payment.lifetime_ends_at_ms)
        .bind(payment.state.as_str())
        .bind(json_or_empty(payment.decline.as_ref())?)
        .bind(json_or_empty(payment.attention.as_ref())?)
        .bind(same_bits(payment.revision))
        .bind(payment.changed_at_ms)
        .bind(receipt.unwrap_or_default())
        .bind(payment.paid_at_ms.unwrap_or(0)))
}
