//! The one gate that contents pass on their way into an archive.

use config::{Config, keys, scrub};
use serde_json::{Map, Value};

/// Removes secrets, by the rules of the spec and by what the configuration is known to hold.
#[derive(Clone)]
pub struct Scrubber {
    /// Each secret with what stands for it, longest first: one may be part of another.
    known: Vec<(String, String)>,
    stripped: Vec<String>,
}

impl std::fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scrubber({} secrets)", self.known.len())
    }
}

impl Scrubber {
    /// Knows the secrets of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let hidden = |secret: String| {
            let shown = scrub::secret(&secret);
            (secret, shown)
        };
        Self {
            known: config.secret_texts().into_iter().map(hidden).collect(),
            stripped: config.list(keys::FLARE_STRIPPED_KEYS).to_vec(),
        }
    }

    /// A text of many lines. Lines that begin with `#` are dropped, as the rules want it.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        // First what is known, since a rule may hide a part of it and leave the rest.
        let text = scrub::text(&self.replaced(text));
        if self.stripped.is_empty() {
            return text;
        }
        text.split('\n').map(|line| self.without_stripped(line)).collect::<Vec<_>>().join("\n")
    }

    /// A line without the values of keys that the user wants hidden.
    fn without_stripped(&self, line: &str) -> String {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        for name in self.stripped.iter().filter(|name| !name.is_empty()) {
            for (at, _) in line.match_indices(name.as_str()) {
                let (before, rest) = line.split_at(at);
                let after = rest.strip_prefix(name.as_str()).unwrap_or_default();
                let is_whole = !before.ends_with(is_word);
                if is_whole && after.trim_start_matches(['"', '\'', ' ']).starts_with([':', '=']) {
                    return format!("{before}{name}: \"{}\"", scrub::HIDDEN);
                }
            }
        }
        line.to_owned()
    }

    /// A file of settings. Keys of the table that are secret are hidden even if this file was
    /// written after the configuration was read.
    #[must_use]
    pub fn settings(&self, source: &str) -> String {
        self.text(&scrub::settings(source, &self.stripped))
    }

    /// A structure, as indented JSON.
    #[must_use]
    pub fn json(&self, mut value: Value) -> String {
        scrub::json(&mut value, &self.stripped);
        format!("{:#}\n", self.clean(value))
    }

    fn clean(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.replaced(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.clean(item)).collect(),
            Value::Object(map) => {
                // Names may be URLs with a password in them.
                let clean = |(name, value): (String, Value)| {
                    let name = scrub::log_line(&self.replaced(&name)).into_owned();
                    (name, self.clean(value))
                };
                Value::Object(map.into_iter().map(clean).collect::<Map<_, _>>())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }

    fn replaced(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (secret, shown) in &self.known {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), shown);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use config::{FileSource, Sources};
    use serde_json::json;

    use super::*;

    const KEY: &str = "zq-first-key-of-this-test-0123456789";
    const OTHER: &str = "zq-second-key-of-this-test";

    fn scrubber() -> Scrubber {
        let text = format!(
            "api_key: {KEY}\nadditional_endpoints:\n  https://a.example: [{OTHER}]\n\
             flare_stripped_keys: [shoe_size]\nproxy:\n  https: http://u:zq-proxy-word@p:3128\n"
        );
        let file = FileSource::Text { name: "f".into(), bytes: text.into() };
        let config = config::load(&Sources { file, ..Sources::default() }).expect("valid");
        Scrubber::new(&config)
    }

    fn assert_clean(text: &str) {
        for secret in [KEY, OTHER, "zq-proxy-word"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }

    #[test]
    fn secrets_of_the_configuration_are_found_wherever_they_stand() {
        let scrubber = scrubber();
        let text = scrubber.text(&format!("a ({KEY}) b{OTHER}c\n# x\nhttp://u:zq-proxy-word@p/"));
        assert_clean(&text);
        assert!(text.contains("***56789") && text.contains("http://u:"), "{text}");
        let text = scrubber.text("a: 1, shoe_size: 44\nmy_shoe_size: 43\n");
        assert_eq!(text, "a: 1, shoe_size: \"********\"\nmy_shoe_size: 43\n");
        let json = scrubber.json(json!({
            "a": [KEY, {"b": OTHER}],
            "shoe_size": 44,
            (format!("http://u:zq-proxy-word@p/{KEY}")): "x",
        }));
        assert_clean(&json);
        assert!(!json.contains("44"), "{json}");
        let read: Value = serde_json::from_str(&json).expect("still JSON");
        assert_eq!(read["a"][0], "***56789");
    }

    #[test]
    fn a_file_written_later_shows_nothing_either() {
        let file = "api_key: not-known-before-1\nevp_proxy_config: {app_key: also-new-2}\n\
                    shoe_size: 44\nadditional_endpoints: {'https://u:pass-3@h': [new-key-4]}\n\
                    apm_config.debugger_api_key: new-key-5\nsite: datadoghq.eu\nnumber: 12\n";
        let text = scrubber().settings(file);
        for part in ["not-known-before", "also-new", "44", "pass-3", "new-key"] {
            assert!(!text.contains(part), "{part} is in {text}");
        }
        assert!(text.contains("datadoghq.eu") && text.contains("12"), "{text}");
    }
}
