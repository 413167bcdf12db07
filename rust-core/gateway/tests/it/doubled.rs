//! Money that arrives twice for one charge: the same over again goes back by itself, exactly once;
//! anything else is told to the finance role and waits for a person.
//!
//! The ledger never lets two card pages of one charge be open. Here a claim is released by hand, as a
//! ledger that was put back from yesterday would not know it.

use crate::cash::{in_cash, with_cash};
use crate::charges::{add, for_charge};
use crate::handheld::{Handheld, path_of, submit};
use crate::money_back::REFUND_FAILS_CARD;
use crate::office::Office;
use crate::paying_back::{fault, refunds};
use crate::world::{GOOD_CARD, World};
use futures_util::future::join_all;
use holdfast_domain::OrderLine;
use holdfast_protocol::OrderPayload;
use holdfast_sandbox::core::PayOutcome;
use std::time::Duration;

const NOTICE: &str = "for=Parking&amount=65.00&currency=USD&user_types=officers";
/// How many payments of N-1 have settled it.
const SETTLERS: &str = "SELECT COUNT(*) FROM claims WHERE reference = 'N-1' AND state = 'settled'";
const REFUNDED: &str = "SELECT COUNT(*) FROM payments WHERE state = 'refunded'";
const TOLD: &str = "SELECT COUNT(*) FROM finance_alerts WHERE status = 'paid_twice'";

async fn owing(office: &Office<'_>) {
    for reference in ["N-1", "N-2"] {
        add(office, &format!("reference={reference}&{NOTICE}")).await.location();
    }
}

/// A payment with its card page open.
async fn page_of(world: &World, handheld: &Handheld, payload: OrderPayload) -> (String, String) {
    let order = handheld.signed(payload);
    let payment = handheld.send(world, &order).await;
    let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
    assert!(page.contains("/c/pay/"), "no card page: {page}");
    (payment, page)
}

/// Two payments of N-1, both with a card page that is open.
async fn two_pages(
    world: &World,
    handheld: &Handheld,
    second: OrderPayload,
) -> [(String, String); 2] {
    let first = page_of(world, handheld, for_charge(handheld, "N-1", 6500)).await;
    world.change("UPDATE claims SET state = 'released'").await;
    [first, page_of(world, handheld, second).await]
}

/// Both payers press their button; where Stripe's pages lead them.
fn both_pay(world: &World, pages: &[(String, String); 2], cards: [&str; 2]) -> Vec<String> {
    let paid = pages.iter().zip(cards).map(|((_, page), card)| world.type_card(page, card));
    paid.map(|outcome| match outcome {
        PayOutcome::Paid { redirect } => redirect.strip_prefix(&world.url("")).unwrap().to_owned(),
        other => panic!("not paid: {other:?}"),
    })
    .collect()
}

async fn one_went_back(world: &World) {
    world.until(REFUNDED, 1).await;
    world.until("SELECT COUNT(*) FROM refund_requests WHERE state = 'made'", 1).await;
    world
        .until("SELECT COUNT(*) FROM jobs WHERE kind IN ('check_session', 'send_refund')", 0)
        .await;
    assert_eq!(refunds(world), 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM payments WHERE state = 'paid'").await, 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, 2);
    assert_eq!(world.count(SETTLERS).await, 1);
    let asked = "SELECT COUNT(*) FROM audit WHERE what = 'refund_asked' AND who = 'The gateway'";
    assert_eq!(world.count(asked).await, 1);
    assert_eq!(world.count(TOLD).await, 0, "nobody has to decide anything");
}

#[tokio::test]
async fn the_same_money_twice_goes_back_once_whoever_tells_of_it() {
    let world = World::start().await;
    let office = Office::for_ever(&world).await;
    owing(&office).await;
    let handheld = Handheld::enrol(&world).await;
    let again = for_charge(&handheld, "N-1", 6500);
    let pages = two_pages(&world, &handheld, again).await;
    let ways_back = both_pay(&world, &pages, [GOOD_CARD; 2]);
    // Webhooks are on their way; both payers come back, again and again; the reconciler wakes up.
    world.clock.skip_ahead(Duration::from_secs(120));
    let returns = ways_back.iter().flat_map(|back| (0..6).map(|_| world.get(back)));
    let looks = pages.iter().flat_map(|(id, _)| {
        let path = format!("/pay/{id}");
        (0..6).map(move |_| path.clone())
    });
    let looks = looks.map(async |path| world.get(&path).await);
    tokio::join!(join_all(returns), join_all(looks));
    one_went_back(&world).await;
    // A day later still.
    world.clock.skip_ahead(Duration::from_secs(26 * 60 * 60));
    world.sandbox.handle().skip_ahead(Duration::from_secs(26 * 60 * 60));
    world.until("SELECT COUNT(*) FROM jobs WHERE kind = 'check_session'", 0).await;
    one_went_back(&world).await;
    let refunded = world.text("SELECT payment FROM payments WHERE state = 'refunded'").await;
    let page = office.get(&format!("/admin/payments/{refunded}")).await.body;
    assert!(page.contains("Another payment had settled the same charge."), "{page}");
    let list = office.get("/admin/refunds").await.body;
    assert!(list.contains("Refunded") && list.contains(&refunded), "{list}");
    let charge = office.get("/admin/charges/N-1").await.body;
    assert!(charge.contains("Settled") && !charge.contains("Owed again"), "{charge}");
}

#[tokio::test]
async fn lost_answers_and_a_stop_of_the_gateway_make_one_automatic_refund() {
    for rule in [
        "POST /v1/refunds drop-after x3",
        "POST /v1/refunds 500-after x2",
        "POST /v1/refunds drop",
        "POST /v1/refunds 429 x3",
    ] {
        let mut world = World::start().await;
        let office = Office::sign_in(&world).await;
        owing(&office).await;
        drop(office);
        let handheld = Handheld::enrol(&world).await;
        let again = for_charge(&handheld, "N-1", 6500);
        let pages = two_pages(&world, &handheld, again).await;
        fault(&world, rule);
        both_pay(&world, &pages, [GOOD_CARD; 2]);
        world.until("SELECT COUNT(*) FROM refund_requests", 1).await;
        // Between the wish and whatever Stripe answers.
        world.restart().await;
        fault(&world, "");
        one_went_back(&world).await;
    }
}

#[tokio::test]
async fn an_automatic_refund_that_fails_later_is_told_and_reopens_nothing() {
    let world = World::start().await;
    let office = Office::for_ever(&world).await;
    owing(&office).await;
    let handheld = Handheld::enrol(&world).await;
    let again = for_charge(&handheld, "N-1", 6500);
    let pages = two_pages(&world, &handheld, again).await;
    both_pay(&world, &pages, [REFUND_FAILS_CARD; 2]);
    one_went_back(&world).await;
    let week = Duration::from_secs(7 * 24 * 60 * 60);
    world.sandbox.handle().skip_ahead(week);
    world.clock.skip_ahead(week);
    world.until("SELECT COUNT(*) FROM payments WHERE state = 'refund_failed'", 1).await;
    assert_eq!((world.count(SETTLERS).await, refunds(&world)), (1, 1));
    let list = office.get("/admin/refunds").await.body;
    assert!(list.contains("after it had succeeded"), "{list}");
}

#[tokio::test]
async fn another_amount_waits_for_a_person_who_is_told() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    owing(&office).await;
    let handheld = Handheld::enrol(&world).await;
    let mut dearer = for_charge(&handheld, "N-1", 6500);
    dearer.lines.push(OrderLine::Item { item: 1, quantity: 1 });
    dearer.total = holdfast_domain::Money::new(7750, dearer.total.currency());
    let pages = two_pages(&world, &handheld, dearer).await;
    both_pay(&world, &pages, [GOOD_CARD; 2]);
    world.until(TOLD, 1).await;
    world.until("SELECT COUNT(*) FROM jobs WHERE kind = 'check_session'", 0).await;
    assert_eq!((refunds(&world), world.count(SETTLERS).await), (0, 1));
    let list = office.get("/admin/refunds").await.body;
    assert!(
        list.contains("Paid twice") && list.contains("1<span class=\"hidden-words\"> new"),
        "{list}"
    );
    let id = world.text("SELECT payment FROM payments WHERE state = 'needs_attention'").await;
    let page = office.get(&format!("/admin/payments/{id}")).await.body;
    assert!(page.contains("Refund one of the two") && page.contains("Refund Payment"), "{page}");
    // The person refunds it; the other one has the charge.
    let form = crate::paying_back::Form::open(&office, &id).await;
    form.send(&office, "how=full").await.location();
    world.until(REFUNDED, 1).await;
    assert_eq!((refunds(&world), world.count(SETTLERS).await), (1, 1));
}

#[tokio::test]
async fn cash_beside_a_card_waits_for_a_person_and_another_charge_is_nothing_twice() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    with_cash(&office).await;
    owing(&office).await;
    let handheld = Handheld::enrol(&world).await;
    let (card, page) = page_of(&world, &handheld, for_charge(&handheld, "N-1", 6500)).await;
    // The payer pays with the card and, before anybody hears of it, in cash.
    world.type_card(&page, GOOD_CARD);
    let cash = in_cash(for_charge(&handheld, "N-1", 6500));
    assert_eq!(submit(&world, handheld.signed(cash).to_bytes()).await.status, 200);
    world.until(TOLD, 1).await;
    assert_eq!((refunds(&world), world.count(SETTLERS).await), (0, 1));
    // The same sum for another charge settles that one.
    let (other, page) = page_of(&world, &handheld, for_charge(&handheld, "N-2", 6500)).await;
    world.type_card(&page, GOOD_CARD);
    world.page_says(&other, "Receipt order ID").await;
    assert_eq!((refunds(&world), world.count(TOLD).await), (0, 1));
    assert_ne!(card, other);
}
