//! `ENC[...]` values and where their secrets come from. spec: config §9.
//!
//! A handle stands for a whole text, never for a part of one. Handles of one load are asked for
//! together, once. Nothing here logs or shows a secret.

mod command;
mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use crate::MapKey;
use crate::keys;
use crate::slots::Slots;

/// The handle in `ENC[handle]`; blanks and tabs around it are ignored.
#[must_use]
pub fn handle(text: &str) -> Option<&str> {
    text.trim_matches([' ', '\t']).strip_prefix("ENC[")?.strip_suffix(']')
}

/// Why secrets could not be had. Messages name handles and programs, never secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// A value asks for a secret and no source of secrets is configured.
    #[error(
        "{key} is ENC[{handle}], but there is no source of secrets: set secret_backend_command, or \
         secret_backend_type to file.json or file.yaml, or multi_secret_backends"
    )]
    NoBackend {
        /// Key that holds the handle.
        key: String,
        /// The handle.
        handle: String,
    },
    /// A built-in source this program does not have, or one without its settings.
    #[error("{key} {kind} {problem}")]
    Backend {
        /// Key that chose it.
        key: String,
        /// As configured.
        kind: String,
        /// What is wrong and what would be right.
        problem: &'static str,
    },
    /// Others could change or run the program, or it cannot be run at all.
    #[error("secret_backend_command {}: {problem}", path.display())]
    Rights {
        /// The program.
        path: PathBuf,
        /// What is wrong with its rights, and how to repair them.
        problem: String,
    },
    /// The program could not be started or talked to.
    #[error("secret_backend_command {} could not be run: {source}", path.display())]
    Run {
        /// The program.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The program took too long and was stopped.
    #[error("secret_backend_command took longer than {secs} s; raise secret_backend_timeout")]
    Timeout {
        /// The limit.
        secs: u64,
    },
    /// The program printed too much.
    #[error("secrets are larger than {bytes_max} bytes; raise secret_backend_output_max_size")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The program reported failure.
    #[error("secret_backend_command failed ({status}): {stderr}")]
    Failed {
        /// How it ended.
        status: String,
        /// The scrubbed beginning of what it said.
        stderr: String,
    },
    /// The answer is not in the agreed form.
    #[error("the secrets are not readable: {0}")]
    Form(String),
    /// The secrets file could not be read.
    #[error("secrets file {} could not be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The source has no such secret, or an empty one.
    #[error("no secret for ENC[{handle}]: {problem}")]
    Missing {
        /// The handle.
        handle: String,
        /// What the source says about it.
        problem: String,
    },
}

/// Where secrets come from, as configured.
pub(crate) enum Backend {
    None,
    Command(command::Command),
    File(file::SecretsFile),
    /// Several, each with the name that handles give.
    Named(BTreeMap<String, file::SecretsFile>),
}

impl Backend {
    pub(crate) fn new(slots: &Slots) -> Result<Self, SecretError> {
        let command = slots.str(keys::SECRET_BACKEND_COMMAND);
        if !command.is_empty() {
            return Ok(Self::Command(command::Command {
                path: PathBuf::from(command),
                arguments: slots.list(keys::SECRET_BACKEND_ARGUMENTS).to_vec(),
                timeout: Duration::from_secs(
                    slots.int(keys::SECRET_BACKEND_TIMEOUT).unsigned_abs(),
                ),
                output_bytes_max: usize::try_from(slots.int(keys::SECRET_BACKEND_OUTPUT_MAX_SIZE))
                    .unwrap_or(0),
                may_group_execute: slots.bool(keys::SECRET_BACKEND_ALLOW_GROUP_EXEC),
                trims_line_break: slots.bool(keys::SECRET_BACKEND_REMOVE_LINE_BREAK),
            }));
        }
        let name = slots.str(keys::SECRET_BACKEND_TYPE);
        let map = |key: MapKey| slots.value(key.entry()).as_map();
        if !name.is_empty() {
            let settings = map(keys::SECRET_BACKEND_CONFIG);
            return Ok(Self::File(secrets_file("secret_backend_type", name, settings)?));
        }
        let named = map(keys::MULTI_SECRET_BACKENDS).into_iter().flatten();
        let named: BTreeMap<String, file::SecretsFile> =
            named.map(|(name, settings)| named_file(name, settings)).collect::<Result<_, _>>()?;
        Ok(if named.is_empty() { Self::None } else { Self::Named(named) })
    }

    /// The secret of each handle; that one is missing fails the whole.
    pub(crate) fn fetch(
        &self,
        wanted: &BTreeMap<String, &'static str>,
    ) -> Result<BTreeMap<String, String>, SecretError> {
        let handles: BTreeSet<&str> = wanted.keys().map(String::as_str).collect();
        let secrets = match self {
            Self::Command(command) => command.fetch(&handles)?,
            Self::File(file) => file.fetch(handles.iter().map(|handle| (*handle, *handle)))?,
            Self::Named(files) => fetch_named(files, &handles)?,
            Self::None => {
                let Some((handle, key)) = wanted.first_key_value() else {
                    return Ok(BTreeMap::new());
                };
                let (key, handle) = ((*key).to_owned(), handle.clone());
                return Err(SecretError::NoBackend { key, handle });
            }
        };
        let empty = secrets.iter().find(|(_, secret)| secret.is_empty());
        match empty {
            Some((handle, _)) => Err(missing(handle, "the secret is empty")),
            None => Ok(secrets),
        }
    }
}

/// The built-in source of this kind. `key` is where the kind was set.
fn secrets_file(
    key: &str,
    kind: &str,
    settings: Option<&serde_json::Map<String, serde_json::Value>>,
) -> Result<file::SecretsFile, SecretError> {
    let fail =
        |problem| SecretError::Backend { key: key.to_owned(), kind: kind.to_owned(), problem };
    let form = match kind {
        "file.json" => file::Form::Json,
        "file.yaml" => file::Form::Yaml,
        _ => return Err(fail("is not built in: use file.json, file.yaml or a command")),
    };
    let path = settings.and_then(|settings| settings.get("file_path")?.as_str());
    let path = path.ok_or_else(|| fail("needs its settings with file_path"))?;
    Ok(file::SecretsFile { path: path.into(), form })
}

/// One of `multi_secret_backends`: its `type` and its `config`.
fn named_file(
    name: &str,
    settings: &serde_json::Value,
) -> Result<(String, file::SecretsFile), SecretError> {
    let key = format!("multi_secret_backends.{name}.type");
    let kind = settings.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
    if name.contains(NAME_END) {
        let problem = "has a name with a semicolon, which ends the name in a handle";
        return Err(SecretError::Backend { key, kind: kind.to_owned(), problem });
    }
    let settings = settings.get("config").and_then(|config| config.as_object());
    Ok((name.to_owned(), secrets_file(&key, kind, settings)?))
}

/// Ends the name of a source in `ENC[name;handle]`.
const NAME_END: char = ';';

/// Asks each source for the handles that name it.
fn fetch_named(
    files: &BTreeMap<String, file::SecretsFile>,
    handles: &BTreeSet<&str>,
) -> Result<BTreeMap<String, String>, SecretError> {
    let mut by_name: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for handle in handles {
        let (name, key) = handle.split_once(NAME_END).ok_or_else(|| {
            missing(handle, "with multi_secret_backends it is to be ENC[name of one;handle]")
        })?;
        if !files.contains_key(name) {
            return Err(missing(handle, "multi_secret_backends has none of that name"));
        }
        by_name.entry(name).or_default().push((handle, key));
    }
    let mut secrets = BTreeMap::new();
    for (name, wanted) in by_name {
        if let Some(file) = files.get(name) {
            secrets.extend(file.fetch(wanted.into_iter())?);
        }
    }
    Ok(secrets)
}

fn missing(handle: &str, problem: &str) -> SecretError {
    let problem = crate::scrub::log_line(problem).into_owned();
    SecretError::Missing { handle: handle.to_owned(), problem }
}

#[cfg(test)]
mod tests;
