//! A gateway is backed up, goes on, is lost and put back: what came after the backup is found again.

use crate::field::Field;
use crate::payer::{GOOD, Payer};
use crate::radio::Air;
use crate::world::{SECRET_KEY, WEBHOOK_SECRET, Webhooks, World, tenant};
use holdfast_domain::{AttentionReason, DeviceId, PaymentState};
use holdfast_gateway::admin::{self, Finding, Restore, RestoreError};
use holdfast_handheld::PaymentView;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// A held payment that its payer has paid.
async fn paid(field: &Field) -> PaymentView {
    let held = field.hold().await;
    field.until(&held.payment_id, PaymentState::Sent).await;
    Payer::new().pay(&held.pay_address.expect("an address")).await;
    field.until(&held.payment_id, PaymentState::Paid).await
}

fn wanted(world: &World, file: &Path, force: bool) -> Restore {
    Restore { data: world.data().into(), file: file.into(), force }
}

async fn counts(world: &World, table: &str, wished: i64) {
    let end = Instant::now() + PATIENCE;
    while world.count(table).await != wished {
        assert!(Instant::now() < end, "{table}: {} and not {wished}", world.count(table).await);
        tokio::time::sleep(LOOK).await;
    }
}

async fn said(world: &World) -> String {
    let findings = admin::doctor(world.data()).await.expect("a doctor");
    let words = |found: Finding| format!("{}: {}", found.what, found.words);
    findings.into_iter().map(words).filter(|it| it.starts_with("restore of demo")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_gateway_finds_again_what_its_backup_does_not_have() {
    let world = World::new(Webhooks::ByTenant).await;
    let field = Field::enrolled(&world).await;
    let first = paid(&field).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("monday.backup");
    admin::backup(world.data(), &file).await.expect("a backup beside the running gateway");

    // After the backup: one is paid, one is open on a payer's screen.
    let second = paid(&field).await;
    let third = field.hold().await;
    let third_address = third.pay_address.clone().expect("an address");
    let payer = Payer::new();
    let card_page = payer.press_pay(&third_address).await;

    let serving = admin::restore(wanted(&world, &file, true)).await;
    assert!(matches!(serving, Err(RestoreError::Serving { .. })), "{serving:?}");
    let data = world.data().to_owned();
    let put_back = async |folder: &Path| {
        let restore = |force| Restore { data: folder.into(), file: file.clone(), force };
        let refused = admin::restore(restore(false)).await;
        assert!(matches!(refused, Err(RestoreError::Newer { .. })), "{refused:?}");
        let done = admin::restore(restore(true)).await.expect("put back");
        assert_eq!((done.payments, done.recoveries, done.beyond_events), (1, 1, false));
        assert!(done.kept.expect("the old one is kept").join("holdfast.db").is_file());
    };
    let world = world.with_changed_folder(put_back).await;
    assert_eq!(world.data(), data);
    counts(&world, "recoveries WHERE stage = 'done' AND sessions_found = 2", 1).await;
    assert!(said(&world).await.contains("2 card pages"), "{}", said(&world).await);

    // The handheld hears of the new epoch, and shows its orders again.
    let end = Instant::now() + PATIENCE;
    while world.count("payments").await < 3 {
        assert!(Instant::now() < end, "not presented again");
        field.core.refresh().await.ok();
        tokio::time::sleep(LOOK).await;
    }
    counts(&world, "orders", 2).await;
    assert_eq!(world.charges(), 2);
    // The receipts in the payers' hands stay right.
    for before in [&first, &second] {
        let now = field.until(&before.payment_id, PaymentState::Paid).await;
        assert_eq!(now.receipt_order_id, before.receipt_order_id);
    }

    // The page that was open is still the only one, and takes the card.
    assert_eq!(payer.press_pay(&third_address).await, card_page);
    payer.enter_card(&card_page, GOOD).await.expect("paid");
    field.until(&third.payment_id, PaymentState::Paid).await;
    counts(&world, "orders", 3).await;
    assert_eq!(world.charges(), 3);
    counts(&world, "found_sessions", 0).await;

    // And the gateway goes on as ever.
    paid(&field).await;
    assert_eq!((world.count("orders").await, world.charges()), (4, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handheld_revoked_before_it_heard_of_the_restore_brings_its_orders_for_approval() {
    let world = World::new(Webhooks::None).await;
    let field = Field::enrolled(&world).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("monday.backup");
    admin::backup(world.data(), &file).await.expect("a backup");
    let held = field.hold().await;
    field.until(&held.payment_id, PaymentState::Sent).await;
    let device = field.core.snapshot().enrolment.expect("enrolled").device_id;
    let device = DeviceId::parse(&device).expect("an ID");
    field.radio.set(Air::Dead);
    let put_back = async |folder: &Path| {
        let restore = Restore { data: folder.into(), file: file.clone(), force: true };
        admin::restore(restore).await.expect("put back");
        admin::handheld_revoke(folder, &tenant(), device).await.expect("revoked");
    };
    let world = world.with_changed_folder(put_back).await;
    assert_eq!(world.count("payments").await, 0);
    field.radio.set(Air::Clear);
    field.core.network_changed(true);
    // It hears no more than that it is revoked and that the ledger is another one: enough to bring
    // what was acknowledged, and for nothing else.
    let waits = field.until(&held.payment_id, PaymentState::NeedsAttention).await;
    assert_eq!(waits.attention, Some(AttentionReason::AwaitsApproval));
    counts(&world, "payments WHERE state = 'needs_attention'", 1).await;
    assert_eq!((world.count("attempts").await, world.count("orders").await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_open_is_followed_although_its_handheld_stays_away() {
    // No webhook tells of anything: whatever is learned is asked for.
    let world = World::new(Webhooks::None).await;
    let field = Field::enrolled(&world).await;
    paid(&field).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("monday.backup");
    admin::backup(world.data(), &file).await.expect("a backup");
    let held = field.hold().await;
    let address = held.pay_address.clone().expect("an address");
    let payer = Payer::new();
    let card_page = payer.press_pay(&address).await;
    // The handheld is out of reach from here on; the payer is still on Stripe's page.
    field.radio.set(Air::Dead);
    let put_back = async |folder: &Path| {
        let restore = Restore { data: folder.into(), file: file.clone(), force: true };
        admin::restore(restore).await.expect("put back");
    };
    let world = world.with_changed_folder(put_back).await;
    counts(&world, "recoveries WHERE stage = 'done'", 1).await;
    counts(&world, "found_sessions WHERE status = 'open' AND looks > 0", 1).await;
    payer.enter_card(&card_page, GOOD).await.expect("paid");
    counts(&world, "found_sessions WHERE status = 'complete' AND is_paid = 1", 1).await;
    counts(&world, "found_sessions WHERE due_at_ms = 0 AND url = ''", 1).await;
    // Nobody brought its order: that is said, and to whom.
    let findings = admin::doctor(world.data()).await.expect("a doctor");
    let waiting = findings.iter().find(|found| found.what == "card pages of demo");
    let words = &waiting.expect("said").words;
    assert!(words.starts_with("1 card page at Stripe, 1 of them paid"), "{words}");
    assert_eq!(world.count("orders").await, 1);
    // The handheld is back, and its order finds the money there.
    field.radio.set(Air::Clear);
    field.core.network_changed(true);
    field.until(&held.payment_id, PaymentState::Paid).await;
    counts(&world, "found_sessions", 0).await;
    assert_eq!((world.count("orders").await, world.charges()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_has_no_plain_secret_and_not_the_master_key() {
    let world = World::new(Webhooks::ByTenant).await;
    let field = Field::enrolled(&world).await;
    paid(&field).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("holdfast.backup");
    admin::backup(world.data(), &file).await.expect("a backup");
    let bytes = std::fs::read(&file).expect("the backup");
    let master = std::fs::read_to_string(world.data().join("master.key")).expect("the master key");
    let master = master.split_whitespace().last().expect("the key itself").to_owned();
    let has = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has("demo"), "the backup can be searched");
    for secret in [SECRET_KEY, WEBHOOK_SECRET, master.as_str()] {
        assert!(!has(secret), "a plain secret is in the backup");
    }
    // Nobody else may read it, and nothing is overwritten.
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(&file).expect("the backup").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    admin::backup(world.data(), &file).await.expect_err("it is there already");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_whole_backup_is_not_put_back() {
    let world = World::new(Webhooks::None).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("holdfast.backup");
    admin::backup(world.data(), &file).await.expect("a backup");
    let elsewhere = folder.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("a folder");
    let restore = |file: &Path| Restore { data: elsewhere.clone(), file: file.into(), force: true };
    // Without the master key nothing opens.
    admin::restore(restore(&file)).await.expect_err("no master key");
    std::fs::copy(world.data().join("master.key"), elsewhere.join("master.key")).expect("copied");
    // A database that is no backup, and half of one.
    let live = world.data().join("holdfast.db");
    let refused = admin::restore(restore(&live)).await.expect_err("no backup");
    assert!(matches!(refused, RestoreError::NoBackup { .. }), "{refused:?}");
    let half = folder.path().join("half.backup");
    let bytes = std::fs::read(&file).expect("the backup");
    std::fs::write(&half, bytes.split_at(bytes.len() / 2).0).expect("written");
    admin::restore(restore(&half)).await.expect_err("half a backup");
    assert!(!elsewhere.join("holdfast.db").exists());
    // The whole one makes a gateway on a new machine.
    let done = admin::restore(restore(&file)).await.expect("put back");
    assert_eq!(done.kept, None);
    assert!(admin::doctor(&elsewhere).await.is_ok());
}
