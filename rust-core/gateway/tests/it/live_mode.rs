//! Live Mode: each missing step is named, the trial is for few, and off is off.

use crate::handheld::{Handheld, submit};
use crate::money_back::{becomes, paid};
use crate::office::Office;
use crate::people;
use crate::world::{Answer, GOOD_CARD, World, tenant};
use holdfast_domain::Mode;
use holdfast_gateway::admin;
use holdfast_protocol::{OrderPayload, SignedOrder};

const PATH: &str = "/admin/types/STRIPE/live";

async fn change(office: &Office<'_>, fields: &str) -> Answer {
    let csrf = office.csrf_of(PATH).await;
    office.post(PATH, &format!("csrf={csrf}&{fields}")).await
}

async fn press(office: &Office<'_>, button: &str, mode: &str) -> Answer {
    let csrf = office.csrf_of("/admin/types/STRIPE").await;
    let form = format!("csrf={csrf}&mode={mode}");
    office.post(&format!("/admin/types/STRIPE/{button}"), &form).await
}

/// Live keys as they lie in the database. They are never sent anywhere here: Stripe itself would be
/// asked, and no test does that.
async fn live_keys(world: &World) {
    world
        .change(
            "INSERT INTO processors SELECT tenant, code, 'live', generation, '', \
             'https://api.stripe.com', secret_key_sealed, secret_key_masked, '', created_at_ms, 0, 0 \
             FROM processors WHERE mode = 'test'",
        )
        .await;
}

async fn live_webhook_secret(world: &World) {
    world
        .change(
            "INSERT INTO webhook_secrets (tenant, mode, number, endpoint, secret_sealed, \
             secret_masked, created_at_ms) SELECT tenant, 'live', number, endpoint, secret_sealed, \
             secret_masked, created_at_ms FROM webhook_secrets WHERE mode = 'test'",
        )
        .await;
}

fn live(handheld: &Handheld) -> SignedOrder {
    handheld.signed(OrderPayload { mode: Mode::Live, ..handheld.payload(1) })
}

#[tokio::test]
async fn the_guide_names_every_missing_step_until_all_are_proven() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let steps = [
        "Take a payment in test mode",
        "Press Verify webhook",
        "Refund a payment in test mode",
        "Enter the live Secret Key",
        "Enter the live Webhook Secret",
    ];
    let trial = "to=trial&officers=1";
    let refused_for = async |missing: &[&str]| {
        let answer = change(&office, trial).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        let alert = answer.body.split_once("role=\"alert\"").unwrap().1;
        let alert = alert.split("</p>").next().unwrap();
        for step in steps {
            assert_eq!(alert.contains(step), missing.contains(&step), "{step}: {alert}");
        }
        assert_eq!(world.text("SELECT mode FROM payment_types").await, "test");
    };
    refused_for(&steps).await;
    let payment = paid(&world, GOOD_CARD).await;
    refused_for(&steps[1..]).await;
    assert_eq!(press(&office, "verify", "test").await.status, 200);
    refused_for(&steps[2..]).await;
    let form = office.get(&format!("/admin/payments/{payment}/refund")).await.body;
    let key = form.split_once("name=\"key\" value=\"").unwrap().1.split('"').next().unwrap();
    let csrf = office.csrf_of("/admin/account").await;
    let form = format!("csrf={csrf}&key={key}&known=0&how=full");
    office.post(&format!("/admin/payments/{payment}/refund"), &form).await.location();
    becomes(&world, "refunded").await;
    refused_for(&steps[3..]).await;
    live_keys(&world).await;
    refused_for(&steps[4..]).await;
    live_webhook_secret(&world).await;
    let nobody = change(&office, "to=trial").await;
    assert!(nobody.status == 422 && nobody.body.contains("Name at least one officer"));
    let unknown = change(&office, "to=trial&officers=99").await;
    assert!(unknown.status == 422 && unknown.body.contains("Name at least one officer"));
    change(&office, trial).await.location();
    let page = office.get(PATH).await.body;
    assert!(page.contains("On trial") && page.contains("at most USD 5.00"), "{page}");
    let log = "SELECT COUNT(*) FROM audit WHERE what = 'live_trial_begun'";
    assert_eq!(world.count(log).await, 1);
    change(&office, "to=off").await.location();
    assert_eq!(world.text("SELECT mode FROM payment_types").await, "test");
    assert!(office.get(PATH).await.body.contains("<span>Off</span>"));
}

#[tokio::test]
async fn a_live_order_is_refused_while_off_and_in_a_trial_for_others() {
    let world = World::start().await;
    live_keys(&world).await;
    let handheld = Handheld::enrol(&world).await;
    let order = live(&handheld);
    assert_eq!(submit(&world, order.to_bytes()).await.code(), "mode_differs");
    admin::officer_add(&world.data(), &tenant(), "Ben Osei").await.unwrap();
    // As the guide leaves it; the guide itself is proven above.
    world.change("UPDATE payment_types SET mode = 'live', trial_officers = '2'").await;
    let config = async || {
        let authorization = handheld.authorization(&world).await;
        let headers = [("authorization", authorization.as_str())];
        let path = "/api/demo/handheld/config";
        world.send(reqwest::Method::GET, path, &headers, vec![]).await.json()
    };
    assert_eq!(config().await["payment_types"].as_array().unwrap().len(), 0);
    let refused = submit(&world, order.to_bytes()).await;
    assert!(refused.body.contains("not named"), "{}", refused.body);
    assert_eq!(refused.code(), "unknown_payment_type");
    world.change("UPDATE payment_types SET trial_officers = '1,2'").await;
    assert_eq!(config().await["payment_types"][0]["mode"], "live");
    let refused = submit(&world, order.to_bytes()).await;
    assert!(refused.body.contains("at most USD 5.00"), "{}", refused.body);
    assert_eq!(refused.code(), "amount_refused");
    assert_eq!(world.count("SELECT COUNT(*) FROM payments").await, 0);
    world.change("UPDATE payment_types SET trial_officers = ''").await;
    assert_eq!(submit(&world, order.to_bytes()).await.status, 200);
}

#[tokio::test]
async fn only_an_administrator_turns_it() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let fay = people::add(&office, "Fay", "finance").await;
    assert_eq!(fay.get(PATH).await.status, 403);
    let csrf = fay.csrf_of("/admin/account").await;
    for to in ["off", "trial&officers=1"] {
        assert_eq!(fay.post(PATH, &format!("csrf={csrf}&to={to}")).await.status, 403);
    }
    assert_eq!(change(&office, "to=on").await.status, 400);
    assert_eq!(office.get("/admin/types/NONE/live").await.status, 404);
}
