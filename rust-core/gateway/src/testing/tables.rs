//! Everything in the SQL ledger, as the rows that the ledger in memory holds.

use super::SqlLedger;
use crate::store::{
    StoreError, catalogue, charge, claim, found_session, recovery, refunds, refused_cash, rows,
};
use holdfast_domain::{DeviceId, Money, PaymentTypeCode, TenantSlug};
use holdfast_ledger::memory::Tables;
use holdfast_ledger::{Device, Event, Notice, Order, PaymentType, Pin};
use holdfast_protocol::{DevicePublicKey, NoticeKind};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, query};
use std::collections::BTreeMap;

type Result<T> = std::result::Result<T, StoreError>;

/// An act of the audit log: when, who, what, in which words.
pub type ActRow = (i64, String, String, String);

impl SqlLedger {
    /// All rows, of one moment; and the acts of the audit log, which the memory holds in another form.
    pub async fn tables(&self) -> Result<(Tables, Vec<ActRow>)> {
        let mut snapshot = self.store.reads.begin().await?;
        let mut tables = Tables::default();
        self.set_up_rows(&mut snapshot, &mut tables).await?;
        payment_rows(&mut snapshot, &mut tables).await?;
        charge_rows(&mut snapshot, &mut tables).await?;
        other_rows(&mut snapshot, &mut tables).await?;
        let acts = all(&mut snapshot, "audit ORDER BY tenant, number", |row| {
            let (who, what) = (rows::text(row, "who")?, rows::text(row, "what")?);
            Ok((rows::number(row, "at_ms")?, who, what, rows::text(row, "detail")?))
        });
        let acts = acts.await?;
        snapshot.rollback().await?;
        Ok((tables, acts))
    }

    async fn set_up_rows(&self, from: &mut SqliteConnection, tables: &mut Tables) -> Result<()> {
        let devices = all(from, "devices", |row| {
            let public_key = DevicePublicKey::from_sec1(&rows::bytes(row, "public_key")?);
            let public_key = public_key.map_err(|_| StoreError::Damaged("public_key"))?;
            let (device, status) = (rows::device_id(row)?, rows::device_status(row)?);
            Ok((tenant(row)?, Device { device, public_key, status }))
        });
        let devices = devices.await?.into_iter();
        tables.devices = devices.map(|(of, it)| ((of, it.device), it)).collect();
        let continuity = all(from, "device_continuity", |row| {
            let earlier: DeviceId = rows::parsed(row, "earlier")?;
            Ok((tenant(row)?, rows::device_id(row)?, earlier))
        });
        tables.continuity = continuity.await?.into_iter().collect();
        let pins = all(from, "processors ORDER BY generation", |row| {
            let (account, generation) =
                (rows::text(row, "account")?, rows::small(row, "generation")?);
            let key = (tenant(row)?, rows::type_code(row)?, rows::mode(row)?.as_str());
            Ok((key, Pin { account, generation }))
        });
        let pins: BTreeMap<(TenantSlug, PaymentTypeCode, &str), Pin> =
            pins.await?.into_iter().collect();
        let types = all(from, "payment_types", |row| {
            let (of, code, mode) = (tenant(row)?, rows::type_code(row)?, rows::mode(row)?);
            let kind = PaymentType {
                provider: rows::provider(row)?,
                currency: rows::currency(row)?,
                minor_min: rows::number(row, "minor_min")?,
                minor_max: rows::number(row, "minor_max")?,
                pin: pins.get(&(of.clone(), code.clone(), mode.as_str())).cloned(),
                trial: rows::trial(row)?,
                code: code.clone(),
                mode,
            };
            Ok(((of, code), kind))
        });
        tables.payment_types = types.await?.into_iter().collect();
        let versions =
            all(from, "catalogues", |row| Ok((tenant(row)?, rows::small(row, "version")?)));
        for (of, version) in versions.await? {
            if let Some(found) = catalogue(from, &of, version).await? {
                tables.catalogues.insert((of, version), found);
            }
        }
        Ok(())
    }
}

async fn payment_rows(from: &mut SqliteConnection, tables: &mut Tables) -> Result<()> {
    let payments = all(from, "payments", rows::payment).await?.into_iter();
    tables.payments = payments.map(|it| ((it.tenant.clone(), it.payment), it)).collect();
    let revisions =
        all(from, "tenants", |row| Ok((tenant(row)?, rows::unsigned(row, "revision")?)));
    // A tenant without a change has no count in memory.
    tables.revisions = revisions.await?.into_iter().filter(|(_, count)| *count > 0).collect();
    let attempts = all(from, "attempts", rows::attempt).await?.into_iter();
    tables.attempts = attempts.map(|it| ((it.tenant.clone(), it.payment, it.number), it)).collect();
    let evidence = all(from, "evidence", |row| {
        Ok(((tenant(row)?, rows::parsed(row, "payment")?), rows::evidence(row)?))
    });
    for (key, piece) in evidence.await? {
        tables.evidence.entry(key).or_default().insert(piece);
    }
    let objects = all(from, "objects", |row| {
        Ok(((tenant(row)?, rows::text(row, "object")?), rows::parsed(row, "payment")?))
    });
    tables.objects = objects.await?.into_iter().collect();
    let notices = all(from, "notices", notice).await?.into_iter();
    tables.notices = notices.map(|it| ((it.tenant.clone(), it.payment, it.digest), it)).collect();
    let orders = all(from, "orders", |row| {
        let (minor, currency) = (rows::number(row, "amount_minor")?, rows::currency(row)?);
        Ok(Order {
            tenant: tenant(row)?,
            payment: rows::parsed(row, "payment")?,
            receipt_order_id: rows::parsed(row, "receipt_order_id")?,
            paid_at_ms: rows::number(row, "paid_at_ms")?,
            amount: Money::new(minor, currency),
        })
    });
    let orders = orders.await?.into_iter();
    tables.orders = orders.map(|it| ((it.tenant.clone(), it.payment), it)).collect();
    Ok(())
}

async fn charge_rows(from: &mut SqliteConnection, tables: &mut Tables) -> Result<()> {
    let charges = all(from, "charges", charge).await?.into_iter();
    tables.charges = charges.map(|it| ((it.tenant.clone(), it.reference.clone()), it)).collect();
    let claims = all(from, "claims", claim).await?.into_iter();
    tables.claims =
        claims.map(|it| ((it.tenant.clone(), it.reference.clone(), it.payment), it)).collect();
    let handed_in =
        all(from, "cash_handed_in", |row| Ok((tenant(row)?, rows::parsed(row, "payment")?)));
    tables.handed_in = handed_in.await?.into_iter().collect();
    let refused = all(from, "refused_cash", refused_cash::read).await?.into_iter();
    tables.refused_cash = refused.map(|it| ((it.tenant.clone(), it.payment), it)).collect();
    let requests = all(from, "refund_requests", refunds::request).await?.into_iter();
    tables.refund_requests = requests.map(|it| ((it.tenant.clone(), it.key.clone()), it)).collect();
    let alerts = all(from, "finance_alerts", refunds::alert).await?.into_iter();
    tables.alerts = alerts.map(|it| ((it.tenant.clone(), it.object.clone()), it)).collect();
    Ok(())
}

async fn other_rows(from: &mut SqliteConnection, tables: &mut Tables) -> Result<()> {
    let events = all(from, "events", event).await?.into_iter();
    tables.events = events
        .map(|it| ((it.tenant.clone(), it.mode.as_str(), it.account.clone(), it.event.clone()), it))
        .collect();
    let jobs = all(from, "jobs", rows::job).await?.into_iter();
    tables.jobs = jobs.map(|it| ((it.tenant.clone(), it.kind, it.payment), it)).collect();
    let fences = all(from, "installation", |row| rows::unsigned(row, "last_fence"));
    tables.last_fence = fences.await?.into_iter().next().unwrap_or_default();
    let recoveries = all(from, "recoveries", recovery).await?.into_iter();
    tables.recoveries = recoveries.map(|it| (it.key.clone(), it)).collect();
    let found = all(from, "found_sessions", found_session).await?.into_iter();
    tables.found = found.map(|it| ((it.tenant.clone(), it.session.clone()), it)).collect();
    Ok(())
}

async fn all<T>(
    from: &mut SqliteConnection,
    table: &str,
    read: impl Fn(&SqliteRow) -> Result<T>,
) -> Result<Vec<T>> {
    let sql = query(AssertSqlSafe(format!("SELECT * FROM {table}")));
    sql.fetch_all(from).await?.iter().map(read).collect()
}

fn tenant(row: &SqliteRow) -> Result<TenantSlug> {
    rows::parsed(row, "tenant")
}

fn notice(row: &SqliteRow) -> Result<Notice> {
    let reason = rows::text(row, "reason")?;
    let kind = match rows::text(row, "kind")?.as_str() {
        "cancel" if reason.is_empty() => NoticeKind::Cancel,
        "withdraw" => NoticeKind::Withdraw { reason },
        "quarantined" => NoticeKind::Quarantined { reason },
        _ => return Err(StoreError::Damaged("kind")),
    };
    let digest = rows::bytes(row, "digest")?;
    Ok(Notice {
        tenant: tenant(row)?,
        payment: rows::parsed(row, "payment")?,
        device: rows::device_id(row)?,
        digest: digest.try_into().map_err(|_| StoreError::Damaged("digest"))?,
        kind,
        made_at_unix_s: rows::number(row, "made_at_unix_s")?.cast_unsigned(),
        received_at_ms: rows::number(row, "received_at_ms")?,
        bytes: rows::bytes(row, "bytes")?,
    })
}

fn event(row: &SqliteRow) -> Result<Event> {
    let payment = rows::some(rows::text(row, "payment")?);
    Ok(Event {
        tenant: tenant(row)?,
        mode: rows::mode(row)?,
        account: rows::text(row, "account")?,
        event: rows::text(row, "event")?,
        kind: rows::text(row, "kind")?,
        object: rows::text(row, "object")?,
        received_at_ms: rows::number(row, "received_at_ms")?,
        body: rows::bytes(row, "body")?,
        payment: payment
            .map(|text| text.parse().map_err(|_| StoreError::Damaged("payment")))
            .transpose()?,
        waiting_for: rows::some(rows::text(row, "waiting_for")?),
    })
}
