//! Texts of JSON, escaped as the Agent's encoder does it.

/// Bytes looked at together. A loop without branches over them becomes a few vector instructions.
const BLOCK_BYTES: usize = 32;

/// What may have to be done about a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Nothing.
    Plain,
    /// It is escaped.
    Escaped(Escape),
    /// It may begin a line or paragraph separator.
    Separator,
}

/// How a character is escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    /// A backslash and this.
    Short(u8),
    /// `\u` and four digits.
    Code(u16),
}

/// By byte.
const CLASSES: [Class; 256] = classes();

/// Appends a text in quotes. Bytes between escapes are copied in runs.
pub(crate) fn push_text(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    // `written` is how much of the text is in the output.
    let (mut at, mut written) = (0, 0);
    while at < bytes.len() {
        let end = bytes.len().min(at + BLOCK_BYTES);
        if !has_special(&bytes[at..end]) {
            at = end;
            continue;
        }
        while at < end {
            let (escape, length) = match CLASSES[usize::from(bytes[at])] {
                Class::Plain => {
                    at += 1;
                    continue;
                }
                Class::Escaped(escape) => (escape, 1),
                Class::Separator => match bytes.get(at + 1..at + 3) {
                    // They end lines in JavaScript.
                    Some([0x80, 0xa8]) => (Escape::Code(0x2028), 3),
                    Some([0x80, 0xa9]) => (Escape::Code(0x2029), 3),
                    _ => {
                        at += 1;
                        continue;
                    }
                },
            };
            out.extend_from_slice(&bytes[written..at]);
            push_escape(escape, out);
            at += length;
            written = at;
        }
    }
    out.extend_from_slice(&bytes[written..]);
    out.push(b'"');
}

/// Whether a byte is not plain.
fn has_special(block: &[u8]) -> bool {
    match <&[u8; BLOCK_BYTES]>::try_from(block) {
        Ok(whole) => whole.iter().fold(false, |found, byte| found | is_special(*byte)),
        Err(_) => block.iter().any(|byte| CLASSES[usize::from(*byte)] != Class::Plain),
    }
}

/// Compared and not looked up, so that it is done for many bytes at once.
const fn is_special(byte: u8) -> bool {
    (byte < 0x20)
        | (byte == b'"')
        | (byte == b'\\')
        | (byte == b'<')
        | (byte == b'>')
        | (byte == b'&')
        | (byte == 0xe2)
}

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Plain; 256];
    let mut byte = 0_u8;
    loop {
        classes[byte as usize] = match byte {
            b'"' | b'\\' => Class::Escaped(Escape::Short(byte)),
            b'\n' => Class::Escaped(Escape::Short(b'n')),
            b'\r' => Class::Escaped(Escape::Short(b'r')),
            b'\t' => Class::Escaped(Escape::Short(b't')),
            0x08 => Class::Escaped(Escape::Short(b'b')),
            0x0c => Class::Escaped(Escape::Short(b'f')),
            0..0x20 | b'<' | b'>' | b'&' => Class::Escaped(Escape::Code(byte as u16)),
            0xe2 => Class::Separator,
            _ => Class::Plain,
        };
        if byte == u8::MAX {
            return classes;
        }
        byte += 1;
    }
}

fn push_escape(escape: Escape, out: &mut Vec<u8>) {
    match escape {
        Escape::Short(byte) => out.extend_from_slice(&[b'\\', byte]),
        Escape::Code(code) => {
            out.extend_from_slice(b"\\u");
            for shift in [12, 8, 4, 0] {
                out.push(b"0123456789abcdef"[usize::from((code >> shift) & 0xf)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_compared_as_the_table_has_them() {
        for byte in 0..=u8::MAX {
            assert_eq!(is_special(byte), CLASSES[usize::from(byte)] != Class::Plain, "{byte}");
        }
    }

    fn written(text: &str) -> String {
        let mut out = b"x".to_vec();
        push_text(text, &mut out);
        String::from_utf8(out).unwrap().split_off(1)
    }

    #[test]
    fn every_control_character_is_escaped() {
        let all: String = (0..0x20).map(char::from).collect();
        let expected = concat!(
            r#""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f"#,
            r#"\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b"#,
            r#"\u001c\u001d\u001e\u001f""#,
        );
        assert_eq!(written(&all), expected);
    }

    #[test]
    fn what_html_and_javascript_read_is_escaped() {
        assert_eq!(
            written("<a href=\"x\">&\\</a>\u{7f}'/"),
            r#""\u003ca href=\"x\"\u003e\u0026\\\u003c/a\u003e"#.to_owned() + "\u{7f}'/\""
        );
        assert_eq!(
            written("\u{2027}\u{2028}\u{2029}\u{202a}"),
            "\"\u{2027}\\u2028\\u2029\u{202a}\""
        );
    }

    #[test]
    fn escapes_are_found_wherever_a_block_ends() {
        for before in 0..70 {
            for (special, escaped) in
                [("\n", "\\n"), ("\u{2028}", "\\u2028"), ("\u{201c}", "\u{201c}")]
            {
                let (left, right) = ("a".repeat(before), "b".repeat(70 - before));
                let text = format!("{left}{special}{right}");
                assert_eq!(written(&text), format!("\"{left}{escaped}{right}\""));
            }
        }
    }
}
