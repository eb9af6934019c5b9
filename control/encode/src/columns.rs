//! The columns of one payload of form v3, filled row by row. spec: metrics-intake §6.2.

mod dict;
mod fill;
mod key_map;
mod split;
mod values;

use dict::{Dict, Framing};
use key_map::KeyMap;
use signal::Provenance;

use crate::wire::{field_len, put_varint, zigzag};

/// Bit of the type that forbids indexing.
const NO_INDEX: u64 = 0x100;
/// Bit of the type that promises an entry in the unit column.
const HAS_UNIT: u64 = 0x200;
/// Columns of the message.
pub(crate) const COLUMN_COUNT: usize = 26;

/// All columns, and what finds dictionary entries again. Clearing keeps the memory, so that in
/// steady state a row allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    rows: u64,
    points: u64,

    names: Dict,
    tags: Dict,
    /// Keys: count and delta-coded ids, as they go on the wire.
    tagsets: Dict,
    resource_strings: Dict,
    /// Keys: pairs of ids as varints. Not a column; the three columns below are.
    resource_sets: Dict,
    resource_counts: Vec<u8>,
    resource_types: Vec<u8>,
    resource_names: Vec<u8>,
    source_types: Dict,
    /// Keys: product, category, service.
    origins: Dict,
    units: Dict,

    types: Vec<u8>,
    name_refs: Deltas,
    tagset_refs: Deltas,
    resource_refs: Deltas,
    intervals: Vec<u8>,
    point_counts: Vec<u8>,
    timestamps: Deltas,
    sint64: Vec<u8>,
    float32: Vec<u8>,
    float64: Vec<u8>,
    bin_counts: Vec<u8>,
    bin_keys: Vec<u8>,
    bin_samples: Vec<u8>,
    source_type_refs: Deltas,
    origin_refs: Deltas,
    unit_refs: Deltas,

    /// Tag sets met before, by their hash.
    tagset_by_key: KeyMap,
    /// The set that holds only a host, for the host met last.
    host: (Vec<u8>, u32),
    /// The origin met last.
    origin: Option<(Provenance, u32)>,
    ids: Vec<u32>,
    pairs: Vec<(u32, u32)>,
    scratch: Vec<u8>,
}

/// A column of signed numbers, each as the difference to the one before.
#[derive(Debug, Default)]
struct Deltas {
    column: Vec<u8>,
    last: i64,
}

/// References of one row.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Type, value kind and flags. spec: metrics-intake §6.3.
    kind: u64,
    name: u32,
    tagset: u32,
    resources: u32,
    interval_secs: u64,
    source_type: u32,
    origin: u32,
    unit: u32,
    points: u64,
}

impl Columns {
    /// Empty columns whose dictionaries hash with `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            names: Dict::new(Framing::Length, seed),
            tags: Dict::new(Framing::Length, seed),
            tagsets: Dict::new(Framing::Bare, seed),
            resource_strings: Dict::new(Framing::Length, seed),
            resource_sets: Dict::new(Framing::Bare, seed),
            source_types: Dict::new(Framing::Length, seed),
            origins: Dict::new(Framing::Bare, seed),
            units: Dict::new(Framing::Length, seed),
            ..Self::default()
        }
    }

    /// Metrics in the columns.
    pub(crate) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Points in the columns.
    pub(crate) const fn points(&self) -> u64 {
        self.points
    }

    /// Every column with its field number, in the order of the wire.
    pub(crate) fn parts(&self) -> [(u32, &[u8]); COLUMN_COUNT] {
        [
            (1, self.names.column()),
            (2, self.tags.column()),
            (3, self.tagsets.column()),
            (4, self.resource_strings.column()),
            (5, &self.resource_counts),
            (6, &self.resource_types),
            (7, &self.resource_names),
            (8, self.source_types.column()),
            (9, self.origins.column()),
            (10, &self.types),
            (11, &self.name_refs.column),
            (12, &self.tagset_refs.column),
            (13, &self.resource_refs.column),
            (14, &self.intervals),
            (15, &self.point_counts),
            (16, &self.timestamps.column),
            (17, &self.sint64),
            (18, &self.float32),
            (19, &self.float64),
            (20, &self.bin_counts),
            (21, &self.bin_keys),
            (22, &self.bin_samples),
            (23, &self.source_type_refs.column),
            (24, &self.origin_refs.column),
            (25, self.units.column()),
            (26, &self.unit_refs.column),
        ]
    }

    /// Bytes of the message: the columns that are not empty, with key and length.
    pub(crate) fn message_bytes(&self) -> usize {
        self.parts()
            .iter()
            .filter(|(_, column)| !column.is_empty())
            .map(|&(field, column)| field_len(field, column.len()))
            .sum()
    }

    /// Empties every column.
    pub(crate) fn clear(&mut self) {
        self.rows = 0;
        self.points = 0;
        for dict in [
            &mut self.names,
            &mut self.tags,
            &mut self.tagsets,
            &mut self.resource_strings,
            &mut self.resource_sets,
            &mut self.source_types,
            &mut self.origins,
            &mut self.units,
        ] {
            dict.clear();
        }
        for column in [
            &mut self.resource_counts,
            &mut self.resource_types,
            &mut self.resource_names,
            &mut self.types,
            &mut self.intervals,
            &mut self.point_counts,
            &mut self.sint64,
            &mut self.float32,
            &mut self.float64,
            &mut self.bin_counts,
            &mut self.bin_keys,
            &mut self.bin_samples,
        ] {
            column.clear();
        }
        for deltas in [
            &mut self.name_refs,
            &mut self.tagset_refs,
            &mut self.resource_refs,
            &mut self.timestamps,
            &mut self.source_type_refs,
            &mut self.origin_refs,
            &mut self.unit_refs,
        ] {
            deltas.column.clear();
            deltas.last = 0;
        }
        self.tagset_by_key.clear();
        self.host = (std::mem::take(&mut self.host.0), 0);
        self.host.0.clear();
        self.origin = None;
    }

    /// Appends one entry to every column that has one entry per metric.
    fn put_row(&mut self, row: &Row) {
        put_varint(&mut self.types, row.kind);
        self.name_refs.put(i64::from(row.name));
        self.tagset_refs.put(i64::from(row.tagset));
        self.resource_refs.put(i64::from(row.resources));
        put_varint(&mut self.intervals, row.interval_secs);
        put_varint(&mut self.point_counts, row.points);
        self.source_type_refs.put(i64::from(row.source_type));
        self.origin_refs.put(i64::from(row.origin));
        if row.kind & HAS_UNIT != 0 {
            self.unit_refs.put(i64::from(row.unit));
        }
        self.rows += 1;
        self.points += row.points;
    }

    /// The number of the tag set whose tags have the numbers in `self.ids`.
    fn intern_tagset(&mut self) -> u32 {
        if self.ids.is_empty() {
            return 0;
        }
        self.ids.sort_unstable();
        self.scratch.clear();
        put_varint(&mut self.scratch, (self.ids.len() as u64) << 1);
        let mut last = 0;
        for &id in &self.ids {
            put_varint(&mut self.scratch, u64::from(id - last) << 1);
            last = id;
        }
        self.tagsets.intern(&self.scratch)
    }

    /// The number of the resource set whose types and names have the numbers in `self.pairs`.
    fn intern_resources(&mut self) -> u32 {
        self.scratch.clear();
        for &(kind, name) in &self.pairs {
            put_varint(&mut self.scratch, u64::from(kind));
            put_varint(&mut self.scratch, u64::from(name));
        }
        let newest = self.resource_sets.last();
        let number = self.resource_sets.intern(&self.scratch);
        if number > newest {
            put_varint(&mut self.resource_counts, self.pairs.len() as u64);
            let (mut last_kind, mut last_name) = (0, 0);
            for &(kind, name) in &self.pairs {
                put_varint(&mut self.resource_types, zigzag(i64::from(kind) - last_kind));
                put_varint(&mut self.resource_names, zigzag(i64::from(name) - last_name));
                (last_kind, last_name) = (i64::from(kind), i64::from(name));
            }
        }
        number
    }
}

impl Deltas {
    #[inline]
    fn put(&mut self, value: i64) {
        put_varint(&mut self.column, zigzag(value.wrapping_sub(self.last)));
        self.last = value;
    }
}
