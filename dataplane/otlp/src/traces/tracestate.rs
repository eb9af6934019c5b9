//! The probability with which a trace was sampled, as its W3C state has it. spec: otlp §4.3.

/// Thresholds have up to 14 hexadecimal digits.
const THRESHOLD_DIGITS: usize = 14;
/// The greatest exponent of a probability; the next one says that it was not sampled.
const EXPONENT_MAX: i32 = 62;

/// The probability, if the state tells one.
pub(super) fn probability(state: &str) -> Option<f64> {
    let mut members = state.split(',').filter_map(|member| member.trim().strip_prefix("ot="));
    let member = members.next()?;
    let field = |name: &str| {
        let mut fields = member.split(';');
        fields.find_map(|field| field.strip_prefix(name)?.strip_prefix(':'))
    };
    match field("th") {
        Some(digits) => of_threshold(digits),
        None => of_exponent(field("p")?),
    }
}

/// Traces are rejected whose random value, of 56 bits, lies below the threshold.
fn of_threshold(digits: &str) -> Option<f64> {
    let is_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if digits.is_empty() || digits.len() > THRESHOLD_DIGITS || !is_digits {
        return None;
    }
    let given = u64::from_str_radix(digits, 16).ok()?;
    let threshold = given << (4 * (THRESHOLD_DIGITS - digits.len()));
    #[expect(clippy::cast_precision_loss, reason = "the nearest double is near enough")]
    let share = threshold as f64 / (1_u64 << (4 * THRESHOLD_DIGITS)) as f64;
    Some(1.0 - share)
}

fn of_exponent(digits: &str) -> Option<f64> {
    let is_digits = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let exponent: i32 = digits.parse().ok().filter(|_| is_digits)?;
    (exponent <= EXPONENT_MAX).then(|| 0.5_f64.powi(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Line {
        r#in: String,
        out: Option<f64>,
    }

    #[test]
    fn probabilities_are_those_of_the_vectors() {
        let text = include_str!("../../../../tests/vectors/otlp_tracestate.jsonl");
        for line in text.lines() {
            let Line { r#in, out } = serde_json::from_str(line).unwrap();
            assert_eq!(probability(&r#in).map(f64::to_bits), out.map(f64::to_bits), "{line}");
        }
        assert_eq!(text.lines().count(), 16);
    }

    #[test]
    fn a_malformed_state_tells_nothing() {
        for state in ["ot=th:", "ot=th:123456789abcdef", "ot=th:zz;p:1", "ot=p:+1", "ot=p:-1"] {
            assert_eq!(probability(state), None, "{state}");
        }
        assert_eq!(probability("a=b, ot=rv:1;th:8"), Some(0.5));
    }
}
