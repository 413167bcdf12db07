use super::*;

/// 23 November 2026.
const NOW_S: i64 = 1_795_392_000;

fn check(change: impl FnOnce(&mut CardForm)) -> Result<CardFacts, CardFault> {
    let mut form = CardForm::test("4242 4242 4242 4242");
    change(&mut form);
    read(&form, NOW_S)
}

#[test]
fn every_test_card_has_a_right_check_digit() {
    for card in &table::TEST_CARDS {
        assert!(luhn_holds(card.number), "{}", card.number);
    }
}

/// The decline table of Stripe's test mode.
#[test]
fn each_declining_card_gives_its_codes() {
    for (last4, code, decline_code, param, advice) in [
        ("0002", "card_declined", Some("generic_decline"), None, "try_again_later"),
        ("9995", "card_declined", Some("insufficient_funds"), None, "try_again_later"),
        ("9987", "card_declined", Some("lost_card"), None, "do_not_try_again"),
        ("9979", "card_declined", Some("stolen_card"), None, "do_not_try_again"),
        ("0069", "expired_card", None, Some("exp_month"), "confirm_card_data"),
        ("0127", "incorrect_cvc", None, Some("cvc"), "confirm_card_data"),
        ("0119", "processing_error", None, None, "try_again_later"),
    ] {
        let card = check(|f| f.number = format!("400000000000{last4}")).unwrap();
        let Behaviour::Declines(decline) = card.behaviour() else { panic!("{last4}: {card:?}") };
        let got = (decline.code, decline.decline_code, decline.param, decline.advice_code);
        assert_eq!(got, (code, decline_code, param, Some(advice)), "{last4}");
        let shown = decline.message.to_lowercase();
        assert!(!shown.contains("lost") && !shown.contains("stolen"), "{last4}");
    }
}

#[test]
fn a_wrong_field_is_named_before_any_bank_is_asked() {
    let fault = |change: fn(&mut CardForm)| check(change).unwrap_err();
    assert_eq!(fault(|f| f.number = "4242424242424241".into()), CardFault::Number);
    assert_eq!(fault(|f| f.number = "4242".into()), CardFault::Number);
    assert_eq!(fault(|f| f.number = "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢".into()), CardFault::Number);
    assert_eq!(fault(|f| f.number = "4111111111111111".into()), CardFault::NotATestCard);
    assert_eq!(fault(|f| f.expiry = "10/26".into()), CardFault::Expired);
    assert_eq!(fault(|f| f.expiry = "13/30".into()), CardFault::Expiry);
    assert_eq!(fault(|f| f.expiry = "1".into()), CardFault::Expiry);
    assert_eq!(fault(|f| f.expiry = "€€/30".into()), CardFault::Expiry);
    assert_eq!(fault(|f| f.cvc = "12".into()), CardFault::Cvc);
    assert_eq!(fault(|f| f.name = " ".into()), CardFault::Name);
    assert!(check(|f| f.expiry = "11/26".into()).is_ok());
    assert!(check(|f| f.expiry = "12 / 2034".into()).is_ok());
    assert!(check(|f| f.expiry = "1234".into()).is_ok());
    assert!(check(|f| (f.number, f.cvc) = ("378282246310005".into(), "1234".into())).is_ok());
}

#[test]
fn months_are_counted_right() {
    for (now_s, month) in [
        (0, (1970, 1)),
        (NOW_S, (2026, 11)),
        (951_782_400, (2000, 2)),
        (951_868_800, (2000, 3)),
        (1_798_761_599, (2026, 12)),
        (1_798_761_600, (2027, 1)),
    ] {
        assert_eq!(year_and_month(now_s), month, "{now_s}");
    }
}

/// Stripe's names for cards in calls.
#[test]
fn each_name_stands_for_its_number() {
    for (name, last4) in [
        ("pm_card_visa", "4242"),
        ("tok_visa", "4242"),
        ("pm_card_visa_chargeDeclined", "0002"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "9995"),
        ("pm_card_visa_chargeDeclinedLostCard", "9987"),
        ("pm_card_visa_chargeDeclinedStolenCard", "9979"),
        ("pm_card_chargeDeclinedExpiredCard", "0069"),
        ("pm_card_chargeDeclinedIncorrectCvc", "0127"),
        ("pm_card_chargeDeclinedProcessingError", "0119"),
        ("pm_card_threeDSecure2Required", "3220"),
        ("pm_card_authenticationRequired", "3184"),
        ("pm_card_refundFail", "5126"),
        ("pm_card_pendingRefund", "7726"),
        ("pm_card_createDispute", "0259"),
    ] {
        let card = CardFacts::by_name(name, NOW_S).unwrap();
        assert_eq!((card.last4(), card.exp_month, card.exp_year), (last4, 11, 2027), "{name}");
    }
    assert!(CardFacts::by_name("pm_card_gold", NOW_S).is_none());
    assert!(CardFacts::by_name("visa", NOW_S).is_none());
}
