//! The text of a string literal.

/// Appends the text that the inside of a sound string literal stands for. Half a surrogate pair
/// becomes U+FFFD.
pub(super) fn unescape(inside: &str, out: &mut String) {
    let mut parts = inside.split('\\');
    out.push_str(parts.next().unwrap_or_default());
    // High half of a pair whose low half must follow at once.
    let mut high = None;
    while let Some(part) = parts.next() {
        let mut characters = part.chars();
        let Some(first) = characters.next() else {
            // Two backslashes: what follows the second one is text.
            flush(&mut high, out);
            out.push('\\');
            out.push_str(parts.next().unwrap_or_default());
            continue;
        };
        if first != 'u' {
            flush(&mut high, out);
            out.push(match first {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            });
            out.push_str(characters.as_str());
            continue;
        }
        let (digits, text) = characters.as_str().split_at_checked(4).unwrap_or_default();
        let unit = u16::from_str_radix(digits, 16).unwrap_or_default();
        push_unit(unit, &mut high, out);
        if !text.is_empty() {
            flush(&mut high, out);
            out.push_str(text);
        }
    }
    flush(&mut high, out);
}

fn push_unit(unit: u16, high: &mut Option<u16>, out: &mut String) {
    if (0xdc00..0xe000).contains(&unit)
        && let Some(high) = high.take()
    {
        out.extend(
            char::decode_utf16([high, unit]).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)),
        );
        return;
    }
    flush(high, out);
    match char::from_u32(u32::from(unit)) {
        Some(character) => out.push(character),
        None if unit < 0xdc00 => *high = Some(unit),
        None => out.push(char::REPLACEMENT_CHARACTER),
    }
}

fn flush(high: &mut Option<u16>, out: &mut String) {
    if high.take().is_some() {
        out.push(char::REPLACEMENT_CHARACTER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_text() {
        for (inside, expected) in [
            ("", ""),
            ("plain é", "plain é"),
            (r#"a\"b\\n\/\b\f\n\r\tz"#, "a\"b\\n/\u{8}\u{c}\n\r\tz"),
            (r"\\", "\\"),
            (r"\\\\\n", "\\\\\n"),
            (r"\u00e9\uD83D\uDE00!", "é😀!"),
            (r"\ud83d", "\u{fffd}"),
            (r"\ud83dx\ude00", "\u{fffd}x\u{fffd}"),
            (r"\ud83d\ud83d\ude00\n", "\u{fffd}😀\n"),
            (r"\ud83d\\", "\u{fffd}\\"),
        ] {
            let mut out = String::new();
            unescape(inside, &mut out);
            assert_eq!(out, expected, "{inside}");
        }
    }
}
