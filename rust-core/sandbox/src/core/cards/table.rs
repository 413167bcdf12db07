//! Stripe's page "Testing": numbers a person would type, the names that stand for them in calls
//! (`pm_card_NAME`, `tok_NAME`), and what each card does.

/// A bank's no.
#[derive(Debug, PartialEq, Eq)]
pub struct Decline {
    /// Stripe's `code`.
    pub code: &'static str,
    /// Stripe's `decline_code`.
    pub decline_code: Option<&'static str>,
    /// Stripe's `advice_code`.
    pub advice_code: Option<&'static str>,
    /// The parameter at fault.
    pub param: Option<&'static str>,
    /// What the payer reads. It never says lost or stolen.
    pub message: &'static str,
}

/// What a card does when it is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Behaviour {
    Succeeds,
    Declines(&'static Decline),
    /// The bank wants the payer to confirm (3-D Secure), and may say no after that.
    AsksPayer(Option<&'static Decline>),
}

/// What comes after a charge that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Aftermath {
    Nothing,
    /// A refund succeeds, and some time later it has failed.
    RefundFails,
    /// A refund is pending, and some time later it has succeeded.
    RefundPends,
    /// The payer asks the bank for the money back; an inquiry takes none yet.
    Disputed {
        reason: &'static str,
        inquiry: bool,
    },
}

/// One card of Stripe's page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TestCard {
    pub(super) number: &'static str,
    pub(super) brand: &'static str,
    pub(super) funding: &'static str,
    pub(super) behaviour: Behaviour,
    pub(super) aftermath: Aftermath,
    names: &'static [&'static str],
}

pub(super) fn by_number(digits: &str) -> Option<&'static TestCard> {
    TEST_CARDS.iter().find(|card| card.number == digits)
}

pub(super) fn by_name(name: &str) -> Option<&'static TestCard> {
    let name = name.strip_prefix("pm_card_").or_else(|| name.strip_prefix("tok_"))?;
    TEST_CARDS.iter().find(|card| card.names.contains(&name))
}

const DECLINED_MESSAGE: &str = "Your card was declined.";
const LATER: Option<&str> = Some("try_again_later");
const NEVER: Option<&str> = Some("do_not_try_again");
const CHECK: Option<&str> = Some("confirm_card_data");

const fn bank_decline(
    decline_code: &'static str,
    advice_code: Option<&'static str>,
    message: &'static str,
) -> Decline {
    Decline {
        code: "card_declined",
        decline_code: Some(decline_code),
        advice_code,
        param: None,
        message,
    }
}

static GENERIC: Decline = bank_decline("generic_decline", LATER, DECLINED_MESSAGE);
static INSUFFICIENT_FUNDS: Decline =
    bank_decline("insufficient_funds", LATER, "Your card has insufficient funds.");
static LOST: Decline = bank_decline("lost_card", NEVER, DECLINED_MESSAGE);
static STOLEN: Decline = bank_decline("stolen_card", NEVER, DECLINED_MESSAGE);
static FRAUDULENT: Decline = bank_decline("fraudulent", NEVER, DECLINED_MESSAGE);
static EXPIRED: Decline = Decline {
    code: "expired_card",
    decline_code: None,
    advice_code: CHECK,
    param: Some("exp_month"),
    message: "Your card has expired.",
};
static INCORRECT_CVC: Decline = Decline {
    code: "incorrect_cvc",
    decline_code: None,
    advice_code: CHECK,
    param: Some("cvc"),
    message: "Your card's security code is incorrect.",
};
static PROCESSING_ERROR: Decline = Decline {
    code: "processing_error",
    decline_code: None,
    advice_code: LATER,
    param: None,
    message: "An error occurred while processing your card. Try again in a little bit.",
};
/// The bank wants the payer to confirm, and nobody is there who could.
pub(in crate::core) static AUTHENTICATION_REQUIRED: Decline = Decline {
    code: "authentication_required",
    decline_code: Some("authentication_required"),
    advice_code: None,
    param: None,
    message: "Your card was declined. This transaction requires authentication.",
};

const fn card(
    number: &'static str,
    brand: &'static str,
    funding: &'static str,
    names: &'static [&'static str],
) -> TestCard {
    let (behaviour, aftermath) = (Behaviour::Succeeds, Aftermath::Nothing);
    TestCard { number, brand, funding, behaviour, aftermath, names }
}

const fn does(
    number: &'static str,
    behaviour: Behaviour,
    names: &'static [&'static str],
) -> TestCard {
    TestCard { behaviour, ..card(number, "visa", "credit", names) }
}

const fn declines(
    number: &'static str,
    decline: &'static Decline,
    names: &'static [&'static str],
) -> TestCard {
    does(number, Behaviour::Declines(decline), names)
}

const fn later(
    number: &'static str,
    aftermath: Aftermath,
    name: &'static [&'static str],
) -> TestCard {
    TestCard { aftermath, ..card(number, "visa", "credit", name) }
}

const fn disputed(reason: &'static str, inquiry: bool) -> Aftermath {
    Aftermath::Disputed { reason, inquiry }
}

pub(super) static TEST_CARDS: [TestCard; 27] = [
    card("4242424242424242", "visa", "credit", &["visa", "us"]),
    card("4000056655665556", "visa", "debit", &["visa_debit"]),
    card("5555555555554444", "mastercard", "credit", &["mastercard"]),
    card("5200828282828210", "mastercard", "debit", &["mastercard_debit"]),
    card("378282246310005", "amex", "credit", &["amex"]),
    card("6011111111111117", "discover", "credit", &["discover"]),
    card("3056930009020004", "diners", "credit", &["diners"]),
    card("3566002020360505", "jcb", "credit", &["jcb"]),
    card("6200000000000005", "unionpay", "credit", &["unionpay"]),
    card("4000000000000077", "visa", "credit", &["bypassPending"]),
    declines("4000000000000002", &GENERIC, &["visa_chargeDeclined", "chargeDeclined"]),
    declines(
        "4000000000009995",
        &INSUFFICIENT_FUNDS,
        &["visa_chargeDeclinedInsufficientFunds", "chargeDeclinedInsufficientFunds"],
    ),
    declines("4000000000009987", &LOST, &["visa_chargeDeclinedLostCard", "chargeDeclinedLostCard"]),
    declines(
        "4000000000009979",
        &STOLEN,
        &["visa_chargeDeclinedStolenCard", "chargeDeclinedStolenCard"],
    ),
    declines(
        "4100000000000019",
        &FRAUDULENT,
        &["riskLevelHighest", "chargeDeclinedFraudulent", "radarBlock"],
    ),
    declines("4000000000000069", &EXPIRED, &["chargeDeclinedExpiredCard"]),
    declines("4000000000000127", &INCORRECT_CVC, &["chargeDeclinedIncorrectCvc"]),
    declines("4000000000000119", &PROCESSING_ERROR, &["chargeDeclinedProcessingError"]),
    does(
        "4000000000003220",
        Behaviour::AsksPayer(None),
        &["threeDSecure2Required", "threeDSecureRequired"],
    ),
    does("4000002760003184", Behaviour::AsksPayer(None), &["authenticationRequired"]),
    // Without a set-up before it, this one asks as well.
    does("4000002500003155", Behaviour::AsksPayer(None), &["authenticationRequiredOnSetup"]),
    does(
        "4000008260003178",
        Behaviour::AsksPayer(Some(&INSUFFICIENT_FUNDS)),
        &["authenticationRequiredChargeDeclinedInsufficientFunds"],
    ),
    later("4000000000005126", Aftermath::RefundFails, &["refundFail"]),
    later("4000000000007726", Aftermath::RefundPends, &["pendingRefund"]),
    later("4000000000000259", disputed("fraudulent", false), &["createDispute"]),
    later(
        "4000000000002685",
        disputed("product_not_received", false),
        &["createDisputeProductNotReceived"],
    ),
    later("4000000000001976", disputed("fraudulent", true), &["createDisputeInquiry"]),
];
