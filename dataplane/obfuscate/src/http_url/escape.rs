//! Percent escapes. spec: apm-obfuscation §5; RFC 3986 §2.

/// A part of a URL, each with bytes of its own that need no escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Host,
    /// Zone of an IPv6 address.
    Zone,
    Path,
    Fragment,
}

/// Bytes that may stand unescaped where the writer would have escaped them.
const TOLERATED: &[u8] = b"!$&'()*+,;=:@[]%";

/// Whether the writer escapes this byte in that part.
fn is_escaped(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    let plain: &[u8] = match part {
        Part::Host | Part::Zone => b"!$&'()*+,;=:[]<>\"",
        Part::Path => b"$&+,/:;=@",
        Part::Fragment => b"$&+,/:;=?@!()*",
    };
    !plain.contains(&byte)
}

/// Whether the text can be written as it is.
pub(super) fn has_only_sound_bytes(text: &str, part: Part) -> bool {
    text.bytes().all(|byte| TOLERATED.contains(&byte) || !is_escaped(byte, part))
}

/// Whether every escape is complete and every byte allowed. Only hosts forbid bytes.
pub(super) fn is_valid(text: &str, part: Part) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let Some(escaped) = escape_value(&mut bytes) else { return false };
            let is_allowed = match part {
                Part::Path | Part::Fragment => true,
                // Hosts escape what is not ASCII, and the mark of a zone.
                Part::Host => escaped >= 0x80 || escaped == b'%',
                Part::Zone => b"% ".contains(&escaped) || !is_escaped(escaped, Part::Host),
            };
            if !is_allowed {
                return false;
            }
        } else if matches!(part, Part::Host | Part::Zone)
            && byte.is_ascii()
            && is_escaped(byte, part)
        {
            return false;
        }
    }
    true
}

/// The bytes a valid text stands for.
pub(super) fn unescaped_bytes(text: &str) -> impl Iterator<Item = u8> {
    let mut bytes = text.bytes();
    std::iter::from_fn(move || match bytes.next()? {
        b'%' => escape_value(&mut bytes),
        byte => Some(byte),
    })
}

/// Writes bytes as that part of a URL.
pub(super) fn push_escaped(bytes: impl IntoIterator<Item = u8>, part: Part, out: &mut String) {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in bytes {
        if is_escaped(byte, part) {
            let [high, low] = [byte >> 4, byte & 15].map(|digit| HEX.get(usize::from(digit)));
            out.push('%');
            out.extend(high.into_iter().chain(low));
        } else {
            out.push(char::from(byte));
        }
    }
}

/// The byte of an escape whose `%` has just been read.
fn escape_value(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let mut digit = || char::from(bytes.next()?).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit()? << 4 | digit()?)
}
