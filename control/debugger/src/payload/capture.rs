//! Values that a probe captured.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::is_false;

type Named<'a> = BTreeMap<Cow<'a, str>, Value<'a>>;

/// Captures of one hit, by place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Captures<'a> {
    /// At lines.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lines: BTreeMap<u32, Capture<'a>>,
    /// At the entry of a method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Capture<'a>>,
    /// At its return.
    #[serde(default, rename = "return", skip_serializing_if = "Option::is_none")]
    pub exit: Option<Capture<'a>>,
}

/// Everything visible at one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capture<'a> {
    /// Static fields by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub static_fields: Named<'a>,
    /// Arguments by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: Named<'a>,
    /// Local variables by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub locals: Named<'a>,
    /// Expressions of the probe by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capture_expressions: Named<'a>,
    /// What was thrown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throwable: Option<Throwable<'a>>,
}

/// One value, and what is below it as far as it was followed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Value<'a> {
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: Cow<'a, str>,
    /// As text, if it is a simple one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Cow<'a, str>>,
    /// Fields of an object by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: Named<'a>,
    /// Elements of a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elements: Vec<Self>,
    /// Keys and values of a map.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<(Self, Self)>,
    /// Whether it is no value.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_null: bool,
    /// Whether its text was cut.
    #[serde(default, skip_serializing_if = "is_false")]
    pub truncated: bool,
    /// Why it was not captured: `depth`, `collectionSize`, `fieldCount`, `timeout`,
    /// `redactedIdent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_captured_reason: Option<Cow<'a, str>>,
    /// How large it really is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// Something thrown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throwable<'a> {
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: Cow<'a, str>,
    /// What it says.
    pub message: Cow<'a, str>,
    /// Where it was thrown, innermost first.
    pub stacktrace: Vec<StackFrame<'a>>,
}

/// One frame of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackFrame<'a> {
    /// File.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<Cow<'a, str>>,
    /// Function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<Cow<'a, str>>,
    /// Line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_number: Option<u32>,
    /// Column, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column_number: Option<u32>,
}
