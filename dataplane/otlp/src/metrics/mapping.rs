//! Copies of metrics under the names of our own checks and runtimes. spec: otlp §6.1, §6.2.

mod host;
mod kafka;
mod runtime;

use std::collections::HashMap;

use super::request::{Kind, Number};
use crate::Attributes;

/// An attribute with one of some values, compared as text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Condition {
    key: &'static str,
    values: &'static [&'static str],
}

/// A copy that is made of a metric.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mapping {
    /// Name of the metric, as it was sent.
    from: &'static str,
    /// Name of the copy.
    pub(crate) to: &'static str,
    /// All of which a point must meet.
    all_of: &'static [Condition],
    /// Any of which a point must meet, if there are any.
    any_of: &'static [Condition],
    /// By what values are divided.
    divisor: f64,
    /// Attributes that the copy has besides.
    pub(crate) added: &'static [(&'static str, &'static str)],
    /// An attribute whose value the copy has under another key too.
    pub(crate) doubled: Option<(&'static str, &'static str)>,
    /// Unit of the copy, where it has another.
    pub(crate) unit: Option<&'static str>,
    family: Family,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// Metrics of a runtime, of any kind. Attributes that were compared are left out of the copy.
    Runtime,
    /// Metrics of hosts, containers, Kafka and the JVM: gauges and sums.
    Host,
}

/// The mappings in use, by the name from which they copy.
#[derive(Debug)]
pub(crate) struct Mappings(HashMap<&'static str, Vec<&'static Mapping>>);

impl Mappings {
    pub(crate) fn new(maps_runtime: bool, maps_host: bool) -> Self {
        let mut by_name: HashMap<&'static str, Vec<&'static Mapping>> = HashMap::new();
        let runtime = runtime::MAPPINGS.iter().filter(|_| maps_runtime);
        let host = host::MAPPINGS.iter().chain(kafka::MAPPINGS).filter(|_| maps_host);
        for mapping in runtime.chain(host) {
            by_name.entry(mapping.from).or_default().push(mapping);
        }
        Self(by_name)
    }

    /// Those of a metric.
    pub(crate) fn of(&self, name: &str) -> &[&'static Mapping] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Mapping {
    /// A copy under another name.
    const fn host(from: &'static str, to: &'static str) -> Self {
        Self {
            from,
            to,
            all_of: &[],
            any_of: &[],
            divisor: 1.0,
            added: &[],
            doubled: None,
            unit: None,
            family: Family::Host,
        }
    }

    const fn runtime(from: &'static str, to: &'static str, all_of: &'static [Condition]) -> Self {
        Self { all_of, family: Family::Runtime, ..Self::host(from, to) }
    }

    const fn only(self, any_of: &'static [Condition]) -> Self {
        Self { any_of, ..self }
    }

    const fn by(self, divisor: f64) -> Self {
        Self { divisor, ..self }
    }

    const fn with(self, added: &'static [(&'static str, &'static str)]) -> Self {
        Self { added, ..self }
    }

    const fn doubling(self, from: &'static str, to: &'static str) -> Self {
        Self { doubled: Some((from, to)), ..self }
    }

    const fn in_unit(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }

    /// Whether metrics of a kind are copied.
    pub(crate) const fn copies(&self, kind: Kind) -> bool {
        match (self.family, kind) {
            (_, Kind::Gauge | Kind::Sum) | (Family::Runtime, Kind::Histogram) => true,
            (Family::Runtime, Kind::ExponentialHistogram | Kind::Summary) => !self.has_conditions(),
            (Family::Host, Kind::Histogram | Kind::ExponentialHistogram | Kind::Summary) => false,
        }
    }

    /// Whether each point makes a copy of its own, and of histograms only the first does.
    pub(crate) const fn has_conditions(&self) -> bool {
        !self.all_of.is_empty()
    }

    /// Whether a point is copied.
    pub(crate) fn selects(&self, attributes: &Attributes<'_>) -> bool {
        self.all_of.iter().all(|condition| condition.is_met(attributes))
            && (self.any_of.is_empty()
                || self.any_of.iter().any(|condition| condition.is_met(attributes)))
    }

    /// Whether the copy has an attribute of the original: one that it adds replaces it.
    pub(crate) fn keeps(&self, key: &str) -> bool {
        self.all_of.iter().all(|condition| condition.key != key)
            && self.added.iter().all(|(added, _)| *added != key)
    }

    /// The value of the copy: integers are divided as such. spec: otlp §6.2.
    pub(crate) fn value(&self, number: Number) -> Number {
        match number {
            Number::Double(value) => Number::Double(value / self.divisor),
            #[expect(clippy::cast_possible_truncation, reason = "divisors are small")]
            Number::Int(value) if self.divisor >= 1.0 => Number::Int(value / self.divisor as i64),
            Number::Int(value) => Number::Int(value),
        }
    }
}

impl Condition {
    fn is_met(&self, attributes: &Attributes<'_>) -> bool {
        let text = attributes.get(self.key).and_then(|value| value.to_text().ok());
        text.is_some_and(|text| self.values.contains(&&*text))
    }
}

const fn is(key: &'static str, values: &'static [&'static str]) -> Condition {
    Condition { key, values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attribute, Value};
    use std::borrow::Cow;

    fn attributes<'a>(pairs: &[(&'a str, &'a str)]) -> Attributes<'a> {
        let attribute = |&(key, value): &(&'a str, &'a str)| Attribute {
            key: Cow::Borrowed(key),
            value: Value::Text(Cow::Borrowed(value)),
        };
        Attributes(pairs.iter().map(attribute).collect())
    }

    fn copies(name: &str, pairs: &[(&'static str, &'static str)]) -> Vec<&'static str> {
        let mappings = Mappings::new(true, true);
        let attributes = attributes(pairs);
        let selected = mappings.of(name).iter().filter(|mapping| mapping.selects(&attributes));
        selected.map(|mapping| mapping.to).collect()
    }

    #[test]
    fn a_point_is_copied_under_each_name_whose_conditions_it_meets() {
        let eden = [("jvm.memory.type", "heap"), ("jvm.memory.pool.name", "Eden Space")];
        assert_eq!(copies("jvm.memory.used", &eden), ["jvm.heap_memory", "jvm.gc.eden_size"]);
        let older = [("type", "non_heap"), ("pool", "Metaspace")];
        assert_eq!(
            copies("process.runtime.jvm.memory.usage", &older),
            ["jvm.non_heap_memory", "jvm.gc.metaspace_size"]
        );
        assert_eq!(copies("jvm.memory.used", &older), [""; 0]);
        assert_eq!(copies("jvm.thread.count", &[]), ["jvm.thread_count"]);
        assert_eq!(
            copies("process.runtime.go.mem.heap_alloc", &[]),
            ["runtime.go.mem_stats.heap_alloc"]
        );
        let cached = [("state", "cached")];
        assert_eq!(
            copies("system.memory.usage", &cached),
            ["system.mem.total", "system.mem.usable"]
        );
        assert_eq!(copies("system.memory.usage", &[("state", "used")]), ["system.mem.total"]);
    }

    #[test]
    fn families_are_switched_on_by_themselves() {
        let runtime = Mappings::new(true, false);
        assert!(runtime.of("system.memory.usage").is_empty());
        assert!(!runtime.of("jvm.thread.count").is_empty());
        let host = Mappings::new(false, true);
        assert!(!host.of("system.memory.usage").is_empty());
        assert!(host.of("jvm.thread.count").is_empty());
    }

    #[test]
    fn integers_are_divided_as_integers() {
        let mega = Mapping::host("a", "b").by(1_048_576.0);
        assert_eq!(mega.value(Number::Int(3 * 1_048_576 + 5)), Number::Int(3));
        assert_eq!(mega.value(Number::Double(524_288.0)), Number::Double(0.5));
        let share = Mapping::host("a", "b").by(0.01);
        assert_eq!(share.value(Number::Int(1)), Number::Int(1));
        assert_eq!(share.value(Number::Double(0.5)), Number::Double(50.0));
    }
}
