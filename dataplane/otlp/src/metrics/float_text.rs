//! Bounds and quantiles as text of a tag. spec: otlp §5.4.

/// Appends the shortest decimal that reads back as the number, with an exponent below 1e-4 and from
/// 1e6 on; what is integral ends in `.0`, an exponent too.
pub(crate) fn push_float(text: &mut String, number: f64) {
    if number.is_nan() {
        return text.push_str("nan");
    }
    if number.is_infinite() {
        return text.push_str(if number > 0.0 { "inf" } else { "-inf" });
    }
    if number == 0.0 {
        return text.push('0');
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        text.push_str(&number.to_string());
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        text.push_str(&format!("{digits}e{sign}{:02}", exponent.abs()));
    }
    if number.fract() == 0.0 {
        text.push_str(".0");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// spec: otlp §10.
    #[test]
    fn texts_are_those_of_the_vectors() {
        let lines = include_str!("../../../../tests/vectors/otlp_float_tag.jsonl").lines();
        let mut count = 0;
        for line in lines {
            let vector: serde_json::Value = serde_json::from_str(line).unwrap();
            let number = match vector["in"].as_str() {
                Some(text) => text.parse().unwrap(),
                None => vector["in"].as_f64().unwrap(),
            };
            let mut text = String::new();
            push_float(&mut text, number);
            assert_eq!(Some(text.as_str()), vector["out"].as_str(), "{line}");
            count += 1;
        }
        assert_eq!(count, 46);
    }
}
