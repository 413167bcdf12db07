//! The confirm code: eight symbols that prove to a handheld without network that its payment is
//! paid.
//!
//! HMAC-SHA256 under the secret that this handheld got at enrolment, over the payment ID, the
//! amount, the currency and the word "paid"; the first 40 bits. The handheld computes the same and
//! compares, and never shows the code before it is paid. Two payments may share a code: it is
//! a proof, not a name.

use hmac::{Hmac, KeyInit, Mac};
use holdfast_domain::{Money, PaymentId, Secret, ShortCode};
use sha2::Sha256;

/// Length of a confirm secret in bytes.
pub const CONFIRM_SECRET_BYTES: usize = 32;

/// The code of a payment that is paid.
pub fn confirm_code(
    secret: &Secret<[u8; CONFIRM_SECRET_BYTES]>,
    payment: PaymentId,
    amount: Money,
) -> ShortCode {
    let mut first = [0; 5];
    // An HMAC takes a key of any length, so this branch is always the one that runs.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose()) {
        mac.update(b"holdfast/confirm/1");
        mac.update(payment.as_bytes());
        mac.update(&amount.minor().to_be_bytes());
        mac.update(amount.currency().code().as_bytes());
        mac.update(b"paid");
        for (place, byte) in first.iter_mut().zip(mac.finalize().into_bytes()) {
            *place = byte;
        }
    }
    ShortCode::from_bits(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_domain::Currency;

    #[test]
    fn the_code_depends_on_everything_it_proves() {
        let secret = Secret::new([1; 32]);
        let payment = PaymentId::mint(1_700_000_000_000, &[3; 10]);
        let amount = Money::new(1250, Currency::USD);
        let code = confirm_code(&secret, payment, amount);
        assert_eq!(code, confirm_code(&secret, payment, amount));
        let others = [
            confirm_code(&Secret::new([2; 32]), payment, amount),
            confirm_code(&secret, PaymentId::mint(1_700_000_000_001, &[3; 10]), amount),
            confirm_code(&secret, payment, Money::new(1251, Currency::USD)),
            confirm_code(&secret, payment, Money::new(1250, Currency::from_code("EUR").unwrap())),
        ];
        assert!(others.iter().all(|other| *other != code));
    }
}
