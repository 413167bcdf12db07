//! Charges and cash with two handhelds: found, put into a cart, held with and without a network, and
//! settled once.

use crate::handheld::Handheld;
use crate::payer::Payer;
use crate::radio::Air;
use crate::world::{Webhooks, World};
use holdfast_domain::{ChargeState, PaymentState};
use holdfast_handheld::{ChargeView, PaymentView, SearchError, SummaryError};

const CASH: &str = "INSERT INTO payment_types (tenant, code, name, provider, mode, currency, \
    minor_min, minor_max, created_at_ms) VALUES ('demo', 'CASH', 'Cash', 'cash', 'test', 'USD', 1, \
    99999999, 0)";
const NOTICE: &str = "INSERT INTO charges VALUES ('demo', 'N-1', 'AB 123', 'AB123', 'Kim Lee', \
    'kim lee', '[{\"text\":\"Parking\",\"minor\":6500}]', 'USD', 6500, '', 'officers', '', 0, 0)";

pub(crate) async fn owing() -> World {
    let world = World::new(Webhooks::ByTenant).await;
    world.change(&[CASH, NOTICE]).await;
    world
}

pub(crate) async fn found(handheld: &Handheld) -> ChargeView {
    let found = handheld.core.search_charges("ab-12".to_owned()).await.expect("an answer");
    assert!(found.charges.len() == 1 && !found.more);
    found.charges.into_iter().next().expect("the notice")
}

pub(crate) async fn hold(handheld: &Handheld, code: &str) -> PaymentView {
    let charges = vec!["N-1".to_owned()];
    let draft = handheld.core.open_summary_of(Vec::new(), charges).await.expect("a draft");
    assert_eq!(draft.total.minor, 6500);
    let id = draft.payment_id;
    handheld.core.choose_method(id.clone(), code.to_owned()).await.expect("a method");
    handheld.core.hold(id).await.expect("held")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_answers_in_words_whatever_goes_wrong() {
    let world = owing().await;
    let handheld = world.handheld().await;
    let short = handheld.core.search_charges(" a b ".to_owned()).await;
    assert_eq!(short, Err(SearchError::TooShort { min: 3 }));
    // What nobody found is in no cart.
    let unknown = handheld.core.open_summary_of(Vec::new(), vec!["N-1".to_owned()]).await;
    assert_eq!(unknown, Err(SummaryError::UnknownCharge { reference: "N-1".to_owned() }));
    let charge = found(&handheld).await;
    assert_eq!((charge.reference.as_str(), charge.amount.minor), ("N-1", 6500));
    assert_eq!((charge.name.as_str(), charge.state), ("N-1 Parking", ChargeState::Open));
    handheld.radio.set(Air::Dead);
    let offline = handheld.core.search_charges("AB 123".to_owned()).await;
    assert_eq!(offline, Err(SearchError::Offline));
    handheld.reconnect().await;
    assert_eq!(found(&handheld).await, charge);
    assert_eq!(world.count("audit WHERE what = 'charges_searched'").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_hold_made_offline_is_parked_as_already_paid() {
    let world = owing().await;
    let (one, two) = (world.handheld().await, world.handheld().await);
    found(&two).await;
    two.radio.set(Air::Dead);
    let duplicate = hold(&two, "STRIPE").await;
    assert_eq!(duplicate.state, PaymentState::Queued);

    found(&one).await;
    let first = hold(&one, "STRIPE").await;
    one.until(&first.payment_id, PaymentState::Sent).await;
    Payer::new().pay(&first.pay_address.expect("an address")).await;
    one.until(&first.payment_id, PaymentState::Paid).await;

    two.reconnect().await;
    let parked = two.until(&duplicate.payment_id, PaymentState::AlreadyPaid).await;
    assert_eq!((parked.pay_address, parked.who_acts), (None, None));
    assert_eq!(found(&two).await.state, ChargeState::Settled);
    assert_eq!((world.count("payments").await, world.count("orders").await), (2, 1));
    assert_eq!(world.charges(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_officer_is_told_while_the_first_holds_the_charge() {
    let world = owing().await;
    let (one, two) = (world.handheld().await, world.handheld().await);
    found(&one).await;
    let first = hold(&one, "STRIPE").await;
    one.until(&first.payment_id, PaymentState::Sent).await;
    assert_eq!(found(&two).await.state, ChargeState::BeingPaid);
    let second = hold(&two, "STRIPE").await;
    let second = two.until(&second.payment_id, PaymentState::Sent).await;
    assert_eq!(second.held_up_by.as_deref(), Some("N-1"));
    // The first is given up; the second is told that it may go on.
    one.core.cancel(first.payment_id.clone()).await.expect("asked");
    one.until(&first.payment_id, PaymentState::Canceled).await;
    let id = second.payment_id;
    while two.payment(&id).held_up_by.is_some() {
        two.core.refresh().await.ok();
        tokio::task::yield_now().await;
    }
    Payer::new().pay(&two.payment(&id).pay_address.expect("an address")).await;
    two.until(&id, PaymentState::Paid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cash_is_paid_by_the_hold_without_a_network_and_ends_the_card_page() {
    let world = owing().await;
    let (one, two) = (world.handheld().await, world.handheld().await);
    found(&one).await;
    found(&two).await;
    let by_card = hold(&one, "STRIPE").await;
    one.until(&by_card.payment_id, PaymentState::Sent).await;

    two.radio.set(Air::Dead);
    let cash = hold(&two, "CASH").await;
    assert_eq!((cash.state, cash.pay_address.as_ref()), (PaymentState::Paid, None));
    assert_eq!((cash.confirm_code.as_ref(), cash.receipt_order_id.as_ref()), (None, None));
    let receipt = cash.provisional_receipt.clone().expect("a provisional receipt number");
    let two = two.restarted(Air::Dead);
    let kept = two.payment(&cash.payment_id);
    assert_eq!((kept.state, kept.provisional_receipt), (PaymentState::Paid, Some(receipt)));
    assert_eq!(world.count("orders").await, 0);

    two.reconnect().await;
    while two.payment(&cash.payment_id).receipt_order_id.is_none() {
        two.core.refresh().await.ok();
        tokio::task::yield_now().await;
    }
    one.until(&by_card.payment_id, PaymentState::AlreadyPaid).await;
    assert_eq!((world.count("orders").await, world.charges()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn cash_that_is_voided_offline_is_sent_and_then_voided() {
    let world = owing().await;
    let handheld = world.handheld().await;
    found(&handheld).await;
    handheld.radio.set(Air::Dead);
    let cash = hold(&handheld, "CASH").await;
    let id = cash.payment_id;
    assert!(handheld.core.cancel(id.clone()).await.is_err(), "a void has a reason");
    let asked =
        handheld.core.withdraw(id.clone(), "A wrong note.".to_owned()).await.expect("asked");
    assert_eq!(asked.state, PaymentState::CancelRequested);
    handheld.reconnect().await;
    handheld.until(&id, PaymentState::Withdrawn).await;
    assert_eq!(found(&handheld).await.state, ChargeState::Open);
    assert_eq!(world.count("audit WHERE what = 'cash_voided'").await, 1);
}
