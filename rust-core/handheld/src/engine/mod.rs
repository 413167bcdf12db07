//! The engine: what a handheld does, without a clock, a disk, a network or a thread.
//!
//! # How it is driven
//!
//! An [`Event`] goes in, a [`Step`] comes out. The shell (the tokio actor in `runtime`, or a
//! simulation) stores the step's writes in one durable commit and then calls [`Engine::settle`]
//! with the outcome; only then come the commands: replies to callers, things to sign, things to
//! send. So *nothing is claimed, and nothing leaves the handheld, before it is on disk*. A crash
//! between any two of these leaves either the old records or the new ones, and both are states
//! from which [`Engine::load`] goes on.
//!
//! In memory there are two kinds of state. [`Durable`] mirrors the disk and changes only in
//! `settle`, after a successful commit. The rest (what is on its way, when to try again, who waits
//! for what) may be lost at any time. It is changed at once and pessimistically: an answer that
//! leads to a write counts as a failed try until that write is stored. If the disk is full, the
//! same bytes are simply sent again later, and the gateway answers as before.
//!
//! At the end of each step, `start_what_is_due` looks at the whole state and starts what can be
//! started. Nothing is ever triggered from two places, and no wake-up can be missed.
//!
//! # The life of a payment
//!
//! ```text
//!            open_summary         hold                 answer of the gateway
//!     (none) ───────────▶ draft ───────▶ queued ──────────────────────────▶ delivered
//!                           │               │ ▲                                 │
//!                discard    │   no answer / │ │ after a pause,                  │ changes
//!             ◀─────────────┘   not clear   └─┘ the same bytes                  ▼
//!                                           │                     what the gateway says:
//!                                           │ refused for ever    waiting, declined, paid …
//!                              retry        ▼
//!                       queued ◀──────── parked ────────▶ withdrawn
//!                                  (with its reason)      withdraw, with a reason
//! ```
//!
//! - **Draft.** The ID is minted and stored with the priced cart before the summary is shown.
//! - **Hold.** One order is signed at a time, because its sequence number is only taken for good
//!   by the commit that also stores the order: no gap, whatever fails in between. Holding a
//!   payment that is held already gives the same answer.
//! - **Queued.** Sent at once and then again, with a pause that grows up to a named maximum, for as
//!   long as it takes. No answer, a garbled one, a redirect, a page of HTML: all of these mean
//!   *unknown*, and the same bytes are sent again. Orders do not wait for one another.
//! - **Parked.** The gateway said, with a code that can never get better, that it will not take
//!   these bytes. It is shown with the reason and who acts. The officer may have the same bytes sent
//!   again, or give the payment up.
//! - **Delivered.** The gateway answered for it. From now on the state is the gateway's, and comes
//!   by long poll. It may also come before our own answer does, when the payer's phone has brought
//!   the order.
//!
//! # Beside the order
//!
//! - **Caps** (`caps`). As much may wait as the tenant allows; a hold beyond that is refused before it
//!   is confirmed.
//! - **Notices** (`notices`). Cancel, withdraw, and "this record is damaged": signed, durable before
//!   they are claimed, and sent after the order of the same payment. Paid wins.
//! - **Proof** (`proof`). The payer's receipt or code makes a payment *paid, verified offline*. What
//!   says that money has arrived outranks everything but a later word of the gateway (`standing`).
//! - **Time** (`clock`). Nothing is judged by the handheld's own clock.
//! - **What either side may lose** (`history`). The gateway after a restore, the handheld by an older
//!   file, a damaged record or a lost key: each makes good what the other still has.
//! - **Prices and charges** (`draft`, `charges`). Items are sold by the stored catalogue until it is too
//!   old, charges as the last search found them; the gateway reckons every line again.
//! - **What is believed** (`plausible`). An answer with a number that no gateway can mean is taken for
//!   none: believed once, it could make this handheld deaf for ever.
//! - **Another enrolment** (`enrol`). A handheld that had to enrol anew proves which one it was, so that it
//!   may still cancel and withdraw what it held before; with a pin in the link, only the CA that the
//!   pin names is trusted, from the first connection on.
//! - **What is offered** (`offers`). Only what can work is offered to the officer, told from the same
//!   knowledge by which a request would be refused.
//! - **Told or not** (`hold::Untold`). A hold that nobody may have been told of is found at the next
//!   start; it counts as held, and its screen says so.
//!
//! # What else it keeps going
//!
//! An enrolment (key, proof, answer); a token, fetched with a signed request and kept in memory
//! only; the configuration, every so often; the long poll; and forced refreshes, which wait until
//! each of these has been asked once.

mod caps;
mod changes;
mod charges;
mod clock;
mod config;
mod draft;
mod durable;
mod enrol;
mod exchange;
mod history;
mod hold;
mod message;
mod notices;
mod offers;
mod outbox;
mod plausible;
mod proof;
mod record;
mod refresh;
mod show;
mod standing;
mod token;
mod tries;
mod turn;

#[cfg(test)]
pub(crate) mod tests;

pub use durable::{Durable, Quarantined};
pub use exchange::{HttpMethod, Request, Response, TransportFault, Trust};
pub use message::{Call, Caller, Command, Event, Reply, Step, StoreFault, Ticket};
pub use proof::{CODE_LOCK_MS, CODE_TRIES_MAX};
pub use record::{
    BootId, ClockMark, Config, Counters, Delivery, Enrolment, Held, HeldMoment, Key, Notice,
    NoticeState, NoticeTag, Payment, Proof, Record, Route, Write,
};
pub use tries::WAIT_MS_MAX;
pub use turn::{Moment, Random, Turn};

use crate::view::LinkState;
use clock::GatewayClock;
use holdfast_domain::PaymentId;
use message::Chore;
use std::collections::BTreeMap;

/// The engine. See the module's page.
pub struct Engine {
    durable: Durable,
    device_name: String,
    outbox: outbox::Outbox,
    notices: notices::Notices,
    holds: hold::Holds,
    untold: hold::Untold,
    enrolling: Option<enrol::Enrolling>,
    token: token::Token,
    config: config::Fetch,
    changes: changes::Poll,
    refresh: Option<refresh::Refresh>,
    clock: GatewayClock,
    boot: Option<BootId>,
    now: Moment,
    loaded_mono_ms: u64,
    searches: charges::Searches,
    device_key_lost: bool,
    wrong_code_at: BTreeMap<PaymentId, u64>,
    link: LinkState,
    tickets: BTreeMap<Ticket, Purpose>,
    next_ticket: u64,
    last_minted_ms: u64,
    revision: u64,
    notified: u64,
}

/// What a ticket was issued for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    EnrolKey,
    EnrolProof,
    Enrol,
    HoldSignature,
    TokenSignature,
    Token,
    Config,
    Changes,
    Charges,
    Order(PaymentId),
    NoticeSignature,
    Notice(PaymentId, NoticeTag),
}

impl Engine {
    /// From what was on disk. `device_name` is what the administrator's list will call this
    /// handheld when it enrols.
    pub fn load(durable: Durable, device_name: String) -> Self {
        Self {
            outbox: outbox::Outbox::load(&durable),
            notices: notices::Notices::load(&durable),
            untold: hold::Untold::default(),
            boot: None,
            now: Moment { wall_ms: 0, mono_ms: 0 },
            loaded_mono_ms: 0,
            searches: charges::Searches::default(),
            device_key_lost: false,
            wrong_code_at: BTreeMap::new(),
            last_minted_ms: durable.latest_minted_ms(),
            durable,
            device_name,
            holds: hold::Holds::default(),
            enrolling: None,
            token: token::Token::default(),
            config: config::Fetch::default(),
            changes: changes::Poll::default(),
            refresh: None,
            clock: GatewayClock::default(),
            link: LinkState::Unknown,
            tickets: BTreeMap::new(),
            next_ticket: 1,
            revision: 1,
            notified: 0,
        }
    }

    /// Takes in one event. The step's writes are to be stored, then [`Engine::settle`] is called.
    pub fn handle(&mut self, event: Event, turn: &mut Turn) -> Step {
        self.now = turn.now;
        let mut step = self.decide(event, turn);
        self.tell(&mut step, turn.now);
        step
    }

    fn decide(&mut self, event: Event, turn: &mut Turn) -> Step {
        match event {
            Event::Started => {
                self.loaded_mono_ms = turn.now.mono_ms;
                self.drop_old_drafts(turn)
            }
            Event::Called { caller, call } => self.called(caller, call, turn),
            Event::PublicKey { ticket, answer } => match self.tickets.remove(&ticket) {
                Some(Purpose::EnrolKey) => self.enrol_key(answer),
                _ => Step::default(),
            },
            Event::Signed { ticket, answer } => match self.tickets.remove(&ticket) {
                Some(Purpose::EnrolProof) => self.enrol_proof(answer),
                Some(Purpose::HoldSignature) => self.hold_signature(answer),
                Some(Purpose::TokenSignature) => self.token_signature(answer, turn),
                Some(Purpose::NoticeSignature) => self.notice_signature(ticket, answer, turn),
                _ => Step::default(),
            },
            Event::Answered { ticket, answer } => match self.tickets.remove(&ticket) {
                Some(Purpose::Enrol) => self.enrol_answer(answer, turn),
                Some(Purpose::Token) => self.token_answer(answer, turn),
                Some(Purpose::Config) => self.config_answer(answer, turn),
                Some(Purpose::Changes) => self.changes_answer(answer, turn),
                Some(Purpose::Charges) => self.charges_answer(ticket, answer, turn),
                Some(Purpose::Order(payment)) => self.order_answer(payment, answer, turn),
                Some(Purpose::Notice(payment, tag)) => {
                    self.notice_answer((payment, tag), answer, turn)
                }
                _ => Step::default(),
            },
            Event::Woke => Step::default(),
            Event::Network { available } => self.network_changed(available, turn.now),
        }
    }

    /// Goes on after the step's writes were stored, or were not. What it returns is done in order.
    pub fn settle(
        &mut self,
        step: Step,
        stored: Result<(), StoreFault>,
        turn: &mut Turn,
    ) -> Vec<Command> {
        self.now = turn.now;
        let mut commands = Vec::new();
        match stored {
            Ok(()) => {
                for write in step.writes {
                    self.apply(write, turn.now);
                }
                match step.chore {
                    Some(Chore::Config) => self.config_fetched(turn.now),
                    Some(Chore::Changes) => self.changes_fetched(turn.now),
                    None => {}
                }
                commands.extend(step.commands);
                commands.extend(replies(step.replies));
            }
            Err(fault) => {
                log::error!("could not store {:?}: {fault}", step.writes);
                self.refresh_not_stored(step.chore);
                let refused = step.replies.into_iter();
                commands
                    .extend(replies(refused.map(|(who, reply)| (who, reply.not_stored(fault)))));
            }
        }
        self.start_what_is_due(turn, &mut commands);
        commands
    }

    /// When to call again with [`Event::Woke`], on the monotonic clock; `None` if only an event can
    /// bring news.
    pub fn next_wake_ms(&self) -> Option<u64> {
        let session = self.session_wake_ms();
        let others = [self.notices_wake_ms(), self.untold_wake_ms()];
        [self.outbox.wake_ms(), session].into_iter().chain(others).flatten().min()
    }

    /// What is stored.
    pub fn durable(&self) -> &Durable {
        &self.durable
    }

    fn called(&mut self, caller: Caller, call: Call, turn: &mut Turn) -> Step {
        match call {
            Call::Enrol(link) => self.enrol(caller, link),
            Call::Refresh => self.refresh(caller, turn),
            Call::OpenSummary(lines) => self.open_summary(caller, (&lines, &[]), turn),
            Call::OpenSummaryOf(lines, charges) => {
                self.open_summary(caller, (&lines, &charges), turn)
            }
            Call::SearchCharges(find) => self.search_charges(caller, &find, turn.now),
            Call::ChooseMethod(payment, code) => {
                self.choose_method(caller, payment, &code, turn.now)
            }
            Call::Hold(payment) => self.hold(caller, payment),
            Call::DiscardDraft(payment) => self.discard_draft(caller, payment),
            Call::Cancel(payment) => self.cancel(caller, payment, turn.now),
            Call::Withdraw(payment, reason) => self.withdraw(caller, payment, &reason, turn.now),
            Call::Retry(payment) => self.retry(caller, payment),
            Call::VerifyReceipt(scanned) => self.verify_receipt(caller, &scanned, turn.now),
            Call::VerifyCode(payment, typed) => self.verify_code(caller, payment, &typed, turn.now),
        }
    }

    fn apply(&mut self, write: Write, now: Moment) {
        match &write {
            Write::Put(Record::Payment(payment)) => {
                self.outbox.follow(payment, self.durable.epoch(), now);
                self.notices.follow_payment(payment, self.durable.epoch());
                self.follow_untold(payment, now);
            }
            Write::Delete(Key::Payment(payment)) => {
                self.outbox.forget(*payment);
                self.notices.forget_payment(*payment);
            }
            Write::Put(Record::Notice(notice)) => {
                self.notices.follow(notice, self.durable.epoch(), now);
                if notice.tag == NoticeTag::Quarantined {
                    self.notices.reported(now);
                }
            }
            Write::Delete(Key::Notice(payment, tag)) => self.notices.forget(*payment, *tag),
            Write::Put(Record::Enrolment(enrolment)) if self.is_another_device(enrolment) => {
                self.forget_session();
            }
            _ => {}
        }
        let epoch = self.durable.epoch();
        self.durable.apply(write);
        // Also where no epoch was known: the record that had it may be the one that was lost.
        if self.durable.epoch() > epoch {
            self.outbox.present_again(&self.durable, now.mono_ms);
            self.notices.present_again(&self.durable, now.mono_ms);
        }
        self.revision = self.revision.saturating_add(1);
    }

    fn is_another_device(&self, enrolment: &Enrolment) -> bool {
        self.durable.enrolment().is_none_or(|known| known.device != enrolment.device)
    }

    /// After an enrolment: what was on its way for the one before is not heard any more.
    fn forget_session(&mut self) {
        let of_session =
            [Purpose::TokenSignature, Purpose::Token, Purpose::Config, Purpose::Changes];
        self.tickets.retain(|_, purpose| !of_session.contains(purpose));
        self.token = token::Token::default();
        self.config = config::Fetch::default();
        self.changes = changes::Poll::default();
    }

    /// The one place where work is started.
    fn start_what_is_due(&mut self, turn: &mut Turn, commands: &mut Vec<Command>) {
        self.start_signing(turn, commands);
        self.start_deliveries(turn.now, commands);
        self.start_notices(turn, commands);
        self.start_session(turn, commands);
        self.finish_searches(commands);
        self.finish_refresh(commands);
        if self.notified != self.revision {
            self.notified = self.revision;
            commands.push(Command::Notify { revision: self.revision });
        }
    }

    fn issue(&mut self, purpose: Purpose) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket = self.next_ticket.saturating_add(1);
        self.tickets.insert(ticket, purpose);
        ticket
    }

    /// The gateway itself answered, or it did not.
    fn link_is(&mut self, link: LinkState, now: Moment) {
        if self.link == link {
            return;
        }
        self.link = link;
        self.revision = self.revision.saturating_add(1);
        if link == LinkState::Online {
            self.outbox.link_is_back(now);
            self.notices.link_is_back(now);
            self.config.tries.link_is_back(now.mono_ms);
            self.changes.tries.link_is_back(now.mono_ms);
        }
    }

    /// The system's word about the network. A new one wakes everything, and what is on its way over
    /// the old one is asked for again; to lose it stops nothing, since the word may be wrong.
    fn network_changed(&mut self, available: bool, now: Moment) -> Step {
        if !available {
            self.link_is(LinkState::Offline, now);
            return Step::default();
        }
        self.outbox.hurry(now);
        self.notices.hurry(now);
        self.token.hurry(now);
        self.config.tries.link_is_back(now.mono_ms);
        let abandoned = self.poll_at_once(now);
        Step { commands: abandoned.into_iter().collect(), ..Step::default() }
    }

    fn hear<T>(&mut self, answer: &exchange::Answer<T>, now: Moment) {
        use exchange::Answer;
        let link = match answer {
            Answer::Good(_) | Answer::Refused(_) => LinkState::Online,
            Answer::Untrusted | Answer::Unanswered | Answer::Strange => LinkState::Offline,
        };
        self.link_is(link, now);
    }
}

fn replies(replies: impl IntoIterator<Item = (Caller, Reply)>) -> impl Iterator<Item = Command> {
    replies.into_iter().map(|(caller, reply)| Command::Reply { caller, reply })
}
