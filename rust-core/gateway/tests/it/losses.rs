//! A charge whose payment was lost by a dispute: it stays settled, is named on every page, and finance decides
//! whether it is owed again or written off.

use crate::charges::add;
use crate::handheld::Handheld;
use crate::money_back::{DISPUTED_CARD, lose_dispute};
use crate::office::Office;
use crate::owed_again::{HOW, NOTICE, settled};
use crate::people;
use crate::world::{GOOD_CARD, World};

const LOST: &str = "SELECT COUNT(*) FROM finance_alerts WHERE status = 'dispute_lost'";
const BADGE: &str = "1<span class=\"hidden-words\"> new</span>";

async fn lost(world: &World, office: &Office<'_>, handheld: &Handheld) -> String {
    add(office, NOTICE).await.location();
    let payment = settled(world, handheld, DISPUTED_CARD).await;
    world.until("SELECT COUNT(*) FROM payments WHERE state = 'disputed'", 1).await;
    lose_dispute(world).await;
    world.until(LOST, 1).await;
    payment
}

async fn decide(office: &Office<'_>, payment: &str, tick: &str) -> crate::world::Answer {
    let csrf = office.csrf_of("/admin/account").await;
    office.post(&format!("/admin/payments/{payment}/loss"), &format!("csrf={csrf}{tick}")).await
}

#[tokio::test]
async fn a_charge_that_a_bank_took_back_is_named_until_somebody_decides() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let handheld = Handheld::enrol(&world).await;
    let payment = lost(&world, &office, &handheld).await;
    let place = format!("/admin/payments/{payment}");
    assert_eq!(world.count(HOW).await, 1, "no machine makes it owed again");
    // Whoever only reads the news has not decided: it is counted on every page all the same.
    let list = office.get("/admin/refunds").await.body;
    let link = format!("<a href=\"{place}#loss\">Decide what becomes of its charge</a>");
    assert!(list.contains("Dispute lost") && list.contains(&link), "{list}");
    let object =
        world.text("SELECT object FROM finance_alerts WHERE status = 'dispute_lost'").await;
    let csrf = office.csrf_of("/admin/account").await;
    let read = format!("csrf={csrf}&object={object}&status=dispute_lost");
    office.post("/admin/refunds/acknowledge", &read).await.location();
    assert!(office.get("/admin/types").await.body.contains(BADGE));
    for page in ["/admin/charges", "/admin/charges/N-1"] {
        let page = office.get(page).await.body;
        let link = format!("<a href=\"{place}#loss\" aria-label=\"Decide what becomes of N-1\">");
        assert!(page.contains(&link) && page.contains("The bank took the money"), "{page}");
    }
    let page = office.get(&place).await.body;
    assert!(page.contains("It stays settled until you decide") && page.contains("name=\"owed\""));
    // Written off: nothing is asked any more, and it may be thought better of.
    assert_eq!(decide(&office, &payment, "").await.location(), place);
    assert_eq!(world.count(HOW).await, 1);
    assert!(!office.get("/admin/types").await.body.contains(BADGE));
    assert!(!office.get("/admin/charges").await.body.contains("#loss"));
    let page = office.get(&place).await.body;
    assert!(
        page.contains("was written off by Administrator") && page.contains("Make it owed again")
    );
    assert_eq!(decide(&office, &payment, "&owed=1").await.location(), place);
    world.until(HOW, 0).await;
    let list = office.get("/admin/charges?state=open").await.body;
    assert!(list.contains("Owed again: ") && list.contains("taken back by the bank"), "{list}");
    settled(&world, &handheld, GOOD_CARD).await;
    let too_late = decide(&office, &payment, "&owed=1").await;
    assert!(too_late.status == 409 && too_late.body.contains("Nothing was changed"));
    let log = office.get("/admin/audit").await.body;
    for what in ["loss written off", "loss owed again", "charge owed again", "the bank took back"] {
        assert!(log.contains(what), "{what}: {log}");
    }
}

#[tokio::test]
async fn only_finance_decides_about_a_loss_and_only_where_there_is_one() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let handheld = Handheld::enrol(&world).await;
    let olu = people::add(&office, "Olu", "officer").await;
    let fay = people::add(&office, "Fay", "finance").await;
    let payment = lost(&world, &office, &handheld).await;
    assert!(!olu.get(&format!("/admin/payments/{payment}")).await.body.contains("id=\"loss\""));
    assert_eq!(decide(&olu, &payment, "&owed=1").await.status, 403);
    assert_eq!(world.count(HOW).await, 1);
    let elsewhere = "01890000-0000-7000-8000-000000000000";
    assert_eq!(decide(&fay, elsewhere, "&owed=1").await.status, 404);
    decide(&fay, &payment, "&owed=1").await.location();
    world.until(HOW, 0).await;
}
