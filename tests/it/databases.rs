//! Databases as earlier schemas left them (`tests/databases`): each comes up to date with every row, is
//! served, and its payments can be read.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use holdfast_gateway::{Options, admin, start};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Tables whose rows were meant to go: sessions of an office without persons, refused deliveries that are
/// deliveries now, and what sqlx itself keeps.
const GONE: [&str; 3] = ["office_sessions", "refused_deliveries", "_sqlx_migrations"];

fn kept() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("databases");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut kept: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    kept.sort();
    kept
}

fn copied(kept: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["holdfast.db", "master.key"] {
        std::fs::copy(kept.join(name), folder.path().join(name)).unwrap();
        let owner_only = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(folder.path().join(name), owner_only).unwrap();
    }
    folder
}

async fn database(folder: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(folder.join("holdfast.db"));
    SqlitePool::connect_with(options).await.unwrap()
}

fn client() -> reqwest::Client {
    let tls = holdfast_stripe::tls::client_config().expect("roots");
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy();
    client.build().expect("a client")
}

/// Rows of each table.
async fn rows(folder: &Path) -> BTreeMap<String, i64> {
    let pool = database(folder).await;
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&pool).await.unwrap();
    let mut rows = BTreeMap::new();
    for table in tables {
        let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        rows.insert(table, sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap());
    }
    pool.close().await;
    rows
}

#[tokio::test]
async fn every_kept_database_comes_up_to_date_and_its_payments_can_be_read() {
    let all = kept();
    assert!(all.len() >= 3, "{all:?}");
    for kept in all {
        let name = kept.file_name().unwrap().to_str().unwrap().to_owned();
        let folder = copied(&kept);
        let before = rows(folder.path()).await;
        let options = Options {
            data: folder.path().to_owned(),
            listen: "127.0.0.1:0".to_owned(),
            public_url: Some("http://127.0.0.1:1".to_owned()),
            ..Options::default()
        };
        let running = start(options).await.unwrap();
        let pool = database(folder.path()).await;
        let sql = "SELECT payment, total_minor FROM payments";
        let payments: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(&pool).await.unwrap();
        assert!(!payments.is_empty(), "{name}");
        for (payment, minor) in payments {
            let page = client().get(format!("{}/pay/{payment}", running.url())).send().await;
            let page = page.unwrap();
            assert_eq!(page.status(), 200, "{name}: {payment}");
            let amount = format!("{}.{:02}", minor / 100, minor % 100);
            let words = page.text().await.unwrap();
            assert!(words.contains(&amount), "{name}: {payment} is not over {amount}: {words}");
        }
        pool.close().await;
        running.shutdown().await;
        let after = rows(folder.path()).await;
        for (table, count) in before.iter().filter(|(table, _)| !GONE.contains(&table.as_str())) {
            assert!(after[table] >= *count, "{name}: rows of {table} are lost");
        }
        let link = admin::sign_in_link(folder.path(), &"demo".parse().unwrap()).await.unwrap();
        assert!(link.0.contains("/sign-in/"), "{name}");
    }
}

/// The newest of them has a row in every table that a gateway which runs can have rows in.
#[tokio::test]
async fn the_newest_kept_database_has_rows_in_every_table() {
    let number = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.trim_start_matches("schema-").parse::<u32>().unwrap()
    };
    let newest = kept().into_iter().max_by_key(number).unwrap();
    let rows = rows(copied(&newest).path()).await;
    let empty: Vec<&String> =
        rows.iter().filter(|(_, count)| **count == 0).map(|it| it.0).collect();
    // Only a backup has a row there.
    assert_eq!(empty, ["backup"], "{newest:?}");
}
