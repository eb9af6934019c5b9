//! What must arrive for what was sent.

mod arrived;

use std::collections::{BTreeMap, BTreeSet};

use intake::Contents;

use crate::{Call, HOST};
use arrived::Arrived;

/// Everything that must arrive, by metric name and sorted tags. Series of the agent and of clients
/// about themselves (`datadog.`) are left out.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    cells: BTreeMap<Context, Cell>,
    events: Vec<intake::Event>,
    checks: Vec<intake::Check>,
    ignored_suffixes: Vec<&'static str>,
}

/// Name and sorted tags.
pub(crate) type Context = (String, Vec<String>);

/// What was recorded in one context.
#[derive(Clone, Debug)]
enum Cell {
    Count { sum: f64 },
    Gauge { last: f64 },
    Histogram { samples: Samples, unit: &'static str },
    Distribution { samples: Samples },
    Set { members: BTreeSet<String>, calls: usize },
}

/// Samples with weight 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Samples {
    pub(crate) count: f64,
    pub(crate) sum: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Samples {
    const NONE: Self = Self { count: 0.0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY };

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }
}

impl Expected {
    /// What must arrive for these calls, each with `tags` added.
    #[must_use]
    pub fn of(calls: &[Call], tags: &[String]) -> Self {
        let mut expected = Self::default();
        for call in calls {
            expected.add(call, tags);
        }
        expected
    }

    /// Series that may arrive too: their names end so.
    #[must_use]
    pub fn ignoring(mut self, suffixes: &[&'static str]) -> Self {
        self.ignored_suffixes.extend(suffixes);
        self
    }

    /// Adds what must arrive for one call.
    pub fn add(&mut self, call: &Call, more: &[String]) {
        match call {
            Call::Count { name, value, tags } => {
                let cell = self.cell(name, tags, more, Cell::Count { sum: 0.0 });
                if let Cell::Count { sum } = cell {
                    *sum += value;
                }
            }
            Call::Gauge { name, value, tags } => {
                *self.cell(name, tags, more, Cell::Gauge { last: 0.0 }) =
                    Cell::Gauge { last: *value };
            }
            Call::Histogram { name, value, tags } => {
                let fresh = Cell::Histogram { samples: Samples::NONE, unit: "" };
                add_sample(self.cell(name, tags, more, fresh), *value);
            }
            Call::Timing { name, value, tags } => {
                let fresh = Cell::Histogram { samples: Samples::NONE, unit: "millisecond" };
                add_sample(self.cell(name, tags, more, fresh), *value);
            }
            Call::Distribution { name, value, tags } => {
                let fresh = Cell::Distribution { samples: Samples::NONE };
                add_sample(self.cell(name, tags, more, fresh), *value);
            }
            Call::Set { name, member, tags } => {
                let fresh = Cell::Set { members: BTreeSet::new(), calls: 0 };
                if let Cell::Set { members, calls } = self.cell(name, tags, more, fresh) {
                    members.insert(member.clone());
                    *calls += 1;
                }
            }
            Call::Event { .. } => self.events.extend(event(call, more)),
            Call::Check { name, status, message, tags } => self.checks.push(intake::Check {
                name: name.clone(),
                host: HOST.to_owned(),
                timestamp_secs: 0,
                status: i64::from(*status),
                message: message.clone(),
                tags: sorted(tags, more),
            }),
        }
    }

    fn cell(&mut self, name: &str, tags: &[String], more: &[String], fresh: Cell) -> &mut Cell {
        self.cells.entry((name.to_owned(), sorted(tags, more))).or_insert(fresh)
    }

    /// Asserts that all of this arrived, and nothing else.
    ///
    /// # Panics
    /// With every difference in the message.
    pub fn check(&self, contents: &Contents) {
        let mut arrived = Arrived::of(contents);
        let mut wrong = Vec::new();
        for (context, cell) in &self.cells {
            let found = check_cell(context, cell, &mut arrived);
            wrong.extend(found.err().map(|what| format!("{context:?}: {what}")));
        }
        let others = arrived
            .left()
            .filter(|(name, _)| !self.ignored_suffixes.iter().any(|suffix| name.ends_with(suffix)));
        wrong.extend(others.map(|context| format!("{context:?}: not expected")));
        assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));

        let mut expected = self.events.clone();
        expected.sort_by(|a, b| (&a.title, &a.text).cmp(&(&b.title, &b.text)));
        crate::assert_same("events", &arrived.events, &expected);
        let mut expected = self.checks.clone();
        expected.sort_by(|a, b| (&a.name, a.status).cmp(&(&b.name, b.status)));
        crate::assert_same("service checks", &arrived.checks, &expected);
    }
}

fn check_cell(context: &Context, cell: &Cell, arrived: &mut Arrived) -> Result<(), String> {
    match cell {
        Cell::Count { sum } => same("sum", arrived.counted(context, "")?, *sum),
        Cell::Gauge { last } => same("last", arrived.gauge(context, "", "")?.last, *last),
        Cell::Distribution { samples } => {
            let sketched = arrived.sketched(context)?;
            if sketched == *samples {
                Ok(())
            } else {
                Err(format!("{sketched:?}, not {samples:?}"))
            }
        }
        Cell::Set { members, calls } => {
            let gauge = arrived.gauge(context, "", "")?;
            // A member that comes again after a bucket boundary counts again.
            let (least, most) =
                (members.len(), if gauge.points == 1 { members.len() } else { *calls });
            if (to_f64(least)..=to_f64(most)).contains(&gauge.sum) {
                Ok(())
            } else {
                Err(format!("{} members, not {least} to {most}", gauge.sum))
            }
        }
        Cell::Histogram { samples, unit } => check_histogram(context, samples, unit, arrived),
    }
}

/// The default aggregates. spec: dogstatsd §8.6.
fn check_histogram(
    context: &Context,
    samples: &Samples,
    unit: &str,
    arrived: &mut Arrived,
) -> Result<(), String> {
    same("count", arrived.counted(context, ".count")?, samples.count)?;
    let max = arrived.gauge(context, ".max", unit)?;
    same("max", max.max, samples.max)?;
    let avg = arrived.gauge(context, ".avg", unit)?;
    let median = arrived.gauge(context, ".median", unit)?;
    let high = arrived.gauge(context, ".95percentile", unit)?;
    for (what, gauge) in [("avg", &avg), ("median", &median), ("95percentile", &high)] {
        if gauge.min < samples.min || gauge.max > samples.max {
            return Err(format!("{what} {gauge:?} is outside of {samples:?}"));
        }
    }
    // With several buckets the average of each would need its own count.
    if avg.points == 1 && (avg.last - samples.sum / samples.count).abs() > 1e-9 {
        return Err(format!("avg {} of {samples:?}", avg.last));
    }
    Ok(())
}

fn add_sample(cell: &mut Cell, value: f64) {
    if let Cell::Histogram { samples, .. } | Cell::Distribution { samples } = cell {
        samples.add(value);
    }
}

fn event(call: &Call, more: &[String]) -> Option<intake::Event> {
    let Call::Event { title, text, alert_type, priority, aggregation_key, source_type_name, tags } =
        call
    else {
        return None;
    };
    Some(intake::Event {
        title: title.clone(),
        text: text.clone(),
        priority: (*priority).to_owned(),
        host: HOST.to_owned(),
        tags: sorted(tags, more),
        alert_type: (*alert_type).to_owned(),
        aggregation_key: aggregation_key.clone(),
        source_type_name: source_type_name.clone(),
        ..intake::Event::default()
    })
}

/// Sums of multiples of a quarter are exact: nothing is allowed to differ.
fn same(what: &str, arrived: f64, expected: f64) -> Result<(), String> {
    if arrived.to_bits() == expected.to_bits() {
        return Ok(());
    }
    Err(format!("{what} {arrived}, not {expected}"))
}

fn sorted(tags: &[String], more: &[String]) -> Vec<String> {
    let all: BTreeSet<&String> = tags.iter().chain(more).collect();
    all.into_iter().cloned().collect()
}

fn to_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
