//! Checking a delivery's signature, beside the hash that it cannot do without.

use crate::Outcome;
use hmac::{Hmac, KeyInit, Mac};
use holdfast_stripe::WebhookSecret;
use holdfast_stripe::webhook::{TOLERANCE_S, sign, verify};
use std::hint::black_box;
use std::time::Instant;

/// A delivery's usual length, in bytes.
const BODY_BYTES: usize = 1_700;
const NOW_S: i64 = 1_795_392_000;
const SECRET: &str = "whsec_made_up_for_the_bench_0123456789";
/// Each figure is the best of so many rounds, taken by turns.
const ROUNDS: usize = 40;
const CHECKS: u32 = 2_000;

/// Nanoseconds for a check, and for the raw hash over the same bytes.
pub(crate) fn check_and_raw_ns() -> Outcome<(u128, u128)> {
    let body = vec![b'x'; BODY_BYTES];
    let secrets = [WebhookSecret::parse(SECRET)?];
    let header = sign(&body, &secrets, NOW_S);
    let signed = [format!("{NOW_S}.").as_bytes(), &body].concat();
    let (mut checked, mut raw) = (u128::MAX, u128::MAX);
    for _ in 0..ROUNDS {
        checked = checked.min(mean_ns(|| {
            black_box(verify(black_box(&body), Some(&header), &secrets, NOW_S, TOLERANCE_S).is_ok())
        })?);
        raw = raw.min(mean_ns(|| {
            let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()) else {
                return false;
            };
            mac.update(black_box(&signed));
            black_box(mac.finalize().into_bytes());
            true
        })?);
    }
    Ok((checked, raw))
}

fn mean_ns(act: impl Fn() -> bool) -> Outcome<u128> {
    let began = Instant::now();
    for _ in 0..CHECKS {
        if !act() {
            return Err("a right signature is refused".into());
        }
    }
    Ok(began.elapsed().as_nanos() / u128::from(CHECKS))
}
