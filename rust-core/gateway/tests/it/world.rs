//! One gateway with one sandbox, furnished as an operator would.

use holdfast_gateway::world::{NoEntropy, SystemWorld, World as Outside};
use holdfast_gateway::{Mode, Options, Running, Secret, TenantSlug, admin};
use holdfast_sandbox::WebhookTarget;
use holdfast_sandbox::core::{CardForm, PayOutcome};
use holdfast_stripe::WebhookSecret;
use holdfast_stripe::objects::EventType;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const SECRET_KEY: &str = "sk_test_51TestsOfTheGatewayAbcd";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_TestsOfTheGateway0123456789";
pub(crate) const GOOD_CARD: &str = "4242424242424242";
pub(crate) const POOR_CARD: &str = "4000000000009995";
const CATALOGUE: &str = "id,name,price\n1,Day permit,12.50\n2,Clamp <b>release</b>,150\n";
/// Longest wait for something that real processes do, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The machine's randomness, its clock with an offset that the test sets, and its disk with as much less
/// room as the test says.
#[derive(Default)]
pub(crate) struct Clock {
    ahead_ms: AtomicI64,
    taken_bytes: AtomicU64,
    /// Where live keys go.
    live_stripe: Option<String>,
}

impl Clock {
    pub(crate) fn skip_ahead(&self, by: Duration) {
        self.ahead_ms.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Somebody fills the disk up to so much room, or (none) gives it back.
    pub(crate) fn leave_free(&self, bytes: Option<u64>) {
        self.taken_bytes.store(bytes.map_or(0, |bytes| u64::MAX - bytes), Ordering::SeqCst);
    }
}

impl Outside for Clock {
    fn now_ms(&self) -> i64 {
        SystemWorld.now_ms() + self.ahead_ms.load(Ordering::SeqCst)
    }

    fn free_bytes(&self, folder: &Path) -> Option<u64> {
        match self.taken_bytes.load(Ordering::SeqCst) {
            0 => SystemWorld.free_bytes(folder),
            taken => Some(u64::MAX - taken),
        }
    }

    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        SystemWorld.fill(buffer)
    }

    fn live_stand_in(&self) -> Option<&str> {
        self.live_stripe.as_deref()
    }
}

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<Clock>,
    pub(crate) gateway: Option<Running>,
    pub(crate) sandbox: holdfast_sandbox::Running,
    /// A second Stripe, which plays live mode.
    pub(crate) live_stripe: Option<holdfast_sandbox::Running>,
    pub(crate) http: Client,
    pub(crate) sign_in_link: String,
}

/// What a test wants to be otherwise.
pub(crate) struct Setup {
    pub(crate) webhooks: bool,
    pub(crate) name: &'static str,
    /// Where on the gateway Stripe sends to, what it signs with, and which events; none: all.
    pub(crate) webhook_path: &'static str,
    pub(crate) signed_with: &'static str,
    pub(crate) events: &'static [&'static str],
    pub(crate) trusted_proxies: &'static [&'static str],
    /// True where live keys reach a Stripe: one that plays live mode.
    pub(crate) live_stripe: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            webhooks: true,
            name: "Demo Borough",
            webhook_path: "/api/demo/qr/payment/webhook",
            signed_with: WEBHOOK_SECRET,
            events: &[],
            trusted_proxies: &[],
            live_stripe: false,
        }
    }
}

pub(crate) fn tenant() -> TenantSlug {
    "demo".parse().unwrap()
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let made = admin::init(admin::Init {
            data: data.clone(),
            tenant: tenant(),
            name: Some(setup.name.to_owned()),
            public_url: None,
            hosts: Vec::new(),
        });
        let sign_in_link = made.await.unwrap().sign_in_link;
        admin::officer_add(&data, &tenant(), "Ada Okafor").await.unwrap();
        let list = folder.path().join("list.csv");
        std::fs::write(&list, CATALOGUE).unwrap();
        admin::catalogue_load(&data, &tenant(), &list).await.unwrap();
        let live_stripe = match setup.live_stripe {
            true => Some(start_live_sandbox().await),
            false => None,
        };
        let live_url = live_stripe.as_ref().map(|it| it.url().to_owned());
        let clock = Arc::new(Clock { live_stripe: live_url, ..Clock::default() });
        let gateway = serve(&data, "127.0.0.1:0", &clock, setup.trusted_proxies).await;
        let sandbox = start_sandbox(setup.webhooks.then_some(gateway.url()), &setup).await;
        let http = client();
        let world = Self {
            folder,
            clock,
            gateway: Some(gateway),
            sandbox,
            live_stripe,
            http,
            sign_in_link,
        };
        // Beside the running gateway, as the contract says.
        world.stripe_set(world.sandbox.url()).await;
        world
    }

    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.gateway.as_ref().unwrap().url())
    }

    /// Sets the payment type's keys, with Stripe at that address.
    pub(crate) async fn stripe_set(&self, api_base: &str) {
        self.stripe_set_key(api_base, SECRET_KEY).await;
    }

    /// The same with a key of the test's.
    pub(crate) async fn stripe_set_key(&self, api_base: &str, key: &str) -> admin::ProcessorSet {
        let secret = |text: &str| Some(Secret::new(text.to_owned()));
        let set = admin::SetProcessor {
            tenant: tenant(),
            code: "STRIPE".parse().unwrap(),
            mode: Mode::Test,
            name: None,
            currency: None,
            webhook_id: None,
            api_base: Some(api_base.to_owned()),
            secret_key: secret(key),
            publishable_key: None,
            webhook_secret: secret(WEBHOOK_SECRET),
        };
        admin::stripe_set(&self.data(), set).await.unwrap()
    }

    /// Stops the gateway and starts it again on the same address.
    pub(crate) async fn restart(&mut self) {
        let running = self.gateway.take().unwrap();
        let address = running.url().strip_prefix("http://").unwrap().to_owned();
        running.shutdown().await;
        self.gateway = Some(serve(&self.data(), &address, &self.clock, &[]).await);
    }

    /// Stops the gateway, puts a backup in place of its data, and starts it again on the same address.
    pub(crate) async fn put_back(&mut self, backup: &Path) {
        let running = self.gateway.take().unwrap();
        let address = running.url().strip_prefix("http://").unwrap().to_owned();
        running.shutdown().await;
        let restore = admin::Restore { data: self.data(), file: backup.to_owned(), force: true };
        admin::restore(restore).await.unwrap();
        self.gateway = Some(serve(&self.data(), &address, &self.clock, &[]).await);
    }

    /// One number out of the database.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.database().await).await.unwrap()
    }

    /// One text out of the database.
    pub(crate) async fn text(&self, sql: &'static str) -> String {
        sqlx::query_scalar(sql).fetch_one(&self.database().await).await.unwrap()
    }

    /// Some bytes out of the database.
    pub(crate) async fn blob(&self, sql: &'static str) -> Vec<u8> {
        sqlx::query_scalar(sql).fetch_one(&self.database().await).await.unwrap()
    }

    /// The gateway's clock.
    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Changes the database as nobody should.
    pub(crate) async fn change(&self, sql: impl Into<String>) {
        let options = SqliteConnectOptions::new().filename(self.data().join("holdfast.db"));
        let pool = SqlitePool::connect_with(options).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(sql.into())).execute(&pool).await.unwrap();
        pool.close().await;
    }

    /// The same with one text in it.
    pub(crate) async fn change_with(&self, sql: &'static str, text: &str) {
        let options = SqliteConnectOptions::new().filename(self.data().join("holdfast.db"));
        let pool = SqlitePool::connect_with(options).await.unwrap();
        sqlx::query(sql).bind(text.to_owned()).execute(&pool).await.unwrap();
        pool.close().await;
    }

    async fn database(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new().filename(self.data().join("holdfast.db"));
        SqlitePool::connect_with(options.read_only(true)).await.unwrap()
    }

    /// Everything that a payment could change, in one text.
    pub(crate) async fn ledger(&self) -> String {
        let mut all = String::new();
        for table in ["payments", "attempts", "evidence", "orders", "jobs", "events"] {
            let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
            let count: i64 =
                sqlx::query_scalar(sql).fetch_one(&self.database().await).await.unwrap();
            all.push_str(&format!("{table} {count}\n"));
        }
        all + &format!("revision {}", self.count("SELECT revision FROM tenants").await)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        self.send(Method::POST, path, headers, body).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let address = if path.starts_with("http") { path.to_owned() } else { self.url(path) };
        let mut request = self.http.request(method, address).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// The payer types a card on Stripe's page.
    pub(crate) fn type_card(&self, page: &str, number: &str) -> PayOutcome {
        let session = page.rsplit('/').next().unwrap().to_owned();
        let form = CardForm::test(number);
        self.sandbox.handle().with_core(|core, now_ms| core.pay_session(&session, &form, now_ms))
    }

    /// How many sessions Stripe has.
    pub(crate) fn sessions(&self) -> usize {
        self.sandbox.handle().with_core(|core, _| core.sessions().count())
    }

    /// Waits until the payment's own page says so.
    pub(crate) async fn page_says(&self, payment: &str, words: &str) -> String {
        let begun = Instant::now();
        loop {
            let page = self.get(&format!("/pay/{payment}")).await;
            if page.body.contains(words) {
                return page.body;
            }
            let late = begun.elapsed() > PATIENCE;
            assert!(!late, "the page never says {words:?}:\n{}", page.body);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the database says so.
    pub(crate) async fn until(&self, sql: &'static str, wanted: i64) {
        let begun = Instant::now();
        while self.count(sql).await != wanted {
            assert!(begun.elapsed() < PATIENCE, "never {wanted}: {sql}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    /// The stable code of a refusal.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        let message = body["message"].as_str().unwrap();
        assert!(message.ends_with('.'), "a message is a sentence: {message}");
        body["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn location(&self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.headers[LOCATION].to_str().unwrap().to_owned()
    }
}

pub(crate) fn client() -> Client {
    Client::builder()
        .tls_backend_preconfigured(holdfast_stripe::tls::client_config().unwrap())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

async fn serve(data: &Path, listen: &str, clock: &Arc<Clock>, proxies: &[&str]) -> Running {
    let (data, listen) = (data.to_owned(), listen.to_owned());
    let trusted_proxies = proxies.iter().map(|it| it.parse().unwrap()).collect();
    let metrics_listen = Some("127.0.0.1:0".to_owned());
    let options = Options { data, listen, trusted_proxies, metrics_listen, ..Options::default() };
    holdfast_gateway::start_in(options, clock.clone()).await.unwrap()
}

async fn start_live_sandbox() -> holdfast_sandbox::Running {
    let options = holdfast_sandbox::Options { live: true, ..holdfast_sandbox::Options::default() };
    holdfast_sandbox::start(options).await.unwrap()
}

async fn start_sandbox(gateway: Option<&str>, setup: &Setup) -> holdfast_sandbox::Running {
    let target = gateway.map(|url| WebhookTarget {
        url: format!("{url}{}", setup.webhook_path),
        secret: WebhookSecret::parse(setup.signed_with).unwrap(),
        events: setup.events.iter().map(|it| EventType::from(*it)).collect(),
    });
    let options = holdfast_sandbox::Options {
        webhooks: target.into_iter().collect(),
        ..holdfast_sandbox::Options::default()
    };
    holdfast_sandbox::start(options).await.unwrap()
}
