//! Lists of lists of spans (v0.2 to v0.5), and one list of spans (v0.1). spec: apm §5.1.

use super::output::{Output, since};
use super::reader::{Items, Reader};
use super::{Budget, DecodeError, Progress};
use crate::{Chunk, Span};

/// How far the lists have been read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lists {
    place: Place,
    traces: Items,
    spans: Items,
    first: usize,
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Start,
    Traces,
    Spans,
    End,
}

impl Lists {
    /// Reads traces until all are read or the budget is used up.
    pub(super) fn step<R: Reader>(
        &mut self,
        reader: &mut R,
        out: &mut Output<'_>,
        budget: &mut Budget,
        mut span: impl FnMut(&mut R, &mut Output<'_>) -> Result<Option<Span>, DecodeError>,
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
                Place::Spans => {
                    while reader.has_next(&mut self.spans)? {
                        if let Some(span) = span(reader, out)? {
                            out.push_span(span)?;
                        }
                        if budget.is_used_up() {
                            return Ok(Progress::More);
                        }
                    }
                    let spans = out.spans_since(self.first);
                    out.push_chunk(Chunk { spans, ..Chunk::default() })?;
                    self.place = Place::Traces;
                    if budget.is_used_up() {
                        return Ok(Progress::More);
                    }
                }
                Place::End => return Ok(Progress::Done),
            }
        }
    }

    /// The same for one list without traces.
    pub(super) fn step_flat<R: Reader>(
        &mut self,
        reader: &mut R,
        out: &mut Output<'_>,
        budget: &mut Budget,
        mut span: impl FnMut(&mut R, &mut Output<'_>) -> Result<Option<Span>, DecodeError>,
    ) -> Result<Progress, DecodeError> {
        if matches!(self.place, Place::Start) {
            self.spans = reader.top()?;
            self.place = Place::Spans;
        }
        while reader.has_next(&mut self.spans)? {
            if let Some(span) = span(reader, out)? {
                out.push_span(span)?;
            }
            if budget.is_used_up() {
                return Ok(Progress::More);
            }
        }
        self.place = Place::End;
        group(out);
        Ok(Progress::Done)
    }
}

/// Makes a chunk of all spans of one trace.
fn group(out: &mut Output<'_>) {
    out.spans.sort_by_key(|span| span.trace_id);
    let mut first = 0;
    for len in out.spans.chunk_by(|a, b| a.trace_id == b.trace_id).map(<[Span]>::len) {
        let spans = since(first, first + len);
        first += len;
        out.chunks.push(Chunk { spans, ..Chunk::default() });
    }
}
