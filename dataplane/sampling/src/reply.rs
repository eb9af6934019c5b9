//! The rates as tracers read them: JSON by service, with a version. spec: apm §3.2, §7.3.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Reply to trace requests of v0.4 and later.
#[derive(Clone, Debug, PartialEq)]
pub struct RatesReply {
    body: Box<str>,
    version: Box<str>,
    rates: BTreeMap<Box<str>, f64>,
}

impl RatesReply {
    /// The body, with its newline. It is `{"rate_by_service":{}}` before the first rate.
    pub const fn body(&self) -> &str {
        &self.body
    }

    /// Value of `Datadog-Rates-Payload-Version`; empty before the first rate. A tracer that knows
    /// this version is answered `{}` without a newline.
    pub const fn version(&self) -> &str {
        &self.version
    }

    /// Rates by `service:<name>,env:<env>`, sorted bytewise.
    pub fn rates(&self) -> impl Iterator<Item = (&str, f64)> {
        self.rates.iter().map(|(key, &rate)| (&**key, rate))
    }

    pub(crate) fn empty() -> Self {
        let rates = BTreeMap::new();
        Self { body: body(&rates), version: Box::default(), rates }
    }

    /// The reply for new rates, or `None` if all are as before. Rates are limited to 0 to 1.
    pub(crate) fn changed(
        &self,
        mut rates: BTreeMap<Box<str>, f64>,
        now_secs: u64,
        counter: u64,
    ) -> Option<Self> {
        for rate in rates.values_mut() {
            *rate = if *rate > 0.0 { rate.min(1.0) } else { 0.0 };
        }
        (rates != self.rates).then(|| Self {
            body: body(&rates),
            version: format!("{now_secs:x}-{counter:x}").into_boxed_str(),
            rates,
        })
    }
}

fn body(rates: &BTreeMap<Box<str>, f64>) -> Box<str> {
    let mut text = String::with_capacity(32 + rates.len() * 48);
    text.push_str("{\"rate_by_service\":{");
    for (position, (key, &rate)) in rates.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        push_string(&mut text, key);
        text.push(':');
        push_float(&mut text, rate);
    }
    text.push_str("}}\n");
    text.into_boxed_str()
}

/// A JSON string, escaped like Go does: also `<`, `>`, `&` and the two line separators.
fn push_string(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                push(text, format_args!("\\u{:04x}", u32::from(c)));
            }
            _ => text.push(c),
        }
    }
    text.push('"');
}

/// The shortest decimal that reads back as `rate`; below 1e-6 with an exponent of two digits.
fn push_float(text: &mut String, rate: f64) {
    if rate == 0.0 || rate >= 1e-6 {
        push(text, format_args!("{rate}"));
        return;
    }
    let scientific = format!("{rate:e}");
    let (digits, exponent) = scientific.split_once("e-").unwrap_or((&scientific, "0"));
    push(text, format_args!("{digits}e-{exponent:0>2}"));
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(entries: &[(&str, f64)]) -> BTreeMap<Box<str>, f64> {
        entries.iter().map(|&(key, rate)| (Box::from(key), rate)).collect()
    }

    #[test]
    fn body_of_the_spec() {
        let empty = RatesReply::empty();
        assert_eq!(empty.body(), "{\"rate_by_service\":{}}\n");
        assert_eq!(empty.version(), "");
        let entries = rates(&[("service:web,env:prod", 0.25), ("service:,env:", 1.0)]);
        let reply = empty.changed(entries, 0x66aa, 10).expect("there are new keys");
        assert_eq!(
            reply.body(),
            "{\"rate_by_service\":{\"service:,env:\":1,\"service:web,env:prod\":0.25}}\n"
        );
        assert_eq!(reply.version(), "66aa-a");
    }

    #[test]
    fn only_a_changed_value_or_key_makes_a_version() {
        let first = RatesReply::empty().changed(rates(&[("a", 0.5), ("b", 1.0)]), 1, 1);
        let first = first.expect("new keys");
        assert!(first.changed(rates(&[("a", 0.5), ("b", 1.5)]), 2, 2).is_none());
        assert!(first.changed(rates(&[("a", 0.25), ("b", 1.0)]), 2, 2).is_some());
        assert!(first.changed(rates(&[("a", 0.5)]), 2, 2).is_some());
        assert!(first.changed(rates(&[("a", 0.5), ("b", 1.0), ("c", 1.0)]), 2, 2).is_some());
    }

    #[test]
    fn floats_are_shortest() {
        let shown = |rate| {
            let mut text = String::new();
            push_float(&mut text, rate);
            text
        };
        let vectors = [
            (0.0, "0"),
            (1.0, "1"),
            (0.25, "0.25"),
            (1e-7, "1e-07"),
            (1.25e-10, "1.25e-10"),
            (1e-6, "0.000001"),
            (1.0 / 3.0, "0.3333333333333333"),
            (5e-324, "5e-324"),
        ];
        for (rate, expected) in vectors {
            assert_eq!(shown(rate), expected);
        }
    }

    #[test]
    fn strings_are_escaped() {
        let mut text = String::new();
        push_string(&mut text, "a\"\\\n\u{1}<&>\u{2028}é");
        assert_eq!(text, "\"a\\\"\\\\\\n\\u0001\\u003c\\u0026\\u003e\\u2028é\"");
    }

    #[test]
    fn rates_stay_in_range() {
        let odd = rates(&[("a", f64::NAN), ("b", -1.0), ("c", 3.0)]);
        let reply = RatesReply::empty().changed(odd, 1, 1).expect("new keys");
        let found: Vec<_> = reply.rates().collect();
        assert_eq!(found, [("a", 0.0), ("b", 0.0), ("c", 1.0)]);
    }
}
