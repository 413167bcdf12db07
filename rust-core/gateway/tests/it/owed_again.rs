//! A charge whose payment was refunded: owed again, or canceled; and settled again when the refund
//! fails after all.

use crate::charges::{add, for_charge};
use crate::handheld::{Handheld, path_of};
use crate::money_back::{REFUND_FAILS_CARD, refund};
use crate::office::Office;
use crate::paying_back::Form;
use crate::world::{GOOD_CARD, World};
use holdfast_protocol::SignedOrder;
use std::time::Duration;

pub(crate) const NOTICE: &str =
    "reference=N-1&for=Parking&amount=65.00&currency=USD&user_types=officers";
pub(crate) const HOW: &str =
    "SELECT COUNT(*) FROM claims WHERE reference = 'N-1' AND state = 'settled'";

async fn hold(world: &World, handheld: &Handheld) -> (String, SignedOrder) {
    let order = handheld.signed(for_charge(handheld, "N-1", 6500));
    (handheld.send(world, &order).await, order)
}

/// A payment of the charge with the card.
pub(crate) async fn settled(world: &World, handheld: &Handheld, card: &str) -> String {
    let (payment, order) = hold(world, handheld).await;
    let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
    world.type_card(&page, card);
    world.page_says(&payment, "Receipt order ID").await;
    world.until(HOW, 1).await;
    payment
}

#[tokio::test]
async fn a_full_refund_makes_the_charge_owed_again_and_a_failed_one_settles_it_again() {
    let world = World::start().await;
    let office = Office::for_ever(&world).await;
    add(&office, NOTICE).await.location();
    let handheld = Handheld::enrol(&world).await;
    let first = settled(&world, &handheld, REFUND_FAILS_CARD).await;
    let form = Form::open(&office, &first).await;
    let page = office.get(&form.path).await.body;
    assert!(page.contains("What becomes of N-1") && page.contains("is owed again"), "{page}");
    form.send(&office, "how=full").await.location();
    world.until(HOW, 0).await;
    let list = office.get("/admin/charges?state=open").await.body;
    let told = format!("Owed again: <a href=\"/admin/payments/{first}\"");
    assert!(list.contains(&told), "{list}");
    assert!(office.get("/admin/charges/N-1").await.body.contains(&told));
    // Nobody holds it: the refund of days later finds it free, and settles it.
    let days = Duration::from_secs(7 * 24 * 60 * 60);
    world.sandbox.handle().skip_ahead(days);
    world.clock.skip_ahead(days);
    world.until(HOW, 1).await;
    let list = office.get("/admin/charges?state=settled").await.body;
    assert!(list.contains("N-1") && !list.contains("Owed again"), "{list}");
    let log = office.get("/admin/audit").await.body;
    for what in ["charge owed again", "charge settled again", &format!("payment {first} was")] {
        assert!(log.contains(what), "{what}: {log}");
    }
}

#[tokio::test]
async fn what_is_owed_again_can_be_paid_again_also_after_a_refund_in_the_dashboard() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    add(&office, NOTICE).await.location();
    let handheld = Handheld::enrol(&world).await;
    settled(&world, &handheld, GOOD_CARD).await;
    // A part goes back, in Stripe's Dashboard: it stays settled. Then the rest.
    refund(&world, Some(6000)).await;
    world.until("SELECT COUNT(*) FROM payments WHERE state = 'partly_refunded'", 1).await;
    assert_eq!(world.count(HOW).await, 1);
    refund(&world, None).await;
    world.until(HOW, 0).await;
    settled(&world, &handheld, GOOD_CARD).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, 2);
    assert!(!office.get("/admin/charges").await.body.contains("Owed again"));
}

#[tokio::test]
async fn whoever_cancels_the_charge_with_its_refund_has_it_withdrawn() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    add(&office, NOTICE).await.location();
    let handheld = Handheld::enrol(&world).await;
    let payment = settled(&world, &handheld, GOOD_CARD).await;
    let form = Form::open(&office, &payment).await;
    let slip = form.send(&office, "how=part&amount=x&reason=r&cancel=1").await.body;
    assert!(
        slip.contains("name=\"cancel\" value=\"1\" checked"),
        "a slip keeps the choice: {slip}"
    );
    form.send(&office, "how=full&cancel=1&reason=issued+by+mistake").await.location();
    world.until("SELECT COUNT(*) FROM charges WHERE withdrawn <> ''", 1).await;
    let page = office.get("/admin/charges/N-1").await.body;
    assert!(page.contains("Withdrawn: Canceled, and its payment refunded: issued by mistake"));
    assert!(!page.contains("Owed again"), "{page}");
    let order = handheld.signed(for_charge(&handheld, "N-1", 6500));
    let refused = crate::handheld::submit(&world, order.to_bytes()).await;
    assert!(refused.status == 422 && refused.body.contains("was withdrawn"), "{}", refused.body);
    let log = office.get("/admin/audit").await.body;
    assert!(log.contains("charge withdrawn") && log.contains("Administrator"), "{log}");
}
