//! What is lost on one side is made good by the other.

use crate::field::Field;
use crate::payer::Payer;
use crate::radio::Air;
use crate::world::{Webhooks, World, tenant};
use holdfast_domain::PaymentState;
use holdfast_gateway::admin;
use holdfast_handheld::{KeyState, ParkedReason};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use std::path::Path;

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        if entry.path().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
        }
    }
}

/// As a restore does: the ledger of the backup, under a new epoch.
async fn new_epoch(folder: &Path) {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut files = entries.map(|entry| entry.expect("an entry").path());
    let database =
        files.find(|path| path.extension().is_some_and(|it| it == "db" || it == "sqlite"));
    let options = SqliteConnectOptions::new().filename(database.expect("a database"));
    let pool = SqlitePool::connect_with(options).await.expect("the database");
    let sql = sqlx::AssertSqlSafe("UPDATE installation SET epoch = epoch + 1".to_owned());
    sqlx::query(sql).execute(&pool).await.expect("a new epoch");
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_gateway_gets_back_what_its_backup_does_not_have() {
    let world = World::new(Webhooks::ByTenant).await;
    let field = Field::enrolled(&world).await;
    let first = field.hold().await;
    field.until(&first.payment_id, PaymentState::Sent).await;
    let backup = tempfile::TempDir::new().expect("a folder");
    let world = world.with_changed_folder(async |folder| copy(folder, backup.path())).await;

    let second = field.hold().await;
    field.until(&second.payment_id, PaymentState::Sent).await;
    Payer::new().pay(&second.pay_address.expect("an address")).await;
    field.until(&second.payment_id, PaymentState::Paid).await;
    let restore = async |folder: &Path| {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                std::fs::remove_file(path).expect("removed");
            }
        }
        copy(backup.path(), folder);
        new_epoch(folder).await;
    };
    let world = world.with_changed_folder(restore).await;
    assert_eq!(world.count("payments").await, 1);

    field.core.refresh().await.ok();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while world.count("payments").await < 2 {
        assert!(std::time::Instant::now() < end, "not presented again");
        field.core.refresh().await.ok();
    }
    // The screen said paid. It does not unsay it because the gateway lost the evidence.
    assert_eq!(field.payment(&second.payment_id).state, PaymentState::Paid);
    assert_eq!(field.core.snapshot().queued, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_file_put_back_doubles_nothing_and_is_said() {
    let world = World::new(Webhooks::None).await;
    let field = Field::enrolled(&world).await;
    let older = tempfile::NamedTempFile::new().expect("a file");
    let save = |file: &Path| {
        std::fs::copy(file, older.path()).expect("copied");
    };
    let field = field.restarted(8, save);
    let lost = field.hold().await;
    field.until(&lost.payment_id, PaymentState::Sent).await;
    let field = field.restarted(8, |file| {
        std::fs::copy(older.path(), file).expect("copied");
    });
    // Held before the gateway could say a word, the number is used a second time.
    field.radio.set(Air::Dead);
    let twice = field.hold().await;
    field.radio.set(Air::Clear);
    field.core.network_changed(true);
    field.until_that(|snapshot| snapshot.older_file).await;
    field.until(&lost.payment_id, PaymentState::Sent).await;
    assert!(field.payment(&lost.payment_id).from_gateway);
    let parked = field.until(&twice.payment_id, PaymentState::NeedsAttention).await;
    assert_eq!(parked.parked, Some(ParkedReason::SequenceReused));
    let reason = "Held twice after a restore.".to_owned();
    field.core.withdraw(twice.payment_id.clone(), reason).await.expect("withdrawn");
    let next = field.hold().await;
    field.until(&next.payment_id, PaymentState::Sent).await;
    field
        .until_that(|_| field.payment(&twice.payment_id).request.is_some_and(|it| it.answered))
        .await;
    assert_eq!(field.payment(&twice.payment_id).state, PaymentState::Withdrawn);
    assert_eq!(world.count("payments").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_under_a_lost_vault_key_are_brought_in_by_their_sealed_copies() {
    let world = World::new(Webhooks::ByTenant).await;
    let field = Field::enrolled(&world).await;
    field.radio.set(Air::Dead);
    let held = field.hold().await;
    assert!(field.file().exists());
    let field = field.restarted(9, |_| {});
    let snapshot = field.core.snapshot();
    assert_eq!((snapshot.keys, snapshot.quarantine.len()), (KeyState::VaultKeyLost, 1));
    assert_eq!(snapshot.quarantine[0].record_id, held.payment_id);

    let export = field.core.export_copies().await.expect("copies").remove(0);
    assert_eq!(export.orders, 1);
    let file = world.data().join(&export.file_name);
    std::fs::write(&file, &export.contents).expect("written");
    let imported = admin::order_import(world.data(), &tenant(), &file).await.expect("imported");
    assert_eq!((imported.new, imported.refused.len()), (1, 0));
    let payer = Payer::new();
    payer.come_back(&payer.pay(&held.pay_address.expect("an address")).await).await;
    assert_eq!((world.count("orders").await, world.charges()), (1, 1));

    // Enrolled anew, the handheld goes on; the lost record stays named.
    field.enrol(&world).await;
    assert_eq!(field.core.snapshot().keys, KeyState::Good);
    let next = field.hold().await;
    field.until(&next.payment_id, PaymentState::Sent).await;
    let field = field.restarted(9, |_| {});
    assert_eq!(field.core.snapshot().quarantine.len(), 1);
    assert_eq!(field.payment(&next.payment_id).state, PaymentState::Sent);
}
