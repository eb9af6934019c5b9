//! One client against one transport.

use bed::{Bed, Client, Expected, Features, Finished, Plan, Transport};
use intake::Contents;

/// What differs between clients.
pub(crate) struct Case {
    pub(crate) client: Client,
    pub(crate) transport: Transport,
    pub(crate) features: Features,
    pub(crate) linger_ms: u64,
}

/// Runs the client and asserts that everything arrives exactly. Returns the rest for assertions of
/// its own.
pub(crate) fn run(case: &Case, expect: impl Fn(&Plan, &[String]) -> Expected) -> Finished {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings());
    let mut plan = Plan::generate(&agent, case.transport, case.features, SEED);
    plan.linger_ms = case.linger_ms;
    let report = case.client.run(&plan);
    let finished = bed.finish(agent);
    expect(&plan, &report.tags).check(&finished.contents);
    finished
}

/// What arrives for clients that send every call as it is.
pub(crate) fn plainly(plan: &Plan, tags: &[String]) -> Expected {
    Expected::of(&plan.calls, tags)
}

/// What the client's own telemetry counted.
pub(crate) fn telemetry(contents: &Contents, name: &str) -> f64 {
    contents.total_of(&format!("datadog.dogstatsd.client.{name}"))
}

const SEED: u64 = 20_260_101;
