//! Running a tracer's program.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::TracePlan;
use super::shapes::{SERVICE, SINGLE};
use crate::Client;

/// A program that makes traces with the tracer of a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracer {
    /// Its program.
    pub client: Client,
    /// What it calls its language.
    pub language: &'static str,
    /// Environment variable with the version of the protocol, and how versions are written in it.
    pub protocol: &'static str,
}

/// How a tracer is started.
#[derive(Clone, Debug)]
pub struct TracerOptions {
    /// `DD_TRACE_AGENT_URL`.
    pub agent_url: String,
    /// Version of the protocol, such as `v0.4`.
    pub protocol: &'static str,
    /// Whether it computes stats.
    pub computes_stats: bool,
}

/// What a tracer says it made.
#[derive(Clone, Debug, Deserialize)]
pub struct Made {
    /// As in the plan.
    pub traces: Vec<MadeTrace>,
}

/// Ids of one trace.
#[derive(Clone, Debug, Deserialize)]
pub struct MadeTrace {
    /// All 128 bits in hexadecimal digits.
    pub trace_id: String,
    /// Ids of the spans, decimal.
    pub span_ids: Vec<String>,
}

/// The end of a run.
#[derive(Clone, Debug)]
pub struct TracerRun {
    /// What it made.
    pub made: Made,
    /// What it logged.
    pub log: String,
}

impl Tracer {
    /// Runs the program to its end.
    ///
    /// # Panics
    /// When it is not installed, fails, or does not make the whole plan.
    #[must_use]
    pub fn run(self, plan: &TracePlan, options: &TracerOptions) -> TracerRun {
        let mut command = self.client.command();
        self.configure(&mut command, options);
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().expect("a tracer that starts");
        let mut input = child.stdin.take().expect("a pipe");
        let text = serde_json::to_vec(plan).expect("a plan is JSON");
        input.write_all(&text).expect("a tracer that reads its plan");
        drop(input);
        let output = child.wait_with_output().expect("our own child");
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{self:?} failed: {}\n{log}", output.status);
        let out = String::from_utf8_lossy(&output.stdout);
        let made = serde_json::from_str::<Made>(&out);
        let made = made.unwrap_or_else(|error| unreachable!("{error} in {out}\n{log}"));
        let counts = made.traces.iter().map(|trace| trace.span_ids.len());
        let planned = plan.traces.iter().map(|trace| trace.spans.len());
        assert!(counts.eq(planned), "{self:?} did not make the whole plan: {made:?}\n{log}");
        TracerRun { made, log }
    }

    fn configure(self, command: &mut Command, options: &TracerOptions) {
        let single = format!(r#"[{{"name": "{SINGLE}", "sample_rate": 1.0}}]"#);
        let computes_stats = options.computes_stats.to_string();
        command.envs([
            ("DD_TRACE_AGENT_URL", options.agent_url.as_str()),
            ("DD_SERVICE", SERVICE),
            ("DD_ENV", "bed"),
            ("DD_VERSION", "1.2"),
            (self.protocol, options.protocol),
            ("DD_TRACE_STATS_COMPUTATION_ENABLED", computes_stats.as_str()),
            ("DD_SPAN_SAMPLING_RULES", single.as_str()),
            // The routes of these are no part of the trace pipeline.
            ("DD_INSTRUMENTATION_TELEMETRY_ENABLED", "false"),
            ("DD_REMOTE_CONFIGURATION_ENABLED", "false"),
            ("DD_TRACE_STARTUP_LOGS", "false"),
        ]);
    }
}

impl Made {
    /// The ids of a span: trace and span.
    ///
    /// # Panics
    /// When they are no numbers.
    #[must_use]
    pub fn ids(&self, trace: usize, span: usize) -> (u128, u64) {
        let trace = &self.traces[trace];
        let trace_id = u128::from_str_radix(&trace.trace_id, 16);
        let span_id = trace.span_ids[span].parse();
        (trace_id.expect("hexadecimal digits"), span_id.expect("decimal digits"))
    }
}
