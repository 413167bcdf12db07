//! A ledger that was put back asks Stripe with a restricted key: what the key may not list is found by
//! what it may, and what cannot be found so is named, and goes on by itself once it can.

use crate::handheld::Handheld;
use crate::money_back::{DISPUTED_CARD, lose_dispute, paid_by, refund};
use crate::office::Office;
use crate::paying_back::{Form, refunds};
use crate::world::{GOOD_CARD, SECRET_KEY, Setup, World, tenant};
use holdfast_gateway::admin;
use std::path::PathBuf;
use std::time::Duration;

const KEY: &str = "rk_test_51Restored0123456789";
const DONE: &str = "SELECT COUNT(*) FROM recoveries WHERE stage = 'done'";
const WAITS: &str = "SELECT COUNT(*) FROM recoveries WHERE trouble <> '' AND stage <> 'done'";
const LOST: &str = "SELECT COUNT(*) FROM finance_alerts WHERE status = 'dispute_lost'";
/// Longer than the longest wait between two times that Stripe is asked.
const ASKED_AGAIN: Duration = Duration::from_secs(11 * 60);

fn allow(world: &World, may: &[&str]) {
    let grant = format!("{KEY}={}", may.join(",")).parse().unwrap();
    // The whole key is the Dashboard's, as it were.
    let whole = SECRET_KEY.parse().unwrap();
    world.sandbox.handle().with_core(|core, now_ms| core.set_keys(vec![grant, whole], now_ms));
}

/// A gateway that hears no webhook, with a key that may do so much.
async fn world_with(may: &[&str]) -> World {
    let world = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    with_key(world, may).await
}

async fn with_key(world: World, may: &[&str]) -> World {
    allow(&world, may);
    world.stripe_set_key(world.sandbox.url(), KEY).await;
    world
}

async fn back_up(world: &World) -> PathBuf {
    let file = world.folder.path().join("monday.backup");
    admin::backup(&world.data(), &file).await.unwrap();
    file
}

/// Somebody who signs in after the restore, which ended every session.
async fn office_after(world: &World) -> Office<'_> {
    let link = admin::sign_in_link(&world.data(), &tenant()).await.unwrap();
    let office = Office::by_link(world, &link.0).await;
    world.change("UPDATE office_sessions SET expires_at_ms = 9999999999999").await;
    office
}

/// What the office and the doctor say of the restore.
async fn said(office: &Office<'_>) -> [String; 2] {
    let world = office.world;
    let findings = admin::doctor(&world.data()).await.unwrap();
    let of_restore = findings.into_iter().find(|it| it.what == "restore of demo").unwrap();
    [office.get("/admin/payments").await.body, of_restore.words]
}

#[tokio::test]
async fn without_events_refunds_and_disputes_are_listed_and_no_refund_is_doubled() {
    for reads_disputes in [true, false] {
        let mut may = vec![
            "checkout_session_write",
            "payment_intent_read",
            "charge_write",
            "accounts_kyc_basic_read",
        ];
        may.extend(reads_disputes.then_some("dispute_read"));
        let mut world = world_with(&may).await;
        let handheld = Handheld::enrol(&world).await;
        let first = paid_by(&world, &handheld, GOOD_CARD).await;
        let backup = back_up(&world).await;
        // After the backup: the first goes back, and another comes and is disputed.
        refund(&world, None).await;
        let second = paid_by(&world, &handheld, DISPUTED_CARD).await;
        world.put_back(&backup).await;
        world.until(DONE, 1).await;
        world.until("SELECT COUNT(*) FROM payments WHERE state = 'refunded'", 1).await;
        assert_eq!(world.count("SELECT COUNT(*) FROM recoveries WHERE events_found = 1").await, 1);
        // The form in finance's hands finds the money gone already.
        let office = office_after(&world).await;
        let page = office.get(&format!("/admin/payments/{first}/refund")).await.body;
        assert!(page.contains("All of it went back already"), "{page}");
        assert_eq!(refunds(&world), 1);
        // The second waits for its order, which tells the rest.
        assert_eq!(world.count("SELECT COUNT(*) FROM found_sessions WHERE is_paid = 1").await, 1);
        assert_ne!(first, second);
    }
}

#[tokio::test]
async fn a_dispute_that_was_lost_after_the_backup_is_found_without_events() {
    let may = [
        "checkout_session_write",
        "payment_intent_read",
        "charge_write",
        "dispute_read",
        "accounts_kyc_basic_read",
    ];
    // Until the restore, the webhook tells of everything.
    let mut world = with_key(World::start().await, &may).await;
    let handheld = Handheld::enrol(&world).await;
    paid_by(&world, &handheld, DISPUTED_CARD).await;
    world.until("SELECT COUNT(*) FROM payments WHERE state = 'disputed'", 1).await;
    let backup = back_up(&world).await;
    lose_dispute(&world).await;
    world.until(LOST, 1).await;
    world.put_back(&backup).await;
    world.until(DONE, 1).await;
    world.until(LOST, 1).await;
}

#[tokio::test]
async fn what_no_permission_lets_it_find_is_named_and_goes_on_once_it_is_there() {
    let least = ["checkout_session_write", "payment_intent_read", "accounts_kyc_basic_read"];
    let with = |more: &'static str| least.iter().copied().chain([more]).collect::<Vec<_>>();
    for more in ["charge_read", "event_read"] {
        let mut world = world_with(&with("charge_write")).await;
        let handheld = Handheld::enrol(&world).await;
        let payment = paid_by(&world, &handheld, GOOD_CARD).await;
        let backup = back_up(&world).await;
        refund(&world, None).await;
        allow(&world, &["accounts_kyc_basic_read"]);
        world.put_back(&backup).await;
        let office = office_after(&world).await;
        world.until(WAITS, 1).await;
        for words in said(&office).await {
            assert!(words.contains("Checkout Sessions: Read"), "{words}");
        }
        allow(&world, &least);
        world.clock.skip_ahead(ASKED_AGAIN);
        world
            .until("SELECT COUNT(*) FROM recoveries WHERE stage = 'events' AND failures > 0", 1)
            .await;
        for words in said(&office).await {
            for part in ["Events: Read", "Charges and Refunds: Read", "goes on by itself"] {
                assert!(words.contains(part), "{part}: {words}");
            }
        }
        // Meanwhile nothing is sent back that may be back.
        let form = Form::open(&office, &payment).await;
        let refused = form.send(&office, "how=full").await;
        assert!(refused.status.is_client_error() || refused.status.is_server_error());
        allow(&world, &with(more));
        world.clock.skip_ahead(ASKED_AGAIN);
        world.until(DONE, 1).await;
        assert!(!said(&office).await[1].contains("lacks"));
        assert_eq!(refunds(&world), 1);
    }
}
