//! What applications submit. spec: logs §7.1.

mod members;

use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use thiserror::Error;

use crate::{Entry, repair_utf8};
use members::read_entry;

/// Records of one request. A request is 4 MiB at most, so more of them are shorter than what is
/// sent along with each, and would take many times the memory of the request.
pub const ENTRIES_MAX: usize = 50_000;

/// Why a request is refused as a whole.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ParseError {
    /// It is not an array of records, nor one record.
    #[error("invalid JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It has more lines than [`ENTRIES_MAX`].
    #[error("more than {ENTRIES_MAX} lines; send fewer per request")]
    TooManyLines,
}

/// Reads a body of JSON: an array of records, or one record. Each needs `message`, a text, and
/// `timestamp`, an integer of milliseconds. `hostname`, `service`, `ddsource`, `ddtags` and
/// `status` are texts or null. Any other key is kept.
///
/// # Errors
/// It is something else; a known key is there twice; there are more than [`ENTRIES_MAX`] records,
/// a record has more than 256 further keys, or a value is nested deeper than 100 levels.
pub fn parse_entries(body: &[u8]) -> Result<Vec<Entry>, ParseError> {
    let mut json = Deserializer::from_slice(body);
    let entries = Body.deserialize(&mut json)?;
    json.end()?;
    Ok(entries)
}

/// Reads a body of plain text: a record for each line that is not blank, without the white space
/// around it. Each byte that is not UTF-8 becomes U+FFFD.
///
/// # Errors
/// There are more than [`ENTRIES_MAX`] such lines.
pub fn parse_lines(body: &[u8], timestamp_ms: i64) -> Result<Vec<Entry>, ParseError> {
    let body = repair_utf8(body);
    let mut entries = Vec::new();
    for line in body.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
        if entries.len() == ENTRIES_MAX {
            return Err(ParseError::TooManyLines);
        }
        entries.push(Entry { message: line.to_owned(), timestamp_ms, ..Entry::default() });
    }
    Ok(entries)
}

/// An array of records, or one.
struct Body;

impl<'de> DeserializeSeed<'de> for Body {
    type Value = Vec<Entry>;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Vec<Entry>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Body {
    type Value = Vec<Entry>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of log entries, or one")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Vec<Entry>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = array.next_element_seed(One)? {
            if entries.len() == ENTRIES_MAX {
                let reason = format_args!("more than {ENTRIES_MAX} entries");
                return Err(serde::de::Error::custom(reason));
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Vec<Entry>, A::Error> {
        read_entry(object).map(|entry| vec![entry])
    }
}

/// One record.
struct One;

impl<'de> DeserializeSeed<'de> for One {
    type Value = Entry;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Entry, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for One {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a log entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Entry, A::Error> {
        read_entry(object)
    }
}

#[cfg(test)]
mod tests;
