//! What a seed means.
//!
//! Not every fault is in every run: which are, and how often, is drawn first. Runs with few faults go
//! deep where runs with all of them would never get to (swarm testing: Groce et al., ISSTA 2012).

use super::Broken;
use super::chance::Chance;
use super::faults::{Doses, Fault};
use super::fixture::DEVICES_MAX;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Of a thousand runs, how many sign and check on the curve. Multiplying there takes longer than all
/// the rest of a run.
const TRULY_SIGNED: u32 = 50;

/// Of a thousand runs, in how many several people settle one charge.
const CLAIM_RUNS: u32 = 80;
/// Of a thousand runs, in how many the office does little else than to refund.
const REFUND_RUNS: u32 = 80;

/// One run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Everything follows from it.
    pub seed: u64,
    /// Which kind of run.
    pub schedule: Schedule,
    /// With a mistake built in.
    pub broken: Option<Broken>,
}

/// Kinds of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Anything.
    Ordinary,
    /// Seven orders held without network and an eighth while the outbox drains; everybody pays.
    Drain,
}

impl Plan {
    /// An ordinary run.
    pub fn ordinary(seed: u64) -> Self {
        Self { seed, schedule: Schedule::Ordinary, broken: None }
    }

    /// Eight orders through an outbox.
    pub fn drain(seed: u64) -> Self {
        Self { seed, schedule: Schedule::Drain, broken: None }
    }

    /// The same with a mistake built in.
    pub fn broken(self, broken: Broken) -> Self {
        Self { broken: Some(broken), ..self }
    }
}

/// What an order is for, and how it is to be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// Things from the price list, by card.
    Items,
    /// The charge that others want to settle as well.
    Charge {
        /// In cash, which the officer has in hand before there is a network.
        cash: bool,
    },
}

impl Wants {
    pub(super) fn is_cash(self) -> bool {
        self == Self::Charge { cash: true }
    }
}

/// Which of Stripe's events are sent to this gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Webhooks {
    /// None: it has no webhook, or none that works.
    None,
    /// Those that it registers its webhook for.
    Followed,
    /// All, also those that mean nothing to it.
    All,
}

/// What is drawn before a run.
pub(super) struct Script {
    pub(super) devices: usize,
    pub(super) doses: Doses,
    /// How long trouble lasts.
    pub(super) trouble_ms: i64,
    /// How often a fault that comes by itself may come.
    pub(super) tick_ms: i64,
    /// For how long there is no network at first.
    pub(super) offline_ms: i64,
    /// When each order is begun, on which handheld, and what for.
    pub(super) deals: Vec<(i64, usize, Wants)>,
    /// For how long an order may be paid.
    pub(super) lifetime_s: u32,
    pub(super) webhooks: Webhooks,
    /// Whether orders, notices and requests for tokens are truly signed and checked.
    pub(super) true_signatures: bool,
    pub(super) stripe_skew_ms: i64,
    /// Of a thousand payments, how many nobody wants to pay.
    pub(super) nobody_pays: u32,
    /// How long payers take to come, at most.
    pub(super) payers_come_ms: i64,
}

impl Script {
    pub(super) fn of(plan: &Plan, chance: &mut Chance) -> Self {
        let mut script = Self {
            devices: 1,
            doses: doses(chance),
            trouble_ms: chance.ms(MINUTE, 6 * MINUTE),
            tick_ms: chance.ms(5 * SECOND, MINUTE),
            offline_ms: 0,
            deals: Vec::new(),
            lifetime_s: 7 * 24 * 60 * 60,
            webhooks: match chance.below(100) {
                0..20 => Webhooks::None,
                20..80 => Webhooks::Followed,
                _ => Webhooks::All,
            },
            true_signatures: chance.per_mille(TRULY_SIGNED),
            stripe_skew_ms: chance.ms(-20 * SECOND, 20 * SECOND),
            nobody_pays: 100,
            payers_come_ms: *chance
                .pick(&[30 * SECOND, 5 * MINUTE, 3 * HOUR])
                .unwrap_or(&(30 * SECOND)),
        };
        match plan.schedule {
            Schedule::Ordinary => script.ordinary(chance),
            Schedule::Drain => script.drain(chance),
        }
        script
    }

    fn ordinary(&mut self, chance: &mut Chance) {
        if chance.per_mille(100) {
            self.devices = DEVICES_MAX;
        }
        let orders = match chance.below(100) {
            0..55 => 1,
            55..80 => 2,
            80..93 => 3,
            _ => 4 + chance.below(5),
        };
        let devices = u64::try_from(self.devices).unwrap_or(1);
        for _ in 0..orders {
            let at_ms = chance.ms(0, self.trouble_ms / 2);
            let device = usize::try_from(chance.below(devices)).unwrap_or(0);
            self.deals.push((at_ms, device, Wants::Items));
        }
        if chance.per_mille(300) {
            self.offline_ms = chance.ms(0, self.trouble_ms);
        }
        if chance.per_mille(150) {
            // So short that it ends under payers and in drawers.
            self.lifetime_s = u32::try_from(chance.ms(600, 3 * 60 * 60)).unwrap_or(600);
        }
        if chance.per_mille(CLAIM_RUNS) {
            self.claims(chance);
        }
        if chance.per_mille(REFUND_RUNS) {
            self.refunds(chance);
        }
    }

    /// Officers on two handhelds settle the same charge, some in cash.
    fn claims(&mut self, chance: &mut Chance) {
        self.devices = DEVICES_MAX;
        self.deals.clear();
        for device in 0..DEVICES_MAX + usize::from(chance.per_mille(300)) {
            let at_ms = chance.ms(0, self.trouble_ms / 3);
            let wants = Wants::Charge { cash: chance.per_mille(250) };
            self.deals.push((at_ms, device % DEVICES_MAX, wants));
        }
        self.nobody_pays = 0;
        self.payers_come_ms = 30 * SECOND;
    }

    /// Everybody pays soon, and an office that is busy sends money back while there is trouble.
    fn refunds(&mut self, chance: &mut Chance) {
        self.nobody_pays = 0;
        self.payers_come_ms = 30 * SECOND;
        self.offline_ms = 0;
        self.trouble_ms = chance.ms(8 * MINUTE, 12 * MINUTE);
        self.tick_ms = chance.ms(5 * SECOND, 20 * SECOND);
        for deal in &mut self.deals {
            deal.0 = chance.ms(0, MINUTE);
        }
        for (fault, dose) in [
            (Fault::Refunded, 100),
            (Fault::RefundedInPart, 300),
            (Fault::RefundFails, 250),
            (Fault::RefundPends, 250),
        ] {
            self.doses.set(fault, dose);
        }
    }

    fn drain(&mut self, chance: &mut Chance) {
        self.offline_ms = chance.ms(MINUTE, 2 * MINUTE);
        for _ in 0..7 {
            let at_ms = chance.ms(0, self.offline_ms - 30 * SECOND);
            self.deals.push((at_ms, 0, Wants::Items));
        }
        // The eighth falls into the draining.
        let at_ms = self.offline_ms + chance.ms(-5 * SECOND, 3 * SECOND);
        self.deals.push((at_ms, 0, Wants::Items));
        self.trouble_ms = self.offline_ms + chance.ms(MINUTE, 3 * MINUTE);
        self.nobody_pays = 0;
        self.payers_come_ms = 5 * MINUTE;
        for fault in [
            Fault::Revoked,
            Fault::Restored,
            Fault::LaidAside,
            Fault::PayerGivesUp,
            Fault::Canceled,
            Fault::Withdrawn,
            Fault::KeyBusy,
            Fault::Refunded,
            Fault::RefundedInPart,
            Fault::RecordHarmed,
            Fault::EnrolmentHarmed,
            Fault::MethodOff,
            // Orders of the wrong time are refused for good, and rightly so.
            Fault::ClockJumps,
        ] {
            self.doses.set(fault, 0);
        }
    }
}

/// Which faults, and how often.
fn doses(chance: &mut Chance) -> Doses {
    let mut doses = Doses::default();
    if chance.per_mille(50) {
        return doses;
    }
    let likely = *chance.pick(&[100, 250, 500]).unwrap_or(&250);
    for fault in Fault::ALL.iter().copied() {
        let (likely, rates): (u32, &[u16]) = match fault {
            // One of these ends or changes the whole run.
            Fault::Revoked => (30, &[100, 300]),
            Fault::Restored => (60, &[100, 300]),
            Fault::LaidAside => (60, &[100, 300]),
            Fault::EnrolmentHarmed => (60, &[50, 200]),
            Fault::GatewayAway
            | Fault::PowerCut
            | Fault::ClockJumps
            | Fault::RecordHarmed
            | Fault::MethodOff => (likely / 2, &[50, 200]),
            Fault::Retried => (700, &[300]),
            Fault::GatewayKilledBefore | Fault::GatewayKilledAfter => (likely, &[10, 50, 100]),
            // People do these every day.
            Fault::TwoPayers
            | Fault::Carried
            | Fault::PressedTwice
            | Fault::PayerSlow
            | Fault::Declined
            | Fault::WentBack
            | Fault::NotAuthenticated
            | Fault::PayerGivesUp
            | Fault::RedirectLost
            | Fault::HeldTwice => (likely + 200, &[100, 500]),
            Fault::Canceled | Fault::Withdrawn => (likely, &[100, 300]),
            Fault::Refunded | Fault::RefundedInPart => (likely, &[100, 300, 700]),
            _ => (likely, &[10, 50, 150, 400]),
        };
        if chance.per_mille(likely) {
            doses.set(fault, *chance.pick(rates).unwrap_or(&0));
        }
    }
    doses
}
