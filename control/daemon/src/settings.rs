//! From arguments to a configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use config::{Config, Diagnostic, FileSource, LoadError, SecretMode, Severity, Sources};

use crate::exit::Failure;
use crate::output;

/// Arguments of every command that reads the configuration.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ConfigArgs {
    /// Configuration file, or the directory of its datadog.yaml.
    ///
    /// Without it /etc/corelane/datadog.yaml is read, or else /etc/datadog-agent/datadog.yaml, if
    /// there is one.
    #[arg(
        id = "config_file",
        short = 'c',
        long = "config",
        visible_alias = "cfgpath",
        value_name = "PATH"
    )]
    #[arg(global = true, help_heading = "Configuration")]
    pub(crate) file: Option<PathBuf>,

    /// Another configuration file, over the first one; repeatable, the last one wins.
    #[arg(short = 'E', long = "extracfgpath", value_name = "PATH")]
    #[arg(global = true, help_heading = "Configuration")]
    pub(crate) extra: Vec<PathBuf>,

    /// Sets a key, over file and environment; repeatable. Example: --set dogstatsd_port=9125
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    #[arg(global = true, help_heading = "Configuration")]
    pub(crate) set: Vec<(String, String)>,
}

/// Directories looked through when no file is named.
const DIRECTORIES: [&str; 2] = ["/etc/corelane", "/etc/datadog-agent"];

impl ConfigArgs {
    /// What a load reads: the file, `DD_*` variables of this process, and the flags.
    pub(crate) fn sources(&self, secrets: SecretMode) -> Sources {
        let file = match &self.file {
            Some(path) => FileSource::Explicit(absolute(path)),
            None => FileSource::Default(default_directory()),
        };
        let extra_files = self.extra.iter().map(|path| absolute(path)).collect();
        Sources { file, extra_files, env: environment(), flags: self.set.clone(), secrets }
    }

    /// Loads the configuration of an agent that is to run.
    pub(crate) fn load(&self) -> Result<Config, Failure> {
        self.load_with(SecretMode::Resolve)
    }

    /// Loads the configuration only to look at it: no secret backend is run.
    pub(crate) fn look(&self) -> Result<Config, Failure> {
        self.load_with(SecretMode::Keep)
    }

    fn load_with(&self, secrets: SecretMode) -> Result<Config, Failure> {
        config::load(&self.sources(secrets)).map_err(|error| explain(&error))
    }
}

/// Shows why nothing could be loaded, with the line if there is one.
fn explain(error: &LoadError) -> Failure {
    let shown = render(&error.to_diagnostic());
    Failure::usage(anyhow::anyhow!("the configuration cannot be used\n{}", shown.trim_end()))
}

/// A finding for standard error.
pub(crate) fn render(found: &Diagnostic) -> String {
    let text = match &found.source {
        Some(config::Source::File { path, .. }) => std::fs::read_to_string(path).ok(),
        _ => None,
    };
    match output::has_colour() {
        true => config::render::render_in_colour(found, text.as_deref()),
        false => config::render::render(found, text.as_deref()),
    }
}

/// Whether a finding is worth a line when an agent starts.
pub(crate) fn is_worth_saying(found: &Diagnostic) -> bool {
    found.severity > Severity::Note
}

fn default_directory() -> PathBuf {
    let found =
        DIRECTORIES.iter().find(|directory| Path::new(directory).join("datadog.yaml").exists());
    PathBuf::from(found.unwrap_or(&DIRECTORIES[0]))
}

/// The path from the root, so that a reload finds it wherever the process is then.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Variables of this process; names and values that are not UTF-8 cannot be ours.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err("write KEY=VALUE, such as dogstatsd_port=9125".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_a_key_and_a_value() {
        assert_eq!(key_value("a.b=c=d"), Ok(("a.b".to_owned(), "c=d".to_owned())));
        assert_eq!(key_value("a="), Ok(("a".to_owned(), String::new())));
        assert!(key_value("a").is_err());
        assert!(key_value("=a").is_err());
    }

    #[test]
    fn flags_win_and_a_missing_file_is_an_error() {
        let set = vec![("dogstatsd_port".to_owned(), "9125".to_owned())];
        let args =
            ConfigArgs { file: Some("/nonexistent/a.yaml".into()), set, ..ConfigArgs::default() };
        let sources = args.sources(SecretMode::Keep);
        assert_eq!(sources.flags, args.set);
        let failure = args.look().expect_err("there is no such file");
        assert_eq!(failure.exit, crate::exit::Exit::Usage);
        assert!(failure.error.to_string().contains("/nonexistent/a.yaml"), "{:?}", failure.error);
    }
}
