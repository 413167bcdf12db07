//! Everything that can go wrong, how often it shall, and how often it did.

use super::chance::Chance;

macro_rules! faults {
    ($($(#[doc = $doc:literal])* $name:ident = $words:literal,)*) => {
        /// One kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $($(#[doc = $doc])* $name,)*
        }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in the tally.
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)*
                }
            }
        }
    };
}

faults! {
    /// The handheld's process ends before a commit.
    KilledBeforeCommit = "handheld killed before a commit",
    /// It ends while the commit is being written: all of it or nothing is there.
    KilledInCommit = "handheld killed inside a commit",
    /// It ends after the commit, before anything follows from it.
    KilledAfterCommit = "handheld killed after a commit",
    /// It ends while nothing is being written.
    KilledIdle = "handheld killed between steps",
    /// Battery out: the monotonic clock begins anew.
    PowerCut = "handheld's power cut",
    /// The handheld lies in a drawer for hours or days.
    LaidAside = "handheld laid aside",
    /// No room for a commit.
    DiskFull = "disk full",
    /// A commit fails, and nothing of it is there.
    DiskFails = "disk fails",
    /// A commit fails, and all of it is there after a restart.
    DiskFailsLate = "disk fails and has it all the same",
    /// A record on the disk is changed, gone, or swapped with another.
    RecordHarmed = "record on disk harmed",
    /// The record of who the handheld is, or was, is changed, gone, or swapped with another.
    EnrolmentHarmed = "enrolment on disk harmed",
    /// The device key gives no signature.
    KeyBusy = "device key busy",
    /// The handheld's clock jumps, by up to 25 hours, either way.
    ClockJumps = "handheld's clock jumps",
    /// No network for a while.
    NoNetwork = "no network",
    /// A request does not arrive.
    RequestLost = "request lost",
    /// A request arrives; its answer does not.
    AnswerLost = "answer lost",
    /// A request arrives twice.
    RequestTwice = "request twice",
    /// A request is taken for lost, and arrives minutes or days later.
    RequestLate = "request days late",
    /// A request or an answer is overtaken by others.
    Overtaken = "request overtaken",
    /// The answer breaks off.
    AnswerCut = "answer cut short",
    /// Somebody else answers: a captive portal.
    AnswerForeign = "a page of HTML answers",
    /// A proxy answers 502 in place of the gateway, after the effect.
    AnswerProxy = "a proxy answers 502",
    /// The gateway ends before it decides on a request.
    GatewayKilledBefore = "gateway killed before a decision",
    /// The gateway ends after it decided on a request.
    GatewayKilledAfter = "gateway killed after a decision",
    /// The gateway ends, and is away for seconds or for days.
    GatewayAway = "gateway away",
    /// A worker ends at an await, and its lease runs out.
    WorkerKilled = "worker killed at an await",
    /// A worker stops at an await for longer than its lease.
    WorkerStalls = "worker outlives its lease",
    /// The ledger's store fails; nothing happened.
    LedgerFails = "ledger's store fails",
    /// The ledger is put back to an older state.
    Restored = "gateway restored from a backup",
    /// Stripe cannot be reached.
    StripeUnreachable = "no connection to Stripe",
    /// A request to Stripe does not arrive.
    StripeRequestLost = "request to Stripe lost",
    /// Stripe does it; the answer does not arrive.
    StripeAnswerLost = "Stripe's answer lost",
    /// 409.
    StripeConflict = "Stripe: 409",
    /// 429.
    StripeRateLimit = "Stripe: 429",
    /// 500, nothing done.
    StripeError = "Stripe: 500",
    /// 500, nothing done, stored under the key.
    StripeErrorStored = "Stripe: 500 stored",
    /// 500, done, stored under the key.
    StripeErrorAfter = "Stripe: 500 after the effect",
    /// 503.
    StripeUnavailable = "Stripe: 503",
    /// The answer breaks off, nothing done.
    StripeCut = "Stripe's answer cut short",
    /// The answer breaks off, done.
    StripeCutAfter = "Stripe's answer cut short after the effect",
    /// The request arrives twice.
    StripeTwice = "request to Stripe twice",
    /// A copy of the request arrives minutes or days later.
    StripeLate = "request to Stripe days late",
    /// A delivery is lost and sent again later.
    WebhookLost = "webhook lost",
    /// A delivery is taken, and its acknowledgement lost.
    WebhookUnheard = "webhook's acknowledgement lost",
    /// A delivery comes twice.
    WebhookTwice = "webhook twice",
    /// A delivery comes late, perhaps too late for its signature.
    WebhookLate = "webhook late",
    /// The handheld is revoked.
    Revoked = "handheld revoked",
    /// The office switches the payment type off, and on again minutes later.
    MethodOff = "payment type switched off for a while",
    /// The officer retries an order that was refused.
    Retried = "officer retries a parked order",
    /// Two payers have the same pay address.
    TwoPayers = "two payers at once",
    /// The payer carries the order while the handheld sends it.
    Carried = "order carried by its payer",
    /// The payer presses Pay twice.
    PressedTwice = "Pay pressed twice",
    /// The payer's browser hears nothing.
    BrowserLost = "payer's browser hears nothing",
    /// The payer takes so long that the session expires.
    PayerSlow = "session expired under the payer",
    /// The card is declined.
    Declined = "card declined",
    /// After a decline the payer leaves Stripe's page and presses Pay again.
    WentBack = "payer goes back after a decline",
    /// The bank asks the payer, who fails.
    NotAuthenticated = "bank's question failed",
    /// The payer gives up.
    PayerGivesUp = "payer gives up",
    /// The payer pays and closes the browser before the redirect.
    RedirectLost = "redirect lost",
    /// The office refunds all that is left of a payment.
    Refunded = "office refunds all",
    /// The office refunds a part of a payment.
    RefundedInPart = "office refunds a part",
    /// The card is one on which a refund fails after it had succeeded.
    RefundFails = "refund fails after it succeeded",
    /// The card is one on which a refund hangs before it succeeds.
    RefundPends = "refund hangs",
    /// The officer holds twice.
    HeldTwice = "held twice",
    /// The officer cancels what was held.
    Canceled = "officer cancels",
    /// The officer gives up what was held, with a reason.
    Withdrawn = "officer withdraws",
}

const KINDS: usize = Fault::ALL.len();

/// How often each kind happened.
#[derive(Debug, Clone)]
pub struct Tally([u64; KINDS]);

impl Default for Tally {
    fn default() -> Self {
        Self([0; KINDS])
    }
}

impl Tally {
    pub(super) fn count(&mut self, fault: Fault) {
        if let Some(count) = self.0.get_mut(index(fault)) {
            *count = count.saturating_add(1);
        }
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count = count.saturating_add(more);
        }
    }

    /// Each kind with its count.
    pub fn iter(&self) -> impl Iterator<Item = (Fault, u64)> {
        Fault::ALL.iter().copied().zip(self.0)
    }
}

/// How often each kind shall happen, in a thousand chances.
#[derive(Debug, Clone)]
pub(super) struct Doses([u16; KINDS]);

impl Default for Doses {
    fn default() -> Self {
        Self([0; KINDS])
    }
}

impl Doses {
    pub(super) fn set(&mut self, fault: Fault, per_mille: u16) {
        if let Some(dose) = self.0.get_mut(index(fault)) {
            *dose = per_mille;
        }
    }

    pub(super) fn of(&self, fault: Fault) -> u16 {
        self.0.get(index(fault)).copied().unwrap_or(0)
    }

    /// The first of these that strikes.
    pub(super) fn draw(&self, among: &[Fault], chance: &mut Chance) -> Option<Fault> {
        among.iter().copied().find(|fault| chance.per_mille(u32::from(self.of(*fault))))
    }
}

fn index(fault: Fault) -> usize {
    fault as usize
}
