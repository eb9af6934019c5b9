//! A cursor over JSON. spec: apm §5.1.
//!
//! Values are read where they stand, so that a large document needs no second form of itself and
//! can be left between two spans. It is lenient where nothing can be misread: control characters
//! in strings and what follows the document are accepted.

mod string;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::DecodeError;
use super::msgpack::SKIPPED_MAX;
use super::reader::{Items, Reader};
use crate::strings::{TEXT_BYTES_MAX, Table};
use crate::{Key, Str};

/// Values within values that are passed over; they are counted in the bits of a `u128`.
const DEPTH_MAX: u32 = 128;

/// White space in one place, digits of one number, and bytes of one string, which are read in one
/// go. No tracer comes near.
const SPACES_MAX: usize = 1 << 20;
const DIGITS_MAX: usize = 2048;
const STRING_BYTES_MAX: usize = 4 << 20;

/// A cursor over a body in JSON, and the table its strings go to.
#[derive(Debug)]
pub(super) struct Json<'a> {
    body: &'a [u8],
    at: usize,
    table: Table<'a>,
    /// The last string that had escapes.
    unescaped: Vec<u8>,
}

/// A number as it was written.
#[derive(Clone, Copy)]
enum Number {
    Unsigned(u64),
    Negative(i64),
    Float(f64),
}

/// Nothing follows: the value was null.
const ENDED: Items = Items(0);
/// At the first element of an array, or behind a later one; the same for a map.
const ARRAY_FIRST: Items = Items(1);
const ARRAY: Items = Items(2);
const MAP_FIRST: Items = Items(3);
const MAP: Items = Items(4);

impl<'a> Json<'a> {
    pub(super) const fn new(body: &'a [u8], at: usize, table: Table<'a>) -> Self {
        Self { body, at, table, unescaped: Vec::new() }
    }

    /// The next byte that is no white space, which stays.
    fn peek(&mut self) -> Result<u8, DecodeError> {
        for _ in 0..=SPACES_MAX {
            let Some(&byte) = self.body.get(self.at) else {
                return Err(DecodeError::UnexpectedEof);
            };
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Ok(byte);
            }
            self.at += 1;
        }
        Err(DecodeError::TooLong)
    }

    fn expect(&mut self, expected: u8) -> Result<(), DecodeError> {
        if self.peek()? != expected {
            return Err(DecodeError::BadJson);
        }
        self.at += 1;
        Ok(())
    }

    fn literal(&mut self, literal: &[u8]) -> Result<(), DecodeError> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        if rest.starts_with(literal) {
            self.at += literal.len();
            Ok(())
        } else if literal.starts_with(rest) {
            Err(DecodeError::UnexpectedEof)
        } else {
            Err(DecodeError::BadJson)
        }
    }

    fn enter(&mut self, open: u8, first: Items) -> Result<Items, DecodeError> {
        match self.peek()? {
            byte if byte == open => {
                self.at += 1;
                Ok(first)
            }
            b'n' => self.literal(b"null").map(|()| ENDED),
            byte => Err(mismatch(byte)),
        }
    }

    fn number(&mut self) -> Result<Number, DecodeError> {
        match self.peek()? {
            b'-' | b'0'..=b'9' => self.digits(),
            b'n' => self.literal(b"null").map(|()| Number::Unsigned(0)),
            byte => Err(mismatch(byte)),
        }
    }

    fn digits(&mut self) -> Result<Number, DecodeError> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let rest = rest.get(..DIGITS_MAX).unwrap_or(rest);
        let len = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let digits = rest.get(..len).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.unwrap_or_default();
        self.at += len;
        if let Ok(number) = digits.parse() {
            return Ok(Number::Unsigned(number));
        }
        if let Ok(number) = digits.parse() {
            return Ok(Number::Negative(number));
        }
        let is_cut = len == rest.len();
        let error = if is_cut { DecodeError::UnexpectedEof } else { DecodeError::BadJson };
        digits.parse().map(Number::Float).map_err(|_| error)
    }

    /// The boundaries of the next string within the quotes, and whether it has escapes.
    fn quoted(&mut self) -> Result<(std::ops::Range<usize>, bool), DecodeError> {
        match self.peek()? {
            b'"' => self.at += 1,
            byte => return Err(mismatch(byte)),
        }
        let start = self.at;
        let mut has_escapes = false;
        loop {
            let rest = self.body.get(self.at..).unwrap_or_default();
            let found = memchr::memchr2(b'"', b'\\', rest).ok_or(DecodeError::UnexpectedEof)?;
            let at = self.at + found;
            if at - start > STRING_BYTES_MAX {
                return Err(DecodeError::TooLong);
            }
            if rest.get(found) == Some(&b'"') {
                self.at = at + 1;
                return Ok((start..at, has_escapes));
            }
            has_escapes = true;
            self.at = at + 2;
        }
    }

    /// Reads a string and gives its bytes to `then`: with its place in the body if it is there as
    /// it stands.
    fn string<F>(
        &mut self,
        then: impl FnOnce(&mut Table<'a>, Option<usize>, &[u8]) -> F,
    ) -> Result<F, DecodeError> {
        let (range, has_escapes) = self.quoted()?;
        let start = range.start;
        let quoted = self.body.get(range).unwrap_or_default();
        if has_escapes {
            self.unescaped.clear();
            string::unescape(quoted, &mut self.unescaped)?;
            Ok(then(&mut self.table, None, &self.unescaped))
        } else {
            Ok(then(&mut self.table, Some(start), quoted))
        }
    }

    fn null(&mut self) -> Result<bool, DecodeError> {
        if self.peek()? == b'n' { self.literal(b"null").map(|()| true) } else { Ok(false) }
    }
}

impl Reader for Json<'_> {
    fn at(&self) -> usize {
        self.at
    }

    fn nil(&mut self) -> bool {
        self.null() == Ok(true)
    }

    fn top(&mut self) -> Result<Items, DecodeError> {
        self.array()
    }

    fn array(&mut self) -> Result<Items, DecodeError> {
        self.enter(b'[', ARRAY_FIRST)
    }

    fn map(&mut self) -> Result<Items, DecodeError> {
        self.enter(b'{', MAP_FIRST)
    }

    fn has_next(&mut self, items: &mut Items) -> Result<bool, DecodeError> {
        let (close, later) = match *items {
            ENDED => return Ok(false),
            ARRAY_FIRST | ARRAY => (b']', ARRAY),
            _ => (b'}', MAP),
        };
        let is_first = *items != later;
        let next = self.peek()?;
        if next == close {
            self.at += 1;
            *items = ENDED;
            return Ok(false);
        }
        if !is_first {
            self.expect(b',')?;
        }
        *items = later;
        Ok(true)
    }

    fn field<F>(&mut self, of: impl FnOnce(&[u8]) -> F) -> Result<F, DecodeError> {
        let field = self.string(|_, _, name| of(name))?;
        self.expect(b':')?;
        Ok(field)
    }

    fn name(&mut self) -> Result<(Str, Key), DecodeError> {
        let name = self.string(|table, start, name| (keep(table, start, name), Key::of(name)))?;
        self.expect(b':')?;
        Ok(name)
    }

    fn text(&mut self) -> Result<Str, DecodeError> {
        if self.null()? { Ok(Str::EMPTY) } else { self.string(keep) }
    }

    fn bytes(&mut self) -> Result<Str, DecodeError> {
        if self.null()? {
            return Ok(Str::EMPTY);
        }
        self.string(|table, _, text| {
            let bytes = STANDARD.decode(text).map_err(|_| DecodeError::BadBase64)?;
            Ok(table.add(&bytes))
        })?
    }

    fn unsigned(&mut self) -> Result<u64, DecodeError> {
        match self.number()? {
            Number::Unsigned(number) => Ok(number),
            Number::Negative(number) => Ok(number.cast_unsigned()),
            Number::Float(number) => whole(number).map(i64::cast_unsigned),
        }
    }

    fn signed(&mut self) -> Result<i64, DecodeError> {
        match self.number()? {
            Number::Unsigned(number) => i64::try_from(number).map_err(|_| DecodeError::OutOfRange),
            Number::Negative(number) => Ok(number),
            Number::Float(number) => whole(number),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "an integer where a float is due is rounded")]
    fn double(&mut self) -> Result<f64, DecodeError> {
        Ok(match self.number()? {
            Number::Float(number) => number,
            Number::Unsigned(number) => number as f64,
            Number::Negative(number) => number as f64,
        })
    }

    fn boolean(&mut self) -> Result<bool, DecodeError> {
        match self.peek()? {
            b't' => self.literal(b"true").map(|()| true),
            b'f' => self.literal(b"false").map(|()| false),
            b'n' => self.literal(b"null").map(|()| false),
            byte => Err(mismatch(byte)),
        }
    }

    fn skip(&mut self) -> Result<(), DecodeError> {
        // One bit for each open value: set for a map.
        let (mut maps, mut depth) = (0u128, 0u32);
        for _ in 0..SKIPPED_MAX {
            let opened = match self.peek()? {
                b'{' => Some(self.map()?),
                b'[' => Some(self.array()?),
                b'"' => self.quoted().map(|_| None)?,
                b't' | b'f' => self.boolean().map(|_| None)?,
                _ => self.number().map(|_| None)?,
            };
            let mut items = match opened {
                Some(first) => {
                    if depth == DEPTH_MAX {
                        return Err(DecodeError::TooDeep);
                    }
                    depth += 1;
                    maps = maps << 1 | u128::from(first == MAP_FIRST);
                    first
                }
                None if depth == 0 => return Ok(()),
                None => held(maps),
            };
            while !self.has_next(&mut items)? {
                depth -= 1;
                maps >>= 1;
                if depth == 0 {
                    return Ok(());
                }
                items = held(maps);
            }
            if items == MAP {
                self.field(|_| ())?;
            }
        }
        Err(DecodeError::TooMany)
    }
}

/// The items of the innermost value that is passed over.
const fn held(maps: u128) -> Items {
    if maps & 1 == 1 { MAP } else { ARRAY }
}

fn keep(table: &mut Table<'_>, start: Option<usize>, text: &[u8]) -> Str {
    match start {
        Some(start) => table.text(start, text),
        None => {
            let text = if text.len() > TEXT_BYTES_MAX { table.cut(text) } else { text };
            table.add(text)
        }
    }
}

/// A float that stands for an integer, such as `1e9`.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and within the range")]
fn whole(number: f64) -> Result<i64, DecodeError> {
    // 2^63, the first float above the range.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if number.fract() == 0.0 && (-LIMIT..LIMIT).contains(&number) {
        Ok(number as i64)
    } else {
        Err(DecodeError::OutOfRange)
    }
}

const fn mismatch(byte: u8) -> DecodeError {
    match byte {
        b'"' | b'[' | b'{' | b't' | b'f' | b'n' | b'-' | b'0'..=b'9' => DecodeError::WrongType,
        _ => DecodeError::BadJson,
    }
}
