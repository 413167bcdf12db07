//! What strangers may send: to every route, in every field, body and header, over a real socket.
//!
//! [`cases`] names every route that the router serves, with one good request each; a route without a
//! case fails the test below. [`nasty`] spoils those requests, seeded; [`fuzz`] sends them and looks at
//! the answers, and at what became of the database. [`doors`] asks of every route who may come in.

mod cases;
mod doors;
mod fuzz;
mod limits;
mod nasty;
mod request;
mod stage;
mod wire;

use cases::CASES;
use request::filled;
use stage::Stage;
use std::collections::BTreeSet;
use wire::Wire;

#[tokio::test]
async fn every_route_that_is_served_has_a_case_and_every_case_a_route() {
    let stage = Stage::set().await;
    let mut served = BTreeSet::new();
    for address in holdfast_gateway::addresses() {
        // A method that nobody takes: the answer names those that are.
        let path = filled(address, '{', |name| stage.part(name));
        let answer = Wire::new("BREW", &path).send(&stage.world).await.expect("an answer");
        assert_eq!(answer.status, 405, "{address}");
        let allowed = answer.header("allow").expect("405 names what is allowed");
        let methods = allowed.split(',').map(str::trim).filter(|it| *it != "HEAD");
        served.extend(methods.map(|method| format!("{method} {address}")));
    }
    let cases: BTreeSet<String> =
        CASES.iter().map(|case| format!("{} {}", case.method, case.route)).collect();
    let missing: Vec<_> = served.symmetric_difference(&cases).collect();
    assert!(missing.is_empty(), "add to (or take out of) strangers/cases.rs: {missing:#?}");
    assert_eq!(cases.len(), CASES.len(), "a route has two cases");
}
