//! Money that arrived twice for one charge, and a gateway that is killed while it sends the second back
//! by itself (row C4): at each step of the way for certain, and at random moments besides. One refund
//! at Stripe, and a ledger that says the same.
//!
//! The ledger never lets two card pages of one charge be open. Here a claim is released by hand, as a
//! ledger that was put back from yesterday would not know it.

use crate::desk::Desk;
use crate::field::{Field, Hand};
use crate::{PATIENCE, random};
use holdfast_domain::{ChargeReference, OrderLine};
use holdfast_sandbox::core::{CardForm, PayOutcome};
use holdfast_sandbox::{FaultRule, Handle};
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What each charge costs.
const MINOR: i64 = 6500;
/// Between two looks at what must happen.
const LOOK: Duration = Duration::from_millis(5);
/// Kills at random moments.
const RANDOM_KILLS: u32 = 10;
/// The latest of those moments after the second payment, in milliseconds: two payments are learned and
/// a refund is sent and recorded well within it.
const RANDOM_KILL_MS_MAX: u64 = 300;
/// Without this news the gateway knows nothing of its refund but what the answer says.
const NO_NEWS: [&str; 2] = ["refund.* webhook-lose", "charge.refunded webhook-lose"];

/// The job of sending cannot be begun: the refund is asked for, and nothing of it was sent.
const NO_SENDING: &str = "CREATE TRIGGER lever BEFORE UPDATE ON jobs WHEN NEW.kind = 'send_refund' \
                          AND NEW.leased_until_ms > 0 BEGIN SELECT RAISE(ABORT, 'held up'); END";
/// The job of sending cannot be ended: the answer is recorded, and the job would be done again.
const NO_END: &str = "CREATE TRIGGER lever BEFORE DELETE ON jobs WHEN OLD.kind = 'send_refund' BEGIN \
                      SELECT RAISE(ABORT, 'held up'); END";

async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(LOOK).await;
    }
}

/// A charge that two payers have a card page of.
struct Doubled {
    payments: [String; 2],
}

impl Doubled {
    async fn begin(field: &Field, desk: &Desk, hand: &Arc<Hand>, reference: &str) -> Self {
        let charge = "for=Parking&amount=65.00&currency=USD&user_types=officers";
        desk.post("/admin/charges", &format!("reference={reference}&{charge}")).await;
        let first = page_of(field, hand, reference).await;
        field.change("UPDATE claims SET state = 'released' WHERE state = 'holding'").await;
        Self { payments: [first, page_of(field, hand, reference).await] }
    }

    /// Both payers press their button; where Stripe leads them.
    async fn both_pay(&self, field: &Field) -> Vec<String> {
        let mut ways_back = Vec::new();
        for payment in &self.payments {
            let sql = "SELECT session FROM attempts WHERE payment = ?";
            let session: String = sqlx::query_scalar(sql)
                .bind(payment)
                .fetch_one(&field.database().await)
                .await
                .unwrap();
            let form = CardForm::test("4242424242424242");
            let pay = |handle: Handle| {
                handle.with_core(|core, now_ms| core.pay_session(&session, &form, now_ms))
            };
            match pay(field.sandbox()) {
                PayOutcome::Paid { redirect } => ways_back.push(redirect),
                other => panic!("not paid: {other:?}"),
            }
        }
        ways_back
    }
}

/// A payment of the charge with its card page open.
async fn page_of(field: &Field, hand: &Hand, reference: &str) -> String {
    let reference = ChargeReference::parse(reference).unwrap();
    let order = hand.order_of(vec![OrderLine::Charge { reference, minor: MINOR }], MINOR);
    let (status, body) = hand.submit_once(&order).await.unwrap();
    assert_eq!(status, 200, "{body}");
    let payment = order.payload().payment.to_string();
    field.open(&payment).await;
    payment
}

fn faults(field: &Field, rules: &[&str]) {
    let rules: Vec<FaultRule> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    field.sandbox().with_core(|core, now_ms| core.set_faults(rules, now_ms));
}

/// Strikes that the first rule has left.
fn strikes_left(field: &Field) -> Option<u32> {
    field.sandbox().with_core(|core, _| core.faults().first().and_then(|rule| rule.times))
}

fn refunds(field: &Field) -> BTreeSet<String> {
    let all: Vec<_> = field
        .sandbox()
        .with_core(|core, _| core.refunds().map(|refund| refund.id.to_string()).collect());
    let (count, ids) = (all.len(), BTreeSet::from_iter(all));
    assert_eq!(ids.len(), count);
    ids
}

/// One of the two is paid and has the charge, the other went back; Stripe and the ledger agree.
async fn one_went_back_of_each(field: &Field, charges: i64) {
    for (sql, wanted) in [
        ("SELECT COUNT(*) FROM refund_requests WHERE state = 'made'", charges),
        ("SELECT COUNT(*) FROM payments WHERE state = 'refunded'", charges),
        ("SELECT COUNT(*) FROM payments WHERE state = 'paid'", charges),
        ("SELECT COUNT(*) FROM jobs WHERE kind IN ('send_refund', 'check_session')", 0),
    ] {
        field.until(sql, wanted).await;
    }
    let known: Vec<String> = sqlx::query_scalar("SELECT refund FROM refund_requests")
        .fetch_all(&field.database().await)
        .await
        .unwrap();
    assert_eq!(BTreeSet::from_iter(known), refunds(field), "Stripe and the ledger disagree");
    let settled = "SELECT COUNT(DISTINCT reference) FROM claims WHERE state = 'settled'";
    assert_eq!(field.count(settled).await, charges);
    let asked = "SELECT COUNT(*) FROM audit WHERE what = 'refund_asked' AND who = 'The gateway'";
    assert_eq!(field.count(asked).await, charges);
    assert_eq!(field.count("SELECT COUNT(*) FROM orders").await, charges * 2);
}

/// A step of the automatic refund at which the gateway is killed.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Asked for, and nothing of it was sent.
    Asked,
    /// On its way; it never arrives.
    OnItsWay,
    /// On its way; it arrives after the gateway was started again and has sent it once more.
    ArrivesLate,
    /// Stripe made it; the answer was not heard.
    Answered,
    /// The answer is recorded; the job is not ended.
    Recorded,
}

impl Step {
    /// Sees to it that the step is not passed.
    async fn hold(self, field: &Field) {
        let waits = |fault| [&[fault], NO_NEWS.as_slice()].concat();
        match self {
            Self::Asked => field.change(NO_SENDING).await,
            Self::OnItsWay | Self::ArrivesLate => {
                faults(field, &waits("POST /v1/refunds delay=600000 x1"));
            }
            Self::Answered => faults(field, &waits("POST /v1/refunds delay-after=600000 x1")),
            Self::Recorded => field.change(NO_END).await,
        }
    }

    /// Waits until it is reached.
    async fn reached(self, field: &Field) {
        let asked = "SELECT COUNT(*) FROM refund_requests WHERE state = 'frozen'";
        match self {
            Self::Asked => field.until(asked, 1).await,
            Self::OnItsWay | Self::ArrivesLate => {
                until("the request is sent", async || strikes_left(field) == Some(0)).await;
            }
            Self::Answered => {
                until("the refund is made", async || !refunds(field).is_empty()).await
            }
            Self::Recorded => {
                field.until("SELECT COUNT(*) FROM refund_requests WHERE state = 'made'", 1).await;
            }
        }
        let made = matches!(self, Self::Answered | Self::Recorded);
        assert_eq!(refunds(field).len(), usize::from(made), "{self:?}");
        let recorded = matches!(self, Self::Recorded);
        assert_eq!(field.count(asked).await, i64::from(!recorded), "{self:?}");
        assert_eq!(field.count("SELECT COUNT(*) FROM jobs WHERE kind = 'send_refund'").await, 1);
    }
}

/// The request that was on its way when the gateway died reaches Stripe now, byte for byte.
async fn arrive_late(field: &Field) {
    let sql = "SELECT frozen_path, frozen_body, idempotency_key FROM refund_requests";
    let (path, body, key): (String, String, String) =
        sqlx::query_as(sql).fetch_one(&field.database().await).await.unwrap();
    let request = field.http().post(format!("{}{path}", field.sandbox_url()));
    let request = request.bearer_auth(crate::field::SECRET_KEY).header("idempotency-key", key);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["idempotent-replayed"], "true");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_step_of_an_automatic_refund_it_makes_exactly_one() {
    for step in [Step::Asked, Step::OnItsWay, Step::ArrivesLate, Step::Answered, Step::Recorded] {
        let field = Field::furnished().await;
        let gateway = field.serve();
        let (desk, hand) = (Desk::sign_in(&field).await, field.enrolled().await);
        let doubled = Doubled::begin(&field, &desk, &hand, "N-1").await;
        step.hold(&field).await;
        doubled.both_pay(&field).await;
        step.reached(&field).await;
        gateway.kill();
        field.change("DROP TRIGGER IF EXISTS lever").await;
        faults(&field, &[]);
        let gateway = field.serve();
        one_went_back_of_each(&field, 1).await;
        if matches!(step, Step::ArrivesLate) {
            arrive_late(&field).await;
            one_went_back_of_each(&field, 1).await;
        }
        gateway.stop();
        field.is_whole().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_moments_of_automatic_refunds_it_makes_one_for_each_charge() {
    let field = Field::furnished().await;
    let mut gateway = field.serve();
    let (desk, hand) = (Desk::sign_in(&field).await, field.enrolled().await);
    for round in 1..=RANDOM_KILLS {
        let doubled = Doubled::begin(&field, &desk, &hand, &format!("N-{round}")).await;
        let ways_back = doubled.both_pay(&field).await;
        tokio::time::sleep(Duration::from_millis(random() % RANDOM_KILL_MS_MAX)).await;
        gateway.kill();
        gateway = field.serve();
        // What happened while nobody listened, the payers' browsers tell.
        for way_back in ways_back {
            field.http().get(way_back).send().await.unwrap();
        }
        one_went_back_of_each(&field, i64::from(round)).await;
    }
    gateway.stop();
    field.is_whole().await;
}
