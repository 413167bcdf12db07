//! The simulation's ledger: in memory, and where that is asked for, the real one in SQLite beside it.
//!
//! The world acts on the memory's answers. The database gets every decision as well, with the same
//! time and randomness: it must take and refuse the same ones, and in the end hold the same rows. A
//! backup is a copy of both, and a restore puts both back: SQLite's into a file of its own, which is
//! opened as a gateway opens it.

use super::compare;
use super::fixture;
use holdfast_domain::{DeviceId, PaymentId, TenantSlug};
use holdfast_gateway::testing::SqlLedger;
use holdfast_gateway::world::{NoEntropy, World};
use holdfast_ledger::memory::{MemoryStore, Tables};
use holdfast_ledger::recovery::Recovery;
use holdfast_ledger::work::Reads;
use holdfast_ledger::{
    Attempt, BeginRecovery, Decision, DeviceStatus, Env, Payment, Store, StoreError, Tx,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

type Environment = Box<dyn Fn() -> Env + Send + Sync>;

pub(super) struct Ledger {
    memory: MemoryStore<Environment>,
    last: Arc<Instant>,
    /// How often something was decided here, or changed past all decisions: what was read off the tables
    /// holds until then.
    changes: AtomicU64,
    database: Option<Database>,
}

/// The time and randomness of the last decision.
struct Instant(Mutex<Env>);

/// SQLite on a folder of its own.
struct Database {
    runtime: Runtime,
    open: Mutex<Open>,
}

/// What a restore puts another one in the place of.
struct Open {
    ledger: Arc<SqlLedger>,
    statuses: BTreeMap<DeviceId, DeviceStatus>,
    folder: TempDir,
}

/// The ledger as it was once.
pub(super) struct Backup {
    tables: Tables,
    /// The folder with SQLite's copy, where there is a database.
    folder: Option<TempDir>,
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
        Self { memory, last, changes: AtomicU64::new(0), database: None }
    }

    /// From now on every decision is made in SQLite as well.
    pub(super) fn open_database(&mut self) {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let tables = self.memory.with_tables(|tables| tables.clone());
        let (folder, world) = (folder(), Arc::clone(&self.last));
        let opened =
            SqlLedger::new(folder.path(), world, fixture::gateway(), fixture::tenant(), &tables);
        let ledger = Arc::new(runtime.block_on(opened).expect("a new database"));
        let open = Mutex::new(Open { ledger, statuses: statuses(&tables), folder });
        self.database = Some(Database { runtime, open });
    }

    /// Where SQLite's file lies, for a test that tampers with it.
    pub(super) fn database_file(&self) -> Option<PathBuf> {
        let database = self.database.as_ref()?;
        Some(database.lock().folder.path().join("holdfast.db"))
    }

    pub(super) fn tables<R>(&self, look: impl FnOnce(&Tables) -> R) -> R {
        self.memory.with_tables(|tables| look(tables))
    }

    pub(super) fn change_tables<R>(&self, change: impl FnOnce(&mut Tables) -> R) -> R {
        self.touch();
        self.memory.with_tables(change)
    }

    fn touch(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// Both as they are now.
    pub(super) fn back_up(&self) -> Backup {
        let tables = self.memory.with_tables(|tables| tables.clone());
        let copy = |database: &Database| {
            database.follow(statuses(&tables));
            let (folder, ledger) = (folder(), database.ledger());
            let made = ledger.back_up(folder.path());
            database.runtime.block_on(made).expect("a copy of the database");
            folder
        };
        let folder = self.database.as_ref().map(copy);
        Backup { tables, folder }
    }

    /// Both as they were then. Stripe is asked what is lost with `recovery`, if that is known.
    pub(super) fn put_back(&self, backup: Backup, recovery: Option<&Recovery>) {
        let Backup { tables, folder } = backup;
        if let (Some(database), Some(folder)) = (&self.database, folder) {
            database.put_back(folder, statuses(&tables), &self.last, recovery);
        }
        self.change_tables(|now| {
            *now = tables;
            if let Some(recovery) = recovery {
                now.recoveries.insert(recovery.key.clone(), recovery.clone());
            }
        });
    }

    /// How the two differ, if they do.
    pub(super) fn difference(&self) -> Option<String> {
        let database = self.database.as_ref()?;
        database.follow(self.memory.with_tables(|tables| statuses(tables)));
        let ledger = database.ledger();
        match database.runtime.block_on(ledger.tables()) {
            Ok((sql, acts)) => {
                self.memory.with_tables(|memory| compare::difference(memory, &sql, &acts))
            }
            Err(error) => Some(format!("SQL holds what cannot be read: {error}")),
        }
    }
}

/// A folder for a database: what is tried is the SQL, not the disk below it.
pub(super) fn folder() -> TempDir {
    let shared_memory = Path::new("/dev/shm");
    let folder = match shared_memory.is_dir() {
        true => tempfile::tempdir_in(shared_memory),
        false => tempfile::tempdir(),
    };
    folder.expect("a folder")
}

impl Database {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledger(&self) -> Arc<SqlLedger> {
        Arc::clone(&self.lock().ledger)
    }

    /// Handhelds are revoked by administrators, not by decisions.
    fn follow(&self, now: BTreeMap<DeviceId, DeviceStatus>) {
        let mut open = self.lock();
        for (device, status) in &now {
            if open.statuses.get(device) != Some(status) {
                let change = open.ledger.set_status(*device, *status);
                self.runtime.block_on(change).expect("the status is stored");
            }
        }
        open.statuses = now;
    }

    fn put_back(
        &self,
        folder: TempDir,
        statuses: BTreeMap<DeviceId, DeviceStatus>,
        world: &Arc<Instant>,
        recovery: Option<&Recovery>,
    ) {
        let opened = SqlLedger::open(folder.path(), Arc::clone(world) as _, fixture::tenant());
        let ledger = Arc::new(self.runtime.block_on(opened).expect("the copy opens"));
        if let Some(recovery) = recovery {
            let begin = BeginRecovery { recoveries: vec![recovery.clone()] };
            self.runtime.block_on(ledger.run(begin)).expect("the recovery begins");
        }
        *self.lock() = Open { ledger, statuses, folder };
    }
}

fn statuses(tables: &Tables) -> BTreeMap<DeviceId, DeviceStatus> {
    tables.devices.values().map(|device| (device.device, device.status)).collect()
}

impl Store for Ledger {
    async fn run<D: Decision>(&self, decision: D) -> Result<D::Outcome, StoreError> {
        self.touch();
        let Some(database) = &self.database else { return self.memory.run(decision).await };
        database.follow(self.memory.with_tables(|tables| statuses(tables)));
        let decision = Arc::new(decision);
        let outcome = self.memory.run(Twice(Arc::clone(&decision))).await;
        let in_sql = database.runtime.block_on(database.ledger().run(Twice(decision)));
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
