//! Restricted keys: each missing permission is named as Stripe's Dashboard words it, with what does not
//! work without it, and what is not needed for a payment does not hinder one.

use crate::handheld::{Handheld, path_of};
use crate::money_back::DISPUTED_CARD;
use crate::office::Office;
use crate::paying_back::{Form, refunds};
use crate::types::press;
use crate::world::{GOOD_CARD, World};

/// What a key may do with one resource, and what is said if it may only read it, or not even that.
struct Row {
    /// As Stripe names it inside.
    resource: &'static str,
    /// As its Dashboard words it.
    name: &'static str,
    /// Without reading and without writing; empty if that is not needed.
    reading: &'static str,
    writing: &'static str,
}

const ROWS: [Row; 6] = [
    Row {
        resource: "checkout_session",
        name: "Checkout Sessions",
        reading: "no payment is settled",
        writing: "no card page opens",
    },
    Row {
        resource: "payment_intent",
        name: "PaymentIntents",
        reading: "no payment is settled",
        writing: "payments work all the same",
    },
    Row {
        resource: "charge",
        name: "Charges and Refunds",
        reading: "no refund is followed",
        writing: "nothing is refunded from here",
    },
    Row { resource: "dispute", name: "Disputes", reading: "disputes are not shown", writing: "" },
    Row { resource: "event", name: "Events", reading: "found minutes later", writing: "" },
    Row {
        resource: "webhook",
        name: "Webhook Endpoints",
        reading: "is not compared",
        writing: "add it by hand",
    },
];

/// The highest level that a row needs.
fn whole(row: &Row) -> String {
    let level = if row.writing.is_empty() { "read" } else { "write" };
    format!("{}_{level}", row.resource)
}

async fn use_key(world: &World, name: &str, may: &[String]) {
    let key = format!("rk_test_51{name}0123456789");
    let grant = format!("{key}={}", may.join(",")).parse().unwrap();
    world.sandbox.handle().with_core(|core, now_ms| core.set_keys(vec![grant], now_ms));
    world.stripe_set_key(world.sandbox.url(), &key).await;
}

#[tokio::test]
async fn each_missing_permission_is_named_with_what_does_not_work_without_it() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let account = "accounts_kyc_basic_read".to_owned();
    for (number, row) in ROWS.iter().enumerate() {
        for reads in [true, false] {
            let others = ROWS.iter().filter(|it| it.resource != row.resource).map(whole);
            let mut may: Vec<String> = others.chain([account.clone()]).collect();
            if reads {
                may.push(format!("{}_read", row.resource));
            }
            use_key(&world, &format!("Row{number}{reads}"), &may).await;
            let said = press(&office, "check").await;
            let told = |level: &str, without: &str| {
                let named = format!("Missing permission {}: {level}", row.name);
                said.contains(&named) && said.contains(without) && !without.is_empty()
            };
            assert_eq!(told("Read", row.reading), !reads, "{}: {said}", row.name);
            assert_eq!(told("Write", row.writing), !row.writing.is_empty(), "{said}");
            let lacking = said.matches("Missing permission").count();
            let expected = usize::from(!reads) + usize::from(!row.writing.is_empty());
            assert_eq!(lacking, expected, "{}, reads {reads}: {said}", row.name);
            assert!(!said.contains("51Row"), "a key stands on the page: {said}");
        }
    }
    let mut may: Vec<String> = ROWS.iter().map(whole).collect();
    use_key(&world, "NoAccount", &may).await;
    assert!(press(&office, "check").await.contains("The account is not known"));
    may.push(account);
    use_key(&world, "Whole", &may).await;
    assert!(press(&office, "check").await.contains("every permission it needs"));
}

#[tokio::test]
async fn a_key_that_may_do_no_more_than_is_needed_settles_payments() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let may =
        ["checkout_session_write", "payment_intent_read", "charge_read", "accounts_kyc_basic_read"];
    use_key(&world, "Least", &may.map(str::to_owned)).await;
    press(&office, "check").await;
    let handheld = Handheld::enrol(&world).await;
    let mut paid = Vec::new();
    for card in [GOOD_CARD, DISPUTED_CARD] {
        let order = handheld.order();
        let payment = handheld.send(&world, &order).await;
        let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
        world.type_card(&page, card);
        world.page_says(&payment, "Receipt order ID").await;
        paid.push(payment);
    }
    // A refund waits, and the office reads for what.
    Form::open(&office, &paid[0]).await.send(&office, "how=full").await.location();
    world.until("SELECT COUNT(*) FROM refund_requests WHERE problem <> ''", 1).await;
    let page = office.get(&format!("/admin/payments/{}", paid[0])).await.body;
    assert!(page.contains("permission"), "{page}");
    assert_eq!(refunds(&world), 0);
    // The key is given the permission at Stripe: the same refund goes out by itself.
    let more = may.map(str::to_owned).into_iter().chain(["charge_write".to_owned()]);
    let grant = format!("rk_test_51Least0123456789={}", more.collect::<Vec<_>>().join(","));
    let grant = vec![grant.parse().unwrap()];
    world.sandbox.handle().with_core(|core, now_ms| core.set_keys(grant, now_ms));
    world.clock.skip_ahead(std::time::Duration::from_secs(10 * 60));
    world.until("SELECT COUNT(*) FROM refund_requests WHERE state = 'made'", 1).await;
    assert_eq!(refunds(&world), 1);
}
