//! Every secret of a configuration, so that it can be found and removed wherever else it stands.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::config::Config;
use crate::keys;
use crate::secrets;
use crate::value::Value;

/// Shorter ones are hidden where they are set, but not looked for in other texts: they would be
/// found in words.
const LEAST_CHARS: usize = 6;

impl Config {
    /// The secrets that any layer holds, in effect or not, and passwords of URLs in other keys;
    /// longest first. For removing them from texts, and for nothing else.
    #[must_use]
    pub fn secret_texts(&self) -> Vec<String> {
        let mut found = BTreeSet::new();
        for entry in keys::all() {
            let values = self.slots.layers(entry).iter().filter_map(|layer| layer.value.as_ref());
            for value in values {
                texts(value, &mut |text| passwords(text, &mut found));
                if entry.is_secret() {
                    secret_leaves(value, &mut found);
                }
            }
        }
        let mut texts: Vec<String> =
            found.into_iter().filter(|text| text.chars().count() >= LEAST_CHARS).collect();
        texts.sort_by_key(|text| Reverse(text.len()));
        texts
    }
}

fn add(text: &str, found: &mut BTreeSet<String>) {
    // A handle is no secret, and support wants to see it.
    if secrets::handle(text).is_none() {
        found.insert(text.trim().to_owned());
    }
}

fn secret_leaves(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Str(text) => add(text, found),
        Value::List(items) => items.iter().for_each(|item| add(item, found)),
        Value::Json(json) => json_leaves(json, true, found),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Duration(_) | Value::Bytes(_) => {
        }
    }
}

/// Lists and maps of keys hold nothing else; in structured items (`{api_key, host}`) the name of a
/// member decides.
fn json_leaves(value: &Json, is_secret: bool, found: &mut BTreeSet<String>) {
    match value {
        Json::String(text) if is_secret => add(text, found),
        Json::Array(items) => items.iter().for_each(|item| match item.as_object() {
            Some(members) => {
                for (name, member) in members {
                    let name = name.to_ascii_lowercase();
                    let is_telling =
                        ["key", "pass", "secret", "token"].iter().any(|part| name.contains(part));
                    json_leaves(member, is_telling, found);
                }
            }
            None => json_leaves(item, is_secret, found),
        }),
        Json::Object(members) => {
            members.values().for_each(|member| json_leaves(member, is_secret, found));
        }
        Json::String(_) | Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// Calls for every text inside a value, names of members included.
fn texts(value: &Value, call: &mut dyn FnMut(&str)) {
    match value {
        Value::Str(text) => call(text),
        Value::List(items) => items.iter().for_each(|item| call(item)),
        Value::Json(json) => json_texts(json, call),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Duration(_) | Value::Bytes(_) => {
        }
    }
}

fn json_texts(value: &Json, call: &mut dyn FnMut(&str)) {
    match value {
        Json::String(text) => call(text),
        Json::Array(items) => items.iter().for_each(|item| json_texts(item, call)),
        Json::Object(members) => {
            for (name, member) in members {
                call(name);
                json_texts(member, call);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// The password in `scheme://user:password@host`.
fn passwords(text: &str, found: &mut BTreeSet<String>) {
    let Some((_, rest)) = text.split_once("://") else { return };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A password with a slash in it is wrong, and written all the same.
    let user_information =
        authority.rsplit_once('@').or_else(|| rest.rsplit_once('@')).map(|(before, _)| before);
    if let Some((_, password)) = user_information.and_then(|before| before.split_once(':')) {
        add(password, found);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{FileSource, Sources, load};

    #[test]
    fn secrets_of_every_layer_are_known_and_nothing_else() {
        let text = "api_key: from-the-file\n\
                    additional_endpoints: {'https://u:url-word@h': [a-second-key, 'ENC[handle]']}\n\
                    proxy: {http: 'http://me:pass/word@p:1'}\nsite: datadoghq.eu\n\
                    evp_proxy_config: {api_key: short}\n";
        let file = FileSource::Text { name: "f".into(), bytes: text.into() };
        let env: BTreeMap<_, _> =
            [("DD_API_KEY".to_owned(), "of-the-environment".to_owned())].into();
        let secrets = crate::SecretMode::Keep;
        let config = load(&Sources { file, env, secrets, ..Sources::default() }).expect("valid");
        assert_eq!(
            config.secret_texts(),
            ["of-the-environment", "from-the-file", "a-second-key", "pass/word", "url-word"]
        );
    }
}
