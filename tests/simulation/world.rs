//! The world: one agenda, and everybody in it.

use super::agenda::Agenda;
use super::chance::Chance;
use super::device::Device;
use super::faults::Tally;
use super::fixture::{self, START_MS};
use super::gateway::Gateway;
use super::invariants::{Violation, Watch};
use super::link::Exchange;
use super::office::Wish;
use super::officer::Deal;
use super::payer::Payer;
use super::plan::{Plan, Script, Wants, Webhooks};
use super::shared::Shared;
use super::stripe::LateCall;
use super::{Disk, MemoryDisk};
use holdfast_domain::PaymentId;
use holdfast_handheld::engine::{Response, Ticket, TransportFault};
use holdfast_handheld::port::DeviceKeyError;
use holdfast_ledger::work::FOLLOWED;
use holdfast_protocol::signature::vouching;
use holdfast_sandbox::core::{Config, Core, OutgoingDelivery, WebhookTarget};
use holdfast_stripe::WebhookSecret;
use std::sync::Arc;

/// More steps than this mean that something runs in a circle.
const STEPS_MAX: u64 = 400_000;

/// Of a thousand chances to put a gateway back, how many are taken where that is wanted.
const RESTORED_BESIDE_SQL: u16 = 200;

/// Something that happens.
pub(super) enum Happening {
    /// An officer looks at the screen.
    Officer(usize),
    /// An officer gives up what was held, for good or by asking to cancel.
    GivesUp { device: usize, payment: PaymentId, withdraws: bool },
    /// A handheld is switched on.
    Starts { device: usize, generation: u64 },
    /// The engine wanted to be woken.
    Wakes { device: usize, generation: u64 },
    /// The device key has signed, or has not.
    Signs {
        device: usize,
        generation: u64,
        ticket: Ticket,
        answer: Result<Vec<u8>, DeviceKeyError>,
    },
    /// A request reaches the gateway. A copy has nobody who waits for its answer.
    Arrives { exchange: Box<Exchange>, is_copy: bool },
    /// An exchange ends for the handheld.
    Answered {
        device: usize,
        generation: u64,
        ticket: Ticket,
        answer: Result<Response, TransportFault>,
    },
    /// A long poll has waited long enough.
    PollEnds(u64),
    /// A worker goes on after an await.
    Task(u64),
    /// Jobs are looked for.
    Work,
    /// The gateway is up again.
    GatewayUp { generation: u64 },
    /// Something happens at Stripe by itself.
    Stripe,
    /// A webhook reaches the gateway. A copy has nobody who waits for its acknowledgement.
    Delivery { delivery: Box<OutgoingDelivery>, is_copy: bool },
    /// A request reaches Stripe that was taken for lost.
    LateCall(Box<LateCall>),
    /// A payer does the next thing.
    Payer { payer: usize, turn: u32 },
    /// The office sends a form to refund.
    Refund(usize),
    /// The payment type is there again.
    MethodBack,
    /// Somebody comes with a code for a handheld that is to be enrolled again.
    Enrols { device: usize },
    /// Network again.
    NetworkBack { device: usize },
    /// Something may go wrong by itself.
    Trouble,
}

/// One run.
pub struct World {
    pub(super) plan: Plan,
    pub(super) script: Script,
    pub(super) shared: Arc<Shared>,
    pub(super) agenda: Agenda<Happening>,
    pub(super) devices: Vec<Device>,
    pub(super) deals: Vec<Deal>,
    pub(super) gateway: Gateway,
    pub(super) payers: Vec<Payer>,
    pub(super) wishes: Vec<Wish>,
    pub(super) watch: Watch,
    pub(super) at_peace: bool,
    /// When Stripe will be looked at next.
    pub(super) stripe_at_ms: Option<i64>,
    pub(super) violation: Option<Violation>,
    steps: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Default)]
pub struct Ended {
    /// What went wrong on the way.
    pub tally: Tally,
    /// Things that happened.
    pub steps: u64,
    /// Promises made.
    pub promised: u64,
    /// Orders in the ledger.
    pub orders: u64,
    /// Charges that succeeded.
    pub charges: u64,
    /// Promises that came to a named person.
    pub to_a_person: u64,
    /// Refunds at Stripe, failed ones too.
    pub refunds: u64,
    /// Payments for what another payment had settled.
    pub already_paid: u64,
    /// Reports of records that a handheld could not read.
    pub reports: u64,
}

impl World {
    /// A world over records in memory.
    pub fn new(plan: &Plan, traced: bool) -> Self {
        Self::on(plan, traced, &mut |_| Box::new(MemoryDisk::new(plan.broken)))
    }

    /// A world over disks of the caller's, one for each handheld.
    pub fn on(plan: &Plan, traced: bool, disk: &mut dyn FnMut(usize) -> Box<dyn Disk>) -> Self {
        vouching::forget();
        let mut chance = Chance::new(plan.seed ^ 0x5851_f42d_4c95_7f2d);
        let script = Script::of(plan, &mut chance);
        let stripe = stripe(chance.next(), script.webhooks, script.stripe_skew_ms);
        let mut devices = Vec::new();
        for index in 0..script.devices {
            let mut disk = disk(index);
            let enrolled = fixture::enrolled(index, script.lifetime_s);
            disk.commit(&enrolled, super::Commit::Whole).expect("a new disk works");
            devices.push(Device::new(index, disk, chance.fork(), script.offline_ms == 0));
        }
        let shared = Arc::new(Shared::new(
            START_MS,
            chance,
            stripe,
            script.stripe_skew_ms,
            script.doses.clone(),
            plan.broken,
            traced,
        ));
        let gateway = Gateway::new(&shared, script.devices);
        let deals =
            script.deals.iter().map(|(_, device, wants)| Deal::new(*device, *wants)).collect();
        let mut world = Self {
            plan: *plan,
            script,
            shared,
            agenda: Agenda::new(),
            devices,
            deals,
            gateway,
            payers: Vec::new(),
            wishes: Vec::new(),
            watch: Watch::default(),
            at_peace: false,
            stripe_at_ms: None,
            violation: None,
            steps: 0,
        };
        world.enter_script();
        world
    }

    fn enter_script(&mut self) {
        for device in 0..self.devices.len() {
            self.agenda.enter(START_MS, Happening::Starts { device, generation: 0 });
            if self.script.offline_ms > 0 {
                let at_ms = START_MS.saturating_add(self.script.offline_ms);
                self.agenda.enter(at_ms, Happening::NetworkBack { device });
            }
        }
        for (deal, (at_ms, ..)) in self.script.deals.iter().enumerate() {
            self.agenda.enter(START_MS.saturating_add(*at_ms), Happening::Officer(deal));
        }
        self.agenda.enter(START_MS.saturating_add(self.script.tick_ms), Happening::Trouble);
    }

    /// Lets everything happen.
    pub fn run(&mut self) -> Result<Ended, Violation> {
        if self.deals.iter().any(|deal| deal.wants != Wants::Items) {
            self.put_charges();
        }
        self.pass_until(START_MS.saturating_add(self.script.trouble_ms))?;
        self.peace()?;
        Ok(self.ended())
    }

    /// Makes every decision in SQLite as well. To be called before the run. Every fourth run has a good
    /// chance to be put back to a backup.
    pub fn open_database(&mut self) {
        // The office's switch, and an enrolment, change a table past all decisions.
        self.shared.lock().doses.set(super::Fault::MethodOff, 0);
        self.shared.lock().doses.set(super::Fault::EnrolmentHarmed, 0);
        if self.plan.seed.is_multiple_of(4) {
            self.shared.lock().doses.set(super::Fault::Restored, RESTORED_BESIDE_SQL);
        }
        if let Some(ledger) = Arc::get_mut(&mut self.gateway.ledger) {
            ledger.open_database();
        }
    }

    /// Where SQLite's file lies, for a test that tampers with it.
    pub fn database_file(&self) -> Option<std::path::PathBuf> {
        self.gateway.ledger.database_file()
    }

    /// SQLite holds what the memory holds: after the run, and before a backup takes its place.
    pub fn same_in_sql(&self) -> Result<(), Violation> {
        let rule = "SQL and memory hold the same rows";
        self.gateway.ledger.difference().map_or(Ok(()), |what| Err(Violation { rule, what }))
    }

    /// What happened, line by line, if the world was made to keep it.
    pub fn trace(&self) -> Vec<String> {
        self.shared.lock().trace.clone().unwrap_or_default()
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.shared.lock().now_ms
    }

    /// Enters something for so many milliseconds from now.
    pub(super) fn enter_in(&mut self, wait_ms: i64, what: Happening) {
        let at_ms = self.now_ms().saturating_add(wait_ms);
        self.agenda.enter(at_ms, what);
    }

    /// A time from `least` to `most`, in milliseconds.
    pub(super) fn draw_ms(&self, least: i64, most: i64) -> i64 {
        self.shared.lock().chance.ms(least, most)
    }

    pub(super) fn strikes(&self, fault: super::Fault) -> bool {
        self.shared.lock().strikes(fault)
    }

    pub(super) fn note(&self, words: impl FnOnce() -> String) {
        self.shared.note(words);
    }

    /// A rule was broken. The first one counts.
    pub(super) fn break_rule(&mut self, rule: &'static str, what: impl FnOnce() -> String) {
        if self.violation.is_none() {
            let violation = Violation { rule, what: what() };
            self.note(|| format!("BROKEN: {violation}"));
            self.violation = Some(violation);
        }
    }

    /// Lets happen what happens until then. The clock stands there afterwards.
    pub(super) fn pass_until(&mut self, until_ms: i64) -> Result<(), Violation> {
        while let Some((at_ms, what)) = self.agenda.next_until(until_ms) {
            {
                let mut shared = self.shared.lock();
                shared.now_ms = shared.now_ms.max(at_ms);
            }
            self.happens(what);
            self.follow_up();
            self.check();
            if let Some(violation) = self.violation.clone() {
                return Err(violation);
            }
        }
        let mut shared = self.shared.lock();
        shared.now_ms = shared.now_ms.max(until_ms);
        Ok(())
    }

    fn happens(&mut self, what: Happening) {
        self.steps = self.steps.saturating_add(1);
        if self.steps > STEPS_MAX {
            self.break_rule("nothing runs in a circle", || format!("{STEPS_MAX} steps"));
        }
        match what {
            Happening::Officer(deal) => self.officer_looks(deal),
            Happening::GivesUp { device, payment, withdraws } => {
                self.give_up(device, payment, withdraws);
            }
            Happening::Starts { device, generation } => self.switch_on(device, generation),
            Happening::Wakes { device, generation } => self.wake(device, generation),
            Happening::Signs { device, generation, ticket, answer } => {
                self.signed(device, generation, ticket, answer);
            }
            Happening::Arrives { exchange, is_copy } => self.arrives(*exchange, is_copy),
            Happening::Answered { device, generation, ticket, answer } => {
                self.answered(device, generation, ticket, answer);
            }
            Happening::PollEnds(number) => self.poll_ends(number),
            Happening::Task(number) => self.go_on(number),
            Happening::Work => self.look_for_work(),
            Happening::GatewayUp { generation } => self.gateway_up(generation),
            Happening::Stripe => self.stripe_wakes(),
            Happening::Delivery { delivery, is_copy } => self.deliver(*delivery, is_copy),
            Happening::LateCall(request) => self.late_call(&request),
            Happening::Payer { payer, turn } => self.payer_acts(payer, turn),
            Happening::Refund(wish) => self.send_refund_form(wish),
            Happening::MethodBack => self.method_back(),
            Happening::Enrols { device } => self.enrols(device),
            Happening::NetworkBack { device } => self.network_back(device),
            Happening::Trouble => self.trouble(),
        }
    }

    /// Enters what follows by itself from a step.
    fn follow_up(&mut self) {
        let late = std::mem::take(&mut self.shared.lock().late);
        for (at_ms, request) in late {
            self.agenda.enter(at_ms, Happening::LateCall(Box::new(request)));
        }
        if self.shared.lock().changed {
            self.answer_polls();
            self.enter_work();
            self.enter_stripe();
        }
    }

    fn ended(&self) -> Ended {
        let promised = self.devices.iter().map(|device| device.promised.len());
        let tally = self.shared.lock().tally.clone();
        Ended {
            tally,
            steps: self.steps,
            promised: u64::try_from(promised.sum::<usize>()).unwrap_or(0),
            ..self.counted()
        }
    }
}

fn stripe(seed: u64, webhooks: Webhooks, skew_ms: i64) -> Core {
    let now_ms = START_MS.saturating_add(skew_ms);
    let mut stripe = Core::new(Config::new(seed, "https://checkout.example"), now_ms);
    if webhooks != Webhooks::None {
        let secret = WebhookSecret::parse(fixture::WEBHOOK_SECRET).expect("a secret");
        let url = format!("{}/api/demo/qr/payment/webhook", fixture::GATEWAY_URL);
        let events = if webhooks == Webhooks::All { Vec::new() } else { FOLLOWED.to_vec() };
        stripe.set_targets(&[WebhookTarget { url, secret, events }], now_ms);
    }
    stripe
}
