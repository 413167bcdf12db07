//! One answer with an absurd number in it must not make the handheld deaf to all that follow.

use super::bench::Bench;
use super::gateway::{Gateway, json};
use crate::engine::{Request, Response, WAIT_MS_MAX};
use crate::view::LinkState;
use holdfast_domain::PaymentState;
use serde_json::Value;

/// The good answer with one number replaced; the path leads through objects and to first elements.
fn with(response: &Response, path: &[&str], number: u64) -> Response {
    let mut body: Value = serde_json::from_slice(&response.body).unwrap();
    let mut place = &mut body;
    for step in path {
        place = match place {
            Value::Array(all) => all.first_mut().unwrap(),
            _ => place.get_mut(*step).unwrap_or_else(|| panic!("{path:?}")),
        };
    }
    *place = number.into();
    json(response.status, &body)
}

fn first(bench: &Bench, path: &str) -> (usize, Request) {
    let found = bench.sent.iter().position(|(_, request)| request.url.contains(path));
    let index = found.unwrap_or_else(|| panic!("{path}: {:?}", bench.sent));
    (index, bench.sent[index].1.clone())
}

#[test]
fn an_order_answered_absurdly_is_sent_again_and_the_next_answer_counts() {
    for (path, number) in [
        (&["epoch"][..], u64::MAX),
        (&["epoch"], 7_258_118_400),
        (&["gateway_time_unix_s"], 0),
        (&["gateway_time_unix_s"], u64::MAX),
        (&["payment", "revision"], u64::MAX),
    ] {
        let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
        let held = bench.held();
        let (index, request) = first(&bench, "/orders");
        let absurd = with(&gateway.answer(&request), path, number);
        bench.answer(index, Ok(absurd));
        assert_eq!(bench.view(held).state, PaymentState::Queued, "{path:?} {number}");
        assert_eq!(bench.engine.snapshot(bench.now).link, LinkState::Offline);
        bench.pass(WAIT_MS_MAX);
        bench.serve(&mut gateway);
        assert_eq!(bench.view(held).state, PaymentState::Sent, "{path:?} {number}");
        assert_eq!(gateway.accepted.len(), 1);
    }
}

#[test]
fn the_second_of_a_restore_is_an_epoch_to_believe() {
    let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
    let held = bench.held();
    let (index, request) = first(&bench, "/orders");
    let answer = gateway.answer(&request);
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    let now = body.get("gateway_time_unix_s").and_then(Value::as_u64).unwrap();
    bench.answer(index, Ok(with(&answer, &["epoch"], now)));
    assert_eq!(bench.view(held).state, PaymentState::Sent);
    assert_eq!(bench.engine.durable().epoch(), now);
}

#[test]
fn changes_answered_absurdly_are_asked_for_again_after_the_same_revision() {
    for (path, number) in [
        (&["revision"][..], u64::MAX),
        (&["revision"], 1_000_000),
        (&["epoch"], u64::MAX),
        (&["gateway_time_unix_s"], 7),
    ] {
        let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
        bench.serve(&mut gateway);
        bench.pass(WAIT_MS_MAX);
        let (index, request) = first(&bench, "/payments?after=");
        let absurd = with(&gateway.answer(&request), path, number);
        bench.answer(index, Ok(absurd));
        bench.pass(WAIT_MS_MAX);
        let after = |request: &Request| request.url.split('&').next().map(str::to_owned);
        let (_, again) = first(&bench, "/payments?after=");
        assert_eq!(after(&again), after(&request), "{path:?} {number}");
    }
}

#[test]
fn a_configuration_with_absurd_numbers_is_none_and_the_last_good_one_stays() {
    for (path, number) in [
        (&["epoch"][..], u64::MAX),
        (&["gateway_time_unix_s"], 0),
        (&["history_days"], u64::from(u32::MAX)),
        (&["order_lifetime_s"], u64::from(u32::MAX)),
    ] {
        let (mut bench, mut gateway) = (Bench::enrolled(), Gateway::new());
        bench.restart();
        let before = bench.engine.durable().config().unwrap().config.clone();
        if !bench.sent.iter().any(|(_, request)| request.url.ends_with("/config")) {
            let (index, request) = first(&bench, "/token");
            bench.answer(index, Ok(gateway.answer(&request)));
        }
        let (index, request) = first(&bench, "/config");
        let absurd = with(&gateway.answer(&request), path, number);
        bench.answer(index, Ok(absurd));
        assert_eq!(bench.engine.durable().config().unwrap().config, before, "{path:?}");
        bench.held();
    }
}
