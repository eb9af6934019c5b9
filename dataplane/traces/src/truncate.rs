//! Limits on the lengths of resources, keys and values. spec: apm §6.5.

use obfuscate::normalize::{cut_str, cut_with_ellipsis, is_exempt_from_cut};
use span::{Batch, Key, Str, Strings, Value};

const RESOURCE_BYTES_MAX: usize = 5_000;
const BIG_RESOURCE_BYTES_MAX: usize = 15_000;
const KEY_BYTES_MAX: usize = 200;
const VALUE_BYTES_MAX: usize = 25_000;

/// Longest resource, with feature `big_resource` or without.
pub(crate) const fn resource_bytes_max(is_big: bool) -> usize {
    if is_big { BIG_RESOURCE_BYTES_MAX } else { RESOURCE_BYTES_MAX }
}

/// Cuts what is too long of one span. Before v1.0 the values of `meta` and the keys of `meta` and
/// `metrics` have limits, in v1.0 all keys and all values that are text.
pub(crate) fn truncate(batch: &mut Batch, at: usize, resource_bytes_max: usize, out: &mut String) {
    let is_v1 = batch.format.is_v1();
    let strings = &mut batch.strings;
    let Some(span) = batch.spans.get_mut(at) else { return };
    if strings.len_of(span.resource) > resource_bytes_max {
        let len = cut_str(strings.text(span.resource), resource_bytes_max).len();
        span.resource = strings.prefix(span.resource, len);
    }
    for held in batch.attributes.get_mut(span.attributes) {
        let value = held.value();
        let text = if let Value::Text(text) = value { text } else { Str::EMPTY };
        let is_key_long = strings.len_of(held.key) > KEY_BYTES_MAX;
        let is_value_long = strings.len_of(text) > VALUE_BYTES_MAX;
        if !is_key_long && !is_value_long {
            continue;
        }
        let is_opaque = matches!(value, Value::Bytes(_)) && !is_v1;
        let is_meta = is_v1 || matches!(value, Value::Text(_));
        if is_opaque || is_meta && is_exempt_from_cut(strings.text(held.key)) {
            continue;
        }
        if is_value_long {
            held.set(Value::Text(cut(strings, text, VALUE_BYTES_MAX, out)));
        }
        if is_key_long {
            held.key = cut(strings, held.key, KEY_BYTES_MAX, out);
            held.name = Key::Other;
        }
    }
}

fn cut(strings: &mut Strings, text: Str, bytes_max: usize, out: &mut String) -> Str {
    out.clear();
    if cut_with_ellipsis(strings.text(text), bytes_max, out).is_written() {
        return strings.add(out);
    }
    text
}
