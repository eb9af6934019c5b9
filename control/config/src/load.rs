//! From sources to a [`Config`]: gather what each layer says, read it, resolve secrets.
//!
//! ```text
//! file, environment, flags -> inputs per key -> parsed candidates -> secrets -> Config
//!                                   unknown keys, bad values -> diagnostics
//! ```

mod consistency;
mod env;
mod file;
mod resolve;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Config;
use crate::diagnostic::{Diagnostic, Severity};
use crate::entry::{Entry, Kind};
use crate::known::{self, Known};
use crate::secrets::{self, SecretError};
use crate::slots::{Candidate, Handles, Slots};
use crate::source::{FileSource, SecretMode, Source, Sources};
use crate::unicode;
use crate::value::{self, Raw, Value};
use crate::yaml::{Node, NodeKind, YamlError};
use crate::{keys, scrub};

pub(crate) use consistency::check_whole;
pub(crate) use resolve::refresh;

/// Why nothing could be loaded at all. A bad value is no such reason: it becomes a diagnostic.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file somebody asked for is not there.
    #[error("{} does not exist; create it, or go without a file by leaving out its path",
        path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file that is there cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file holds no YAML map.
    #[error("{}: {source}", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: YamlError,
    },
    /// A secret that is needed could not be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl LoadError {
    /// The error as a finding with its place, for display beside others.
    #[must_use]
    pub fn to_diagnostic(&self) -> Diagnostic {
        match self {
            Self::Yaml { path, source } => {
                let place = Source::File {
                    path: Arc::from(path.as_path()),
                    line: source.line,
                    column: source.column,
                };
                Diagnostic::new(Severity::Error, "", source.message.clone()).at(&place)
            }
            Self::Missing { .. } | Self::Unreadable { .. } | Self::Secret(_) => {
                Diagnostic::new(Severity::Error, "", self.to_string())
            }
        }
    }
}

/// Something a layer says about a key.
struct Input {
    source: Source,
    raw: Raw,
}

/// Findings kept; a file of nonsense has no more to say than that.
const DIAGNOSTICS_MAX: usize = 500;

/// Unknown names that get a hint; finding the nearest of thousands of names takes its time.
const HINTS_MAX: usize = 50;

/// What the layers say, in their order.
#[derive(Default)]
struct Gathered {
    known: OnceCell<Known>,
    inputs: BTreeMap<&'static str, Vec<Input>>,
    diagnostics: Vec<Diagnostic>,
    hints: usize,
}

impl Gathered {
    fn add(&mut self, entry: &'static Entry, source: Source, raw: Raw) {
        // Later inputs win, so of a key that is written over and over the oldest can go.
        const INPUTS_MAX: usize = 16;
        let inputs = self.inputs.entry(entry.name).or_default();
        if inputs.len() == INPUTS_MAX {
            inputs.remove(0);
        }
        inputs.push(Input { source, raw });
    }

    /// All names, read when first needed: a configuration of nothing but our keys needs none.
    fn known(&self) -> &Known {
        self.known.get_or_init(Known::new)
    }

    /// A hint for an unknown name, unless there were too many already.
    fn hint(&mut self, find: impl FnOnce(&Known) -> Option<String>) -> Option<String> {
        self.hints += 1;
        (self.hints <= HINTS_MAX).then(|| find(self.known())).flatten()
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

/// Loads a configuration.
///
/// # Errors
/// When a file that was asked for is missing, a file is no readable YAML map, or secrets are asked
/// for and cannot be had. Bad values and unknown keys are diagnostics of the result instead.
pub fn load(sources: &Sources) -> Result<Config, LoadError> {
    let mut gathered = Gathered::default();
    let file = file::gather(&sources.file, &mut gathered)?;
    for extra in &sources.extra_files {
        file::gather(&FileSource::Explicit(extra.clone()), &mut gathered)?;
    }
    env::gather(&sources.env, &mut gathered);
    gather_flags(&sources.flags, &mut gathered);

    let Gathered { inputs, mut diagnostics, .. } = gathered;
    let mut slots = Slots::new();
    for entry in keys::all() {
        for input in inputs.get(entry.name).into_iter().flatten() {
            if let Some(candidate) = read(entry, input, &mut diagnostics) {
                slots.layers_mut(entry).push(candidate);
            }
        }
    }
    if sources.secrets == SecretMode::Resolve {
        resolve::resolve(&mut slots, &mut diagnostics)?;
    }
    expand_run_path(&mut slots);
    let mut config = Config { slots, diagnostics, file };
    let found = consistency::check(&config);
    config.diagnostics.extend(found);
    limit(&mut config.diagnostics);
    Ok(config)
}

fn limit(diagnostics: &mut Vec<Diagnostic>) {
    let Some(more) = diagnostics.len().checked_sub(DIAGNOSTICS_MAX).filter(|more| *more > 0) else {
        return;
    };
    diagnostics.sort_by_key(|found| std::cmp::Reverse(found.severity));
    diagnostics.truncate(DIAGNOSTICS_MAX);
    let message = format!("{more} more findings are not listed");
    diagnostics.push(Diagnostic::new(Severity::Warning, "", message));
}

fn gather_flags(flags: &[(String, String)], gathered: &mut Gathered) {
    for (key, text) in flags {
        let source = Source::Flag(key.clone());
        if let Some(entry) = keys::find(key) {
            gathered.add(entry, source, Raw::Text(text.clone()));
            continue;
        }
        let path = key.to_ascii_lowercase();
        let (message, hint) = match gathered.known().has_key(&path) {
            true => (
                "this key of the Agent is not used by corelane",
                known::replacement(&path).map(str::to_owned),
            ),
            false => ("there is no such key", gathered.hint(|known| known.key_hint(&path))),
        };
        gathered.report(Diagnostic::new(Severity::Error, key, message).at(&source).hint(hint));
    }
}

/// Reads one input; a bad one is reported and leaves the layers below in effect.
fn read(entry: &Entry, input: &Input, found: &mut Vec<Diagnostic>) -> Option<Candidate> {
    let report = |severity, problem: value::Problem| {
        Diagnostic::new(severity, entry.name, problem.message).at(&input.source).hint(problem.hint)
    };
    let source = input.source.clone();
    if let Some(handle) = whole_handle(&input.raw) {
        let text = || Value::Str(format!("ENC[{handle}]"));
        let value = (entry.kind == Kind::Str).then(text);
        return Some(Candidate { source, value, handles: Handles::Whole(handle.to_owned()) });
    }
    match value::parse(entry, &input.raw) {
        Ok(parsed) => {
            found
                .extend(parsed.remarks.into_iter().map(|remark| report(Severity::Warning, remark)));
            let mut handles = Vec::new();
            visit_texts(&parsed.value, &mut |text| {
                handles.extend(secrets::handle(text).map(str::to_owned));
                if let Some(warning) = odd_character(entry, text) {
                    found.push(warning.at(&input.source));
                }
            });
            let handles = match handles.is_empty() {
                true => Handles::None,
                false => Handles::Inside(handles),
            };
            Some(Candidate { source, value: Some(parsed.value), handles })
        }
        Err(problem) => {
            found.push(report(Severity::Error, problem));
            None
        }
    }
}

fn whole_handle(raw: &Raw) -> Option<&str> {
    match raw {
        Raw::Text(text) | Raw::Yaml(Node { kind: NodeKind::Scalar { text, .. }, .. }) => {
            secrets::handle(text)
        }
        Raw::Yaml(_) => None,
    }
}

fn visit_texts(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::Str(text) => visit(text),
        Value::List(items) => items.iter().for_each(|item| visit(item)),
        Value::Json(value) => visit_json(value, visit),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Duration(_) | Value::Bytes(_) => {
        }
    }
}

fn visit_json(value: &serde_json::Value, visit: &mut dyn FnMut(&str)) {
    match value {
        serde_json::Value::String(text) => visit(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| visit_json(item, visit)),
        serde_json::Value::Object(map) => map.values().for_each(|item| visit_json(item, visit)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

fn odd_character(entry: &Entry, text: &str) -> Option<Diagnostic> {
    let odd = unicode::find(text)?;
    let message = format!(
        "the value holds the invisible or look-alike character U+{:04X} at byte {}",
        u32::from(odd.code_point),
        odd.position
    );
    let hint = Some("it may have come along when copying; type the value anew".to_owned());
    Some(Diagnostic::new(Severity::Warning, entry.name, message).hint(hint))
}

/// Puts the state directory in place of `${run_path}`.
fn expand_run_path(slots: &mut Slots) {
    let run_path = slots.str(keys::RUN_PATH).to_owned();
    for value in slots.values_mut() {
        if let Value::Str(text) = value
            && text.contains("${run_path}")
        {
            *text = text.replace("${run_path}", &run_path);
        }
    }
}

/// A name for a message: scrubbed, because anything can be written where a key belongs.
fn shown_name(name: &str) -> String {
    const SHOWN_CHARS: usize = 80;
    let escape = |c: char| match unicode::find(c.encode_utf8(&mut [0; 4])) {
        Some(_) => c.escape_unicode().to_string(),
        None => c.to_string(),
    };
    scrub::log_line(name).chars().take(SHOWN_CHARS).map(escape).collect()
}

#[cfg(test)]
mod tests;
