//! Metric lines. spec: dogstatsd §4.2.

use memchr::memchr;

use crate::{Options, Refused, parse_float, parse_int};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values<'a> {
    /// The last `count` numbers of the caller's buffer, at least one.
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

/// Parses a metric line, appending its numbers to `values`.
///
/// # Errors
/// The reason for which the line was refused; `values` is then as it was.
#[inline]
pub fn parse_metric<'a>(
    line: &'a [u8],
    options: Options,
    values: &mut Vec<f64>,
) -> Result<Metric<'a>, Refused> {
    let (head, rest) = cut(line, b'|').ok_or(Refused::Format)?;
    let (name, value) = cut(head, b':').ok_or(Refused::NameOrValue)?;
    if name.is_empty() || value.is_empty() {
        return Err(Refused::NameOrValue);
    }
    // One-letter types are told by two bytes, without a search for the next pipe.
    let (symbol, mut rest) = match rest {
        [_, b'|', tail @ ..] => (rest.get(..1).unwrap_or_default(), Some(tail)),
        _ => match cut(rest, b'|') {
            Some((symbol, tail)) => (symbol, Some(tail)),
            None => (rest, None),
        },
    };
    let kind = match symbol {
        b"g" => MetricKind::Gauge,
        b"c" => MetricKind::Counter,
        b"h" => MetricKind::Histogram,
        b"d" => MetricKind::Distribution,
        b"s" => MetricKind::Set,
        b"ms" => MetricKind::Timing,
        _ => return Err(Refused::Type),
    };
    let values_before = values.len();
    let parsed_values =
        if kind == MetricKind::Set { Values::Member(value) } else { parse_numbers(value, values)? };

    let mut metric = Metric {
        name,
        kind,
        values: parsed_values,
        rate: 1.0,
        timestamp_secs: 0,
        fields: Fields::default(),
    };
    while let Some(option) = next_field(&mut rest) {
        if let Err(refused) = metric.apply(option, options) {
            values.truncate(values_before);
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

/// Parses packed values; empty items are skipped.
#[inline]
fn parse_numbers<'a>(text: &[u8], values: &mut Vec<f64>) -> Result<Values<'a>, Refused> {
    let Some((first, rest)) = cut_short(text, b':') else {
        values.push(parse_float(text).ok_or(Refused::Value)?);
        return Ok(Values::Numbers { count: 1 });
    };
    let before = values.len();
    for item in std::iter::once(first).chain(rest.split(|&byte| byte == b':')) {
        if item.is_empty() {
            continue;
        }
        let Some(value) = parse_float(item) else {
            values.truncate(before);
            return Err(Refused::Value);
        };
        values.push(value);
    }
    match u32::try_from(values.len() - before) {
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

/// [`cut`] for texts of a few bytes, where a vector search costs more than it saves.
#[inline]
fn cut_short(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&byte| byte == separator)?;
    let (left, right) = bytes.split_at_checked(at)?;
    Some((left, right.get(1..)?))
}
