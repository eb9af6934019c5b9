//! A payload with chunks: the part that v0.7 and v1.0 share. spec: apm §5.3, §5.4.

use super::msgpack::Msgpack;
use super::output::Output;
use super::reader::{Items, Reader};
use super::{Budget, DecodeError, Progress};
use crate::{Chunk, Span};

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

    /// Reads a span; none for nil.
    fn span(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
    ) -> Result<Option<Span>, DecodeError>;
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
    Spans,
    End,
}

impl Payload {
    /// Reads chunks until all are read or the budget is used up.
    pub(super) fn step(
        &mut self,
        schema: &mut impl Schema,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        budget: &mut Budget,
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
                    if budget.is_used_up() {
                        return Ok(Progress::More);
                    }
                }
                Place::ChunkFields => {
                    if !reader.has_next(&mut self.chunk_fields)? {
                        self.end_chunk(out)?;
                        self.place = Place::Chunks;
                        continue;
                    }
                    let met = schema.chunk_field(reader, out, &mut self.chunk)?;
                    if matches!(met, Met::List) {
                        self.spans = reader.array()?;
                        self.first = out.spans.len();
                        self.place = Place::Spans;
                    }
                }
                Place::Spans => {
                    while reader.has_next(&mut self.spans)? {
                        if let Some(span) = schema.span(reader, out)? {
                            out.push_span(span)?;
                        }
                        if budget.is_used_up() {
                            return Ok(Progress::More);
                        }
                    }
                    self.chunk.spans = out.spans_since(self.first);
                    self.place = Place::ChunkFields;
                }
                Place::End => return Ok(Progress::Done),
            }
        }
    }

    fn end_chunk(&self, out: &mut Output<'_>) -> Result<(), DecodeError> {
        if self.chunk.trace_id != 0 {
            for span in out.spans.get_mut(self.chunk.spans.range()).unwrap_or_default() {
                span.trace_id = self.chunk.trace_id;
            }
        }
        out.push_chunk(self.chunk)
    }
}
