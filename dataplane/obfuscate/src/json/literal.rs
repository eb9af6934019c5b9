//! Where a literal ends.

/// A literal at the start of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    /// It is whole and has this many bytes. A number ends where no more of it can follow.
    Whole(usize),
    /// After this many bytes it is broken, or the text ends.
    Broken(usize),
}

/// Measures the string, number or word that begins with the first byte. `None` when none does.
pub(super) fn measure(text: &[u8]) -> Option<Literal> {
    match text.first()? {
        b'"' => Some(string(text)),
        b'-' | b'0'..=b'9' => Some(number(text)),
        b't' => Some(word(text, b"true")),
        b'f' => Some(word(text, b"false")),
        b'n' => Some(word(text, b"null")),
        _ => None,
    }
}

fn string(text: &[u8]) -> Literal {
    let mut at = 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => return Literal::Whole(at + 1),
            b'\\' => match escape(text, at + 1) {
                Literal::Whole(end) => at = end,
                broken @ Literal::Broken(_) => return broken,
            },
            0..0x20 => break,
            _ => at += 1,
        }
    }
    Literal::Broken(at)
}

/// The rest of an escape whose backslash stands before `start`, measured from the string's start.
fn escape(text: &[u8], start: usize) -> Literal {
    match text.get(start) {
        Some(b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => Literal::Whole(start + 1),
        Some(b'u') => {
            let digits = text.get(start + 1..).unwrap_or_default().iter().take(4);
            let count = digits.take_while(|digit| digit.is_ascii_hexdigit()).count();
            let end = start + 1 + count;
            if count == 4 { Literal::Whole(end) } else { Literal::Broken(end) }
        }
        _ => Literal::Broken(start),
    }
}

fn number(text: &[u8]) -> Literal {
    let digits = |start: usize| {
        let rest = text.get(start..).unwrap_or_default();
        start + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let integer = usize::from(text.first() == Some(&b'-'));
    let mut end = match text.get(integer) {
        Some(b'0') => integer + 1,
        _ => digits(integer),
    };
    if end == integer {
        return Literal::Broken(end);
    }
    if text.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits(fraction);
        if end == fraction {
            return Literal::Broken(end);
        }
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let is_signed = matches!(text.get(end + 1), Some(b'+' | b'-'));
        let exponent = end + 1 + usize::from(is_signed);
        end = digits(exponent);
        if end == exponent {
            return Literal::Broken(end);
        }
    }
    Literal::Whole(end)
}

fn word(text: &[u8], expected: &[u8]) -> Literal {
    let same = text.iter().zip(expected).take_while(|(a, b)| a == b).count();
    if same == expected.len() { Literal::Whole(same) } else { Literal::Broken(same) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_end_where_the_grammar_says() {
        for (text, expected) in [
            ("\"a\\\"\\u00e9é\" ", Literal::Whole(13)),
            ("\"a", Literal::Broken(2)),
            ("\"\\u12x4\"", Literal::Broken(5)),
            ("\"\\é\"", Literal::Broken(2)),
            ("\"a\nb\"", Literal::Broken(2)),
            ("01", Literal::Whole(1)),
            ("-1.5e+30,", Literal::Whole(8)),
            ("-", Literal::Broken(1)),
            ("1.", Literal::Broken(2)),
            ("1e-", Literal::Broken(3)),
            ("trueish", Literal::Whole(4)),
            ("not", Literal::Broken(1)),
            ("nul", Literal::Broken(3)),
        ] {
            assert_eq!(measure(text.as_bytes()), Some(expected), "{text}");
        }
        assert_eq!(measure(b"x"), None);
        assert_eq!(measure(b""), None);
    }
}
