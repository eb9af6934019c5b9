//! Secrets from a file: a JSON or YAML map from handle to text.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use super::{SecretError, missing};
use crate::yaml;

/// Syntax of the file.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    Json,
    Yaml,
}

/// A file of secrets, read anew at every fetch.
pub(crate) struct SecretsFile {
    pub(crate) path: PathBuf,
    pub(crate) form: Form,
}

impl SecretsFile {
    /// The secret of each handle, from where the file has it.
    pub(crate) fn fetch<'h>(
        &self,
        wanted: impl Iterator<Item = (&'h str, &'h str)>,
    ) -> Result<BTreeMap<String, String>, SecretError> {
        let map = self.read()?;
        let one = |handle: &str, key: &str| match map.get(key) {
            Some(serde_json::Value::String(text)) => Ok(text.clone()),
            Some(value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))) => {
                Ok(value.to_string())
            }
            Some(_) => Err(missing(handle, "the file has no text there")),
            None => Err(missing(handle, "the file does not have it")),
        };
        wanted.map(|(handle, key)| Ok((handle.to_owned(), one(handle, key)?))).collect()
    }

    fn read(&self) -> Result<serde_json::Map<String, serde_json::Value>, SecretError> {
        let failed = |source| SecretError::File { path: self.path.clone(), source };
        let file = std::fs::File::open(&self.path).map_err(failed)?;
        let bytes_max = yaml::FILE_BYTES_MAX;
        let mut text = String::new();
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
        file.take(limit).read_to_string(&mut text).map_err(failed)?;
        if text.len() > bytes_max {
            return Err(SecretError::TooLarge { bytes_max });
        }
        let value = match self.form {
            // Parser messages could quote a secret, so only the place is told.
            Form::Json => serde_json::from_str(&text).map_err(|error| error.line()),
            Form::Yaml => {
                yaml::parse(&text).map(|node| node.to_json()).map_err(|error| error.line as usize)
            }
        };
        match value {
            Ok(serde_json::Value::Object(map)) => Ok(map),
            Ok(_) => Err(SecretError::Form("the secrets file must hold a map".to_owned())),
            Err(line) => Err(SecretError::Form(format!("the secrets file breaks at line {line}"))),
        }
    }
}
