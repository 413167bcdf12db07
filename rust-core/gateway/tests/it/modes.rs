//! Test and live, account and account: each mix of keys is refused beside its field, or named at once.

use crate::handheld::{Handheld, new_link};
use crate::office::Office;
use crate::webhooks::{deliver, event, now, signed};
use crate::world::{Answer, Setup, World};
use holdfast_gateway::admin;
use std::fmt::Write as _;

/// Live keys as no file may spell them.
pub(crate) const LIVE_KEY: &str = concat!("sk_", "live_", "51TestsOfTheGatewayLive");
const LIVE_PUBLISHABLE: &str = concat!("pk_", "live_", "51TestsOfTheGatewayLive");
const PAGE: &str = "/admin/types/STRIPE";
const WEBHOOK: &str = "/api/demo/qr/payment/webhook";
/// As long as what keys that name their account have after it.
const REST: &str = "QxRkTestsOfTheGatewayQxRk";

/// A gateway with a second Stripe that plays live mode.
pub(crate) async fn rehearsed() -> World {
    World::with(Setup { live_stripe: true, ..Setup::default() }).await
}

pub(crate) async fn save(office: &Office<'_>, mode: &str, fields: &[(&str, &str)]) -> Answer {
    let mut form = format!("csrf={}&mode={mode}", office.csrf_of(PAGE).await);
    for (name, value) in fields {
        write!(form, "&{name}={value}").unwrap();
    }
    office.post(&format!("{PAGE}/keys"), &form).await
}

/// What stands beside a field of a set.
fn beside(page: &Answer, mode: &str, field: &str) -> String {
    let place = format!("id=\"{mode}-{field}-error\">");
    let after = page.body.split_once(&place).map_or("", |(_, after)| after);
    after.split('<').next().unwrap().to_owned()
}

/// Whether the field takes such a thing, and if not, a word of what is said.
fn fits(field: &str, prefix: &str, section: &str) -> Result<(), &'static str> {
    let is_key = prefix.ends_with(&format!("_{section}_"));
    match (field, &prefix[..2]) {
        ("secret_key", "sk" | "rk") | ("publishable_key", "pk") if is_key => Ok(()),
        ("secret_key", "sk" | "rk") | ("publishable_key", "pk") if section == "test" => {
            Err("enter it under live keys")
        }
        ("secret_key", "sk" | "rk") | ("publishable_key", "pk") => Err("enter it under test keys"),
        ("webhook_id", "we" | "ed") | ("webhook_secret", "wh") => Ok(()),
        (_, "wh") => Err("Webhook Secret"),
        (_, "we" | "ed") => Err("Webhook ID"),
        (_, "sk" | "rk") => Err("Secret Key"),
        (_, "pk") => Err("Publishable Key"),
        _ => Err("begins with"),
    }
}

#[tokio::test]
async fn whatever_is_in_the_wrong_place_is_refused_beside_its_field_and_nothing_is_stored() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let live = |kind: &str| format!("{kind}_{}_", "live");
    let prefixes = ["sk_test_", "rk_test_", "pk_test_", "whsec_", "we_", "ed_", "xx_"];
    let prefixes = prefixes.iter().map(|it| (*it).to_owned());
    let prefixes: Vec<_> = prefixes.chain(["sk", "rk", "pk"].map(live)).collect();
    let before = world.ledger().await;
    let mut refused = 0;
    for section in ["test", "live"] {
        for field in ["secret_key", "publishable_key", "webhook_id", "webhook_secret"] {
            for prefix in &prefixes {
                let Err(words) = fits(field, prefix, section) else { continue };
                let value = format!("{prefix}1Abcdefghijkl");
                let answer = save(&office, section, &[(field, &value)]).await;
                let said = beside(&answer, section, field);
                assert_eq!(answer.status, 422, "{value} as {section} {field}");
                assert!(said.contains(words), "{value} as {section} {field}: {said}");
                let is_secret = !prefix.starts_with("pk") && !prefix.starts_with('w');
                let shown = answer.body.contains("1Abcdefghijkl");
                assert!(!(is_secret && shown), "{value} as {section} {field} is shown again");
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 2 * (8 + 9 + 8 + 9), "pairs that do not fit");
    assert_eq!(world.ledger().await, before);
    assert_eq!(world.count("SELECT COUNT(*) FROM processors").await, 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM webhook_secrets").await, 1);
}

#[tokio::test]
async fn what_is_no_secret_stays_typed_while_something_else_is_corrected() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let typed = [("publishable_key", "pk_test_51Stays"), ("webhook_id", "we_1Stays")];
    let refused = save(&office, "test", &[typed[0], typed[1], ("webhook_secret", "we_1X")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("value=\"pk_test_51Stays\""), "{}", refused.body);
    assert!(refused.body.contains("value=\"we_1Stays\""));
    let misplaced = save(&office, "test", &[("publishable_key", "sk_test_51Goes")]).await;
    assert!(misplaced.status == 422 && !misplaced.body.contains("51Goes"));
}

#[tokio::test]
async fn a_publishable_key_of_another_account_is_refused() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let account = world.text("SELECT account FROM processors").await;
    let own = account.strip_prefix("acct_").unwrap();
    let secret = format!("sk_test_5{own}{REST}");
    let [ours, theirs] = [own, "1GQ9RbJAJfZb9HEB"].map(|it| format!("pk_test_5{it}{REST}"));
    let both =
        save(&office, "test", &[("secret_key", &secret), ("publishable_key", &theirs)]).await;
    assert!(beside(&both, "test", "publishable_key").contains("of another Stripe account"));
    let good = save(&office, "test", &[("secret_key", &secret), ("publishable_key", &ours)]).await;
    assert_eq!(good.status, 200, "{}", good.body);
    // Later and alone, beside the secret key that is stored.
    let alone = save(&office, "test", &[("publishable_key", &theirs)]).await;
    assert!(beside(&alone, "test", "publishable_key").contains("of another Stripe account"));
    assert!(office.get(PAGE).await.body.contains(&ours), "the good one stays");
}

#[tokio::test]
async fn live_keys_are_saved_masked_checked_and_their_webhook_registered_and_verified() {
    let world = rehearsed().await;
    let office = Office::sign_in(&world).await;
    let fields = [("secret_key", LIVE_KEY), ("publishable_key", LIVE_PUBLISHABLE)];
    let saved = save(&office, "live", &fields).await;
    assert_eq!(saved.status, 200, "{}", saved.body);
    assert!(saved.body.contains("…Live</code>") && !saved.body.contains(LIVE_KEY));
    // The live stand-in plays another business: named at once, and by the check.
    assert!(saved.body.contains("test keys of another"), "{}", saved.body);
    assert!(
        world.text("SELECT mode FROM payment_types").await == "test",
        "saving turns nothing on"
    );
    let press = async |button: &str| {
        let form = format!("csrf={}&mode=live", office.csrf_of(PAGE).await);
        let answer = office.post(&format!("{PAGE}/{button}"), &form).await;
        let said = answer.body.split_once("role=\"status\"").unwrap().1;
        said.split("</div>").next().unwrap().to_owned()
    };
    let said = press("check").await;
    assert!(said.contains("Mode: live") && said.contains("test keys of another"), "{said}");
    assert!(press("verify").await.contains("no Webhook Secret for this mode"));
    assert!(press("register").await.contains("secret is stored"));
    assert!(press("verify").await.contains("types are right"));
    // The check's own: an intent that was canceled and a session that expired.
    assert_eq!(world.count("SELECT COUNT(*) FROM events WHERE mode = 'live'").await, 2);
    let live = world.live_stripe.as_ref().unwrap().handle();
    assert_eq!(live.with_core(|core, _| core.webhook_endpoints().count()), 1);
    // The command line and the doctor name the two accounts as well.
    let test = world.text("SELECT account FROM processors WHERE mode = 'test'").await;
    let live = world.text("SELECT account FROM processors WHERE mode = 'live'").await;
    let both = (test, live);
    let set = world.stripe_set_key(world.sandbox.url(), crate::world::SECRET_KEY).await;
    assert_eq!(set.two_accounts, Some(both.clone()));
    let found = admin::doctor(&world.data()).await.unwrap();
    let named = |it: &admin::Finding| it.words.contains(&both.0) && it.words.contains(&both.1);
    assert!(found.iter().any(named), "{found:?}");
}

#[tokio::test]
async fn presses_at_the_same_time_register_one_webhook() {
    let world = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    let office = Office::sign_in(&world).await;
    world.change("DELETE FROM webhook_secrets").await;
    let form = format!("csrf={}&mode=test", office.csrf_of(PAGE).await);
    let path = format!("{PAGE}/register");
    let press = || office.post(&path, &form);
    let all = tokio::join!(press(), press(), press());
    assert!([all.0, all.1, all.2].iter().all(|it| it.status == 200));
    let made = world.sandbox.handle().with_core(|core, _| core.webhook_endpoints().count());
    assert_eq!((made, world.count("SELECT COUNT(*) FROM webhook_secrets").await), (1, 1));
}

#[tokio::test]
async fn one_signing_secret_is_not_taken_for_both_modes() {
    let world = rehearsed().await;
    let office = Office::sign_in(&world).await;
    let secret = ("webhook_secret", crate::world::WEBHOOK_SECRET);
    let both = save(&office, "live", &[("secret_key", LIVE_KEY), secret]).await;
    let said = beside(&both, "live", "webhook_secret");
    assert!(said.contains("stored for test mode already"), "{said}");
    assert_eq!(world.count("SELECT COUNT(*) FROM processors WHERE mode = 'live'").await, 0);
}

#[tokio::test]
async fn an_event_of_the_other_mode_is_refused_and_named() {
    let setup = Setup { webhooks: false, live_stripe: true, ..Setup::default() };
    let world = World::with(setup).await;
    let office = Office::sign_in(&world).await;
    let live_secret = "whsec_OfTheLiveEndpoint";
    let live = [("secret_key", LIVE_KEY), ("webhook_secret", live_secret)];
    assert_eq!(save(&office, "live", &live).await.status, 200);
    for (secret, livemode, said) in [
        (
            crate::world::WEBHOOK_SECRET,
            true,
            "it is a live event and its secret is stored under the test",
        ),
        (live_secret, false, "it is a test event and its secret is stored under the live"),
    ] {
        let body = event("evt_1", "checkout.session.completed", livemode);
        let signature = signed(&body, secret, now());
        assert_eq!(deliver(&world, WEBHOOK, body, &signature).await.status, 400);
        let page = office.get("/admin/deliveries").await.body;
        assert!(page.contains("Wrong mode") && page.contains(said), "{said}: {page}");
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM events").await, 0);
}

#[tokio::test]
async fn a_live_account_with_money_to_give_back_is_not_replaced() {
    let world = rehearsed().await;
    let office = Office::sign_in(&world).await;
    save(&office, "live", &[("secret_key", LIVE_KEY)]).await;
    let handheld = Handheld::enrol_with(&world, &new_link(&world, true).await).await;
    handheld.send(&world, &handheld.order()).await;
    let other = format!("{LIVE_KEY}2");
    for (state, status) in
        [("sent", 422), ("paid", 422), ("partly_refunded", 422), ("refunded", 200)]
    {
        world
            .change_with(
                "UPDATE payments SET mode = 'live', pin_account = 'acct_Before', state = ?",
                state,
            )
            .await;
        let answer = save(&office, "live", &[("secret_key", &other)]).await;
        assert_eq!(answer.status, status, "{state}: {}", answer.body);
        let said = beside(&answer, "live", "secret_key");
        assert_eq!(said.contains("1 payment of acct_Before"), status == 422, "{said}");
    }
}
