//! The body of `/v0.7/config`, and what is wrong with it. spec: remote-config §6.1, §6.2

use serde::Deserialize;
use serde_json::Value;

use crate::hash::from_hex;
use crate::message::Client;
use crate::path::ConfigPath;

/// What a client asks.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ClientRequest {
    pub(crate) client: Option<Client>,
    pub(crate) cached_target_files: Vec<CachedFile>,
}

/// A file that a client has already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct CachedFile {
    pub(crate) path: String,
    pub(crate) length: i64,
    pub(crate) hashes: Vec<CachedHash>,
}

/// A hash of such a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct CachedHash {
    pub(crate) algorithm: String,
    pub(crate) hash: String,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    /// No JSON of the right shape.
    #[error("{0}")]
    Json(String),
    /// Something that it must say is missing, or contradicts.
    #[error("rpc error: code = InvalidArgument desc = {0}")]
    Invalid(String),
}

impl ClientRequest {
    /// Reads and checks a body.
    pub(crate) fn parse(body: &[u8]) -> Result<(Client, Vec<CachedFile>), RequestError> {
        if body.is_empty() {
            return Err(RequestError::Json("unexpected end of JSON input".to_owned()));
        }
        let json = |error: serde_json::Error| RequestError::Json(error.to_string());
        let mut value: Value = serde_json::from_slice(body).map_err(json)?;
        // Python tracers write null for what they do not know, which is as good as absent.
        strip_nulls(&mut value);
        let request = Self::deserialize(value).map_err(json)?;
        request.check().map_err(RequestError::Invalid)
    }

    /// The order of the checks is that of the spec.
    fn check(self) -> Result<(Client, Vec<CachedFile>), String> {
        let required = |what: &str| {
            Err(format!("{what} is a required field for client config update requests"))
        };
        let Some(client) = self.client else { return required("client") };
        let Some(state) = &client.state else { return required("client.state") };
        if state.root_version == 0 {
            return Err(
                "client.state.root_version must be >= 1 (clients must start with the base \
                        TUF director root)"
                    .to_owned(),
            );
        }
        for (is_role, has_detail, role) in [
            (client.is_agent, client.client_agent.is_some(), "agent"),
            (client.is_tracer, client.client_tracer.is_some(), "tracer"),
            (client.is_updater, client.client_updater.is_some(), "updater"),
        ] {
            if is_role && !has_detail {
                return Err(format!(
                    "client.client_{role} is a required field for {role} client config update \
                     requests"
                ));
            }
        }
        match [client.is_tracer, client.is_agent, client.is_updater]
            .iter()
            .filter(|is| **is)
            .count()
        {
            0 => {
                return Err("agents only support remote config updates from tracer or agent or \
                            updater at this time"
                    .to_owned());
            }
            1 => {}
            _ => {
                return Err(
                    "client.is_tracer, client.is_agent, and client.is_updater are mutually \
                            exclusive"
                        .to_owned(),
                );
            }
        }
        if client.id.is_empty() {
            return required("client.id");
        }
        if client.is_tracer {
            if client.client_agent.is_some() {
                return Err(
                    "client.client_agent must not be set if client.is_tracer is true".to_owned()
                );
            }
            let tracer = client.client_tracer.as_ref();
            if tracer.is_some_and(|tracer| tracer.runtime_id == client.id) {
                return Err(
                    "client.id must be different from client.client_tracer.runtime_id".to_owned()
                );
            }
            if tracer.is_some_and(|tracer| tracer.language.is_empty()) {
                return required("client.client_tracer.language");
            }
        }
        if client.is_agent && client.client_tracer.is_some() {
            return Err(
                "client.client_tracer must not be set if client.is_agent is true".to_owned()
            );
        }
        for (at, file) in self.cached_target_files.iter().enumerate() {
            file.check().map_err(|what| format!("cached_target_files[{at}].{what}"))?;
        }
        Ok((client, self.cached_target_files))
    }
}

impl CachedFile {
    fn check(&self) -> Result<(), String> {
        let required = |what: &str| {
            Err(format!("{what} is a required field for client config update requests"))
        };
        if self.path.is_empty() {
            return required("path");
        }
        if ConfigPath::parse(&self.path).is_err() {
            return Err("path is not a valid path".to_owned());
        }
        if self.length == 0 {
            return Err("length must be >= 1 (no empty file allowed)".to_owned());
        }
        if self.hashes.is_empty() {
            return required("hashes");
        }
        for (at, hash) in self.hashes.iter().enumerate() {
            if hash.algorithm.is_empty() {
                return required(&format!("hashes[{at}].algorithm"));
            }
            if hash.hash.is_empty() {
                return required(&format!("hashes[{at}].hash"));
            }
        }
        Ok(())
    }

    /// Whether it is the file that a target lists.
    ///
    /// # Errors
    /// A hash that is no hex.
    pub(crate) fn is(
        &self,
        length: u64,
        hashes: &crate::hash::Hashes,
    ) -> Result<bool, &'static str> {
        if u64::try_from(self.length) != Ok(length) || self.hashes.len() != hashes.len() {
            return Ok(false);
        }
        for hash in &self.hashes {
            let bytes = from_hex(&hash.hash).ok_or("a hash of a cached file is no hex")?;
            let listed = hashes.get(&hash.algorithm).and_then(|listed| from_hex(listed));
            if listed != Some(bytes) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn strip_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, member| !member.is_null());
            map.values_mut().for_each(strip_nulls);
        }
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(strip_nulls);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Fuzz target: whatever a client sends is read or refused, and what is read passes the checks.
///
/// # Panics
/// When that does not hold.
pub fn check_request(body: &[u8]) {
    match ClientRequest::parse(body) {
        Ok((client, _)) => {
            assert!(!client.id.is_empty() && client.state.is_some());
            let roles = [client.is_tracer, client.is_agent, client.is_updater];
            assert_eq!(roles.iter().filter(|is| **is).count(), 1);
        }
        Err(error) => assert!(!error.to_string().is_empty(), "a refusal says why"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn good() -> Value {
        json!({
            "client": {
                "state": {"root_version": 1},
                "id": "c",
                "products": ["ASM"],
                "is_tracer": true,
                "client_tracer": {"runtime_id": "r", "language": "python", "env": null},
                "capabilities": "AQ==",
            },
            "cached_target_files": [{
                "path": "datadog/2/ASM/a/b",
                "length": 3,
                "hashes": [{"algorithm": "sha256", "hash": "00"}],
            }],
        })
    }

    fn refusal(change: impl FnOnce(&mut Value)) -> String {
        let mut value = good();
        change(&mut value);
        match ClientRequest::parse(value.to_string().as_bytes()) {
            Err(RequestError::Invalid(message)) => message,
            other => panic!("{value}: {other:?}"),
        }
    }

    #[test]
    fn a_good_request_is_taken() {
        let (client, cached) = ClientRequest::parse(good().to_string().as_bytes()).unwrap();
        assert_eq!((client.capabilities, cached.len()), (vec![1], 1));
    }

    #[test]
    fn bytes_may_be_a_list_of_numbers() {
        let mut value = good();
        value["client"]["capabilities"] = json!([1, 255]);
        let (client, _) = ClientRequest::parse(value.to_string().as_bytes()).unwrap();
        assert_eq!(client.capabilities, [1, 255]);
    }

    /// spec: remote-config §6.2, in order.
    #[test]
    fn every_refusal_of_the_spec() {
        let client = |value: &mut Value| value["client"].take();
        let required = "is a required field for client config update requests";
        assert_eq!(refusal(|v| drop(client(v))), format!("client {required}"));
        assert_eq!(
            refusal(|v| v["client"]["state"] = json!(null)),
            format!("client.state {required}")
        );
        let message = refusal(|v| v["client"]["state"]["root_version"] = json!(0));
        assert!(message.starts_with("client.state.root_version must be >= 1"), "{message}");
        let message = refusal(|v| v["client"]["client_tracer"] = json!(null));
        assert_eq!(
            message,
            "client.client_tracer is a required field for tracer client config update requests"
        );
        for role in ["agent", "updater"] {
            let message = refusal(|v| v["client"][format!("is_{role}")] = json!(true));
            assert!(
                message.starts_with(&format!("client.client_{role} is a required")),
                "{message}"
            );
        }
        let message = refusal(|v| {
            v["client"]["is_updater"] = json!(true);
            v["client"]["client_updater"] = json!({});
        });
        assert!(message.ends_with("are mutually exclusive"), "{message}");
        let message = refusal(|v| v["client"]["is_tracer"] = json!(false));
        assert!(message.starts_with("agents only support"), "{message}");
        assert_eq!(refusal(|v| v["client"]["id"] = json!("")), format!("client.id {required}"));
        let message = refusal(|v| v["client"]["client_agent"] = json!({}));
        assert_eq!(message, "client.client_agent must not be set if client.is_tracer is true");
        let message = refusal(|v| v["client"]["id"] = json!("r"));
        assert_eq!(message, "client.id must be different from client.client_tracer.runtime_id");
        let message = refusal(|v| v["client"]["client_tracer"]["language"] = json!(""));
        assert_eq!(message, format!("client.client_tracer.language {required}"));
        let message = refusal(|v| {
            v["client"]["is_tracer"] = json!(false);
            v["client"]["is_agent"] = json!(true);
            v["client"]["client_agent"] = json!({});
        });
        assert_eq!(message, "client.client_tracer must not be set if client.is_agent is true");
    }

    #[test]
    fn cached_files_are_checked() {
        let with = |change: fn(&mut Value)| refusal(|v| change(&mut v["cached_target_files"][0]));
        for (message, start) in [
            (with(|file| file["path"] = json!("")), "cached_target_files[0].path is a required"),
            (with(|file| file["path"] = json!("x")), "cached_target_files[0].path is not"),
            (with(|file| file["length"] = json!(0)), "cached_target_files[0].length must be"),
            (with(|file| file["hashes"] = json!([])), "cached_target_files[0].hashes is a"),
            (
                with(|file| file["hashes"][0]["algorithm"] = json!("")),
                "cached_target_files[0].hashes[0].algorithm",
            ),
            (
                with(|file| file["hashes"][0]["hash"] = json!("")),
                "cached_target_files[0].hashes[0].hash",
            ),
        ] {
            assert!(message.starts_with(start), "{message}");
        }
    }

    #[test]
    fn what_is_no_json_says_so() {
        let json = |body: &[u8]| match ClientRequest::parse(body) {
            Err(RequestError::Json(message)) => message,
            other => panic!("{other:?}"),
        };
        assert_eq!(json(b""), "unexpected end of JSON input");
        assert!(!json(b"{").is_empty() && !json(br#"{"client": 1}"#).is_empty());
        assert!(json(br#"{"client": {"capabilities": "?"}}"#).contains("no base64"));
        assert!(json(br#"{"client": {"capabilities": [256]}}"#).contains("up to 255"));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            check_request(&bytes);
        }

        #[test]
        fn a_good_request_with_anything_in_one_place(
            member in "(state|id|products|is_tracer|client_tracer|capabilities|is_agent)",
            text in "[0-9a-z\\[\\]{}\":,]{0,20}",
        ) {
            let mut value = good();
            value["client"][member.as_str()] =
                serde_json::from_str(&text).unwrap_or_else(|_| json!(text));
            check_request(value.to_string().as_bytes());
        }
    }
}
