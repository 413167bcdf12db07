//! The same schedules on the real SQLite ledger, decision by decision beside the one in memory; and
//! that a ledger which differs is seen.

use super::run_each;
use holdfast_tests::simulation::{self, Fault, Plan, Tally, walk_charges_on_sql};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::path::Path;
use tokio::runtime::{Builder, Runtime};

/// Schedules on SQLite.
const SEEDS: u64 = 200;
/// Walks over charges, claims, cash and refunds.
const WALKS: u64 = 150;
/// Seeds within which a write that is lost shows.
const LOST_WITHIN: u64 = 40;

#[test]
fn hundreds_of_schedules_leave_the_same_rows_in_sqlite_as_in_memory() {
    let ended = run_each(0..SEEDS, |seed| simulation::run_on_sql(&Plan::ordinary(seed)));
    assert!(ended.iter().map(|one| one.orders).sum::<u64>() > SEEDS / 2);
    let mut tally = Tally::default();
    ended.iter().for_each(|one| tally.add(&one.tally));
    let restored = tally.iter().find(|(fault, _)| *fault == Fault::Restored);
    assert!(restored.is_some_and(|(_, count)| count > 20), "{restored:?} were put back");
}

#[test]
fn charges_claims_cash_and_refunds_are_the_same_in_sqlite_as_in_memory() {
    for seed in 0..WALKS {
        if let Err(difference) = walk_charges_on_sql(seed, &|_| {}) {
            panic!("{difference}");
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A connection past the ledger, which believes in no key.
async fn past_the_ledger(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).foreign_keys(false);
    SqliteConnection::connect_with(&options).await.expect("the database opens")
}

fn execute(file: &Path, sql: &str) {
    runtime().block_on(async {
        let mut connection = past_the_ledger(file).await;
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.expect("executed");
        connection.close().await.expect("closed");
    });
}

/// Which write of which table is lost; `walk` where the world has no such rows.
const LOST: [(&str, &str, bool); 21] = [
    ("payments", "INSERT", false),
    ("payments", "UPDATE", false),
    ("attempts", "INSERT", false),
    ("attempts", "UPDATE", false),
    ("evidence", "INSERT", false),
    ("objects", "INSERT", false),
    ("orders", "INSERT", false),
    ("notices", "INSERT", false),
    ("events", "INSERT", false),
    ("jobs", "INSERT", false),
    ("jobs", "UPDATE", false),
    ("jobs", "DELETE", false),
    ("recoveries", "UPDATE", false),
    ("charges", "INSERT", true),
    ("charges", "UPDATE", true),
    ("claims", "INSERT", true),
    ("claims", "UPDATE", true),
    ("refund_requests", "INSERT", true),
    ("refund_requests", "UPDATE", true),
    ("finance_alerts", "INSERT", true),
    ("audit", "INSERT", true),
];

/// The first write of a kind is lost, and SQLite says that all is well. Whose object it is, each look at
/// Stripe says again: there all are lost.
fn losing(table: &str, write: &str) -> String {
    let which = if table == "objects" { ">= 1" } else { "= 1" };
    format!(
        "CREATE TABLE lost (n BIGINT NOT NULL); INSERT INTO lost VALUES (0); CREATE TRIGGER lose \
         BEFORE {write} ON {table} BEGIN UPDATE lost SET n = n + 1; SELECT RAISE(IGNORE) WHERE (SELECT \
         n FROM lost) {which}; END"
    )
}

#[test]
fn a_write_that_is_lost_is_seen_in_every_table() {
    for (table, write, walked) in LOST {
        let tamper = |file: &Path| execute(file, &losing(table, write));
        let is_seen = |seed: u64| {
            // A ledger that loses rows may also refuse what the other takes; that stops the run.
            let run = std::panic::AssertUnwindSafe(|| match walked {
                true => walk_charges_on_sql(seed, &tamper).is_err(),
                false => simulation::run_on_tampered_sql(&Plan::ordinary(seed), &tamper).is_err(),
            });
            std::panic::catch_unwind(run).unwrap_or(true)
        };
        let seen = (0..LOST_WITHIN).find(|seed| is_seen(*seed));
        assert!(seen.is_some(), "{write} on {table} may be lost and nobody sees it");
    }
}

/// Columns that say no more than others, or that the memory does not hold.
const NOT_COMPARED: [(&str, &str); 6] = [
    // Folded from plate and payer.
    ("charges", "plate_folded"),
    ("charges", "payer_folded"),
    // By whom a piece of evidence came first.
    ("evidence", "source"),
    ("evidence", "learned_at_ms"),
    // Of no meaning while nobody has acknowledged it.
    ("finance_alerts", "acknowledged_at_ms"),
    // When a body was thrown away: no decision's.
    ("events", "pruned_at_ms"),
];

/// The tables that decisions write; a world or a walk fills each.
const TABLES: [&str; 13] = [
    "payments",
    "attempts",
    "evidence",
    "objects",
    "orders",
    "notices",
    "events",
    "jobs",
    "recoveries",
    "charges",
    "claims",
    "refund_requests",
    "finance_alerts",
];

/// A column that says something else in one row is seen, in every table and for every column.
#[test]
fn a_column_that_differs_is_seen_wherever_it_is() {
    let mut tried = std::collections::BTreeSet::new();
    let mut worlds: Vec<simulation::World> = (0..8)
        .map(|seed| {
            let mut world = simulation::World::new(&Plan::ordinary(seed * 4), false);
            world.open_database();
            world.run().expect("nothing is broken");
            world
        })
        .collect();
    for world in &mut worlds {
        let file = world.database_file().expect("a database");
        change_each_column(&file, &mut tried, &|| world.same_in_sql().is_err());
    }
    for seed in 0..4 {
        let walk = walk_charges_on_sql(seed, &|_| {}).expect("the same");
        let file = walk.database_file().expect("a database");
        change_each_column(&file, &mut tried, &|| walk.difference().is_some());
    }
    for table in TABLES {
        assert!(tried.iter().any(|(of, _)| of == table), "no row of {table} was ever changed");
    }
    assert!(tried.len() > 100, "only {} columns", tried.len());
}

type Tried = std::collections::BTreeSet<(String, String)>;

fn change_each_column(file: &Path, tried: &mut Tried, differs: &dyn Fn() -> bool) {
    assert!(!differs(), "they are the same before");
    let columns = runtime().block_on(columns(file));
    for (table, column, kind) in columns {
        let name = (table.clone(), column.clone());
        if tried.contains(&name) || NOT_COMPARED.contains(&(table.as_str(), column.as_str())) {
            continue;
        }
        let (there, back) = match kind.as_str() {
            "BIGINT" => (format!("{column} + 1000003"), format!("{column} - 1000003")),
            "TEXT" => (format!("'x' || {column}"), format!("substr({column}, 2)")),
            _ => {
                (format!("{column} || x'00'"), format!("substr({column}, 1, length({column}) - 1)"))
            }
        };
        // Bytes put together are text to SQLite unless it is told otherwise.
        let cast = |sql: String| if kind == "BLOB" { format!("CAST({sql} AS BLOB)") } else { sql };
        let first = format!("rowid = (SELECT MIN(rowid) FROM {table})");
        execute(file, &format!("UPDATE {table} SET {column} = {} WHERE {first}", cast(there)));
        assert!(differs(), "{table}.{column} may say anything");
        execute(file, &format!("UPDATE {table} SET {column} = {} WHERE {first}", cast(back)));
        assert!(!differs(), "{table}.{column} is as before");
        tried.insert(name);
    }
}

/// The columns of tables that have rows.
async fn columns(file: &Path) -> Vec<(String, String, String)> {
    let mut connection = past_the_ledger(file).await;
    let mut found = Vec::new();
    for table in TABLES {
        let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        let count: i64 = sqlx::query_scalar(count).fetch_one(&mut connection).await.expect("count");
        let info = AssertSqlSafe(format!("SELECT name, type FROM pragma_table_info('{table}')"));
        let info = sqlx::query(info).fetch_all(&mut connection).await.expect("its columns");
        for row in info.iter().filter(|_| count > 0) {
            found.push((table.to_owned(), row.get("name"), row.get("type")));
        }
    }
    connection.close().await.expect("closed");
    found
}
