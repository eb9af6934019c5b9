//! Filter tags: which traces are dropped by what their root says. spec: apm §6.4.

use span::{Batch, Span};

use crate::access::KeyName;
use crate::{Pattern, SettingsError};

/// The lists of `filter_tags` and `filter_tags_regex`.
#[derive(Clone, Debug, Default)]
pub struct TagFilter {
    require: Vec<Rule>,
    reject: Vec<Rule>,
}

/// The four lists as they are configured. An entry is `key` or `key:value`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TagLists<'a> {
    /// The root needs all of these.
    pub require: &'a [String],
    /// The root may have none of these.
    pub reject: &'a [String],
    /// Like `require`, with a regular expression as value.
    pub require_regex: &'a [String],
    /// Like `reject`, with a regular expression as value.
    pub reject_regex: &'a [String],
}

#[derive(Clone, Debug)]
struct Rule {
    key: KeyName,
    value: Wanted,
}

#[derive(Clone, Debug)]
enum Wanted {
    Anything,
    Text(Box<str>),
    Match(Pattern),
}

impl TagFilter {
    /// A filter of these lists. A regular expression for a key that the plain list has is left out,
    /// as is an entry without a key.
    ///
    /// # Errors
    /// A regular expression does not compile; the message names the list and the key.
    pub fn new(lists: &TagLists<'_>) -> Result<Self, SettingsError> {
        let require = rules("require", lists.require, lists.require_regex)?;
        Ok(Self { require, reject: rules("reject", lists.reject, lists.reject_regex)? })
    }

    /// Whether nothing is ever dropped.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.require.is_empty() && self.reject.is_empty()
    }

    /// Whether a trace with this root is dropped.
    pub(crate) fn is_dropped(&self, batch: &Batch, root: &Span, scratch: &mut String) -> bool {
        self.reject.iter().any(|rule| rule.is_met(batch, root, scratch))
            || !self.require.iter().all(|rule| rule.is_met(batch, root, scratch))
    }
}

impl Rule {
    fn is_met(&self, batch: &Batch, root: &Span, scratch: &mut String) -> bool {
        let held = self.key.text_of(batch, root, scratch);
        held.is_some_and(|held| match &self.value {
            Wanted::Anything => true,
            Wanted::Text(text) => held == &**text,
            Wanted::Match(pattern) => pattern.matches(held),
        })
    }
}

fn rules(list: &str, plain: &[String], with_regex: &[String]) -> Result<Vec<Rule>, SettingsError> {
    let mut rules = Vec::new();
    for (key, value) in plain.iter().filter_map(|entry| split(entry)) {
        let value = if value.is_empty() { Wanted::Anything } else { Wanted::Text(value.into()) };
        rules.push(Rule { key: KeyName::new(key), value });
    }
    let plain_count = rules.len();
    for (key, value) in with_regex.iter().filter_map(|entry| split(entry)) {
        if rules.iter().take(plain_count).any(|rule| &*rule.key.text == key) {
            continue;
        }
        let value = if value.is_empty() {
            Wanted::Anything
        } else {
            let rule = format!("filter_tags_regex.{list} of {key}");
            Wanted::Match(Pattern::new(&rule, value)?)
        };
        rules.push(Rule { key: KeyName::new(key), value });
    }
    Ok(rules)
}

/// Key and value of an entry, without space around them.
fn split(entry: &str) -> Option<(&str, &str)> {
    let (key, value) = entry.split_once(':').unwrap_or((entry, ""));
    let (key, value) = (key.trim(), value.trim());
    (!key.is_empty()).then_some((key, value))
}
