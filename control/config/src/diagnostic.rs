//! What a load has to say: about bad values, unknown keys, and the like.

use std::fmt;

use crate::source::Source;

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know; nothing is wrong.
    Note,
    /// Probably not what was meant.
    Warning,
    /// A value was not taken, or something cannot work.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One finding. Holds no secret: values in messages are scrubbed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// The key it is about; empty when about the whole.
    pub key: String,
    /// Where it was written, if anywhere.
    pub source: Option<Source>,
    /// What was found, and what is used instead.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    pub(crate) fn new(severity: Severity, key: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { severity, key: key.to_owned(), source: None, message, hint: None }
    }

    pub(crate) fn at(mut self, source: &Source) -> Self {
        self.source = Some(source.clone());
        self
    }

    pub(crate) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// One line: severity, place, key, message, hint.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.severity)?;
        if let Some(source) = &self.source {
            write!(f, "{source}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}
