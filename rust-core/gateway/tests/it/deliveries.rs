//! The Deliveries page: every cause of trouble is told by really making the mistake.

use crate::handheld::{Handheld, path_of};
use crate::office::Office;
use crate::world::{GOOD_CARD, SECRET_KEY, Setup, WEBHOOK_SECRET, World};
use holdfast_gateway::admin;
use holdfast_sandbox::WebhookTarget;
use holdfast_stripe::{WebhookSecret, webhook};
use std::time::{Duration, Instant};

/// A whole payment by card, whose payer closes the browser on Stripe's page; the payment's ID.
pub(crate) async fn pay(world: &World) -> String {
    pay_as(world, &Handheld::enrol(world).await).await
}

/// The same from a handheld that is there already.
pub(crate) async fn pay_as(world: &World, handheld: &Handheld) -> String {
    let mut payload = handheld.payload(1);
    payload.held_at_unix_s = u64::try_from(world.now_ms() / 1000).unwrap();
    let order = handheld.signed(payload);
    let before = world.count("SELECT COUNT(*) FROM orders").await;
    let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
    world.type_card(&page, GOOD_CARD);
    world.until("SELECT COUNT(*) FROM orders", before + 1).await;
    order.payload().payment.to_string()
}

/// The page, once it says so.
pub(crate) async fn page_says(office: &Office<'_>, words: &str) -> String {
    let begun = Instant::now();
    loop {
        let page = office.get("/admin/deliveries").await.body;
        if page.contains(words) {
            return page;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "never {words:?}: {page}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) async fn press(office: &Office<'_>, button: &str, fields: &str) -> crate::world::Answer {
    let csrf = office.csrf_of("/admin/deliveries").await;
    office.post(&format!("/admin/deliveries/{button}"), &format!("csrf={csrf}&{fields}")).await
}

/// Registers an endpoint at Stripe as somebody would by hand.
async fn register(world: &World, path: &str, fields: &str) {
    let body = format!("url={}&{fields}", world.url(path));
    let authorization = format!("Bearer {SECRET_KEY}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let address = format!("{}/v1/webhook_endpoints", world.sandbox.url());
    let made = world.post(&address, &headers, body.into_bytes()).await;
    assert_eq!(made.status, 200, "{}", made.body);
}

async fn silent() -> World {
    World::with(Setup { webhooks: false, ..Setup::default() }).await
}

#[tokio::test]
async fn every_delivery_is_listed_with_our_answer_and_needless_types_are_named() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let payment = pay(&world).await;
    let page = page_says(&office, "checkout.session.completed").await;
    for words in ["the payment was looked at", "No trouble", ">200<", &payment, "from 127.0.0.1"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    // The sandbox sends everything, as an endpoint does that was made without choosing.
    let page = page_says(&office, "Needless event types").await;
    assert!(page.contains("Stripe also sends charge.succeeded, "), "{page}");
    let ignored = "SELECT COUNT(*) FROM events WHERE kind = 'charge.succeeded' AND payment = ''";
    assert_eq!(world.count(ignored).await, 1);
    let stored = world.count("SELECT COUNT(*) FROM events").await;
    let rows = "SELECT COUNT(*) FROM deliveries WHERE answer = 200 AND outcome <> 'duplicate'";
    assert!(world.count(rows).await >= stored, "each has a row");
}

#[tokio::test]
async fn the_list_and_the_trouble_grow_by_themselves() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let mut stream = office.stream("/admin/deliveries/live?after=0").await;
    let signed = [("stripe-signature", "t=1,v1=00")];
    assert_eq!(
        world.post("/api/demo/qr/payment/webhook", &signed, b"{}".to_vec()).await.status,
        400
    );
    let mut heard = String::new();
    while !(heard.contains("event: delivery") && heard.contains("event: trouble")) {
        let part = tokio::time::timeout(Duration::from_secs(20), stream.chunk()).await;
        heard.push_str(&String::from_utf8_lossy(&part.unwrap().unwrap().unwrap()));
    }
    assert!(
        heard.contains("holds no v1") && heard.contains("data-outcome=\"unsigned\""),
        "{heard}"
    );
}

#[tokio::test]
async fn a_wrong_secret_is_named_and_the_payment_is_settled() {
    let world =
        World::with(Setup { signed_with: "whsec_AnotherOneThatIsWrong1", ..Setup::default() })
            .await;
    let office = Office::sign_in(&world).await;
    let payment = pay(&world).await;
    let page = page_says(&office, "matches no stored webhook secret").await;
    assert!(page.contains("Wrong secret") && page.contains("into Webhook Secret"), "{page}");
    let page = page_says(&office, "Found without a webhook").await;
    assert!(page.contains(&payment) && page.contains("Its delivery was refused"), "{page}");
    assert_eq!(world.count("SELECT COUNT(*) FROM events WHERE payment <> ''").await, 0);
}

#[tokio::test]
async fn without_any_secret_it_is_said_so() {
    let world = World::start().await;
    world.change("DELETE FROM webhook_secrets").await;
    let office = Office::sign_in(&world).await;
    pay(&world).await;
    let page = page_says(&office, "No secret stored").await;
    assert!(page.contains("Register the webhook on the Payment Types page"), "{page}");
}

#[tokio::test]
async fn a_wrong_path_or_tenant_in_the_address_is_noticed() {
    for path in ["/api/demo/qr/payment/webhok", "/api/dmeo/qr/payment/webhook", "/webhook"] {
        let world = World::with(Setup { webhook_path: path, ..Setup::default() }).await;
        let office = Office::sign_in(&world).await;
        pay(&world).await;
        let page = page_says(&office, &format!("sent to the path {path}")).await;
        let right = world.url("/api/demo/qr/payment/webhook");
        assert!(page.contains(&format!("change the endpoint&#39;s address to {right}")), "{page}");
        assert!(page.contains("Wrong address") && page.contains(">404<"), "{page}");
    }
}

#[tokio::test]
async fn a_wrong_host_name_in_the_address_is_noticed() {
    let world = silent().await;
    let hosts = vec!["localhost".to_owned()];
    let add = admin::TenantAdd { tenant: "other".parse().unwrap(), name: None, hosts };
    admin::tenant_add(&world.data(), add).await.unwrap();
    // As if somebody had copied the address of the other organisation's host name.
    let url = world.url("/api/demo/qr/payment/webhook").replace("127.0.0.1", "localhost");
    let secret = WebhookSecret::parse(WEBHOOK_SECRET).unwrap();
    let target = WebhookTarget { url, secret, events: Vec::new() };
    world.sandbox.handle().with_core(|core, now_ms| core.set_targets(&[target], now_ms));
    let office = Office::sign_in(&world).await;
    pay(&world).await;
    page_says(&office, "sent to the host name localhost, which is not this organisation").await;
    // A name that is nobody's.
    let headers = [("stripe-signature", "t=1,v1=00"), ("host", "pay.example.org")];
    let strange = world.post("/api/demo/qr/payment/webhook", &headers, b"{}".to_vec()).await;
    assert_eq!(strange.status, 421);
    page_says(&office, "sent to the host name pay.example.org").await;
}

#[tokio::test]
async fn what_is_no_webhook_leaves_no_row_at_a_wrong_address() {
    let world = silent().await;
    assert_eq!(world.post("/webhook", &[], b"{}".to_vec()).await.status, 404);
    assert_eq!(world.get("/favicon.ico").await.status, 404);
    assert_eq!(world.count("SELECT COUNT(*) FROM deliveries").await, 0);
}

#[tokio::test]
async fn a_live_event_for_the_test_set_is_named() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    pay(&world).await;
    page_says(&office, "checkout.session.completed").await;
    // The real event, as Stripe would send it for a live payment to an endpoint whose secret was
    // copied into the test keys.
    let body =
        world.blob("SELECT body FROM events WHERE kind = 'checkout.session.completed'").await;
    let body = String::from_utf8(body).unwrap();
    let mut event: serde_json::Value = serde_json::from_str(&body).unwrap();
    event["livemode"] = true.into();
    let body = event.to_string().into_bytes();
    let secret = WebhookSecret::parse(WEBHOOK_SECRET).unwrap();
    let now_s = world.now_ms() / 1000;
    let signature = webhook::sign(&body, &[secret], now_s);
    let headers = [("stripe-signature", signature.as_str())];
    let answer = world.post("/api/demo/qr/payment/webhook", &headers, body).await;
    assert_eq!(answer.status, 400);
    let page =
        page_says(&office, "it is a live event and its secret is stored under the test keys").await;
    assert!(page.contains("Wrong mode"), "{page}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_by_how_much() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    world.clock.skip_ahead(Duration::from_secs(412));
    pay(&world).await;
    let page = page_says(&office, "signature right, clock off by 41").await;
    assert!(page.contains("set by NTP"), "{page}");

    let behind = World::start().await;
    let office = Office::sign_in(&behind).await;
    behind.sandbox.handle().skip_ahead(Duration::from_secs(400));
    pay(&behind).await;
    let page = page_says(&office, "clock is behind by").await;
    assert!(page.contains("A delivery was taken, but this machine"), "{page}");
    assert!(behind.count("SELECT COUNT(*) FROM events WHERE payment <> ''").await > 0);
}

#[tokio::test]
async fn missing_and_needless_event_types_are_read_off_stripes_books() {
    let world = silent().await;
    let office = Office::sign_in(&world).await;
    register(
        &world,
        "/api/demo/qr/payment/webhook",
        "enabled_events[0]=checkout.session.completed&enabled_events[1]=customer.created",
    )
    .await;
    assert_eq!(press(&office, "ask", "").await.location(), "/admin/deliveries#books");
    let page = page_says(&office, "Missing event types: checkout.session.expired").await;
    assert!(page.contains("which may be removed: customer.created"), "{page}");
    assert!(page.contains("At Stripe"), "it is among the trouble: {page}");
}

#[tokio::test]
async fn an_endpoint_that_is_disabled_or_elsewhere_is_named_without_asking() {
    let world = silent().await;
    let office = Office::sign_in(&world).await;
    register(&world, "/another/place", "enabled_events[0]=*").await;
    world.clock.skip_ahead(Duration::from_secs(16));
    page_says(&office, "Wrong address: Stripe sends to").await;
    register(&world, "/api/demo/qr/payment/webhook", "enabled_events[0]=*").await;
    let id = world
        .sandbox
        .handle()
        .with_core(|core, _| core.webhook_endpoints().last().map(|it| it.id.to_string()).unwrap());
    let authorization = format!("Bearer {SECRET_KEY}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let address = format!("{}/v1/webhook_endpoints/{id}", world.sandbox.url());
    assert_eq!(world.post(&address, &headers, b"disabled=true".to_vec()).await.status, 200);
    world.clock.skip_ahead(Duration::from_secs(61));
    page_says(&office, "is disabled at Stripe; enable it there").await;
}

#[tokio::test]
async fn events_of_another_api_version_are_taken_and_named() {
    let world = silent().await;
    world.change("DELETE FROM webhook_secrets").await;
    let office = Office::sign_in(&world).await;
    register(
        &world,
        "/api/demo/qr/payment/webhook",
        "enabled_events[0]=checkout.session.completed&api_version=2019-05-16",
    )
    .await;
    let secret = world.sandbox.handle().with_core(|core, _| {
        core.webhook_endpoints().last().map(|it| it.secret.expose().to_owned()).unwrap()
    });
    let csrf = office.csrf_of("/admin/types/STRIPE").await;
    let form = format!("csrf={csrf}&mode=test&webhook_secret={secret}");
    assert_eq!(office.post("/admin/types/STRIPE/keys", &form).await.status, 200);
    pay(&world).await;
    let page = page_says(&office, "Other API version").await;
    assert!(page.contains("2019-05-16") && page.contains("taken all the same"), "{page}");
    assert!(world.count("SELECT COUNT(*) FROM events WHERE payment <> ''").await > 0);
}

#[tokio::test]
async fn when_stripe_sends_nothing_it_is_said() {
    let world = silent().await;
    let office = Office::sign_in(&world).await;
    let payment = pay(&world).await;
    let page = office.get("/admin/deliveries").await.body;
    assert!(!page.contains("Silence"), "a webhook may still be under way: {page}");
    world.clock.skip_ahead(Duration::from_secs(61));
    let page = page_says(&office, "Stripe has sent nothing about 1 payment that went on").await;
    assert!(
        page.contains(&payment) && page.contains("the gateway asked Stripe by itself"),
        "{page}"
    );
}

#[tokio::test]
async fn a_flood_is_counted_and_only_its_beginning_is_written_down() {
    let world = silent().await;
    let office = Office::sign_in(&world).await;
    let signed = [("stripe-signature", "t=1,v1=00")];
    for _ in 0..100 {
        world.post("/api/demo/qr/payment/webhook", &signed, b"{}".to_vec()).await;
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM deliveries").await, 60);
    page_says(&office, "100 times since yesterday").await;
    world.clock.skip_ahead(Duration::from_secs(61));
    world.post("/api/demo/qr/payment/webhook", &signed, b"{}".to_vec()).await;
    assert_eq!(world.count("SELECT SUM(times) FROM refused_counts").await, 101);
}

#[tokio::test]
async fn only_finance_and_administrators_see_it_and_only_administrators_act() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let person = |role: &'static str| {
        let office = &office;
        let world = &world;
        async move {
            let csrf = office.csrf_of("/admin/users").await;
            let form = format!("csrf={csrf}&name={role}&role={role}");
            let page = office.post("/admin/users", &form).await.body;
            let link = page.split_once("/sign-in/").unwrap().1.split(['<', '"']).next().unwrap();
            Office::by_link(world, &world.url(&format!("/sign-in/{link}"))).await
        }
    };
    let officer = person("officer").await;
    for path in ["/admin/deliveries", "/admin/deliveries/live"] {
        assert_eq!(officer.get(path).await.status, 403, "{path}");
    }
    let finance = person("finance").await;
    let page = finance.get("/admin/deliveries").await;
    assert!(page.status == 200 && !page.body.contains("id=\"secrets\""), "{}", page.body);
    for (button, fields) in [
        ("ask", ""),
        ("drop", "mode=test&number=1"),
        ("cli-secret", "secret=x"),
        ("senders", "senders="),
    ] {
        assert_eq!(press(&finance, button, fields).await.status, 403, "{button}");
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM webhook_secrets").await, 1);
}
