//! `additional_endpoints`: where payloads are sent as well. spec: logs §4.3 and §7.2.

use std::fmt;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::url::{ApiPath, UrlError, join, path_of};

/// One more intake that gets every payload.
#[derive(Clone, PartialEq, Eq)]
pub struct AdditionalEndpoint {
    /// Its API key.
    pub api_key: String,
    /// Host, without a port.
    pub host: String,
    /// Port; none is that of the scheme.
    pub port: Option<u16>,
    /// Whether payloads wait for it. If not, one that fails is lost to it.
    pub is_reliable: bool,
    /// Whether over TLS; none is as the main intake.
    pub uses_ssl: Option<bool>,
    /// What stands before the path of the API; often empty.
    pub path_prefix: String,
}

/// Which form of the list is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndpointForm {
    /// The Agent's: `api_key` and `Host` are needed, anything else has a default, and numbers and
    /// booleans may be texts.
    #[default]
    Agent,
    /// That of serverless: `api_key`, `Host`, `Port` and `is_reliable` are all needed.
    Serverless,
}

/// Why the list is of no use.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// It is no JSON.
    #[error("additional_endpoints is not a JSON list: {0}")]
    Json(#[from] serde_json::Error),
    /// It is no list of objects.
    #[error("additional_endpoints must be a list of objects with api_key and Host")]
    NotAList,
    /// A key is missing.
    #[error("additional_endpoints[{index}] lacks {key}")]
    Missing {
        /// Which of the list, from 0.
        index: usize,
        /// What it lacks.
        key: &'static str,
    },
    /// A key has a value of another type, or an impossible one.
    #[error("additional_endpoints[{index}] has a bad value for {key}")]
    Bad {
        /// Which of the list, from 0.
        index: usize,
        /// Which key. Its value is not shown, since it may be an API key.
        key: &'static str,
    },
}

impl AdditionalEndpoint {
    /// The URL that payloads are sent to. `main_uses_ssl` is what an endpoint does that does not
    /// say it.
    ///
    /// # Errors
    /// The host or the prefix is wrong.
    pub fn url(&self, main_uses_ssl: bool, path: ApiPath) -> Result<String, UrlError> {
        let scheme = if self.uses_ssl.unwrap_or(main_uses_ssl) { "https" } else { "http" };
        let authority = match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        };
        join(scheme, &authority, &self.path_prefix, path_of(path))
    }
}

impl fmt::Debug for AdditionalEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdditionalEndpoint")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("is_reliable", &self.is_reliable)
            .field("uses_ssl", &self.uses_ssl)
            .field("path_prefix", &self.path_prefix)
            .finish_non_exhaustive()
    }
}

/// Reads the list as the environment has it, a JSON text. A blank one is an empty list.
///
/// # Errors
/// It is no list, or one of it is wrong: none is used then.
pub fn parse_additional_endpoints(
    text: &str,
    form: EndpointForm,
) -> Result<Vec<AdditionalEndpoint>, EndpointError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    additional_endpoints(&serde_json::from_str(text)?, form)
}

/// Reads the list as a file has it.
///
/// # Errors
/// As [`parse_additional_endpoints`].
pub fn additional_endpoints(
    value: &Value,
    form: EndpointForm,
) -> Result<Vec<AdditionalEndpoint>, EndpointError> {
    let list = value.as_array().ok_or(EndpointError::NotAList)?;
    let endpoint = |(index, value): (usize, &Value)| {
        let members = value.as_object().ok_or(EndpointError::NotAList)?;
        Members { index, members, form }.endpoint()
    };
    list.iter().enumerate().map(endpoint).collect()
}

/// One of the list.
struct Members<'a> {
    index: usize,
    members: &'a Map<String, Value>,
    form: EndpointForm,
}

impl Members<'_> {
    fn endpoint(&self) -> Result<AdditionalEndpoint, EndpointError> {
        let port = match self.value("port", "Port", self.is_strict())? {
            None => None,
            Some(value) => self.number(value).ok_or_else(|| self.bad("Port"))?,
        };
        Ok(AdditionalEndpoint {
            api_key: self.needed_text("api_key", "api_key")?,
            host: self.needed_text("host", "Host")?,
            port,
            is_reliable: self.flag("is_reliable", self.is_strict())?.unwrap_or(true),
            uses_ssl: self.flag("use_ssl", false)?,
            path_prefix: match self.value("path_prefix", "path_prefix", false)? {
                None => String::new(),
                Some(Value::String(prefix)) => prefix.trim().to_owned(),
                Some(_) => return Err(self.bad("path_prefix")),
            },
        })
    }

    fn is_strict(&self) -> bool {
        self.form == EndpointForm::Serverless
    }

    /// The value of a key in whatever case; null is none.
    fn value(
        &self,
        lower: &str,
        shown: &'static str,
        is_needed: bool,
    ) -> Result<Option<&Value>, EndpointError> {
        let found = self.members.iter().find(|(key, _)| key.eq_ignore_ascii_case(lower));
        match found.map(|(_, value)| value).filter(|value| !value.is_null()) {
            None if is_needed => Err(EndpointError::Missing { index: self.index, key: shown }),
            value => Ok(value),
        }
    }

    fn needed_text(&self, lower: &str, shown: &'static str) -> Result<String, EndpointError> {
        match self.value(lower, shown, true)? {
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            Some(Value::String(_)) | None => {
                Err(EndpointError::Missing { index: self.index, key: shown })
            }
            Some(_) => Err(self.bad(shown)),
        }
    }

    fn flag(&self, key: &'static str, is_needed: bool) -> Result<Option<bool>, EndpointError> {
        match self.value(key, key, is_needed)? {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if !self.is_strict() => match &*text.to_ascii_lowercase() {
                "true" | "1" => Ok(Some(true)),
                "false" | "0" => Ok(Some(false)),
                _ => Err(self.bad(key)),
            },
            Some(_) => Err(self.bad(key)),
        }
    }

    /// A port; 0 is none. `None` outside: it is no port.
    fn number(&self, value: &Value) -> Option<Option<u16>> {
        let text = value.as_str().filter(|_| !self.is_strict());
        let port: u16 = match text {
            Some(text) => text.trim().parse().ok()?,
            None => u16::try_from(value.as_u64()?).ok()?,
        };
        Some((port != 0).then_some(port))
    }

    const fn bad(&self, key: &'static str) -> EndpointError {
        EndpointError::Bad { index: self.index, key }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(text: &str) -> Result<Vec<AdditionalEndpoint>, EndpointError> {
        parse_additional_endpoints(text, EndpointForm::Agent)
    }

    fn error(text: &str, form: EndpointForm) -> String {
        parse_additional_endpoints(text, form).unwrap_err().to_string()
    }

    #[test]
    fn keys_are_read_in_any_case_and_have_defaults() {
        let endpoints = agent(
            r#"[{"API_Key":" k ","HOST":"h"},
                {"api_key":"k","host":"i","port":8080,"is_reliable":false,"Use_SSL":false,
                 "path_prefix":"/p/","use_compression":true,"unknown":[]},
                {"api_key":"k","Host":"j","Port":"0","is_reliable":"False"}]"#,
        )
        .unwrap();
        let urls: Vec<_> = endpoints.iter().map(|e| e.url(true, ApiPath::V2).unwrap()).collect();
        let expected =
            ["https://h/api/v2/logs", "http://i:8080/p/api/v2/logs", "https://j/api/v2/logs"];
        assert_eq!(urls, expected);
        assert_eq!(endpoints[0].url(false, ApiPath::V1).unwrap(), "http://h/v1/input");
        assert_eq!(endpoints[0].api_key, "k");
        let reliable: Vec<_> = endpoints.iter().map(|endpoint| endpoint.is_reliable).collect();
        assert_eq!(reliable, [true, false, false]);
        assert_eq!(agent(" ").unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, message) in [
            (r#"[{"api_key":"k","Host":"h"},{"Host":"h"}]"#, "[1] lacks api_key"),
            (r#"[{"api_key":" ","Host":"h"}]"#, "[0] lacks api_key"),
            (r#"[{"api_key":"k","Host":null}]"#, "[0] lacks Host"),
            (r#"[{"api_key":7,"Host":"h"}]"#, "[0] has a bad value for api_key"),
            (r#"[{"api_key":"k","Host":"h","Port":65536}]"#, "[0] has a bad value for Port"),
            (
                r#"[{"api_key":"k","Host":"h","is_reliable":"maybe"}]"#,
                "has a bad value for is_reliable",
            ),
            (r#"[{"api_key":"k","Host":"h","path_prefix":1}]"#, "has a bad value for path_prefix"),
            (r#"{"api_key":"k"}"#, " must be a list"),
            (r#"["k"]"#, " must be a list"),
            ("bad", " is not a JSON list"),
        ] {
            let error = error(text, EndpointForm::Agent);
            assert!(error.starts_with("additional_endpoints"), "{error}");
            assert!(error.contains(message), "{text}: {error}");
        }
        let host = agent(r#"[{"api_key":"k","Host":"h/p"}]"#).unwrap();
        assert!(host[0].url(true, ApiPath::V2).is_err(), "a host is no URL");
    }

    #[test]
    fn serverless_needs_all_four() {
        let whole = r#"[{"api_key":"k","Host":"h","Port":1,"is_reliable":false}]"#;
        assert_eq!(
            parse_additional_endpoints(whole, EndpointForm::Serverless).unwrap(),
            agent(whole).unwrap()
        );
        for (missing, key) in [
            (r#"[{"api_key":"k","Host":"h","Port":1}]"#, "is_reliable"),
            (r#"[{"api_key":"k","Host":"h","is_reliable":true}]"#, "Port"),
        ] {
            assert!(agent(missing).is_ok());
            let error = error(missing, EndpointForm::Serverless);
            assert_eq!(error, format!("additional_endpoints[0] lacks {key}"));
        }
        let texts = r#"[{"api_key":"k","Host":"h","Port":"1","is_reliable":true}]"#;
        assert!(parse_additional_endpoints(texts, EndpointForm::Serverless).is_err());
    }

    #[test]
    fn keys_are_not_shown() {
        let endpoints = agent(r#"[{"api_key":"5ecret","Host":"h"}]"#).unwrap();
        assert!(!format!("{endpoints:?}").contains("5ecret"));
    }
}
