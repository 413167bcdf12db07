//! The request for a checkout session, frozen before it is sent.

use crate::Proposal;
use crate::rows::{Attempt, Payment};
use crate::schedule::SESSION_LIFETIME_S;
use holdfast_domain::{Mode, Money, PricedLine};
use holdfast_stripe::request::{CreateSession, SESSION_ID_PLACEHOLDER, SessionLine};
use holdfast_stripe::{FreezeError, FrozenRequest};
use std::collections::BTreeMap;

/// Where sessions are made.
const SESSIONS_PATH: &str = "/v1/checkout/sessions";
/// Notes on session and PaymentIntent, so that an event names its payment even when it comes
/// before we know the object.
pub const META_PAYMENT: &str = "holdfast_payment";
/// On a refund: the request of ours that made it.
pub const META_REFUND: &str = "holdfast_refund";
pub(super) const META_TENANT: &str = "holdfast_tenant";
pub(super) const META_ATTEMPT: &str = "holdfast_attempt";

/// The request of a payment's attempt, as it would be sent at `now_ms` for the first time.
pub fn propose(
    payment: &Payment,
    number: u32,
    public_url: &str,
    now_ms: i64,
) -> Result<Proposal, FreezeError> {
    let expires_at_unix_s = now_ms.div_euclid(1000).saturating_add(SESSION_LIFETIME_S);
    let id = payment.payment.to_string();
    let page = format!("{public_url}/pay/{id}");
    let notes = BTreeMap::from([
        (META_PAYMENT.to_owned(), id.clone()),
        (META_TENANT.to_owned(), payment.tenant.to_string()),
        (META_ATTEMPT.to_owned(), number.to_string()),
    ]);
    let session = CreateSession {
        lines: payment.lines.iter().map(session_line).collect(),
        success_url: format!("{page}/return?session_id={SESSION_ID_PLACEHOLDER}"),
        cancel_url: page,
        client_reference_id: id.clone(),
        metadata: notes.clone(),
        intent_metadata: notes,
        expires_at: expires_at_unix_s,
    };
    let frozen = session.freeze(&format!("holdfast-{id}-{number}"))?;
    Ok(Proposal {
        number,
        idempotency_key: frozen.idempotency_key,
        frozen_body: frozen.body,
        expires_at_unix_s,
    })
}

/// The stored request of an attempt, byte for byte.
pub(super) fn frozen_request(attempt: &Attempt) -> FrozenRequest {
    FrozenRequest {
        path: SESSIONS_PATH.to_owned(),
        body: attempt.frozen_body.clone(),
        idempotency_key: attempt.idempotency_key.clone(),
    }
}

/// Stripe's `livemode`.
pub fn mode(livemode: bool) -> Mode {
    if livemode { Mode::Live } else { Mode::Test }
}

/// Stripe multiplies again, so it gets the price of one; a line that does not divide is sent as
/// one piece.
fn session_line(line: &PricedLine) -> SessionLine {
    let quantity = i64::from(line.quantity.max(1));
    if line.amount.minor() % quantity == 0 {
        let unit = Money::new(line.amount.minor() / quantity, line.amount.currency());
        return SessionLine { name: line.name.clone(), unit, quantity: line.quantity.max(1) };
    }
    let name = format!("{} × {}", line.quantity, line.name);
    SessionLine { name, unit: line.amount, quantity: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{NOW_MS, held_payment};

    #[test]
    fn the_same_attempt_at_the_same_time_is_the_same_bytes() {
        let payment = held_payment();
        let propose =
            |number| propose(&payment, number, "https://pay.example.org", NOW_MS).unwrap();
        assert_eq!(propose(1).frozen_body, propose(1).frozen_body);
        assert_ne!(propose(1).idempotency_key, propose(2).idempotency_key);
        assert_eq!(propose(1).expires_at_unix_s, NOW_MS / 1000 + SESSION_LIFETIME_S);
        let body = propose(1).frozen_body;
        for part in
            [payment.payment.to_string().as_str(), "client_reference_id=", "CHECKOUT_SESSION_ID"]
        {
            assert!(body.contains(part), "{part}: {body}");
        }
    }

    #[test]
    fn stripe_asks_for_the_sum_that_was_held_for() {
        let payment = held_payment();
        for (minor, quantity) in [(3750, 3), (1000, 3)] {
            let amount = Money::new(minor, payment.total.currency());
            let line = PricedLine { name: "Permit".into(), quantity, amount };
            let sent = session_line(&line);
            assert_eq!(sent.unit.minor() * i64::from(sent.quantity), minor);
        }
    }
}
