//! The actor: one event at a time, each stored before it is acted on.

use super::clock::{Clock, SystemRandom};
use super::foreign::{KEY_S_MAX, PatientKey};
use super::{Parts, locked};
use crate::engine::{
    Call, Caller, Command, Engine, Event, Reply, Request, StoreFault, Ticket, TransportFault, Turn,
    Write,
};
use crate::net::Network;
use crate::store::RecordStore;
use holdfast_protocol::wire::CopiesFile;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::{sleep_until, timeout};

/// What the actor hears.
pub(super) enum Message {
    /// Somebody asks.
    Call {
        /// What.
        call: Call,
        /// Where the answer goes.
        answer: oneshot::Sender<Reply>,
    },
    /// Something that was asked for has come.
    Event(Event),
    /// Somebody wants the copies of waiting orders.
    Copies(oneshot::Sender<Result<Vec<CopiesFile>, StoreFault>>),
    /// The end.
    Close,
}

/// Owns the engine's turn. Others only read.
pub(super) struct Actor {
    engine: Arc<Mutex<Engine>>,
    clock: Clock,
    store: Arc<Mutex<Box<dyn RecordStore>>>,
    network: Arc<dyn Network>,
    key: PatientKey,
    inbox: mpsc::UnboundedSender<Message>,
    messages: mpsc::UnboundedReceiver<Message>,
    notices: watch::Sender<u64>,
    callers: BTreeMap<Caller, oneshot::Sender<Reply>>,
    next_caller: u64,
    exchanges: BTreeMap<Ticket, AbortHandle>,
}

impl Actor {
    pub(super) fn new(
        parts: Parts,
        inbox: mpsc::UnboundedSender<Message>,
        messages: mpsc::UnboundedReceiver<Message>,
        notices: watch::Sender<u64>,
    ) -> Self {
        Self {
            engine: parts.engine,
            clock: parts.clock,
            store: Arc::new(Mutex::new(parts.store)),
            network: parts.network,
            key: PatientKey::new(parts.device_key, Duration::from_secs(KEY_S_MAX)),
            inbox,
            messages,
            notices,
            callers: BTreeMap::new(),
            next_caller: 1,
            exchanges: BTreeMap::new(),
        }
    }

    /// Runs until it is closed.
    pub(super) async fn run(mut self) {
        self.take(Event::Started).await;
        loop {
            let wake_ms = locked(&self.engine).next_wake_ms();
            let message = tokio::select! {
                message = self.messages.recv() => message.unwrap_or(Message::Close),
                () = wake(self.clock, wake_ms) => Message::Event(Event::Woke),
            };
            match message {
                Message::Call { call, answer } => self.call(call, answer).await,
                Message::Event(event) => self.take(event).await,
                Message::Copies(answer) => {
                    let store = self.store.clone();
                    // Nobody may be waiting any more; then nothing is lost.
                    tokio::task::spawn_blocking(move || answer.send(locked(&store).copies()));
                }
                Message::Close => break,
            }
        }
        self.exchanges.values().for_each(AbortHandle::abort);
    }

    async fn call(&mut self, call: Call, answer: oneshot::Sender<Reply>) {
        let caller = Caller(self.next_caller);
        self.next_caller = self.next_caller.saturating_add(1);
        self.callers.insert(caller, answer);
        self.take(Event::Called { caller, call }).await;
    }

    /// One turn: the event, the commit, the commands.
    async fn take(&mut self, event: Event) {
        if let Event::Answered { ticket, .. } = &event {
            self.exchanges.remove(ticket);
        }
        let step = self.engine_turn(|engine, turn| engine.handle(event, turn));
        let stored = match step.writes() {
            [] => Ok(()),
            writes => self.commit(writes.to_vec()).await,
        };
        let commands = self.engine_turn(|engine, turn| engine.settle(step, stored, turn));
        for command in commands {
            self.execute(command);
        }
    }

    fn engine_turn<T>(&self, with: impl FnOnce(&mut Engine, &mut Turn) -> T) -> T {
        let mut random = SystemRandom;
        let mut turn = Turn { now: self.clock.now(), random: &mut random };
        with(&mut locked(&self.engine), &mut turn)
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), StoreFault> {
        let store = self.store.clone();
        let stored = tokio::task::spawn_blocking(move || locked(&store).commit(&writes));
        stored.await.unwrap_or(Err(StoreFault::Failed))
    }

    fn execute(&mut self, command: Command) {
        match command {
            Command::PublicKey { ticket } => {
                let answer = self.key.clone().call(|key| key.public_key());
                self.answer_with(async move { Event::PublicKey { ticket, answer: answer.await } });
            }
            Command::Sign { ticket, message } => {
                let answer = self.key.clone().call(move |key| key.sign(&message));
                self.answer_with(async move { Event::Signed { ticket, answer: answer.await } });
            }
            Command::Send { ticket, request } => self.send(ticket, request),
            Command::Abandon { ticket } => {
                if let Some(exchange) = self.exchanges.remove(&ticket) {
                    exchange.abort();
                }
            }
            Command::Reply { caller, reply } => {
                if let Some(answer) = self.callers.remove(&caller) {
                    // Whoever asked may be gone; what was asked for is done all the same.
                    let _ = answer.send(reply);
                }
            }
            Command::Notify { revision } => {
                self.notices.send_replace(revision);
            }
        }
    }

    fn send(&mut self, ticket: Ticket, request: Request) {
        log::debug!("{request:?}");
        let limit = Duration::from_millis(request.timeout_ms);
        let network = self.network.clone();
        let exchange = tokio::spawn(async move { timeout(limit, network.exchange(request)).await });
        self.exchanges.insert(ticket, exchange.abort_handle());
        self.answer_with(async move {
            let answer = match exchange.await {
                Ok(in_time) => in_time.unwrap_or(Err(TransportFault::Timeout)),
                // Abandoned, which nobody listens to, or a panic in the network.
                Err(_) => Err(TransportFault::Unreachable),
            };
            Event::Answered { ticket, answer }
        });
    }

    fn answer_with(&self, event: impl Future<Output = Event> + Send + 'static) {
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            // Closed already: then nobody needs the answer.
            let _ = inbox.send(Message::Event(event.await));
        });
    }
}

async fn wake(clock: Clock, wake_ms: Option<u64>) {
    match wake_ms {
        Some(wake_ms) => sleep_until(clock.instant(wake_ms)).await,
        None => std::future::pending().await,
    }
}
