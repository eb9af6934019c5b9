//! Scenario files.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use load::LoadSpec;
use load::traces::TraceSpec;
use serde::{Deserialize, Serialize};

use crate::figures::Figure;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The highest lossless rate of one lane, and what a line costs there.
    Saturated,
    /// What a line costs at an ordinary rate, also relative to saturation.
    Paced,
    /// Resident memory: idle, under load, and after all contexts expired.
    Memory,
    /// From start to bound sockets, and the size of the binary.
    Start,
    /// Spans through one lane, flat out.
    Traces,
    /// What an agent costs inside another program.
    Embedded,
}

impl Kind {
    /// Whether something is sent for some time.
    const fn has_load(self) -> bool {
        !matches!(self, Self::Start | Self::Embedded)
    }
}

/// Bound of a figure; a scenario with bounds is a gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Bound {
    /// The figure must be at least this.
    pub(crate) min: Option<f64>,
    /// The figure must be at most this.
    pub(crate) max: Option<f64>,
}

impl Bound {
    /// Whether a value is inside.
    pub(crate) fn is_met(&self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

/// One scenario.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// Name of the result; filled from the file name.
    #[serde(skip)]
    pub(crate) name: String,
    /// What it shows, one sentence.
    pub(crate) about: String,
    /// What is measured.
    pub(crate) kind: Kind,
    /// Rounds; figures are medians over them.
    #[serde(default = "default_rounds")]
    pub(crate) rounds: u32,
    /// The load; destination and processors are filled in by the run.
    #[serde(default)]
    pub(crate) load: LoadSpec,
    /// The load of spans, for that kind; destination and processors are filled in by the run.
    #[serde(default)]
    pub(crate) traces: TraceSpec,
    /// Environment of the agent, on top of what every run sets.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    /// Memory: seconds after the load until all contexts must have been forgotten.
    #[serde(default)]
    pub(crate) expiry_secs: u64,
    /// Bounds by figure.
    #[serde(default)]
    pub(crate) bounds: BTreeMap<Figure, Bound>,
}

const fn default_rounds() -> u32 {
    3
}

impl Scenario {
    /// Reads a scenario file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read scenario {}", path.display()))?;
        let name = path.file_stem().and_then(|stem| stem.to_str()).context("a name in UTF-8")?;
        Self::parse(name, &text).with_context(|| format!("in scenario {}", path.display()))
    }

    fn parse(name: &str, text: &str) -> Result<Self> {
        let mut scenario: Self = toml::from_str(text)?;
        scenario.name = name.into();
        scenario.load.check()?;
        ensure!(scenario.rounds > 0, "rounds must be at least 1");
        let duration_ms = match scenario.kind {
            Kind::Traces => scenario.traces.duration_ms,
            Kind::Saturated | Kind::Paced | Kind::Memory | Kind::Start | Kind::Embedded => {
                scenario.load.duration_ms
            }
        };
        ensure!(
            !scenario.kind.has_load() || duration_ms > 0,
            "load.duration_ms or traces.duration_ms must be given"
        );
        ensure!(
            scenario.kind != Kind::Paced || scenario.load.rate > 0.0,
            "a paced load needs load.rate"
        );
        Ok(scenario)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_of_the_repository_is_valid() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
        let mut count = 0;
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                Scenario::read(&path).unwrap();
                count += 1;
            }
        }
        assert!(count > 0);
    }

    #[test]
    fn unknown_figures_and_fields_are_refused() {
        let text = "about = 'x'\nkind = 'start'\n[bounds]\nspeed = { max = 1 }";
        assert!(Scenario::parse("x", text).is_err());
        assert!(Scenario::parse("x", "about = 'x'\nkind = 'start'\nround = 1").is_err());
    }

    #[test]
    fn bounds_include_their_limits() {
        let bound = Bound { min: Some(1.0), max: Some(2.0) };
        assert!(bound.is_met(1.0) && bound.is_met(2.0));
        assert!(!bound.is_met(0.9) && !bound.is_met(2.1));
    }
}
