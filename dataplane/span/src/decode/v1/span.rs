//! Spans, links and events with numbered keys. spec: apm §5.4.

use super::attributes::triples;
use super::{Numbered, trace_id};
use crate::decode::DecodeError;
use crate::decode::msgpack::Msgpack;
use crate::decode::output::Output;
use crate::decode::reader::Reader;
use crate::decode::span::ATTRIBUTES_ROOM;
use crate::list::Slice;
use crate::{Event, Link, Span, SpanKind};

impl Numbered<'_> {
    pub(super) fn read_span(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
    ) -> Result<Span, DecodeError> {
        let mut span = Span { attributes: out.attributes.list(), ..Span::default() };
        let mut fields = reader.map()?;
        while reader.has_next(&mut fields)? {
            match reader.small_unsigned()? {
                1 => span.service = self.text(reader)?,
                2 => span.name = self.text(reader)?,
                3 => span.resource = self.text(reader)?,
                4 => span.span_id = reader.unsigned()?,
                5 => span.parent_id = reader.unsigned()?,
                6 => span.start_ns = reader.unsigned()?.cast_signed(),
                7 => span.duration_ns = reader.unsigned()?.cast_signed(),
                8 => span.error = i32::from(reader.boolean()?),
                9 => self.span_attributes(reader, out, &mut span)?,
                10 => span.span_type = self.text(reader)?,
                11 => span.links = self.links(reader, out)?,
                12 => span.events = self.events(reader, out)?,
                13 => span.env = self.text(reader)?,
                14 => span.version = self.text(reader)?,
                15 => span.component = self.text(reader)?,
                16 => span.kind = SpanKind::from_number(reader.small_unsigned()?),
                _ => self.skip(reader)?,
            }
        }
        out.attributes.reserve(&mut span.attributes, ATTRIBUTES_ROOM);
        Ok(span)
    }

    fn span_attributes(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        span: &mut Span,
    ) -> Result<(), DecodeError> {
        span.attributes = out.attributes.list();
        let mut elements = triples(reader)?;
        while reader.has_next(&mut elements)? {
            let attribute = self.attribute(reader, out, 0)?;
            span.keys.insert(attribute.name);
            out.push_attribute(&mut span.attributes, attribute)?;
        }
        Ok(())
    }

    fn links(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
    ) -> Result<Slice, DecodeError> {
        let first = out.links.len();
        let mut links = reader.array()?;
        while reader.has_next(&mut links)? {
            let mut link = Link::default();
            let mut fields = reader.map()?;
            while reader.has_next(&mut fields)? {
                match reader.small_unsigned()? {
                    1 => (link.trace_id_high, link.trace_id) = trace_id(reader)?,
                    2 => link.span_id = reader.unsigned()?,
                    3 => link.attributes = self.nested(reader, out, 0)?,
                    4 => link.tracestate = self.text(reader)?,
                    5 => link.flags = reader.small_unsigned()?,
                    _ => self.skip(reader)?,
                }
            }
            out.push_link(link)?;
        }
        Ok(out.links_since(first))
    }

    fn events(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
    ) -> Result<Slice, DecodeError> {
        let first = out.events.len();
        let mut events = reader.array()?;
        while reader.has_next(&mut events)? {
            let mut event = Event::default();
            let mut fields = reader.map()?;
            while reader.has_next(&mut fields)? {
                match reader.small_unsigned()? {
                    1 => event.time_ns = reader.unsigned()?,
                    2 => event.name = self.text(reader)?,
                    3 => event.attributes = self.nested(reader, out, 0)?,
                    _ => self.skip(reader)?,
                }
            }
            out.push_event(event)?;
        }
        Ok(out.events_since(first))
    }
}
