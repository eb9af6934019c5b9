//! JSON pieces for bodies that are written item by item.

/// Appends `value` as a JSON string.
pub(crate) fn put_string(out: &mut Vec<u8>, value: &str) {
    put_quoted(out, &[value]);
}

/// Appends the concatenation of `parts` as one JSON string.
///
/// Escapes what RFC 8259 demands and nothing else; the input is UTF-8, so is the output.
pub(crate) fn put_quoted(out: &mut Vec<u8>, parts: &[&str]) {
    out.push(b'"');
    for part in parts {
        let mut rest = part.as_bytes();
        while let Some(at) = rest.iter().position(|&b| b < 0x20 || b == b'"' || b == b'\\') {
            let (clean, escaped) = rest.split_at(at);
            out.extend_from_slice(clean);
            put_escape(out, escaped[0]);
            rest = &escaped[1..];
        }
        out.extend_from_slice(rest);
    }
    out.push(b'"');
}

/// Appends `"name":` after a comma, unless it begins the object.
pub(crate) fn put_name(out: &mut Vec<u8>, name: &'static str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Appends a string member.
pub(crate) fn put_member(out: &mut Vec<u8>, name: &'static str, value: &str) {
    put_name(out, name);
    put_string(out, value);
}

/// Appends a string member unless it is empty.
pub(crate) fn put_some_member(out: &mut Vec<u8>, name: &'static str, value: &str) {
    if !value.is_empty() {
        put_member(out, name, value);
    }
}

/// Appends an array of strings.
pub(crate) fn put_strings<'a>(out: &mut Vec<u8>, values: impl Iterator<Item = &'a str>) {
    out.push(b'[');
    let mut is_first = true;
    for value in values {
        if !is_first {
            out.push(b',');
        }
        is_first = false;
        put_string(out, value);
    }
    out.push(b']');
}

/// Appends an integer.
pub(crate) fn put_integer(out: &mut Vec<u8>, value: i64) {
    put_value(out, &serde_json::Number::from(value));
}

/// Appends a finite float in its shortest form; anything else becomes 0.
pub(crate) fn put_float(out: &mut Vec<u8>, value: f64) {
    let number = serde_json::Number::from_f64(value);
    put_value(out, &number.unwrap_or_else(|| serde_json::Number::from(0)));
}

fn put_value(out: &mut Vec<u8>, number: &serde_json::Number) {
    let written = serde_json::to_writer(&mut *out, number);
    debug_assert!(written.is_ok(), "a number into memory cannot fail");
}

fn put_escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 0xf)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn strings_read_back_equal(text in any::<String>(), more in "[\\x00-\\x7f]{0,40}") {
            let mut out = Vec::new();
            put_quoted(&mut out, &[&text, &more]);
            let back: String = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(back, text + &more);
        }

        #[test]
        fn floats_read_back_equal(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
            let mut out = Vec::new();
            put_float(&mut out, value);
            let back: f64 = String::from_utf8(out).unwrap().parse().unwrap();
            prop_assert_eq!(back.to_bits(), value.to_bits());
        }
    }
}
