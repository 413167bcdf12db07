use super::*;

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        request_id: Some("req_1".to_owned()),
        replayed: false,
        should_retry: None,
        retry_after_s: None,
        body: body.as_bytes().to_vec(),
    }
}

fn refusal(status: u16, fields: &str) -> CallError {
    from_answer(&answer(status, &format!(r#"{{"error":{{{fields}}}}}"#)))
}

#[test]
fn each_answer_has_its_own_meaning() {
    let invalid = refusal(400, r#""type":"invalid_request_error","param":"amount""#);
    assert!(
        matches!(&invalid, CallError::Refused(e) if e.object.param.as_deref() == Some("amount"))
    );

    let declined = refusal(
        402,
        r#""type":"card_error","code":"card_declined","decline_code":"insufficient_funds""#,
    );
    assert!(matches!(
        declined,
        CallError::CardDeclined { reason: DeclineReason::NotEnoughFunds, .. }
    ));

    assert!(matches!(
        refusal(401, r#""type":"invalid_request_error""#),
        CallError::Unauthorized(_)
    ));
    assert!(matches!(
        refusal(403, r#""type":"invalid_request_error""#),
        CallError::PermissionMissing(_)
    ));
    assert!(matches!(
        refusal(400, r#""type":"idempotency_error""#),
        CallError::IdempotencyMismatch(_)
    ));
    assert!(matches!(refusal(429, ""), CallError::RateLimited { .. }));
    assert!(
        refusal(404, r#""type":"invalid_request_error","code":"resource_missing""#).is_missing()
    );
}

#[test]
fn what_may_have_happened_is_unknown_and_nothing_else() {
    let why = |error| match error {
        CallError::Unknown { why, .. } => why,
        other => panic!("{other:?}"),
    };
    let failed = |status, replayed| UnknownWhy::ServerError { status, replayed };
    assert_eq!(why(from_answer(&answer(500, "oops"))), failed(500, false));
    let replayed = Answer { replayed: true, ..answer(500, "{}") };
    assert_eq!(why(from_answer(&replayed)), failed(500, true));
    assert_eq!(why(refusal(424, r#""type":"api_error""#)), failed(424, false));
    assert_eq!(why(refusal(409, r#""type":"idempotency_error""#)), UnknownWhy::InFlight);
    let portal = from_answer(&answer(403, "<html>Sign in to the hotel's network</html>"));
    assert_eq!(why(portal), UnknownWhy::Garbled { status: 403 });
    assert_eq!(why(from_answer(&answer(302, ""))), UnknownWhy::Garbled { status: 302 });
}

#[test]
fn a_refusal_before_idempotency_does_not_settle_an_earlier_attempt() {
    let doubt = Some(UnknownWhy::NoAnswer);
    let unknown = |error| matches!(error, CallError::Unknown { why: UnknownWhy::NoAnswer, .. });
    assert!(unknown(after_doubt(refusal(401, r#""type":"invalid_request_error""#), doubt)));
    assert!(unknown(after_doubt(refusal(403, r#""type":"invalid_request_error""#), doubt)));
    assert!(unknown(after_doubt(refusal(429, ""), doubt)));
    assert!(unknown(after_doubt(CallError::NotSent(NotSentWhy::NoConnection), doubt)));
    // The key's own outcome, told at last.
    let declined = after_doubt(refusal(402, r#""type":"card_error""#), doubt);
    assert!(matches!(declined, CallError::CardDeclined { .. }));
    let refused = after_doubt(refusal(400, r#""type":"invalid_request_error""#), doubt);
    assert!(matches!(refused, CallError::Refused(_)));
}

#[test]
fn an_error_reads_as_a_sentence_with_its_request_id() {
    let text = refusal(
        400,
        r#""type":"invalid_request_error","code":"parameter_unknown","message":"Received unknown parameter: foo""#,
    )
    .to_string();
    assert_eq!(
        text,
        "Stripe answered 400 parameter_unknown: Received unknown parameter: foo (request req_1)"
    );
}
