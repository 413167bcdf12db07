//! Stripe's webhooks on their way, and what the gateway makes of them.

use super::Broken;
use super::faults::Fault;
use super::fixture;
use super::world::{Happening, World};
use holdfast_domain::Evidence;
use holdfast_ledger::work::recorded;
use holdfast_ledger::{Hint, Learn, Source};
use holdfast_sandbox::core::{OutgoingDelivery, SendResult};
use holdfast_stripe::WebhookSecret;
use holdfast_stripe::objects::{self, EventType};
use holdfast_stripe::webhook::{TOLERANCE_S, verify};
use serde_json::Value;

/// How long a delivery takes, at most, in milliseconds.
const WAY_MS_MAX: i64 = 3_000;
/// How late a late one can be, in milliseconds: beyond the signature's tolerance as well.
const LATE_MS_MAX: i64 = 600_000;

impl World {
    pub(super) fn send_delivery(&mut self, delivery: OutgoingDelivery) {
        let mut way_ms = self.draw_ms(10, WAY_MS_MAX);
        if self.strikes(Fault::WebhookLost) {
            self.note(|| format!("webhook {}: lost", delivery.kind.as_str()));
            return self.delivered(&delivery, None);
        }
        let copy = |delivery: &OutgoingDelivery| Happening::Delivery {
            delivery: Box::new(delivery.clone()),
            is_copy: true,
        };
        if self.strikes(Fault::WebhookTwice) {
            let second_ms = self.draw_ms(10, LATE_MS_MAX);
            self.enter_in(second_ms, copy(&delivery));
        }
        if self.strikes(Fault::WebhookLate) {
            way_ms = self.draw_ms(WAY_MS_MAX, LATE_MS_MAX);
        }
        self.enter_in(way_ms, Happening::Delivery { delivery: Box::new(delivery), is_copy: false });
    }

    /// A delivery is at the gateway's door.
    pub(super) fn deliver(&mut self, delivery: OutgoingDelivery, is_copy: bool) {
        let status = if self.gateway.is_up { Some(self.take_delivery(&delivery)) } else { None };
        let kind = delivery.kind.as_str();
        self.note(|| format!("webhook {kind}: {status:?}{}", if is_copy { " (copy)" } else { "" }));
        if is_copy {
            return;
        }
        let is_unheard = self.strikes(Fault::WebhookUnheard);
        self.delivered(&delivery, status.filter(|_| !is_unheard));
    }

    /// Stripe hears what became of a delivery.
    fn delivered(&mut self, delivery: &OutgoingDelivery, status: Option<u16>) {
        let mut shared = self.shared.lock();
        let result = match status {
            Some(status) => SendResult::Answered { status, body: String::new() },
            None => SendResult::Unreachable { why: "lost".to_owned() },
        };
        let now_ms = shared.stripe_now_ms();
        shared.stripe.delivery_result(delivery.id, result, now_ms);
        shared.changed = true;
    }

    /// As the server's webhook address does it.
    fn take_delivery(&mut self, delivery: &OutgoingDelivery) -> u16 {
        let secret = WebhookSecret::parse(fixture::WEBHOOK_SECRET).expect("a secret");
        let now_ms = self.now_ms();
        let now_s = now_ms.div_euclid(1_000);
        let signature = Some(delivery.signature.as_str());
        if verify(&delivery.body, signature, &[secret], now_s, TOLERANCE_S).is_err() {
            return 400;
        }
        let Ok(event) = serde_json::from_slice::<objects::Event>(&delivery.body) else {
            return 400;
        };
        let record = recorded(&fixture::tenant(), &event, delivery.body.clone(), now_ms);
        if self.plan.broken == Some(Broken::EventBelieved) {
            self.believe(&event, &record.hint);
        }
        match self.decide(record) {
            Ok(_) => 200,
            Err(_) => 503,
        }
    }

    /// What must not be done: the event's own photograph taken for the truth.
    fn believe(&mut self, event: &objects::Event, hint: &Hint) {
        let Hint::Payment(payment) = hint else { return };
        if event.kind != EventType::SessionExpired && event.kind != EventType::IntentFailed {
            return;
        }
        let session = event.data.object.get("id").and_then(Value::as_str).unwrap_or_default();
        let status = holdfast_domain::SessionStatus::Expired;
        let of_payment = self.gateway.tables(|tables| {
            let attempts = tables.attempts.values().filter(|it| it.payment == *payment);
            attempts.filter_map(|it| it.session.clone()).next_back()
        });
        let session = of_payment.unwrap_or_else(|| session.to_owned());
        let _ = self.decide(Learn {
            tenant: fixture::tenant(),
            payment: *payment,
            source: Source::Webhook,
            evidence: vec![Evidence::Session { session, status }],
            objects: Vec::new(),
        });
    }
}
