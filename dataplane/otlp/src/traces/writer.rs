//! The attributes of the span in work. Of equal keys the first stays. spec: otlp §4.3.

use std::borrow::Cow;

use span::{Arena, Attribute, Key, KeySet, List, Str, Table, Value as Held};

use super::mapping::{Mapped, SPAN_HEADER, boolean, mapped};
use super::seen::{self, Seen};
use super::word::{Word, Words, Written};
use crate::traces::known::Known;
use crate::wire::WireError;
use crate::{Attribute as Given, Value};

/// An attribute that many spans take over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    key: Str,
    name: Key,
    /// With the hash of a number, it is one.
    hash: u64,
    value: Held,
}

/// What is kept from span to span.
#[derive(Debug)]
pub(super) struct Memo {
    seed: u64,
    words: Words,
    seen: Seen,
    /// The last trace id that was written: neighbours share it.
    trace_id: Option<(u128, Str)>,
}

impl Memo {
    /// Keys are hashed under a seed.
    pub(super) fn with_seed(seed: u64) -> Self {
        Self { seed, words: Words::with_seed(seed), seen: Seen::default(), trace_id: None }
    }

    /// Begins another batch, which has no strings yet.
    pub(super) fn clear(&mut self) {
        self.words.clear();
        self.trace_id = None;
    }

    pub(super) const fn heap_bytes(&self) -> usize {
        self.seen.heap_bytes()
    }
}

/// Writes attributes of one span after the other.
#[derive(Debug)]
pub(super) struct Writer<'w, 'b> {
    pub(super) table: Table<'b>,
    pub(super) arena: &'w mut Arena<Attribute>,
    memo: &'w mut Memo,
    list: List,
    keys: KeySet,
}

impl<'w, 'b> Writer<'w, 'b> {
    pub(super) fn new(
        table: Table<'b>,
        arena: &'w mut Arena<Attribute>,
        memo: &'w mut Memo,
    ) -> Self {
        let list = arena.list();
        Self { table, arena, memo, list, keys: KeySet::default() }
    }

    /// A key that translation writes.
    pub(super) fn word(&mut self, word: Word) -> Option<Written> {
        self.memo.words.get(word, &mut self.table)
    }

    /// Begins a span.
    pub(super) fn begin(&mut self) {
        self.memo.seen.clear();
        (self.list, self.keys) = (self.arena.list(), KeySet::default());
    }

    /// Ends the span: its attributes, with room for so many more, and which of the keys they have.
    pub(super) fn end(&mut self, room: u32) -> (List, KeySet) {
        self.arena.reserve(&mut self.list, room);
        (self.list, self.keys)
    }

    /// Adds a text under a key that translation writes.
    pub(super) fn text(&mut self, word: Word, text: &str) {
        self.text_with(word, |table| table.find(text));
    }

    /// Adds a text that is in the strings.
    pub(super) fn string(&mut self, word: Word, text: Str) {
        self.text_with(word, |_| text);
    }

    /// Adds the id of the trace.
    pub(super) fn trace_id(&mut self, id: u128) {
        let text = match self.memo.trace_id.filter(|(last, _)| *last == id) {
            Some((_, text)) => text,
            None => self.table.find(&format!("{id:032x}")),
        };
        self.memo.trace_id = Some((id, text));
        self.string(Word::TraceId, text);
    }

    fn text_with(&mut self, word: Word, text: impl FnOnce(&mut Table<'b>) -> Str) {
        if let Some(held) = self.word(word)
            && self.memo.seen.insert(held.hash)
        {
            let value = Held::Text(text(&mut self.table));
            self.push(held.text, held.key, value);
        }
    }

    /// Adds a number under a key that translation writes.
    pub(super) fn number(&mut self, word: Word, number: f64) {
        if let Some(held) = self.word(word)
            && self.memo.seen.insert(seen::of_number(held.hash))
        {
            self.push(held.text, held.key, Held::Double(number));
        }
    }

    /// Adds an attribute of the span itself. spec: otlp §4.3 step 1.
    pub(super) fn attribute(
        &mut self,
        given: &Given<'_>,
        known: Option<Known>,
    ) -> Result<(), WireError> {
        if let Some(number) = number(&given.value) {
            match mapped(&given.key, known) {
                Mapped::Field => {}
                Mapped::To(word) => self.number(word, number),
                Mapped::Priority => self.number(Word::SamplingPriority, number),
                Mapped::Header(header) => self.number_under(&header_key(header), number),
                Mapped::Same | Mapped::Analytics => self.number_under(&given.key, number),
            }
            return Ok(());
        }
        match mapped(&given.key, known) {
            Mapped::Field => {}
            Mapped::To(word) => {
                let text = given.value.to_text()?;
                self.text(word, &text);
            }
            Mapped::Header(header) => self.text_under(&header_key(header), &given.value)?,
            Mapped::Analytics => match boolean(&given.value.to_text()?) {
                Some(is_kept) => self.number(Word::EventRate, f64::from(u8::from(is_kept))),
                None => self.text_under(&given.key, &given.value)?,
            },
            Mapped::Same | Mapped::Priority => self.text_under(&given.key, &given.value)?,
        }
        Ok(())
    }

    fn text_under(&mut self, key: &str, value: &Value<'_>) -> Result<(), WireError> {
        if self.memo.seen.insert(seen::hash(key, self.memo.seed)) {
            let value = Held::Text(self.table.find(&value.to_text()?));
            let text = self.table.find(key);
            self.push(text, Key::of(key.as_bytes()), value);
        }
        Ok(())
    }

    fn number_under(&mut self, key: &str, number: f64) {
        if self.memo.seen.insert(seen::of_number(seen::hash(key, self.memo.seed))) {
            let text = self.table.find(key);
            self.push(text, Key::of(key.as_bytes()), Held::Double(number));
        }
    }

    /// Adds an attribute that other spans have as well.
    pub(super) fn entry(&mut self, entry: &Entry) {
        if self.memo.seen.insert(entry.hash) {
            self.push(entry.key, entry.name, entry.value);
        }
    }

    fn push(&mut self, key: Str, name: Key, value: Held) {
        self.keys.insert(name);
        self.arena.push(&mut self.list, Attribute::new(key, name, value));
    }

    /// Makes an attribute of a resource one for many spans: always a text. None for what is a field
    /// of spans. spec: otlp §4.3 step 9.
    pub(super) fn entry_of_resource(
        &mut self,
        given: &Given<'_>,
        known: Option<Known>,
    ) -> Result<Option<Entry>, WireError> {
        let text = given.value.to_text()?;
        let word = match mapped(&given.key, known) {
            Mapped::Field => return Ok(None),
            Mapped::To(word) => word,
            Mapped::Header(header) => {
                return Ok(Some(self.entry_under(&header_key(header), &text)));
            }
            Mapped::Analytics if boolean(&text).is_some() => Word::EventRate,
            Mapped::Same | Mapped::Priority | Mapped::Analytics => {
                return Ok(Some(self.entry_under(&given.key, &text)));
            }
        };
        let Some(held) = self.word(word) else { return Ok(None) };
        Ok(Some(if word == Word::EventRate {
            let rate = f64::from(u8::from(boolean(&text) == Some(true)));
            let (hash, value) = (seen::of_number(held.hash), Held::Double(rate));
            Entry { key: held.text, name: held.key, hash, value }
        } else {
            let value = Held::Text(self.table.find(&text));
            Entry { key: held.text, name: held.key, hash: held.hash, value }
        }))
    }

    /// Makes an attribute of a scope one for many spans: a text under its own key.
    /// spec: otlp §4.3 step 10.
    pub(super) fn entry_of_scope(&mut self, given: &Given<'_>) -> Result<Entry, WireError> {
        let text = given.value.to_text()?;
        Ok(self.entry_under(&given.key, &text))
    }

    fn entry_under(&mut self, key: &str, text: &str) -> Entry {
        Entry {
            key: self.table.find(key),
            name: Key::of(key.as_bytes()),
            hash: seen::hash(key, self.memo.seed),
            value: Held::Text(self.table.find(text)),
        }
    }
}

/// A value as a number, if it is one.
pub(super) fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Double(number) => Some(*number),
        #[expect(clippy::cast_precision_loss, reason = "spans have doubles alone")]
        Value::Int(number) => Some(*number as f64),
        Value::Unset
        | Value::Text(_)
        | Value::Bool(_)
        | Value::Array(_)
        | Value::Map(_)
        | Value::Bytes(_) => None,
    }
}

fn header_key(header: &str) -> Cow<'static, str> {
    Cow::Owned([SPAN_HEADER, header].concat())
}
