//! The messages of a request: metrics and their points. spec: otlp §2.1.

use std::borrow::Cow;

use super::cumulative::Moment;
use crate::Attributes;
use crate::wire::{Field, Fields, WireError};

/// A metric, whose points stay encoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metric<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) unit: Cow<'a, str>,
    pub(crate) data: Option<Data<'a>>,
}

/// What a metric holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Data<'a> {
    pub(crate) kind: Kind,
    pub(crate) temporality: Temporality,
    pub(crate) is_monotonic: bool,
    message: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Gauge,
    Sum,
    Histogram,
    ExponentialHistogram,
    Summary,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Temporality {
    #[default]
    Unspecified,
    Delta,
    Cumulative,
}

/// What all kinds of points have.
#[derive(Debug, Default)]
pub(crate) struct PointHead<'a> {
    pub(crate) start_nanos: u64,
    pub(crate) time_nanos: u64,
    pub(crate) flags: u64,
    pub(crate) attributes: Attributes<'a>,
}

/// A value as it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    Double(f64),
}

#[derive(Debug)]
pub(crate) struct NumberPoint<'a> {
    pub(crate) head: PointHead<'a>,
    pub(crate) value: Number,
}

/// A point of a histogram. What is not finite of `min` and `max` is not given.
#[derive(Debug, Default)]
pub(crate) struct HistogramPoint<'a> {
    pub(crate) head: PointHead<'a>,
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) counts: Vec<u64>,
    pub(crate) bounds: Vec<f64>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
}

/// A point of an exponential histogram. What is not finite of `min` and `max` is not given.
#[derive(Debug, Default)]
pub(crate) struct ExponentialPoint<'a> {
    pub(crate) head: PointHead<'a>,
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) scale: i64,
    pub(crate) zero_count: u64,
    pub(crate) positive: Buckets,
    pub(crate) negative: Buckets,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
}

/// Buckets in order of their indices.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    /// Index of the first.
    pub(crate) offset: i64,
    pub(crate) counts: Vec<u64>,
    /// Whether there were more than are taken.
    pub(crate) is_cut: bool,
}

/// Buckets of one half of an exponential histogram, far more than the 160 that exporters make: a
/// byte of a request would become eight in memory otherwise.
pub(crate) const BUCKETS_MAX: usize = 65_536;

#[derive(Debug, Default)]
pub(crate) struct SummaryPoint<'a> {
    pub(crate) head: PointHead<'a>,
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) quantiles: Vec<Quantile>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Quantile {
    pub(crate) quantile: f64,
    pub(crate) value: f64,
}

impl<'a> Metric<'a> {
    /// Reads a message `Metric`. Of several kinds of data the last counts.
    pub(crate) fn read(message: &'a [u8]) -> Result<Self, WireError> {
        let (mut fields, mut metric) = (Fields::new(message), Self::default());
        while let Some(field) = fields.read()? {
            let kind = match field.number {
                1 => {
                    metric.name = field.text()?;
                    continue;
                }
                3 => {
                    metric.unit = field.text()?;
                    continue;
                }
                5 => Kind::Gauge,
                7 => Kind::Sum,
                9 => Kind::Histogram,
                10 => Kind::ExponentialHistogram,
                11 => Kind::Summary,
                _ => continue,
            };
            metric.data = Some(Data::read(kind, field.bytes()?)?);
        }
        Ok(metric)
    }
}

impl<'a> Data<'a> {
    fn read(kind: Kind, message: &'a [u8]) -> Result<Self, WireError> {
        let mut data =
            Self { kind, temporality: Temporality::default(), is_monotonic: false, message };
        let mut fields = Fields::new(message);
        while let Some(field) = fields.read()? {
            match field.number {
                2 => {
                    data.temporality = match field.unsigned()? {
                        1 => Temporality::Delta,
                        2 => Temporality::Cumulative,
                        _ => Temporality::Unspecified,
                    }
                }
                3 if kind == Kind::Sum => data.is_monotonic = field.boolean()?,
                _ => {}
            }
        }
        Ok(data)
    }

    /// The messages of its points.
    pub(crate) fn points(&self) -> impl Iterator<Item = Result<&'a [u8], WireError>> + use<'a> {
        let mut fields = Fields::new(self.message);
        std::iter::from_fn(move || {
            loop {
                match fields.read().transpose()? {
                    Ok(field) if field.number != 1 => {}
                    Ok(field) => return Some(field.bytes()),
                    Err(error) => {
                        fields = Fields::new(&[]);
                        return Some(Err(error));
                    }
                }
            }
        })
    }
}

/// A point that is read over another, so that its lists keep their room.
pub(crate) trait Point<'a>: Default {
    /// What all kinds have.
    fn head(&self) -> &PointHead<'a>;
    /// Makes it empty.
    fn clear(&mut self);
    /// Takes a field of its message.
    fn take(&mut self, field: Field<'a>) -> Result<(), WireError>;

    /// Reads a message over what was read before.
    fn read(&mut self, message: &'a [u8]) -> Result<(), WireError> {
        self.clear();
        let mut fields = Fields::new(message);
        while let Some(field) = fields.read()? {
            self.take(field)?;
        }
        Ok(())
    }
}

impl PointHead<'_> {
    /// Whether the point says that it has no value.
    pub(crate) const fn has_no_value(&self) -> bool {
        self.flags & 1 == 1
    }

    pub(crate) const fn moment(&self) -> Moment {
        Moment { start: self.start_nanos, time: self.time_nanos }
    }

    fn clear(&mut self) {
        (self.start_nanos, self.time_nanos, self.flags) = (0, 0, 0);
        self.attributes.0.clear();
    }
}

impl Number {
    #[expect(clippy::cast_precision_loss, reason = "points are doubles")]
    pub(crate) const fn as_f64(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Double(value) => value,
        }
    }
}

impl Default for NumberPoint<'_> {
    fn default() -> Self {
        Self { head: PointHead::default(), value: Number::Int(0) }
    }
}

impl<'a> Point<'a> for NumberPoint<'a> {
    fn head(&self) -> &PointHead<'a> {
        &self.head
    }

    fn clear(&mut self) {
        self.head.clear();
        self.value = Number::Int(0);
    }

    #[inline]
    fn take(&mut self, field: Field<'a>) -> Result<(), WireError> {
        match field.number {
            2 => self.head.start_nanos = field.fixed64()?,
            3 => self.head.time_nanos = field.fixed64()?,
            4 => self.value = Number::Double(field.double()?),
            6 => self.value = Number::Int(field.fixed64()?.cast_signed()),
            7 => self.head.attributes.push(field)?,
            8 => self.head.flags = field.unsigned()?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Point<'a> for HistogramPoint<'a> {
    fn head(&self) -> &PointHead<'a> {
        &self.head
    }

    fn clear(&mut self) {
        self.head.clear();
        (self.count, self.sum, self.min, self.max) = (0, 0.0, None, None);
        self.counts.clear();
        self.bounds.clear();
    }

    fn take(&mut self, field: Field<'a>) -> Result<(), WireError> {
        let Self { counts, bounds, .. } = self;
        match field.number {
            2 => self.head.start_nanos = field.fixed64()?,
            3 => self.head.time_nanos = field.fixed64()?,
            4 => self.count = field.fixed64()?,
            5 => self.sum = field.double()?,
            6 => field.fixed64_list(&mut |count| counts.push(count))?,
            7 => field.fixed64_list(&mut |bound| bounds.push(f64::from_bits(bound)))?,
            9 => self.head.attributes.push(field)?,
            10 => self.head.flags = field.unsigned()?,
            11 => self.min = finite(field.double()?),
            12 => self.max = finite(field.double()?),
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Point<'a> for ExponentialPoint<'a> {
    fn head(&self) -> &PointHead<'a> {
        &self.head
    }

    fn clear(&mut self) {
        self.head.clear();
        (self.count, self.sum, self.scale, self.zero_count) = (0, 0.0, 0, 0);
        (self.min, self.max) = (None, None);
        self.positive.clear();
        self.negative.clear();
    }

    fn take(&mut self, field: Field<'a>) -> Result<(), WireError> {
        match field.number {
            1 => self.head.attributes.push(field)?,
            2 => self.head.start_nanos = field.fixed64()?,
            3 => self.head.time_nanos = field.fixed64()?,
            4 => self.count = field.fixed64()?,
            5 => self.sum = field.double()?,
            6 => self.scale = field.zigzag()?,
            7 => self.zero_count = field.fixed64()?,
            8 => self.positive.read(field.bytes()?)?,
            9 => self.negative.read(field.bytes()?)?,
            10 => self.head.flags = field.unsigned()?,
            12 => self.min = finite(field.double()?),
            13 => self.max = finite(field.double()?),
            _ => {}
        }
        Ok(())
    }
}

impl Buckets {
    fn clear(&mut self) {
        self.offset = 0;
        self.is_cut = false;
        self.counts.clear();
    }

    fn read(&mut self, message: &[u8]) -> Result<(), WireError> {
        let mut fields = Fields::new(message);
        while let Some(field) = fields.read()? {
            match field.number {
                1 => self.offset = field.zigzag()?,
                2 => field.unsigned_list(&mut |count| {
                    if self.counts.len() < BUCKETS_MAX {
                        self.counts.push(count);
                    } else {
                        self.is_cut = true;
                    }
                })?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'a> Point<'a> for SummaryPoint<'a> {
    fn head(&self) -> &PointHead<'a> {
        &self.head
    }

    fn clear(&mut self) {
        self.head.clear();
        (self.count, self.sum) = (0, 0.0);
        self.quantiles.clear();
    }

    fn take(&mut self, field: Field<'a>) -> Result<(), WireError> {
        match field.number {
            2 => self.head.start_nanos = field.fixed64()?,
            3 => self.head.time_nanos = field.fixed64()?,
            4 => self.count = field.fixed64()?,
            5 => self.sum = field.double()?,
            6 => {
                let (mut fields, mut quantile) = (Fields::new(field.bytes()?), Quantile::default());
                while let Some(field) = fields.read()? {
                    match field.number {
                        1 => quantile.quantile = field.double()?,
                        2 => quantile.value = field.double()?,
                        _ => {}
                    }
                }
                self.quantiles.push(quantile);
            }
            7 => self.head.attributes.push(field)?,
            8 => self.head.flags = field.unsigned()?,
            _ => {}
        }
        Ok(())
    }
}

fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}
