//! Signing secrets: rolled at Stripe without a lost event, the CLI's for a day, and who may deliver.

use crate::deliveries::{page_says, pay, pay_as, press};
use crate::handheld::Handheld;
use crate::office::Office;
use crate::world::{Answer, Setup, WEBHOOK_SECRET, World};
use holdfast_stripe::{WebhookSecret, webhook};
use std::time::{Duration, Instant};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const PATH: &str = "/api/demo/qr/payment/webhook";
const CLI_SECRET: &str = "whsec_TheCommandLineToolsOwnSecret1";
const REFUSED: &str = "SELECT COUNT(*) FROM deliveries WHERE answer >= 400";
const SECRETS: &str = "SELECT COUNT(*) FROM webhook_secrets";

async fn save_secret(office: &Office<'_>, fields: &str) -> Answer {
    let csrf = office.csrf_of("/admin/types/STRIPE").await;
    let form = format!("csrf={csrf}&mode=test&{fields}");
    office.post("/admin/types/STRIPE/keys", &form).await
}

/// A payment, once Stripe's delivery about it was taken.
async fn pay_and_hear(world: &World) {
    pay_and_hear_as(world, &Handheld::enrol(world).await).await;
}

async fn pay_and_hear_as(world: &World, handheld: &Handheld) {
    let followed = "SELECT COUNT(*) FROM deliveries WHERE outcome = 'followed' AND kind = \
                    'checkout.session.completed'";
    let before = world.count(followed).await;
    pay_as(world, handheld).await;
    // More than one may come: what was refused before is sent again.
    let begun = Instant::now();
    while world.count(followed).await <= before {
        assert!(begun.elapsed() < Duration::from_secs(30), "no delivery was followed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The endpoint that the button made: its ID and its newest secret.
fn endpoint(world: &World) -> (String, String) {
    world.sandbox.handle().with_core(|core, _| {
        let endpoint = core.webhook_endpoints().find(|it| !it.deleted).unwrap();
        (endpoint.id.to_string(), endpoint.secret.expose().to_owned())
    })
}

fn skip_both(world: &World, by: Duration) {
    world.sandbox.handle().skip_ahead(by);
    world.clock.skip_ahead(by);
}

#[tokio::test]
async fn a_secret_is_rolled_without_a_lost_event_and_the_old_one_goes_when_it_is_safe() {
    let world = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    world.change("DELETE FROM webhook_secrets").await;
    let (office, handheld) = (Office::for_ever(&world).await, Handheld::enrol(&world).await);
    let csrf = office.csrf_of("/admin/types/STRIPE").await;
    office.post("/admin/types/STRIPE/register", &format!("csrf={csrf}&mode=test")).await;
    pay_and_hear_as(&world, &handheld).await;
    let (id, _) = endpoint(&world);
    let page = page_says(&office, "In use").await;
    assert!(page.contains(&id) && page.contains("acct_"), "{page}");

    // Rolled at Stripe, with a day of both; the new one is not entered here yet.
    let rolled = |core: &mut holdfast_sandbox::core::Core, now_ms| {
        core.roll_secret(&id, 24 * 60 * 60, now_ms)
    };
    assert!(world.sandbox.handle().with_core(rolled));
    pay_and_hear_as(&world, &handheld).await;
    let (_, new) = endpoint(&world);
    let saved = save_secret(&office, &format!("webhook_secret={new}&webhook_id={id}")).await;
    assert_eq!(saved.status, 200, "{}", saved.body);
    // The use of a secret is noted once a minute.
    skip_both(&world, Duration::from_secs(61));
    pay_and_hear_as(&world, &handheld).await;
    let page = page_says(&office, "Safe to drop if nothing comes that only this one fits").await;
    assert!(!page.contains("Safe to drop:"), "{page}");

    // The day is over: Stripe signs with the new one alone.
    skip_both(&world, DAY);
    pay_and_hear_as(&world, &handheld).await;
    let page = page_says(&office, "Safe to drop:").await;
    assert!(page.contains("is no longer needed"), "{page}");
    let (_, page) = page.split_once("id=\"secrets\"").unwrap();
    let (row, _) = page.split_once("Safe to drop:").unwrap();
    assert!(row.contains(&new[new.len() - 4..]), "the newest stands first: {row}");
    press(&office, "drop", "mode=test&number=1").await.location();
    assert_eq!(world.count(SECRETS).await, 1);
    pay_and_hear_as(&world, &handheld).await;
    assert_eq!(world.count(REFUSED).await, 0, "no event was refused on the way");
    let log = office.get("/admin/audit").await.body;
    assert!(log.contains("webhook secret dropped") && !log.contains(&new), "{log}");
}

#[tokio::test]
async fn a_secret_older_than_ninety_days_is_to_be_rolled() {
    let world = World::start().await;
    let office = Office::for_ever(&world).await;
    pay_and_hear(&world).await;
    assert!(!office.get("/admin/deliveries").await.body.contains("90 days"));
    skip_both(&world, DAY * 91);
    let page = page_says(&office, "is older than 90 days").await;
    assert!(page.contains("Roll secret"), "{page}");
}

#[tokio::test]
async fn the_clis_secret_is_good_for_a_day_and_only_in_test_mode() {
    let world = World::with(Setup { signed_with: CLI_SECRET, ..Setup::default() }).await;
    let (office, handheld) = (Office::for_ever(&world).await, Handheld::enrol(&world).await);
    for (typed, words) in [
        ("sk_test_51Abcdefg", "it is an API key"),
        ("", "it is empty"),
        ("whsec_", "only the prefix"),
    ] {
        let refused = press(&office, "cli-secret", &format!("secret={typed}")).await;
        assert_eq!(refused.status, 422);
        let error = refused.body.split_once("id=\"secret-error\">").unwrap().1;
        assert!(error.split('<').next().unwrap().contains(words), "{typed}: {error:.200}");
    }
    press(&office, "cli-secret", &format!("secret={CLI_SECRET}")).await.location();
    assert_eq!(world.count("SELECT COUNT(*) FROM webhook_secrets WHERE mode = 'test'").await, 2);
    pay_and_hear(&world).await;
    let page = page_says(&office, "it ends by itself").await;
    for words in [
        &format!("stripe listen --forward-to {}", world.url(PATH)),
        "stripe trigger checkout.session.completed",
        &format!("holdfast sandbox listen --sandbox {}", world.sandbox.url()),
        "holdfast sandbox trigger",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains(CLI_SECRET));
    skip_both(&world, DAY + Duration::from_secs(60));
    pay_as(&world, &handheld).await;
    world.until("SELECT COUNT(*) > 0 FROM deliveries WHERE outcome = 'wrong_secret'", 1).await;
}

#[tokio::test]
async fn a_secret_is_kept_once_and_the_clis_may_become_the_endpoints_own() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    for _ in 0..2 {
        save_secret(&office, &format!("webhook_secret={WEBHOOK_SECRET}")).await;
    }
    // The permanent one does not become temporary.
    press(&office, "cli-secret", &format!("secret={WEBHOOK_SECRET}")).await.location();
    let temporary = "SELECT COUNT(*) FROM webhook_secrets WHERE expires_at_ms > 0";
    assert_eq!((world.count(SECRETS).await, world.count(temporary).await), (1, 0));
    press(&office, "cli-secret", &format!("secret={CLI_SECRET}")).await.location();
    assert_eq!((world.count(SECRETS).await, world.count(temporary).await), (2, 1));
    save_secret(&office, &format!("webhook_secret={CLI_SECRET}&webhook_id=we_1Abc")).await;
    assert_eq!((world.count(SECRETS).await, world.count(temporary).await), (2, 0));
}

#[tokio::test]
async fn one_secret_too_many_is_refused_beside_its_field() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    for n in 1..16 {
        let saved = save_secret(&office, &format!("webhook_secret=whsec_Another{n}")).await;
        assert_eq!(saved.status, 200, "{n}");
    }
    for refused in [
        save_secret(&office, "webhook_secret=whsec_OneTooMany").await,
        press(&office, "cli-secret", "secret=whsec_OneTooMany").await,
    ] {
        assert_eq!(refused.status, 422);
        assert!(refused.body.contains("Drop one on the Deliveries page first"), "{}", refused.body);
    }
    assert_eq!(world.count(SECRETS).await, 16);
    // The first one of all is still tried.
    pay_and_hear(&world).await;
}

async fn deliver(world: &World, id: &str, headers: &[(&str, &str)]) -> u16 {
    let body = format!(
        r#"{{"id":"{id}","type":"moon.phase","created":1,"livemode":false,"data":{{"object":{{}}}}}}"#
    );
    let secret = WebhookSecret::parse(WEBHOOK_SECRET).unwrap();
    let signature = webhook::sign(body.as_bytes(), &[secret], world.now_ms() / 1000);
    let mut all = vec![("stripe-signature", signature.as_str())];
    all.extend(headers);
    world.post(PATH, &all, body.into_bytes()).await.status.as_u16()
}

#[tokio::test]
async fn only_allowed_senders_deliver_once_there_is_a_list() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let refused = press(&office, "senders", "senders=192.0.2.0%2F24%0Astripe.com").await;
    assert_eq!(refused.status, 422);
    let error = refused.body.split_once("id=\"senders-error\">").unwrap().1;
    assert!(error.contains("stripe.com") && refused.body.contains("192.0.2.0/24"), "{error:.200}");
    assert_eq!(deliver(&world, "evt_1", &[]).await, 200, "nothing was saved");
    press(&office, "senders", "senders=192.0.2.0%2F24").await.location();
    // Nobody believes what the sender itself says about where it comes from.
    for told in ["x-forwarded-for", "forwarded"] {
        let value = if told == "forwarded" { "for=192.0.2.7" } else { "192.0.2.7" };
        assert_eq!(deliver(&world, "evt_2", &[(told, value)]).await, 400);
    }
    pay(&world).await;
    page_says(&office, "Sender not allowed").await;
    page_says(&office, "the sender&#39;s address is not on the list").await;
    press(&office, "senders", "senders=192.0.2.0%2F24+127.0.0.1").await.location();
    pay_and_hear(&world).await;
    press(&office, "senders", "senders=").await.location();
    assert_eq!(deliver(&world, "evt_3", &[]).await, 200);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM audit WHERE what = 'webhook_senders_changed'").await,
        3
    );
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_senders_own_address_counts() {
    let proxies = &["127.0.0.1", "10.0.0.0/8"];
    let world =
        World::with(Setup { webhooks: false, trusted_proxies: proxies, ..Setup::default() });
    let world = world.await;
    let office = Office::sign_in(&world).await;
    press(&office, "senders", "senders=192.0.2.0%2F24").await.location();
    let forwarded = "x-forwarded-for";
    assert_eq!(deliver(&world, "evt_1", &[]).await, 400, "the proxy itself is no sender");
    assert_eq!(deliver(&world, "evt_1", &[(forwarded, "192.0.2.7, 10.1.2.3")]).await, 200);
    let spoofed = "192.0.2.7, 203.0.113.9";
    assert_eq!(deliver(&world, "evt_2", &[(forwarded, spoofed)]).await, 400);
    let sender = "SELECT sender FROM deliveries ORDER BY number DESC LIMIT 1";
    assert_eq!(world.text(sender).await, "203.0.113.9");
}
