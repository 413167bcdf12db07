//! Every route, with every part of its request spoiled in turn.
//!
//! Short here. `HOLDFAST_FUZZ_ROUNDS` asks for more of each route, `HOLDFAST_FUZZ_SEED` for others;
//! `scripts/fuzz` does both. A failure names the seed and what was done to the request.

use super::cases::{CASES, Case, Cost, Who};
use super::nasty::{Dice, RAW_MARKUP, Spoiled, spoil};
use super::request::Request;
use super::stage::{FOREIGN, Stage};
use super::wire::Reply;
use crate::handheld::submit;
use crate::office::Office;
use holdfast_gateway::admin;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use std::collections::BTreeMap;
use std::time::Duration;

/// Spoiled requests of each route in the tests.
const ROUNDS: u64 = 8;
/// The same of one that asks Stripe or hashes a password.
const ROUNDS_DEAR: u64 = 2;
const SEED: u64 = 20_261_123;
/// How often, and how many times, it is looked whether the worker still writes.
const LOOK_AGAIN: Duration = Duration::from_millis(150);
const LOOKS_MAX: u32 = 40;
/// What a good request of the table is refused with, where there is nothing to be had.
const REFUSED_WHEN_GOOD: &[(&str, u16)] = &[
    ("POST /sign-in", 401),
    ("GET /sign-in/{token}", 410),
    ("POST /sign-in/{token}", 410),
    ("GET /R/{receipt}", 404),
    ("GET /r/{receipt}", 404),
];
/// What the worker writes at any time, and what a refusal leaves behind on purpose: its entry in a list,
/// or a count of wrong passwords.
const MAY_CHANGE: [&str; 10] = [
    "audit",
    "charge_credentials",
    "deliveries",
    "installation",
    "jobs",
    "readiness_probe",
    "refused_counts",
    "users",
    "webhook_looks",
    "repairs",
];

/// What the worker writes about payments, some time after they were made.
pub(crate) const BY_WORKER: [&str; 6] =
    ["attempts", "payments", "tenants", "evidence", "objects", "events"];

/// What stands in each table.
pub(crate) type State = BTreeMap<String, String>;

/// The tables of the gateway, each as one text.
pub(crate) struct Tables {
    pool: SqlitePool,
    sql: BTreeMap<String, String>,
}

impl Tables {
    pub(crate) async fn of(stage: &Stage) -> Self {
        let file = stage.world.data().join("holdfast.db");
        let options = SqliteConnectOptions::new().filename(file).read_only(true);
        let pool = SqlitePool::connect_with(options).await.unwrap();
        let tables = "SELECT m.name, group_concat('quote(\"' || c.name || '\")', ' || '','' || ') \
                      FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                      WHERE m.type = 'table' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\' GROUP BY m.name";
        let tables: Vec<(String, String)> = sqlx::query_as(tables).fetch_all(&pool).await.unwrap();
        let sql = tables.into_iter().filter(|(name, _)| !MAY_CHANGE.contains(&name.as_str()));
        let sql = sql.map(|(name, row)| {
            let all = format!("SELECT COALESCE(group_concat({row}, ';'), '') FROM {name}");
            (name, all)
        });
        Self { pool, sql: sql.collect() }
    }

    pub(crate) async fn now(&self) -> State {
        let mut all = BTreeMap::new();
        for (name, sql) in &self.sql {
            let sql = sqlx::AssertSqlSafe(sql.clone());
            let text: String = sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap();
            all.insert(name.clone(), text);
        }
        all
    }

    /// Tables that are other than before.
    pub(crate) async fn changed(&self, before: &State) -> Vec<String> {
        let now = self.now().await;
        let other = now.iter().filter(|(name, text)| before.get(*name) != Some(*text));
        other.map(|(name, _)| name.clone()).collect()
    }
}

fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_sent_nothing_breaks_leaks_or_changes_that_was_refused() {
    let seed = asked("HOLDFAST_FUZZ_SEED").unwrap_or(SEED);
    let rounds = asked("HOLDFAST_FUZZ_ROUNDS");
    let stage = Stage::set().await;
    let mut fuzz =
        Fuzz { tables: Tables::of(&stage).await, dice: Dice::new(seed), stage, wrong: Vec::new() };
    for case in CASES {
        fuzz.good(case).await;
        let few = if case.cost == Cost::Dear { ROUNDS_DEAR } else { ROUNDS };
        for _ in 0..rounds.unwrap_or(few) {
            fuzz.spoiled(case).await;
        }
    }
    fuzz.what_was_stored_is_shown_escaped().await;
    fuzz.it_still_works().await;
    let wrong = &fuzz.wrong;
    assert!(
        wrong.is_empty(),
        "seed {seed}, {} wrong: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(12)]
    );
}

struct Fuzz {
    stage: Stage,
    tables: Tables,
    dice: Dice,
    wrong: Vec<String>,
}

impl Fuzz {
    /// The request of the table as it stands: it has to be a good one, or spoiling it proves little.
    async fn good(&mut self, case: &Case) {
        let name = format!("{} {}", case.method, case.route);
        let request = Request::good(&self.stage, case).await;
        let wire = request.wire(&self.stage).with("x-forwarded-for", self.somebody());
        let Some(reply) = wire.send(&self.stage.world).await else {
            return self.wrong.push(format!("{name}: no answer to a good request"));
        };
        let known = REFUSED_WHEN_GOOD.iter().find(|(route, _)| *route == name);
        let fits = match known {
            Some((_, status)) => reply.status == *status,
            // A page may say that there is nothing to do; that it did not understand, it may not.
            None => reply.status < 400 || matches!(reply.status, 404 | 409 | 422),
        };
        self.settled(case).await;
        if !fits {
            let words = words(&reply);
            self.wrong.push(format!("{name}: a good request gets {} {words}", reply.status));
        }
    }

    async fn spoiled(&mut self, case: &Case) {
        // Limits are proven elsewhere; here they would only hide what lies behind them.
        for _ in 0..2 {
            let mut request = Request::good(&self.stage, case).await;
            let spoiled = spoil(&mut request, &mut self.dice);
            let mut wire = request.wire(&self.stage);
            if !wire.headers.iter().any(|(name, _)| name == "x-forwarded-for") {
                wire = wire.with("x-forwarded-for", self.somebody());
            }
            let name = format!("{} {} with {}", case.method, case.route, short(&spoiled.how));
            let before = self.tables.now().await;
            let reply = wire.send(&self.stage.world).await;
            let limited = reply.as_ref().is_some_and(|it| it.status == 429);
            self.judge(case, &name, &spoiled, reply, &before).await;
            self.settled(case).await;
            if !limited {
                return;
            }
            self.stage.world.clock.skip_ahead(Duration::from_secs(61));
        }
    }

    /// Waits until the worker has done what the request left to it.
    async fn settled(&self, case: &Case) {
        if case.cost == Cost::Cheap {
            return;
        }
        let mut last = self.tables.now().await;
        for _ in 0..LOOKS_MAX {
            tokio::time::sleep(LOOK_AGAIN).await;
            let now = self.tables.now().await;
            if now == last {
                return;
            }
            last = now;
        }
    }

    /// An address that nobody else comes from.
    fn somebody(&mut self) -> String {
        let number = self.dice.next().to_be_bytes();
        format!("10.{}.{}.{}", number[0], number[1], number[2])
    }

    async fn judge(
        &mut self,
        case: &Case,
        name: &str,
        spoiled: &Spoiled,
        reply: Option<Reply>,
        before: &State,
    ) {
        let Some(reply) = reply else {
            if spoiled.must_answer {
                self.wrong.push(format!("{name}: the gateway hung up without an answer"));
            }
            return;
        };
        if reply.status >= 500 {
            self.wrong.push(format!("{name}: {} {}", reply.status, words(&reply)));
        }
        self.leaks(name, &reply);
        self.markup(name, &reply);
        if reply.status >= 400 {
            self.says_why(case, name, &reply);
            let changed = self.tables.changed(before).await;
            // What the worker does about an earlier payment may fall between the two looks.
            let ours: Vec<_> =
                changed.iter().filter(|it| !BY_WORKER.contains(&it.as_str())).collect();
            if !ours.is_empty() {
                self.wrong
                    .push(format!("{name}: refused ({}), and changed {ours:?}", reply.status));
            }
        }
    }

    fn leaks(&mut self, name: &str, reply: &Reply) {
        // The reference of a foreign charge is among what is typed, so it may come back.
        let foreign = FOREIGN.iter().filter(|it| **it != "F-7042").map(|it| (*it).to_owned());
        for secret in self.stage.secrets.iter().cloned().chain(foreign) {
            if reply.contains(&secret) {
                self.wrong.push(format!("{name}: the answer holds {secret}"));
            }
        }
        let id = reply.header("x-request-id");
        if reply.head.contains("zq") && reply.header("location").is_none() {
            self.wrong.push(format!("{name}: a header of ours holds theirs: {}", reply.head));
        }
        // What is no HTTP is answered before there is a request.
        let is_framing = matches!(reply.status, 400 | 417 | 431 | 501) && reply.body.is_empty();
        if !is_framing && id.is_none_or(|id| id.len() != 16) {
            self.wrong.push(format!("{name}: {} without a request ID", reply.status));
        }
    }

    fn markup(&mut self, name: &str, reply: &Reply) {
        let kind = reply.header("content-type").unwrap_or_default();
        let is_page = kind.starts_with("text/html") || kind.starts_with("image/svg");
        for raw in RAW_MARKUP.iter().filter(|raw| is_page && reply.contains(raw)) {
            self.wrong.push(format!("{name}: the page holds {raw} as markup"));
        }
    }

    fn says_why(&mut self, case: &Case, name: &str, reply: &Reply) {
        if reply.body.is_empty() {
            return;
        }
        let text = reply.text();
        let good = match case.route.starts_with("/api/") {
            true => serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|body| {
                body["code"].is_string() && body["message"].as_str().is_some_and(|it| it.len() > 9)
            }),
            false => text.contains("<h1") || case.route == "/ready",
        };
        if !good {
            self.wrong.push(format!(
                "{name}: {} in no words of ours: {}",
                reply.status,
                short(&text)
            ));
        }
    }

    /// What came in is looked at once more on every page of the office, and in its files.
    async fn what_was_stored_is_shown_escaped(&mut self) {
        // The fuzzer may have signed itself out.
        let world = &self.stage.world;
        let link = admin::sign_in_link(&world.data(), &self.stage.demo.tenant).await.unwrap();
        let office = Office::by_link(world, &link.0).await;
        self.stage.demo.cookie = office.cookie().to_owned();
        for case in CASES.iter().filter(|it| it.method == "GET" && it.who == Who::Office) {
            let mut request = Request::good(&self.stage, case).await;
            request.query.clear();
            let reply = request.wire(&self.stage).send(&self.stage.world).await.expect("a page");
            let name = format!("GET {} at the end", case.route);
            self.leaks(&name, &reply);
            self.markup(&name, &reply);
            if reply.header("content-type").is_some_and(|kind| kind.starts_with("text/csv")) {
                let cells = csv::ReaderBuilder::new()
                    .flexible(true)
                    .from_reader(&reply.body[..])
                    .into_records();
                for cell in
                    cells.flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
                {
                    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
                        self.wrong.push(format!("{name}: a spreadsheet would run {cell:?}"));
                    }
                }
            }
        }
    }

    async fn it_still_works(&mut self) {
        let world = &self.stage.world;
        assert_eq!(world.text("PRAGMA integrity_check").await, "ok");
        assert!(world.count("SELECT COUNT(*) FROM orders").await >= 1);
        assert_eq!(world.get("/health").await.status, 200);
        let answer = submit(world, self.stage.demo.handheld.order().to_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

fn short(text: &str) -> String {
    text.chars().take(160).collect()
}

/// What a refusal says, as far as a failure should show it.
fn words(reply: &Reply) -> String {
    let text = reply.text();
    let from = text.find("<main").unwrap_or(0);
    short(&text[from..])
}
