//! Strings with escapes.

use super::DecodeError;
use crate::decode::reader::repair;

/// Appends the text that an escaped one stands for. Halves of surrogate pairs become U+FFFD.
pub(super) fn unescape(quoted: &[u8], text: &mut Vec<u8>) -> Result<(), DecodeError> {
    let mut rest = quoted;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, escape) = rest.split_at(at);
        repair(before, text);
        let letter = escape.get(1).copied().ok_or(DecodeError::BadJson)?;
        rest = escape.get(2..).unwrap_or_default();
        let meant = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => unicode(&mut rest)?,
            _ => return Err(DecodeError::BadJson),
        };
        text.extend_from_slice(meant.encode_utf8(&mut [0; 4]).as_bytes());
    }
    repair(rest, text);
    Ok(())
}

/// Reads what follows `\u`, together with the second half of a surrogate pair.
fn unicode(rest: &mut &[u8]) -> Result<char, DecodeError> {
    let first = unit(rest)?;
    if let [b'\\', b'u', second @ ..] = *rest
        && (0xd800..0xdc00).contains(&first)
    {
        let mut behind = second;
        let second = unit(&mut behind)?;
        if let Some(Ok(pair)) = char::decode_utf16([first, second]).next() {
            *rest = behind;
            return Ok(pair);
        }
    }
    Ok(char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// Reads four hexadecimal digits.
fn unit(rest: &mut &[u8]) -> Result<u16, DecodeError> {
    let (digits, behind) = rest.split_first_chunk::<4>().ok_or(DecodeError::BadJson)?;
    *rest = behind;
    digits.iter().try_fold(0u16, |sum, &digit| {
        let value = char::from(digit).to_digit(16).and_then(|value| u16::try_from(value).ok());
        value.map(|value| sum << 4 | value).ok_or(DecodeError::BadJson)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_what_they_stand_for() {
        let cases: [(&[u8], Option<&str>); 9] = [
            (br#"a\"\\\/\b\f\n\r\tz"#, Some("a\"\\/\u{8}\u{c}\n\r\tz")),
            (br"\u0041\u00e9\u20AC", Some("Aé€")),
            (br"\ud83d\ude00", Some("😀")),
            (br"\ud83dx", Some("\u{fffd}x")),
            (br"\ud83d\u0041", Some("\u{fffd}A")),
            (br"\ude00", Some("\u{fffd}")),
            (b"\xff\\n", Some("\u{fffd}\n")),
            (br"\u12", None),
            (br"\x", None),
        ];
        for (quoted, text) in cases {
            let mut found = Vec::new();
            let is_read = unescape(quoted, &mut found).is_ok();
            assert_eq!(is_read.then_some(&found[..]), text.map(str::as_bytes), "{quoted:?}");
        }
    }
}
