//! Rules about the tree that nobody should have to remember.
//!
//! Each rule is a pure function from files to offences; each offence names the file and the remedy. Every rule has two
//! tests: the tree keeps it, and a made-up offender is caught.

#![expect(clippy::expect_used, clippy::panic, reason = "a panic is how a test fails")]

mod arrows;
mod committed;
mod layout;
mod lexer;
mod source;
mod tree;

/// One broken rule, in the words its test fails with.
type Offence = String;

#[track_caller]
fn expect_none(offences: Vec<Offence>) {
    assert!(offences.is_empty(), "\n  {}\n", offences.join("\n  "));
}

#[track_caller]
fn expect_one(offences: Vec<Offence>, says: &str) {
    let [offence] = offences.as_slice() else {
        panic!("expected one offence that says {says:?}, got {offences:#?}");
    };
    assert!(offence.contains(says), "{offence:?} does not say {says:?}");
}
