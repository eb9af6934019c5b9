//! Builds all packets before anything is sent.

use std::io::Write as _;

use crate::rng::Rng;
use crate::{Kind, LoadSpec, SpecError, Tally, Transport};

/// Where one packet lies in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    start: usize,
    end: usize,
}

/// The packets of a load, one behind the other, and what each of them carries.
#[derive(Debug)]
pub struct Pool {
    bytes: Vec<u8>,
    packets: Vec<Packet>,
    tallies: Vec<Tally>,
    prefix_bytes: usize,
}

impl Pool {
    /// Builds the packets: every context in every tag order once, in random order, and again with
    /// other values until the pool is large enough.
    ///
    /// # Errors
    /// When the specification is out of range or a line is longer than a packet.
    pub fn build(spec: &LoadSpec) -> Result<Self, SpecError> {
        spec.check()?;
        let prefix_bytes = if spec.transport == Transport::UdsStream { 4 } else { 0 };
        let mut pool =
            Self { bytes: Vec::new(), packets: Vec::new(), tallies: Vec::new(), prefix_bytes };
        let texts = Texts::new(spec);
        let mut rng = Rng::new(spec.seed);
        let lines_per_pass = spec.contexts() * u64::from(spec.tag_orders);
        let mut order: Vec<u32> = (0..u32::try_from(lines_per_pass).unwrap_or(u32::MAX)).collect();
        let mut filler = Filler::new(spec, prefix_bytes);
        let mut line = Vec::new();
        while (pool.bytes.len() as u64) < spec.pool_bytes_min || pool.bytes.is_empty() {
            rng.shuffle(&mut order);
            for index in &order {
                line.clear();
                let (kind, samples, sum) = texts.write_line(&mut line, *index, &mut rng);
                filler.push(&mut pool, &line)?;
                filler.tally.add_line(kind, samples, sum, spec.sample_rate);
            }
            filler.close(&mut pool);
        }
        Ok(pool)
    }

    /// Number of packets.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether there is no packet; never so for a pool that was built.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// The payload of a packet, without its length prefix.
    #[must_use]
    pub fn payload(&self, index: usize) -> &[u8] {
        let packet = self.packets[index];
        &self.bytes[packet.start + self.prefix_bytes..packet.end]
    }

    /// What a packet carries.
    #[must_use]
    pub fn tally(&self, index: usize) -> &Tally {
        &self.tallies[index]
    }

    /// The bytes on the wire of `count` packets in a row, with length prefixes.
    pub(crate) fn wire(&self, first: usize, count: usize) -> &[u8] {
        let start = self.packets[first].start;
        let end = self.packets[first + count - 1].end;
        &self.bytes[start..end]
    }
}

/// Puts lines into packets.
struct Filler {
    packet_bytes_max: u32,
    prefix_bytes: usize,
    is_padded: bool,
    start: usize,
    is_open: bool,
    tally: Tally,
}

impl Filler {
    fn new(spec: &LoadSpec, prefix_bytes: usize) -> Self {
        Self {
            packet_bytes_max: spec.packet_bytes(),
            prefix_bytes,
            is_padded: spec.is_segmented,
            start: 0,
            is_open: false,
            tally: Tally::default(),
        }
    }

    /// Appends a line (without newline), in a new packet when it does not fit in the open one.
    fn push(&mut self, pool: &mut Pool, line: &[u8]) -> Result<(), SpecError> {
        let limit = self.packet_bytes_max as usize;
        if line.len() > limit {
            return Err(SpecError::LineTooLong { line: line.len(), packet: self.packet_bytes_max });
        }
        if self.is_open {
            let used = pool.bytes.len() - self.start - self.prefix_bytes;
            if used + 1 + line.len() > limit {
                self.close(pool);
            } else {
                pool.bytes.push(b'\n');
            }
        }
        if !self.is_open {
            self.start = pool.bytes.len();
            pool.bytes.extend(std::iter::repeat_n(0, self.prefix_bytes));
            self.is_open = true;
        }
        pool.bytes.extend_from_slice(line);
        Ok(())
    }

    fn close(&mut self, pool: &mut Pool) {
        if !self.is_open {
            return;
        }
        if self.is_padded {
            pool.bytes.resize(self.start + self.packet_bytes_max as usize, b'\n');
        }
        let payload_bytes = pool.bytes.len() - self.start - self.prefix_bytes;
        if self.prefix_bytes > 0 {
            let prefix = u32::try_from(payload_bytes).unwrap_or(u32::MAX).to_le_bytes();
            pool.bytes[self.start..self.start + self.prefix_bytes].copy_from_slice(&prefix);
        }
        self.tally.packets = 1;
        self.tally.bytes = payload_bytes as u64;
        pool.packets.push(Packet { start: self.start, end: pool.bytes.len() });
        pool.tallies.push(std::mem::take(&mut self.tally));
        self.is_open = false;
    }
}

/// Names and tags of a load, and how a line is put together from them.
struct Texts {
    names: Vec<(Kind, String)>,
    tag_sets: Vec<Vec<String>>,
    tag_orders: u32,
    values_per_line: u32,
    rate: String,
    seed: u64,
}

impl Texts {
    fn new(spec: &LoadSpec) -> Self {
        let kinds = deal_kinds(spec);
        let names: Vec<_> = (0..spec.names)
            .map(|name| {
                let kind = kinds[name as usize % kinds.len()];
                (kind, format!("corelane.load.{}.{name:05}", kind_word(kind)))
            })
            .collect();
        let rate =
            if spec.sample_rate < 1.0 { format!("|@{}", spec.sample_rate) } else { String::new() };
        let mut texts = Self {
            names,
            tag_sets: Vec::new(),
            tag_orders: spec.tag_orders,
            values_per_line: spec.values_per_line,
            rate,
            seed: spec.seed,
        };
        let padding = texts.padding_per_tag(spec);
        texts.tag_sets = (0..spec.tag_sets).map(|set| tag_set(set, spec.tags, padding)).collect();
        texts
    }

    /// Bytes to add to every tag so that a typical line reaches the wanted length.
    fn padding_per_tag(&self, spec: &LoadSpec) -> usize {
        if spec.tags == 0 {
            return 0;
        }
        let tags: usize = tag_set(0, spec.tags, 0).iter().map(|tag| tag.len() + 1).sum();
        let name = self.names.first().map_or(0, |(_, name)| name.len());
        let values = VALUE_BYTES_TYPICAL * spec.values_per_line as usize;
        let bare = name + 1 + values + "|c|#".len() + tags + self.rate.len();
        (spec.line_bytes as usize).saturating_sub(bare) / spec.tags as usize
    }

    /// Writes the line of `index` (context and tag order) with random values; returns its type, the
    /// number of values and their sum.
    fn write_line(&self, line: &mut Vec<u8>, index: u32, rng: &mut Rng) -> (Kind, u64, f64) {
        let (context, order) = (index / self.tag_orders, index % self.tag_orders);
        let names = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let (kind, name) = &self.names[(context % names) as usize];
        let tags = &self.tag_sets[(context / names) as usize];
        line.extend_from_slice(name.as_bytes());
        let (samples, sum) = self.write_values(line, *kind, rng);
        line.push(b'|');
        line.extend_from_slice(kind.symbol().as_bytes());
        line.extend_from_slice(self.rate.as_bytes());
        self.write_tags(line, tags, context, order);
        (*kind, samples, sum)
    }

    /// Values are multiples of a quarter, so that sums of them are exact.
    fn write_values(&self, line: &mut Vec<u8>, kind: Kind, rng: &mut Rng) -> (u64, f64) {
        if kind == Kind::Set {
            append(line, format_args!(":user-{}", rng.below(SET_MEMBERS)));
            return (1, 0.0);
        }
        let mut quarters_sum = 0;
        for _ in 0..self.values_per_line {
            let quarters = rng.below(VALUE_QUARTERS_MAX) + 1;
            quarters_sum += quarters;
            let fraction = ["", ".25", ".5", ".75"][(quarters % 4) as usize];
            append(line, format_args!(":{}{fraction}", quarters / 4));
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let sum = quarters_sum as f64 / 4.0;
        (u64::from(self.values_per_line), sum)
    }

    /// Order 0 is the order of the tag set; any other is a shuffle that belongs to the context.
    fn write_tags(&self, line: &mut Vec<u8>, tags: &[String], context: u32, order: u32) {
        if tags.is_empty() {
            return;
        }
        line.extend_from_slice(b"|#");
        let mut positions: Vec<usize> = (0..tags.len()).collect();
        if order > 0 {
            let salt = u64::from(context) << 32 | u64::from(order);
            Rng::new(self.seed ^ salt).shuffle(&mut positions);
        }
        for (written, position) in positions.into_iter().enumerate() {
            if written > 0 {
                line.push(b',');
            }
            line.extend_from_slice(tags[position].as_bytes());
        }
    }
}

/// Types in the order in which names get them: each as often as its weight, spread evenly.
fn deal_kinds(spec: &LoadSpec) -> Vec<Kind> {
    let weights = spec.types.weights();
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let cycle = total.min(u64::from(spec.names));
    let mut credit = [0_u64; 6];
    (0..cycle)
        .map(|_| {
            for (credit, weight) in credit.iter_mut().zip(weights) {
                *credit += u64::from(weight);
            }
            let richest = (0..credit.len()).max_by_key(|index| credit[*index]).unwrap_or(0);
            credit[richest] = credit[richest].saturating_sub(total);
            Kind::ALL[richest]
        })
        .collect()
}

const fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Gauge => "gauge",
        Kind::Count => "count",
        Kind::Histogram => "histogram",
        Kind::Distribution => "distribution",
        Kind::Set => "set",
        Kind::Timing => "timing",
    }
}

/// The first tag is unique to the set; the others repeat over sets, as real tags do.
fn tag_set(set: u32, tags: u32, padding: usize) -> Vec<String> {
    (0..tags)
        .map(|tag| {
            let mut text = match TAG_KEYS.get(tag as usize) {
                Some(key) => format!("{key}:"),
                None => format!("label_{tag:02}:"),
            };
            if tag == 0 {
                text.push_str(&format!("{set:05}"));
            } else {
                text.push_str(&format!("v{}", set % (tag * 7 + 3)));
            }
            text.extend(PADDING.chars().cycle().take(padding));
            text
        })
        .collect()
}

fn append(line: &mut Vec<u8>, arguments: std::fmt::Arguments<'_>) {
    // Writing into memory cannot fail.
    let _ok = line.write_fmt(arguments).is_ok();
}

const TAG_KEYS: [&str; 12] = [
    "pod", "env", "service", "region", "version", "endpoint", "status", "method", "zone", "team",
    "cluster", "tier",
];
const PADDING: &str = "-checkout-eu";
/// `:123.25` and the like.
const VALUE_BYTES_TYPICAL: usize = 6;
const VALUE_QUARTERS_MAX: u64 = 4_000;
const SET_MEMBERS: u64 = 1_000;

#[cfg(test)]
mod tests;
