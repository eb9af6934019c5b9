//! Splits columns in two, for the rare payload that turns out too big once compressed.

use super::values::ValueKind;
use super::{Columns, HAS_UNIT, Row};
use crate::wire::unzigzag;

/// Bits of the type that tell series from distributions.
const METRIC_KIND_MASK: u64 = 0x0f;
const SKETCH: u64 = 4;

impl Columns {
    /// The first `rows` rows and the rest, each with dictionaries of its own.
    pub(crate) fn split(&self, rows: u64, seed: u64) -> (Self, Self) {
        let mut reader = Reader::new(self);
        let (mut first, mut second) = (Self::new(seed), Self::new(seed));
        for row in 0..self.rows {
            reader.copy_row(if row < rows { &mut first } else { &mut second });
        }
        (first, second)
    }
}

/// Reads columns that this crate wrote. Should they be cut short it reads zeros.
struct Reader<'a> {
    from: &'a Columns,
    types: Cursor<'a>,
    names: Cursor<'a>,
    tagsets: Cursor<'a>,
    resources: Cursor<'a>,
    intervals: Cursor<'a>,
    point_counts: Cursor<'a>,
    timestamps: Cursor<'a>,
    sint64: Cursor<'a>,
    float32: Cursor<'a>,
    float64: Cursor<'a>,
    bin_counts: Cursor<'a>,
    bin_keys: Cursor<'a>,
    bin_samples: Cursor<'a>,
    source_types: Cursor<'a>,
    origins: Cursor<'a>,
    units: Cursor<'a>,
}

impl<'a> Reader<'a> {
    fn new(from: &'a Columns) -> Self {
        Self {
            from,
            types: Cursor::new(&from.types),
            names: Cursor::new(&from.name_refs.column),
            tagsets: Cursor::new(&from.tagset_refs.column),
            resources: Cursor::new(&from.resource_refs.column),
            intervals: Cursor::new(&from.intervals),
            point_counts: Cursor::new(&from.point_counts),
            timestamps: Cursor::new(&from.timestamps.column),
            sint64: Cursor::new(&from.sint64),
            float32: Cursor::new(&from.float32),
            float64: Cursor::new(&from.float64),
            bin_counts: Cursor::new(&from.bin_counts),
            bin_keys: Cursor::new(&from.bin_keys),
            bin_samples: Cursor::new(&from.bin_samples),
            source_types: Cursor::new(&from.source_type_refs.column),
            origins: Cursor::new(&from.origin_refs.column),
            units: Cursor::new(&from.unit_refs.column),
        }
    }

    fn copy_row(&mut self, into: &mut Columns) {
        let from = self.from;
        let kind = self.types.varint();
        let unit = if kind & HAS_UNIT == 0 { 0 } else { self.units.reference() };
        let row = Row {
            kind,
            name: into.names.intern(from.names.key(self.names.reference())),
            tagset: copy_tagset(from, self.tagsets.reference(), into),
            resources: copy_resources(from, self.resources.reference(), into),
            interval_secs: self.intervals.varint(),
            source_type: into
                .source_types
                .intern(from.source_types.key(self.source_types.reference())),
            origin: into.origins.intern(from.origins.key(self.origins.reference())),
            unit: into.units.intern(from.units.key(unit)),
            points: self.point_counts.varint(),
        };
        into.put_row(&row);
        for _ in 0..row.points {
            into.timestamps.put(self.timestamps.delta());
        }
        if kind & METRIC_KIND_MASK == SKETCH {
            for _ in 0..row.points {
                self.copy_values(ValueKind::from_type(kind), 3, into);
                into.sint64.extend_from_slice(self.sint64.varints(1));
                self.copy_bins(into);
            }
        } else {
            self.copy_values(ValueKind::from_type(kind), row.points, into);
        }
    }

    fn copy_values(&mut self, kind: ValueKind, count: u64, into: &mut Columns) {
        match kind {
            ValueKind::Zero => {}
            ValueKind::Sint64 => into.sint64.extend_from_slice(self.sint64.varints(count)),
            ValueKind::Float32 => into.float32.extend_from_slice(self.float32.bytes(count * 4)),
            ValueKind::Float64 => into.float64.extend_from_slice(self.float64.bytes(count * 8)),
        }
    }

    fn copy_bins(&mut self, into: &mut Columns) {
        let mut count = self.bin_counts.clone();
        into.bin_counts.extend_from_slice(self.bin_counts.varints(1));
        let bins = count.varint();
        into.bin_keys.extend_from_slice(self.bin_keys.varints(bins));
        into.bin_samples.extend_from_slice(self.bin_samples.varints(bins));
    }
}

fn copy_tagset(from: &Columns, number: u32, into: &mut Columns) -> u32 {
    let mut ids = Cursor::new(from.tagsets.key(number));
    into.ids.clear();
    for _ in 0..unzigzag(ids.varint()) {
        let id = into.tags.intern(from.tags.key(ids.reference()));
        into.ids.push(id);
    }
    into.intern_tagset()
}

fn copy_resources(from: &Columns, number: u32, into: &mut Columns) -> u32 {
    let mut pairs = Cursor::new(from.resource_sets.key(number));
    into.pairs.clear();
    while !pairs.is_done() {
        let kind = from.resource_strings.key(number_of(pairs.varint()));
        let name = from.resource_strings.key(number_of(pairs.varint()));
        let pair = (into.resource_strings.intern(kind), into.resource_strings.intern(name));
        into.pairs.push(pair);
    }
    into.intern_resources()
}

fn number_of(value: u64) -> u32 {
    u32::try_from(value).unwrap_or_default()
}

#[derive(Clone, Debug)]
struct Cursor<'a> {
    rest: &'a [u8],
    last: i64,
}

impl<'a> Cursor<'a> {
    const fn new(rest: &'a [u8]) -> Self {
        Self { rest, last: 0 }
    }

    const fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    fn varint(&mut self) -> u64 {
        let mut value = 0;
        for (shift, &byte) in (0..64).step_by(7).zip(self.varints(1)) {
            value |= u64::from(byte & 0x7f) << shift;
        }
        value
    }

    /// The next of delta-coded numbers.
    fn delta(&mut self) -> i64 {
        self.last = self.last.wrapping_add(unzigzag(self.varint()));
        self.last
    }

    /// The next of delta-coded dictionary numbers.
    fn reference(&mut self) -> u32 {
        u32::try_from(self.delta()).unwrap_or_default()
    }

    /// The bytes of the next `count` varints.
    fn varints(&mut self, count: u64) -> &'a [u8] {
        let mut left = count;
        let mut len = 0;
        while left > 0 && len < self.rest.len() {
            if self.rest[len] < 0x80 {
                left -= 1;
            }
            len += 1;
        }
        self.bytes(len as u64)
    }

    fn bytes(&mut self, count: u64) -> &'a [u8] {
        let at = usize::try_from(count).unwrap_or(usize::MAX).min(self.rest.len());
        let (taken, rest) = self.rest.split_at(at);
        self.rest = rest;
        taken
    }
}
