//! Mistakes that others have made, built into the simulation's own drivers, to show that the rules
//! bite. The code under test is untouched by them.

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// A request to Stripe that is sent again gets a new idempotency key.
    NewKeyOnRetry,
    /// The handheld's shell says and sends what it has not stored yet.
    SendBeforeCommit,
    /// The body of a request is made anew each time that it is sent.
    BodyRecomputed,
    /// The payer presses again, and the attempt before is given up without knowing what became of it.
    AttemptWithoutProof,
    /// A webhook is acknowledged, and believed, without the object being looked at.
    EventBelieved,
    /// A hold that got no answer is held again as another payment.
    NewPaymentOnRetry,
    /// An unknown answer to a refund is taken for none, and the refund asked for under a new key.
    RefundAskedAnew,
    /// A record that cannot be read is left out, and nobody is told.
    DamageUnsaid,
    /// The gateway says yes to a report of a damaged record, and does not keep it.
    ReportSwallowed,
    /// Whoever presses Pay gets the charge, also while another payment holds it.
    ClaimTaken,
    /// A restored gateway goes on without asking Stripe what its backup does not have.
    RestoredBlind,
    /// A handheld that is enrolled again begins with an empty outbox.
    OutboxDropped,
}

impl Broken {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::NewKeyOnRetry,
        Self::SendBeforeCommit,
        Self::BodyRecomputed,
        Self::AttemptWithoutProof,
        Self::EventBelieved,
        Self::NewPaymentOnRetry,
        Self::RefundAskedAnew,
        Self::DamageUnsaid,
        Self::ReportSwallowed,
        Self::ClaimTaken,
        Self::RestoredBlind,
        Self::OutboxDropped,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::NewKeyOnRetry => "new-key-on-retry",
            Self::SendBeforeCommit => "send-before-commit",
            Self::BodyRecomputed => "body-recomputed",
            Self::AttemptWithoutProof => "attempt-without-proof",
            Self::EventBelieved => "event-believed",
            Self::NewPaymentOnRetry => "new-payment-on-retry",
            Self::RefundAskedAnew => "refund-asked-anew",
            Self::DamageUnsaid => "damage-unsaid",
            Self::ReportSwallowed => "report-swallowed",
            Self::ClaimTaken => "claim-taken",
            Self::RestoredBlind => "restored-blind",
            Self::OutboxDropped => "outbox-dropped",
        }
    }
}
