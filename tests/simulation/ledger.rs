//! The simulation's ledger: in memory, and where that is asked for, the real one in SQLite beside it.
//!
//! The world acts on the memory's answers. The database gets every decision as well, with the same
//! time and randomness: it must take and refuse the same ones, and in the end hold the same rows.

use super::fixture;
use holdfast_domain::{DeviceId, Evidence, PaymentId, TenantSlug};
use holdfast_gateway::testing::SqlLedger;
use holdfast_gateway::world::{NoEntropy, World};
use holdfast_ledger::memory::{MemoryStore, Tables};
use holdfast_ledger::work::Reads;
use holdfast_ledger::{
    Attempt, Decision, DeviceStatus, Env, Order, Payment, Store, StoreError, Tx,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::{Builder, Runtime};

type Environment = Box<dyn Fn() -> Env + Send + Sync>;

pub(super) struct Ledger {
    memory: MemoryStore<Environment>,
    last: Arc<Instant>,
    database: Option<Database>,
}

/// The time and randomness of the last decision.
struct Instant(Mutex<Env>);

/// SQLite on a folder of its own.
struct Database {
    runtime: Runtime,
    ledger: SqlLedger,
    statuses: Mutex<BTreeMap<DeviceId, DeviceStatus>>,
    _folder: tempfile::TempDir,
}

impl Instant {
    fn lock(&self) -> MutexGuard<'_, Env> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World for Instant {
    fn now_ms(&self) -> i64 {
        self.lock().now_ms
    }

    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        let env = self.lock();
        buffer.iter_mut().zip(env.entropy.iter().cycle()).for_each(|(place, byte)| *place = *byte);
        Ok(())
    }
}

impl Ledger {
    pub(super) fn new(environment: Environment, tables: Tables) -> Self {
        let last = Arc::new(Instant(Mutex::new(Env { now_ms: 0, entropy: [0; 30] })));
        let told = Arc::clone(&last);
        let environment: Environment = Box::new(move || {
            let env = environment();
            *told.lock() = env.clone();
            env
        });
        let memory = MemoryStore::new(fixture::gateway(), environment);
        memory.with_tables(|all| *all = tables);
        Self { memory, last, database: None }
    }

    /// From now on every decision is made in SQLite as well.
    pub(super) fn open_database(&mut self) {
        let shared_memory = Path::new("/dev/shm");
        let folder = match shared_memory.is_dir() {
            // What is tried is the SQL, not the disk below it.
            true => tempfile::tempdir_in(shared_memory),
            false => tempfile::tempdir(),
        };
        let folder = folder.expect("a folder");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let tables = self.memory.with_tables(|tables| tables.clone());
        let world = Arc::clone(&self.last);
        let opened =
            SqlLedger::new(folder.path(), world, fixture::gateway(), fixture::tenant(), &tables);
        let ledger = runtime.block_on(opened).expect("a new database");
        let statuses = Mutex::new(statuses(&tables));
        self.database = Some(Database { runtime, ledger, statuses, _folder: folder });
    }

    pub(super) fn with_tables<R>(&self, look: impl FnOnce(&mut Tables) -> R) -> R {
        self.memory.with_tables(look)
    }

    /// How the two differ, if they do.
    pub(super) fn difference(&self) -> Option<String> {
        let database = self.database.as_ref()?;
        let tables = self.memory.with_tables(|tables| tables.clone());
        for (tenant, payment) in tables.payments.keys() {
            let look = || LookAt(tenant.clone(), *payment);
            let in_memory = super::gateway::now(self.memory.run(look()));
            let in_sql = database.runtime.block_on(database.ledger.run(look()));
            match (in_memory, in_sql) {
                (Ok(in_memory), Ok(in_sql)) if in_memory == in_sql => {}
                (in_memory, in_sql) => {
                    return Some(format!(
                        "{payment}: the same in memory and in SQL is {:?}",
                        in_memory.ok().zip(in_sql.ok()).map(|(a, b)| a.differs(&b))
                    ));
                }
            }
        }
        None
    }
}

impl Database {
    /// Handhelds are revoked by administrators, not by decisions.
    fn follow(&self, now: BTreeMap<DeviceId, DeviceStatus>) {
        let mut known = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        for (device, status) in &now {
            if known.get(device) != Some(status) {
                let change = self.ledger.set_status(*device, *status);
                self.runtime.block_on(change).expect("the status is stored");
            }
        }
        *known = now;
    }
}

fn statuses(tables: &Tables) -> BTreeMap<DeviceId, DeviceStatus> {
    tables.devices.values().map(|device| (device.device, device.status)).collect()
}

impl Store for Ledger {
    async fn run<D: Decision>(&self, decision: D) -> Result<D::Outcome, StoreError> {
        let Some(database) = &self.database else { return self.memory.run(decision).await };
        database.follow(self.memory.with_tables(|tables| statuses(tables)));
        let decision = Arc::new(decision);
        let outcome = self.memory.run(Twice(Arc::clone(&decision))).await;
        let in_sql = database.runtime.block_on(database.ledger.run(Twice(decision)));
        assert_eq!(
            outcome.is_ok(),
            in_sql.is_ok(),
            "memory and SQL both store a decision, or neither: {:?}",
            in_sql.err()
        );
        outcome
    }
}

impl Reads for Ledger {
    async fn payment(
        &self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Option<Payment>, StoreError> {
        self.memory.payment(tenant, payment).await
    }

    async fn attempts(
        &self,
        tenant: &TenantSlug,
        payment: PaymentId,
    ) -> Result<Vec<Attempt>, StoreError> {
        self.memory.attempts(tenant, payment).await
    }
}

/// One decision for two ledgers.
struct Twice<D>(Arc<D>);

impl<D: Decision> Decision for Twice<D> {
    type Outcome = D::Outcome;

    async fn decide<T: Tx>(&self, tx: &mut T, env: &Env) -> Result<D::Outcome, StoreError> {
        self.0.decide(tx, env).await
    }
}

/// Everything about one payment.
struct LookAt(TenantSlug, PaymentId);

#[derive(PartialEq)]
struct Seen {
    payment: Option<Payment>,
    attempts: Vec<Attempt>,
    evidence: BTreeSet<Evidence>,
    order: Option<Order>,
}

impl Seen {
    /// Each part: true if it is the same.
    fn differs(&self, other: &Self) -> [(&'static str, bool); 4] {
        [
            ("payment", self.payment == other.payment),
            ("attempts", self.attempts == other.attempts),
            ("evidence", self.evidence == other.evidence),
            ("order", self.order == other.order),
        ]
    }
}

impl Decision for LookAt {
    type Outcome = Seen;

    async fn decide<T: Tx>(&self, tx: &mut T, _env: &Env) -> Result<Seen, StoreError> {
        let Self(tenant, payment) = self;
        Ok(Seen {
            payment: tx.payment(tenant, *payment).await?,
            attempts: tx.attempts(tenant, *payment).await?,
            evidence: tx.evidence(tenant, *payment).await?.into_iter().collect(),
            order: tx.order(tenant, *payment).await?,
        })
    }
}
