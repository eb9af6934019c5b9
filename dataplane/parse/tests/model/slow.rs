//! A metric line read the slow and obvious way, from the spec's text alone: split everything, own
//! everything, decide with regular expressions. spec: dogstatsd §4.2, §4.3.

use corelane_parse::{MetricKind, Options, Refused};
use regex::bytes::Regex;

/// A metric line as the spec describes it.
#[derive(Debug)]
pub(crate) struct SlowMetric {
    pub(crate) name: Vec<u8>,
    pub(crate) kind: MetricKind,
    /// Numbers, or none for a set.
    pub(crate) values: Vec<f64>,
    /// The member of a set.
    pub(crate) member: Option<Vec<u8>>,
    pub(crate) rate: f64,
    pub(crate) timestamp_secs: i64,
    pub(crate) tags: Vec<u8>,
    pub(crate) local_data: Vec<u8>,
    pub(crate) external_data: Vec<u8>,
    pub(crate) cardinality: Vec<u8>,
}

/// The regular expressions of the grammar, compiled once per test.
pub(crate) struct SlowParser {
    head: Regex,
    decimal: Regex,
    hexadecimal: Regex,
    infinity: Regex,
    nan: Regex,
    integer: Regex,
}

impl SlowParser {
    pub(crate) fn new() -> Self {
        let regex = |pattern: &str| Regex::new(pattern).expect("a valid pattern");
        Self {
            head: regex(r"(?s-u)\A([^:]+):(.+)\z"),
            decimal: regex(r"(?-u)\A[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\z"),
            hexadecimal: regex(concat!(
                r"(?i-u)\A([+-]?)0x",
                r"(?:_?([0-9a-f](?:_?[0-9a-f])*)(?:\.([0-9a-f](?:_?[0-9a-f])*)?)?",
                r"|\.([0-9a-f](?:_?[0-9a-f])*))",
                r"p([+-]?[0-9](?:_?[0-9])*)\z"
            )),
            infinity: regex(r"(?i-u)\A([+-]?)inf(inity)?\z"),
            nan: regex(r"(?i-u)\Anan\z"),
            integer: regex(r"(?-u)\A[+-]?[0-9]+\z"),
        }
    }

    /// The numbered steps of §4.2 in their order.
    pub(crate) fn metric(&self, line: &[u8], options: Options) -> Result<SlowMetric, Refused> {
        let fields: Vec<&[u8]> = line.split(|&byte| byte == b'|').collect();
        let [head, symbol, option_fields @ ..] = fields.as_slice() else {
            return Err(Refused::Format);
        };
        let Some(head) = self.head.captures(head) else {
            return Err(Refused::NameOrValue);
        };
        let kind = match *symbol {
            b"g" => MetricKind::Gauge,
            b"c" => MetricKind::Counter,
            b"h" => MetricKind::Histogram,
            b"d" => MetricKind::Distribution,
            b"s" => MetricKind::Set,
            b"ms" => MetricKind::Timing,
            _ => return Err(Refused::Type),
        };
        let is_set = kind == MetricKind::Set;
        let value = &head[2];
        let mut metric = SlowMetric {
            name: head[1].to_vec(),
            kind,
            values: if is_set { Vec::new() } else { self.values(value)? },
            member: is_set.then(|| value.to_vec()),
            rate: 1.0,
            timestamp_secs: 0,
            tags: Vec::new(),
            local_data: Vec::new(),
            external_data: Vec::new(),
            cardinality: Vec::new(),
        };
        for field in option_fields {
            if let Some(tags) = field.strip_prefix(b"#") {
                metric.tags = tags.to_vec();
            } else if let Some(rate) = field.strip_prefix(b"@") {
                metric.rate = self.float(rate).ok_or(Refused::Rate)?;
            } else if let Some(timestamp) = field.strip_prefix(b"T") {
                if options.has_timestamps {
                    let timestamp = self.integer(timestamp).ok_or(Refused::Timestamp)?;
                    if timestamp < 1 {
                        return Err(Refused::Timestamp);
                    }
                    metric.timestamp_secs = timestamp;
                }
            } else if options.has_client_origin {
                if let Some(data) = field.strip_prefix(b"c:") {
                    metric.local_data = data.to_vec();
                } else if let Some(data) = field.strip_prefix(b"e:") {
                    metric.external_data = data.to_vec();
                } else if let Some(cardinality) = field.strip_prefix(b"card:") {
                    metric.cardinality = cardinality.to_vec();
                }
            }
        }
        Ok(metric)
    }

    /// Step 4, for the types whose values are numbers.
    fn values(&self, text: &[u8]) -> Result<Vec<f64>, Refused> {
        let items: Vec<&[u8]> = text.split(|&byte| byte == b':').collect();
        let items = if items.len() == 1 {
            items
        } else {
            items.into_iter().filter(|item| !item.is_empty()).collect()
        };
        if items.is_empty() {
            return Err(Refused::Value);
        }
        items.into_iter().map(|item| self.float(item).ok_or(Refused::Value)).collect()
    }

    /// A float by the table of §4.3.
    pub(crate) fn float(&self, text: &[u8]) -> Option<f64> {
        if self.nan.is_match(text) {
            return Some(f64::NAN);
        }
        if let Some(found) = self.infinity.captures(text) {
            return Some(if &found[1] == b"-" { f64::NEG_INFINITY } else { f64::INFINITY });
        }
        let decimal = if self.decimal.is_match(text) {
            String::from_utf8(text.to_vec()).expect("the pattern is ASCII")
        } else {
            self.hexadecimal_as_decimal(text)?
        };
        let value: f64 = decimal.parse().expect("a decimal of the standard parser's grammar");
        value.is_finite().then_some(value)
    }

    /// Every hexadecimal float is exactly some decimal: `m * 2^-n` is `m * 5^n * 10^-n`.
    fn hexadecimal_as_decimal(&self, text: &[u8]) -> Option<String> {
        let found = self.hexadecimal.captures(text)?;
        let part = |index: usize| {
            let bytes = found.get(index).map_or(&b""[..], |part| part.as_bytes());
            String::from_utf8(bytes.to_vec()).expect("the pattern is ASCII").replace('_', "")
        };
        let sign = part(1);
        let fraction = format!("{}{}", part(3), part(4));
        let digits = format!("{}{fraction}", part(2));
        let mut mantissa = vec![0u8];
        for digit in digits.chars() {
            multiply_add(&mut mantissa, 16, digit.to_digit(16).expect("a digit"));
        }
        if mantissa.iter().all(|&digit| digit == 0) {
            return Some(format!("{sign}0"));
        }
        let exponent: i128 = part(5).parse().unwrap_or_else(|_| {
            if part(5).starts_with('-') { i128::from(i64::MIN) } else { i128::from(i64::MAX) }
        });
        let exponent = exponent - 4 * i128::try_from(fraction.len()).expect("a small length");
        // Too far out for any mantissa of a test, and too long to write down.
        if exponent < -5000 {
            return Some(format!("{sign}0"));
        }
        if exponent > 5000 {
            return Some(format!("{sign}1e5000"));
        }
        let factor = if exponent < 0 { 5 } else { 2 };
        for _ in 0..exponent.unsigned_abs() {
            multiply_add(&mut mantissa, factor, 0);
        }
        let digits: String = mantissa.iter().rev().map(|&digit| char::from(b'0' + digit)).collect();
        Some(format!("{sign}{digits}e{}", exponent.min(0)))
    }

    /// A base-10 signed 64-bit integer.
    pub(crate) fn integer(&self, text: &[u8]) -> Option<i64> {
        if !self.integer.is_match(text) {
            return None;
        }
        std::str::from_utf8(text).expect("the pattern is ASCII").parse().ok()
    }
}

/// `number * factor + addend` on decimal digits, lowest first.
fn multiply_add(number: &mut Vec<u8>, factor: u32, addend: u32) {
    let mut carry = addend;
    for digit in number.iter_mut() {
        let product = u32::from(*digit) * factor + carry;
        *digit = u8::try_from(product % 10).expect("one digit");
        carry = product / 10;
    }
    while carry > 0 {
        number.push(u8::try_from(carry % 10).expect("one digit"));
        carry /= 10;
    }
}
