//! The ledger's suite on SQLite, and what only a database can promise.

use super::*;
use crate::store::rows::device_status_text;
use crate::world::SystemWorld;
use holdfast_domain::{Catalogue, PaymentTypeCode};
use holdfast_ledger::conformance::{self, Bench, NOW_MS, gateway, tenant};
use holdfast_ledger::{Device, PaymentType};
use sqlx::{Row, query};
use std::sync::atomic::{AtomicI64, Ordering};

/// The machine's randomness at a time that the test sets.
struct TestWorld(AtomicI64);

impl World for TestWorld {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        SystemWorld.fill(buffer)
    }
}

struct SqlBench {
    store: Store,
    world: Arc<TestWorld>,
    _folder: tempfile::TempDir,
}

impl SqlBench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = Arc::new(TestWorld(AtomicI64::new(NOW_MS)));
        let (store, _) = Store::open(folder.path(), true, world.clone()).await.unwrap();
        let bench = Self { store, world, _folder: folder };
        bench
            .write(|it| {
                let installation = query(
                    "INSERT INTO installation VALUES (1, ?, 1, '', '', x'00', x'00', x'00', x'00', x'00', 0, 0, x'')",
                );
                it.push(installation.bind(gateway().to_string()));
                let tenants = query("INSERT INTO tenants VALUES (?, 'Demo', 0, 0)");
                it.push(tenants.bind(tenant().to_string()));
            })
            .await;
        bench
    }

    /// Runs statements as one change.
    async fn write(&self, fill: impl FnOnce(&mut Vec<Sql>)) {
        let mut statements = Vec::new();
        fill(&mut statements);
        let change = self.store.writer.run(move |tx| {
            Box::pin(async move {
                for statement in statements {
                    statement.execute(&mut tx.connection).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        change.await.unwrap();
    }

    async fn count(&self, sql: &'static str) -> usize {
        let row = query(sql).fetch_one(&self.store.reads).await.unwrap();
        usize::try_from(row.get::<i64, _>(0)).unwrap()
    }
}

type Sql = sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

impl Bench for SqlBench {
    type Store = Store;

    fn store(&self) -> &Store {
        &self.store
    }

    fn set_now_ms(&self, now_ms: i64) {
        self.world.0.store(now_ms, Ordering::SeqCst);
    }

    async fn put_device(&self, device: Device) {
        let insert = query(
            "INSERT INTO devices VALUES (?, ?, 'Handheld', ?, ?, 1, x'00', 0) \
             ON CONFLICT (tenant, device) DO UPDATE SET status = excluded.status",
        );
        let insert = insert
            .bind(tenant().to_string())
            .bind(device.device.to_string())
            .bind(device.public_key.to_sec1().to_vec())
            .bind(device_status_text(device.status));
        self.write(|it| it.push(insert)).await;
    }

    async fn put_continuity(&self, device: DeviceId, earlier: DeviceId) {
        let insert = query("INSERT INTO device_continuity VALUES (?, ?, ?)");
        let insert = insert.bind(tenant().to_string()).bind(device.to_string());
        self.write(|it| it.push(insert.bind(earlier.to_string()))).await;
    }

    async fn put_payment_type(&self, new: PaymentType) {
        let (tenant, code) = (tenant().to_string(), new.code.to_string());
        self.write(|it| {
            let insert = query(
                "INSERT INTO payment_types (tenant, code, name, provider, mode, currency, \
                 minor_min, minor_max, created_at_ms, user_types, trial_officers) \
                 VALUES (?, ?, 'Card', ?, ?, ?, ?, ?, 0, 'officers', ?) \
                 ON CONFLICT (tenant, code) DO UPDATE SET mode = excluded.mode, \
                 minor_min = excluded.minor_min, minor_max = excluded.minor_max, \
                 trial_officers = excluded.trial_officers",
            );
            let insert = insert.bind(tenant.clone()).bind(code.clone());
            let insert = insert.bind(rows::provider_text(new.provider)).bind(new.mode.as_str());
            let insert = insert.bind(new.currency.code().to_owned());
            let named = new.trial.unwrap_or_default();
            let named: Vec<String> = named.iter().map(|it| it.0.to_string()).collect();
            let insert = insert.bind(new.minor_min).bind(new.minor_max);
            it.push(insert.bind(named.join(",")));
            it.push(query("DELETE FROM processors WHERE code = ?").bind(code.clone()));
            if let Some(pin) = new.pin {
                let insert = query(
                    "INSERT INTO processors VALUES (?, ?, ?, ?, ?, '', x'00', '', '', 0, 0, 0)",
                );
                let insert = insert.bind(tenant).bind(code).bind(new.mode.as_str());
                it.push(insert.bind(i64::from(pin.generation)).bind(pin.account));
            }
        })
        .await;
    }

    async fn put_catalogue(&self, new: Catalogue) {
        self.write(|it| {
            let version = i64::from(new.version);
            let insert = query("INSERT INTO catalogues VALUES (?, ?, ?, 0)");
            let insert = insert.bind(tenant().to_string()).bind(version);
            it.push(insert.bind(new.currency.code().to_owned()));
            for (position, item) in (0_i64..).zip(new.items) {
                let insert = query("INSERT INTO catalogue_items VALUES (?, ?, ?, ?, ?, ?)");
                let insert = insert.bind(tenant().to_string()).bind(version).bind(position);
                let insert = insert.bind(i64::from(item.id)).bind(item.name);
                it.push(insert.bind(item.price.minor()));
            }
        })
        .await;
    }

    async fn hand_in(&self, payment: PaymentId) {
        self.write(|it| {
            let shift =
                "INSERT INTO cash_shifts VALUES (?, 1, 1, '', 'test', 'USD', 0, 0, 1, 0, '')";
            it.push(query(shift).bind(tenant().to_string()));
            let handed_in = query("INSERT INTO cash_handed_in VALUES (?, ?, 1)");
            it.push(handed_in.bind(tenant().to_string()).bind(payment.to_string()));
        })
        .await;
    }

    async fn counts(&self) -> (usize, usize) {
        let payments = self.count("SELECT COUNT(*) FROM payments").await;
        (payments, self.count("SELECT COUNT(*) FROM orders").await)
    }

    async fn has_payment(&self, payment: PaymentId) -> bool {
        let sql = query("SELECT 1 FROM payments WHERE payment = ?").bind(payment.to_string());
        sql.fetch_optional(&self.store.reads).await.unwrap().is_some()
    }
}

#[tokio::test]
async fn the_sql_store_passes() {
    Box::pin(conformance::check_all(SqlBench::new)).await;
}

async fn accepted(bench: &SqlBench) -> holdfast_ledger::Payment {
    bench.put_device(conformance::device()).await;
    bench.put_payment_type(conformance::payment_type()).await;
    bench.put_catalogue(conformance::catalogue()).await;
    let accept = holdfast_ledger::Accept {
        order: conformance::order(conformance::payload(1)),
        tenant: tenant(),
        carrier: holdfast_ledger::Carrier::Handheld,
    };
    match holdfast_ledger::Store::run(&bench.store, accept).await.unwrap() {
        holdfast_ledger::AcceptOutcome::Accepted { payment, .. } => *payment,
        holdfast_ledger::AcceptOutcome::Refused { message, .. } => panic!("{message}"),
    }
}

#[tokio::test]
async fn a_payment_is_read_back_as_it_was_written() {
    let bench = SqlBench::new().await;
    let written = accepted(&bench).await;
    let mut connection = bench.store.reads.acquire().await.unwrap();
    let mut tx = LedgerTx::preview(&mut connection);
    let read =
        holdfast_ledger::PaymentTx::payment(&mut tx, &tenant(), written.payment).await.unwrap();
    assert_eq!(read, Some(written));
}

#[tokio::test]
async fn a_preview_answers_as_the_decision_would_and_writes_nothing() {
    let bench = SqlBench::new().await;
    bench.put_device(conformance::device()).await;
    bench.put_payment_type(conformance::payment_type()).await;
    bench.put_catalogue(conformance::catalogue()).await;
    let accept = holdfast_ledger::Accept {
        order: conformance::order(conformance::payload(1)),
        tenant: tenant(),
        carrier: holdfast_ledger::Carrier::Payer,
    };
    let outcome = bench.store.preview(&accept).await.unwrap();
    assert!(matches!(outcome, holdfast_ledger::AcceptOutcome::Accepted { new: true, .. }));
    assert_eq!(bench.counts().await, (0, 0));
    assert_eq!(bench.count("SELECT COUNT(*) FROM jobs").await, 0);
    assert_eq!(bench.count("SELECT revision FROM tenants").await, 0);
}

#[tokio::test]
async fn every_committed_change_is_told_after_its_commit() {
    let bench = SqlBench::new().await;
    let mut news = bench.store.news.subscribe();
    let payment = accepted(&bench).await;
    let change = news.recv().await.unwrap();
    assert_eq!((change.payment, change.revision), (payment.payment, payment.revision));
    assert!(bench.has_payment(payment.payment).await);
}

#[tokio::test]
async fn the_database_itself_refuses_a_second_order_open_attempt_or_undecided_refund() {
    let bench = SqlBench::new().await;
    let payment = accepted(&bench).await.payment.to_string();
    let try_twice = async |sql: &'static str| {
        for (nth, may_pass) in [("1", true), ("2", false)] {
            let (payment, nth) = (payment.clone(), nth.to_owned());
            let change = bench.store.writer.run(move |tx| {
                Box::pin(async move {
                    let insert = query(sql).bind(tenant().to_string()).bind(payment).bind(nth);
                    insert.execute(&mut tx.connection).await?;
                    Ok::<_, StoreError>(())
                })
            });
            assert_eq!(change.await.is_ok(), may_pass, "{sql}");
        }
    };
    try_twice("INSERT INTO orders VALUES (?, ?, ?, 0, 'USD', 1)").await;
    try_twice("INSERT INTO attempts VALUES (?, ?, ?, 'frozen', 'k', 'b', 0, 0, '', '')").await;
    try_twice(
        "INSERT INTO refund_requests (tenant, payment, request_key, currency, amount_minor, reason, \
         who, state, frozen_path, frozen_body, idempotency_key, asked_at_ms, refund, problem) \
         VALUES (?, ?, ?, 'USD', 1, '', '', 'frozen', '', '', '', 0, '', '')",
    )
    .await;
}

#[tokio::test]
async fn payment_type_codes_of_two_tenants_do_not_meet() {
    let bench = SqlBench::new().await;
    bench.put_payment_type(conformance::payment_type()).await;
    let mut connection = bench.store.reads.acquire().await.unwrap();
    let mut tx = LedgerTx::preview(&mut connection);
    let code: PaymentTypeCode = "STRIPE".parse().unwrap();
    let other: TenantSlug = "other".parse().unwrap();
    assert!(
        holdfast_ledger::SetupTx::payment_type(&mut tx, &tenant(), &code).await.unwrap().is_some()
    );
    assert!(
        holdfast_ledger::SetupTx::payment_type(&mut tx, &other, &code).await.unwrap().is_none()
    );
}

/// How SQLite would answer, in its own words.
async fn plan(bench: &SqlBench, sql: &str) -> String {
    let explain = query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
    let steps = explain.fetch_all(&bench.store.reads).await.unwrap();
    steps.iter().map(|step| step.get::<String, _>("detail") + "\n").collect()
}

#[tokio::test]
async fn what_is_asked_among_a_million_rows_has_an_index() {
    let bench = SqlBench::new().await;
    let counted = plan(&bench, crate::metrics::PAYMENTS_BY_STATE).await;
    assert!(counted.contains("USING COVERING INDEX payments_by_state"), "{counted}");
    assert!(!counted.contains("TEMP B-TREE"), "{counted}");
    use crate::deliveries::bodies::{PRUNE_APPLIED, PRUNE_WAITING};
    for (sql, index) in
        [(PRUNE_APPLIED, "events_applied_bodies"), (PRUNE_WAITING, "events_waiting_bodies")]
    {
        let pruned = plan(&bench, sql).await;
        assert!(
            pruned.contains(&format!("SEARCH e USING INDEX {index} (received_at_ms<?)")),
            "{pruned}"
        );
        assert!(!pruned.contains("TEMP B-TREE") && !pruned.contains("SCAN"), "{pruned}");
    }
    let known = "SELECT 1 FROM events WHERE tenant = ? AND event = ? LIMIT 1";
    let known = plan(&bench, known).await;
    assert!(
        known.contains("USING COVERING INDEX events_by_event (tenant=? AND event=?)"),
        "{known}"
    );
}
