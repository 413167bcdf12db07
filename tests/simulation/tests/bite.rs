//! The rules bite: each mistake that others have made is caught within a few seeds.

use holdfast_tests::simulation::{self, Broken, Plan};

/// The rule that caught the mistake first, and how many seeds that took.
fn caught(broken: Broken, seeds: u64) -> (u64, &'static str) {
    for seed in 0..seeds {
        // Eight orders through an outbox take as long as five ordinary runs.
        let drain = (seed % 5 == 0).then(|| Plan::drain(seed));
        for plan in [Some(Plan::ordinary(seed)), drain].into_iter().flatten() {
            if let Err(failed) = simulation::run(&plan.broken(broken)) {
                assert!(!failed.trace.is_empty(), "a failure has its trace");
                return (seed, failed.violation.rule);
            }
        }
    }
    panic!("{} was not caught within {seeds} seeds", broken.name());
}

#[test]
fn a_new_key_for_a_request_that_is_sent_again() {
    let (_, rule) = caught(Broken::NewKeyOnRetry, 200);
    assert!(
        matches!(
            rule,
            "a payment has one session that takes money" | "an attempt makes one session"
        ),
        "{rule}"
    );
}

#[test]
fn a_shell_that_says_and_sends_what_is_not_stored() {
    let (_, rule) = caught(Broken::SendBeforeCommit, 200);
    assert_eq!(rule, "what the screen has claimed is durable");
}

#[test]
fn a_body_that_is_made_anew_each_time() {
    let (_, rule) = caught(Broken::BodyRecomputed, 200);
    assert_eq!(rule, "a key is sent with one body");
}

#[test]
fn an_attempt_without_proof_that_the_one_before_is_over() {
    let (_, rule) = caught(Broken::AttemptWithoutProof, 200);
    assert_eq!(rule, "a payment has one session that takes money");
}

#[test]
fn an_event_that_is_believed_without_looking() {
    caught(Broken::EventBelieved, 400);
}

#[test]
fn a_hold_without_an_answer_that_becomes_another_payment() {
    let (_, rule) = caught(Broken::NewPaymentOnRetry, 400);
    assert_eq!(rule, "one hold is one payment");
}

#[test]
fn a_refund_asked_for_anew_while_nobody_knows_of_the_first() {
    let (_, rule) = caught(Broken::RefundAskedAnew, 2_000);
    assert_eq!(rule, "a wish to refund is one refund");
}

#[test]
fn a_damaged_record_that_nobody_is_told_of() {
    let (_, rule) = caught(Broken::DamageUnsaid, 400);
    assert_eq!(rule, "what the screen has claimed is durable");
}

#[test]
fn a_report_of_a_damaged_record_that_the_gateway_does_not_keep() {
    let (_, rule) = caught(Broken::ReportSwallowed, 2_000);
    assert_eq!(rule, "every promise comes to an end");
}

#[test]
fn a_charge_that_whoever_presses_pay_takes_from_the_other() {
    let (_, rule) = caught(Broken::ClaimTaken, 400);
    assert_eq!(rule, "a charge has one page that takes money");
}

#[test]
fn a_restored_gateway_that_does_not_ask_stripe() {
    caught(Broken::RestoredBlind, 2_000);
}

#[test]
fn a_handheld_that_is_enrolled_again_with_an_empty_outbox() {
    let (_, rule) = caught(Broken::OutboxDropped, 2_000);
    assert_eq!(rule, "what the screen has claimed is durable");
}
