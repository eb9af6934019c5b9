//! Whom a configuration is for. spec: remote-config §6.3

use serde::{Deserialize, Deserializer};

use crate::message::{Client, ClientTracer};
use crate::version::{BadVersion, Constraint, Version};

/// Conditions of which one suffices; none is everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Predicates {
    #[serde(default, deserialize_with = "nullable")]
    tracer_predicates_v1: Vec<Predicate>,
}

/// One condition; an empty member is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Predicate {
    #[serde(rename = "clientID")]
    client_id: String,
    service: String,
    environment: String,
    app_version: String,
    tracer_version: String,
    language: String,
    #[serde(rename = "runtimeID")]
    runtime_id: String,
}

fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Predicate>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Predicates {
    /// Whether a client is meant.
    ///
    /// # Errors
    /// A version or a constraint on it that cannot be read.
    pub(crate) fn matches(&self, client: &Client) -> Result<bool, BadVersion> {
        if self.tracer_predicates_v1.is_empty() {
            return Ok(true);
        }
        for predicate in &self.tracer_predicates_v1 {
            if predicate.matches(client)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Predicate {
    fn matches(&self, client: &Client) -> Result<bool, BadVersion> {
        let fits = |wanted: &str, actual: &str| wanted.is_empty() || wanted == actual;
        if !fits(&self.client_id, &client.id) {
            return Ok(false);
        }
        // The other members are about tracers, so that they say nothing about anybody else.
        let none = ClientTracer::default();
        let tracer = match (client.is_tracer, &client.client_tracer) {
            (false, _) => return Ok(true),
            (true, tracer) => tracer.as_ref().unwrap_or(&none),
        };
        let is_fitting = fits(&self.service, &tracer.service)
            && fits(&self.environment, &tracer.env)
            && fits(&self.app_version, &tracer.app_version)
            && fits(&self.language, &tracer.language)
            && fits(&self.runtime_id, &tracer.runtime_id);
        if !is_fitting || self.tracer_version.is_empty() {
            return Ok(is_fitting);
        }
        let version = Version::parse(&tracer.tracer_version)?;
        Ok(Constraint::parse(&self.tracer_version)?.holds(&version))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn client() -> Client {
        Client {
            id: "own-id".to_owned(),
            is_tracer: true,
            client_tracer: Some(ClientTracer {
                runtime_id: "own-runtime".to_owned(),
                language: "python".to_owned(),
                tracer_version: "1.0".to_owned(),
                service: "api".to_owned(),
                env: "prod".to_owned(),
                app_version: "12-beta-alpha-ohnoes".to_owned(),
                ..ClientTracer::default()
            }),
            ..Client::default()
        }
    }

    fn matches(list: serde_json::Value) -> Result<bool, BadVersion> {
        let predicates = json!({ "tracer_predicates_v1": list });
        Predicates::deserialize(predicates).unwrap().matches(&client())
    }

    /// spec: remote-config §6.3, table.
    #[test]
    fn table_of_the_spec() {
        for (list, is_match) in [
            (json!([]), true),
            (json!(null), true),
            (json!([{}]), true),
            (json!([{"tracerVersion": ">=1.0"}]), true),
            (json!([{"tracerVersion": "3.0"}]), false),
            (json!([{"service": "api"}]), true),
            (json!([{"service": "api2"}]), false),
            (json!([{"service": "api", "environment": "dev"}]), false),
            (json!([{"service": "api2"}, {"environment": "prod"}]), true),
            (json!([{"appVersion": "12-beta-alpha-ohnoes"}]), true),
            (json!([{"language": "python"}]), true),
            (json!([{"runtimeID": "own-runtime"}]), true),
            (json!([{"clientID": "own-id"}]), true),
            (json!([{"language": "java"}]), false),
            (json!([{"runtimeID": "foreign"}]), false),
            (json!([{"clientID": "foreign"}]), false),
        ] {
            assert_eq!(matches(list.clone()), Ok(is_match), "{list}");
        }
    }

    #[test]
    fn unreadable_versions_are_an_error() {
        assert!(matches(json!([{"tracerVersion": "not a version"}])).is_err());
        let mut client = client();
        client.client_tracer.as_mut().unwrap().tracer_version = "?".to_owned();
        let list = json!({"tracer_predicates_v1": [{"tracerVersion": ">=1.0"}]});
        assert!(Predicates::deserialize(list).unwrap().matches(&client).is_err());
    }

    #[test]
    fn agents_match_what_is_about_tracers() {
        let agent = Client { id: "a".to_owned(), is_agent: true, ..Client::default() };
        let of = |list: serde_json::Value| {
            let predicates = json!({ "tracer_predicates_v1": list });
            Predicates::deserialize(predicates).unwrap().matches(&agent)
        };
        assert_eq!(of(json!([{"service": "api", "tracerVersion": ">=9"}])), Ok(true));
        assert_eq!(of(json!([{"clientID": "b"}])), Ok(false));
    }
}
