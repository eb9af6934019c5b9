//! A payload with chunks: the part that v0.7 and v1.0 share. spec: apm §5.3, §5.4.

use super::msgpack::Msgpack;
use super::output::Output;
use super::reader::{Items, Reader};
use super::span::{Open, Read};
use super::{Budget, DecodeError, Progress};
use crate::Chunk;

/// What a field of a map turned out to be.
pub(super) enum Met {
    /// It has been read.
    Field,
    /// The list one level down.
    List,
}

/// The fields of a version.
pub(super) trait Schema {
    /// Reads a field of the payload, up to the value of its chunks.
    fn payload_field(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
    ) -> Result<Met, DecodeError>;

    /// Reads a field of a chunk, up to the value of its spans.
    fn chunk_field(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        chunk: &mut Chunk,
    ) -> Result<Met, DecodeError>;

    /// Reads a span, or goes on with the one that is open.
    fn span(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        open: &mut Open,
        budget: Budget,
    ) -> Result<Read, DecodeError>;
}

/// How far a payload has been read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Payload {
    place: Place,
    fields: Items,
    chunks: Items,
    chunk_fields: Items,
    spans: Items,
    first: usize,
    chunk: Chunk,
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Start,
    Fields,
    Chunks,
    ChunkFields,
    /// Between two spans of a chunk.
    Spans,
    /// Within a span.
    Span,
    /// The chunk is read; its spans get its id from the one at `first` on.
    Ids,
    End,
}

/// Bytes of a body that cost as much as giving a span its id.
const ID_BYTES: usize = 8;

impl Payload {
    /// Reads chunks until all are read or the budget is used up.
    pub(super) fn step(
        &mut self,
        schema: &mut impl Schema,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        open: &mut Open,
        budget: Budget,
    ) -> Result<Progress, DecodeError> {
        loop {
            match self.place {
                Place::Start => {
                    self.fields = reader.map()?;
                    self.place = Place::Fields;
                }
                Place::Fields => {
                    if !reader.has_next(&mut self.fields)? {
                        self.place = Place::End;
                    } else if matches!(schema.payload_field(reader, out)?, Met::List) {
                        self.chunks = reader.array()?;
                        out.chunks.clear();
                        self.place = Place::Chunks;
                    }
                }
                Place::Chunks => {
                    if !reader.has_next(&mut self.chunks)? {
                        self.place = Place::Fields;
                    } else if !reader.nil() {
                        self.chunk_fields = reader.map()?;
                        // Without a priority it is 0 here: a reader of the protobuf form cannot
                        // tell the two apart.
                        let attributes = out.attributes.list();
                        self.chunk = Chunk { priority: 0, attributes, ..Chunk::default() };
                        self.place = Place::ChunkFields;
                    }
                    if budget.is_used_up(reader) {
                        return Ok(Progress::More);
                    }
                }
                Place::ChunkFields => {
                    if !reader.has_next(&mut self.chunk_fields)? {
                        self.first = self.chunk.spans.start as usize;
                        self.place = Place::Ids;
                        continue;
                    }
                    let met = schema.chunk_field(reader, out, &mut self.chunk)?;
                    if matches!(met, Met::List) {
                        self.spans = reader.array()?;
                        self.first = out.spans.len();
                        self.place = Place::Spans;
                    }
                }
                Place::Spans | Place::Span => {
                    if !self.read_spans(schema, reader, out, open, budget)? {
                        return Ok(Progress::More);
                    }
                    self.chunk.spans = out.spans_since(self.first);
                    self.place = Place::ChunkFields;
                }
                Place::Ids => {
                    let left = budget.end.saturating_sub(reader.at()) / ID_BYTES + 1;
                    if !self.give_ids(out, left) {
                        return Ok(Progress::More);
                    }
                    out.push_chunk(self.chunk)?;
                    self.place = Place::Chunks;
                }
                Place::End => return Ok(Progress::Done),
            }
        }
    }

    /// Reads the spans of the chunk; false when the budget is used up before.
    fn read_spans(
        &mut self,
        schema: &mut impl Schema,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        open: &mut Open,
        budget: Budget,
    ) -> Result<bool, DecodeError> {
        while matches!(self.place, Place::Span) || reader.has_next(&mut self.spans)? {
            self.place = Place::Span;
            match schema.span(reader, out, open, budget)? {
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

    /// Gives spans the id of their chunk, which may have come behind them; false when there are
    /// more than `count_max` left.
    fn give_ids(&mut self, out: &mut Output<'_>, count_max: usize) -> bool {
        let end = self.chunk.spans.range().end;
        if self.chunk.trace_id == 0 {
            return true;
        }
        let until = self.first.saturating_add(count_max).min(end);
        for span in out.spans.get_mut(self.first..until).unwrap_or_default() {
            span.trace_id = self.chunk.trace_id;
        }
        self.first = until;
        until == end
    }
}
