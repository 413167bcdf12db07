//! Who may come in, asked of every route: without a session, with one that is over, with a foreign
//! page's form, as somebody of another organisation, under an unknown name, with another kind of body.

use super::cases::{Body, CASES, Case, Who};
use super::fuzz::{BY_WORKER, Tables};
use super::request::{Payload, Request};
use super::stage::{OURS, Stage};
use super::wire::{Reply, Wire};
use std::time::Duration;

fn name(case: &Case) -> String {
    format!("{} {}", case.method, case.route)
}

/// Nothing of the first house stands in an answer.
fn tells_nothing(case: &Case, reply: &Reply) {
    // Whoever asks for a charge by its reference knows that, and the form to sign in leads back to it.
    for word in OURS.iter().filter(|word| **word != "N-7041") {
        assert!(!reply.contains(word), "{}: the answer holds {word}: {}", name(case), reply.text());
    }
}

async fn answer(stage: &Stage, case: &Case, wire: &Wire) -> Reply {
    wire.send(&stage.world).await.unwrap_or_else(|| panic!("no answer to {}", name(case)))
}

fn replaced(mut wire: Wire, header: &str, value: Option<&str>) -> Wire {
    wire.headers.retain(|(name, _)| name != header);
    match value {
        Some(value) => wire.with(header, value),
        None => wire,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_with_nothing_with_a_guess_or_with_what_is_over() {
    let stage = Stage::set().await;
    let guarded: Vec<&Case> = CASES.iter().filter(|case| case.who != Who::Anyone).collect();
    let mut late = Vec::new();
    for case in &guarded {
        late.push(Request::good(&stage, case).await.wire(&stage));
    }
    let tables = Tables::of(&stage).await;
    let before = tables.now().await;
    for (case, good) in guarded.iter().zip(&late) {
        let header = if case.who == Who::Office { "cookie" } else { "authorization" };
        for guess in [None, Some("holdfast_office=made-up"), Some("Bearer made-up")] {
            // Wrong credentials are counted, and somebody else is not held up by it.
            stage.world.clock.skip_ahead(Duration::from_secs(4));
            let reply = answer(&stage, case, &replaced(good.clone(), header, guess)).await;
            let is_front_door = case.route == "/admin";
            let wanted = if is_front_door { 303 } else { 401 };
            assert_eq!(reply.status, wanted, "{} with {guess:?}", name(case));
            tells_nothing(case, &reply);
        }
    }
    stage.world.change("UPDATE office_sessions SET expires_at_ms = 1").await;
    stage.world.change("UPDATE charge_credentials SET revoked_at_ms = 1").await;
    stage.world.clock.skip_ahead(Duration::from_secs(24 * 60 * 60));
    for (case, good) in guarded.iter().zip(&late).filter(|(case, _)| case.route != "/admin") {
        let reply = answer(&stage, case, good).await;
        assert_eq!(reply.status, 401, "{} with what is over", name(case));
        tells_nothing(case, &reply);
        stage.world.clock.skip_ahead(Duration::from_secs(4));
    }
    let changed = tables.changed(&before).await;
    let ours = |it: &&String| *it != "office_sessions" && !BY_WORKER.contains(&it.as_str());
    assert_eq!(changed.iter().filter(ours).count(), 0, "changed: {changed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_page_or_of_another_session_changes_nothing() {
    let stage = Stage::set().await;
    let tables = Tables::of(&stage).await;
    let before = tables.now().await;
    let forms = CASES.iter().filter(|it| it.who == Who::Office && it.method == "POST");
    for case in forms {
        for (csrf, wanted) in [
            (None, 400),
            (Some(""), 403),
            (Some("made-up"), 403),
            (Some(stage.other.csrf.as_str()), 403),
        ] {
            let mut request = Request::good(&stage, case).await;
            let Payload::Form(fields) = &mut request.payload else { panic!("{}", name(case)) };
            fields.retain(|(name, _)| name != "csrf");
            if let Some(csrf) = csrf {
                fields.push(("csrf".to_owned(), csrf.as_bytes().to_vec()));
            }
            let reply = answer(&stage, case, &request.wire(&stage)).await;
            assert_eq!(reply.status, wanted, "{} with {csrf:?}", name(case));
        }
    }
    assert_eq!(tables.changed(&before).await, Vec::<String>::new());
}

/// True if the request names something that belongs to the first house.
fn names_something(case: &Case) -> bool {
    let parts = case.route.split('{').skip(1);
    let in_path = parts.filter(|part| !part.starts_with("tenant}")).count() > 0;
    let in_body = match case.body {
        Body::Form(text) | Body::Json(text) => {
            ["$payment", "$device", "$spare_device", "$event"].iter().any(|it| text.contains(it))
        }
        _ => false,
    };
    in_path || in_body
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_another_organisation_is_not_there() {
    let stage = Stage::set().await;
    let tables = Tables::of(&stage).await;
    // Writing a charge of the same reference makes one of their own, which is looked at last.
    let theirs =
        |case: &&Case| case.who != Who::Anyone && case.method != "PUT" && ends_nothing(case);
    for case in CASES.iter().filter(theirs) {
        let mut request = Request::by(&stage, case, &stage.other).await;
        let before = tables.now().await;
        if request.parts.iter().any(|(part, _)| part == "tenant") {
            let reply = answer(&stage, case, &request.wire(&stage)).await;
            assert_eq!(reply.status, 401, "{} at the other's address", name(case));
            tells_nothing(case, &reply);
        }
        move_to_the_other(&stage, &mut request);
        let reply = answer(&stage, case, &request.wire(&stage)).await;
        tells_nothing(case, &reply);
        if names_something(case) {
            let in_path = case.route.replace("{tenant}", "").contains('{');
            let fits = if in_path { reply.status == 404 } else { reply.status >= 400 };
            assert!(fits, "{}: {} {}", name(case), reply.status, reply.text());
            assert_eq!(tables.changed(&before).await, Vec::<String>::new(), "{}", name(case));
        }
    }
    for case in CASES.iter().filter(|case| case.who == Who::Anyone && names_something(case)) {
        let before = tables.now().await;
        let wire = Request::good(&stage, case).await.wire(&stage);
        let reply = answer(&stage, case, &replaced(wire, "host", Some("other.example.org"))).await;
        let is_link = case.route == "/e/{tenant}/{code}";
        assert!(is_link || reply.status >= 400, "{} under the other's name", name(case));
        tells_nothing(case, &reply);
        assert_eq!(tables.changed(&before).await, Vec::<String>::new(), "{}", name(case));
    }
    let case = CASES.iter().find(|case| case.method == "PUT").unwrap();
    let mut request = Request::by(&stage, case, &stage.other).await;
    move_to_the_other(&stage, &mut request);
    assert_eq!(answer(&stage, case, &request.wire(&stage)).await.status, 201);
    let payers = "SELECT group_concat(payer, ', ') FROM (SELECT payer FROM charges WHERE \
                  reference = 'N-7041' ORDER BY tenant)";
    assert_eq!(stage.world.text(payers).await, "Quentin Home, Robin Doe");
}

/// At the address of their own organisation, with all else as it was.
fn move_to_the_other(stage: &Stage, request: &mut Request) {
    for (part, value) in &mut request.parts {
        if part == "tenant" {
            *value = stage.other.tenant.to_string().into_bytes();
        }
    }
}

fn ends_nothing(case: &Case) -> bool {
    case.route != "/admin/sign-out"
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_name_that_is_not_registered_nothing_is_served() {
    let stage = Stage::set().await;
    let tables = Tables::of(&stage).await;
    let before = tables.now().await;
    for case in CASES {
        let wire = Request::good(&stage, case).await.wire(&stage);
        for (host, wanted) in
            [("evil.example.org", 421), ("127.0.0.1.evil.example.org:8480", 421), ("", 400)]
        {
            let reply = answer(&stage, case, &replaced(wire.clone(), "host", Some(host))).await;
            assert_eq!(reply.status, wanted, "{} as {host:?}", name(case));
            tells_nothing(case, &reply);
        }
        // Two names: whichever a proxy looked at, we look at none.
        let own = stage.world.url("").strip_prefix("http://").unwrap().to_owned();
        let twice = replaced(wire, "host", Some(&own)).with("host", "evil.example.org");
        assert_eq!(answer(&stage, case, &twice).await.status, 400, "{}", name(case));
    }
    assert_eq!(tables.changed(&before).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_kind_of_body_is_not_guessed_at() {
    let stage = Stage::set().await;
    let tables = Tables::of(&stage).await;
    let before = tables.now().await;
    // Notices and events prove themselves by a signature over their bytes: their kind decides nothing.
    let told = |case: &&Case| matches!(case.body, Body::Form(_) | Body::Json(_) | Body::Order);
    for case in CASES.iter().filter(told) {
        for kind in [None, Some("text/plain"), Some("multipart/form-data; boundary=x"), Some("")] {
            let wire = Request::good(&stage, case).await.wire(&stage);
            let reply = answer(&stage, case, &replaced(wire, "content-type", kind)).await;
            assert_eq!(reply.status, 415, "{} as {kind:?}: {}", name(case), reply.text());
        }
    }
    assert_eq!(tables.changed(&before).await, Vec::<String>::new());
}
