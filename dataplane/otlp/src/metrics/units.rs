//! Units of UCUM as units of the intake. spec: otlp §5.9.

use super::unit_names::{BASE_UNITS, COUNTED, PREFIXES};

/// The unit of a series for that of a metric; none where any part of it has no name.
pub(crate) fn unit_of(code: &str) -> Option<String> {
    if code.is_empty() || code == "1" {
        return None;
    }
    let Some((unit, per)) = code.split_once('/') else { return part(code) };
    // A second `/` is in no name.
    Some([part(unit)?, part(per)?].join("/"))
}

fn part(code: &str) -> Option<String> {
    if let Some(counted) = code.strip_prefix('{').and_then(|code| code.strip_suffix('}')) {
        let counted = if counted == "datapoint" { "item" } else { counted };
        return COUNTED.binary_search(&counted).is_ok().then(|| counted.to_owned());
    }
    BASE_UNITS.iter().find_map(|unit| {
        let prefix = code.strip_suffix(unit.code)?;
        if prefix.is_empty() {
            return Some(unit.name.to_owned());
        }
        unit.prefixes.contains(&prefix).then_some(())?;
        let (_, name) = PREFIXES.iter().find(|(code, _)| *code == prefix)?;
        Some([*name, unit.name].concat())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// spec: otlp §10.
    #[test]
    fn units_are_those_of_the_vectors() {
        let lines = include_str!("../../../../tests/vectors/otlp_units.jsonl").lines();
        let mut count = 0;
        for line in lines {
            let vector: serde_json::Value = serde_json::from_str(line).unwrap();
            let unit = unit_of(vector["in"].as_str().unwrap());
            assert_eq!(serde_json::json!(unit), vector["out"], "{line}");
            count += 1;
        }
        assert_eq!(count, 196);
    }

    #[test]
    fn what_is_counted_is_sorted() {
        assert!(COUNTED.is_sorted());
    }
}
