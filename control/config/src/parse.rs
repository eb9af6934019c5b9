//! Text to scalars and lists. spec: config §3; checked by `config_values.jsonl`.

/// The spellings of true and false that the Agent, its clients and people use.
#[must_use]
pub fn bool(text: &str) -> Option<bool> {
    let text = text.trim().to_ascii_lowercase();
    match text.as_str() {
        "1" | "t" | "true" | "y" | "yes" | "on" => Some(true),
        "0" | "f" | "false" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A whole number: decimal, `0x..`, `0o..`, or a decimal number without fraction.
#[must_use]
pub fn int(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return i64::from_str_radix(digits, radix).ok();
        }
    }
    let number = float(text)?;
    // Above 2^53 a float no longer tells neighbouring whole numbers apart.
    let is_exact = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    is_exact.then_some(number as i64)
}

/// A finite decimal number.
#[must_use]
pub fn float(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// A duration in nanoseconds: `1h30m`, `1.5h`, `-1ns`; a bare number counts nanoseconds.
#[must_use]
pub fn duration_nanos(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some(number) = int(text) {
        return Some(number);
    }
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return None;
    }
    let mut total: f64 = 0.0;
    let mut whole: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let nanos: i64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        match number.parse::<i64>() {
            Ok(number) => whole = number.checked_mul(nanos)?.checked_add(whole)?,
            #[expect(clippy::cast_precision_loss, reason = "units are exact in a float")]
            Err(_) => total += float(number)? * nanos as f64,
        }
        rest = tail;
    }
    if total.abs() >= 9.2e18 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    let nanos = whole.checked_add(total.round() as i64)?;
    Some(if is_negative { -nanos } else { nanos })
}

/// A size in bytes: a number, or `10Mb` in multiples of 1024. `10M` is no size, because the Agent
/// reads it as 0 and nobody would notice.
#[must_use]
pub fn size_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some(number) = int(text) {
        return u64::try_from(number).ok();
    }
    let lower = text.to_ascii_lowercase();
    let rest = lower.strip_suffix('b')?;
    let (digits, factor) = match rest.chars().last()? {
        'k' => (rest.strip_suffix('k')?, 1u64 << 10),
        'm' => (rest.strip_suffix('m')?, 1 << 20),
        'g' => (rest.strip_suffix('g')?, 1 << 30),
        _ => (rest, 1),
    };
    digits.trim().parse::<u64>().ok()?.checked_mul(factor)
}

/// How one text becomes a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListForm {
    /// Split on any run of blanks; a JSON list is taken as such.
    Blanks,
    /// Split on commas if there is one, else on blanks.
    CommaThenBlanks,
    /// Split on commas and blanks; a JSON list is taken as such.
    CommasAndBlanks,
    /// Split on commas outside of double quotes; a JSON list is taken as such.
    Csv,
}

/// Splits a text into a list; empty items are dropped.
#[must_use]
pub fn list(text: &str, form: ListForm) -> Vec<String> {
    let text = text.trim();
    let is_json = text.starts_with('[') && form != ListForm::CommaThenBlanks;
    if is_json && let Ok(items) = serde_json::from_str::<Vec<String>>(text) {
        return items;
    }
    if form == ListForm::Csv {
        return comma_separated(text);
    }
    let has_comma = text.contains(',');
    let is_separator = |c: char| match form {
        ListForm::Blanks => c.is_whitespace(),
        ListForm::CommaThenBlanks if has_comma => c == ',',
        ListForm::CommaThenBlanks => c.is_whitespace(),
        ListForm::CommasAndBlanks | ListForm::Csv => c == ',' || c.is_whitespace(),
    };
    text.split(is_separator)
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Comma-separated values: a value that begins with a double quote ends with one, and two of them
/// inside it stand for one.
fn comma_separated(text: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut item = String::new();
    let mut is_quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                item.push('"');
            }
            '"' if is_quoted || item.trim().is_empty() => is_quoted = !is_quoted,
            ',' if !is_quoted => items.push(std::mem::take(&mut item)),
            other => item.push(other),
        }
    }
    items.push(item);
    items
        .iter()
        .map(|item| item.trim())
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

/// `web|http.request=1,db|query=0.5`: names with numbers.
#[must_use]
pub fn rates(text: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| {
            let (name, rate) = item.rsplit_once('=')?;
            Some((name.trim().to_owned(), serde_json::Value::from(float(rate)?)))
        })
        .collect()
}

/// First and last core of `3` or `0-3`.
pub(crate) fn cpu_range(text: &str) -> Option<(usize, usize)> {
    const CORES_MAX: usize = 4096;
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last && last < CORES_MAX).then_some((first, last))
}

/// Rights in octal digits, with or without the prefix `0` or `0o`: at most 0777.
/// spec: config §3.1
#[must_use]
pub fn octal_mode(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text.strip_prefix("0o").unwrap_or(text);
    let is_octal = !digits.is_empty() && digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    u32::from_str_radix(digits, 8).ok().filter(|mode| is_octal && *mode <= 0o777)
}

#[cfg(test)]
mod tests;
