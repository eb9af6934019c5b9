//! Why a key has the value it has.

use std::fmt;

use crate::config::Config;
use crate::entry::Entry;
use crate::keys;
use crate::known::{self, Known};
use crate::slots::Handles;
use crate::source::Layer;

/// All there is to say about one key.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The row.
    pub entry: &'static Entry,
    /// What each layer says, lowest first; the last one that is in effect is marked.
    pub layers: Vec<LayerValue>,
}

/// What one layer says about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerValue {
    /// The layer.
    pub layer: Layer,
    /// Where it is written.
    pub place: String,
    /// The value, scrubbed.
    pub shown: String,
    /// Whether this is the value in effect.
    pub is_effective: bool,
}

/// Why a key cannot be explained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// A key of the Agent that does nothing here.
    #[error("{name} is a key of the Agent that corelane does not use{}", suffix(hint))]
    Unused {
        /// As asked for.
        name: String,
        /// What does its job here, if anything.
        hint: String,
    },
    /// A name that nothing has.
    #[error("there is no key {name}{}", suffix(hint))]
    Unknown {
        /// As asked for.
        name: String,
        /// The nearest name, if any is near.
        hint: String,
    },
}

fn suffix(hint: &str) -> String {
    if hint.is_empty() { String::new() } else { format!("; {hint}") }
}

impl Config {
    /// Explains a key, given by its path or by one of its variables.
    ///
    /// # Errors
    /// When corelane has no such key.
    pub fn explain(&self, name: &str) -> Result<Explanation, ExplainError> {
        let by_env = || keys::all().find(|entry| entry.env_names().iter().any(|env| env == name));
        let Some(entry) = keys::find(name).or_else(by_env) else {
            return Err(not_found(name));
        };
        let winner = self.source(entry);
        let layers = self.slots.layers(entry).iter().map(|candidate| {
            let shown = match (&candidate.value, &candidate.handles) {
                (_, Handles::Whole(handle)) => format!("ENC[{handle}]"),
                (Some(value), Handles::None | Handles::Inside(_)) => {
                    text_of(&value.to_shown(entry))
                }
                (None, Handles::None | Handles::Inside(_)) => String::new(),
            };
            LayerValue {
                layer: candidate.source.layer(),
                place: candidate.source.to_string(),
                shown,
                is_effective: std::ptr::eq(&candidate.source, winner),
            }
        });
        Ok(Explanation { entry, layers: layers.collect() })
    }
}

fn not_found(name: &str) -> ExplainError {
    let known = Known::new();
    let path = name.to_ascii_lowercase();
    let name = crate::scrub::log_line(name).into_owned();
    if known.has_key(&path) || known.has_env(&name) {
        let hint = known::replacement(&path).unwrap_or_default().to_owned();
        return ExplainError::Unused { name, hint };
    }
    let hint = match name.starts_with("DD_") {
        true => known.env_hint(&name),
        false => known.key_hint(&path),
    };
    ExplainError::Unknown { name, hint: hint.unwrap_or_default() }
}

/// A shown value on one line, texts quoted only if empty.
pub(crate) fn text_of(value: &serde_json::Value) -> String {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.map_or_else(|| value.to_string(), str::to_owned)
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = self.entry;
        writeln!(f, "{}", entry.name())?;
        writeln!(f, "  {}\n", entry.meaning())?;
        for line in &self.layers {
            let mark = if line.is_effective { '>' } else { ' ' };
            let place = match line.layer {
                Layer::Default => String::new(),
                Layer::File | Layer::Env | Layer::Remote | Layer::Flag | Layer::Secret => {
                    format!("  ({})", line.place)
                }
            };
            writeln!(f, "{mark} {:<8} {}{place}", line.layer, line.shown)?;
        }
        writeln!(f)?;
        writeln!(f, "  type     {}", entry.expected())?;
        writeln!(f, "  variable {}", entry.env_names().join(", "))?;
        if !entry.aliases.is_empty() {
            writeln!(f, "  also     {}", entry.aliases.join(", "))?;
        }
        let reload = match entry.reload() {
            crate::entry::Reload::Live => "acts on reload (SIGHUP)",
            crate::entry::Reload::Restart => "acts on the next start",
        };
        writeln!(f, "  change   {reload}")?;
        write!(f, "  since    {}", entry.since())
    }
}
