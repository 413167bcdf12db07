//! A gateway, or whatever answers in its place, that says anything at all: nothing is lost.

use super::bench::Bench;
use super::gateway::Gateway;
use crate::engine::{Call, Response, WAIT_MS_MAX};
use holdfast_domain::PaymentState;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Answer {
    /// A good answer with some bytes changed.
    Mangled(Vec<(usize, u8)>),
    /// Made-up bytes under any status.
    Noise(u16, Vec<u8>),
    /// A good answer under another status.
    Status(u16),
}

fn answer() -> impl Strategy<Value = Answer> {
    let status = prop_oneof![Just(200), Just(302), Just(404), Just(500), 100..600_u16];
    prop_oneof![
        prop::collection::vec((any::<usize>(), any::<u8>()), 1..4).prop_map(Answer::Mangled),
        (status.clone(), prop::collection::vec(any::<u8>(), 0..200))
            .prop_map(|(status, body)| Answer::Noise(status, body)),
        status.prop_map(Answer::Status),
    ]
}

fn mangled(mut response: Response, answer: &Answer) -> Response {
    match answer {
        Answer::Mangled(changes) => {
            for (at, byte) in changes {
                let length = response.body.len().max(1);
                if let Some(place) = response.body.get_mut(at % length) {
                    *place = *byte;
                }
            }
        }
        Answer::Noise(status, body) => {
            response.status = *status;
            response.body = body.clone().into();
        }
        Answer::Status(status) => response.status = *status,
    }
    response
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn whatever_answers_no_order_is_lost_and_none_is_doubled(
        answers in prop::collection::vec(answer(), 1..40),
    ) {
        let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
        let held = [bench.held(), bench.held()];
        for answer in &answers {
            if bench.sent.is_empty() {
                bench.pass(WAIT_MS_MAX);
            }
            if let Some((_, request)) = bench.sent.first().cloned() {
                let response = mangled(gateway.answer(&request), answer);
                bench.answer(0, Ok(response));
            }
        }
        bench.restart();
        for payment in held {
            let known = bench.engine.durable().payment(payment).unwrap().held.clone().unwrap();
            prop_assert!(!known.order.is_empty());
            let _ = bench.ask(Call::Retry(payment));
        }
        for _ in 0..3 {
            bench.pass(2 * WAIT_MS_MAX);
            bench.serve(&mut gateway);
        }
        prop_assert_eq!(gateway.accepted.len(), 2);
        for payment in held {
            prop_assert_ne!(bench.view(payment).state, PaymentState::Queued);
        }
    }
}
