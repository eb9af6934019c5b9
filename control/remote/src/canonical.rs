//! Canonical JSON, which signatures cover. spec: remote-config §5.2
//!
//! Members sorted by the bytes of their names, no white space, whole numbers alone, and strings
//! raw but for `"` and `\`. A line break in a string stays a line break, so that the form cannot
//! always be read back: it is for hashing and signing, and never served or stored.

use serde_json::Value;

/// Why a value has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoCanonicalForm {
    /// A number with a fraction.
    #[error("a number has a fraction; only whole numbers can be signed")]
    Fraction,
    /// A number that a double does not hold exactly.
    #[error("a number is beyond 2^53 and would lose digits")]
    TooBig,
}

/// The canonical bytes of a value.
///
/// # Errors
/// [`NoCanonicalForm`] for numbers that are not whole, or beyond 2^53.
pub fn canonical(value: &Value) -> Result<Vec<u8>, NoCanonicalForm> {
    let mut out = Vec::new();
    write(value, &mut out)?;
    Ok(out)
}

/// Whole numbers up to here survive the double that the reference puts them through.
const WHOLE_MAX: u64 = 1 << 53;

// The depth is bounded by the parser, at 128.
fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), NoCanonicalForm> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => out.extend_from_slice(whole(number)?.to_string().as_bytes()),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(map) => {
            out.push(b'{');
            // Whatever order the map keeps.
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by(|one, other| one.0.as_bytes().cmp(other.0.as_bytes()));
            for (at, (name, value)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_string(name, out);
                out.push(b':');
                write(value, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

fn whole(number: &serde_json::Number) -> Result<i64, NoCanonicalForm> {
    if let Some(whole) = number.as_i64() {
        return if whole.unsigned_abs() <= WHOLE_MAX { Ok(whole) } else { Err(TooBig) };
    }
    if number.is_u64() {
        return Err(TooBig);
    }
    // The reference takes `1.0` and `1e2` for whole numbers.
    let float = number.as_f64().unwrap_or(f64::NAN);
    if float.fract() != 0.0 || !float.is_finite() {
        return Err(NoCanonicalForm::Fraction);
    }
    if float.abs() > 9_007_199_254_740_992.0 {
        return Err(TooBig);
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole, and within 2^53")]
    let whole = float as i64;
    Ok(whole)
}

use NoCanonicalForm::TooBig;

/// Fuzz target: whatever parses has one canonical form, whatever its white space and order, and a
/// form that can be read back is its own canonical form.
///
/// # Panics
/// When that does not hold.
pub fn check_canonical(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    let Ok(form) = canonical(&value) else { return };
    let pretty = serde_json::to_vec_pretty(&value).expect("a value has a text");
    let again: Value = serde_json::from_slice(&pretty).expect("its own text");
    assert_eq!(canonical(&again), Ok(form.clone()), "white space changes nothing");
    if let Ok(back) = serde_json::from_slice::<Value>(&form) {
        assert_eq!(canonical(&back), Ok(form), "the form of the form is the form");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::hash::sha256_hex;

    /// spec: remote-config §5.2, table.
    #[test]
    fn vectors_of_the_spec() {
        for (input, form, hash) in [
            ("{}", "{}", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
            (
                r#"{"b":1,"a":[true,false,null]}"#,
                r#"{"a":[true,false,null],"b":1}"#,
                "087e44ed138472a81a4a0f8ae84e8f358d0d957d27f51123952aa88c007b1f9f",
            ),
            (
                r#"{"a":{"z":"x\ny","y":"q\"b\\s"}}"#,
                "{\"a\":{\"y\":\"q\\\"b\\\\s\",\"z\":\"x\ny\"}}",
                "ea653c86ce914e4252d07779b124c47a3b8c7b0c0c18a4d15e09f5fbb2e52666",
            ),
            (
                r#"{"\u00e9":"\u20ac","z":"\u0001\t","A":-7}"#,
                "{\"A\":-7,\"z\":\"\u{1}\t\",\"\u{e9}\":\"\u{20ac}\"}",
                "baadf692053c1f3663fc11002c9df1d7b3a3cd7d8719f0c577828f18a6fec7dc",
            ),
            (
                r#"{"k":9007199254740992}"#,
                r#"{"k":9007199254740992}"#,
                "799ce8f671b780c217ffe57b48fae8c817e45b9d4901dadf575e44464b415d2b",
            ),
            (
                r#"{"\ufb33":1,"\ud83d\ude00":2,"\u20ac":3}"#,
                "{\"\u{20ac}\":3,\"\u{fb33}\":1,\"\u{1f600}\":2}",
                "889bff6127e288dd97eb292ebb33ae1113c4fa3925b21c3c55c7dee97a48ea73",
            ),
            (
                r#"{"s":"<>&/\/"}"#,
                r#"{"s":"<>&//"}"#,
                "4750766beeb831160801226d61ac6666dee98a33641c0ed64f18c6c262e0302f",
            ),
        ] {
            let value: Value = serde_json::from_str(input).unwrap();
            let bytes = canonical(&value).unwrap();
            assert_eq!(String::from_utf8(bytes.clone()).unwrap(), form);
            assert_eq!(sha256_hex(&bytes), hash, "{input}");
        }
    }

    #[test]
    fn numbers_are_whole_and_exact() {
        let of = |text: &str| canonical(&serde_json::from_str(text).unwrap());
        assert_eq!(of("1.0"), Ok(b"1".to_vec()));
        assert_eq!(of("1e2"), Ok(b"100".to_vec()));
        assert_eq!(of("-0.0"), Ok(b"0".to_vec()));
        assert_eq!(of("1.5"), Err(NoCanonicalForm::Fraction));
        for too_big in ["9007199254740993", "-9007199254740993", "18446744073709551615", "1e300"] {
            assert_eq!(of(too_big), Err(TooBig), "{too_big}");
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i32>().prop_map(|number| json!(number)),
            any::<String>().prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_text_of_a_value_has_its_form(value in values()) {
            check_canonical(value.to_string().as_bytes());
        }

        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            check_canonical(&bytes);
        }
    }
}
