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

impl MetricKind {
    /// The kind of a symbol. A table, because a jump for each kind is mispredicted on every other
    /// line of mixed traffic.
    #[inline]
    fn of(symbol: &[u8]) -> Option<Self> {
        match symbol {
            [letter] => *KINDS.get(usize::from(letter.wrapping_sub(b'a')))?,
            b"ms" => Some(Self::Timing),
            _ => None,
        }
    }
}

/// Kinds with a symbol of one letter, from `a` on.
#[expect(clippy::indexing_slicing, reason = "computed when compiled")]
const KINDS: [Option<MetricKind>; 19] = {
    let mut kinds = [None; 19];
    kinds[(b'c' - b'a') as usize] = Some(MetricKind::Counter);
    kinds[(b'd' - b'a') as usize] = Some(MetricKind::Distribution);
    kinds[(b'g' - b'a') as usize] = Some(MetricKind::Gauge);
    kinds[(b'h' - b'a') as usize] = Some(MetricKind::Histogram);
    kinds[(b's' - b'a') as usize] = Some(MetricKind::Set);
    kinds
};

/// Optional fields that say how a message is tagged and who sent it, as the bytes between pipes. An
/// absent field is empty. The last one of a kind wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    /// After `#`: tags separated by commas. Empty tags are part of the list.
    pub tags: &'a [u8],
    /// Client data; `None` when no field of it is there.
    pub client: Option<ClientFields<'a>>,
}

/// What a client says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientFields<'a> {
    /// After `c:`: local data.
    pub local_data: &'a [u8],
    /// After `e:`: external data.
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
    let packed_before = packed.len();
    parse_parts(line, options, packed).inspect_err(|_| packed.truncate(packed_before))
}

/// [`parse_metric`], which may leave numbers of a refused line behind.
#[inline]
fn parse_parts<'a>(
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
    let mut sections = Sections { line: bytes, pipes, start: head_end + 1, is_last: false };
    let kind = MetricKind::of(sections.next().unwrap_or_default()).ok_or(Refused::Type)?;
    let values = if kind == MetricKind::Set {
        Values::Member(value)
    } else {
        let window = bytes.get(name_end + 1..).unwrap_or_default();
        match parse_short_decimal(window, value.len()) {
            Some(number) => Values::Number(number),
            None => parse_numbers(value, packed)?,
        }
    };
    let (mut rate, mut timestamp_secs, mut fields) = (1.0, 0, Fields::default());
    for section in sections {
        match section {
            [b'#', tags @ ..] => fields.tags = tags,
            [b'@', text @ ..] => rate = parse_float(text).ok_or(Refused::Rate)?,
            [b'T', text @ ..] if options.has_timestamps => {
                timestamp_secs = parse_int(text).filter(|&t| t >= 1).ok_or(Refused::Timestamp)?;
            }
            _ => fields.client = ClientFields::with(fields.client, section, options),
        }
    }
    Ok(Metric { name, kind, values, rate, timestamp_secs, fields })
}

impl<'a> Fields<'a> {
    /// Takes a field that events and service checks have; others are ignored.
    pub(crate) fn apply(&mut self, option: &'a [u8], options: Options) {
        match option {
            [b'#', tags @ ..] => self.tags = tags,
            _ => self.client = ClientFields::with(self.client, option, options),
        }
    }
}

impl<'a> ClientFields<'a> {
    /// Adds a field if it is one of these. By value, so that lines without any cost nothing.
    #[inline(never)]
    fn with(client: Option<Self>, field: &'a [u8], options: Options) -> Option<Self> {
        if !options.has_client_origin {
            return client;
        }
        let before = client.unwrap_or_default();
        match field {
            [b'c', b':', local_data @ ..] => Some(Self { local_data, ..before }),
            [b'e', b':', external_data @ ..] => Some(Self { external_data, ..before }),
            [b'c', b'a', b'r', b'd', b':', cardinality @ ..] => {
                Some(Self { cardinality, ..before })
            }
            _ => client,
        }
    }
}

/// What stands between the pipes of a metric line, behind its head.
struct Sections<'a> {
    line: &'a [u8],
    pipes: Pipes,
    /// Where the next one starts.
    start: usize,
    is_last: bool,
}

impl<'a> Iterator for Sections<'a> {
    type Item = &'a [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.is_last {
            return None;
        }
        let start = self.start;
        let end = match self.pipes.take(self.line) {
            Some(pipe) => {
                self.start = pipe + 1;
                pipe
            }
            None => {
                self.is_last = true;
                self.line.len()
            }
        };
        self.line.get(start..end)
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
        packed.push(parse_float(item).ok_or(Refused::Value)?);
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
