//! Cancel, withdraw, revoke; signed receipts; sealed copies.

use crate::handheld::{Handheld, path_of, sign, submit};
use crate::world::{Answer, GOOD_CARD, World, tenant};
use data_encoding::BASE64URL_NOPAD;
use holdfast_domain::PaymentId;
use holdfast_gateway::admin;
use holdfast_protocol::sealed_copy::{self, CopyPublicKey};
use holdfast_protocol::wire::CopiesFile;
use holdfast_protocol::{
    DevicePublicKey, NoticeKind, NoticePayload, SignedNotice, SignedOrder, SignedReceipt,
};
use holdfast_sandbox::core::PayOutcome;

async fn say(world: &World, handheld: &Handheld, payment: PaymentId, kind: NoticeKind) -> Answer {
    let notice = notice(handheld, payment, kind);
    world.post("/api/demo/notices", &[("content-type", "application/cose")], notice).await
}

/// What a handheld says about its order, signed.
pub(crate) fn notice(handheld: &Handheld, payment: PaymentId, kind: NoticeKind) -> Vec<u8> {
    let payload = NoticePayload {
        gateway: handheld.enrolled.gateway,
        tenant: handheld.enrolled.tenant.clone(),
        device: handheld.enrolled.device,
        payment,
        kind,
        made_at_unix_s: 1_790_000_000,
    };
    let signature = sign(&handheld.key, &payload.to_be_signed());
    SignedNotice::assemble(payload, signature).to_bytes()
}

fn state(answer: &Answer) -> String {
    answer.json()["payment"]["state"].as_str().unwrap_or("none").to_owned()
}

#[tokio::test]
async fn a_canceled_payment_ends_its_open_card_page() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    handheld.send(&world, &order).await;
    let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
    let answer = say(&world, &handheld, order.payload().payment, NoticeKind::Cancel).await;
    assert_eq!(state(&answer), "cancel_requested");
    world.until("SELECT COUNT(*) FROM payments WHERE state = 'canceled'", 1).await;
    assert!(matches!(world.type_card(&page, GOOD_CARD), PayOutcome::Expired));
    // The same notice again is answered with what has become of it.
    let again = say(&world, &handheld, order.payload().payment, NoticeKind::Cancel).await;
    assert_eq!(state(&again), "canceled");
    assert_eq!(world.count("SELECT COUNT(*) FROM notices").await, 1);
}

#[tokio::test]
async fn paid_wins_over_a_late_withdrawal() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    handheld.send(&world, &order).await;
    let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
    world.type_card(&page, GOOD_CARD);
    let reason = "The payer left.".to_owned();
    say(&world, &handheld, order.payload().payment, NoticeKind::Withdraw { reason }).await;
    world.until("SELECT COUNT(*) FROM payments WHERE state = 'paid'", 1).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, 1);
}

#[tokio::test]
async fn an_order_that_was_given_up_before_it_came_is_not_taken() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let answer = say(&world, &handheld, order.payload().payment, NoticeKind::Cancel).await;
    assert_eq!((answer.status.as_u16(), state(&answer)), (200, "none".to_owned()));
    assert_eq!(submit(&world, order.to_bytes()).await.code(), "withdrawn");
    let page = world.get(&path_of(&order)).await;
    assert!(page.body.contains("ask the officer for a new one") || page.status == 200);
    assert_eq!(world.count("SELECT COUNT(*) FROM payments").await, 0);
}

#[tokio::test]
async fn a_notice_of_a_stranger_or_changed_on_its_way_is_refused() {
    let world = World::start().await;
    let (handheld, other) = (Handheld::enrol(&world).await, Handheld::enrol(&world).await);
    let order = handheld.order();
    handheld.send(&world, &order).await;
    let answer = say(&world, &other, order.payload().payment, NoticeKind::Cancel).await;
    assert_eq!(answer.code(), "unknown_device");
    let noise = world.post("/api/demo/notices", &[], b"noise".to_vec()).await;
    assert_eq!(noise.code(), "malformed");
    assert_eq!(world.count("SELECT COUNT(*) FROM notices").await, 0);
    assert_eq!(world.count("SELECT COUNT(*) FROM payments WHERE state = 'sent'").await, 1);
}

#[tokio::test]
async fn a_paid_page_shows_a_receipt_that_a_handheld_can_check() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let payment = handheld.send(&world, &order).await;
    assert_eq!(world.get(&format!("/pay/{payment}/receipt.svg")).await.status, 404);
    let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
    world.type_card(&page, GOOD_CARD);
    let page = world.page_says(&payment, "receipt.svg").await;
    let picture = world.get(&format!("/pay/{payment}/receipt.svg")).await;
    assert!(page.contains("receipt-code") && picture.body.contains("<svg"));

    let address = page.split("id=\"receipt-link\" href=\"").nth(1).unwrap();
    let address = address.split('"').next().unwrap().to_owned();
    let key = BASE64URL_NOPAD.decode(handheld.enrolled.gateway_public_key.as_bytes()).unwrap();
    let key = DevicePublicKey::from_sec1(&key).unwrap();
    let receipt = SignedReceipt::verify_scanned(&address, &key).unwrap();
    assert_eq!(receipt.payload().payment, order.payload().payment);
    assert_eq!(receipt.payload().amount, order.payload().total);
    let path = address.to_lowercase().replace(&world.url("").to_lowercase(), "");
    let scanned = world.get(&path).await;
    assert!(scanned.body.contains("genuine"), "{path}: {}", scanned.body);
    assert_eq!(world.get("/r/AAAA").await.status, 404);
}

#[tokio::test]
async fn what_a_revoked_handheld_held_waits_and_what_it_sent_stays() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let known = handheld.order();
    handheld.send(&world, &known).await;
    admin::handheld_revoke(&world.data(), &tenant(), handheld.enrolled.device).await.unwrap();
    let unseen = submit(&world, handheld.order().to_bytes()).await.json()["payment"].clone();
    assert_eq!(unseen["attention"], "awaits_approval", "{unseen}");
    assert_eq!(submit(&world, known.to_bytes()).await.status, 200);
    let unknown = holdfast_domain::DeviceId::from_bytes([0; 8]);
    assert!(admin::handheld_revoke(&world.data(), &tenant(), unknown).await.is_err());
}

#[tokio::test]
async fn sealed_copies_are_imported_once_and_damaged_ones_are_named() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let copy_key = handheld.enrolled.copy_key.clone().unwrap();
    let copy_key = BASE64URL_NOPAD.decode(copy_key.as_bytes()).unwrap();
    let copy_key = CopyPublicKey::from_bytes(&copy_key).unwrap();
    let device = handheld.enrolled.device;
    let copy = |order: SignedOrder| {
        let sealed = sealed_copy::seal(&copy_key, &tenant(), device, &order.to_bytes()).unwrap();
        BASE64URL_NOPAD.encode(&sealed)
    };
    let copies = CopiesFile {
        version: 1,
        gateway: handheld.enrolled.gateway,
        tenant: tenant(),
        device,
        copies: vec![copy(handheld.order()), "AAAA".to_owned(), copy(handheld.order())],
    };
    let file = world.data().join("copies.json");
    std::fs::write(&file, serde_json::to_vec(&copies).unwrap()).unwrap();
    let first = admin::order_import(&world.data(), &tenant(), &file).await.unwrap();
    assert_eq!((first.new, first.known, first.refused.len()), (2, 0, 1));
    assert_eq!(first.refused[0].0, 2);
    let again = admin::order_import(&world.data(), &tenant(), &file).await.unwrap();
    assert_eq!((again.new, again.known), (0, 2));
    assert_eq!(world.count("SELECT COUNT(*) FROM payments").await, 2);
    std::fs::write(&file, b"{}").unwrap();
    assert!(admin::order_import(&world.data(), &tenant(), &file).await.is_err());
}
