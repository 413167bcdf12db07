//! Days as people count them, by Howard Hinnant's days-to-civil arithmetic.

const DAY_S: i64 = 24 * 60 * 60;

/// Year, month and day of a time in Unix seconds.
pub(crate) fn civil(now_s: i64) -> (i64, i64, i64) {
    let days = now_s.div_euclid(DAY_S) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// A time in Unix milliseconds as `2026-11-23 02:40:05 UTC`.
pub(crate) fn utc(at_ms: i64) -> String {
    let at_s = at_ms.div_euclid(1_000);
    let (year, month, day) = civil(at_s);
    let second = at_s.rem_euclid(DAY_S);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[test]
fn times_are_written_as_people_read_them() {
    for (at_s, text) in [
        (0, "1970-01-01 00:00:00 UTC"),
        (951_782_400, "2000-02-29 00:00:00 UTC"),
        (1_795_401_605, "2026-11-23 02:40:05 UTC"),
        (1_798_761_599, "2026-12-31 23:59:59 UTC"),
    ] {
        assert_eq!(utc(at_s * 1_000), text);
    }
}
