//! What a real process tells of itself: each line of its log says which request and which payment it is
//! about, and no secret stands in anything that it writes.

use crate::desk::Desk;
use crate::field::{Field, SECRET_KEY, WEBHOOK_SECRET};
use crate::program::{self, Running};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn logged(field: &Field, level: &str, log: &Path) -> Running {
    let mut serve = program::holdfast(&["serve", "--metrics-listen", field.operators()]);
    serve.env("HOLDFAST_LOG", level).env("HOLDFAST_LOG_FORMAT", "json");
    serve.arg("--data").arg(field.data()).args(["--listen", field.listen()]);
    Running::start_logged(serve, log)
}

fn lines(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap();
    let line =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
    text.lines().map(line).collect()
}

/// A request's ID, as its answer names it.
async fn id_of(request: reqwest::RequestBuilder, status: u16) -> (String, String) {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), status);
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    (id, answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_the_log_names_its_request_and_its_payment() {
    let field = Field::furnished().await;
    let log = field.home().join("log");
    // Only warnings: the IDs must not go with the lines that are left out.
    let gateway = logged(&field, "warn", &log);
    let http = field.http();
    let unsigned = http.post(field.url("/api/demo/qr/payment/webhook"));
    let (refused, _) = id_of(unsigned, 400).await;
    gateway.stop();
    let warned = lines(&log);
    let warned: Vec<_> = warned.iter().filter(|line| line["span"]["request"] == *refused).collect();
    assert!(warned.iter().any(|it| it["level"] == "WARN"), "{warned:?}");

    let gateway = logged(&field, "info", &log);
    let hand = field.enrolled().await;
    let order = hand.order();
    let payment = order.payload().payment.to_string();
    let request =
        http.post(field.url("/api/demo/orders")).header("content-type", "application/cose");
    let (held, _) = id_of(request.body(order.to_bytes()), 200).await;
    let (opened, _) = id_of(http.post(field.url(&format!("/pay/{payment}/pay"))), 303).await;
    field.pay(&payment).await;
    field.until(&format!("SELECT COUNT(*) FROM orders WHERE payment = '{payment}'"), 1).await;
    field.until("SELECT COUNT(*) > 0 FROM deliveries WHERE outcome = 'followed'", 1).await;
    let (looked, _) = id_of(http.get(field.url(&format!("/pay/{payment}"))), 200).await;
    let (nothing, page) = id_of(http.get(field.url("/nowhere")), 404).await;
    assert!(page.contains(&nothing), "the page of an error names its request");
    let (forbidden, _) = id_of(http.get(field.url("/admin/payments")), 401).await;
    let (api, told) = id_of(http.get(field.url("/api/demo/nothing")), 404).await;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["request_id"], *api, "so does the answer to a program");
    gateway.stop();

    let all = lines(&log);
    let of = |id: &str| -> Vec<&Value> {
        all.iter().filter(|line| line["span"]["request"] == *id).collect()
    };
    for (id, status) in [
        (&held, 200),
        (&opened, 303),
        (&looked, 200),
        (&nothing, 404),
        (&forbidden, 401),
        (&api, 404),
    ] {
        let last = of(id).into_iter().find(|it| it["fields"]["message"] == "request");
        let last = last.unwrap_or_else(|| panic!("no line for {id}"));
        assert_eq!(last["fields"]["status"], status, "{last}");
    }
    for id in [&held, &opened, &looked] {
        for line in of(id).iter().filter(|it| it["fields"]["message"] == "request") {
            assert_eq!(line["span"]["payment"], *payment, "{line}");
        }
    }
    assert!(of(&held).len() >= 2, "only the last line names the request");
    let stored = |it: &&Value| it["fields"]["message"] == "webhook event stored";
    let about = all.iter().filter(stored).filter(|it| it["span"]["payment"] == *payment).count();
    assert!(about > 0, "no delivery names its payment");
    for line in &all {
        let target = line["target"].as_str().unwrap();
        let of_a_request = target.starts_with("holdfast_gateway::http::")
            && !target.starts_with("holdfast_gateway::http::server");
        assert!(!of_a_request || line["span"]["request"].is_string(), "nobody's line: {line}");
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn stands_in(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

fn said_by(args: &[&str], field: &Field) -> Vec<u8> {
    let mut command = program::holdfast(args);
    let output = command.arg("--data").arg(field.data()).env("HOLDFAST_LOG", "trace").output();
    let output = output.unwrap();
    [output.stdout, output.stderr].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_stands_in_anything_that_a_real_process_writes() {
    let field = Field::furnished().await;
    let log = field.home().join("log");
    let master =
        || std::fs::read_to_string(field.data().join("master.key")).unwrap().trim().to_owned();
    let mut secrets = vec![
        ("secret key", SECRET_KEY.to_owned()),
        ("webhook secret", WEBHOOK_SECRET.to_owned()),
        ("sign-in token", field.sign_in_token()),
        ("master key", master()),
    ];
    let gateway = logged(&field, "trace", &log);
    let desk = Desk::sign_in(&field).await;
    secrets.push(("session", desk.session().to_owned()));
    let hand = field.enrolled().await;
    secrets.push(("confirm secret", hand.confirm_secret().to_owned()));

    // A payment that is paid, a refund of a part, and one that is refused.
    let order = hand.order();
    let payment = order.payload().payment.to_string();
    assert_eq!(hand.submit_once(&order).await.unwrap().0, 200);
    field.open(&payment).await;
    field.pay(&payment).await;
    field.until("SELECT COUNT(*) FROM orders", 1).await;
    let refund = format!("/admin/payments/{payment}/refund");
    for how in ["how=part&amount=0.50&reason=Overcharged", "how=part&amount=99&reason=Too+much"] {
        let form = desk.fields(&refund, &["key", "known"]).await;
        desk.post(&refund, &format!("{form}&{how}")).await;
        field.until("SELECT COUNT(*) FROM refund_requests WHERE state = 'made'", 1).await;
    }

    // Charges by a program, with its credential and with a wrong one.
    let made = desk.post("/admin/charges/api", "name=Notices").await;
    let credential = made.split_once("id=\"credential\">").unwrap().1;
    let credential = credential.split('<').next().unwrap().to_owned();
    for token in [credential.as_str(), "hfc_wrong_0123456789abcdef"] {
        let body =
            r#"{"reference":"N-1","lines":[{"text":"Parking","minor":100}],"currency":"USD"}"#;
        let call = field.http().post(field.url("/api/demo/charges")).bearer_auth(token);
        call.header("content-type", "application/json").body(body).send().await.unwrap();
    }
    secrets.push(("credential", credential));
    secrets.push(("wrong credential", "hfc_wrong_0123456789abcdef".to_owned()));

    // Signing secrets change hands, deliveries are replayed, and keys of the wrong kind are typed.
    let rolled = "whsec_RolledByTheTest0123456789";
    let temporary = "whsec_TemporaryOfTheCli0123456789";
    let live = concat!("sk_", "live_51TypedByTheTest0123456789");
    let other = "sk_test_51OfNobodyAtAll0123456789";
    let keys = "/admin/types/STRIPE/keys";
    for form in [
        format!("mode=test&secret_key=&publishable_key=&webhook_id=&webhook_secret={rolled}"),
        format!("mode=test&secret_key={live}&publishable_key=&webhook_id=&webhook_secret="),
        format!("mode=live&secret_key={live}&publishable_key=&webhook_id=&webhook_secret="),
        format!("mode=test&secret_key={other}&publishable_key=&webhook_id=&webhook_secret="),
    ] {
        desk.post(keys, &form).await;
    }
    secrets.extend([("rolled secret", rolled.to_owned()), ("live key", live.to_owned())]);
    secrets.extend([("CLI secret", temporary.to_owned()), ("other key", other.to_owned())]);
    desk.post("/admin/deliveries/cli-secret", &format!("secret={temporary}")).await;
    desk.post("/admin/deliveries/ask", "").await;
    for step in ["check", "verify", "register"] {
        desk.post(&format!("/admin/types/STRIPE/{step}"), "mode=test").await;
    }
    desk.post("/admin/types/STRIPE/live", "to=trial&officers=1").await;
    desk.post("/admin/account", "new_password=three+green+lamps&again=three+green+lamps").await;
    secrets.push(("password", "three green lamps".to_owned()));
    desk.post("/sign-in", "name=administrator&password=three+red+lamps").await;
    secrets.push(("wrong password", "three red lamps".to_owned()));
    let mut written = vec![("keys rotate", said_by(&["keys", "rotate"], &field))];
    secrets.push(("new master key", master()));

    let backup = field.home().join("backup.db");
    written.push(("backup", said_by(&["backup", backup.to_str().unwrap()], &field)));
    written.push(("doctor", said_by(&["doctor"], &field)));
    for (what, address) in
        [("metrics", field.operators_url("/metrics")), ("ready", field.operators_url("/ready"))]
    {
        written.push((
            what,
            field.http().get(address).send().await.unwrap().bytes().await.unwrap().to_vec(),
        ));
    }
    for page in [
        "/admin/audit",
        "/admin/deliveries",
        "/admin/types/STRIPE",
        "/admin/charges/api",
        "/admin/users",
    ] {
        written.push((page, desk.get(page).await.into_bytes()));
    }
    let crashed = crash(&field, gateway, &log);
    written.push(("crash", crashed));
    let told = std::fs::read(&log).unwrap();
    assert!(stands_in(&told, "order accepted") && stands_in(&told, "\"TRACE\""), "no log at all");

    for (name, secret) in &secrets {
        for (what, bytes) in &written {
            assert!(!stands_in(bytes, secret), "the {name} stands in {what}");
        }
        for file in files(&field.home()) {
            let keeps_it = file.ends_with("master.key") && name.ends_with("master key");
            let bytes = std::fs::read(&file).unwrap();
            assert!(
                keeps_it || !stands_in(&bytes, secret),
                "the {name} stands in {}",
                file.display()
            );
        }
    }
}

/// Kills the gateway so that the system would write its memory to a file, and starts it once more.
fn crash(field: &Field, gateway: Running, log: &Path) -> Vec<u8> {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", gateway.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(
        core.split_whitespace().nth(4),
        Some("0"),
        "its memory would be written down: {core}"
    );
    gateway.abort();
    let again = log.with_extension("again");
    logged(field, "trace", &again).stop();
    std::fs::read(again).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_large_bodies_cost_no_memory() {
    /// Bodies at once, and how many times.
    const AT_ONCE: usize = 16;
    const ROUNDS: usize = 4;
    /// What the gateway may grow by, in KiB: less than two of those bodies.
    const GROWTH_KIB_MAX: u64 = 20 * 1024;
    let field = Field::furnished().await;
    let gateway = field.serve();
    let rss_kib = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let desk = Desk::sign_in(&field).await;
    let flood = |path: &str, kind: &'static str| {
        let request = field.http().post(field.url(path)).header("cookie", desk.cookie());
        let request = request.header("content-type", kind).header("stripe-signature", "t=1,v1=00");
        async move { request.body(vec![b'a'; 10 << 20]).send().await.map(|it| it.status().as_u16()) }
    };
    let form = "application/x-www-form-urlencoded";
    let targets = [
        ("/api/demo/orders", "application/cose"),
        ("/api/demo/notices", "application/cose"),
        ("/api/demo/handheld/enrol", "application/json"),
        ("/api/demo/qr/payment/webhook", "application/json"),
        ("/admin/users", form),
        ("/sign-in", form),
    ];
    // Once for what every first request costs.
    for (path, kind) in targets {
        let _ = flood(path, kind).await;
    }
    let before = rss_kib();
    for _ in 0..ROUNDS {
        for (path, kind) in targets {
            let all = (0..AT_ONCE).map(|_| tokio::spawn(flood(path, kind)));
            for one in all.collect::<Vec<_>>() {
                // Refused, or hung up on while it was still writing.
                if let Ok(status) = one.await.unwrap() {
                    assert!(matches!(status, 413 | 429), "{path}: {status}");
                }
            }
        }
    }
    let grown = rss_kib().saturating_sub(before);
    assert!(grown < GROWTH_KIB_MAX, "it grew by {grown} KiB");
    gateway.stop();
}
