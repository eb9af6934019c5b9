//! Reads counters out of `corelane status --json`.

use serde_json::Value;

/// The status document of a running agent.
#[derive(Clone, Debug)]
pub(crate) struct Counters(Value);

impl Counters {
    pub(crate) const fn new(document: Value) -> Self {
        Self(document)
    }

    /// A counter, added up over the lanes. Only the names of the counters and of the list of lanes
    /// matter, not how the document is nested. `None` when it is not there.
    pub(crate) fn value(&self, name: &str) -> Option<u64> {
        if let Some(Value::Array(lanes)) = find(&self.0, "lanes")
            && let Some(sum) =
                lanes.iter().map(|lane| find(lane, name)?.as_u64()).sum::<Option<u64>>()
            && !lanes.is_empty()
        {
            return Some(sum);
        }
        find(&self.0, name)?.as_u64()
    }
}

/// The outermost value with this key.
fn find<'a>(document: &'a Value, key: &str) -> Option<&'a Value> {
    let mut level = vec![document];
    while !level.is_empty() {
        let mut next = Vec::new();
        for value in level {
            match value {
                Value::Object(fields) => {
                    if let Some(found) = fields.get(key) {
                        return Some(found);
                    }
                    next.extend(fields.values());
                }
                Value::Array(items) => next.extend(items),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        level = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn counters_of_lanes_add_up() {
        let counters = Counters::new(json!({
            "version": "1",
            "dogstatsd": { "lanes": [
                { "counters": { "udp_packets": 3 } },
                { "counters": { "udp_packets": 4, "uds_packets": 1 } },
            ]},
        }));
        assert_eq!(counters.value("udp_packets"), Some(7));
        assert_eq!(counters.value("nothing"), None);
    }

    #[test]
    fn totals_are_taken_when_there_is_no_list_of_lanes() {
        let counters = Counters::new(json!({ "totals": { "udp_packets": 5, "uds_packets": 2 } }));
        assert_eq!(counters.value("uds_packets"), Some(2));
    }
}
