//! Random schedules: faults and kills between any two steps, then peace. What was promised arrives,
//! once, as it was signed.

use super::bench::{Bench, Kill};
use super::gateway::{Gateway, refusal};
use crate::engine::{
    Call, Caller, Event, Reply, Response, StoreFault, TransportFault, WAIT_MS_MAX,
};
use holdfast_domain::{PaymentId, PaymentState};
use holdfast_protocol::wire::ErrorCode;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
enum Act {
    Draft,
    Hold(usize),
    Sign,
    KeyRefuses,
    Deliver(usize),
    LoseRequest(usize),
    LoseAnswer(usize),
    DeliverTwice(usize),
    /// A page of HTML, whether or not the request arrived.
    Garbage(usize, bool),
    Busy(usize),
    PayerPays(usize),
    Pass(u64),
    ClockJumps(i64),
    Refresh,
    Cancel(usize),
    Withdraw(usize),
    Network(bool),
    Reboot,
    DiskFails(StoreFault),
    KillAt(Kill),
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    let index = 0..8_usize;
    prop_oneof![
        3 => Just(Act::Draft),
        4 => index.clone().prop_map(Act::Hold),
        6 => Just(Act::Sign),
        1 => Just(Act::KeyRefuses),
        8 => index.clone().prop_map(Act::Deliver),
        3 => index.clone().prop_map(Act::LoseRequest),
        3 => index.clone().prop_map(Act::LoseAnswer),
        2 => index.clone().prop_map(Act::DeliverTwice),
        2 => (index.clone(), any::<bool>()).prop_map(|(i, arrives)| Act::Garbage(i, arrives)),
        1 => index.clone().prop_map(Act::Busy),
        2 => index.clone().prop_map(Act::PayerPays),
        1 => index.clone().prop_map(Act::Cancel),
        1 => index.prop_map(Act::Withdraw),
        1 => any::<bool>().prop_map(Act::Network),
        1 => Just(Act::Reboot),
        3 => (1..2 * WAIT_MS_MAX).prop_map(Act::Pass),
        1 => (-90_000_000..90_000_000_i64).prop_map(Act::ClockJumps),
        1 => Just(Act::Refresh),
        1 => prop_oneof![Just(StoreFault::Full), Just(StoreFault::Failed)].prop_map(Act::DiskFails),
        1 => prop_oneof![Just(Kill::BeforeTheCommit), Just(Kill::AfterTheCommit)]
            .prop_map(Act::KillAt),
        1 => Just(Act::Restart),
    ]
}

/// A bench, a gateway, and what the officer was told.
struct World {
    bench: Bench,
    gateway: Gateway,
    drafts: Vec<PaymentId>,
    holds: BTreeMap<Caller, PaymentId>,
    promised: BTreeSet<PaymentId>,
    asked: BTreeMap<Caller, PaymentId>,
    /// Cancellations and withdrawals that the officer was told are on their way.
    requested: BTreeSet<PaymentId>,
}

impl World {
    fn new() -> Self {
        let mut bench = Bench::enrolled();
        bench.key_answers = false;
        Self {
            bench,
            gateway: Gateway::new(),
            drafts: Vec::new(),
            holds: BTreeMap::new(),
            promised: BTreeSet::new(),
            asked: BTreeMap::new(),
            requested: BTreeSet::new(),
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Draft => self.draft(),
            Act::Hold(index) => {
                if let Some(payment) = self.drafts.get(*index).copied() {
                    let caller = self.bench.call(Call::Hold(payment));
                    self.holds.insert(caller, payment);
                }
            }
            Act::Sign if !self.bench.signing.is_empty() => self.bench.sign_next(),
            Act::KeyRefuses if !self.bench.signing.is_empty() => self.bench.refuse_to_sign(),
            Act::Sign | Act::KeyRefuses => {}
            Act::Deliver(index) => self.exchange(*index, 1, None),
            Act::DeliverTwice(index) => self.exchange(*index, 2, None),
            Act::LoseAnswer(index) => {
                self.exchange(*index, 1, Some(Err(TransportFault::Timeout)));
            }
            Act::LoseRequest(index) => {
                self.exchange(*index, 0, Some(Err(TransportFault::Unreachable)));
            }
            Act::Garbage(index, arrives) => {
                let body = b"<html>".to_vec().into();
                let page = Response { status: 200, retry_after_s: None, body };
                self.exchange(*index, usize::from(*arrives), Some(Ok(page)));
            }
            Act::Busy(index) => {
                self.exchange(*index, 0, Some(Ok(refusal(503, ErrorCode::Unavailable))));
            }
            Act::PayerPays(index) => {
                if let Some(payment) = self.gateway.accepted.keys().nth(*index).copied() {
                    self.gateway.move_on(payment, PaymentState::Paid);
                }
            }
            Act::Pass(ms) => {
                self.bench.pass(*ms);
                self.gateway.time_unix_s += ms / 1_000;
            }
            Act::ClockJumps(ms) => {
                self.bench.now.wall_ms = self.bench.now.wall_ms.saturating_add_signed(*ms);
            }
            Act::Refresh => {
                self.bench.call(Call::Refresh);
            }
            Act::Cancel(index) => self.ask(*index, Call::Cancel),
            Act::Withdraw(index) => {
                self.ask(*index, |payment| Call::Withdraw(payment, "No card.".to_owned()));
            }
            Act::Network(available) => {
                self.bench.tell(Event::Network { available: *available });
            }
            Act::Reboot => self.bench.reboot(),
            Act::DiskFails(fault) => self.bench.fault = Some(*fault),
            Act::KillAt(kill) => self.bench.kill = Some(*kill),
            Act::Restart => self.bench.restart(),
        }
        self.hear();
    }

    fn draft(&mut self) {
        let lines = vec![crate::view::CartLine { item_id: 1, quantity: 1 }];
        let caller = self.bench.call(Call::OpenSummary(lines));
        if let Some(Reply::OpenSummary(Ok(payment))) = self.bench.reply(caller) {
            let payment = *payment;
            self.drafts.push(payment);
            self.bench.call(Call::ChooseMethod(payment, super::fixture::stripe()));
        }
    }

    fn ask(&mut self, index: usize, call: impl FnOnce(PaymentId) -> Call) {
        if let Some(payment) = self.drafts.get(index).copied() {
            let caller = self.bench.call(call(payment));
            self.asked.insert(caller, payment);
        }
    }

    /// The request arrives so many times; then its answer comes, or something else does.
    fn exchange(
        &mut self,
        index: usize,
        arrives: usize,
        instead: Option<Result<Response, TransportFault>>,
    ) {
        let Some((_, request)) = self.bench.sent.get(index).cloned() else {
            return;
        };
        let mut answer = Err(TransportFault::Unreachable);
        for _ in 0..arrives {
            answer = Ok(self.gateway.answer(&request));
        }
        self.bench.answer(index, instead.unwrap_or(answer));
    }

    /// Collects the promises, and checks that each is on disk the moment it is made.
    fn hear(&mut self) {
        for (caller, payment) in &self.holds {
            if self.bench.reply(*caller) == Some(&Reply::Hold(Ok(()))) {
                self.promised.insert(*payment);
            }
        }
        for (caller, payment) in &self.asked {
            if self.bench.reply(*caller) == Some(&Reply::Request(Ok(()))) {
                self.requested.insert(*payment);
            }
        }
        for payment in &self.promised {
            let state = self.bench.view(*payment).state;
            assert_ne!(state, PaymentState::Draft, "{payment} was promised");
        }
    }

    /// Faults stop; everything gets the time it needs.
    fn peace(&mut self) {
        self.bench.fault = None;
        self.bench.kill = None;
        self.bench.key_answers = true;
        while !self.bench.signing.is_empty() {
            self.bench.sign_next();
        }
        self.hear();
        for _ in 0..4 {
            self.bench.pass(2 * WAIT_MS_MAX);
            self.gateway.time_unix_s += 2 * WAIT_MS_MAX / 1_000;
            self.bench.serve(&mut self.gateway);
            if self.bench.find("wait_s=25").is_some() {
                self.bench.serve_poll(&mut self.gateway);
            }
        }
    }

    fn check(&self) {
        let accepted = &self.gateway.accepted;
        for payment in &self.promised {
            let known = accepted.get(payment).expect("what was promised arrives");
            let view = self.bench.view(*payment);
            assert_eq!(view.state, known.status.state, "and is shown as it is");
            assert_eq!(view.parked, None);
        }
        for caller in self.holds.keys().filter(|caller| **caller >= self.bench.first_caller) {
            assert!(self.bench.reply(*caller).is_some(), "every hold is answered");
        }
        for payment in &self.requested {
            let state = accepted[payment].status.state;
            assert!(!state.can_be_paid(), "{payment} was canceled or paid, not {state:?}");
        }
        let mut bytes = BTreeMap::new();
        for order in &self.gateway.submissions {
            let payment = holdfast_protocol::SignedOrder::parse(order).unwrap().payload().payment;
            assert_eq!(bytes.entry(payment).or_insert(order), &order, "the same bytes, always");
        }
        let mut sequences: Vec<_> = accepted.values().map(|known| known.sequence).collect();
        sequences.sort_unstable();
        let count = u64::try_from(sequences.len()).unwrap();
        assert_eq!(sequences, (1..=count).collect::<Vec<_>>(), "no gap, no repetition");
        assert_eq!(self.bench.engine.snapshot(self.bench.now).queued, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn what_was_promised_arrives_once_as_it_was_signed(
        acts in prop::collection::vec(act(), 1..120)
    ) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
        }
        world.peace();
        world.check();
    }
}
