//! What a probe saw.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Captures, StackFrame};

/// One hit of a probe, or one caught exception.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot<'a> {
    /// Language of the tracer.
    pub language: Cow<'a, str>,
    /// A UUID.
    pub id: Cow<'a, str>,
    /// Milliseconds since the epoch.
    pub timestamp: u64,
    /// Of an exception: common to the snapshots of all its frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception_id: Option<Cow<'a, str>>,
    /// Of an exception: the same whenever it is thrown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception_hash: Option<Cow<'a, str>>,
    /// Of an exception: which frame this is. A number, but text in JSON.
    #[serde(default, with = "as_text", skip_serializing_if = "Option::is_none")]
    pub frame_index: Option<u32>,
    /// Captured values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captures: Option<Captures<'a>>,
    /// The probe that was hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe<'a>>,
    /// Expressions that could not be evaluated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evaluation_errors: Vec<EvaluationError<'a>>,
    /// How it came here, innermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<StackFrame<'a>>,
}

/// A probe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe<'a> {
    /// Its id.
    pub id: Cow<'a, str>,
    /// Where it is.
    pub location: ProbeLocation<'a>,
}

/// Where a probe is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeLocation<'a> {
    /// Method or function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Cow<'a, str>>,
    /// Class or module.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<Cow<'a, str>>,
}

/// An expression that could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluationError<'a> {
    /// The expression.
    pub expr: Cow<'a, str>,
    /// What went wrong.
    pub message: Cow<'a, str>,
}

/// A number that is text in JSON.
mod as_text {
    use std::borrow::Cow;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        number: &Option<u32>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match number {
            Some(number) => serializer.collect_str(number),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<u32>, D::Error> {
        let text = Option::<Cow<'de, str>>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}
