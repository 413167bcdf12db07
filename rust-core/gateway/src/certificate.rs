//! When a certificate ends, out of its bytes.
//!
//! The TLS library checks dates and does not tell them. Only the path to one field is read (RFC 5280,
//! section 4.1): everything else is stepped over, and what is not as expected is "not known".

/// DER tags on the way (ITU-T X.690).
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xA0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// A UTC time below this year of its century is of the 21st (RFC 5280, section 4.1.2.5.1).
const UTC_TIME_PIVOT: i64 = 50;

/// From when until when a certificate is good, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) from_s: i64,
    pub(crate) until_s: i64,
}

impl Validity {
    /// Reads it out of a DER certificate.
    pub(crate) fn of(der: &[u8]) -> Option<Self> {
        let (certificate, _) = content(der, SEQUENCE)?;
        let (mut rest, _) = content(certificate, SEQUENCE)?;
        if rest.first() == Some(&VERSION) {
            (_, _, rest) = element(rest)?;
        }
        // Serial number, signature algorithm, issuer.
        for _ in 0..3 {
            (_, _, rest) = element(rest)?;
        }
        let (dates, _) = content(rest, SEQUENCE)?;
        let (tag, from, dates) = element(dates)?;
        let from_s = time(tag, from)?;
        let (tag, until, _) = element(dates)?;
        Some(Self { from_s, until_s: time(tag, until)? })
    }

    /// Whole days that are left, none once it is over.
    pub(crate) fn days_left(self, now_ms: i64) -> i64 {
        let left_s = self.until_s.saturating_sub(now_ms.div_euclid(1000));
        left_s.max(0) / (24 * 60 * 60)
    }
}

/// The content of the first element, which has this tag, and what follows it.
fn content(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(bytes)?;
    (tag == wanted).then_some((content, rest))
}

/// The first element: its tag, its content, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        short @ 0..0x80 => (usize::from(*short), rest),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7F))?;
            let more = |length: usize, digit: &u8| {
                length.checked_mul(256)?.checked_add(usize::from(*digit))
            };
            (digits.iter().try_fold(0, more)?, rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match tag {
        UTC_TIME if text.len() == 12 => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i64 = year.parse().ok()?;
            (if year < UTC_TIME_PIVOT { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME if text.len() == 14 => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<i64>().ok();
    let days = days_from_civil(year, part(0)?, part(2)?);
    let of_day = part(4)? * 3600 + part(6)? * 60 + part(8)?;
    days.checked_mul(24 * 60 * 60)?.checked_add(of_day)
}

/// Days since 1970-01-01 of a day in the Gregorian calendar, counted from 1 March of the year 0, so that
/// the leap day is the last one of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    fn made(from: (i32, u8, u8), until: (i32, u8, u8)) -> Vec<u8> {
        let mut params = CertificateParams::new(["pay.example.org".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from.0, from.1, from.2);
        params.not_after = date_time_ymd(until.0, until.1, until.2);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn the_dates_are_read_whether_short_or_long() {
        let der = made((1999, 12, 31), (2026, 11, 23));
        let validity = Validity { from_s: 946_598_400, until_s: 1_795_392_000 };
        assert_eq!(Validity::of(&der), Some(validity));
        assert_eq!(validity.days_left(1_795_392_000_000 - 86_400_000), 1);
        assert_eq!(validity.days_left(1_795_392_000_001), 0);
        let der = made((2000, 2, 29), (2100, 3, 1));
        let validity = Validity { from_s: 951_782_400, until_s: 4_107_542_400 };
        assert_eq!(Validity::of(&der), Some(validity));
    }

    proptest! {
        #[test]
        fn spoiled_certificates_do_no_harm(at in any::<usize>(), with in any::<u8>(), cut in any::<usize>()) {
            let mut der = made((2026, 1, 1), (2027, 1, 1));
            let at = at % der.len();
            der[at] = with;
            let _ = Validity::of(&der);
            let _ = Validity::of(&der[..cut % der.len()]);
        }
    }
}
