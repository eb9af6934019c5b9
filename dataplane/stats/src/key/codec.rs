//! Bytes of keys: numbers, texts behind their lengths, lists behind their counts.

use super::TraceRoot;

const SYNTHETICS: u8 = 0b100;
const TRACE_ROOT: u8 = 0b011;

/// The part of a group's key that is no list.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fields<'a> {
    pub(crate) service: &'a str,
    pub(crate) name: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) span_type: &'a str,
    pub(crate) span_kind: &'a str,
    pub(crate) svc_src: &'a str,
    pub(crate) grpc_status: &'a str,
    pub(crate) http_method: &'a str,
    pub(crate) http_endpoint: &'a str,
    pub(crate) http_status: u32,
    pub(crate) is_synthetics: bool,
    pub(crate) trace_root: TraceRoot,
}

impl<'a> Fields<'a> {
    pub(crate) fn write(&self, key: &mut Vec<u8>) {
        let [a, b, c, d] = self.http_status.to_le_bytes();
        let synthetics = if self.is_synthetics { SYNTHETICS } else { 0 };
        key.extend_from_slice(&[a, b, c, d, synthetics | self.trace_root.number()]);
        for text in [
            self.service,
            self.name,
            self.resource,
            self.span_type,
            self.span_kind,
            self.svc_src,
            self.grpc_status,
            self.http_method,
            self.http_endpoint,
        ] {
            write_text(key, text);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Self {
        let http_status = u32::from_le_bytes(reader.array());
        let [flags] = reader.array();
        Self {
            service: reader.text(),
            name: reader.text(),
            resource: reader.text(),
            span_type: reader.text(),
            span_kind: reader.text(),
            svc_src: reader.text(),
            grpc_status: reader.text(),
            http_method: reader.text(),
            http_endpoint: reader.text(),
            http_status,
            is_synthetics: flags & SYNTHETICS != 0,
            trace_root: TraceRoot::from_number(u64::from(flags & TRACE_ROOT)),
        }
    }
}

/// Tags of a key, borrowed from its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TagList<'a> {
    count: usize,
    texts: &'a [u8],
}

/// Walks over a [`TagList`].
#[derive(Clone, Debug)]
pub struct TagTexts<'a> {
    left: usize,
    reader: Reader<'a>,
}

impl<'a> TagList<'a> {
    /// Number of tags.
    #[must_use]
    pub const fn len(self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.count == 0
    }

    /// The tags, `key:value` each.
    #[must_use]
    pub const fn iter(self) -> TagTexts<'a> {
        TagTexts { left: self.count, reader: Reader::new(self.texts) }
    }
}

impl<'a> Iterator for TagTexts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.left = self.left.checked_sub(1)?;
        Some(self.reader.text())
    }
}

/// Appends a text behind its length.
pub(crate) fn write_text(key: &mut Vec<u8>, text: &str) {
    write_len(key, text.len());
    key.extend_from_slice(text.as_bytes());
}

/// Appends a list of tags that are keys and values.
pub(crate) fn write_pairs(key: &mut Vec<u8>, pairs: &[(&str, &str)]) {
    write_len(key, pairs.len());
    for (name, value) in pairs {
        write_len(key, name.len() + 1 + value.len());
        key.extend_from_slice(name.as_bytes());
        key.push(b':');
        key.extend_from_slice(value.as_bytes());
    }
}

/// Appends a list of whole tags.
pub(crate) fn write_list<'t>(key: &mut Vec<u8>, tags: impl Iterator<Item = &'t str> + Clone) {
    write_len(key, tags.clone().count());
    for tag in tags {
        write_text(key, tag);
    }
}

/// 7 bits a byte, the lowest first; the highest bit of a byte tells that more follow.
#[expect(clippy::cast_possible_truncation, reason = "masked to 7 bits")]
fn write_len(key: &mut Vec<u8>, mut len: usize) {
    while len > 0x7f {
        key.push(len as u8 | 0x80);
        len >>= 7;
    }
    key.push(len as u8);
}

/// The decimal digits of a number.
pub(super) fn decimal(mut number: u32, digits: &mut [u8; 10]) -> &str {
    let mut first = digits.len();
    for digit in digits.iter_mut().rev() {
        let value = (number % 10) as u8;
        *digit = b'0' + value;
        first -= 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    std::str::from_utf8(digits.get(first..).unwrap_or_default()).unwrap_or_default()
}

/// Reads what was written; beyond the end everything is empty, so that it never panics.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(key: &'a [u8]) -> Self {
        Self { rest: key }
    }

    pub(crate) fn text(&mut self) -> &'a str {
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    pub(crate) fn list(&mut self) -> TagList<'a> {
        // Every tag takes at least the byte of its length.
        let count = self.len().min(self.rest.len());
        let start = self.rest;
        for _ in 0..count {
            self.bytes();
        }
        let len = start.len() - self.rest.len();
        TagList { count, texts: start.get(..len).unwrap_or_default() }
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let Some((array, rest)) = self.rest.split_first_chunk() else { return [0; N] };
        self.rest = rest;
        *array
    }

    fn bytes(&mut self) -> &'a [u8] {
        let len = self.len().min(self.rest.len());
        let (bytes, rest) = self.rest.split_at_checked(len).unwrap_or_default();
        self.rest = rest;
        bytes
    }

    fn len(&mut self) -> usize {
        let mut len = 0;
        let mut shift = 0;
        while let Some((byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            if shift < usize::BITS {
                len |= usize::from(byte & 0x7f) << shift;
            }
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        len
    }
}
