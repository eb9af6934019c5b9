//! Metric lines. spec: dogstatsd §4.2.

use memchr::memchr;

use crate::lines::Pipes;
use crate::number::parse_short_decimal;
use crate::{Line, Options, Refused, parse_float, parse_int};

/// Type symbol of a metric line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum MetricKind {
    /// `g`
    Gauge,
    /// `c`
    Counter,
    /// `h`
    Histogram,
    /// `ms`: a histogram with a unit.
    Timing,
    /// `d`
    Distribution,
    /// `s`
    Set,
}

/// Optional fields that say who sent a message and how it is tagged, as the bytes between pipes.
/// An absent field is empty. The last one of a kind wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    /// After `#`: tags separated by commas. Empty tags are part of the list.
    pub tags: &'a [u8],
    /// After `c:`: local data of the client.
    pub local_data: &'a [u8],
    /// After `e:`: external data of the client.
    pub external_data: &'a [u8],
    /// After `card:`: tag cardinality that the client asks for.
    pub cardinality: &'a [u8],
}

/// Values of a metric line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values<'a> {
    /// One number, as nearly every line has.
    Number(f64),
    /// Packed values: the last `count` numbers of the caller's buffer, at least one.
    Numbers {
        /// How many.
        count: u32,
    },
    /// One member of a set, verbatim.
    Member(&'a [u8]),
}

/// One metric line.
#[derive(Debug)]
pub struct Metric<'a> {
    /// Name as sent, not empty.
    pub name: &'a [u8],
    /// Type.
    pub kind: MetricKind,
    /// Values.
    pub values: Values<'a>,
    /// Sample rate as sent; 1 when absent.
    pub rate: f64,
    /// Unix seconds given by the client, at least 1; 0 when absent.
    pub timestamp_secs: i64,
    /// Tags and client data.
    pub fields: Fields<'a>,
}

/// Parses a metric line. Packed numbers are appended to `packed`.
///
/// # Errors
/// The reason for which the line was refused; `packed` is then as it was.
#[inline]
pub fn parse_metric<'a>(
    line: &Line<'a>,
    options: Options,
    packed: &mut Vec<f64>,
) -> Result<Metric<'a>, Refused> {
    let bytes = line.bytes;
    let mut pipes = line.pipes();
    let head_end = pipes.take(bytes).ok_or(Refused::Format)?;
    let name_end = line.colon_before(head_end).ok_or(Refused::NameOrValue)?;
    let name = bytes.get(..name_end).unwrap_or_default();
    let value = bytes.get(name_end + 1..head_end).unwrap_or_default();
    if name.is_empty() || value.is_empty() {
        return Err(Refused::NameOrValue);
    }
    let mut sections = Sections { line: bytes, pipes, start: Some(head_end + 1) };
    let kind = match sections.next().unwrap_or_default() {
        b"g" => MetricKind::Gauge,
        b"c" => MetricKind::Counter,
        b"h" => MetricKind::Histogram,
        b"d" => MetricKind::Distribution,
        b"s" => MetricKind::Set,
        b"ms" => MetricKind::Timing,
        _ => return Err(Refused::Type),
    };
    let packed_before = packed.len();
    let values = if kind == MetricKind::Set {
        Values::Member(value)
    } else {
        let window = bytes.get(name_end + 1..).unwrap_or_default();
        match parse_short_decimal(window, value.len()) {
            Some(number) => Values::Number(number),
            None => parse_numbers(value, packed)?,
        }
    };
    let mut metric =
        Metric { name, kind, values, rate: 1.0, timestamp_secs: 0, fields: Fields::default() };
    for option in sections {
        if let Err(refused) = metric.apply(option, options) {
            packed.truncate(packed_before);
            return Err(refused);
        }
    }
    Ok(metric)
}

impl<'a> Metric<'a> {
    #[inline]
    fn apply(&mut self, option: &'a [u8], options: Options) -> Result<(), Refused> {
        match option {
            [b'@', rate @ ..] => self.rate = parse_float(rate).ok_or(Refused::Rate)?,
            [b'T', timestamp @ ..] if options.has_timestamps => {
                self.timestamp_secs =
                    parse_int(timestamp).filter(|&t| t >= 1).ok_or(Refused::Timestamp)?;
            }
            _ => self.fields.apply(option, options),
        }
        Ok(())
    }
}

impl<'a> Fields<'a> {
    /// Takes a field that metrics, events and service checks have in common; others are ignored.
    #[inline]
    pub(crate) fn apply(&mut self, option: &'a [u8], options: Options) {
        match option {
            [b'#', tags @ ..] => self.tags = tags,
            [b'c', b':', data @ ..] if options.has_client_origin => self.local_data = data,
            [b'e', b':', data @ ..] if options.has_client_origin => self.external_data = data,
            [b'c', b'a', b'r', b'd', b':', cardinality @ ..] if options.has_client_origin => {
                self.cardinality = cardinality;
            }
            _ => {}
        }
    }
}

/// What stands between the pipes of a metric line, behind its head.
struct Sections<'a> {
    line: &'a [u8],
    pipes: Pipes,
    /// Where the next one starts; `None` behind the last one.
    start: Option<usize>,
}

impl<'a> Iterator for Sections<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.start?;
        let pipe = self.pipes.take(self.line);
        self.start = pipe.map(|pipe| pipe + 1);
        self.line.get(start..pipe.unwrap_or(self.line.len()))
    }
}

/// Parses a number, or packed ones, of which empty items are skipped.
#[inline(never)]
fn parse_numbers<'a>(text: &[u8], packed: &mut Vec<f64>) -> Result<Values<'a>, Refused> {
    if !text.contains(&b':') {
        return parse_float(text).map(Values::Number).ok_or(Refused::Value);
    }
    let before = packed.len();
    for item in text.split(|&byte| byte == b':').filter(|item| !item.is_empty()) {
        let Some(value) = parse_float(item) else {
            packed.truncate(before);
            return Err(Refused::Value);
        };
        packed.push(value);
    }
    match u32::try_from(packed.len() - before) {
        Ok(count) if count > 0 => Ok(Values::Numbers { count }),
        _ => Err(Refused::Value),
    }
}

/// The next field of `rest`; `None` after the last one.
#[inline]
pub(crate) fn next_field<'a>(rest: &mut Option<&'a [u8]>) -> Option<&'a [u8]> {
    let fields = (*rest)?;
    if let Some((field, tail)) = cut(fields, b'|') {
        *rest = Some(tail);
        Some(field)
    } else {
        *rest = None;
        Some(fields)
    }
}

/// Splits at the first `separator`, which is in neither part.
#[inline]
pub(crate) fn cut(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr(separator, bytes)?;
    let (left, right) = bytes.split_at_checked(at)?;
    Some((left, right.get(1..)?))
}
