//! Card numbers in attributes of spans and events. spec: apm-obfuscation §7.

use obfuscate::CardScreen;
use obfuscate::cards::{REPLACEMENT, is_card, is_float_card, is_integer_card};
use span::{Arena, Attribute, Batch, Slice, Str, Strings, Value};

/// Shortest card number.
const CARD_BYTES_MIN: usize = 12;
/// Longest value that is read: 16 digits, with many spaces and dashes.
const CARD_BYTES_MAX: usize = 1024;

/// The card test.
#[derive(Debug)]
pub(super) struct Cards {
    screen: CardScreen,
}

impl Cards {
    pub(super) const fn new(screen: CardScreen) -> Self {
        Self { screen }
    }

    /// Tests `meta` before v1.0 and all attributes in v1.0, and the attributes of events.
    pub(super) fn span(&self, batch: &mut Batch, at: usize) {
        let is_v1 = batch.format.is_v1();
        let Batch { spans, attributes, nested, events, strings, .. } = batch;
        let Some(span) = spans.get(at) else { return };
        for held in attributes.get_mut(span.attributes) {
            let is_found = match held.value() {
                Value::Text(text) => self.is_text(text, strings),
                Value::Bytes(bytes) => is_v1 && self.is_text(bytes, strings),
                Value::Int(number) => is_v1 && is_integer_card(number, self.screen.is_luhn()),
                Value::Double(number) => is_v1 && is_float_card(number, self.screen.is_luhn()),
                Value::Bool(_) | Value::Array(_) | Value::Map(_) => false,
            };
            if is_found && self.screen.is_watched(strings.text(held.key)) {
                held.set(Value::Text(strings.add(REPLACEMENT)));
            }
        }
        for event in events.get(span.events.range()).unwrap_or_default() {
            for at in event.attributes.range() {
                let Some(key) = element(nested, at).map(|held| held.key) else { continue };
                if self.screen.is_watched(strings.text(key)) {
                    self.event_value(nested, at, strings);
                }
            }
        }
    }

    fn event_value(&self, nested: &mut Arena<Attribute>, at: usize, strings: &mut Strings) {
        let Some(held) = element(nested, at) else { return };
        if let Value::Array(slice) = held.value() {
            // Elements of arrays are no arrays in the formats that have events' types.
            for at in slice.range() {
                self.scalar(nested, at, strings);
            }
        } else {
            self.scalar(nested, at, strings);
        }
    }

    fn scalar(&self, nested: &mut Arena<Attribute>, at: usize, strings: &mut Strings) {
        let Some(held) = element(nested, at) else { return };
        let is_found = match held.value() {
            Value::Text(text) | Value::Bytes(text) => self.is_text(text, strings),
            Value::Int(number) => is_integer_card(number, self.screen.is_luhn()),
            Value::Double(number) => is_float_card(number, self.screen.is_luhn()),
            Value::Bool(_) | Value::Array(_) | Value::Map(_) => false,
        };
        if is_found {
            held.set(Value::Text(strings.add(REPLACEMENT)));
        }
    }

    /// Looks at the length first, which refuses most values unread.
    fn is_text(&self, text: Str, strings: &Strings) -> bool {
        (CARD_BYTES_MIN..=CARD_BYTES_MAX).contains(&strings.len_of(text))
            && matches!(strings.bytes(text).first(), Some(b' ' | b'-' | b'0'..=b'9'))
            && is_card(strings.text(text), self.screen.is_luhn())
    }
}

fn element(nested: &mut Arena<Attribute>, at: usize) -> Option<&mut Attribute> {
    let place = Slice { start: u32::try_from(at).ok()?, len: 1 };
    nested.slice_mut(place).first_mut()
}
