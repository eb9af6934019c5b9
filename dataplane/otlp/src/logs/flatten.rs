//! Nested attributes as keys with dots. spec: otlp §7.2.

use serde_json::{Map, Number, Value as Json};

use crate::wire::WireError;
use crate::{DEPTH_MAX, Value, elements, entries};

/// Depth at which a map is written as text.
const MAPS_MAX: usize = 10;

/// Adds an attribute: a map as its entries under `key.…`, everything else as it is.
pub(super) fn flatten(
    key: &str,
    value: &Value<'_>,
    into: &mut Map<String, Json>,
) -> Result<(), WireError> {
    add(key, value, 1, 0, into)
}

/// `maps` counts the maps on the way here, from 1, and `nesting` everything.
fn add(
    key: &str,
    value: &Value<'_>,
    maps: usize,
    nesting: usize,
    into: &mut Map<String, Json>,
) -> Result<(), WireError> {
    if let Value::Map(message) = value
        && maps < MAPS_MAX
    {
        for attribute in entries(message)?.iter() {
            let key = format!("{key}.{}", attribute.key);
            add(&key, &attribute.value, maps + 1, nesting + 1, into)?;
        }
    } else {
        into.insert(key.to_owned(), json(value, nesting)?);
    }
    Ok(())
}

/// A value that is no map of its own, or the text of one.
fn json(value: &Value<'_>, nesting: usize) -> Result<Json, WireError> {
    Ok(match value {
        Value::Bool(is_set) => Json::from(*is_set),
        Value::Int(number) => Json::from(*number),
        Value::Double(number) => double(*number),
        Value::Array(message) => array(message, nesting)?,
        Value::Unset | Value::Text(_) | Value::Bytes(_) | Value::Map(_) => {
            Json::from(value.to_text()?)
        }
    })
}

/// An array, of which maps are flat objects.
pub(super) fn array(message: &[u8], nesting: usize) -> Result<Json, WireError> {
    if nesting > DEPTH_MAX {
        return Err(WireError::TooDeep);
    }
    let mut list = Vec::new();
    for element in elements(message)? {
        list.push(if let Value::Map(message) = &element {
            let mut object = Map::new();
            for attribute in entries(message)?.iter() {
                add(&attribute.key, &attribute.value, 1, nesting + 1, &mut object)?;
            }
            Json::Object(object)
        } else {
            json(&element, nesting + 1)?
        });
    }
    Ok(Json::Array(list))
}

/// A number as Go writes it: one without a fraction looks like an integer, one that JSON has no
/// number for is a text.
fn double(number: f64) -> Json {
    // Up to here every integer has a double of its own.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "an integer of at most 53 bits")]
        return Json::from(number as i64);
    }
    Number::from_f64(number).map_or_else(|| Json::from(number.to_string()), Json::Number)
}
