//! The administrator's pages.

use crate::handheld::{Handheld, ask_to_enrol, new_key, new_link, submit};
use crate::world::{Answer, World, tenant};
use holdfast_gateway::admin;
use holdfast_protocol::EnrolmentLink;
use reqwest::Method;
use reqwest::header::SET_COOKIE;
use std::time::Duration;

pub(crate) struct Office<'w> {
    pub(crate) world: &'w World,
    cookie: String,
}

/// The path of a link, whatever address it was printed with.
fn path_in(link: &str) -> String {
    let after_scheme = link.split_once("://").unwrap().1;
    format!("/{}", after_scheme.split_once('/').unwrap().1)
}

impl<'w> Office<'w> {
    pub(crate) async fn sign_in(world: &'w World) -> Self {
        Self::by_link(world, &world.sign_in_link).await
    }

    /// Somebody whose session outlasts a clock that the test sets ahead.
    pub(crate) async fn for_ever(world: &'w World) -> Self {
        let office = Self::sign_in(world).await;
        world.change("UPDATE office_sessions SET expires_at_ms = 9999999999999").await;
        office
    }

    pub(crate) async fn by_link(world: &'w World, link: &str) -> Self {
        let answer = world.post(&path_in(link), &[], vec![]).await;
        assert_eq!(answer.location(), "/admin/payments");
        Self::with_cookie(world, &answer)
    }

    /// What its browser sends along.
    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// A browser that takes the cookie of an answer.
    pub(crate) fn with_cookie(world: &'w World, answer: &Answer) -> Self {
        let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
        Self { world, cookie: cookie.split(';').next().unwrap().to_owned() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.world.send(Method::GET, path, &[("cookie", &self.cookie)], vec![]).await
    }

    /// A live stream.
    pub(crate) async fn stream(&self, path: &str) -> reqwest::Response {
        let request = self.world.http.get(self.world.url(path));
        request.header("cookie", &self.cookie).send().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, form: &str) -> Answer {
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.world.post(path, &headers, form.as_bytes().to_vec()).await
    }

    pub(crate) async fn csrf(&self) -> String {
        self.csrf_of("/admin/handhelds").await
    }

    /// The token in the forms of a page.
    pub(crate) async fn csrf_of(&self, path: &str) -> String {
        let page = self.get(path).await.body;
        let after = page.split_once("name=\"csrf\" value=\"").unwrap().1;
        after.split('"').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn the_sign_in_link_works_once_and_looking_at_it_does_not_use_it() {
    let world = World::start().await;
    let link = path_in(&world.sign_in_link);
    for _ in 0..3 {
        assert!(world.get(&link).await.body.contains("Sign in"));
    }
    let office = Office::sign_in(&world).await;
    assert!(office.get("/admin/payments").await.body.contains("Recent Payments"));
    assert_eq!(world.get(&link).await.status, 410);
    let again = world.post(&link, &[], vec![]).await;
    assert!(again.status == 410 && again.body.contains("holdfast sign-in"), "{}", again.body);
    assert!(!again.headers.contains_key(SET_COOKIE));
    assert_eq!(world.get("/sign-in/made-up").await.status, 410);
}

#[tokio::test]
async fn a_sign_in_link_is_good_for_a_day_and_can_be_made_anew() {
    let world = World::start().await;
    world.clock.skip_ahead(Duration::from_secs(25 * 60 * 60));
    assert_eq!(world.get(&path_in(&world.sign_in_link)).await.status, 410);
    let link = admin::sign_in_link(&world.data(), &tenant()).await.unwrap();
    // Made by the machine's own clock, which this gateway is a day ahead of.
    assert_eq!(world.get(&path_in(&link.0)).await.status, 410);
    assert!(link.0.starts_with(&world.url("")), "{} is not where it is served", link.0);
}

#[tokio::test]
async fn without_a_session_there_is_nothing_to_see_or_do() {
    let world = World::start().await;
    for path in ["/admin/payments", "/admin/handhelds", "/admin/payments/live"] {
        for cookie in ["", "holdfast_office=made-up"] {
            let answer = world.send(Method::GET, path, &[("cookie", cookie)], vec![]).await;
            assert_eq!(answer.status, 401, "{path}");
            assert!(answer.body.contains("holdfast sign-in"));
        }
    }
    let answer = world.post("/admin/handhelds/code", &[], b"csrf=x&officer=1".to_vec()).await;
    assert_eq!(answer.status, 401);
    assert_eq!(world.count("SELECT COUNT(*) FROM enrolment_codes").await, 0);
}

#[tokio::test]
async fn a_form_of_a_foreign_page_changes_nothing() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    for (path, form) in [
        ("/admin/handhelds/code", "officer=1"),
        ("/admin/handhelds/code", "csrf=&officer=1"),
        ("/admin/handhelds/code", "csrf=made-up&officer=1"),
        ("/admin/sign-out", "csrf=made-up"),
    ] {
        let answer = office.post(path, form).await;
        assert!(answer.status == 403 || answer.status == 400, "{form}: {}", answer.status);
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM enrolment_codes").await, 0);
    assert_eq!(office.get("/admin/payments").await.status, 200);
}

#[tokio::test]
async fn an_administrator_enrols_and_approves_a_handheld() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let csrf = office.csrf().await;
    let page = office.post("/admin/handhelds/code", &format!("csrf={csrf}&officer=1")).await.body;
    assert!(page.contains("<svg") && page.contains("Ada Okafor"), "{page}");
    let link = page.split_once("id=\"enrolment-link\">").unwrap().1.split('<').next().unwrap();
    let link = EnrolmentLink::parse(link).unwrap();
    let handheld = Handheld::enrol_with(&world, &link).await;
    let digits = handheld.enrolled.six_digits.clone();
    let page = office.get("/admin/handhelds").await.body;
    assert!(page.contains(&digits) && page.contains("Rugged 7"), "{page}");
    let device = handheld.enrolled.device;
    let wrong = format!("csrf={csrf}&handheld={device}&six_digits=000+000");
    assert_eq!(office.post("/admin/handhelds/approve", &wrong).await.status, 409);
    assert_eq!(submit(&world, handheld.order().to_bytes()).await.code(), "device_not_approved");
    let right = format!("csrf={csrf}&handheld={device}&six_digits={}", digits.replace(' ', "+"));
    office.post("/admin/handhelds/approve", &right).await.location();
    handheld.send(&world, &handheld.order()).await;
}

#[tokio::test]
async fn the_list_hears_of_new_payments_by_itself() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let handheld = Handheld::enrol(&world).await;
    let request = world.http.get(world.url("/admin/payments/live?after=0"));
    let mut stream = request.header("cookie", &office.cookie).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let payment = handheld.send(&world, &handheld.order()).await;
    let mut heard = String::new();
    while !heard.contains(&payment) {
        let part = tokio::time::timeout(Duration::from_secs(20), stream.chunk()).await;
        heard.push_str(&String::from_utf8_lossy(&part.unwrap().unwrap().unwrap()));
    }
    assert!(heard.contains("event: payment") && heard.contains("data-state=\"sent\""), "{heard}");
    let page = office.get("/admin/payments").await.body;
    for part in [payment.as_str(), "USD 12.50", "Ada Okafor", "TEST", "Sent"] {
        assert!(page.contains(part), "{part}");
    }
}

#[tokio::test]
async fn one_tenants_administrator_sees_nothing_of_another() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let payment = handheld.send(&world, &handheld.order()).await;
    let add = admin::TenantAdd { tenant: "other".parse().unwrap(), name: None, hosts: Vec::new() };
    let link = admin::tenant_add(&world.data(), add).await.unwrap().0;
    let answer = world.post(&path_in(&link), &[], vec![]).await;
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap().split(';').next().unwrap();
    let office = Office { world: &world, cookie: cookie.to_owned() };
    assert!(!office.get("/admin/payments").await.body.contains(&payment));
    let page = office.get("/admin/handhelds").await.body;
    assert!(!page.contains("Rugged 7") && !page.contains("Ada Okafor"));
    let csrf = office.csrf().await;
    let pending = Handheld::enrol_with(&world, &new_link(&world, false).await).await;
    let digits = pending.enrolled.six_digits.replace(' ', "+");
    let form = format!("csrf={csrf}&handheld={}&six_digits={digits}", pending.enrolled.device);
    assert_eq!(office.post("/admin/handhelds/approve", &form).await.status, 409);
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let csrf = office.csrf().await;
    let answer = office.post("/admin/sign-out", &format!("csrf={csrf}")).await;
    assert!(answer.headers[SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(office.get("/admin/payments").await.status, 401);
    let key = new_key();
    let link = new_link(&world, true).await;
    assert_eq!(ask_to_enrol(&world, &link, &key, &key).await.status, 200);
}
