//! Where values come from, and what is given to a load.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything one load reads. The caller passes the environment, so that tests need none.
#[derive(Clone, Default)]
pub struct Sources {
    /// The YAML file.
    pub file: FileSource,
    /// More YAML files, each over the one before; they must exist.
    pub extra_files: Vec<PathBuf>,
    /// Environment variables; names are exact, unrelated ones are ignored.
    pub env: BTreeMap<String, String>,
    /// Command-line overrides, key and value; these win over all other layers.
    pub flags: Vec<(String, String)>,
    /// What to do with `ENC[...]` values.
    pub secrets: SecretMode,
}

impl fmt::Debug for Sources {
    // Environment and flags may carry an API key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("file", &self.file)
            .field("extra_files", &self.extra_files)
            .field("env", &format_args!("{} variables", self.env.len()))
            .field("flags", &format_args!("{} flags", self.flags.len()))
            .field("secrets", &self.secrets)
            .finish()
    }
}

/// The file layer.
#[derive(Clone, Default)]
pub enum FileSource {
    /// No file.
    #[default]
    None,
    /// A path nobody asked for: that it is missing is fine. A directory means its `datadog.yaml`.
    Default(PathBuf),
    /// A path somebody asked for: it must exist. A directory means its `datadog.yaml`.
    Explicit(PathBuf),
    /// Contents at hand, with a name for messages.
    Text {
        /// Shown in place of a path.
        name: String,
        /// YAML, which may be anything.
        bytes: Vec<u8>,
    },
}

impl fmt::Debug for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Default(path) => f.debug_tuple("Default").field(path).finish(),
            Self::Explicit(path) => f.debug_tuple("Explicit").field(path).finish(),
            Self::Text { name, bytes } => write!(f, "Text({name}, {} bytes)", bytes.len()),
        }
    }
}

/// Whether a load may run the secret backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretMode {
    /// Resolve `ENC[...]`; that it fails is an error.
    #[default]
    Resolve,
    /// Leave `ENC[...]` as written; for looking at a configuration without starting anything.
    Keep,
}

/// The layers, lowest first. spec: config §1, those that corelane has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Built in.
    Default,
    /// The YAML file.
    File,
    /// An environment variable.
    Env,
    /// Remote configuration, while the process runs.
    Remote,
    /// A command-line flag.
    Flag,
    /// The resolved form of an `ENC[...]` value.
    Secret,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Env => "env",
            Self::Remote => "remote",
            Self::Flag => "flag",
            Self::Secret => "secret",
        })
    }
}

/// Where exactly a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Built in.
    Default,
    /// A line of the file.
    File {
        /// The file.
        path: Arc<Path>,
        /// Line, from 1.
        line: u32,
        /// Column, from 1.
        column: u32,
    },
    /// An environment variable of this name.
    Env(String),
    /// Remote configuration.
    Remote,
    /// A command-line flag for this key.
    Flag(String),
    /// The secret backend, asked because of what another source holds.
    Secret(Box<Self>),
}

impl Source {
    /// The layer this belongs to.
    #[must_use]
    pub fn layer(&self) -> Layer {
        match self {
            Self::Default => Layer::Default,
            Self::File { .. } => Layer::File,
            Self::Env(_) => Layer::Env,
            Self::Remote => Layer::Remote,
            Self::Flag(_) => Layer::Flag,
            Self::Secret(_) => Layer::Secret,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, .. } => write!(f, "{}:{line}", path.display()),
            Self::Env(name) => f.write_str(name),
            Self::Remote => f.write_str("remote configuration"),
            Self::Flag(key) => write!(f, "flag {key}"),
            Self::Secret(origin) => write!(f, "secret named in {origin}"),
        }
    }
}
