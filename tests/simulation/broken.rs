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
    /// A restored gateway goes on without asking Stripe what its backup does not have.
    RestoredBlind,
}

impl Broken {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::NewKeyOnRetry,
        Self::SendBeforeCommit,
        Self::BodyRecomputed,
        Self::AttemptWithoutProof,
        Self::EventBelieved,
        Self::NewPaymentOnRetry,
        Self::RestoredBlind,
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
            Self::RestoredBlind => "restored-blind",
        }
    }
}
