//! Events. spec: dogstatsd §4.7.

use crate::metric::{cut, next_field};
use crate::{Fields, Options, Refused, parse_int};

/// One event line. Title and text are as sent: see [`unescape_newlines`].
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Event<'a> {
    /// Title, not empty.
    pub title: &'a [u8],
    /// Text; may be empty.
    pub text: &'a [u8],
    /// Unix seconds; 0 when absent.
    pub timestamp_secs: i64,
    /// Host name of an `h:` field.
    pub host: Option<&'a [u8]>,
    /// Aggregation key.
    pub aggregation_key: &'a [u8],
    /// Whether `p:low` was given; otherwise the priority is normal.
    pub is_low_priority: bool,
    /// Source type.
    pub source_type: &'a [u8],
    /// `error`, `warning`, `info` or `success`; empty when absent.
    pub alert_type: &'a [u8],
    /// Tags and client data.
    pub fields: Fields<'a>,
}

impl<'a> Event<'a> {
    /// Parses a line that starts with `_e{`.
    ///
    /// # Errors
    /// [`Refused::Event`].
    pub fn parse(line: &'a [u8], options: Options) -> Result<Self, Refused> {
        Self::parse_checked(line, options).ok_or(Refused::Event)
    }

    fn parse_checked(line: &'a [u8], options: Options) -> Option<Self> {
        let (header, body) = cut(line, b':')?;
        if header.len() < 7 {
            return None;
        }
        let lengths = header.get(3..header.len() - 1)?;
        let (title_bytes, text_bytes) = cut(lengths, b',')?;
        let title_bytes = usize::try_from(parse_int(title_bytes)?).ok().filter(|&n| n > 0)?;
        let text_bytes = usize::try_from(parse_int(text_bytes)?).ok()?;

        let title = body.get(..title_bytes)?;
        // The byte between title and text is skipped unread.
        let text_at = title_bytes.checked_add(1)?;
        let text_end = text_at.checked_add(text_bytes)?;
        let text = body.get(text_at..text_end)?;
        let mut rest = body.get(text_end..).and_then(|rest| rest.get(1..));

        let mut event = Self { title, text, ..Self::default() };
        while let Some(option) = next_field(&mut rest) {
            event.apply(option, options);
        }
        Some(event)
    }

    fn apply(&mut self, option: &'a [u8], options: Options) {
        match option {
            [b'd', b':', timestamp @ ..] => {
                if let Some(timestamp) = parse_int(timestamp) {
                    self.timestamp_secs = timestamp;
                }
            }
            [b'h', b':', host @ ..] => self.host = Some(host),
            [b'k', b':', key @ ..] => self.aggregation_key = key,
            b"p:low" => self.is_low_priority = true,
            b"p:normal" => self.is_low_priority = false,
            [b's', b':', source @ ..] => self.source_type = source,
            [b't', b':', alert @ ..] => {
                if matches!(alert, b"error" | b"warning" | b"info" | b"success") {
                    self.alert_type = alert;
                }
            }
            _ => self.fields.apply(option, options),
        }
    }
}

/// Replaces every backslash-`n` by a newline and bytes that are not UTF-8 by U+FFFD.
#[must_use]
pub fn unescape_newlines(text: &[u8]) -> String {
    String::from_utf8_lossy(text).replace("\\n", "\n")
}
