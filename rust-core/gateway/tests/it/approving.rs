//! An order that was held on a revoked handheld waits until an administrator has said what it is.

use crate::handheld::{Handheld, path_of, submit};
use crate::office::Office;
use crate::people;
use crate::world::{GOOD_CARD, World, tenant};
use holdfast_gateway::admin;

/// Beside the way to the payments.
fn badge(count: u32) -> String {
    format!("{count}<span class=\"hidden-words\"> to look at</span>")
}

#[tokio::test]
async fn an_order_of_a_revoked_handheld_waits_for_an_administrators_word() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let handheld = Handheld::enrol(&world).await;
    admin::handheld_revoke(&world.data(), &tenant(), handheld.enrolled.device).await.unwrap();
    // The token is refused, with the epoch that lets it present its orders to a restored ledger.
    let refused = handheld.ask_for_token(&world, &handheld.key, 0).await;
    assert_eq!((refused.status.as_u16(), refused.json()["epoch"].as_u64()), (403, Some(1)));
    let (genuine, other) = (handheld.order(), handheld.signed(handheld.payload(2)));
    for order in [&genuine, &other] {
        // The payer may see it first: there is nothing to press.
        let shown = world.get(&path_of(order)).await.body;
        assert!(shown.contains("waits for the office") && !shown.contains("<form"), "{shown}");
        let answer = submit(&world, order.to_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let payment = answer.json()["payment"].clone();
        assert_eq!(payment["state"], "needs_attention");
        assert_eq!(payment["attention"], "awaits_approval");
        // Its payer is told to wait, whoever carries it, and nothing opens.
        let id = order.payload().payment.to_string();
        world.page_says(&id, "waits for the office").await;
        world.post(&format!("{}/pay", path_of(order)), &[], vec![]).await;
    }
    assert_eq!(world.sessions(), 0);
    // Finance sees on every page that something waits, and where.
    let fay = people::add(&office, "Fay", "finance").await;
    let olu = people::add(&office, "Olu", "officer").await;
    let page = fay.get("/admin/audit").await.body;
    assert!(page.contains(&badge(2)), "{page}");
    assert!(fay.get("/admin/payments").await.body.contains("2 payments need attention"));
    let page = fay.get("/admin/payments?look=1").await.body;
    assert!(
        page.matches("id=\"payment-").count() == 2 && !page.contains("data-live-list"),
        "{page}"
    );
    assert!(!olu.get("/admin/payments").await.body.contains("to look at"));
    let decide = async |id: &str, hold: &str| {
        let page = format!("/admin/payments/{id}");
        let shown = office.get(&page).await.body;
        assert!(shown.contains("Is this hold genuine?"), "{shown}");
        let csrf = office.csrf_of(&page).await;
        let form = format!("csrf={csrf}&hold={hold}");
        assert_eq!(office.post(&format!("{page}/approve"), &form).await.location(), page);
        assert!(!office.get(&page).await.body.contains("Is this hold genuine?"));
        // Two tabs: the second is told that it is decided.
        assert_eq!(office.post(&format!("{page}/approve"), &form).await.status, 409);
    };
    let id = genuine.payload().payment.to_string();
    decide(&id, "genuine").await;
    assert!(fay.get("/admin/audit").await.body.contains(&badge(1)));
    let page = world.post(&format!("{}/pay", path_of(&genuine)), &[], vec![]).await.location();
    world.type_card(&page, GOOD_CARD);
    world.page_says(&id, "Paid").await;
    let id = other.payload().payment.to_string();
    decide(&id, "not_genuine").await;
    world.page_says(&id, "called off").await;
    assert!(!fay.get("/admin/audit").await.body.contains("to look at"));
    assert!(fay.get("/admin/payments?look=1").await.body.contains("Nothing needs attention now"));
    let acts = "SELECT COUNT(*) FROM audit WHERE what IN ('order_approved', 'order_given_up')";
    assert_eq!(world.count(acts).await, 2);
    assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, 1);
}
