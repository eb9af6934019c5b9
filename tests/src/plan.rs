//! What a client is told to send.

use serde::Serialize;

use crate::{Agent, Transport};

/// Calls for a client, and where to send.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Where to.
    pub target: Target,
    /// How long the client stays open after its last call, milliseconds.
    pub linger_ms: u64,
    /// What to call, in order.
    pub calls: Vec<Call>,
}

/// The address of a listener.
#[derive(Clone, Debug, Serialize)]
pub struct Target {
    /// How.
    pub transport: Transport,
    /// `address:port` or a path.
    pub address: String,
}

/// One call of a client. Metric values are multiples of a quarter, so that sums are exact.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[expect(missing_docs, reason = "the fields are those of DogStatsD, spec: dogstatsd §4")]
pub enum Call {
    /// Adds to a counter.
    Count { name: String, value: f64, tags: Vec<String> },
    /// Sets a gauge.
    Gauge { name: String, value: f64, tags: Vec<String> },
    /// One sample of a histogram.
    Histogram { name: String, value: f64, tags: Vec<String> },
    /// One sample of a distribution.
    Distribution { name: String, value: f64, tags: Vec<String> },
    /// One sample of a timing, milliseconds.
    Timing { name: String, value: f64, tags: Vec<String> },
    /// One member of a set.
    Set { name: String, member: String, tags: Vec<String> },
    /// An event.
    Event {
        title: String,
        text: String,
        alert_type: &'static str,
        priority: &'static str,
        aggregation_key: String,
        source_type_name: String,
        tags: Vec<String>,
    },
    /// A service check.
    Check { name: String, status: u8, message: String, tags: Vec<String> },
}

/// What a client offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// Sets and timings.
    pub has_sets_and_timings: bool,
    /// Events and service checks.
    pub has_events_and_checks: bool,
}

impl Features {
    /// Everything.
    pub const ALL: Self = Self { has_sets_and_timings: true, has_events_and_checks: true };
}

/// Rounds over all contexts.
const ROUNDS: u64 = 12;

impl Plan {
    /// A plan that uses everything a client offers, with values from `seed`.
    #[must_use]
    pub fn generate(agent: &Agent, transport: Transport, features: Features, seed: u64) -> Self {
        let target = Target { transport, address: agent.address(transport) };
        let mut values = Values(seed);
        let mut calls = Vec::new();
        for round in 0..ROUNDS {
            for tags in [vec![], vec!["env:prod"], vec!["zone:b", "env:prod", "plain"]] {
                let tags: Vec<String> = tags.into_iter().map(str::to_owned).collect();
                metrics(round, &tags, features, &mut values, &mut calls);
            }
        }
        if features.has_events_and_checks {
            events_and_checks(&mut calls);
        }
        Self { target, linger_ms: 0, calls }
    }
}

fn metrics(
    round: u64,
    tags: &[String],
    features: Features,
    values: &mut Values,
    calls: &mut Vec<Call>,
) {
    let name = |name: &str| format!("shop.{name}");
    let tags = || tags.to_vec();
    calls.push(Call::Count { name: name("orders"), value: values.whole(), tags: tags() });
    calls.push(Call::Gauge { name: name("stock"), value: values.quarter(), tags: tags() });
    calls.push(Call::Histogram { name: name("basket"), value: values.quarter(), tags: tags() });
    calls.push(Call::Distribution { name: name("price"), value: values.quarter(), tags: tags() });
    if features.has_sets_and_timings {
        calls.push(Call::Timing { name: name("latency"), value: values.whole(), tags: tags() });
        let member = format!("user-{}", round % 5);
        calls.push(Call::Set { name: name("users"), member, tags: tags() });
    }
}

fn events_and_checks(calls: &mut Vec<Call>) {
    let tags = |list: &[&str]| list.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    for (at, (alert_type, priority)) in
        [("warning", "low"), ("error", "normal"), ("success", "low")].into_iter().enumerate()
    {
        calls.push(Call::Event {
            title: format!("deploy {at} | done"),
            text: format!("line one\nline two of {at}"),
            alert_type,
            priority,
            aggregation_key: format!("key-{at}"),
            source_type_name: "nagios".to_owned(),
            tags: tags(&["team:core", "plain"]),
        });
    }
    for status in 0..4 {
        calls.push(Call::Check {
            name: format!("shop.check.{status}"),
            status,
            message: format!("status is {status}, as told"),
            tags: tags(&["env:prod"]),
        });
    }
}

/// A repeatable sequence of values (64-bit linear congruential generator, upper bits).
struct Values(u64);

impl Values {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u32::try_from(self.0 >> 40).unwrap_or_default()
    }

    /// 1 to 100.
    fn whole(&mut self) -> f64 {
        f64::from(self.next() % 100 + 1)
    }

    /// A multiple of a quarter up to 100.
    fn quarter(&mut self) -> f64 {
        f64::from(self.next() % 400 + 1) / 4.0
    }
}
