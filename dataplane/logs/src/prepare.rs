//! All that happens to one record.

use crate::truncate::truncate;
use crate::{Defaults, Dropped, Entry, Rules, encode_entry};

/// What happens to records of one source.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What they are taken to say.
    pub defaults: Defaults,
    /// Which are kept, and what of them is masked.
    pub rules: Rules,
    /// How long they may be.
    pub limits: EntryLimits,
}

/// How long a record may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryLimits {
    /// `max_message_size_bytes`: a longer message is cut there and marked. 900,000; one above
    /// `entry_bytes_max` cuts nothing that is sent.
    pub message_bytes_max: usize,
    /// Encoded bytes of a record; the intake cuts a longer one. 1,000,000.
    pub entry_bytes_max: usize,
    /// `tag_truncated_logs`: whether a record that was cut gets a tag. True.
    pub tags_truncated: bool,
}

impl Default for EntryLimits {
    fn default() -> Self {
        Self { message_bytes_max: 900_000, entry_bytes_max: 1_000_000, tags_truncated: true }
    }
}

/// Cuts a message that is too long, applies the rules, fills what is missing and appends the
/// encoded record to `out`. `entry.is_truncated` then says whether it was cut.
///
/// # Errors
/// Why the record is dropped. Nothing is appended; what the record holds then is of no use.
pub fn prepare(entry: &mut Entry, settings: &Settings, out: &mut Vec<u8>) -> Result<(), Dropped> {
    let limits = &settings.limits;
    truncate(entry, limits.message_bytes_max, limits.tags_truncated);
    settings.rules.apply(&mut entry.message, entry.is_truncated, limits.entry_bytes_max)?;
    settings.defaults.apply(entry);
    let start = out.len();
    encode_entry(entry, out);
    if out.len() - start > limits.entry_bytes_max {
        out.truncate(start);
        return Err(Dropped::TooLarge);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RuleConfig;

    fn prepared(message: &str, settings: &Settings) -> Result<String, Dropped> {
        let mut entry = Entry { message: message.to_owned(), timestamp_ms: 7, ..Entry::default() };
        let mut out = b"before".to_vec();
        let result = prepare(&mut entry, settings, &mut out);
        let written = String::from_utf8(out.split_off(6)).unwrap();
        assert_eq!(written.is_empty(), result.is_err(), "nothing is written of what is dropped");
        result.map(|()| written)
    }

    fn rule(kind: &str, pattern: &str) -> Rules {
        let rule = RuleConfig {
            kind: kind.to_owned(),
            name: "r".to_owned(),
            pattern: pattern.to_owned(),
            ..RuleConfig::default()
        };
        Rules::new(&[rule]).unwrap()
    }

    #[test]
    fn a_record_is_cut_masked_filled_and_encoded() {
        let settings = Settings {
            defaults: Defaults { tags: "env:e".to_owned(), ..Defaults::default() },
            rules: rule("mask_sequences", "secret"),
            limits: EntryLimits { message_bytes_max: 12, ..EntryLimits::default() },
        };
        let expected = concat!(
            r#"{"message":"my :12...TRUNCATED...","status":"info","timestamp":7,"#,
            r#""hostname":"unknown","service":"","ddsource":"","#,
            r#""ddtags":"truncated:single_line,env:e"}"#
        );
        assert_eq!(prepared("my secret:12345", &settings).unwrap(), expected);
    }

    #[test]
    fn rules_see_what_was_cut() {
        let limits = EntryLimits { message_bytes_max: 4, ..EntryLimits::default() };
        let settings =
            Settings { rules: rule("exclude_truncated", ""), limits, ..Settings::default() };
        assert_eq!(prepared("12345", &settings), Err(Dropped::Truncated));
        assert!(prepared("1234", &settings).is_ok());
        let settings =
            Settings { rules: rule("exclude_at_match", "5"), limits, ..Settings::default() };
        assert!(prepared("12345", &settings).is_ok());
    }

    #[test]
    fn no_record_is_longer_than_the_intake_takes_when_escaped() {
        let settings = Settings::default();
        let bare = prepared("", &settings).unwrap().len();
        // Each takes six bytes.
        let escaped = "<".repeat((1_000_000 - bare) / 6);
        let rest = "a".repeat((1_000_000 - bare) % 6);
        let fits = prepared(&format!("{escaped}{rest}"), &settings).unwrap();
        assert_eq!(fits.len(), 1_000_000);
        let longer = prepared(&format!("{escaped}{rest}a"), &settings);
        assert_eq!(longer, Err(Dropped::TooLarge));
    }

    #[test]
    fn the_longest_message_is_kept_whole() {
        let settings = Settings::default();
        assert!(!prepared(&"a".repeat(900_000), &settings).unwrap().contains("TRUNCATED"));
        assert!(prepared(&"a".repeat(900_001), &settings).unwrap().contains("a...TRUNCATED...\""));
    }
}
