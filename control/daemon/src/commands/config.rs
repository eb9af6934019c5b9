//! `corelane config`: check, explain, show, reference.

use config::{SecretMode, Severity, ShowScope};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::settings::{self, ConfigArgs};

/// Commands about the configuration.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Report bad values, unknown keys and contradictions; exit status 1 if there is an error
    Check {
        /// Print the findings as JSON
        #[arg(short, long)]
        json: bool,
        /// Also run the secret backend for ENC[...] values
        #[arg(long)]
        resolve_secrets: bool,
    },
    /// Explain a key: what it does, its default, and who set it
    Explain {
        /// The key, or one of its DD_ variables
        #[arg(value_name = "KEY")]
        key: String,
        /// Print the values by layer as JSON
        #[arg(short, long)]
        json: bool,
    },
    /// Show the values in effect, without secrets
    Show {
        /// Include keys that have their default
        #[arg(short, long)]
        all: bool,
        /// Print key and value pairs as JSON
        #[arg(short, long)]
        json: bool,
    },
    /// Print the reference of all keys as Markdown
    Reference {
        /// Print the keys as JSON
        #[arg(short, long)]
        json: bool,
    },
}

/// Runs one of the commands.
pub(crate) fn run(config: &ConfigArgs, command: &Command) -> Outcome {
    match command {
        Command::Check { json, resolve_secrets } => check(config, *json, *resolve_secrets),
        Command::Explain { key, json } => explain(config, key, *json),
        Command::Show { all, json } => show(config, *all, *json),
        Command::Reference { json: true } => {
            output::json(&Value::Array(config::keys::all().map(row).collect()))?;
            Ok(Exit::Success)
        }
        Command::Reference { json: false } => {
            output::print(&config::reference())?;
            Ok(Exit::Success)
        }
    }
}

/// A key as `config reference --json` shows it.
fn row(entry: &config::Entry) -> Value {
    json!({
        "key": entry.name(),
        "type": entry.expected(),
        "default": entry.default_text(),
        "variables": entry.env_names(),
        "change": entry.reload().noun(),
        "meaning": entry.meaning(),
    })
}

fn check(config: &ConfigArgs, is_json: bool, resolve_secrets: bool) -> Outcome {
    let secrets = if resolve_secrets { SecretMode::Resolve } else { SecretMode::Keep };
    let report = config::check(&config.sources(secrets));
    let is_good = report.exit_status() == 0;
    if is_json {
        let findings = report.diagnostics.iter().map(|found| {
            json!({
                "severity": found.severity.to_string(),
                "key": found.key,
                "place": found.source.as_ref().map(ToString::to_string),
                "message": found.message,
                "hint": found.hint,
            })
        });
        output::json(&Value::Array(findings.collect()))?;
    } else {
        for found in &report.diagnostics {
            output::print(&settings::render(found))?;
        }
        let count = |severity| report.diagnostics.iter().filter(|f| f.severity == severity).count();
        let file = report.config.as_ref().and_then(config::Config::file);
        let file = file.map_or_else(|| "no file".to_owned(), |path| path.display().to_string());
        output::line(&format!(
            "{file}: {} errors, {} warnings, {} notes",
            count(Severity::Error),
            count(Severity::Warning),
            count(Severity::Note),
        ))?;
    }
    Ok(if is_good { Exit::Success } else { Exit::Failed })
}

fn explain(config: &ConfigArgs, key: &str, is_json: bool) -> Outcome {
    let config = config.look()?;
    let explanation = config.explain(key).map_err(Failure::usage)?;
    if is_json {
        let layers = explanation.layers.iter().map(|layer| {
            json!({
                "layer": layer.layer.to_string(),
                "place": layer.place,
                "value": layer.shown,
                "in_effect": layer.is_effective,
            })
        });
        let entry = explanation.entry;
        output::json(&json!({
            "key": entry.name(),
            "meaning": entry.meaning(),
            "default": entry.default_text(),
            "layers": layers.collect::<Vec<_>>(),
        }))?;
    } else {
        output::line(&explanation.to_string())?;
    }
    Ok(Exit::Success)
}

fn show(config: &ConfigArgs, is_all: bool, is_json: bool) -> Outcome {
    let config = config.look()?;
    if is_json {
        let entries = config::keys::all().filter(|entry| is_all || config.is_set(*entry));
        let pairs = entries.map(|entry| (entry.name().to_owned(), config.shown(entry).into()));
        output::json(&Value::Object(pairs.collect()))?;
    } else {
        output::print(&config.show(if is_all { ShowScope::All } else { ShowScope::Set }))?;
    }
    Ok(Exit::Success)
}
