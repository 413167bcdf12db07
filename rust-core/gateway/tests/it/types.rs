//! Payment types: the forms, the rules of modes, and the proofs that keys and webhook work.

use crate::handheld::{Handheld, new_link, path_of};
use crate::office::Office;
use crate::world::{Answer, GOOD_CARD, SECRET_KEY, Setup, WEBHOOK_SECRET, World, tenant};
use holdfast_gateway::admin;

async fn keys(office: &Office<'_>, mode: &str, fields: &str) -> Answer {
    let csrf = office.csrf_of("/admin/types/STRIPE").await;
    let form = format!("csrf={csrf}&mode={mode}&{fields}");
    office.post("/admin/types/STRIPE/keys", &form).await
}

pub(crate) async fn press(office: &Office<'_>, button: &str) -> String {
    let csrf = office.csrf_of("/admin/types/STRIPE").await;
    let answer = office
        .post(&format!("/admin/types/STRIPE/{button}"), &format!("csrf={csrf}&mode=test"))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let status = answer.body.split_once("role=\"status\">").map_or("", |(_, rest)| rest);
    status.split("</div>").next().unwrap().to_owned()
}

#[tokio::test]
async fn an_administrator_adds_a_type_and_its_keys_and_never_sees_them_again() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let csrf = office.csrf_of("/admin/types/new").await;
    let add = |fields: &str| format!("csrf={csrf}&provider=stripe&{fields}");
    for (fields, words) in [
        ("code=lower+case&name=x&currency=USD&user_types=officers", "A code has"),
        ("code=CARD&name=&currency=USD&user_types=officers", "A name has"),
        ("code=CARD&name=x&currency=zzz&user_types=officers", "no such currency"),
        ("code=CARD&name=x&currency=USD", "at least one"),
        ("code=STRIPE&name=x&currency=USD&user_types=officers", "this code already"),
    ] {
        let refused = office.post("/admin/types", &add(fields)).await;
        assert!(refused.status == 422 && refused.body.contains(words), "{words}: {}", refused.body);
        assert!(refused.body.contains("aria-invalid") || words == "at least one");
    }
    let added = "code=CARD&name=Card+%3Cb%3E&currency=eur&user_types=officers&user_types=portal";
    assert_eq!(office.post("/admin/types", &add(added)).await.location(), "/admin/types/CARD");
    let list = office.get("/admin/types").await.body;
    assert!(
        list.contains("Card &#60;b&#62;") && list.contains("EUR") && list.contains("No keys yet")
    );
    let form = format!(
        "csrf={csrf}&mode=test&secret_key=sk_test_51SomeOtherKeyWXYZ&publishable_key=pk_test_51PublicKeyABCD"
    );
    let saved = office.post("/admin/types/CARD/keys", &form).await;
    assert!(saved.status == 200 && saved.body.contains("sk_test_…WXYZ"), "{}", saved.body);
    assert!(!saved.body.contains("SomeOtherKey") && saved.body.contains("pk_test_51PublicKeyABCD"));
    let account = "SELECT COUNT(*) FROM processors WHERE code = 'CARD' AND account <> ''";
    assert_eq!(world.count(account).await, 1, "saving asked whose key it is");
    let log = office.get("/admin/audit").await.body;
    assert!(log.contains("keys saved") && !log.contains("SomeOtherKey"), "{log}");
}

#[tokio::test]
async fn keys_of_the_wrong_mode_or_kind_are_refused_beside_their_field() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    for (mode, fields, place, words) in [
        (
            "test",
            concat!("secret_key=sk_", "live_", "51Abcdefghijkl"),
            "test-secret_key-error",
            "This is a live key",
        ),
        (
            "live",
            "secret_key=sk_test_51Abcdefghijkl",
            "live-secret_key-error",
            "This is a test key",
        ),
        (
            "test",
            "publishable_key=pk_live_51Abcdefg",
            "test-publishable_key-error",
            "This is a live key",
        ),
        ("test", "secret_key=pk_test_51Abcdefghijkl", "test-secret_key-error", "publishable key"),
        ("test", "webhook_secret=we_1Abcdef", "test-webhook_secret-error", "Webhook ID"),
        ("test", "webhook_id=whsec_abc", "test-webhook_id-error", "we_ or ed_"),
        ("live", "webhook_id=we_1Abc", "live-secret_key-error", "Secret Key first"),
    ] {
        let answer = keys(&office, mode, fields).await;
        assert_eq!(answer.status, 422, "{fields}");
        let error = answer
            .body
            .split_once(&format!("id=\"{place}\">"))
            .unwrap_or_else(|| panic!("{fields}"))
            .1;
        assert!(error.split('<').next().unwrap().contains(words), "{fields}: {error:.120}");
        assert!(!answer.body.contains("51Abcdefghijkl"));
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM processors").await, 1);
    let set = "SELECT secret_key_masked FROM processors";
    assert!(!world.text(set).await.contains("ijkl"), "nothing was stored");
}

#[tokio::test]
async fn check_connection_names_account_mode_and_currency() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    world.change("UPDATE processors SET account = ''").await;
    let said = press(&office, "check").await;
    for part in ["Account acct_", "Mode: test", "Currency: USD"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM processors WHERE account LIKE 'acct_%'").await, 1);
}

#[tokio::test]
async fn an_account_with_unfinished_payments_is_not_replaced() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let handheld = Handheld::enrol_with(&world, &new_link(&world, true).await).await;
    handheld.send(&world, &handheld.order()).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM payments WHERE pin_account <> ''").await, 1);
    // As if the stored payments were of another account than the new key's.
    world.change("UPDATE payments SET pin_account = 'acct_Before'").await;
    let refused = keys(&office, "test", "secret_key=sk_test_51SomeOtherKeyWXYZ").await;
    assert!(
        refused.status == 422 && refused.body.contains("1 payment of acct_Before is"),
        "{}",
        refused.body
    );
    let set = admin::stripe_set(&world.data(), setting(&world, "sk_test_51SomeOtherKeyWXYZ")).await;
    let why = set.unwrap_err().to_string();
    assert!(why.contains("1 payments of STRIPE in acct_Before are not finished"), "{why}");
    assert!(!why.contains("SomeOtherKey"));
    assert_eq!(world.count("SELECT MAX(generation) FROM processors").await, 1);
    world.change("UPDATE payments SET state = 'expired'").await;
    assert_eq!(keys(&office, "test", "secret_key=sk_test_51SomeOtherKeyWXYZ").await.status, 200);
}

fn setting(world: &World, key: &str) -> admin::SetProcessor {
    admin::SetProcessor {
        tenant: tenant(),
        code: "STRIPE".parse().unwrap(),
        mode: holdfast_gateway::Mode::Test,
        name: None,
        currency: None,
        webhook_id: None,
        api_base: Some(world.sandbox.url().to_owned()),
        secret_key: Some(holdfast_gateway::Secret::new(key.to_owned())),
        publishable_key: None,
        webhook_secret: None,
    }
}

#[tokio::test]
async fn the_account_of_a_key_is_known_before_its_first_payment_is_worked_on() {
    let world = World::start().await;
    world.change("UPDATE processors SET account = ''").await;
    let handheld = Handheld::enrol_with(&world, &new_link(&world, true).await).await;
    let order = handheld.order();
    let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
    world.type_card(&page, GOOD_CARD);
    world.until("SELECT COUNT(*) FROM orders", 1).await;
    world.until("SELECT COUNT(*) FROM payments WHERE pin_account LIKE 'acct_%'", 1).await;
}

#[tokio::test]
async fn verify_webhook_proves_address_secret_mode_and_types() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let said = press(&office, "verify").await;
    for part in ["payment_intent.canceled came", "checkout.session.expired came", "types are right"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM payments").await, 0);
}

#[tokio::test]
async fn verify_webhook_says_that_the_secret_is_wrong_and_the_address_too() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    world.change("DELETE FROM webhook_secrets").await;
    assert!(press(&office, "verify").await.contains("no Webhook Secret for this mode"));
    keys(&office, "test", "webhook_secret=whsec_AnotherOneThatIsWrong1").await;
    let said = press(&office, "verify").await;
    assert!(said.contains("matches no stored webhook secret"), "{said}");

    let silent = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    let said = press(&Office::sign_in(&silent).await, "verify").await;
    assert!(said.contains("Wrong address: Stripe has no webhook at all"), "{said}");
}

#[tokio::test]
async fn one_button_registers_the_webhook_and_finds_its_own_work_again() {
    let world = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    let office = Office::sign_in(&world).await;
    world.change("DELETE FROM webhook_secrets").await;
    let said = press(&office, "register").await;
    assert!(
        said.contains("/api/demo/qr/payment/webhook") && said.contains("secret is stored"),
        "{said}"
    );
    assert!(!said.contains("Missing event") && !said.contains("Needless"));
    assert!(press(&office, "verify").await.contains("types are right"));
    // Again: nothing new is made.
    press(&office, "register").await;
    let endpoints = || {
        world
            .sandbox
            .handle()
            .with_core(|core, _| core.webhook_endpoints().filter(|it| !it.deleted).count())
    };
    assert_eq!((endpoints(), world.count("SELECT COUNT(*) FROM webhook_secrets").await), (1, 1));
    // The answer was lost: the endpoint is there, its secret is not.
    world.change("DELETE FROM webhook_secrets").await;
    press(&office, "register").await;
    assert_eq!((endpoints(), world.count("SELECT COUNT(*) FROM webhook_secrets").await), (1, 1));
    assert!(press(&office, "verify").await.contains("types are right"));
    for secret in [SECRET_KEY, WEBHOOK_SECRET] {
        assert!(!office.get("/admin/types/STRIPE").await.body.contains(secret));
    }
}
