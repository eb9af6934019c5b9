//! Every key with what each layer says about it.

use std::collections::BTreeMap;

use crate::entry::{BoolKey, Entry, IntKey, ListKey, StrKey};
use crate::keys;
use crate::source::Source;
use crate::value::{self, Raw, Value};

/// What one layer says about a key. No `Debug`: may hold a secret.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) source: Source,
    /// Absent while the whole value is an unresolved `ENC[...]` of a key that is no text.
    pub(crate) value: Option<Value>,
    /// Handles inside the value, or the one that is the whole value.
    pub(crate) handles: Handles,
}

/// The `ENC[...]` handles of a value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Handles {
    None,
    /// The value is one handle.
    Whole(String),
    /// Texts inside the value are handles.
    Inside(Vec<String>),
}

impl Handles {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        let (whole, inside) = match self {
            Self::None => (None, [].as_slice()),
            Self::Whole(handle) => (Some(handle), [].as_slice()),
            Self::Inside(handles) => (None, handles.as_slice()),
        };
        whole.into_iter().chain(inside).map(String::as_str)
    }
}

/// All keys of the table, each with its layers from lowest to highest; the first is the default.
#[derive(Clone)]
pub(crate) struct Slots(BTreeMap<&'static str, Vec<Candidate>>);

impl Slots {
    /// The defaults.
    pub(crate) fn new() -> Self {
        let slot = |entry: &'static Entry| {
            let parsed = value::parse(entry, &Raw::Text(entry.default.to_owned()));
            let value = parsed.ok().map(|parsed| parsed.value);
            assert!(value.is_some(), "the default of {} is valid, as a test checks", entry.name);
            let source = Source::Default;
            (entry.name, vec![Candidate { source, value, handles: Handles::None }])
        };
        Self(keys::all().map(slot).collect())
    }

    pub(crate) fn layers(&self, entry: &Entry) -> &[Candidate] {
        self.0.get(entry.name).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn layers_mut(&mut self, entry: &Entry) -> &mut Vec<Candidate> {
        self.0.entry(entry.name).or_default()
    }

    /// The layer in effect: the highest that has a value.
    pub(crate) fn winner(&self, entry: &Entry) -> &Candidate {
        self.layers(entry)
            .iter()
            .rfind(|candidate| candidate.value.is_some())
            .expect("every row has a default, and only rows are asked for")
    }

    pub(crate) fn value(&self, entry: &Entry) -> &Value {
        self.winner(entry).value.as_ref().expect("a winner has a value")
    }

    pub(crate) fn bool(&self, key: BoolKey) -> bool {
        self.value(key.0).as_bool().unwrap_or_default()
    }

    pub(crate) fn int(&self, key: IntKey) -> i64 {
        self.value(key.0).as_int().unwrap_or_default()
    }

    pub(crate) fn str(&self, key: StrKey) -> &str {
        self.value(key.0).as_str()
    }

    pub(crate) fn list(&self, key: ListKey) -> &[String] {
        self.value(key.0).as_list()
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.0.values_mut().flatten().filter_map(|candidate| candidate.value.as_mut())
    }
}
