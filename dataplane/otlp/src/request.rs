//! The shape that requests of all signals share: resources, in them scopes, in them records.

use crate::wire::{Fields, WireError};

/// Whether the messages of a request are whole down to its spans, metrics or log records, for
/// whoever has to answer before somebody else reads it. What is within a record is not looked at.
///
/// # Errors
/// [`WireError`].
pub fn check_request(body: &[u8]) -> Result<(), WireError> {
    each(body, 1, &mut |resource| {
        each(resource, 2, &mut |scope| {
            each(scope, 2, &mut |record| each(record, 0, &mut |_| Ok(())))
        })
    })
}

/// Visits the messages in the fields of a number, and passes over all others.
fn each(
    message: &[u8],
    number: u32,
    visit: &mut dyn FnMut(&[u8]) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let mut fields = Fields::new(message);
    while let Some(field) = fields.read()? {
        if field.number == number {
            visit(field.bytes()?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Signal;
    use crate::json::to_protobuf;

    #[test]
    fn a_flaw_at_any_level_is_seen() {
        let json = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"n"}]}]}]}"#;
        let body = to_protobuf(Signal::Traces, json).unwrap();
        assert_eq!(check_request(&body), Ok(()));
        assert_eq!(check_request(b""), Ok(()));
        for cut in 1..body.len() {
            assert!(check_request(&body[..cut]).is_err(), "{cut}");
        }
        // A span whose name has length 2 where one byte is left.
        let at = body.iter().position(|byte| *byte == b'n').unwrap() - 1;
        let mut broken = body;
        broken[at] += 1;
        assert_eq!(check_request(&broken), Err(WireError::Truncated));
    }
}
