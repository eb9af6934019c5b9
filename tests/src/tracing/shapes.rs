//! The traces that every tracer makes.

use super::plan::{
    Counting, Decision, Library, PlannedError, PlannedEvent, PlannedLink, PlannedSpan,
    PlannedTrace, TracePlan, Wording,
};

/// Service of the program, as in `DD_SERVICE`.
pub(crate) const SERVICE: &str = "shop";
/// Part of every literal: nothing that arrives may contain it.
pub(crate) const SECRET: &str = "hush";
/// Names that single span sampling keeps of dropped traces.
pub(crate) const SINGLE: &str = "single.span";

/// What a tracer's API offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceFeatures {
    /// Links between spans.
    pub has_links: bool,
    /// Events within spans.
    pub has_events: bool,
    /// Marking spans as measured.
    pub has_measured: bool,
    /// Spans made by integrations.
    pub libraries: &'static [(Library, Names)],
}

/// Names that an integration gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// Service.
    pub service: &'static str,
    /// Name of the operation.
    pub name: &'static str,
}

/// Times that every shape is made.
const ROUNDS: usize = 3;
/// Depth of the deepest trace.
const DEPTH: usize = 24;
/// Children of the widest span.
const WIDTH: usize = 60;

impl TracePlan {
    /// A plan that uses everything the API offers.
    #[must_use]
    pub fn generate(features: TraceFeatures) -> Self {
        let mut plan = Self { linger_ms: 0, counting: Counting::Services, traces: Vec::new() };
        for _ in 0..ROUNDS {
            let first = plan.traces.len();
            plan.traces.extend([
                checkout(features),
                failure(),
                dropped(),
                dropped_failure(),
                deep(),
            ]);
            plan.traces.extend([wide(), queues(), texts()]);
            if features.has_links || features.has_events {
                plan.traces.push(annotated(first, features));
            }
            plan.traces.extend(features.libraries.iter().map(|(library, names)| {
                let call = call(*library, *names);
                trace(Decision::Keep, [root("call.library"), call])
            }));
        }
        plan
    }
}

/// A request with a statement and a command.
fn checkout(features: TraceFeatures) -> PlannedTrace {
    let statement = Wording::hidden(
        "SELECT name FROM cards WHERE owner = 'hush-ann' AND number = 4111111111",
        "SELECT name FROM cards WHERE owner = ? AND number = ?",
    );
    let mut sum = child(0, SERVICE, "sum.items", "sum").with_metric("items", 3.25);
    if features.has_measured {
        sum = sum.with_metric("_dd.measured", 1.0);
    }
    let query = child(1, "shop-db", "postgres.query", statement).of_type("sql");
    let set = child(0, "shop-cache", "redis.command", Wording::hidden("SET s:1 hush-token", "SET"));
    let raw = Wording::hidden("SET s:1 hush-token", "SET s:1 ?");
    let plain = child(0, SERVICE, "not.counted", "inner");
    trace(
        Decision::Keep,
        [
            root("web.request").of_type("web").of_kind("server"),
            sum,
            query.of_kind("client").with("out.host", "db.internal"),
            set.of_type("redis").of_kind("client").with("redis.raw_command", raw),
            plain,
        ],
    )
}

fn failure() -> PlannedTrace {
    let inner = child(
        1,
        "shop-db",
        "mysql.query",
        Wording::hidden(
            "INSERT INTO users (name, pin) VALUES ('hush-bob', 987654321)",
            "INSERT INTO users ( name, pin ) VALUES ( ? )",
        ),
    );
    trace(
        Decision::Auto,
        [
            root("web.request").failing("ValueError", "bad input"),
            child(0, SERVICE, "pay", "pay").failing("PayError", "declined"),
            inner.of_type("sql").failing("Timeout", "too slow"),
        ],
    )
}

/// Only its single span arrives; all of it counts in stats.
fn dropped() -> PlannedTrace {
    trace(
        Decision::Drop,
        [
            root("web.request"),
            child(0, "shop-audit", SINGLE, "kept alone"),
            child(0, SERVICE, "not.counted", "inner"),
        ],
    )
}

/// Nothing arrives: samplers of errors do not see what the program drops.
fn dropped_failure() -> PlannedTrace {
    trace(Decision::Drop, [root("web.request").failing("ValueError", "nobody sees this")])
}

fn deep() -> PlannedTrace {
    let below = (1..DEPTH).map(|level| child(level - 1, SERVICE, "descend", "step"));
    trace(Decision::Auto, std::iter::once(root("deep")).chain(below))
}

fn wide() -> PlannedTrace {
    let leaves = (0..WIDTH).map(|_| child(0, "shop-leaf", "leaf", "leaf"));
    trace(Decision::Keep, std::iter::once(root("wide")).chain(leaves))
}

/// Kinds count in stats although the spans are not top-level.
fn queues() -> PlannedTrace {
    trace(
        Decision::Keep,
        [
            root("queue.work").of_kind("consumer").with("messaging.destination", "orders"),
            child(0, SERVICE, "queue.send", "send orders").of_kind("producer"),
            child(0, SERVICE, "not.counted", "inner").of_kind("internal"),
        ],
    )
}

fn texts() -> PlannedTrace {
    let long = "0123456789".repeat(400);
    trace(
        Decision::Keep,
        [
            child_of_none("web.request", "GET /größe/日本").with("greeting", "Grüße, 世界 🌍"),
            child(0, SERVICE, "long", "long").with("payload", long.as_str()),
            child(0, SERVICE, "numbers", "numbers")
                .with_metric("negative", -12.5)
                .with_metric("large", 1e9)
                .with_metric("small", 1e-7),
        ],
    )
}

/// Links to the first trace of the round, and events.
fn annotated(first: usize, features: TraceFeatures) -> PlannedTrace {
    let mut linked = child(0, SERVICE, "resume", "resume");
    if features.has_links {
        linked.links.extend([(0, [("reason", "retry")]), (2, [("reason", "same query")])].map(
            |(span, attributes)| PlannedLink { trace: first, span, attributes: attributes.into() },
        ));
    }
    if features.has_events {
        linked.events.extend(
            [("started", "one"), ("finished", "two")]
                .map(|(name, step)| PlannedEvent { name, attributes: [("step", step)].into() }),
        );
    }
    trace(Decision::Keep, [root("resume.all"), linked])
}

/// A span that an integration makes.
fn call(library: Library, names: Names) -> PlannedSpan {
    let (span_type, resource) = match library {
        Library::Sql => {
            let statement = "SELECT 4111111111 WHERE 'hush-literal' <> 'hush'";
            ("sql", Wording::hidden(statement, "SELECT ? WHERE ? <> ?"))
        }
        Library::Redis => ("redis", Wording::hidden("SET s:2 hush-secret", "SET")),
    };
    let span = child(0, names.service, names.name, resource).of_type(span_type);
    PlannedSpan { library: Some(library), ..span.of_kind("client") }
}

fn trace(decision: Decision, spans: impl IntoIterator<Item = PlannedSpan>) -> PlannedTrace {
    PlannedTrace { decision, spans: spans.into_iter().collect() }
}

fn root(name: &str) -> PlannedSpan {
    child_of_none(name, "POST /checkout")
}

fn child_of_none(name: &str, resource: &str) -> PlannedSpan {
    PlannedSpan { parent: None, ..child(0, SERVICE, name, resource) }
}

fn child(parent: usize, service: &str, name: &str, resource: impl Into<Wording>) -> PlannedSpan {
    PlannedSpan {
        parent: Some(parent),
        service: service.to_owned(),
        name: name.to_owned(),
        resource: resource.into(),
        ..PlannedSpan::default()
    }
}

impl PlannedSpan {
    fn of_type(self, span_type: &str) -> Self {
        Self { span_type: span_type.to_owned(), ..self }
    }

    fn of_kind(self, kind: &str) -> Self {
        self.with("span.kind", kind)
    }

    fn with(mut self, key: &str, value: impl Into<Wording>) -> Self {
        self.meta.insert(key.to_owned(), value.into());
        self
    }

    fn with_metric(mut self, key: &str, value: f64) -> Self {
        self.metrics.insert(key.to_owned(), value);
        self
    }

    fn failing(self, error_type: &'static str, message: &'static str) -> Self {
        Self { error: Some(PlannedError { error_type, message }), ..self }
    }
}
