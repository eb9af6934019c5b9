//! Lists of lists of spans (v0.2 to v0.5), and one list of spans (v0.1). spec: apm §5.1.

use super::grouping::Grouping;
use super::output::Output;
use super::reader::{Items, Reader};
use super::span::Read;
use super::{Budget, DecodeError, Progress};
use crate::Chunk;

/// Bytes of a body that cost as much as one span in one pass of the grouping.
const GROUPED_BYTES: usize = 16;

/// How far the lists have been read.
#[derive(Debug, Default)]
pub(super) struct Lists {
    place: Place,
    traces: Items,
    spans: Items,
    first: usize,
    grouping: Option<Grouping>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Start,
    Traces,
    /// Between two spans of a trace.
    Spans,
    /// Within a span.
    Span,
    End,
}

impl Lists {
    pub(super) const fn heap_bytes(&self) -> usize {
        match &self.grouping {
            Some(grouping) => grouping.heap_bytes(),
            None => 0,
        }
    }

    /// Reads traces until all are read or the budget is used up.
    pub(super) fn step<R: Reader>(
        &mut self,
        reader: &mut R,
        out: &mut Output<'_>,
        budget: Budget,
        mut span: impl FnMut(&mut R, &mut Output<'_>) -> Result<Read, DecodeError>,
    ) -> Result<Progress, DecodeError> {
        loop {
            match self.place {
                Place::Start => {
                    self.traces = reader.top()?;
                    self.place = Place::Traces;
                }
                Place::Traces => {
                    if !reader.has_next(&mut self.traces)? {
                        self.place = Place::End;
                        continue;
                    }
                    self.spans = reader.array()?;
                    self.first = out.spans.len();
                    self.place = Place::Spans;
                }
                Place::Spans | Place::Span => {
                    if !self.read_spans(reader, out, budget, &mut span)? {
                        return Ok(Progress::More);
                    }
                    let spans = out.spans_since(self.first);
                    out.push_chunk(Chunk { spans, ..Chunk::default() })?;
                    self.place = Place::Traces;
                    if budget.is_used_up(reader) {
                        return Ok(Progress::More);
                    }
                }
                Place::End => return Ok(Progress::Done),
            }
        }
    }

    /// The same for one list without traces, of which each trace becomes a chunk. What follows
    /// reading is measured in bytes of spans.
    pub(super) fn step_flat<R: Reader>(
        &mut self,
        reader: &mut R,
        out: &mut Output<'_>,
        budget: Budget,
        bytes_max: usize,
        mut span: impl FnMut(&mut R, &mut Output<'_>) -> Result<Read, DecodeError>,
    ) -> Result<Progress, DecodeError> {
        if matches!(self.place, Place::Start) {
            self.spans = reader.top()?;
            self.place = Place::Spans;
        }
        if matches!(self.place, Place::Spans | Place::Span) {
            if !self.read_spans(reader, out, budget, &mut span)? {
                return Ok(Progress::More);
            }
            self.place = Place::End;
        }
        let grouping = self.grouping.get_or_insert_default();
        if !grouping.step(out, bytes_max / GROUPED_BYTES + 1)? {
            return Ok(Progress::More);
        }
        self.grouping = None;
        Ok(Progress::Done)
    }

    /// Reads the spans of the open list; false when the budget is used up before.
    fn read_spans<R: Reader>(
        &mut self,
        reader: &mut R,
        out: &mut Output<'_>,
        budget: Budget,
        span: &mut impl FnMut(&mut R, &mut Output<'_>) -> Result<Read, DecodeError>,
    ) -> Result<bool, DecodeError> {
        while matches!(self.place, Place::Span) || reader.has_next(&mut self.spans)? {
            self.place = Place::Span;
            match span(reader, out)? {
                Read::Span(span) => out.push_span(span)?,
                Read::Nil => {}
                Read::More => return Ok(false),
            }
            self.place = Place::Spans;
            if budget.is_used_up(reader) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
