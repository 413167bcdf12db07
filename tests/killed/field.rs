//! A sandbox, a data folder, a handheld made of a key, payers and an office: the load.

use crate::desk::Desk;
use crate::program::{self, Running};
use data_encoding::BASE64URL_NOPAD;
use holdfast_domain::{Currency, Mode, Money, OfficerId, OrderLine, PaymentId};
use holdfast_gateway::{Secret, TenantSlug, admin};
use holdfast_protocol::enrolment::proof_message;
use holdfast_protocol::wire::EnrolResponse;
use holdfast_protocol::{
    DevicePublicKey, DeviceSignature, EnrolmentLink, OrderPayload, SignedOrder,
};
use holdfast_sandbox::core::CardForm;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::task::JoinHandle;

pub(crate) const SECRET_KEY: &str = "sk_test_51TestsOfTheBinaryAbcd";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_TestsOfTheBinary0123456789";
const GOOD_CARD: &str = "4242424242424242";
const POOR_CARD: &str = "4000000000009995";
/// Payers at once.
const PAYERS: u64 = 4;
/// Pause before an answer that did not come is asked for again.
const AGAIN: Duration = Duration::from_millis(20);

pub(crate) struct Field {
    folder: tempfile::TempDir,
    listen: String,
    operators: String,
    sandbox: holdfast_sandbox::Running,
    http: reqwest::Client,
    sign_in_link: String,
}

fn tenant() -> TenantSlug {
    "demo".parse().unwrap()
}

impl Field {
    pub(crate) async fn furnished() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let init = admin::Init {
            data: data.clone(),
            tenant: tenant(),
            name: None,
            public_url: None,
            hosts: Vec::new(),
        };
        let sign_in_link = admin::init(init).await.unwrap().sign_in_link;
        admin::officer_add(&data, &tenant(), "Ada Okafor").await.unwrap();
        let list = folder.path().join("list.csv");
        std::fs::write(&list, "id,name,price\n1,Day permit,12.50\n").unwrap();
        admin::catalogue_load(&data, &tenant(), &list).await.unwrap();
        let places = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [listen, operators] = places.each_ref().map(|it| it.local_addr().unwrap().to_string());
        drop(places);
        let target = format!("http://{listen}/api/demo/qr/payment/webhook={WEBHOOK_SECRET}");
        let options = holdfast_sandbox::Options {
            webhooks: vec![target.parse().unwrap()],
            ..Default::default()
        };
        let sandbox = holdfast_sandbox::start(options).await.unwrap();
        let secret = |text: &str| Some(Secret::new(text.to_owned()));
        let set = admin::SetProcessor {
            tenant: tenant(),
            code: "STRIPE".parse().unwrap(),
            mode: Mode::Test,
            name: None,
            currency: None,
            webhook_id: None,
            api_base: Some(sandbox.url().to_owned()),
            secret_key: secret(SECRET_KEY),
            publishable_key: None,
            webhook_secret: secret(WEBHOOK_SECRET),
        };
        admin::stripe_set(&data, set).await.unwrap();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(holdfast_stripe::tls::client_config().unwrap())
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .no_proxy()
            .build()
            .unwrap();
        Self { folder, listen, operators, sandbox, http, sign_in_link }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn serve(&self) -> Running {
        self.serve_as(program::holdfast(&["serve"]))
    }

    pub(crate) fn serve_as(&self, command: Command) -> Running {
        self.serve_from(command, &self.data())
    }

    /// Serves a copy of the data folder.
    pub(crate) fn serve_from(&self, mut command: Command, data: &Path) -> Running {
        command.arg("--data").arg(data).args(["--listen", &self.listen]);
        Running::start(command)
    }

    /// Where the data folder lies in `data`.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub(crate) fn listen(&self) -> &str {
        &self.listen
    }

    /// Where health, readiness and metrics are, if they are asked for.
    pub(crate) fn operators(&self) -> &str {
        &self.operators
    }

    pub(crate) fn operators_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.operators)
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// What the first administrator's link proves.
    pub(crate) fn sign_in_token(&self) -> String {
        self.sign_in_link.rsplit('/').next().unwrap().to_owned()
    }

    /// The payer presses Pay.
    pub(crate) async fn open(&self, payment: &str) {
        let answer = self.http.post(self.url(&format!("/pay/{payment}/pay"))).send().await;
        assert_eq!(answer.unwrap().status(), 303);
    }

    /// The payer types a good card on the page that is open.
    pub(crate) async fn pay(&self, payment: &str) {
        let sql = format!("SELECT session FROM attempts WHERE payment = '{payment}'");
        let pool = self.database().await;
        let session: String =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&pool).await.unwrap();
        let form = CardForm::test(GOOD_CARD);
        let handle = self.sandbox.handle();
        handle.with_core(|core, now_ms| core.pay_session(&session, &form, now_ms));
    }

    /// Waits until the database says so.
    pub(crate) async fn until(&self, sql: &str, wanted: i64) {
        let (pool, begun) = (self.database().await, Instant::now());
        loop {
            let sql = sqlx::AssertSqlSafe(sql.to_owned());
            let now: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
            if now == wanted {
                return;
            }
            assert!(begun.elapsed() < crate::PATIENCE, "it stays {now}");
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// What `/ready` answers.
    pub(crate) async fn ready(&self) -> (u16, String) {
        let answer = self.http.get(self.url("/ready")).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listen)
    }

    /// Size of the database's own file.
    pub(crate) fn database_kib(&self) -> u64 {
        std::fs::metadata(self.data().join("holdfast.db")).unwrap().len().div_ceil(1024)
    }

    pub(crate) async fn database(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new().filename(self.data().join("holdfast.db"));
        SqlitePool::connect_with(options.read_only(true)).await.unwrap()
    }

    /// Changes the database by hand, beside a gateway or without one.
    pub(crate) async fn change(&self, sql: &'static str) {
        let options = SqliteConnectOptions::new().filename(self.data().join("holdfast.db"));
        let pool = SqlitePool::connect_with(options).await.unwrap();
        sqlx::query(sql).execute(&pool).await.unwrap();
        pool.close().await;
    }

    pub(crate) fn sandbox(&self) -> holdfast_sandbox::Handle {
        self.sandbox.handle()
    }

    pub(crate) fn sandbox_url(&self) -> &str {
        self.sandbox.url()
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.database().await).await.unwrap()
    }

    pub(crate) async fn enrolled(&self) -> Arc<Hand> {
        let made = admin::handheld_code(&self.data(), &tenant(), None, true).await.unwrap();
        let link = EnrolmentLink::parse(&made.link).unwrap();
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).unwrap();
        let key = SigningKey::from_slice(&bytes).unwrap();
        let public = DevicePublicKey::from(*key.verifying_key());
        let proof = sign(&key, &proof_message(&link.tenant, link.code, &public));
        let body = serde_json::json!({
            "version": 1,
            "code": link.code.to_string(),
            "name": "Rugged 7",
            "public_key": BASE64URL_NOPAD.encode(&public.to_sec1()),
            "proof": BASE64URL_NOPAD.encode(proof.as_bytes()),
        });
        let request = self.http.post(self.url("/api/demo/handheld/enrol"));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.unwrap().text().await.unwrap();
        let enrolled = serde_json::from_str(&answer).unwrap();
        let (http, orders) = (self.http.clone(), self.url("/api/demo/orders"));
        Arc::new(Hand { key, enrolled, sequence: AtomicU64::new(1), http, orders })
    }

    /// Waits until the gateway knows the end of everything that was promised.
    pub(crate) async fn until_settled(&self, promised: &Promised, patience: Duration) {
        let begun = Instant::now();
        let paid = i64::try_from(promised.paid.len()).unwrap();
        let back = i64::try_from(promised.refunded.len()).unwrap();
        loop {
            let orders = self.count("SELECT COUNT(*) FROM orders").await;
            let refunds =
                self.count("SELECT COUNT(*) FROM refund_requests WHERE state = 'made'").await;
            let open = self.count("SELECT COUNT(*) FROM refund_requests WHERE state <> 'made'");
            if orders >= paid && refunds >= back && open.await == 0 {
                return;
            }
            assert!(
                begun.elapsed() < patience,
                "{orders} of {paid} paid, {refunds} of {back} back"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Nothing lost, nothing doubled, the database and its audit log whole.
    pub(crate) async fn prove(&self, promised: &Promised) {
        let pool = self.database().await;
        let known: Vec<String> =
            sqlx::query_scalar("SELECT payment FROM payments").fetch_all(&pool).await.unwrap();
        let known: BTreeSet<String> = known.into_iter().collect();
        assert!(promised.orders.is_subset(&known), "an acknowledged order is lost");
        let orders: Vec<String> =
            sqlx::query_scalar("SELECT payment FROM orders").fetch_all(&pool).await.unwrap();
        let orders: BTreeSet<String> = orders.into_iter().collect();
        assert!(promised.paid.is_subset(&orders), "a paid payment has no order");
        let (charges, refunds) = self.sandbox.handle().with_core(|core, _| {
            let good = core.charges().filter(|charge| charge.decline.is_none()).count();
            (good, core.refunds().count())
        });
        assert_eq!(charges, orders.len(), "somebody was charged twice, or for nothing");
        let asked = self.count("SELECT COUNT(*) FROM refund_requests").await;
        assert_eq!(i64::try_from(refunds).unwrap(), asked, "a refund was doubled or lost");
        assert_eq!(refunds, promised.refunded.len());
        assert_eq!(self.count("SELECT COUNT(DISTINCT payment) FROM refund_requests").await, asked);
        self.is_whole().await;
    }

    pub(crate) async fn is_whole(&self) {
        for finding in admin::doctor(&self.data()).await.unwrap() {
            let matters = finding.what == "database" || finding.what.starts_with("audit log");
            let good = finding.health == admin::Health::Good;
            assert!(!matters || good, "{}: {}", finding.what, finding.words);
        }
    }
}

fn sign(key: &SigningKey, message: &[u8]) -> DeviceSignature {
    let signature: Signature = key.sign(message);
    DeviceSignature::from_der(signature.to_der().as_bytes()).unwrap()
}

/// A handheld made of a key.
pub(crate) struct Hand {
    key: SigningKey,
    enrolled: EnrolResponse,
    sequence: AtomicU64,
    http: reqwest::Client,
    orders: String,
}

impl Hand {
    pub(crate) fn order(&self) -> SignedOrder {
        self.order_of(vec![OrderLine::Item { item: 1, quantity: 1 }], 1250)
    }

    pub(crate) fn order_of(&self, lines: Vec<OrderLine>, minor: i64) -> SignedOrder {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let now_ms = u64::try_from(now_ms).unwrap();
        let mut random = [0; 10];
        getrandom::fill(&mut random).unwrap();
        let payload = OrderPayload {
            gateway: self.enrolled.gateway,
            tenant: tenant(),
            mode: Mode::Test,
            device: self.enrolled.device,
            sequence: self.sequence.fetch_add(1, Ordering::SeqCst),
            payment: PaymentId::mint(now_ms, &random),
            officer: OfficerId(1),
            payment_type: "STRIPE".parse().unwrap(),
            catalogue_version: 1,
            lines,
            total: Money::new(minor, Currency::USD),
            held_at_unix_s: now_ms / 1000,
            lifetime_s: 86_400,
        };
        let signature = sign(&self.key, &payload.to_be_signed());
        SignedOrder::assemble(payload, signature)
    }

    pub(crate) fn confirm_secret(&self) -> &str {
        &self.enrolled.confirm_secret
    }

    pub(crate) async fn submit_once(
        &self,
        order: &SignedOrder,
    ) -> Result<(u16, String), reqwest::Error> {
        let request = self.http.post(&self.orders).header("content-type", "application/cose");
        let answer = request.body(order.to_bytes()).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }
}

/// What somebody was told, and may rely on.
#[derive(Default)]
pub(crate) struct Promised {
    pub(crate) orders: BTreeSet<String>,
    pub(crate) paid: BTreeSet<String>,
    pub(crate) refunded: BTreeSet<String>,
}

/// Officers hold, payers pay, finance refunds, until it is ended.
pub(crate) struct Work {
    /// Answers that the gateway gave so far.
    pub(crate) answers: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    payers: Vec<JoinHandle<Promised>>,
}

impl Work {
    pub(crate) async fn begin(field: &Field) -> Self {
        let (answers, stop) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let hand = field.enrolled().await;
        let cookie = Desk::sign_in(field).await.cookie().to_owned();
        let payers = (0..PAYERS).map(|number| {
            let payer = Payer {
                hand: Arc::clone(&hand),
                sandbox: field.sandbox.handle(),
                gateway: field.url(""),
                cookie: cookie.clone(),
                answers: Arc::clone(&answers),
            };
            let stop = Arc::clone(&stop);
            tokio::spawn(async move {
                let mut promised = Promised::default();
                let mut round = number;
                while !stop.load(Ordering::SeqCst) {
                    payer.round(round, &mut promised).await;
                    round += 1;
                }
                promised
            })
        });
        Self { payers: payers.collect(), answers, stop }
    }

    /// Lets everybody finish what they began.
    pub(crate) async fn end(self) -> Promised {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Promised::default();
        for payer in self.payers {
            let promised = payer.await.unwrap();
            all.orders.extend(promised.orders);
            all.paid.extend(promised.paid);
            all.refunded.extend(promised.refunded);
        }
        all
    }
}

struct Payer {
    hand: Arc<Hand>,
    sandbox: holdfast_sandbox::Handle,
    gateway: String,
    cookie: String,
    answers: Arc<AtomicU64>,
}

impl Payer {
    /// Hold, pay (some with a poor card first), and refund every third.
    async fn round(&self, round: u64, promised: &mut Promised) {
        let order = self.hand.order();
        let payment = order.payload().payment.to_string();
        loop {
            match self.hand.submit_once(&order).await {
                Ok((200, _)) => break,
                Ok((503, _)) | Err(_) => tokio::time::sleep(AGAIN).await,
                Ok((status, body)) => panic!("{status} {body}"),
            }
        }
        self.answers.fetch_add(1, Ordering::SeqCst);
        promised.orders.insert(payment.clone());
        let page = self.redirected(&format!("/pay/{payment}/pay"), "").await;
        let session = page.rsplit('/').next().unwrap().to_owned();
        let cards: &[&str] =
            if round.is_multiple_of(4) { &[POOR_CARD, GOOD_CARD] } else { &[GOOD_CARD] };
        for card in cards {
            let form = CardForm::test(card);
            self.sandbox.with_core(|core, now_ms| core.pay_session(&session, &form, now_ms));
        }
        promised.paid.insert(payment.clone());
        if round.is_multiple_of(3) {
            self.refund(&payment).await;
            promised.refunded.insert(payment);
        }
    }

    /// One form, sent again with the same key until it is answered.
    async fn refund(&self, payment: &str) {
        let path = format!("/admin/payments/{payment}/refund");
        let form = loop {
            let page = self.page(&path).await;
            let field = |name: &str| {
                let after = page.split_once(&format!("name=\"{name}\" value=\""))?.1;
                after.split('"').next().map(str::to_owned)
            };
            // Not paid yet in the gateway's eyes, or the gateway is away.
            if let (Some(csrf), Some(key), Some(known)) =
                (field("csrf"), field("key"), field("known"))
            {
                break format!("csrf={csrf}&key={key}&known={known}&how=full");
            }
            tokio::time::sleep(AGAIN).await;
        };
        self.redirected(&path, &form).await;
    }

    async fn page(&self, path: &str) -> String {
        let request = self.hand.http.get(format!("{}{path}", self.gateway));
        let answer = request.header("cookie", &self.cookie).send().await;
        let text = match answer {
            Ok(answer) => answer.text().await,
            Err(error) => Err(error),
        };
        text.unwrap_or_default()
    }

    /// Posts until the gateway leads somewhere else.
    async fn redirected(&self, path: &str, form: &str) -> String {
        loop {
            let request = self.hand.http.post(format!("{}{path}", self.gateway));
            let request = request.header("cookie", &self.cookie);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            if let Ok(answer) = request.body(form.to_owned()).send().await {
                self.answers.fetch_add(1, Ordering::SeqCst);
                let place = answer.headers().get("location");
                if let Some(place) = place.and_then(|it| it.to_str().ok()) {
                    return place.to_owned();
                }
                assert!(answer.status().is_server_error(), "{}", answer.text().await.unwrap());
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}
