//! Times as the backend reads them.

/// A time in nanoseconds of Unix time as `YYYY-MM-DDTHH:MM:SS.mmmZ`; the rest is cut off.
pub(super) fn utc_text(unix_ns: u64) -> String {
    let ms = unix_ns / 1_000_000;
    let (secs, ms) = (ms / 1000, ms % 1000);
    let (days, secs) = (secs / 86_400, secs % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (secs / 3600, secs / 60 % 60, secs % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// Year, month and day of a number of days since 1970-01-01. Years begin in March here, so that the
/// leap day is the last of its year; 400 of them are one era.
const fn civil(days: u64) -> (u64, u64, u64) {
    const ERA_DAYS: u64 = 146_097;
    /// Days from 0000-03-01 to 1970-01-01.
    const EPOCH_DAYS: u64 = 719_468;
    let days = days + EPOCH_DAYS;
    let (era, day_of_era) = (days / ERA_DAYS, days % ERA_DAYS);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_cut_to_milliseconds() {
        assert_eq!(utc_text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(utc_text(1_700_499_303_397_999_999), "2023-11-20T16:55:03.397Z");
        assert_eq!(utc_text(951_782_400_000_000_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(utc_text(4_107_542_399_000_000_000), "2100-02-28T23:59:59.000Z");
        assert_eq!(utc_text(4_107_542_400_000_000_000), "2100-03-01T00:00:00.000Z");
        assert_eq!(utc_text(u64::MAX), "2554-07-21T23:34:33.709Z");
    }
}
