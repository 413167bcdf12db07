//! A handheld: the real engine between a disk, a key and a network that may fail at any step.

use super::chance::Chance;
use super::faults::Fault;
use super::fixture::{self, START_MS};
use super::officer::{Asked, is_named};
use super::world::{Happening, World};
use super::{Broken, Commit, Disk};
use holdfast_domain::{DeviceId, PaymentId, ShortCode};
use holdfast_handheld::engine::{
    Call, Caller, Command, Engine, Event, Moment, StoreFault, Ticket, Turn, Write,
};
use holdfast_handheld::port::DeviceKeyError;
use holdfast_protocol::DeviceSignature;
use holdfast_protocol::signature::{SIGNATURE_BYTES, vouching};
use p256::ecdsa::Signature;
use p256::ecdsa::signature::Signer;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// How long a device key takes to sign, at most, in milliseconds.
const SIGNING_MS_MAX: i64 = 400;
/// How long a handheld takes to be there again after its process ended, in milliseconds.
const START_AGAIN_MS: (i64, i64) = (500, 20_000);

pub(super) struct Device {
    pub(super) id: DeviceId,
    pub(super) disk: Box<dyn Disk>,
    /// None while it is off.
    pub(super) engine: Option<Box<Engine>>,
    /// Counts the processes; nothing reaches one that has ended.
    pub(super) generation: u64,
    /// True while it lies in a drawer.
    pub(super) in_drawer: bool,
    pub(super) has_network: bool,
    /// How far its clock is ahead.
    pub(super) skew_ms: i64,
    /// When its monotonic clock began.
    pub(super) boot_ms: i64,
    wake_ms: Option<i64>,
    pub(super) asked: BTreeMap<Caller, Asked>,
    next_caller: u64,
    pub(super) on_its_way: BTreeSet<Ticket>,
    /// What its screen has claimed.
    pub(super) promised: BTreeSet<PaymentId>,
    /// The code that its officer has, while it is to be enrolled again.
    pub(super) code: Option<ShortCode>,
    /// Somebody is on the way with a code.
    pub(super) awaits_code: bool,
    random: Chance,
}

/// Where a commit ends.
enum Fate {
    KilledBefore,
    Commit(Commit),
    KilledAfter,
}

impl Device {
    pub(super) fn new(
        index: usize,
        disk: Box<dyn Disk>,
        random: Chance,
        has_network: bool,
    ) -> Self {
        Self {
            id: fixture::device_id(index),
            disk,
            engine: None,
            generation: 0,
            in_drawer: false,
            has_network,
            skew_ms: 0,
            boot_ms: START_MS.saturating_sub(60_000),
            wake_ms: None,
            asked: BTreeMap::new(),
            next_caller: 1,
            on_its_way: BTreeSet::new(),
            promised: BTreeSet::new(),
            code: None,
            awaits_code: false,
            random,
        }
    }

    /// What its screen has claimed, and whatever else its list shows as held.
    pub(super) fn listed(&self) -> BTreeSet<PaymentId> {
        let payments = self.engine.iter().flat_map(|engine| engine.durable().payments());
        let held = payments.filter(|payment| payment.held.is_some()).map(|it| it.payment);
        held.chain(self.promised.iter().copied()).collect()
    }

    /// The gateway's name for it, as its records have it now.
    pub(super) fn learn_who_it_is(&mut self) {
        let enrolment = self.engine.as_ref().and_then(|engine| engine.durable().enrolment());
        self.id = enrolment.map_or(self.id, |enrolment| enrolment.device);
    }

    pub(super) fn moment(&self, now_ms: i64) -> Moment {
        let unsigned = |ms: i64| u64::try_from(ms).unwrap_or(0);
        Moment {
            wall_ms: unsigned(now_ms.saturating_add(self.skew_ms)),
            mono_ms: unsigned(now_ms.saturating_sub(self.boot_ms)),
        }
    }
}

impl World {
    pub(super) fn device(&mut self, index: usize) -> &mut Device {
        self.devices.get_mut(index).expect("a handheld of this run")
    }

    /// Asks the engine for something.
    pub(super) fn call(&mut self, device: usize, asked: Asked, call: Call) {
        let handheld = self.device(device);
        if handheld.engine.is_none() {
            return;
        }
        let caller = Caller(handheld.next_caller);
        handheld.next_caller = handheld.next_caller.saturating_add(1);
        handheld.asked.insert(caller, asked);
        self.note(|| format!("handheld {device}: asked for {call:?}"));
        self.tell(device, Event::Called { caller, call });
    }

    /// One step of the engine: an event in, a commit, commands out; and all that can go wrong
    /// between these.
    pub(super) fn tell(&mut self, device: usize, event: Event) {
        let now_ms = self.now_ms();
        let handheld = self.device(device);
        let Some(mut engine) = handheld.engine.take() else { return };
        let now = handheld.moment(now_ms);
        let step = engine.handle(event, &mut Turn { now, random: &mut handheld.random });
        if step.writes().is_empty() {
            let turn = &mut Turn { now, random: &mut handheld.random };
            let commands = engine.settle(step, Ok(()), turn);
            return self.go_on_with(device, engine, commands);
        }
        let fate = self.fate();
        if self.plan.broken == Some(Broken::SendBeforeCommit) {
            let writes = step.writes().to_vec();
            let handheld = self.device(device);
            let turn = &mut Turn { now, random: &mut handheld.random };
            let commands = engine.settle(step, Ok(()), turn);
            self.go_on_with(device, engine, commands);
            let _ = self.commit(device, &writes, fate);
            return;
        }
        let Some(stored) = self.commit(device, step.writes(), fate) else { return };
        let handheld = self.device(device);
        let turn = &mut Turn { now, random: &mut handheld.random };
        let commands = engine.settle(step, stored, turn);
        self.go_on_with(device, engine, commands);
    }

    fn fate(&self) -> Fate {
        let mut shared = self.shared.lock();
        let drawn = shared.draw(&[
            Fault::KilledBeforeCommit,
            Fault::KilledInCommit,
            Fault::KilledAfterCommit,
            Fault::DiskFull,
            Fault::DiskFails,
            Fault::DiskFailsLate,
        ]);
        match drawn {
            Some(Fault::KilledBeforeCommit) => Fate::KilledBefore,
            Some(Fault::KilledInCommit) => {
                let per_mille = u32::try_from(shared.chance.below(1_000)).unwrap_or(0);
                Fate::Commit(Commit::Torn(per_mille))
            }
            Some(Fault::KilledAfterCommit) => Fate::KilledAfter,
            Some(Fault::DiskFull) => {
                Fate::Commit(Commit::Fails { fault: StoreFault::Full, kept: false })
            }
            Some(Fault::DiskFails) => {
                Fate::Commit(Commit::Fails { fault: StoreFault::Failed, kept: false })
            }
            Some(Fault::DiskFailsLate) => {
                Fate::Commit(Commit::Fails { fault: StoreFault::Failed, kept: true })
            }
            _ => Fate::Commit(Commit::Whole),
        }
    }

    /// None if the process did not live to see the outcome.
    fn commit(
        &mut self,
        device: usize,
        writes: &[Write],
        fate: Fate,
    ) -> Option<Result<(), StoreFault>> {
        let (how, is_killed) = match fate {
            Fate::KilledBefore => {
                self.kill(device, "before a commit");
                return None;
            }
            Fate::Commit(how @ Commit::Torn(_)) => (how, true),
            Fate::Commit(how) => (how, false),
            Fate::KilledAfter => (Commit::Whole, true),
        };
        let stored = self.device(device).disk.commit(writes, how);
        self.note(|| format!("handheld {device}: {writes:?}: {stored:?}"));
        if is_killed {
            self.kill(device, if how == Commit::Whole { "after a commit" } else { "in a commit" });
            return None;
        }
        Some(stored)
    }

    fn go_on_with(&mut self, device: usize, engine: Box<Engine>, commands: Vec<Command>) {
        self.device(device).engine = Some(engine);
        for command in commands {
            self.execute(device, command);
        }
        self.enter_wake(device);
    }

    fn execute(&mut self, device: usize, command: Command) {
        match command {
            Command::PublicKey { ticket } => self.shows_its_key(device, ticket),
            Command::Notify { .. } => {}
            Command::Sign { ticket, message } => self.sign(device, ticket, &message),
            Command::Send { ticket, request } => self.send(device, ticket, request),
            Command::Abandon { ticket } => {
                self.device(device).on_its_way.remove(&ticket);
            }
            Command::Reply { caller, reply } => {
                if let Some(asked) = self.device(device).asked.remove(&caller) {
                    self.replied(device, asked, &reply);
                }
            }
        }
    }

    fn sign(&mut self, device: usize, ticket: Ticket, message: &[u8]) {
        let answer = if self.strikes(Fault::KeyBusy) {
            Err(DeviceKeyError::Unavailable { reason: "busy".to_owned() })
        } else if !self.script.true_signatures {
            // Most runs spend their time on what follows from a signature.
            Ok(made_up_signature(device, message))
        } else {
            let signature: Signature = fixture::key(device).sign(message);
            Ok(signature.to_der().as_bytes().to_vec())
        };
        let generation = self.device(device).generation;
        let wait_ms = self.draw_ms(1, SIGNING_MS_MAX);
        self.enter_in(wait_ms, Happening::Signs { device, generation, ticket, answer });
    }

    pub(super) fn signed(
        &mut self,
        device: usize,
        generation: u64,
        ticket: Ticket,
        answer: Result<Vec<u8>, DeviceKeyError>,
    ) {
        if self.device(device).generation == generation {
            self.tell(device, Event::Signed { ticket, answer });
        }
    }

    fn enter_wake(&mut self, device: usize) {
        let handheld = self.device(device);
        let wake_ms = handheld.engine.as_deref().and_then(Engine::next_wake_ms);
        let wake_ms = wake_ms.map(|mono_ms| handheld.boot_ms.saturating_add_unsigned(mono_ms));
        if wake_ms == handheld.wake_ms {
            return;
        }
        handheld.wake_ms = wake_ms;
        let generation = handheld.generation;
        if let Some(at_ms) = wake_ms {
            let at_ms = at_ms.max(self.now_ms().saturating_add(1));
            self.agenda.enter(at_ms, Happening::Wakes { device, generation });
        }
    }

    pub(super) fn wake(&mut self, device: usize, generation: u64) {
        let now_ms = self.now_ms();
        let handheld = self.device(device);
        // An earlier wish was replaced by a later one.
        let is_wanted = handheld.wake_ms.is_some_and(|at_ms| at_ms <= now_ms);
        if handheld.generation == generation && is_wanted {
            handheld.wake_ms = None;
            self.tell(device, Event::Woke);
        }
    }

    /// The process ends, and is started again soon.
    pub(super) fn kill(&mut self, device: usize, when: &str) {
        self.switch_off(device, when);
        let generation = self.device(device).generation;
        let wait_ms = self.draw_ms(START_AGAIN_MS.0, START_AGAIN_MS.1);
        self.enter_in(wait_ms, Happening::Starts { device, generation });
    }

    /// The process ends.
    pub(super) fn switch_off(&mut self, device: usize, when: &str) {
        self.note(|| format!("handheld {device}: ends {when}"));
        let handheld = self.device(device);
        handheld.engine = None;
        handheld.generation = handheld.generation.saturating_add(1);
        handheld.asked.clear();
        handheld.on_its_way.clear();
        handheld.wake_ms = None;
    }

    /// From whatever the disk has. What was promised must be among it.
    pub(super) fn switch_on(&mut self, device: usize, generation: u64) {
        let handheld = self.device(device);
        if handheld.generation != generation || handheld.engine.is_some() || handheld.in_drawer {
            return;
        }
        let durable = handheld.disk.load();
        let is_lost = |payment: &&PaymentId| {
            let kept = durable.payment(**payment);
            kept.is_none_or(|kept| kept.held.is_none()) && !is_named(&durable, **payment)
        };
        let lost = handheld.promised.iter().find(is_lost).copied();
        let engine = Engine::load(durable, format!("Handheld {device}"));
        handheld.engine = Some(Box::new(engine));
        handheld.learn_who_it_is();
        self.note(|| format!("handheld {device}: starts"));
        if let Some(payment) = lost {
            self.break_rule("what the screen has claimed is durable", || payment.to_string());
        }
        self.tell(device, Event::Started);
        self.enrol_if_needed(device);
    }
}

/// Well-formed, another one for each message, and good because the simulation says so.
fn made_up_signature(device: usize, message: &[u8]) -> Vec<u8> {
    let key = fixture::public_key(device);
    let mut bytes = [0x11; SIGNATURE_BYTES];
    let digest = Sha256::digest(message);
    for half in bytes.chunks_mut(SIGNATURE_BYTES / 2) {
        // The first byte stays small: both numbers are in range, and the second is low.
        half.iter_mut().zip(digest).skip(1).for_each(|(place, byte)| *place = byte);
    }
    let signature = DeviceSignature::from_bytes(&bytes).expect("two numbers in range");
    vouching::vouch(&key, message, &signature);
    let mut der = vec![0x30, 0x44];
    for half in bytes.chunks(SIGNATURE_BYTES / 2) {
        der.extend([0x02, 0x20]);
        der.extend(half);
    }
    der
}
