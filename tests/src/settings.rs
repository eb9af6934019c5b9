//! The configuration file of an agent.

use serde_json::{Map, Value};

/// Keys and values of a `datadog.yaml`.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    root: Map<String, Value>,
}

impl Settings {
    /// Sets a key such as `corelane.lanes`; a dot leads one level down.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        let mut parts: Vec<&str> = key.split('.').collect();
        let last = parts.pop().unwrap_or_default();
        let mut level = &mut self.root;
        for part in parts {
            let next = level.entry(part).or_insert_with(|| Value::Object(Map::new()));
            level = next.as_object_mut().expect("a key is a value or a section, not both");
        }
        level.insert(last.to_owned(), value.into());
        self
    }

    /// Removes a key of the first level.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.root.remove(key);
        self
    }

    /// The file. JSON is YAML.
    #[must_use]
    pub fn text(&self) -> String {
        Value::Object(self.root.clone()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn dots_lead_down() {
        let settings = Settings::default().set("a", 1).set("b.c.d", "x").set("b.c.e", true);
        assert_eq!(settings.text(), r#"{"a":1,"b":{"c":{"d":"x","e":true}}}"#);
    }
}
