//! Spans, links and events with numbered keys. spec: apm §5.4.

use super::attributes::triples;
use super::{Numbered, trace_id};
use crate::decode::msgpack::Msgpack;
use crate::decode::output::Output;
use crate::decode::reader::Reader;
use crate::decode::span::{Open, Place, Read};
use crate::decode::{Budget, DecodeError};
use crate::{Event, Link, SpanKind};

impl Numbered<'_> {
    /// Reads a span, or goes on with the one that is open.
    pub(super) fn read_span(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        open: &mut Open,
        budget: Budget,
    ) -> Result<Read, DecodeError> {
        loop {
            let is_read = match open.place {
                Place::Start => {
                    if reader.nil() {
                        return Ok(Read::Nil);
                    }
                    open.begin(reader.map()?, out);
                    true
                }
                Place::Fields => {
                    if !self.fields(reader, out, open, budget)? {
                        return open.end(out);
                    }
                    !matches!(open.place, Place::Fields)
                }
                Place::Links => self.links(reader, out, open, budget)?,
                Place::Events => self.events(reader, out, open, budget)?,
                // One list of attributes stands for the three maps.
                Place::Meta | Place::Metrics | Place::MetaStruct => {
                    self.span_attributes(reader, out, open, budget)?
                }
            };
            if !is_read {
                return Ok(Read::More);
            }
        }
    }

    /// Reads fields up to a list, which is then entered; false when there are no more. When the
    /// slice ends, the place stays at the fields.
    #[inline]
    fn fields(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        open: &mut Open,
        budget: Budget,
    ) -> Result<bool, DecodeError> {
        let span = &mut open.span;
        while reader.has_next(&mut open.fields)? {
            match reader.small_unsigned()? {
                1 => span.service = self.text(reader)?,
                2 => span.name = self.text(reader)?,
                3 => span.resource = self.text(reader)?,
                4 => span.span_id = reader.unsigned()?,
                5 => span.parent_id = reader.unsigned()?,
                6 => span.start_ns = reader.unsigned()?.cast_signed(),
                7 => span.duration_ns = reader.unsigned()?.cast_signed(),
                8 => span.error = i32::from(reader.boolean()?),
                9 => {
                    span.attributes = out.attributes.list();
                    open.entries = triples(reader)?;
                    open.place = Place::Meta;
                    return Ok(true);
                }
                10 => span.span_type = self.text(reader)?,
                11 => {
                    open.entries = reader.array()?;
                    open.first = out.links.len();
                    open.place = Place::Links;
                    return Ok(true);
                }
                12 => {
                    open.entries = reader.array()?;
                    open.first = out.events.len();
                    open.place = Place::Events;
                    return Ok(true);
                }
                13 => span.env = self.text(reader)?,
                14 => span.version = self.text(reader)?,
                15 => span.component = self.text(reader)?,
                16 => span.kind = SpanKind::from_number(reader.small_unsigned()?),
                _ => self.skip(reader)?,
            }
            if budget.is_used_up(reader) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn span_attributes(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        open: &mut Open,
        budget: Budget,
    ) -> Result<bool, DecodeError> {
        let span = &mut open.span;
        while reader.has_next(&mut open.entries)? {
            let attribute = self.attribute(reader, out)?;
            span.keys.insert(attribute.name);
            out.push_attribute(&mut span.attributes, attribute)?;
            if budget.is_used_up(reader) {
                return Ok(false);
            }
        }
        open.place = Place::Fields;
        Ok(true)
    }

    fn links(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        open: &mut Open,
        budget: Budget,
    ) -> Result<bool, DecodeError> {
        while reader.has_next(&mut open.entries)? {
            let start = reader.at();
            out.begin_part();
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
            Output::end_part(start, reader.at())?;
            out.push_link(link)?;
            Output::check_parts(open.first, out.links.len())?;
            if budget.is_used_up(reader) {
                return Ok(false);
            }
        }
        open.span.links = out.links_since(open.first);
        open.place = Place::Fields;
        Ok(true)
    }

    fn events(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        open: &mut Open,
        budget: Budget,
    ) -> Result<bool, DecodeError> {
        while reader.has_next(&mut open.entries)? {
            let start = reader.at();
            out.begin_part();
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
            Output::end_part(start, reader.at())?;
            out.push_event(event)?;
            Output::check_parts(open.first, out.events.len())?;
            if budget.is_used_up(reader) {
                return Ok(false);
            }
        }
        open.span.events = out.events_since(open.first);
        open.place = Place::Fields;
        Ok(true)
    }
}
