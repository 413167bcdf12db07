//! Paid, verified offline: by the payer's code or receipt, while the handheld has no network.

use crate::field::Field;
use crate::payer::{Payer, text_of};
use crate::radio::Air;
use crate::world::{Webhooks, World};
use holdfast_domain::PaymentState;
use holdfast_handheld::{CodeError, ReceiptError};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_carried_by_the_payer_is_proved_by_the_confirm_code() {
    let world = World::new(Webhooks::ByTenant).await;
    let field = Field::enrolled(&world).await;
    field.radio.set(Air::Dead);
    let held = field.hold().await;
    let payer = Payer::new();
    let page = payer.come_back(&payer.pay(&held.pay_address.expect("an address")).await).await;
    let code = text_of(&page, "confirm-code");

    let id = held.payment_id;
    assert_eq!(field.payment(&id).confirm_code, None, "the payer shows theirs first");
    let wrong = field.core.verify_code(id.clone(), "0000-0000".to_owned()).await;
    assert_eq!(wrong, Err(CodeError::Wrong { tries_left: 4 }));
    let proved = field.core.verify_code(id.clone(), code.to_lowercase()).await.expect("proved");
    assert_eq!((proved.state, proved.verified_offline), (PaymentState::Paid, true));

    field.radio.set(Air::Clear);
    field.core.network_changed(true);
    let confirmed = |_: &_| !field.payment(&id).verified_offline;
    field.until_that(confirmed).await;
    let paid = field.payment(&id);
    assert_eq!((paid.state, paid.confirm_code), (PaymentState::Paid, Some(code)));
    assert_eq!(paid.receipt_order_id, Some(text_of(&page, "receipt-order-id")));
    assert_eq!((world.count("orders").await, world.charges()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receipt_on_the_payers_page_is_scanned_without_a_network() {
    let world = World::new(Webhooks::ByTenant).await;
    let field = Field::enrolled(&world).await;
    let other = field.hold().await;
    field.radio.set(Air::Dead);
    let held = field.hold().await;
    let payer = Payer::new();
    let page = payer.come_back(&payer.pay(&held.pay_address.expect("an address")).await).await;
    let link = page.split("id=\"receipt-link\" href=\"").nth(1).expect("a receipt");
    let receipt = link.split('"').next().expect("an address").to_owned();

    let mut forged = receipt.clone();
    let last = forged.pop().expect("a symbol");
    forged.push(if last == 'A' { 'B' } else { 'A' });
    let refused = field.core.verify_receipt(forged).await;
    let names = [Err(ReceiptError::NotByThisGateway), Err(ReceiptError::NotAReceipt)];
    assert!(names.contains(&refused), "{refused:?}");

    let proved = field.core.verify_receipt(receipt).await.expect("proved");
    assert_eq!((&proved.payment_id, proved.state), (&held.payment_id, PaymentState::Paid));
    assert!(proved.verified_offline);
    assert_eq!(proved.receipt_order_id, Some(text_of(&page, "receipt-order-id")));
    assert_ne!(field.payment(&other.payment_id).state, PaymentState::Paid);
}
