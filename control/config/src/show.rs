//! The configuration in effect, as YAML that anybody may see.

use serde_json::{Map, Value as Json};

use crate::config::Config;
use crate::explain::text_of;
use crate::keys;
use crate::source::Layer;
use crate::yaml;

/// What `show` lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShowScope {
    /// Keys that some layer sets.
    Set,
    /// Every key, each with where its value comes from as a comment.
    All,
}

impl Config {
    /// The values in effect as YAML, secrets reduced to their last five characters.
    #[must_use]
    pub fn show(&self, scope: ShowScope) -> String {
        match scope {
            ShowScope::Set => self.show_set(),
            ShowScope::All => self.show_all(),
        }
    }

    fn show_set(&self) -> String {
        let mut root = Map::new();
        for entry in keys::all().filter(|entry| self.is_set(*entry)) {
            insert(&mut root, entry.name(), self.slots.value(entry).to_shown(entry));
        }
        if root.is_empty() {
            return "# every key has its default\n".to_owned();
        }
        let mut out = String::new();
        yaml::emit(&Json::Object(root), 0, &mut out);
        format!("{}\n", out.trim_start_matches('\n'))
    }

    /// One line per key, with its dotted path, which the loader reads as well as sections.
    fn show_all(&self) -> String {
        let mut out = String::new();
        for area in keys::areas() {
            out.push_str(&format!("# {}\n", area.title));
            for entry in area.entries {
                let shown = self.slots.value(entry).to_shown(entry);
                yaml::emit_key(entry.name(), &mut out);
                out.push_str(": ");
                yaml::emit_scalar(&shown, &mut out);
                let source = self.source(*entry);
                match source.layer() {
                    Layer::Default => out.push_str(" # default\n"),
                    layer @ (Layer::File
                    | Layer::Env
                    | Layer::Remote
                    | Layer::Flag
                    | Layer::Secret) => {
                        out.push_str(&format!(" # {layer}: {source}\n"));
                    }
                }
            }
        }
        out
    }

    /// One key's value in effect on one line, scrubbed.
    #[must_use]
    pub fn shown(&self, key: impl Into<&'static crate::Entry>) -> String {
        let entry = key.into();
        text_of(&self.slots.value(entry).to_shown(entry))
    }
}

/// Puts a value at a dotted path. No key of the table is a section of another, as a test checks.
fn insert(root: &mut Map<String, Json>, path: &str, value: Json) {
    match path.split_once('.') {
        None => drop(root.insert(path.to_owned(), value)),
        Some((section, rest)) => {
            let child = root.entry(section).or_insert_with(|| Json::Object(Map::new()));
            if let Json::Object(child) = child {
                insert(child, rest, value);
            }
        }
    }
}
