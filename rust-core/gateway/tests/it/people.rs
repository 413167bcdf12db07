//! Getting in by password, roles, lock-out, and the log of who did what.

use crate::office::Office;
use crate::world::{World, tenant};
use holdfast_gateway::admin;
use reqwest::header::SET_COOKIE;
use std::time::Duration;

const PASSWORD: &str = "three green lamps";

/// Chooses a first password for whoever came by the link.
async fn choose(office: &Office<'_>, password: &str) -> crate::world::Answer {
    let form = format!(
        "csrf={}&new_password={password}&again={password}",
        office.csrf_of("/admin/account").await
    );
    office.post("/admin/account", &form.replace(' ', "+")).await
}

async fn try_in(world: &World, name: &str, password: &str) -> crate::world::Answer {
    let form = format!("name={name}&password={password}").replace(' ', "+");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    world.post("/sign-in", &headers, form.into_bytes()).await
}

/// Adds somebody and signs them in by the link that the page shows.
pub(crate) async fn add<'w>(office: &Office<'w>, name: &str, role: &str) -> Office<'w> {
    let csrf = office.csrf().await;
    let page = office.post("/admin/users", &format!("csrf={csrf}&name={name}&role={role}")).await;
    let link = page.body.split_once("id=\"sign-in-link\">").unwrap().1;
    Office::by_link(office.world, link.split('<').next().unwrap()).await
}

#[tokio::test]
async fn after_the_first_link_a_password_opens_the_office() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let page = office.get("/admin/payments").await.body;
    assert!(page.contains("You have no password yet"), "{page}");
    assert_eq!(choose(&office, "short").await.status, 422);
    let saved = choose(&office, PASSWORD).await;
    assert!(saved.status == 200 && saved.body.contains("Saved"), "{}", saved.body);
    assert!(!office.get("/admin/payments").await.body.contains("You have no password yet"));

    assert!(world.get("/sign-in").await.body.contains("Password"));
    let wrong = try_in(&world, "administrator", "three red lamps").await;
    assert!(wrong.status == 401 && wrong.body.contains("do not fit"), "{}", wrong.body);
    assert!(!wrong.headers.contains_key(SET_COOKIE));
    let nobody = try_in(&world, "nobody", PASSWORD).await;
    let about = |body: &str| body.split_once("role=\"alert\">").unwrap().1[..60].to_owned();
    assert_eq!(about(&nobody.body), about(&wrong.body), "a name can be told from a password");
    let right = try_in(&world, "Administrator", PASSWORD).await;
    assert_eq!(right.location(), "/admin/payments");
    assert!(right.headers.contains_key(SET_COOKIE));
}

#[tokio::test]
async fn a_password_is_changed_only_by_whoever_knows_the_old_one_and_ends_other_sessions() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    choose(&office, PASSWORD).await;
    let other = try_in(&world, "administrator", PASSWORD).await;
    let other = Office::with_cookie(&world, &other);
    assert_eq!(other.get("/admin/payments").await.status, 200);
    let csrf = office.csrf_of("/admin/account").await;
    let form = |old: &str| {
        format!("csrf={csrf}&old_password={old}&new_password=two+blue+chairs&again=two+blue+chairs")
    };
    let refused = office.post("/admin/account", &form("no")).await;
    assert!(refused.status == 422 && refused.body.contains("not your password"));
    let typo = form("three+green+lamps").replace("again=two", "again=ten");
    assert!(office.post("/admin/account", &typo).await.body.contains("does not match"));
    assert_eq!(office.post("/admin/account", &form("three+green+lamps")).await.status, 200);
    assert_eq!(other.get("/admin/payments").await.status, 401);
    assert_eq!(office.get("/admin/payments").await.status, 200);
    assert_eq!(try_in(&world, "administrator", PASSWORD).await.status, 401);
}

#[tokio::test]
async fn five_wrong_passwords_lock_for_a_quarter_of_an_hour_and_a_link_unlocks() {
    let world = World::start().await;
    choose(&Office::sign_in(&world).await, PASSWORD).await;
    for _ in 0..5 {
        assert_eq!(try_in(&world, "administrator", "three red lamps").await.status, 401);
    }
    let locked = try_in(&world, "administrator", PASSWORD).await;
    assert!(locked.status == 401 && locked.body.contains("15 minutes"), "{}", locked.body);
    let link = admin::sign_in_link(&world.data(), &tenant()).await.unwrap().0;
    Office::by_link(&world, &link).await;
    assert_eq!(try_in(&world, "administrator", PASSWORD).await.status, 303);
    for _ in 0..5 {
        try_in(&world, "administrator", "three red lamps").await;
    }
    world.clock.skip_ahead(Duration::from_secs(15 * 60 + 1));
    assert_eq!(try_in(&world, "administrator", PASSWORD).await.status, 303);
    let log = "SELECT COUNT(*) FROM audit WHERE what = 'sign_in_locked'";
    assert_eq!(world.count(log).await, 2);
}

#[tokio::test]
async fn a_lost_password_is_reset_by_an_administrator_and_chosen_anew() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let fay = add(&office, "Fay", "finance").await;
    choose(&fay, PASSWORD).await;
    let csrf = office.csrf().await;
    let reset = |person: i64| format!("csrf={csrf}&person={person}");
    let own = office.post("/admin/users/reset", &reset(1)).await;
    assert!(own.status == 422 && own.body.contains("another administrator"), "{}", own.body);
    assert_eq!(fay.post("/admin/users/reset", &reset(1)).await.status, 403);
    let page = office.post("/admin/users/reset", &reset(2)).await.body;
    let link = page.split_once("id=\"sign-in-link\">").unwrap().1.split('<').next().unwrap();
    assert_eq!(fay.get("/admin/payments").await.status, 401, "their sessions are over");
    assert_eq!(try_in(&world, "fay", PASSWORD).await.status, 401, "the old password is gone");
    let fay = Office::by_link(&world, link).await;
    assert_eq!(choose(&fay, "four blue lamps").await.status, 200);
    assert_eq!(try_in(&world, "fay", "four blue lamps").await.status, 303);
    let log = "SELECT COUNT(*) FROM audit WHERE what = 'password_reset' AND detail = 'Fay'";
    assert_eq!(world.count(log).await, 1);
    assert_eq!(office.post("/admin/users/reset", &reset(9)).await.status, 422);
}

#[tokio::test]
async fn each_role_sees_and_does_only_its_own() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let finance = add(&office, "Fay", "finance").await;
    let officer = add(&office, "Olu", "officer").await;
    for (path, for_finance, for_officer) in [
        ("/admin/payments", 200, 200),
        ("/admin/account", 200, 200),
        ("/admin/audit", 200, 403),
        ("/admin/users", 403, 403),
        ("/admin/handhelds", 403, 403),
    ] {
        assert_eq!(office.get(path).await.status, 200, "{path}");
        assert_eq!(finance.get(path).await.status, for_finance, "{path}");
        assert_eq!(officer.get(path).await.status, for_officer, "{path}");
    }
    for (path, form) in [
        ("/admin/users", "name=Eve&role=administrator"),
        ("/admin/users/change", "person=3&role=administrator"),
        ("/admin/users/link", "person=1"),
        ("/admin/handhelds/code", "officer=1"),
        ("/admin/handhelds/revoke", "handheld=00"),
    ] {
        for who in [&finance, &officer] {
            let csrf = who.csrf_of("/admin/account").await;
            let answer = who.post(path, &format!("csrf={csrf}&{form}")).await;
            assert_eq!(answer.status, 403, "{path}");
        }
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM users").await, 3);
    let nav = officer.get("/admin/payments").await.body;
    assert!(!nav.contains("/admin/users") && !nav.contains("/admin/audit"));
}

#[tokio::test]
async fn a_changed_role_counts_at_once_and_the_last_administrator_stays() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let olu = add(&office, "Olu", "officer").await;
    let csrf = office.csrf().await;
    let change = |person: i64, role: &str| format!("csrf={csrf}&person={person}&role={role}");
    let same_name =
        office.post("/admin/users", &format!("csrf={csrf}&name=OLU&role=officer")).await;
    assert!(same_name.status == 422 && same_name.body.contains("has this name already"));
    assert_eq!(office.post("/admin/users/change", &change(2, "finance")).await.status, 303);
    assert_eq!(olu.get("/admin/payments").await.status, 401, "they sign in again");
    for role in ["finance", "remove"] {
        let refused = office.post("/admin/users/change", &change(1, role)).await;
        assert!(refused.status == 422 && refused.body.contains("only administrator"));
    }
    assert_eq!(office.post("/admin/users/change", &change(2, "remove")).await.status, 303);
    assert!(!office.get("/admin/users").await.body.contains("Olu"));
    assert!(office.get("/admin/audit").await.body.contains("Olu"), "the log still names them");
}

#[tokio::test]
async fn the_audit_log_says_who_did_what_and_notices_a_change_by_hand() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    add(&office, "Olu", "officer").await;
    let page = office.get("/admin/audit").await.body;
    for part in ["user added", "Olu as officer", "Administrator", "operator (command line)"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(page.contains("Every entry fits"));
    let whole = admin::doctor(&world.data()).await.unwrap();
    let chain = |found: &[admin::Finding]| {
        found.iter().find(|it| it.what == "audit log of demo").unwrap().clone()
    };
    assert_eq!(chain(&whole).health, admin::Health::Good, "{}", chain(&whole).words);
    for sql in [
        "UPDATE audit SET detail = 'Olu as finance' WHERE what = 'user_added'",
        "DELETE FROM audit WHERE number = 2",
    ] {
        world.change(sql).await;
        assert!(office.get("/admin/audit").await.body.contains("changed the database by hand"));
        let broken = chain(&admin::doctor(&world.data()).await.unwrap());
        assert_eq!(broken.health, admin::Health::Bad, "{}", broken.words);
    }
}

#[tokio::test]
async fn a_foreign_page_cannot_sign_a_browser_in() {
    let world = World::start().await;
    choose(&Office::sign_in(&world).await, PASSWORD).await;
    let form = format!("name=administrator&password={PASSWORD}").replace(' ', "+");
    let here = world.url("");
    let foreign = "https://elsewhere.example";
    // A browser that says whose page it was is believed, whatever it calls the origin.
    for (headers, status) in [
        (vec![("origin", foreign)], 400),
        (vec![("origin", "null")], 400),
        (vec![("origin", here.as_str())], 303),
        (vec![("origin", "null"), ("sec-fetch-site", "same-origin")], 303),
        (vec![("origin", here.as_str()), ("sec-fetch-site", "cross-site")], 400),
        (vec![("sec-fetch-site", "same-site")], 400),
    ] {
        let mut all = headers.clone();
        all.push(("content-type", "application/x-www-form-urlencoded"));
        let answer = world.post("/sign-in", &all, form.clone().into_bytes()).await;
        assert_eq!(answer.status, status, "{headers:?}");
    }
}

#[tokio::test]
async fn signing_in_leads_back_to_the_page_that_was_wanted_and_nowhere_else() {
    let world = World::start().await;
    choose(&Office::sign_in(&world).await, PASSWORD).await;
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let page = world.get("/admin/charges?find=robin%22").await;
    assert_eq!(page.status, 401);
    assert!(
        page.body.contains("name=\"to\" value=\"/admin/charges?find=robin%22\""),
        "{}",
        page.body
    );
    let sent = world.post("/admin/types/STRIPE/keys", &headers, b"csrf=x".to_vec()).await;
    assert!(sent.status == 401 && sent.body.contains("nothing was changed"), "{}", sent.body);
    assert!(sent.body.contains("value=\"/admin/types/STRIPE/keys\""), "{}", sent.body);
    let long = format!("/admin/{}", "a".repeat(600));
    for (to, wanted) in [
        ("/admin/charges?find=robin", "/admin/charges?find=robin"),
        ("/admin", "/admin"),
        ("", "/admin/payments"),
        ("/administrator", "/admin/payments"),
        ("//elsewhere.example/admin", "/admin/payments"),
        ("https://elsewhere.example/admin/", "/admin/payments"),
        ("/admin\\@elsewhere.example", "/admin/payments"),
        ("/admin/a\r\nset-cookie: a=b", "/admin/payments"),
        (&long, "/admin/payments"),
    ] {
        let form = url_form(&[("name", "administrator"), ("password", PASSWORD), ("to", to)]);
        let answer = world.post("/sign-in", &headers, form).await;
        assert_eq!(answer.location(), wanted, "{to:?}");
    }
    // The address of a form's answer leads to the page of the form.
    let office = Office::with_cookie(&world, &try_in(&world, "administrator", PASSWORD).await);
    for (path, page) in [
        ("/admin/types/STRIPE/keys", "/admin/types/STRIPE"),
        ("/admin/users/link", "/admin/users"),
        ("/admin/sign-out", "/admin"),
    ] {
        assert_eq!(office.get(path).await.location(), page);
    }
}

fn url_form(fields: &[(&str, &str)]) -> Vec<u8> {
    let coded = |text: &str| text.bytes().map(|b| format!("%{b:02x}")).collect::<String>();
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", coded(value)));
    pairs.collect::<Vec<_>>().join("&").into_bytes()
}
