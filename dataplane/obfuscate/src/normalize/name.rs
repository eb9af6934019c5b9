//! Names of operations. spec: apm-obfuscation §9.2.

use super::alphabet::{Alphabet, Form};
use super::{Flaw, Normalized, cut_bytes};
use crate::Change;

/// Longest name; the rest is cut off.
pub const NAME_BYTES_MAX: usize = 100;
/// Name of a span that has no usable one.
pub const UNNAMED_OPERATION: &str = "unnamed_operation";
/// Bytes that are normal after the first one, which is a letter.
static ALPHABET: Alphabet =
    Alphabet::new(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", b".");

/// Normalises the name of an operation: letters, digits, dots and single underscores of ASCII,
/// beginning with a letter. Case is kept.
#[inline]
pub fn name(value: &[u8], out: &mut String) -> Normalized {
    let starts_well = value.first().is_some_and(u8::is_ascii_alphabetic);
    if starts_well && value.len() <= NAME_BYTES_MAX && ALPHABET.form(value) == Form::Valid {
        return Normalized { change: Change::Unchanged, flaw: None };
    }
    rewrite(value, out)
}

#[cold]
fn rewrite(value: &[u8], out: &mut String) -> Normalized {
    let cut = cut_bytes(value, NAME_BYTES_MAX);
    let first = cut.iter().position(u8::is_ascii_alphabetic);
    let Some(rest) = first.and_then(|first| cut.get(first..)) else {
        out.push_str(UNNAMED_OPERATION);
        let flaw = if value.is_empty() { Flaw::Empty } else { Flaw::Invalid };
        return Normalized { change: Change::Written, flaw: Some(flaw) };
    };
    if ALPHABET.form(rest) == Form::Invalid {
        replace_bytes(rest, out);
    } else {
        // A valid form is ASCII.
        out.push_str(str::from_utf8(rest).unwrap_or_default());
    }
    if out.ends_with('_') {
        out.pop();
    }
    let is_cut = value.len() > NAME_BYTES_MAX;
    Normalized { change: Change::Written, flaw: is_cut.then_some(Flaw::TooLong) }
}

/// Writes a name that begins with a letter; what is not allowed becomes one underscore, or nothing
/// beside a dot.
fn replace_bytes(value: &[u8], out: &mut String) {
    for &byte in value {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => out.push(char::from(byte)),
            b'.' => {
                if out.ends_with('_') {
                    out.pop();
                }
                out.push('.');
            }
            _ if out.ends_with(['.', '_']) => {}
            _ => out.push('_'),
        }
    }
}
