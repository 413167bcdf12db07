//! One engine on a bench: a disk that can fail, a key, and requests that wait until the test decides
//! what becomes of them.

use super::fixture::{self, Counting};
use super::gateway::Gateway;
use crate::engine::{
    BootId, Call, Caller, Command, Durable, Engine, Event, Key, Moment, Quarantined, Record, Reply,
    Request, Response, StoreFault, Ticket, TransportFault, Turn, Write,
};
use crate::port::DeviceKeyError;
use crate::view::{CartLine, PaymentView};
use holdfast_domain::PaymentId;
use p256::ecdsa::SigningKey;
use std::collections::BTreeMap;

/// Where a step is cut short by a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kill {
    BeforeTheCommit,
    AfterTheCommit,
}

pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) disk: BTreeMap<Key, Record>,
    pub(crate) now: Moment,
    pub(crate) sent: Vec<(Ticket, Request)>,
    pub(crate) signing: Vec<(Ticket, Vec<u8>)>,
    pub(crate) abandoned: Vec<Ticket>,
    pub(crate) replies: BTreeMap<Caller, Reply>,
    pub(crate) notified: u64,
    /// Callers before this one were killed with their process.
    pub(crate) first_caller: Caller,
    /// The next commit fails like this.
    pub(crate) fault: Option<StoreFault>,
    /// The next step with a commit is cut short here.
    pub(crate) kill: Option<Kill>,
    /// If false, signatures wait in `signing`.
    pub(crate) key_answers: bool,
    /// The run of the operating system.
    pub(crate) boot: BootId,
    /// Records that cannot be read at the next start.
    pub(crate) quarantine: Vec<Quarantined>,
    /// The device key of this handheld.
    pub(crate) key: SigningKey,
    random: Counting,
    next_caller: u64,
}

impl Bench {
    pub(crate) fn new(records: Vec<Record>) -> Self {
        let disk = records.into_iter().map(|record| (record.key(), record)).collect();
        let mut bench = Self {
            engine: Engine::load(Durable::default(), String::new()),
            disk,
            now: fixture::START,
            sent: Vec::new(),
            signing: Vec::new(),
            abandoned: Vec::new(),
            replies: BTreeMap::new(),
            notified: 0,
            first_caller: Caller(1),
            fault: None,
            kill: None,
            key_answers: true,
            boot: fixture::BOOT,
            quarantine: Vec::new(),
            key: fixture::device_key(),
            random: Counting(1),
            next_caller: 1,
        };
        bench.restart();
        bench
    }

    pub(crate) fn enrolled() -> Self {
        Self::new(fixture::records())
    }

    /// Killed and started again: only the disk is left.
    pub(crate) fn restart(&mut self) {
        let durable = Durable::load(self.disk.values().cloned().collect(), self.quarantine.clone());
        self.engine = Engine::load(durable, "Handheld".to_owned());
        self.engine.booted(self.boot);
        self.sent.clear();
        self.signing.clear();
        self.kill = None;
        self.notified = 0;
        self.first_caller = Caller(self.next_caller);
        self.tell(Event::Started);
    }

    pub(crate) fn tell(&mut self, event: Event) {
        let mut turn = Turn { now: self.now, random: &mut self.random };
        let step = self.engine.handle(event, &mut turn);
        if !step.writes().is_empty() && self.kill == Some(Kill::BeforeTheCommit) {
            return self.restart();
        }
        let stored = match (step.writes(), self.fault) {
            ([], _) => Ok(()),
            (_, Some(fault)) => Err(fault),
            (writes, None) => {
                store(&mut self.disk, writes);
                Ok(())
            }
        };
        if !step.writes().is_empty() {
            self.fault = None;
            if self.kill.is_some() {
                return self.restart();
            }
        }
        let mut turn = Turn { now: self.now, random: &mut self.random };
        let commands = self.engine.settle(step, stored, &mut turn);
        commands.into_iter().for_each(|command| self.execute(command));
        self.check();
        self.sign_all();
    }

    fn execute(&mut self, command: Command) {
        match command {
            Command::PublicKey { ticket } => {
                use p256::pkcs8::EncodePublicKey;
                let key = self.key.verifying_key().to_public_key_der().unwrap();
                self.tell(Event::PublicKey { ticket, answer: Ok(key.as_bytes().to_vec()) });
            }
            Command::Sign { ticket, message } => self.signing.push((ticket, message)),
            Command::Send { ticket, request } => self.sent.push((ticket, request)),
            Command::Abandon { ticket } => {
                self.sent.retain(|(sent, _)| *sent != ticket);
                self.abandoned.push(ticket);
            }
            Command::Reply { caller, reply } => {
                assert!(self.replies.insert(caller, reply).is_none(), "one reply for each caller");
            }
            Command::Notify { revision } => {
                assert!(revision > self.notified, "each notice is news");
                self.notified = revision;
            }
        }
    }

    /// What must hold after each step.
    fn check(&self) {
        // Whatever is due has been started, or the shell would spin.
        assert!(self.engine.next_wake_ms().is_none_or(|wake_ms| wake_ms > self.now.mono_ms));
        // What is in memory is what is on disk.
        let disk = Durable::load(self.disk.values().cloned().collect(), Vec::new());
        assert!(disk.payments().eq(self.engine.durable().payments()));
    }

    fn sign_all(&mut self) {
        while self.key_answers && !self.signing.is_empty() {
            self.sign_next();
        }
    }

    pub(crate) fn sign_next(&mut self) {
        let (ticket, message) = self.signing.remove(0);
        self.tell(Event::Signed { ticket, answer: Ok(fixture::signed_by(&self.key, &message)) });
    }

    /// Signs the order that waits, and not a request for a token.
    pub(crate) fn sign_order(&mut self) {
        let is_order = |message: &[u8]| message.windows(14).any(|part| part == b"holdfast/order");
        let index = self.signing.iter().position(|(_, message)| is_order(message));
        let order = self.signing.remove(index.expect("an order to sign"));
        self.signing.insert(0, order);
        self.sign_next();
    }

    /// The system has lost the device key.
    pub(crate) fn lose_the_key(&mut self) {
        let (ticket, _) = self.signing.remove(0);
        self.tell(Event::Signed { ticket, answer: Err(DeviceKeyError::Lost) });
    }

    /// The operating system starts anew: the clock that runs forward does so from zero.
    pub(crate) fn reboot(&mut self) {
        self.boot = [self.boot[0].wrapping_add(1); 16];
        self.now.mono_ms = 500;
        self.restart();
    }

    pub(crate) fn refuse_to_sign(&mut self) {
        let (ticket, _) = self.signing.remove(0);
        let answer = Err(DeviceKeyError::Unavailable { reason: "busy".to_owned() });
        self.tell(Event::Signed { ticket, answer });
    }

    pub(crate) fn call(&mut self, call: Call) -> Caller {
        let caller = Caller(self.next_caller);
        self.next_caller += 1;
        self.tell(Event::Called { caller, call });
        caller
    }

    pub(crate) fn reply(&self, caller: Caller) -> Option<&Reply> {
        self.replies.get(&caller)
    }

    /// Calls, and expects the answer at once.
    pub(crate) fn ask(&mut self, call: Call) -> Reply {
        let caller = self.call(call);
        self.replies.remove(&caller).expect("an answer at once")
    }

    /// Time passes; the engine is woken whenever it wants to be.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end_ms = self.now.mono_ms + ms;
        while let Some(wake_ms) = self.engine.next_wake_ms().filter(|wake_ms| *wake_ms <= end_ms) {
            self.now.wall_ms += wake_ms - self.now.mono_ms;
            self.now.mono_ms = wake_ms;
            self.tell(Event::Woke);
        }
        self.now.wall_ms += end_ms - self.now.mono_ms;
        self.now.mono_ms = end_ms;
    }

    pub(crate) fn answer(&mut self, index: usize, answer: Result<Response, TransportFault>) {
        let (ticket, _) = self.sent.remove(index);
        self.tell(Event::Answered { ticket, answer });
    }

    /// The first request to this path.
    pub(crate) fn find(&self, path: &str) -> Option<usize> {
        self.sent.iter().position(|(_, request)| request.url.contains(path))
    }

    /// Answers the first request to this path.
    pub(crate) fn answer_path(&mut self, path: &str, answer: Result<Response, TransportFault>) {
        let index = self.find(path).unwrap_or_else(|| panic!("nothing was sent to {path}"));
        self.answer(index, answer);
    }

    /// Lets the gateway answer everything but long polls, until nothing else is left.
    pub(crate) fn serve(&mut self, gateway: &mut Gateway) {
        let waits = |request: &Request| request.url.contains("wait_s=25");
        while let Some(index) = self.sent.iter().position(|(_, request)| !waits(request)) {
            let response = gateway.answer(&self.sent[index].1);
            self.answer(index, Ok(response));
        }
    }

    /// Lets the gateway end a long poll.
    pub(crate) fn serve_poll(&mut self, gateway: &mut Gateway) {
        let index = self.find("wait_s=").expect("a poll");
        let response = gateway.answer(&self.sent[index].1);
        self.answer(index, Ok(response));
    }

    pub(crate) fn draft(&mut self) -> PaymentId {
        let lines = vec![CartLine { item_id: 1, quantity: 2 }];
        let payment = match self.ask(Call::OpenSummary(lines)) {
            Reply::OpenSummary(Ok(payment)) => payment,
            other => panic!("{other:?}"),
        };
        let chosen = self.ask(Call::ChooseMethod(payment, fixture::stripe()));
        assert_eq!(chosen, Reply::ChooseMethod(Ok(())));
        payment
    }

    pub(crate) fn held(&mut self) -> PaymentId {
        let payment = self.draft();
        assert_eq!(self.ask(Call::Hold(payment)), Reply::Hold(Ok(())));
        payment
    }

    pub(crate) fn view(&self, payment: PaymentId) -> PaymentView {
        self.engine.payment(payment).expect("a payment")
    }
}

fn store(disk: &mut BTreeMap<Key, Record>, writes: &[Write]) {
    for write in writes {
        match write {
            Write::Put(record) => disk.insert(record.key(), record.clone()),
            Write::Delete(key) => disk.remove(key),
        };
    }
}
