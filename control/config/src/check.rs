//! `config check`: everything a load finds, and whether it would do.

use crate::config::Config;
use crate::diagnostic::{Diagnostic, Severity};
use crate::load::{check_whole, load};
use crate::source::{FileSource, SecretMode, Sources};
use crate::yaml::FILE_BYTES_MAX;

/// The outcome of a check.
#[derive(Clone, Debug)]
pub struct Report {
    /// Findings, the gravest first.
    pub diagnostics: Vec<Diagnostic>,
    /// The configuration, unless nothing could be loaded.
    pub config: Option<Config>,
}

impl Report {
    /// Exit status of the command: 0 when there is no error, else 1. Warnings and notes do not
    /// fail a check.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        u8::from(self.diagnostics.iter().any(|found| found.severity == Severity::Error))
    }
}

/// Loads a configuration and collects all that is to say about it.
#[must_use]
pub fn check(sources: &Sources) -> Report {
    let (mut diagnostics, config) = match load(sources) {
        Ok(config) => (config.findings(), Some(config)),
        Err(error) => (vec![error.to_diagnostic()], None),
    };
    diagnostics.sort_by_key(|found| std::cmp::Reverse(found.severity));
    Report { diagnostics, config }
}

impl Config {
    /// All that is to say about a configuration: what its load found, and what does not go
    /// together.
    #[must_use]
    pub fn findings(&self) -> Vec<Diagnostic> {
        let mut found = self.diagnostics().to_vec();
        found.extend(check_whole(self));
        found
    }
}

/// Loads any bytes as a file and exercises everything made from it, for fuzzing: nothing panics,
/// and what is shown can be loaded again.
pub fn check_config_bytes(bytes: &[u8]) {
    let sources = Sources {
        file: FileSource::Text { name: "fuzz.yaml".to_owned(), bytes: bytes.to_vec() },
        secrets: SecretMode::Keep,
        ..Sources::default()
    };
    let report = check(&sources);
    for found in &report.diagnostics {
        assert!(!found.to_string().is_empty(), "a finding says something");
        assert!(!crate::render::render(found, std::str::from_utf8(bytes).ok()).is_empty());
    }
    let Some(config) = report.config else { return };
    assert!(config.endpoints("7.80.1").iter().all(|endpoint| !endpoint.keys.is_empty()));
    drop((config.proxy(), config.cpus(), config.host_tags(), config.series_protocol("x")));
    for scope in [crate::ShowScope::Set, crate::ShowScope::All] {
        let bytes = config.show(scope).into_bytes();
        if bytes.len() > FILE_BYTES_MAX {
            continue;
        }
        let again = Sources {
            file: FileSource::Text { name: "shown.yaml".to_owned(), bytes },
            secrets: SecretMode::Keep,
            ..Sources::default()
        };
        assert!(load(&again).is_ok(), "what is shown is a configuration");
    }
    assert!(Config::changes(&config, &config).is_empty(), "nothing differs from itself");
}
