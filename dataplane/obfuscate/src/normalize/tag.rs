//! Tags and tag values. spec: apm-obfuscation §9.1.

use super::alphabet::{Alphabet, Form};
use super::letters::{Class, classify};
use crate::change::{Change, settle};

/// Characters of a tag that are looked at; the rest is cut off.
pub const TAG_CHARS_MAX: usize = 200;
/// Bytes of a tag that are looked at.
const BYTES_MAX: usize = 2 * TAG_CHARS_MAX;
/// Bytes that are normal wherever they stand, apart from the first byte of a whole tag.
static ALPHABET: Alphabet = Alphabet::new(b"abcdefghijklmnopqrstuvwxyz0123456789-./:", b"");

/// Normalises a whole tag, `key:value`, which begins with a letter or a colon. The result is empty
/// when nothing can be kept.
#[inline]
pub fn tag(value: &[u8], out: &mut String) -> Change {
    let starts_well = matches!(value.first(), None | Some(b'a'..=b'z' | b':'));
    if starts_well && is_clean(value) {
        return Change::Unchanged;
    }
    rewrite(value, true, out)
}

/// Normalises the value of a tag, which may also begin with a digit, a sign or one underscore.
#[inline]
pub fn tag_value(value: &[u8], out: &mut String) -> Change {
    if is_clean(value) {
        return Change::Unchanged;
    }
    rewrite(value, false, out)
}

/// Whether all bytes are of the alphabet, underscores single and the last one none.
#[inline]
fn is_clean(value: &[u8]) -> bool {
    value.len() <= TAG_CHARS_MAX && ALPHABET.form(value) == Form::Valid
}

#[cold]
fn rewrite(value: &[u8], is_trimmed: bool, out: &mut String) -> Change {
    let start = out.len();
    let mut writer = Writer { out, is_trimmed, counted: 0, offset: 0, is_gap: false };
    'value: for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            writer.push(classify(character), character);
            if writer.is_full(character.len_utf8()) {
                break 'value;
            }
        }
        // Each byte that is not UTF-8 stands for one illegal character.
        for _ in chunk.invalid() {
            writer.push(Class::Illegal, char::REPLACEMENT_CHARACTER);
            if writer.is_full(1) {
                break 'value;
            }
        }
    }
    settle(value, out, start)
}

/// Output of a tag, with its limits.
struct Writer<'a> {
    out: &'a mut String,
    /// Whether everything before the first letter is left out and not counted.
    is_trimmed: bool,
    counted: usize,
    offset: usize,
    /// Whether illegal characters wait to become one underscore; at the end they are dropped.
    is_gap: bool,
}

impl Writer<'_> {
    fn push(&mut self, class: Class, character: char) {
        let kept = match class {
            Class::Letter(letter) => letter,
            _ if self.is_trimmed && self.counted == 0 => return,
            Class::Inner => character,
            Class::Illegal => {
                self.is_gap = true;
                self.counted += 1;
                return;
            }
        };
        if self.is_gap {
            self.out.push('_');
            self.is_gap = false;
        }
        self.out.push(kept);
        self.counted += 1;
    }

    /// Whether the character that was just read, of `width` bytes, is the last one.
    const fn is_full(&mut self, width: usize) -> bool {
        self.offset += width;
        self.offset >= BYTES_MAX || self.counted >= TAG_CHARS_MAX
    }
}
