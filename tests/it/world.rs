//! A sandbox, a gateway with a price list, and handhelds enrolled at it.

use crate::handheld::Handheld;
use holdfast_domain::DeviceId;
use holdfast_gateway::admin::{self, Init, SetProcessor};
use holdfast_gateway::{Mode, Options, Secret, TenantSlug, TlsFiles};
use holdfast_sandbox::WebhookTarget;
use holdfast_stripe::WebhookSecret;
use sqlx::Row;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) const WEBHOOK_SECRET: &str = "whsec_made_up_for_tests_0123456789";
pub(crate) const SECRET_KEY: &str = "sk_test_made_up_for_tests_0123456789";
const CATALOGUE: &str = "id,name,price\n1,Day permit,12.50\n2,Clamp release,80.00\n";

/// Which webhook endpoint the sandbox knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Webhooks {
    /// The tenant's address.
    ByTenant,
    /// The system's address, tenant by host name.
    ByHost,
    /// None: redirect and poll have to do.
    None,
    /// The right address, signed with another secret.
    WrongSecret,
}

pub(crate) struct World {
    pub(crate) sandbox: holdfast_sandbox::Running,
    pub(crate) gateway: holdfast_gateway::Running,
    data: TempDir,
}

impl World {
    pub(crate) async fn new(webhooks: Webhooks) -> Self {
        let data = TempDir::new().expect("a folder");
        // The sandbox must know the gateway's address before the gateway is up.
        let listen = free_address();
        let sandbox = holdfast_sandbox::start(holdfast_sandbox::Options {
            seed: Some(7),
            webhooks: targets(webhooks, &listen),
            ..Default::default()
        })
        .await
        .expect("a sandbox");
        furnish(data.path().into(), sandbox.url()).await;
        let gateway = start(data.path().into(), listen).await;
        Self { sandbox, gateway, data }
    }

    /// The same over TLS, with a private CA, and without webhooks.
    pub(crate) async fn with_tls(tls: (TlsFiles, PathBuf)) -> Self {
        let world = Self::new(Webhooks::None).await;
        world.restarted_with_tls(tls).await
    }

    pub(crate) async fn restarted_with_tls(self, (tls, ca): (TlsFiles, PathBuf)) -> Self {
        let listen = self.gateway.url().split("://").nth(1).expect("an address").to_owned();
        self.gateway.shutdown().await;
        let options =
            Options { tls: Some(tls), tls_ca: Some(ca), ..plain(self.data.path(), listen) };
        let gateway = holdfast_gateway::start(options).await.expect("a gateway");
        Self { gateway, ..self }
    }

    pub(crate) async fn handheld(&self) -> Handheld {
        let code = admin::handheld_code(self.data.path(), &tenant(), None, true).await;
        Handheld::enrolled(&code.expect("a code").link).await
    }

    /// Pulls the gateway's plug as far as a process can do it to itself, and starts it again.
    pub(crate) async fn restart_gateway(self) -> Self {
        let listen = self.gateway.url().trim_start_matches("http://").to_owned();
        self.gateway.shutdown().await;
        let gateway = start(self.data.path().into(), listen).await;
        Self { gateway, ..self }
    }

    /// The gateway's data folder.
    pub(crate) fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    /// Stops the gateway, has the folder changed, and starts it again.
    pub(crate) async fn with_changed_folder(
        self,
        change: impl AsyncFnOnce(&std::path::Path),
    ) -> Self {
        let listen = self.gateway.url().trim_start_matches("http://").to_owned();
        self.gateway.shutdown().await;
        change(self.data.path()).await;
        let gateway = start(self.data.path().into(), listen).await;
        Self { gateway, ..self }
    }

    /// Rows of a table in the gateway's database.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        let options =
            sqlx::sqlite::SqliteConnectOptions::new().filename(self.database()).read_only(true);
        let pool = sqlx::SqlitePool::connect_with(options).await.expect("the database");
        let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        let row = sqlx::query(sql).fetch_one(&pool).await.expect("a count");
        pool.close().await;
        row.get(0)
    }

    /// The handheld that enrolled last.
    pub(crate) async fn newest_handheld(&self) -> DeviceId {
        let options =
            sqlx::sqlite::SqliteConnectOptions::new().filename(self.database()).read_only(true);
        let pool = sqlx::SqlitePool::connect_with(options).await.expect("the database");
        let sql = "SELECT device FROM devices ORDER BY enrolled_at_ms DESC, rowid DESC LIMIT 1";
        let row = sqlx::query(sql).fetch_one(&pool).await.expect("a handheld");
        pool.close().await;
        row.get::<String, _>(0).parse().expect("an ID")
    }

    /// Furnishes the gateway's database further.
    pub(crate) async fn change(&self, statements: &[&'static str]) {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.database());
        let pool = sqlx::SqlitePool::connect_with(options).await.expect("the database");
        for sql in statements {
            sqlx::query(*sql).execute(&pool).await.expect("changed");
        }
        pool.close().await;
    }

    fn database(&self) -> PathBuf {
        let entries = std::fs::read_dir(self.data.path()).expect("the folder");
        let mut files = entries.map(|entry| entry.expect("an entry").path());
        files
            .find(|path| path.extension().is_some_and(|it| it == "db" || it == "sqlite"))
            .expect("a database file")
    }

    /// How many charges of the sandbox succeeded.
    pub(crate) fn charges(&self) -> usize {
        self.sandbox
            .handle()
            .with_core(|core, _| core.charges().filter(|charge| charge.decline.is_none()).count())
    }
}

impl World {
    /// How many refunds the sandbox has.
    pub(crate) fn refunds(&self) -> usize {
        self.sandbox.handle().with_core(|core, _| core.refunds().count())
    }
}

pub(crate) fn tenant() -> TenantSlug {
    TenantSlug::parse("demo").expect("a slug")
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

fn targets(webhooks: Webhooks, listen: &str) -> Vec<WebhookTarget> {
    let by_tenant = format!("http://{listen}/api/demo/qr/payment/webhook");
    let by_host = format!("http://{listen}/api/system/payments/stripe/callback");
    let (url, secret) = match webhooks {
        Webhooks::None => return Vec::new(),
        Webhooks::ByTenant => (by_tenant, WEBHOOK_SECRET),
        Webhooks::ByHost => (by_host, WEBHOOK_SECRET),
        Webhooks::WrongSecret => (by_tenant, "whsec_another_one_0123456789abcdef"),
    };
    let secret = WebhookSecret::parse(secret).expect("a secret");
    vec![WebhookTarget { url, secret, events: Vec::new() }]
}

async fn furnish(data: PathBuf, stripe: &str) {
    let init = Init {
        data: data.clone(),
        tenant: tenant(),
        name: Some("City of Hill".to_owned()),
        public_url: None,
        hosts: vec!["127.0.0.1".to_owned()],
    };
    admin::init(init).await.expect("a data folder");
    admin::officer_add(&data, &tenant(), "Ana Officer").await.expect("an officer");
    let file = data.join("catalogue.csv");
    std::fs::write(&file, CATALOGUE).expect("a file");
    admin::catalogue_load(&data, &tenant(), &file).await.expect("a price list");
    let processor = SetProcessor {
        tenant: tenant(),
        code: "STRIPE".parse().expect("a code"),
        mode: Mode::Test,
        name: None,
        currency: None,
        webhook_id: None,
        api_base: Some(stripe.to_owned()),
        secret_key: Some(Secret::new(SECRET_KEY.to_owned())),
        publishable_key: None,
        webhook_secret: Some(Secret::new(WEBHOOK_SECRET.to_owned())),
    };
    admin::stripe_set(&data, processor).await.expect("credentials");
}

async fn start(data: PathBuf, listen: String) -> holdfast_gateway::Running {
    holdfast_gateway::start(plain(&data, listen)).await.expect("a gateway")
}

fn plain(data: &Path, listen: String) -> Options {
    Options { data: data.to_owned(), listen, ..Options::default() }
}
