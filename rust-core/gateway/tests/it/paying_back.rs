//! Refunds from the office: Refund Payment, Confirm Refund, and what is told afterwards.

use crate::handheld::{Handheld, path_of};
use crate::money_back::{DISPUTED_CARD, REFUND_FAILS_CARD, ask_at_stripe, becomes, paid, refund};
use crate::office::Office;
use crate::people;
use crate::world::{Answer, GOOD_CARD, Setup, World, tenant};
use holdfast_gateway::admin;
use std::time::Duration;

/// A card to which refunds stay pending for some days.
const REFUND_PENDS_CARD: &str = "4000000000007726";

/// A form as the page made it.
pub(crate) struct Form {
    pub(crate) path: String,
    csrf: String,
    key: String,
    known: String,
}

fn value_of(page: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let after = page.split_once(&field).unwrap_or_else(|| panic!("no {name}: {page}")).1;
    after.split('"').next().unwrap().to_owned()
}

impl Form {
    pub(crate) async fn open(office: &Office<'_>, payment: &str) -> Self {
        let path = format!("/admin/payments/{payment}/refund");
        let page = office.get(&path).await.body;
        let value = |name| value_of(&page, name);
        Self { csrf: value("csrf"), key: value("key"), known: value("known"), path }
    }

    pub(crate) async fn send(&self, office: &Office<'_>, fields: &str) -> Answer {
        let Self { path, csrf, key, known } = self;
        office.post(path, &format!("csrf={csrf}&key={key}&known={known}&{fields}")).await
    }
}

/// Refunds that Stripe has.
pub(crate) fn refunds(world: &World) -> usize {
    world.sandbox.handle().with_core(|core, _| core.refunds().count())
}

pub(crate) fn fault(world: &World, rule: &str) {
    let rules = if rule.is_empty() { Vec::new() } else { vec![rule.parse().unwrap()] };
    world.sandbox.handle().with_core(|core, now_ms| core.set_faults(rules, now_ms));
}

#[tokio::test]
async fn a_full_refund_goes_back_once_however_often_it_is_pressed() {
    let world = World::start().await;
    let payment = paid(&world, GOOD_CARD).await;
    let office = Office::sign_in(&world).await;
    let page = office.get(&format!("/admin/payments/{payment}")).await.body;
    assert!(page.contains("Refund Payment") && page.contains("USD 12.50 can go back"), "{page}");
    let form = Form::open(&office, &payment).await;
    let press = || form.send(&office, "how=full");
    let (a, b, c) = tokio::join!(press(), press(), press());
    let place = a.location();
    assert!(b.location() == place && c.location() == place);
    becomes(&world, "refunded").await;
    assert_eq!(refunds(&world), 1);
    let page = office.get(&place).await.body;
    for part in ["A refund of USD 12.50 was asked for", "Succeeded", "Administrator", "re_"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(page.contains("All of it went back already"), "{page}");
    let log = "SELECT COUNT(*) FROM audit WHERE what IN ('refund_asked', 'refund_succeeded')";
    assert_eq!(world.count(log).await, 2);
    let log = office.get("/admin/audit").await.body;
    assert!(log.contains("refund asked") && log.contains("Every entry fits"), "{log}");
    assert_eq!(press().await.location(), place, "sent again much later");
    assert_eq!(refunds(&world), 1);
}

#[tokio::test]
async fn a_second_tab_is_told_what_the_first_did() {
    let world = World::start().await;
    let payment = paid(&world, GOOD_CARD).await;
    let office = Office::sign_in(&world).await;
    let first = Form::open(&office, &payment).await;
    let second = Form::open(&office, &payment).await;
    assert_ne!(first.key, second.key);
    let part = "how=part&amount=5.00&reason=wrong+day";
    let (a, b) = tokio::join!(first.send(&office, part), second.send(&office, part));
    let (done, told) = if a.status == 303 { (a, b) } else { (b, a) };
    done.location();
    assert_eq!(told.status, 409, "{}", told.body);
    assert!(told.body.contains("asked for a refund of USD 5.00"), "{}", told.body);
    assert!(told.body.contains("Nothing more was done"), "{}", told.body);
    becomes(&world, "partly_refunded").await;
    assert_eq!(refunds(&world), 1);
    // Whoever has read that may still mean it, in a new form.
    let third = Form::open(&office, &payment).await;
    third.send(&office, part).await.location();
    world.until("SELECT COUNT(*) FROM refund_requests WHERE state = 'made'", 2).await;
    // The same form with another amount typed is no new refund.
    let again = third.send(&office, "how=part&amount=1.00&reason=more").await;
    assert!(again.status == 409 && again.body.contains("sent before"), "{}", again.body);
    assert_eq!(refunds(&world), 2);
}

#[tokio::test]
async fn two_clerks_and_the_dashboard_at_once_send_back_no_more_than_was_paid() {
    let world = World::start().await;
    let payment = paid(&world, GOOD_CARD).await;
    let office = Office::sign_in(&world).await;
    let fay = people::add(&office, "Fay", "finance").await;
    let ben = people::add(&office, "Ben", "finance").await;
    let (hers, his) = (Form::open(&fay, &payment).await, Form::open(&ben, &payment).await);
    // USD 12.50 was paid: of these three one fits.
    let part = "how=part&amount=7.00&reason=wrong+day";
    let (one, other, third) =
        tokio::join!(hers.send(&fay, part), his.send(&ben, part), ask_at_stripe(&world, Some(700)));
    assert!([&one, &other].iter().filter(|answer| answer.status == 303).count() <= 1);
    world
        .until("SELECT COUNT(*) FROM refund_requests WHERE state NOT IN ('made', 'refused')", 0)
        .await;
    becomes(&world, "partly_refunded").await;
    assert_eq!(refunds(&world), 1, "{} {} {third}", one.body, other.body);
    let made = world.count("SELECT COUNT(*) FROM refund_requests WHERE state = 'made'").await;
    assert_eq!(made + i64::from(third["object"] == "refund"), 1, "{third}");
}

#[tokio::test]
async fn a_disputed_payment_is_not_refunded_from_a_form_opened_before() {
    let world = World::start().await;
    let payment = paid(&world, DISPUTED_CARD).await;
    let office = Office::sign_in(&world).await;
    becomes(&world, "disputed").await;
    let page = office.get(&format!("/admin/payments/{payment}/refund")).await.body;
    assert!(page.contains("answer the dispute in Stripe&#39;s Dashboard"), "{page}");
    let csrf = office.csrf_of("/admin/account").await;
    let path = format!("/admin/payments/{payment}/refund");
    let form = Form { path, csrf, key: "0123456789abcdef".into(), known: "0".into() };
    let refused = form.send(&office, "how=full").await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert_eq!(
        (refunds(&world), world.count("SELECT COUNT(*) FROM refund_requests").await),
        (0, 0)
    );
}

#[tokio::test]
async fn what_is_wrong_stands_beside_its_field() {
    let world = World::start().await;
    let payment = paid(&world, GOOD_CARD).await;
    let office = Office::sign_in(&world).await;
    let form = Form::open(&office, &payment).await;
    let long = format!("how=part&amount=5&reason={}", "a".repeat(201));
    for (fields, id, words) in [
        ("how=part&amount=5.00&reason=", "reason-error", "Write why"),
        (&long, "reason-error", "at most 200"),
        ("how=part&amount=12.51&reason=x", "amount-error", "Only USD 12.50 can still go back"),
        ("how=part&amount=0&reason=x", "amount-error", "such as 12.50"),
        ("how=part&amount=-5&reason=x", "amount-error", "such as 12.50"),
        ("how=part&amount=5,00&reason=x", "amount-error", "not an amount in USD"),
        ("how=part&amount=&reason=x", "amount-error", "not an amount in USD"),
        ("how=part&amount=99999999999999999999&reason=x", "amount-error", "too large"),
    ] {
        let answer = form.send(&office, fields).await;
        assert_eq!(answer.status, 422, "{fields}: {}", answer.body);
        assert!(answer.body.contains(id) && answer.body.contains(words), "{}", answer.body);
        assert_eq!(value_of(&answer.body, "key"), form.key, "a slip of the pen keeps the form");
    }
    for fields in ["", "how=all", "how=full"] {
        let sent = format!("csrf={}&known=0&key=SHORT&{fields}", form.csrf);
        assert_eq!(office.post(&form.path, &sent).await.status, 400, "{fields}");
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM refund_requests").await, 0);
}

#[tokio::test]
async fn only_finance_and_administrators_refund() {
    let world = World::start().await;
    let payment = paid(&world, GOOD_CARD).await;
    let office = Office::sign_in(&world).await;
    let form = Form::open(&office, &payment).await;
    let fay = people::add(&office, "Fay", "finance").await;
    let olu = people::add(&office, "Olu", "officer").await;
    assert_eq!(olu.get(&form.path).await.status, 403);
    assert_eq!(olu.get("/admin/refunds").await.status, 403);
    let csrf = olu.csrf_of("/admin/account").await;
    let stolen = Form { csrf, ..form };
    assert_eq!(stolen.send(&olu, "how=full").await.status, 403);
    assert!(!olu.get(&format!("/admin/payments/{payment}")).await.body.contains("Refund Payment"));
    assert_eq!(refunds(&world), 0);
    Form::open(&fay, &payment).await.send(&fay, "how=full").await.location();
    becomes(&world, "refunded").await;
    let who = "SELECT COUNT(*) FROM audit WHERE what = 'refund_asked' AND who = 'Fay'";
    assert_eq!(world.count(who).await, 1);
}

#[tokio::test]
async fn another_tenants_payment_is_nowhere() {
    let world = World::start().await;
    let payment = paid(&world, GOOD_CARD).await;
    let add = admin::TenantAdd { tenant: "other".parse().unwrap(), name: None, hosts: Vec::new() };
    let link = admin::tenant_add(&world.data(), add).await.unwrap().0;
    let foreign = Office::by_link(&world, &link).await;
    for path in ["", "/refund", "/live"] {
        let path = format!("/admin/payments/{payment}{path}");
        assert_eq!(foreign.get(&path).await.status, 404, "{path}");
    }
    let csrf = foreign.csrf_of("/admin/account").await;
    let sent = format!("csrf={csrf}&key=0123456789abcdef&known=0&how=full");
    let path = format!("/admin/payments/{payment}/refund");
    assert_eq!(foreign.post(&path, &sent).await.status, 404);
    assert!(!foreign.get("/admin/refunds").await.body.contains(&payment));
    for id in ["x", "%00", "01890000-0000-7000-8000-000000000000"] {
        assert_eq!(foreign.get(&format!("/admin/payments/{id}")).await.status, 404);
    }
}

#[tokio::test]
async fn lost_answers_and_a_stop_in_between_make_one_refund() {
    for (rule, is_seen_waiting) in [
        ("POST /v1/refunds drop-after x3", false),
        ("POST /v1/refunds 500-after x2", false),
        ("POST /v1/refunds drop", true),
        ("POST /v1/refunds drop-after", false),
    ] {
        let mut world = World::start().await;
        let payment = paid(&world, GOOD_CARD).await;
        fault(&world, rule);
        let office = Office::sign_in(&world).await;
        Form::open(&office, &payment).await.send(&office, "how=full").await.location();
        if is_seen_waiting {
            world.until("SELECT COUNT(*) FROM refund_requests WHERE problem <> ''", 1).await;
            let page = office.get(&format!("/admin/payments/{payment}/refund")).await.body;
            assert!(page.contains("is being sent to Stripe") && !page.contains("type=\"radio\""));
        }
        let frozen = "SELECT frozen_body || idempotency_key FROM refund_requests";
        let before = world.text(frozen).await;
        world.restart().await;
        fault(&world, "");
        becomes(&world, "refunded").await;
        world.until("SELECT COUNT(*) FROM refund_requests WHERE state = 'made'", 1).await;
        assert_eq!((before, refunds(&world)), (world.text(frozen).await, 1), "{rule}");
    }
}

#[tokio::test]
async fn a_stored_failure_is_looked_up_and_only_then_another_form_tries_again() {
    let world = World::start().await;
    let payment = paid(&world, GOOD_CARD).await;
    fault(&world, "POST /v1/refunds 500-stored x1");
    let office = Office::sign_in(&world).await;
    let first = Form::open(&office, &payment).await;
    first.send(&office, "how=full").await.location();
    world.until("SELECT COUNT(*) FROM refund_requests WHERE state = 'frozen'", 1).await;
    // Nobody knows yet: no second one is taken, whatever form it comes in.
    let other = Form { key: "fedcba9876543210".into(), known: "1".into(), ..first };
    let refused = other.send(&office, "how=full").await;
    assert!(refused.status == 409 && refused.body.contains("not decided yet"), "{}", refused.body);
    world.clock.skip_ahead(Duration::from_secs(150));
    world.until("SELECT COUNT(*) FROM refund_requests WHERE state = 'refused'", 1).await;
    let told = office.get("/admin/refunds").await.body;
    assert!(told.contains("Stripe refused the refund"), "{told}");
    Form::open(&office, &payment).await.send(&office, "how=full").await.location();
    becomes(&world, "refunded").await;
    assert_eq!(refunds(&world), 1);
}

#[tokio::test]
async fn what_stripe_refuses_is_said_in_its_words_and_told() {
    // Without webhooks the gateway does not know what was done in the Dashboard.
    let world = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
    world.type_card(&page, GOOD_CARD);
    world.until("SELECT COUNT(*) FROM orders", 1).await;
    let payment = order.payload().payment.to_string();
    refund(&world, None).await;
    let office = Office::sign_in(&world).await;
    Form::open(&office, &payment).await.send(&office, "how=full").await.location();
    world.until("SELECT COUNT(*) FROM refund_requests WHERE state = 'refused'", 1).await;
    let page = office.get(&format!("/admin/payments/{payment}")).await.body;
    assert!(page.contains("Stripe refused: ") && page.contains("already been refunded"), "{page}");
    assert_eq!(refunds(&world), 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM audit WHERE what = 'refund_refused'").await, 1);
}

#[tokio::test]
async fn pending_succeeded_and_failed_are_told_until_somebody_has_read_them() {
    let week = Duration::from_secs(7 * 24 * 60 * 60);
    for (card, first, state, then, end) in [
        (REFUND_PENDS_CARD, "Refund on its way", "refund_pending", "Refunded", "refunded"),
        (REFUND_FAILS_CARD, "Refunded", "refunded", "after it had succeeded", "refund_failed"),
    ] {
        let world = World::start().await;
        let payment = paid(&world, card).await;
        let office = Office::sign_in(&world).await;
        Form::open(&office, &payment).await.send(&office, "how=full").await.location();
        becomes(&world, state).await;
        let list = office.get("/admin/refunds").await.body;
        assert!(
            list.contains(first) && list.contains("1<span class=\"hidden-words\"> new"),
            "{list}"
        );
        let (object, status) = (value_of(&list, "object"), value_of(&list, "status"));
        let read = |csrf: String| format!("csrf={csrf}&object={object}&status={status}");
        let csrf = office.csrf_of("/admin/refunds").await;
        office.post("/admin/refunds/acknowledge", &read(csrf)).await.location();
        let page = office.get("/admin/refunds").await.body;
        assert!(!page.contains(" new\"") && page.contains("Administrator,"), "{page}");
        world.sandbox.handle().skip_ahead(week);
        world.clock.skip_ahead(week);
        becomes(&world, end).await;
        let office = office_again(&world).await;
        let list = office.get("/admin/refunds").await.body;
        assert!(
            list.contains(then) && list.contains("1<span class=\"hidden-words\"> new"),
            "{list}"
        );
        let csrf = office.csrf_of("/admin/refunds").await;
        let stale = office.post("/admin/refunds/acknowledge", &read(csrf)).await;
        assert_eq!(stale.status, 409, "whoever read the old line has not read the new one");
        assert_eq!(refunds(&world), 1);
    }
}

/// Signs in after the sessions are over.
async fn office_again(world: &World) -> Office<'_> {
    let link = admin::sign_in_link(&world.data(), &tenant()).await.unwrap().0;
    // It was made by the machine's clock, which is behind the gateway's.
    world.change("UPDATE sign_in_links SET expires_at_ms = expires_at_ms + 700000000").await;
    Office::by_link(world, &link).await
}

#[tokio::test]
async fn a_refund_that_fails_in_silence_is_found_without_a_webhook() {
    let world = World::with(Setup { webhooks: false, ..Setup::default() }).await;
    let payment = paid(&world, REFUND_FAILS_CARD).await;
    let office = Office::sign_in(&world).await;
    Form::open(&office, &payment).await.send(&office, "how=full").await.location();
    becomes(&world, "refunded").await;
    let days = Duration::from_secs(40 * 24 * 60 * 60);
    world.sandbox.handle().skip_ahead(days);
    world.clock.skip_ahead(days);
    becomes(&world, "refund_failed").await;
}
