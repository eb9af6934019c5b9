//! The environment layer.

use std::collections::{BTreeMap, HashSet};

use super::{Gathered, shown_name};
use crate::diagnostic::{Diagnostic, Severity};
use crate::entry::{Entry, Kind};
use crate::keys;
use crate::source::Source;
use crate::value::Raw;

pub(super) fn gather(env: &BTreeMap<String, String>, gathered: &mut Gathered) {
    let mut ours = HashSet::new();
    for entry in keys::all() {
        let names = entry.env_names();
        if let Some((name, text)) = pick(&names, env) {
            add(entry, name, text, gathered);
        }
        ours.extend(names);
    }
    for name in env.keys().filter(|name| name.starts_with("DD_") && !ours.contains(*name)) {
        report_unused(name, gathered);
    }
}

/// The first of a key's variables that holds something, else the first that is there.
fn pick<'env>(
    names: &'env [String],
    env: &'env BTreeMap<String, String>,
) -> Option<(&'env str, &'env str)> {
    let mut present =
        names.iter().filter_map(|name| env.get(name).map(|text| (name.as_str(), text.as_str())));
    let first = present.next()?;
    let full = std::iter::once(first).chain(present).find(|(_, text)| !text.is_empty());
    Some(full.unwrap_or(first))
}

fn add(entry: &'static Entry, name: &str, text: &str, gathered: &mut Gathered) {
    let source = Source::Env(name.to_owned());
    let can_be_empty = match entry.kind {
        Kind::Str => entry.choices.is_empty(),
        Kind::List | Kind::CommaList | Kind::Csv | Kind::Tags => true,
        Kind::Bool
        | Kind::Int
        | Kind::Float
        | Kind::Duration
        | Kind::Bytes
        | Kind::Map
        | Kind::Rates
        | Kind::Json => false,
    };
    if text.trim().is_empty() && !can_be_empty {
        let note = Diagnostic::new(Severity::Note, entry.name, "the variable is empty and ignored");
        gathered.report(note.at(&source));
        return;
    }
    gathered.add(entry, source, Raw::Text(text.to_owned()));
}

fn report_unused(name: &str, gathered: &mut Gathered) {
    let source = Source::Env(shown_name(name));
    if gathered.known().has_env(name) {
        let message = "this variable of the Agent is not used by corelane";
        gathered.report(Diagnostic::new(Severity::Note, "", message).at(&source));
        return;
    }
    let hint = gathered.hint(|known| known.env_hint(name));
    let warning = Diagnostic::new(Severity::Warning, "", "unknown variable").at(&source);
    gathered.report(warning.hint(hint));
}
