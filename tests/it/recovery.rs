//! What is lost on one side is made good by the other.

use crate::field::Field;
use crate::payer::Payer;
use crate::radio::Air;
use crate::world::{Webhooks, World, tenant};
use holdfast_domain::PaymentState;
use holdfast_gateway::admin;
use holdfast_handheld::{KeyState, ParkedReason};
use std::path::Path;

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
