//! Why a card was declined, in the few words that an officer may say to a payer.

use serde::{Deserialize, Serialize};

/// A decline as the officer and the payer hear it.
///
/// Stripe tells lost, stolen and fraudulent cards apart; a payer or officer must not, so these
/// all become [`DeclineReason::BankDeclined`] (the table stands in `look.md`; Stripe's page is
/// "Decline codes").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// Ask for another card.
    NotEnoughFunds,
    /// Ask for another card; also every reason that is nobody's business here.
    BankDeclined,
    /// Ask for another card.
    CardExpired,
    /// Check the code and try again.
    SecurityCodeWrong,
    /// Check the number and try again.
    CardNumberWrong,
    /// Try again in a minute.
    TryAgainLater,
    /// The payer follows the bank's steps on the phone.
    PayerMustConfirm,
}

impl DeclineReason {
    /// From Stripe's `code` and `decline_code`; the decline code is the more exact one.
    pub fn from_stripe(code: Option<&str>, decline_code: Option<&str>) -> Self {
        decline_code
            .and_then(Self::known)
            .or_else(|| code.and_then(Self::known))
            .unwrap_or(Self::BankDeclined)
    }

    fn known(code: &str) -> Option<Self> {
        Some(match code {
            "insufficient_funds" => Self::NotEnoughFunds,
            "lost_card" | "stolen_card" | "pickup_card" | "fraudulent" | "generic_decline" => {
                Self::BankDeclined
            }
            "expired_card" => Self::CardExpired,
            "incorrect_cvc" | "invalid_cvc" => Self::SecurityCodeWrong,
            "incorrect_number" | "invalid_number" => Self::CardNumberWrong,
            "processing_error" | "try_again_later" | "issuer_not_available" => Self::TryAgainLater,
            "authentication_required" => Self::PayerMustConfirm,
            _ => return None,
        })
    }

    /// The sentence of `look.md`, in English.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NotEnoughFunds => "Not enough funds. Ask for another card.",
            Self::BankDeclined => "The bank declined the card. Ask for another card.",
            Self::CardExpired => "The card has expired. Ask for another card.",
            Self::SecurityCodeWrong => "The security code does not match. Check it and try again.",
            Self::CardNumberWrong => "The card number is not right. Check it and try again.",
            Self::TryAgainLater => {
                "The card could not be processed just now. Try again in a minute."
            }
            Self::PayerMustConfirm => {
                "The bank wants the payer to confirm. They should follow the steps on their phone."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_and_stolen_are_never_told() {
        for decline_code in ["lost_card", "stolen_card", "pickup_card", "fraudulent", "new_in_2030"]
        {
            let reason = DeclineReason::from_stripe(Some("card_declined"), Some(decline_code));
            assert_eq!(reason, DeclineReason::BankDeclined, "{decline_code}");
        }
    }

    #[test]
    fn the_decline_code_outranks_the_code() {
        let reason = DeclineReason::from_stripe(Some("card_declined"), Some("insufficient_funds"));
        assert_eq!(reason, DeclineReason::NotEnoughFunds);
        assert_eq!(
            DeclineReason::from_stripe(Some("incorrect_cvc"), None),
            DeclineReason::SecurityCodeWrong
        );
    }
}
