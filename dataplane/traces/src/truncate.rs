//! Limits on the lengths of resources, keys and values. spec: apm §6.5.

use obfuscate::normalize::{cut_str, cut_with_ellipsis, is_exempt_from_cut};
use span::{Batch, Key, Str, Strings, Value};

use crate::access::head_of;
use crate::budget::Budget;

const RESOURCE_BYTES_MAX: usize = 5_000;
const BIG_RESOURCE_BYTES_MAX: usize = 15_000;
const KEY_BYTES_MAX: usize = 200;
const VALUE_BYTES_MAX: usize = 25_000;
/// A longer key is not looked at to tell whether it is exempt.
const EXEMPT_KEY_BYTES_MAX: usize = 4096;

/// Longest resource, with feature `big_resource` or without.
pub(crate) const fn resource_bytes_max(is_big: bool) -> usize {
    if is_big { BIG_RESOURCE_BYTES_MAX } else { RESOURCE_BYTES_MAX }
}

/// Cuts what is too long of one span, from the attribute `from` on. Before v1.0 the values of
/// `meta` and the keys of `meta` and `metrics` have limits, in v1.0 all keys and all values that
/// are text. When the budget is used up before the end, returns the attribute to go on with.
pub(crate) fn truncate(
    batch: &mut Batch,
    at: usize,
    from: usize,
    resource_bytes_max: usize,
    out: &mut String,
    budget: &mut Budget,
) -> Option<usize> {
    let is_v1 = batch.format.is_v1();
    let strings = &mut batch.strings;
    let span = batch.spans.get_mut(at)?;
    if from == 0 && strings.len_of(span.resource) > resource_bytes_max {
        let head = head_of(strings, span.resource, resource_bytes_max);
        let len = cut_str(head, resource_bytes_max).len();
        span.resource = strings.prefix(span.resource, len);
    }
    let held = batch.attributes.get_mut(span.attributes);
    for (n, held) in held.iter_mut().enumerate().skip(from) {
        let value = held.value();
        let text = if let Value::Text(text) = value { text } else { Str::EMPTY };
        let is_key_long = strings.len_of(held.key) > KEY_BYTES_MAX;
        let is_value_long = strings.len_of(text) > VALUE_BYTES_MAX;
        if !is_key_long && !is_value_long {
            continue;
        }
        let is_opaque = matches!(value, Value::Bytes(_)) && !is_v1;
        let is_meta = is_v1 || matches!(value, Value::Text(_));
        if is_opaque || is_meta && is_exempt(strings, held.key) {
            continue;
        }
        if is_value_long {
            held.set(Value::Text(cut(strings, text, VALUE_BYTES_MAX, out)));
            budget.spend(VALUE_BYTES_MAX / 16);
        }
        if is_key_long {
            held.key = cut(strings, held.key, KEY_BYTES_MAX, out);
            held.name = Key::Other;
        }
        if budget.is_used_up() {
            return Some(n + 1);
        }
    }
    None
}

fn is_exempt(strings: &Strings, key: Str) -> bool {
    strings.len_of(key) <= EXEMPT_KEY_BYTES_MAX && is_exempt_from_cut(strings.text(key))
}

fn cut(strings: &mut Strings, text: Str, bytes_max: usize, out: &mut String) -> Str {
    out.clear();
    if cut_with_ellipsis(head_of(strings, text, bytes_max), bytes_max, out).is_written() {
        return strings.add(out);
    }
    text
}
