//! A parsed value, and the way from raw input to it.

use std::time::Duration;

use crate::entry::{Entry, Kind, Limits};
use crate::parse::{self, ListForm};
use crate::scrub;
use crate::yaml::{Node, NodeKind};

/// A value of the kind its table row names. Deliberately without `Debug`: it may hold a secret.
#[derive(Clone, PartialEq)]
pub(crate) enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    Duration(Duration),
    Bytes(u64),
    List(Vec<String>),
    Json(serde_json::Value),
}

impl Value {
    pub(crate) fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    pub(crate) fn as_int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    pub(crate) fn as_float(&self) -> Option<f64> {
        if let Self::Float(value) = self { Some(*value) } else { None }
    }

    pub(crate) fn as_str(&self) -> &str {
        if let Self::Str(value) = self { value } else { "" }
    }

    pub(crate) fn as_duration(&self) -> Option<Duration> {
        if let Self::Duration(value) = self { Some(*value) } else { None }
    }

    pub(crate) fn as_bytes(&self) -> Option<u64> {
        if let Self::Bytes(value) = self { Some(*value) } else { None }
    }

    pub(crate) fn as_list(&self) -> &[String] {
        if let Self::List(value) = self { value } else { &[] }
    }

    pub(crate) fn as_json(&self) -> Option<&serde_json::Value> {
        if let Self::Json(value) = self { Some(value) } else { None }
    }

    pub(crate) fn as_map(&self) -> Option<&serde_json::Map<String, serde_json::Value>> {
        self.as_json().and_then(serde_json::Value::as_object)
    }

    /// The value as it may be shown to anybody: secrets reduced to their last five characters.
    pub(crate) fn to_shown(&self, entry: &Entry) -> serde_json::Value {
        use serde_json::Value as Json;
        let show = |text: &str| {
            if entry.is_secret { scrub::secret(text) } else { scrub::log_line(text).into_owned() }
        };
        match self {
            Self::Bool(value) => Json::from(*value),
            Self::Int(value) => Json::from(*value),
            Self::Float(value) => Json::from(*value),
            Self::Bytes(value) => Json::from(*value),
            Self::Str(value) => Json::from(show(value)),
            Self::Duration(value) => Json::from(duration_text(*value)),
            Self::List(value) => value.iter().map(|item| show(item)).collect(),
            Self::Json(value) => {
                let mut value = value.clone();
                if entry.is_secret {
                    scrub::all_texts(&mut value);
                } else {
                    scrub::json(&mut value, &[]);
                }
                value
            }
        }
    }
}

/// `1h30m`, `100ms`: the largest units that leave no rest.
pub(crate) fn duration_text(duration: Duration) -> String {
    let mut nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, unit_nanos) in [
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1u128),
    ] {
        if nanos >= unit_nanos {
            text.push_str(&format!("{}{unit}", nanos / unit_nanos));
            nanos %= unit_nanos;
        }
    }
    text
}

/// What one layer says about a key, before it is understood. No `Debug`: may hold a secret.
#[derive(Clone)]
pub(crate) enum Raw {
    /// From the environment, a flag, a secret or the table.
    Text(String),
    /// From the file.
    Yaml(Node),
}

/// Why an input was refused, or what is odd about one that was taken.
#[derive(Debug, PartialEq)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Problem {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A value that was taken, with remarks on it.
pub(crate) struct Parsed {
    pub(crate) value: Value,
    pub(crate) remarks: Vec<Problem>,
}

/// Less than a file may nest, so that any value can be written to a file again.
const JSON_DEPTH_MAX: usize = 32;

/// Reads an input as the kind the row asks for and holds it to the row's limits.
pub(crate) fn parse(entry: &Entry, raw: &Raw) -> Result<Parsed, Problem> {
    let mut remarks = Vec::new();
    let value = match entry.kind {
        Kind::Bool => Value::Bool(scalar(entry, raw, parse::bool)?),
        Kind::Int => Value::Int(scalar(entry, raw, parse::int)?),
        Kind::Float => Value::Float(scalar(entry, raw, parse::float)?),
        Kind::Duration => Value::Duration(duration(entry, raw, &mut remarks)?),
        Kind::Bytes => Value::Bytes(size(entry, raw)?),
        Kind::Str => Value::Str(choice(entry, text_of(entry, raw)?)?),
        Kind::List => Value::List(list(entry, raw, ListForm::Blanks)?),
        Kind::CommaList | Kind::Tags => Value::List(list(entry, raw, ListForm::CommasAndBlanks)?),
        Kind::Csv => Value::List(list(entry, raw, ListForm::Csv)?),
        Kind::Rates => Value::Json(rates(entry, raw)?),
        Kind::Map => Value::Json(json(entry, raw, serde_json::Value::is_object, "{\"key\": ...}")?),
        Kind::Json => Value::Json(json(entry, raw, serde_json::Value::is_array, "[...]")?),
    };
    if let Some(check) = entry.check {
        check(&value)
            .map_err(|message| Problem::new(format!("refused{}: {message}", shown(entry, raw))))?;
    }
    Ok(Parsed { value: clamp(entry, value, &mut remarks), remarks })
}

fn scalar<T>(entry: &Entry, raw: &Raw, read: fn(&str) -> Option<T>) -> Result<T, Problem> {
    read(&text_of(entry, raw)?).ok_or_else(|| not_read(entry, raw))
}

fn duration(entry: &Entry, raw: &Raw, remarks: &mut Vec<Problem>) -> Result<Duration, Problem> {
    let text = text_of(entry, raw)?;
    let nanos = parse::duration_nanos(&text).ok_or_else(|| {
        not_read(entry, raw)
            .hint("units are ns, us, ms, s, m and h, as in 1h30m; there are no days")
    })?;
    if nanos != 0 && parse::float(&text).is_some() {
        remarks.push(
            Problem::new(format!("the bare number {nanos} counts nanoseconds"))
                .hint(format!("write {nanos}s if seconds are meant")),
        );
    }
    match u64::try_from(nanos) {
        Ok(nanos) => Ok(Duration::from_nanos(nanos)),
        // Some keys of the Agent are switched off by it.
        Err(_) if matches!(entry.limits, Limits::Int { min: ..0, .. }) => Ok(Duration::ZERO),
        Err(_) => Err(Problem::new(format!(
            "refused{}: a duration cannot be negative",
            shown(entry, raw)
        ))),
    }
}

fn size(entry: &Entry, raw: &Raw) -> Result<u64, Problem> {
    let text = text_of(entry, raw)?;
    parse::size_bytes(&text).ok_or_else(|| {
        let problem = not_read(entry, raw);
        match parse::size_bytes(&format!("{text}b")) {
            Some(_) => problem.hint(format!("write {}b", text.trim())),
            None => problem.hint("a size is a number of bytes, or a number with kb, Mb or Gb"),
        }
    })
}

/// Spells a choice the way the table does: any letter case, `-` for `_`, and the spellings of
/// true and false where those are choices.
fn choice(entry: &Entry, text: String) -> Result<String, Problem> {
    if entry.choices.is_empty() {
        return Ok(text);
    }
    let wanted = text.trim().replace('-', "_");
    let found = entry.choices.iter().find(|choice| choice.eq_ignore_ascii_case(&wanted));
    let found = found.or_else(|| {
        let spelled = if parse::bool(&wanted)? { "true" } else { "false" };
        entry.choices.iter().find(|choice| **choice == spelled)
    });
    found.map(|choice| (*choice).to_owned()).ok_or_else(|| not_read(entry, &Raw::Text(text)))
}

fn list(entry: &Entry, raw: &Raw, form: ListForm) -> Result<Vec<String>, Problem> {
    let items = match raw {
        Raw::Text(text) => return Ok(parse::list(text, form)),
        Raw::Yaml(node) => match &node.kind {
            NodeKind::Scalar { text, .. } => return Ok(parse::list(text, form)),
            NodeKind::Null => return Ok(Vec::new()),
            NodeKind::Map(_) => return Err(not_read(entry, raw)),
            NodeKind::Seq(items) => items,
        },
    };
    let mut texts = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match &item.kind {
            NodeKind::Scalar { text, .. } => texts.push(text.clone()),
            NodeKind::Null => {}
            NodeKind::Seq(_) | NodeKind::Map(_) => {
                let problem = format!("expected texts, but item {} is {}", index + 1, item.noun());
                return Err(Problem::new(problem)
                    .hint("write `- key:value` without a blank after the colon, or quote it"));
            }
        }
    }
    Ok(texts)
}

fn json(
    entry: &Entry,
    raw: &Raw,
    is_wanted: fn(&serde_json::Value) -> bool,
    example: &str,
) -> Result<serde_json::Value, Problem> {
    let value = match raw {
        Raw::Yaml(Node { kind: NodeKind::Scalar { text, .. }, .. }) | Raw::Text(text) => {
            serde_json::from_str(text.trim()).map_err(|error| {
                Problem::new(format!(
                    "not valid JSON (line {} column {})",
                    error.line(),
                    error.column()
                ))
                .hint(format!("write it as {example}"))
            })?
        }
        Raw::Yaml(node) => node.to_json(),
    };
    if is_deeper(&value, JSON_DEPTH_MAX) {
        return Err(Problem::new(format!("nested deeper than {JSON_DEPTH_MAX} levels")));
    }
    if is_wanted(&value) { Ok(value) } else { Err(not_read(entry, raw)) }
}

/// A map whose values are rates; as one text, `name=rate,...`.
fn rates(entry: &Entry, raw: &Raw) -> Result<serde_json::Value, Problem> {
    let map = match raw {
        Raw::Yaml(Node { kind: NodeKind::Map(_), .. }) => {
            json(entry, raw, serde_json::Value::is_object, "name: rate")?
        }
        Raw::Yaml(Node { kind: NodeKind::Null, .. }) => serde_json::json!({}),
        Raw::Text(text) if text.trim_start().starts_with('{') => {
            json(entry, raw, serde_json::Value::is_object, "{\"name\": rate}")?
        }
        Raw::Text(_) | Raw::Yaml(_) => {
            let rates = parse::rates(&text_of(entry, raw)?);
            rates.map(serde_json::Value::Object).ok_or_else(|| not_read(entry, raw))?
        }
    };
    let is_rate =
        |rate: &serde_json::Value| rate.as_f64().is_some_and(|rate| (0.0..=1.0).contains(&rate));
    match map.as_object().into_iter().flatten().find(|(_, rate)| !is_rate(rate)) {
        Some((name, _)) => Err(Problem::new(format!("`{name}` needs a rate from 0 to 1"))),
        None => Ok(map),
    }
}

/// Whether a value has more than so many collections inside each other.
fn is_deeper(value: &serde_json::Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else {
        return value.is_array() || value.is_object();
    };
    match value {
        serde_json::Value::Array(items) => items.iter().any(|item| is_deeper(item, below)),
        serde_json::Value::Object(map) => map.values().any(|item| is_deeper(item, below)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => false,
    }
}

/// The one text of an input; a list or map is refused.
fn text_of(entry: &Entry, raw: &Raw) -> Result<String, Problem> {
    match raw {
        Raw::Text(text) => Ok(text.clone()),
        Raw::Yaml(node) => match &node.kind {
            NodeKind::Scalar { text, .. } => Ok(text.clone()),
            NodeKind::Null => Ok(String::new()),
            NodeKind::Seq(_) | NodeKind::Map(_) => Err(not_read(entry, raw)),
        },
    }
}

fn not_read(entry: &Entry, raw: &Raw) -> Problem {
    Problem::new(format!("expected {}, found{}", entry.expected(), shown(entry, raw)))
}

/// The refused input for a message: short, and never a secret.
fn shown(entry: &Entry, raw: &Raw) -> String {
    const SHOWN_CHARS: usize = 60;
    let text = match raw {
        Raw::Text(text) => text,
        Raw::Yaml(node) => match &node.kind {
            NodeKind::Scalar { text, .. } => text,
            NodeKind::Null | NodeKind::Seq(_) | NodeKind::Map(_) => {
                return format!(" {}", node.noun());
            }
        },
    };
    if entry.is_secret {
        return " a hidden value".to_owned();
    }
    let mut line: String = scrub::log_line(text).chars().take(SHOWN_CHARS + 1).collect();
    if line.chars().count() > SHOWN_CHARS {
        line = line.chars().take(SHOWN_CHARS).chain("...".chars()).collect();
    }
    format!(" {line:?}")
}

fn clamp(entry: &Entry, value: Value, remarks: &mut Vec<Problem>) -> Value {
    let clamped = match (entry.limits, &value) {
        (Limits::Int { min, max }, Value::Int(number)) => Value::Int((*number).clamp(min, max)),
        (Limits::Float { min, max }, Value::Float(number)) => Value::Float(number.clamp(min, max)),
        (Limits::Int { min, max }, Value::Bytes(number)) => {
            Value::Bytes((*number).clamp(min.unsigned_abs(), max.unsigned_abs()))
        }
        (Limits::Int { min, max }, Value::Duration(span)) => Value::Duration((*span).clamp(
            Duration::from_nanos(u64::try_from(min).unwrap_or(0)),
            Duration::from_nanos(max.unsigned_abs()),
        )),
        _ => return value,
    };
    if clamped != value {
        let text = |value: &Value| crate::explain::text_of(&value.to_shown(entry));
        remarks.push(Problem::new(format!(
            "{} is outside {}; {} is used",
            text(&value),
            entry.expected(),
            text(&clamped)
        )));
    }
    clamped
}
