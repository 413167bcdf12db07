//! Payers: they bring the order or find it there, press Pay, and do on Stripe's page what people do.

use super::Broken;
use super::faults::Fault;
use super::fixture::{self, PUBLIC_URL};
use super::world::{Happening, World};
use holdfast_domain::PaymentId;
use holdfast_ledger::work::propose;
use holdfast_ledger::{Accept, AcceptOutcome, AttemptState, Carrier, Pay, PayOutcome, Payment};
use holdfast_protocol::SignedOrder;
use holdfast_protocol::pay_address::order_bytes;
use holdfast_protocol::wire::ErrorCode;
use holdfast_sandbox::core::{CardForm, ChallengeAnswer, PayOutcome as Paid};

/// How long a browser takes to the gateway, in milliseconds.
const WAY_MS: (i64, i64) = (20, 1_500);
/// How often a page that opens Stripe's looks whether it is open, in milliseconds.
const LOOK_MS: i64 = 700;
/// How long such a page waits before it asks to press again, in milliseconds.
const OPENING_MS: i64 = 35_000;
/// How long a payer waits before trying again, in milliseconds.
const AGAIN_MS: (i64, i64) = (5_000, 90_000);
/// How long somebody types a card, in milliseconds.
const TYPES_MS: (i64, i64) = (8_000, 120_000);
/// How long somebody takes who puts the phone away, in milliseconds: to the end of the session and
/// beyond.
const SLOW_MS: (i64, i64) = (100 * 60_000, 140 * 60_000);
/// After pressing so many times nothing more is tried.
const PRESSES_MAX: u32 = 25;
/// Proposals in one go, as the server has it.
const PROPOSALS_MAX: u32 = 3;

const GOOD_CARD: &str = "4242424242424242";
const DECLINED_CARDS: [&str; 4] =
    ["4000000000000002", "4000000000009995", "4000000000000069", "4000000000000127"];
const CHALLENGED_CARD: &str = "4000002760003184";
const REFUND_FAILS_CARD: &str = "4000000000005126";
const REFUND_PENDS_CARD: &str = "4000000000007726";

pub(super) struct Payer {
    payment: PaymentId,
    order: Vec<u8>,
    presses: u32,
    step: Step,
    /// What was decided later counts: somebody who presses twice is still one person.
    turn: u32,
}

#[derive(Debug, Clone)]
enum Step {
    /// About to press Pay.
    Press,
    /// Stripe's page is being opened, for this attempt.
    Opening { number: u32, until_ms: i64 },
    /// On Stripe's page.
    Typing { session: String },
    /// The bank asks.
    Asked { session: String },
    /// Paid, or gone.
    Over,
}

impl World {
    /// Somebody reads the code on the screen.
    pub(super) fn payers_come(&mut self, payment: PaymentId, address: &str) {
        let base32 = address.rsplit('/').next().unwrap_or_default();
        let Some(order) = order_bytes(base32) else { return };
        let mut count = 1;
        if self.shared.lock().chance.per_mille(self.script.nobody_pays) {
            count = 0;
        }
        if self.strikes(Fault::TwoPayers) {
            count = 2;
        }
        // Carried means: the payer is faster than the handheld.
        let most_ms = if self.strikes(Fault::Carried) { 2_000 } else { self.script.payers_come_ms };
        let comes_ms = self.draw_ms(500, most_ms);
        for _ in 0..count {
            let index = self.payers.len();
            let order = order.clone();
            self.payers.push(Payer { payment, order, presses: 0, step: Step::Press, turn: 0 });
            // Two at once, to the second.
            let wait_ms = comes_ms.saturating_add(self.draw_ms(0, 1_500));
            self.enter_in(wait_ms, Happening::Payer { payer: index, turn: 0 });
        }
    }

    fn payer(&mut self, index: usize) -> &mut Payer {
        self.payers.get_mut(index).expect("a payer of this run")
    }

    pub(super) fn payer_acts(&mut self, index: usize, turn: u32) {
        let payer = self.payer(index);
        if payer.turn != turn {
            return;
        }
        let step = payer.step.clone();
        match step {
            Step::Press => self.press(index),
            Step::Opening { number, until_ms } => self.wait_for_page(index, number, until_ms),
            Step::Typing { session } => self.type_card(index, &session),
            Step::Asked { session } => self.answer_bank(index, &session),
            Step::Over => {}
        }
    }

    fn goes_on(&mut self, index: usize, step: Step, wait_ms: i64) {
        let payer = self.payer(index);
        payer.step = step;
        payer.turn = payer.turn.wrapping_add(1);
        let turn = payer.turn;
        self.enter_in(wait_ms, Happening::Payer { payer: index, turn });
    }

    fn presses_later(&mut self, index: usize) {
        let wait_ms = self.draw_ms(AGAIN_MS.0, AGAIN_MS.1);
        self.goes_on(index, Step::Press, wait_ms);
    }

    fn is_over(&mut self, index: usize, why: &str) {
        self.note(|| format!("payer {index}: {why}"));
        self.payer(index).step = Step::Over;
    }

    /// POST *Pay* on the pay address.
    fn press(&mut self, index: usize) {
        let payer = self.payer(index);
        payer.presses = payer.presses.saturating_add(1);
        let (order, presses) = (payer.order.clone(), payer.presses);
        // Where eight orders are asked for, everybody pays in the end.
        let is_patient = self.plan.schedule == super::Schedule::Drain;
        if presses > PRESSES_MAX && !is_patient {
            return self.is_over(index, "has pressed often enough");
        }
        self.note(|| format!("payer {index}: presses Pay"));
        if !self.gateway.is_up || self.strikes(Fault::GatewayKilledBefore) {
            if self.gateway.is_up {
                self.kill_gateway("before a decision");
            }
            return self.presses_later(index);
        }
        let times = if self.strikes(Fault::PressedTwice) { 2 } else { 1 };
        for _ in 0..times {
            self.pressed(index, &order);
        }
        if self.gateway.is_up && self.strikes(Fault::GatewayKilledAfter) {
            self.kill_gateway("after a decision");
            return self.presses_later(index);
        }
        if self.strikes(Fault::BrowserLost) {
            self.presses_later(index);
        }
    }

    /// As the server takes the order and answers the button.
    fn pressed(&mut self, index: usize, order: &[u8]) {
        let Ok(order) = SignedOrder::parse(order) else { return };
        let carrier = Carrier::Payer;
        let payment = match self.decide(Accept { order, tenant: fixture::tenant(), carrier }) {
            Ok(AcceptOutcome::Accepted { payment, .. }) => *payment,
            Ok(AcceptOutcome::Refused { code, message }) => {
                self.note(|| format!("payer {index}: reads: {message}"));
                return match code {
                    ErrorCode::PaymentTypeNotReady
                    | ErrorCode::DeviceNotApproved
                    | ErrorCode::Unavailable => {
                        self.presses_later(index);
                    }
                    _ => self.is_over(index, "is refused"),
                };
            }
            Err(_) => return self.presses_later(index),
        };
        match self.ask_to_pay(&payment) {
            Some(PayOutcome::Open { url }) => self.goes_to_stripe(index, &url),
            Some(PayOutcome::Opening { attempt }) => {
                let until_ms = self.now_ms().saturating_add(OPENING_MS);
                let step = Step::Opening { number: attempt.number, until_ms };
                self.goes_on(index, step, LOOK_MS);
            }
            Some(PayOutcome::NotPayable { payment } | PayOutcome::HeldUp { payment, .. }) => {
                self.cannot_pay(index, &payment)
            }
            Some(PayOutcome::Recovering | PayOutcome::Propose { .. } | PayOutcome::Unknown)
            | None => {
                self.presses_later(index);
            }
        }
    }

    /// Proposes until the ledger says which attempt it is; none if it could not be asked.
    fn ask_to_pay(&mut self, payment: &Payment) -> Option<PayOutcome> {
        if self.plan.broken == Some(Broken::AttemptWithoutProof) {
            self.give_up_attempts(payment);
        }
        if self.plan.broken == Some(Broken::ClaimTaken) {
            self.take_claims(payment.payment);
        }
        let mut number = 1;
        for _ in 0..PROPOSALS_MAX {
            let proposal = propose(payment, number, PUBLIC_URL, self.now_ms()).ok()?;
            let pay = Pay { tenant: payment.tenant.clone(), payment: payment.payment, proposal };
            match self.decide(pay).ok()? {
                PayOutcome::Propose { number: next } => number = next,
                outcome => return Some(outcome),
            }
        }
        None
    }

    /// What must not be done: an attempt that takes long is taken for dead.
    fn give_up_attempts(&mut self, payment: &Payment) {
        const TAKES_LONG_MS: i64 = 20_000;
        let now_ms = self.now_ms();
        self.gateway.change_tables(|tables| {
            for attempt in tables.attempts.values_mut() {
                let is_old = now_ms.saturating_sub(attempt.frozen_at_ms) > TAKES_LONG_MS;
                if attempt.payment == payment.payment && is_old {
                    attempt.state = AttemptState::Disposed;
                }
            }
        });
    }

    /// The page that waits for Stripe's.
    fn wait_for_page(&mut self, index: usize, number: u32, until_ms: i64) {
        let payment = self.payer(index).payment;
        let attempt = self
            .gateway
            .tables(|tables| tables.attempts.get(&(fixture::tenant(), payment, number)).cloned());
        match attempt {
            Some(attempt) if attempt.state == AttemptState::Opened => match attempt.url {
                Some(url) => self.goes_to_stripe(index, &url),
                None => self.presses_later(index),
            },
            Some(attempt) if attempt.state == AttemptState::Frozen => {
                if self.now_ms() < until_ms && self.gateway.is_up {
                    let step = Step::Opening { number, until_ms };
                    self.goes_on(index, step, LOOK_MS);
                } else {
                    self.presses_later(index);
                }
            }
            _ => self.presses_later(index),
        }
    }

    fn cannot_pay(&mut self, index: usize, payment: &Payment) {
        let state = payment.state;
        // Somebody else's card is just being taken: look again.
        if state == holdfast_domain::PaymentState::Processing {
            return self.presses_later(index);
        }
        self.is_over(index, state.words());
    }

    fn goes_to_stripe(&mut self, index: usize, url: &str) {
        if self.strikes(Fault::PayerGivesUp) {
            return self.is_over(index, "leaves Stripe's page");
        }
        let slow = self.strikes(Fault::PayerSlow);
        let (least, most) = if slow { SLOW_MS } else { TYPES_MS };
        let wait_ms = self.draw_ms(least, most);
        let session = url.rsplit('/').next().unwrap_or_default().to_owned();
        self.note(|| format!("payer {index}: is on the page of {session}"));
        self.goes_on(index, Step::Typing { session }, wait_ms);
    }

    fn type_card(&mut self, index: usize, session: &str) {
        let drawn = self.shared.lock().draw(&[Fault::Declined, Fault::NotAuthenticated]);
        let card = match drawn {
            Some(Fault::Declined) => {
                let mut shared = self.shared.lock();
                shared.chance.pick(&DECLINED_CARDS).copied().unwrap_or(GOOD_CARD)
            }
            Some(_) => CHALLENGED_CARD,
            None if self.shared.lock().chance.per_mille(100) => CHALLENGED_CARD,
            None => match self.shared.lock().draw(&[Fault::RefundFails, Fault::RefundPends]) {
                Some(Fault::RefundFails) => REFUND_FAILS_CARD,
                Some(_) => REFUND_PENDS_CARD,
                None => GOOD_CARD,
            },
        };
        let outcome = {
            let mut shared = self.shared.lock();
            shared.touch_stripe();
            let now_ms = shared.stripe_now_ms();
            shared.stripe.pay_session(session, &CardForm::test(card), now_ms)
        };
        self.on_stripes_page(index, session, outcome);
    }

    fn answer_bank(&mut self, index: usize, session: &str) {
        let fails = self.strikes(Fault::NotAuthenticated);
        let answer = if fails { ChallengeAnswer::Fail } else { ChallengeAnswer::Complete };
        let outcome = {
            let mut shared = self.shared.lock();
            shared.touch_stripe();
            let now_ms = shared.stripe_now_ms();
            shared.stripe.answer_challenge(session, answer, now_ms)
        };
        self.on_stripes_page(index, session, outcome);
    }

    fn on_stripes_page(&mut self, index: usize, session: &str, outcome: Paid) {
        self.note(|| format!("payer {index}: on {session}: {outcome:?}"));
        let types_ms = self.draw_ms(TYPES_MS.0, TYPES_MS.1);
        let session = session.to_owned();
        match outcome {
            Paid::Paid { .. } | Paid::AlreadyPaid { .. } => {
                self.is_over(index, "is done");
                if !self.strikes(Fault::RedirectLost) && self.gateway.is_up {
                    let payment = self.payer(index).payment;
                    self.returns(payment);
                }
            }
            Paid::Challenge => self.goes_on(index, Step::Asked { session }, types_ms),
            Paid::Expired | Paid::Missing => {
                if self.strikes(Fault::PayerGivesUp) {
                    return self.is_over(index, "is too late and goes");
                }
                self.presses_later(index);
            }
            _ => {
                if self.strikes(Fault::PayerGivesUp) {
                    return self.is_over(index, "has no other card");
                }
                if self.strikes(Fault::WentBack) {
                    return self.presses_later(index);
                }
                self.goes_on(index, Step::Typing { session }, types_ms);
            }
        }
    }

    /// Back from Stripe's page, which proves nothing: Stripe is asked.
    fn returns(&mut self, payment: PaymentId) {
        let found = self
            .gateway
            .tables(|tables| tables.payments.get(&(fixture::tenant(), payment)).cloned());
        let _ = WAY_MS;
        if let Some(payment) = found {
            self.look_for_the_payer(payment);
        }
    }
}
