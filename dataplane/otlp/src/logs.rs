//! Log records to entries of the log pipeline. spec: otlp §7.
//!
//! ```text
//! ExportLogsServiceRequest -> resource, scope, record -> Record -> content (JSON) -> logs::Entry
//! ```
//!
//! What a record says beside its message becomes one JSON object, which is the message of the
//! entry: the intake takes it apart again. Records are handed on one by one, so that a resource
//! whose attributes every record repeats takes memory for one of them.
//!
//! Costs: a record allocates its texts, about a microsecond for ten attributes.

mod flatten;
mod ids;
mod record;
mod time;

use logs::Entry;
use serde_json::Value as Json;

use crate::wire::{Fields, WireError};
use crate::{Resource, Scope};
use record::Record;

/// Bytes that resource and scope may come to when every record of a request repeats them.
const REPEATED_BYTES_MAX: usize = 256 << 20;

/// Tag that says where a log came from.
const ORIGIN_TAG: &str = "otel_source:datadog_agent";
/// `ddsource` of a record that names none.
const SOURCE: &str = "otlp_log_ingestion";

/// Reads a request and hands each record on, received at a time in milliseconds of Unix time.
///
/// # Errors
/// [`WireError`], before anything is handed on.
pub fn read(body: &[u8], now_ms: i64, each: &mut impl FnMut(Entry)) -> Result<(), WireError> {
    // A body that is broken behind its first records leaves nothing.
    walk(body, &mut |group| group.record().map(drop))?;
    walk(body, &mut |group| {
        each(group.record()?.into_entry(now_ms));
        Ok(())
    })
}

/// A record with what it belongs to.
struct Group<'g, 'a> {
    resource: &'g Resource<'a>,
    scope: &'g Scope<'a>,
    message: &'a [u8],
}

impl Group<'_, '_> {
    fn record(&self) -> Result<Record, WireError> {
        Record::read(self.message, self.resource, self.scope)
    }
}

/// Visits all records of a request.
fn walk(
    body: &[u8],
    visit: &mut impl FnMut(Group<'_, '_>) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let (mut request, mut repeated_bytes) = (Fields::new(body), 0_usize);
    while let Some(field) = request.read()? {
        if field.number == 1 {
            walk_resource(field.bytes()?, &mut repeated_bytes, visit)?;
        }
    }
    Ok(())
}

fn walk_resource(
    message: &[u8],
    repeated_bytes: &mut usize,
    visit: &mut impl FnMut(Group<'_, '_>) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let (mut fields, mut resource) = (Fields::new(message), &[][..]);
    while let Some(field) = fields.read()? {
        if field.number == 1 {
            resource = field.bytes()?;
        }
    }
    let resource_bytes = resource.len();
    let resource = Resource::read(resource)?;
    let mut fields = Fields::new(message);
    while let Some(field) = fields.read()? {
        if field.number != 2 {
            continue;
        }
        let group = field.bytes()?;
        let (mut fields, mut scope) = (Fields::new(group), &[][..]);
        while let Some(field) = fields.read()? {
            if field.number == 1 {
                scope = field.bytes()?;
            }
        }
        let each_bytes = resource_bytes + scope.len();
        let scope = Scope::read(scope)?;
        let mut fields = Fields::new(group);
        while let Some(field) = fields.read()? {
            if field.number == 2 {
                *repeated_bytes = repeated_bytes.saturating_add(each_bytes);
                if *repeated_bytes > REPEATED_BYTES_MAX {
                    return Err(WireError::TooMany);
                }
                visit(Group { resource: &resource, scope: &scope, message: field.bytes()? })?;
            }
        }
    }
    Ok(())
}

/// Nothing panics, a request that is refused leaves nothing, and what is handed on can be taken
/// apart; for fuzzing.
pub fn check_logs(body: &[u8]) {
    let mut count = 0_usize;
    let outcome = read(body, 0, &mut |entry| {
        count += 1;
        let content: serde_json::Result<Json> = serde_json::from_str(&entry.message);
        assert!(content.is_ok_and(|content| content.is_object()), "a message is a JSON object");
        assert!(entry.tags.ends_with(ORIGIN_TAG) && !entry.source.is_empty());
    });
    assert!(outcome.is_ok() || count == 0, "a request is taken whole or not at all");
}

#[cfg(test)]
mod tests;
