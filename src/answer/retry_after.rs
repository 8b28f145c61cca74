//! When an origin asks to be tried again (RFC 9110 §10.2.3).

use chrono::DateTime;

use crate::facts::UnixMs;

/// Longest that is told on, in seconds: a day.
pub const RETRY_AFTER_S_MAX: u64 = 86_400;

/// Seconds from now, at most [`RETRY_AFTER_S_MAX`]; `None` if it is neither seconds nor a date.
pub fn seconds(told: &str, now_ms: UnixMs) -> Option<u64> {
    let told = told.trim();
    let is_digits = !told.is_empty() && told.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = match is_digits {
        // More digits than a number holds are more than a day, too.
        true => told.parse().unwrap_or(RETRY_AFTER_S_MAX),
        false => {
            let date = DateTime::parse_from_rfc2822(told).ok()?;
            let until_ms = UnixMs::try_from(date.timestamp_millis()).ok()?;
            until_ms.saturating_sub(now_ms).div_ceil(1_000)
        }
    };
    Some(seconds.min(RETRY_AFTER_S_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_bounded() {
        // 1994-11-06T08:49:37Z, and half a second more.
        let now_ms = 784_111_777_500;
        for (told, expected) in [
            ("0", Some(0)),
            (" 30 ", Some(30)),
            ("86400", Some(86_400)),
            ("86401", Some(86_400)),
            ("99999999999999999999", Some(86_400)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Fri, 06 Nov 2026 08:49:37 GMT", Some(86_400)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(seconds(told, now_ms), expected, "{told}");
        }
    }
}
