//! `AGENT_CONFIG`: settings of the agent. spec: remote-config §7.1

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Configuration;
use crate::path::ConfigPath;

/// Name of the product.
pub const PRODUCT: &str = "AGENT_CONFIG";
/// The configuration that says which of the others is stronger.
const ORDER_ID: &str = "configuration_order";

/// What all configurations together want.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Level of the log; empty leaves it to the other sources.
    pub log_level: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Order {
    order: Option<Vec<String>>,
    internal_order: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Layer {
    #[serde(default)]
    config: Option<Content>,
}

#[derive(Default, Deserialize)]
struct Content {
    #[serde(default)]
    log_level: Option<String>,
}

/// Merges all configurations.
///
/// # Errors
/// The path and the fault of each that cannot be read; nothing is to be applied then.
pub fn merge(configurations: &[Configuration]) -> Result<Merged, BTreeMap<String, String>> {
    let mut layers = BTreeMap::new();
    let mut order = Order::default();
    let mut faults = BTreeMap::new();
    for configuration in configurations {
        let read = || -> Result<(), String> {
            let path = ConfigPath::parse(&configuration.path).map_err(|refused| refused.detail)?;
            if path.org.is_none() || path.product != PRODUCT {
                return Err(format!("{} is no configuration of the agent", configuration.path));
            }
            let content = &configuration.content;
            if path.id == ORDER_ID {
                order = serde_json::from_slice(content).map_err(|error| error.to_string())?;
            } else {
                let layer: Layer =
                    serde_json::from_slice(content).map_err(|error| error.to_string())?;
                layers.insert(path.id, layer.config.unwrap_or_default());
            }
            Ok(())
        };
        let mut read = read;
        if let Err(fault) = read() {
            faults.insert(configuration.path.clone(), fault);
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut merged = Merged::default();
    for order in [order.order, order.internal_order] {
        for id in order.unwrap_or_default().iter().rev() {
            if let Some(layer) = layers.get(id.as_str()) {
                merged.log_level = layer.log_level.clone().unwrap_or_default();
            }
        }
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn configuration(id: &str, content: &Value) -> Configuration {
        Configuration {
            path: format!("datadog/2/AGENT_CONFIG/{id}/config"),
            id: id.to_owned(),
            version: 1,
            content: content.to_string().into(),
        }
    }

    fn level(layers: &[(&str, Value)]) -> String {
        let all: Vec<_> = layers.iter().map(|(id, content)| configuration(id, content)).collect();
        merge(&all).unwrap().log_level
    }

    fn layer(level: &str) -> Value {
        json!({"name": "other", "config": {"log_level": level}})
    }

    /// spec: remote-config §7.1, vectors.
    #[test]
    fn vectors_of_the_spec() {
        let ordered = |order: Value| ("configuration_order", order);
        let both = || ordered(json!({"order": ["a", "b"]}));
        assert_eq!(level(&[both(), ("a", layer("debug")), ("b", layer("warn"))]), "debug");
        let order = ordered(json!({"order": ["a", "b"], "internal_order": ["c"]}));
        assert_eq!(level(&[order, ("a", layer("debug")), ("c", layer("trace"))]), "trace");
        assert_eq!(level(&[both(), ("b", layer("warn"))]), "warn");
        assert_eq!(level(&[ordered(json!({"order": ["a"]})), ("a", json!({"name": "a"}))]), "");
        assert_eq!(level(&[("a", layer("debug"))]), "");
        assert_eq!(level(&[]), "");
    }

    #[test]
    fn a_broken_layer_spoils_all_and_is_named() {
        let mut broken = configuration("b", &json!(null));
        broken.content = "{".into();
        let order = configuration("configuration_order", &json!({"order": ["a", "b"]}));
        let good = configuration("a", &layer("debug"));
        let faults = merge(&[order, good.clone(), broken.clone()]).unwrap_err();
        assert_eq!(faults.keys().collect::<Vec<_>>(), [&broken.path]);
        let foreign = Configuration { path: "employee/AGENT_CONFIG/a/config".into(), ..good };
        assert!(merge(&[foreign]).is_err());
    }
}
