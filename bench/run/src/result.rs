//! Results as data.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::figures::{Figure, Figures, median};
use crate::procfs;
use crate::scenario::{Bound, Scenario};

/// A figure over all rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Median of the rounds.
    pub(crate) median: f64,
    /// Least of the rounds.
    pub(crate) least: f64,
    /// Most of the rounds.
    pub(crate) most: f64,
    /// What the scenario asks for.
    pub(crate) bound: Option<Bound>,
    /// Whether the median is inside the bound; true without one.
    pub(crate) is_met: bool,
}

/// The result of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScenarioResult {
    /// Name of the scenario and, when it was chosen, of the driver.
    pub(crate) name: String,
    /// What the scenario shows.
    pub(crate) about: String,
    /// Processor and kernel.
    pub(crate) machine: String,
    /// Commit that the tree was at.
    pub(crate) revision: String,
    /// Unix seconds.
    pub(crate) at_secs: u64,
    /// Medians and bounds.
    pub(crate) figures: BTreeMap<Figure, Summary>,
    /// Bounds on figures that no round yielded.
    pub(crate) unmeasured: Vec<Figure>,
    /// Every round.
    pub(crate) rounds: Vec<Figures>,
}

impl ScenarioResult {
    /// A result without rounds.
    pub(crate) fn new(scenario: &Scenario, driver: Option<&str>) -> Result<Self> {
        let suffix = driver.map(|driver| format!("-{driver}")).unwrap_or_default();
        Ok(Self {
            name: format!("{}{suffix}", scenario.name),
            about: scenario.about.clone(),
            machine: procfs::machine(),
            revision: revision(),
            at_secs: SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
            figures: BTreeMap::new(),
            unmeasured: Vec::new(),
            rounds: Vec::new(),
        })
    }

    /// Takes medians and compares them with the bounds.
    pub(crate) fn conclude(&mut self, scenario: &Scenario) {
        let mut values: BTreeMap<Figure, Vec<f64>> = BTreeMap::new();
        for (figure, value) in self.rounds.iter().flatten() {
            values.entry(*figure).or_default().push(*value);
        }
        self.figures = values
            .into_iter()
            .map(|(figure, values)| {
                let bound = scenario.bounds.get(&figure).copied();
                let least = values.iter().copied().fold(f64::INFINITY, f64::min);
                let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let median = median(values);
                let is_met = bound.is_none_or(|bound| bound.is_met(median));
                (figure, Summary { median, least, most, bound, is_met })
            })
            .collect();
        self.unmeasured = scenario
            .bounds
            .keys()
            .filter(|figure| !self.figures.contains_key(figure))
            .copied()
            .collect();
    }

    /// Whether every bound is met.
    pub(crate) fn is_met(&self) -> bool {
        self.unmeasured.is_empty() && self.figures.values().all(|summary| summary.is_met)
    }

    /// Writes `<name>.json`.
    pub(crate) fn write(&self, directory: &Path) -> Result<()> {
        let path = directory.join(format!("{}.json", self.name));
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Reads all results of a directory, by name. Other files are passed over.
    pub(crate) fn read_all(directory: &Path) -> Result<Vec<Self>> {
        let mut results = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let text = std::fs::read_to_string(&path)?;
                results.extend(serde_json::from_str::<Self>(&text));
            }
        }
        results.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(results)
    }
}

/// The commit of the working directory, as far as git tells.
fn revision() -> String {
    let output = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.ok().filter(|text| !text.is_empty()).unwrap_or_else(|| "unknown".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Kind;

    fn scenario() -> Scenario {
        let bounds = [
            (Figure::BinaryMib, Bound { min: None, max: Some(15.0) }),
            (Figure::StartToBoundMs, Bound { min: None, max: Some(50.0) }),
            (Figure::RssIdleMib, Bound { min: None, max: Some(15.0) }),
        ];
        Scenario {
            name: "footprint".into(),
            about: "a test".into(),
            kind: Kind::Start,
            rounds: 1,
            traces: load::traces::TraceSpec::default(),
            load: load::LoadSpec::default(),
            environment: BTreeMap::new(),
            expiry_secs: 0,
            bounds: bounds.into(),
        }
    }

    #[test]
    fn medians_are_compared_and_missing_figures_are_named() {
        let scenario = scenario();
        let mut result = ScenarioResult::new(&scenario, Some("epoll")).unwrap();
        for value in [60.0, 40.0, 45.0] {
            result
                .rounds
                .push(Figures::from([(Figure::StartToBoundMs, value), (Figure::BinaryMib, 16.0)]));
        }
        result.conclude(&scenario);
        assert_eq!(result.name, "footprint-epoll");
        assert!(result.figures[&Figure::StartToBoundMs].is_met);
        assert!(!result.figures[&Figure::BinaryMib].is_met);
        assert_eq!(result.unmeasured, [Figure::RssIdleMib]);
        assert!(!result.is_met());
    }

    #[test]
    fn results_survive_writing_and_reading() {
        let directory = tempfile::tempdir().unwrap();
        let scenario = scenario();
        let mut result = ScenarioResult::new(&scenario, None).unwrap();
        result.rounds.push(Figures::from([(Figure::BinaryMib, 9.5)]));
        result.conclude(&scenario);
        result.write(directory.path()).unwrap();
        std::fs::write(directory.path().join("other.json"), "{}").unwrap();
        assert_eq!(ScenarioResult::read_all(directory.path()).unwrap(), [result]);
    }
}
