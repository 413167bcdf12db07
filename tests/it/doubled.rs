//! A charge that was paid on two handhelds, because a backup was put back between them: the second
//! money goes back by itself, and both screens say so.

use crate::charges::{found, hold, owing};
use crate::payer::{GOOD, Payer};
use crate::radio::Air;
use crate::world::World;
use holdfast_domain::{ChargeState, PaymentState};
use holdfast_gateway::admin::{self, Restore};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

async fn counts(world: &World, table: &str, wished: i64) {
    let end = Instant::now() + PATIENCE;
    while world.count(table).await != wished {
        assert!(Instant::now() < end, "{table}: {} and not {wished}", world.count(table).await);
        tokio::time::sleep(LOOK).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_ledger_let_be_paid_twice_goes_back_by_itself() {
    let world = owing().await;
    let (one, two) = (world.handheld().await, world.handheld().await);
    found(&one).await;
    found(&two).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("monday.backup");
    admin::backup(world.data(), &file).await.expect("a backup");

    // After the backup the first officer holds, and the payer has the card page before them.
    let first = hold(&one, "STRIPE").await;
    one.until(&first.payment_id, PaymentState::Sent).await;
    let slow = Payer::new();
    let card_page = slow.press_pay(&first.pay_address.clone().expect("an address")).await;
    one.radio.set(Air::Dead);
    let world = world
        .with_changed_folder(async |data: &std::path::Path| {
            let restore = Restore { data: data.into(), file: file.clone(), force: true };
            admin::restore(restore).await.expect("put back");
        })
        .await;
    counts(&world, "recoveries WHERE stage = 'done'", 1).await;

    // The ledger that was put back knows nothing of that hold: the second officer's is paid.
    two.reconnect().await;
    let second = hold(&two, "STRIPE").await;
    two.until(&second.payment_id, PaymentState::Sent).await;
    Payer::new().pay(&second.pay_address.expect("an address")).await;
    two.until(&second.payment_id, PaymentState::Paid).await;

    // The slow payer pays as well, and only then the first handheld has a network again.
    slow.enter_card(&card_page, GOOD).await.expect("paid");
    assert_eq!(world.charges(), 2);
    one.reconnect().await;
    let end = Instant::now() + PATIENCE;
    while one.payment(&first.payment_id).state != PaymentState::Refunded {
        let state = one.payment(&first.payment_id).state;
        assert!(Instant::now() < end, "the first is {state:?}");
        one.core.refresh().await.ok();
        tokio::time::sleep(LOOK).await;
    }
    assert_eq!(two.payment(&second.payment_id).state, PaymentState::Paid);
    assert_eq!(world.refunds(), 1);
    assert_eq!(found(&two).await.state, ChargeState::Settled);
    counts(&world, "refund_requests WHERE who = 'The gateway' AND state = 'made'", 1).await;
    assert_eq!(world.count("finance_alerts WHERE status = 'paid_twice'").await, 0);
}
