//! Names, headers and refusals that every request meets.

use crate::handheld::{Handheld, path_of};
use crate::world::World;
use holdfast_gateway::admin;
use reqwest::Method;

#[tokio::test]
async fn only_registered_host_names_are_answered() {
    let world = World::start().await;
    for path in ["/", "/health", "/admin/payments", "/api/demo/handheld/config", "/O/AAAA"] {
        let headers = [("host", "evil.example.org")];
        let answer = world.send(Method::GET, path, &headers, vec![]).await;
        assert_eq!(answer.status, 421, "{path}");
        assert!(answer.body.contains("--host"), "{path}: {}", answer.body);
    }
    let port = world.url("").rsplit(':').next().unwrap().to_owned();
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        let host = format!("{host}:{port}");
        let answer = world.send(Method::GET, "/health", &[("host", &host)], vec![]).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "ok\n"), "{host}");
    }
    let add = admin::TenantAdd {
        tenant: "other".parse().unwrap(),
        name: None,
        hosts: vec!["Other.Example.org".into()],
    };
    admin::tenant_add(&world.data(), add).await.unwrap();
    let headers = [("host", "other.example.org:8443")];
    assert_eq!(world.send(Method::GET, "/health", &headers, vec![]).await.status, 200);
}

#[tokio::test]
async fn under_a_tenants_own_name_no_other_tenant_is_served() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let payment = handheld.send(&world, &order).await;
    let add = admin::TenantAdd {
        tenant: "other".parse().unwrap(),
        name: None,
        hosts: vec!["other.example.org".into()],
    };
    admin::tenant_add(&world.data(), add).await.unwrap();
    let headers = [("host", "other.example.org")];
    for path in [format!("/pay/{payment}"), path_of(&order), "/api/demo/handheld/config".to_owned()]
    {
        let answer = world.send(Method::GET, &path, &headers, vec![]).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert!(!answer.body.contains("Day permit"));
    }
}

#[tokio::test]
async fn every_page_is_guarded() {
    let world = World::start().await;
    let handheld = Handheld::enrol(&world).await;
    let order = handheld.order();
    let payment = handheld.send(&world, &order).await;
    let link = "/sign-in/".to_owned() + world.sign_in_link.rsplit('/').next().unwrap();
    // Addresses that are secrets are never told on; the office's pages tell each other.
    for (path, referrer) in [
        (path_of(&order), "no-referrer"),
        (format!("/pay/{payment}"), "no-referrer"),
        (link, "no-referrer"),
        ("/sign-in".to_owned(), "same-origin"),
        ("/admin/payments".to_owned(), "same-origin"),
        ("/nowhere".to_owned(), "no-referrer"),
        ("/api/nowhere".to_owned(), "no-referrer"),
    ] {
        let answer = world.get(&path).await;
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("referrer-policy"), referrer, "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"));
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
        assert_eq!(header("x-request-id").len(), 16);
        assert!(!answer.body.contains(" style=") && !answer.body.contains(" onclick"), "{path}");
    }
    let css = world.get("/assets/holdfast.css").await;
    assert!(css.headers["cache-control"].to_str().unwrap().contains("immutable"));
}

#[tokio::test]
async fn refusals_under_api_are_json_and_elsewhere_pages() {
    let world = World::start().await;
    for (method, path, status) in [
        (Method::GET, "/api", 404),
        (Method::GET, "/api/", 404),
        (Method::GET, "/api/demo/nothing", 404),
        (Method::DELETE, "/api/demo/orders", 405),
    ] {
        let answer = world.send(method, path, &[], vec![]).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, "not_found"));
    }
    let page = world.get("/nowhere").await;
    assert_eq!(page.status, 404);
    let id = page.headers["x-request-id"].to_str().unwrap();
    assert!(page.body.contains(id) && page.body.contains("Check the address"), "{}", page.body);
}

#[tokio::test]
async fn long_request_lines_and_odd_targets_do_no_harm() {
    let world = World::start().await;
    let long = format!("/O/{}", "A".repeat(6_000));
    assert!(world.get(&long).await.status.is_client_error());
    for path in ["/O/%00", "/O/..%2F..%2Fetc", "/pay/%F0%9F%92%B3", "/sign-in/%22"] {
        assert!(world.get(path).await.status.is_client_error(), "{path}");
    }
    assert_eq!(world.get("/health").await.status, 200);
}
