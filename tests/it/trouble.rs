//! Orders that are not what they should be, and a gateway that goes away.

use crate::payer::Payer;
use crate::radio::Air;
use crate::world::{Webhooks, World};
use data_encoding::BASE32_NOPAD;
use holdfast_domain::PaymentState;
use holdfast_protocol::pay_address::order_bytes;
use holdfast_protocol::wire::{ErrorBody, ErrorCode};
use reqwest::StatusCode;

async fn submit(world: &World, bytes: Vec<u8>) -> (StatusCode, Option<ErrorCode>) {
    let address = format!("{}/api/demo/orders", world.gateway.url());
    let request = Payer::new().0.post(address).header("content-type", "application/cose");
    let answer = request.body(bytes).send().await.expect("an answer");
    let status = answer.status();
    let body: Option<ErrorBody> =
        serde_json::from_slice(&answer.bytes().await.expect("a body")).ok();
    (status, body.map(|body| body.code))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tampered_order_is_refused_by_name_and_leaves_nothing() {
    let world = World::new(Webhooks::None).await;
    let handheld = world.handheld().await;
    handheld.radio.set(Air::Dead);
    let held = handheld.hold().await;
    let address = held.pay_address.expect("an address");
    let (base, base32) = address.rsplit_once('/').expect("a path");
    let good = order_bytes(base32).expect("an order");

    let mut changed = good.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert_eq!(
        submit(&world, changed.clone()).await,
        (StatusCode::UNAUTHORIZED, Some(ErrorCode::SignatureWrong))
    );
    let malformed = submit(&world, b"not an order".to_vec()).await;
    assert_eq!(malformed, (StatusCode::BAD_REQUEST, Some(ErrorCode::Malformed)));
    let page = Payer::new().0.get(format!("{base}/{}", BASE32_NOPAD.encode(&changed)));
    assert!(page.send().await.expect("a page").status().is_client_error());
    assert_eq!(world.count("payments").await, 0);

    assert_eq!(submit(&world, good.clone()).await, (StatusCode::OK, None));
    assert_eq!(submit(&world, good).await, (StatusCode::OK, None));
    assert_eq!(world.count("payments").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_payment_id_with_another_payload_is_a_conflict() {
    use holdfast_handheld::DeviceKey;
    use holdfast_protocol::{DeviceSignature, OrderPayload, SignedOrder};
    let world = World::new(Webhooks::None).await;
    let handheld = world.handheld().await;
    let held = handheld.hold().await;
    handheld.until(&held.payment_id, PaymentState::Sent).await;
    let address = held.pay_address.expect("an address");
    let base32 = address.rsplit('/').next().expect("a path");
    let order = SignedOrder::parse(&order_bytes(base32).expect("bytes")).expect("an order");

    let key = holdfast_handheld::software::SoftwareKey::from_bytes(&holdfast_domain::Secret::new(
        [7; 32],
    ));
    let payload = OrderPayload { lifetime_s: 60, ..order.payload().clone() };
    let signature = key.expect("a key").sign(&payload.to_be_signed()).expect("signed");
    let signature = DeviceSignature::from_der(&signature).expect("a signature");
    let other = SignedOrder::assemble(payload, signature);
    assert_eq!(
        submit(&world, other.to_bytes()).await,
        (StatusCode::CONFLICT, Some(ErrorCode::PaymentConflict))
    );
    assert_eq!(world.count("payments").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_restarts_while_the_payer_pays_loses_nothing() {
    let world = World::new(Webhooks::None).await;
    let handheld = world.handheld().await;
    let held = handheld.hold().await;
    let payer = Payer::new();
    let card_page = payer.press_pay(&held.pay_address.expect("an address")).await;
    let world = world.restart_gateway().await;
    payer.enter_card(&card_page, crate::payer::GOOD).await.expect("paid");
    handheld.until(&held.payment_id, PaymentState::Paid).await;
    assert_eq!((world.count("orders").await, world.charges()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_name_is_not_served() {
    let world = World::new(Webhooks::None).await;
    let request = Payer::new().0.get(world.gateway.url()).header("host", "evil.example");
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST);
}
