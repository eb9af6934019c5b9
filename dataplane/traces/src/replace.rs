//! Replace rules: regular expressions over tags, resources and the attributes of events.
//! spec: apm §6.6.

use pattern::Template;
use regex::CaptureLocations;
use span::{Arena, Attribute, Batch, Key, Slice, Span, Str, Strings, Value};

use crate::access::{KeyName, write, write_number};
use crate::budget::Budget;
use crate::{Pattern, SettingsError};

/// One entry of `replace_tags`, compiled.
#[derive(Clone, Debug)]
pub struct ReplaceRule {
    name: KeyName,
    target: Target,
    pattern: Pattern,
    template: Template,
}

/// What a rule changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// Everything whose key does not start with an underscore, and the resource.
    All,
    Resource,
    /// What has the rule's name.
    Key,
}

/// The buffers of one lane for its rules.
#[derive(Clone, Debug)]
pub(crate) struct Rewriter {
    groups: Vec<CaptureLocations>,
    text: String,
    out: String,
    // How far the chunk in work is.
    rule: usize,
    at: Cursor,
}

/// A span of a chunk, and what of it is next.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    span: usize,
    part: Part,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Fields,
    /// From an attribute on.
    Attributes(usize),
    /// From an attribute of an event on.
    Events(usize, usize),
}

/// Bytes of one attribute or event attribute, with all values within it, that one rule reads; a
/// text beyond is replaced as a whole.
const PART_BYTES_MAX: usize = span::decode::TEXT_BYTES_MAX;
/// What takes its place.
const UNREAD: &str = "?";

/// Levels of arrays and maps whose elements are looked at.
const DEPTH_MAX: usize = 64;

impl ReplaceRule {
    /// Compiles entry `index` of the list: in what `name` says, each match of `pattern` becomes
    /// `repl`, where `$1` and `${name}` stand for groups.
    ///
    /// # Errors
    /// There is no name, or the pattern does not compile; the message names the entry.
    pub fn new(index: usize, name: &str, pattern: &str, repl: &str) -> Result<Self, SettingsError> {
        if name.is_empty() {
            return Err(SettingsError::NoName { index });
        }
        let pattern = Pattern::new(&format!("replace_tags[{index}] of {name}"), pattern)?;
        let template = Template::new(repl, pattern.regex());
        let target = match name {
            "*" => Target::All,
            "resource.name" => Target::Resource,
            _ => Target::Key,
        };
        Ok(Self { name: KeyName::new(name), target, pattern, template })
    }

    /// The rules that `remove_stack_traces` adds.
    ///
    /// # Errors
    /// Never in practice: the patterns are fixed.
    pub fn remove_stack_traces() -> Result<[Self; 2], SettingsError> {
        let rule = |name| Self::new(0, name, "(?s).*", "?");
        Ok([rule("error.stack")?, rule("exception.stacktrace")?])
    }

    fn concerns(&self, held: &Attribute, strings: &Strings) -> bool {
        match self.target {
            Target::All => strings.bytes(held.key).first() != Some(&b'_'),
            Target::Resource => false,
            Target::Key => self.name.is_of(held, strings),
        }
    }

    fn concerns_field(&self, key: Key) -> bool {
        match self.target {
            Target::All => true,
            Target::Resource => false,
            Target::Key => self.name.key == key,
        }
    }
}

impl Rewriter {
    /// Buffers for these rules.
    pub(crate) fn new(rules: &[ReplaceRule]) -> Self {
        let groups = rules.iter().map(|rule| rule.pattern.regex().capture_locations()).collect();
        let at = Cursor { span: 0, part: Part::Fields };
        Self { groups, text: String::new(), out: String::new(), rule: 0, at }
    }

    /// Begins with a chunk.
    pub(crate) const fn begin(&mut self) {
        self.rule = 0;
        self.at = Cursor { span: 0, part: Part::Fields };
    }

    /// Applies all rules to the spans of a chunk, one rule after the other; false when the budget
    /// is used up before the end.
    pub(crate) fn step(
        &mut self,
        rules: &[ReplaceRule],
        batch: &mut Batch,
        chunk: Slice,
        budget: &mut Budget,
    ) -> bool {
        while let Some(rule) = rules.get(self.rule) {
            let Some(groups) = self.groups.get_mut(self.rule) else { return true };
            let (text, out) = (&mut self.text, &mut self.out);
            let mut pass = Pass { rule, groups, text, out, read_bytes: 0 };
            while self.at.span < chunk.len as usize {
                let at = chunk.start as usize + self.at.span;
                let is_done = pass.span(batch, at, &mut self.at.part, budget);
                if is_done {
                    self.at = Cursor { span: self.at.span + 1, part: Part::Fields };
                }
                if budget.is_used_up() {
                    return false;
                }
            }
            self.rule += 1;
            self.at = Cursor { span: 0, part: Part::Fields };
        }
        true
    }
}

impl Rewriter {
    /// Applies all rules to the resource and the HTTP status of a group of stats; a status that is
    /// no number afterwards stays. spec: apm §6.6, last paragraph.
    pub(crate) fn apply_to_group(
        &mut self,
        rules: &[ReplaceRule],
        resource: &mut String,
        http_status: &mut u32,
    ) {
        for (rule, groups) in rules.iter().zip(&mut self.groups) {
            if rule.target != Target::Key && rewrite(rule, groups, resource, &mut self.out) {
                resource.clone_from(&self.out);
            }
            if !rule.concerns_field(Key::HttpStatusCode) {
                continue;
            }
            self.text.clear();
            write(&mut self.text, format_args!("{http_status}"));
            if rewrite(rule, groups, &self.text, &mut self.out)
                && let Ok(status) = self.out.parse()
            {
                *http_status = status;
            }
        }
    }
}

/// One rule at work.
struct Pass<'a> {
    rule: &'a ReplaceRule,
    groups: &'a mut CaptureLocations,
    text: &'a mut String,
    out: &'a mut String,
    /// Bytes that were read of the part in work.
    read_bytes: usize,
}

impl Pass<'_> {
    /// Works on a span from a part on; false when the budget is used up before its end.
    fn span(&mut self, batch: &mut Batch, at: usize, part: &mut Part, budget: &mut Budget) -> bool {
        let is_v1 = batch.format.is_v1();
        let Batch { spans, attributes, nested, events, strings, .. } = batch;
        let Some(span) = spans.get_mut(at) else { return true };
        if matches!(part, Part::Fields) {
            self.fields(span, is_v1, strings);
            self.spend(budget);
            *part = Part::Attributes(0);
        }
        if let Part::Attributes(from) = *part {
            if self.rule.target != Target::Resource && span.keys.has(self.rule.name.key) {
                let held = attributes.get_mut(span.attributes);
                for (n, held) in held.iter_mut().enumerate().skip(from) {
                    if self.rule.concerns(held, strings) {
                        if is_v1 {
                            self.typed(held, nested, strings, DEPTH_MAX);
                        } else {
                            self.untyped(held, strings);
                        }
                    }
                    self.spend(budget);
                    if budget.is_used_up() {
                        *part = Part::Attributes(n + 1);
                        return false;
                    }
                }
            }
            *part = Part::Events(0, 0);
        }
        let Part::Events(event_from, attribute_from) = *part else { return true };
        let events = events.get(span.events.range()).unwrap_or_default();
        for (n, event) in events.iter().enumerate().skip(event_from) {
            let from = if n == event_from { attribute_from } else { 0 };
            for (attribute, place) in event.attributes.range().enumerate().skip(from) {
                self.element(nested, place, strings, DEPTH_MAX, true);
                self.spend(budget);
                if budget.is_used_up() {
                    *part = Part::Events(n, attribute + 1);
                    return false;
                }
            }
        }
        true
    }

    /// Fields of the span itself.
    fn fields(&mut self, span: &mut Span, is_v1: bool, strings: &mut Strings) {
        if self.rule.target != Target::Key {
            self.string(&mut span.resource, strings);
        }
        if !is_v1 {
            return;
        }
        let fields = [
            (Key::Env, &mut span.env),
            (Key::Version, &mut span.version),
            (Key::Component, &mut span.component),
        ];
        for (key, field) in fields {
            if !field.is_empty() && self.rule.concerns_field(key) {
                self.string(field, strings);
            }
        }
    }

    /// Pays for what was read since the last time.
    const fn spend(&mut self, budget: &mut Budget) {
        budget.spend(4 + self.read_bytes * 2);
        self.read_bytes = 0;
    }

    /// An entry of `meta` or `metrics`; what is no number any more becomes `meta`.
    fn untyped(&mut self, held: &mut Attribute, strings: &mut Strings) {
        match held.value() {
            Value::Text(mut text) => {
                self.string(&mut text, strings);
                held.set(Value::Text(text));
            }
            Value::Double(number) => {
                self.text.clear();
                write_number(number, self.text);
                if self.replace() {
                    let number = parse_number(self.out).map(Value::Double);
                    held.set(number.unwrap_or_else(|| Value::Text(strings.add(self.out))));
                }
            }
            Value::Bool(_) | Value::Int(_) | Value::Bytes(_) | Value::Array(_) | Value::Map(_) => {}
        }
    }

    /// An attribute of v1.0 or of an event, whose type may change with its value. What no match was
    /// found in keeps its type.
    fn typed(
        &mut self,
        held: &mut Attribute,
        nested: &mut Arena<Attribute>,
        strings: &mut Strings,
        depth: usize,
    ) {
        self.text.clear();
        match held.value() {
            Value::Text(mut text) => {
                self.string(&mut text, strings);
                held.set(Value::Text(text));
                return;
            }
            Value::Bytes(_) => return,
            Value::Array(slice) | Value::Map(slice) => {
                for n in slice.range() {
                    self.element(nested, n, strings, depth, false);
                }
                return;
            }
            Value::Bool(is_set) => self.text.push_str(if is_set { "true" } else { "false" }),
            Value::Double(number) => write_number(number, self.text),
            Value::Int(number) => write(self.text, format_args!("{number}")),
        }
        if self.replace() {
            held.set(retype(self.out, strings));
        }
    }

    /// An entry of the nested arena. Those of events are chosen by key, those within an array or
    /// map are all meant.
    fn element(
        &mut self,
        nested: &mut Arena<Attribute>,
        at: usize,
        strings: &mut Strings,
        depth: usize,
        is_named: bool,
    ) {
        self.read_bytes += 1;
        let place = Slice { start: u32::try_from(at).unwrap_or(u32::MAX), len: 1 };
        let Some(&held) = nested.slice(place).first() else { return };
        if depth == 0 || is_named && !self.rule.concerns(&held, strings) {
            return;
        }
        let mut changed = held;
        self.typed(&mut changed, nested, strings, depth - 1);
        if let Some(held) = nested.slice_mut(place).first_mut() {
            *held = changed;
        }
    }

    /// Replaces within a string.
    fn string(&mut self, text: &mut Str, strings: &mut Strings) {
        self.read_bytes += strings.len_of(*text);
        if self.read_bytes > PART_BYTES_MAX {
            *text = strings.add(UNREAD);
        } else if rewrite(self.rule, self.groups, strings.text(*text), self.out) {
            *text = strings.add(self.out);
        }
    }

    /// Replaces within `text`, to `out`.
    fn replace(&mut self) -> bool {
        rewrite(self.rule, self.groups, self.text, self.out)
    }
}

/// Writes `text` with all matches replaced. False, when there is none.
///
/// An empty match that touches the match before it is none.
fn rewrite(
    rule: &ReplaceRule,
    groups: &mut CaptureLocations,
    text: &str,
    out: &mut String,
) -> bool {
    let regex = rule.pattern.regex();
    let has_groups = rule.template.has_groups();
    let (mut from, mut copied, mut last_end) = (0, 0, None);
    while from <= text.len() {
        let found = if has_groups {
            regex.captures_read_at(groups, text, from)
        } else {
            regex.find_at(text, from)
        };
        let Some(found) = found else { break };
        if !found.is_empty() || last_end != Some(found.end()) {
            if last_end.is_none() {
                out.clear();
            }
            out.push_str(text.get(copied..found.start()).unwrap_or_default());
            if has_groups {
                rule.template.expand(text, groups, out);
            } else {
                rule.template.write(out);
            }
            (copied, last_end) = (found.end(), Some(found.end()));
        }
        from =
            if found.is_empty() { text.ceil_char_boundary(found.end() + 1) } else { found.end() };
        if found.is_empty() && found.end() >= text.len() {
            break;
        }
    }
    if last_end.is_some() {
        out.push_str(text.get(copied..).unwrap_or_default());
    }
    last_end.is_some()
}

/// A number, as the configuration's dialect reads it: what is too great is none.
fn parse_number(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    let is_overflow = number.is_infinite() && text.bytes().any(|b| b.is_ascii_digit());
    (!is_overflow).then_some(number)
}

/// The value that a replaced text stands for.
fn retype(text: &str, strings: &mut Strings) -> Value {
    if let Ok(number) = text.parse() {
        return Value::Int(number);
    }
    if let Some(number) = parse_number(text) {
        return Value::Double(number);
    }
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => Value::Text(strings.add(text)),
    }
}
