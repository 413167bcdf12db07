//! Charges, claims, cash and refunds on both ledgers: random walks over the decisions about them.
//!
//! The world's officers sell from the price list; what is owed already is walked through here, straight
//! on the ledger. Each walk has a few charges and some payments on them, by card and in cash; at each
//! step anything happens to one of them that a person, Stripe or a worker could make happen.

use super::chance::Chance;
use super::fixture::{self, START_MS};
use super::ledger::Ledger;
use holdfast_domain::refund::RefundAmount;
use holdfast_domain::{
    ChargeOutcome, ChargeReference, Currency, Evidence, Mode, Money, OfficerId, OrderLine,
    PaymentId, PaymentTypeCode, RefundStatus, SessionStatus,
};
use holdfast_ledger::{
    Accept, AskRefund, Carrier, Charge, ChargeLine, Decision, EndLifetime, Env, Event, FinishJob,
    Hint, Job, JobEnd, Learn, LeaseJobs, Pay, PaymentType, Proposal, PutCharges, RecordEvent,
    RefundKey, RefundMade, RefundRefused, SessionOpened, Source, Store, TakeNotice, VoidCash,
    WithdrawCharge,
};
use holdfast_protocol::signature::{SIGNATURE_BYTES, vouching};
use holdfast_protocol::wire::Provider;
use holdfast_protocol::{
    DeviceSignature, NoticeKind, NoticePayload, OrderPayload, SignedNotice, SignedOrder,
};
use holdfast_stripe::objects::RefundReason;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Steps of a walk.
const STEPS: u32 = 120;
/// The ledgers are compared after so many steps, and at the end.
const COMPARED_EVERY: u32 = 40;
/// Payments of a walk at the most.
const PAYMENTS_MAX: usize = 14;
/// What is owed in a walk, with its sums in cents.
const OWED: [(&str, i64); 4] = [("N-1", 6_500), ("N-2", 4_000), ("N-3", 900), ("N-4", 12_000)];
/// The longest pause between two steps, in milliseconds.
const PAUSE_MS_MAX: i64 = 90_000;

/// Time and chance of a walk.
struct Inner {
    now_ms: i64,
    chance: Chance,
}

/// A walk that was gone.
pub struct Walk {
    ledger: Ledger,
    inner: Arc<Mutex<Inner>>,
    chance: Chance,
    held: Vec<(PaymentId, Provider)>,
    keys: Vec<(PaymentId, RefundKey)>,
}

/// Walks over both ledgers; says how they differ in the end, or where they did. The database may be
/// tampered with before.
pub fn walk_charges_on_sql(seed: u64, tamper: &dyn Fn(&Path)) -> Result<Walk, String> {
    vouching::forget();
    let mut walk = Walk::new(seed);
    walk.database_file().iter().for_each(|file| tamper(file));
    walk.put_charges();
    for step in 1..=STEPS {
        walk.pause();
        walk.step();
        if step % COMPARED_EVERY == 0
            && let Some(difference) = walk.difference()
        {
            return Err(format!("seed {seed}, step {step}: {difference}"));
        }
    }
    Ok(walk)
}

fn cash() -> PaymentTypeCode {
    PaymentTypeCode::parse("CASH").expect("a code")
}

fn reference(text: &str) -> ChargeReference {
    ChargeReference::parse(text).expect("a reference")
}

fn dollars(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn charge(text: &str, minor: i64) -> Charge {
    Charge {
        tenant: fixture::tenant(),
        reference: reference(text),
        plate: "AB 123".to_owned(),
        payer: "Kim Lee".to_owned(),
        lines: vec![ChargeLine { text: "Parking without permit".to_owned(), minor }],
        amount: dollars(minor),
        due_on: String::new(),
        user_types: "officers".to_owned(),
        withdrawn: String::new(),
        created_at_ms: 0,
        changed_at_ms: 0,
    }
}

/// Good because the walk says so.
fn signature(device: usize, message: &[u8]) -> DeviceSignature {
    let signature = DeviceSignature::from_bytes(&[0x11; SIGNATURE_BYTES]);
    let signature = signature.expect("two numbers in range");
    vouching::vouch(&fixture::public_key(device), message, &signature);
    signature
}

impl Walk {
    fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ 0x2545_f491_4f6c_dd1d);
        let inner = Arc::new(Mutex::new(Inner { now_ms: START_MS, chance: chance.fork() }));
        let told = Arc::clone(&inner);
        let environment = move || {
            let mut inner = told.lock().unwrap_or_else(PoisonError::into_inner);
            let mut entropy = [0; 30];
            holdfast_handheld::engine::Random::fill(&mut inner.chance, &mut entropy);
            Env { now_ms: inner.now_ms, entropy }
        };
        let mut tables = fixture::tables(2);
        let card = tables.payment_types.values().next().cloned().expect("a payment type");
        let kind =
            PaymentType { code: cash(), provider: Provider::Cash, pin: None, minor_min: 1, ..card };
        tables.payment_types.insert((fixture::tenant(), cash()), kind);
        let mut ledger = Ledger::new(Box::new(environment), tables);
        ledger.open_database();
        Self { ledger, inner, chance, held: Vec::new(), keys: Vec::new() }
    }

    /// How memory and SQL differ, if they do.
    pub fn difference(&self) -> Option<String> {
        self.ledger.difference()
    }

    /// Where SQLite's file lies, for a test that tampers with it.
    pub fn database_file(&self) -> Option<PathBuf> {
        self.ledger.database_file()
    }

    fn run<D: Decision>(&self, decision: D) -> Option<D::Outcome> {
        // What both refuse to store is no difference: the ledger itself sees to that.
        super::gateway::now(self.ledger.run(decision)).ok()
    }

    fn pause(&mut self) {
        let pause_ms = self.chance.ms(0, PAUSE_MS_MAX);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.now_ms = inner.now_ms.saturating_add(pause_ms);
    }

    fn now_ms(&self) -> i64 {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).now_ms
    }

    fn put_charges(&mut self) {
        let charges = OWED.map(|(text, minor)| charge(text, minor)).to_vec();
        self.run(PutCharges { charges, may_change: true, seen_ms: None, who: "Office".to_owned() });
    }

    fn step(&mut self) {
        if self.held.is_empty() || (self.held.len() < PAYMENTS_MAX && self.chance.per_mille(200)) {
            return self.hold();
        }
        let some = self.chance.pick(&self.held).copied();
        let Some((payment, provider)) = some else { return };
        match self.chance.below(14) {
            0 | 1 => self.pay(payment),
            2 | 3 => self.opened(payment),
            4..=6 => self.learn(payment),
            7 => self.cancel(payment),
            8 => self.void(payment, provider),
            9 => self.ask_refund(payment),
            10 => self.answer_refund(),
            11 => self.event(payment),
            12 => self.work(),
            _ => self.office(payment),
        }
    }

    /// An order for some of what is owed, by card or in cash.
    fn hold(&mut self) {
        let n = u64::try_from(self.held.len()).unwrap_or(0).saturating_add(1);
        let device = usize::from(self.chance.per_mille(400));
        let provider = if self.chance.per_mille(300) { Provider::Cash } else { Provider::Stripe };
        let first = self.chance.below(4);
        let lines: Vec<(&str, i64)> = OWED
            .into_iter()
            .zip(0_u64..)
            .filter(|(_, place)| *place == first || self.chance.per_mille(250))
            .map(|(owed, _)| owed)
            .collect();
        let now_ms = self.now_ms();
        let payload = OrderPayload {
            gateway: fixture::gateway(),
            tenant: fixture::tenant(),
            mode: Mode::Test,
            device: fixture::device_id(device),
            sequence: n,
            payment: PaymentId::mint(now_ms.unsigned_abs(), &[u8::try_from(n).unwrap_or(0); 10]),
            officer: OfficerId(1),
            payment_type: match provider {
                Provider::Cash => cash(),
                Provider::Stripe => fixture::payment_type_code(),
            },
            catalogue_version: holdfast_domain::cart::NO_CATALOGUE,
            lines: lines
                .iter()
                .map(|(text, minor)| OrderLine::Charge {
                    reference: reference(text),
                    minor: *minor,
                })
                .collect(),
            total: dollars(lines.iter().map(|(_, minor)| minor).sum()),
            held_at_unix_s: fixture::unix_s(now_ms),
            lifetime_s: 3_600,
        };
        let payment = payload.payment;
        let signature = signature(device, &payload.to_be_signed());
        let order = SignedOrder::assemble(payload, signature);
        let carrier = if n % 3 == 0 { Carrier::Payer } else { Carrier::Handheld };
        self.run(Accept { order, tenant: fixture::tenant(), carrier });
        self.held.push((payment, provider));
    }

    fn pay(&mut self, payment: PaymentId) {
        let number = u32::try_from(self.chance.below(3)).unwrap_or(0).saturating_add(1);
        let proposal = Proposal {
            number,
            idempotency_key: format!("key-{payment}-{number}"),
            frozen_body: format!("attempt={number}"),
            expires_at_unix_s: self.now_ms() / 1_000 + 7_200,
        };
        self.run(Pay { tenant: fixture::tenant(), payment, proposal });
    }

    fn opened(&mut self, payment: PaymentId) {
        let session = format!("cs_{payment}");
        let url = Some(format!("https://checkout.example/{session}"));
        self.run(SessionOpened { tenant: fixture::tenant(), payment, number: 1, session, url });
    }

    fn learn(&mut self, payment: PaymentId) {
        let session = |status| Evidence::Session { session: format!("cs_{payment}"), status };
        let total = self.total(payment);
        let charged = |outcome| Evidence::Charge {
            charge: format!("ch_{}", payment.to_string().replace('-', "")),
            created: 1,
            outcome,
            amount: total,
        };
        let evidence = match self.chance.below(5) {
            0 => vec![session(SessionStatus::Expired)],
            1 => vec![charged(ChargeOutcome::Pending), session(SessionStatus::Complete)],
            _ => vec![charged(ChargeOutcome::Succeeded), session(SessionStatus::Complete)],
        };
        let objects = vec![format!("pi_{payment}")];
        let (tenant, source) = (fixture::tenant(), Source::Poll);
        self.run(Learn { tenant, payment, source, evidence, objects });
    }

    fn total(&self, payment: PaymentId) -> Money {
        let key = (fixture::tenant(), payment);
        self.ledger
            .tables(|tables| tables.payments.get(&key).map(|it| it.total))
            .unwrap_or(dollars(1))
    }

    fn cancel(&mut self, payment: PaymentId) {
        let device = usize::from(self.chance.per_mille(400));
        let kind = match self.chance.per_mille(500) {
            true => NoticeKind::Cancel,
            false => NoticeKind::Withdraw { reason: "Held for the wrong car.".to_owned() },
        };
        let payload = NoticePayload {
            gateway: fixture::gateway(),
            tenant: fixture::tenant(),
            device: fixture::device_id(device),
            payment,
            kind,
            made_at_unix_s: fixture::unix_s(self.now_ms()),
        };
        let signature = signature(device, &payload.to_be_signed());
        let notice = SignedNotice::assemble(payload, signature);
        self.run(TakeNotice { notice, tenant: fixture::tenant() });
    }

    fn void(&mut self, payment: PaymentId, provider: Provider) {
        if provider == Provider::Cash {
            let (who, reason) = ("Office".to_owned(), "Given back.".to_owned());
            self.run(VoidCash { tenant: fixture::tenant(), payment, who, reason });
        }
    }

    fn ask_refund(&mut self, payment: PaymentId) {
        let key = RefundKey::mint(u128::from(self.chance.next()).to_be_bytes());
        let part = RefundAmount::Part(dollars(100));
        let ask = AskRefund {
            tenant: fixture::tenant(),
            payment,
            key: key.clone(),
            amount: if self.chance.per_mille(500) { part } else { RefundAmount::Full },
            reason: "Asked.".to_owned(),
            stripe_reason: RefundReason::RequestedByCustomer,
            who: "Finance".to_owned(),
            known: None,
            cancels_charges: self.chance.per_mille(300),
        };
        self.run(ask);
        self.keys.push((payment, key));
    }

    fn answer_refund(&mut self) {
        let Some((payment, key)) = self.chance.pick(&self.keys).cloned() else { return };
        let tenant = fixture::tenant();
        let known = self.ledger.tables(|tables| {
            tables.refund_requests.get(&(tenant.clone(), key.clone())).map(|it| it.amount)
        });
        let Some(amount) = known else { return };
        if self.chance.per_mille(300) {
            self.run(RefundRefused { tenant, payment, key, why: "Refused.".to_owned() });
            return;
        }
        let refund = format!("re_{key}");
        let status = match self.chance.below(3) {
            0 => RefundStatus::Pending,
            1 => RefundStatus::Failed,
            _ => RefundStatus::Succeeded,
        };
        let evidence = Evidence::Refund { refund: refund.clone(), created: 1, status, amount };
        self.run(RefundMade { tenant, payment, key, refund, evidence, source: Source::Poll });
    }

    fn event(&mut self, payment: PaymentId) {
        let number = self.chance.below(6);
        let hint = match number % 3 {
            0 => Hint::Payment(payment),
            1 => Hint::Object(format!("pi_{payment}")),
            _ => Hint::Nothing,
        };
        let event = Event {
            tenant: fixture::tenant(),
            mode: Mode::Test,
            account: String::new(),
            event: format!("evt_{payment}_{number}"),
            kind: "payment_intent.succeeded".to_owned(),
            object: format!("pi_{payment}"),
            received_at_ms: self.now_ms(),
            body: b"{}".to_vec(),
            payment: None,
            waiting_for: None,
        };
        self.run(RecordEvent { event, hint });
    }

    fn work(&mut self) {
        let limit = u32::try_from(self.chance.below(4)).unwrap_or(0).saturating_add(1);
        for job in self.run(LeaseJobs { limit }).unwrap_or_default() {
            match self.chance.below(3) {
                0 => {}
                1 => self.finish(job, JobEnd::Done),
                _ => self.finish(job, JobEnd::Again),
            }
        }
    }

    fn finish(&self, job: Job, end: JobEnd) {
        let _ = self.run(FinishJob { job, end });
    }

    fn office(&mut self, payment: PaymentId) {
        let (who, tenant) = ("Office".to_owned(), fixture::tenant());
        let (text, minor) = self.chance.pick(&OWED).copied().unwrap_or(("N-1", 6_500));
        match self.chance.below(4) {
            0 => {
                let (reference, reason) = (reference(text), "Written by mistake.".to_owned());
                let _ = self.run(WithdrawCharge { tenant, reference, reason, who });
            }
            1 => {
                let _ = self.run(EndLifetime { tenant, payment });
            }
            _ => {
                let charges = vec![charge(text, minor.saturating_add(100))];
                let _ = self.run(PutCharges { charges, may_change: true, seen_ms: None, who });
            }
        }
    }
}
