//! A payload with named keys. spec: apm §5.3.

use super::msgpack::Msgpack;
use super::output::Output;
use super::payload::{Met, Schema};
use super::reader::Reader;
use super::span::{Open, Read, span, tags};
use super::{Budget, DecodeError};
use crate::Chunk;

/// The fields of v0.7.
pub(super) struct Named;

#[derive(Clone, Copy)]
enum Field {
    ContainerId,
    LanguageName,
    LanguageVersion,
    TracerVersion,
    RuntimeId,
    Chunks,
    Tags,
    Env,
    Hostname,
    AppVersion,
    Unknown,
}

impl Field {
    fn of(name: &[u8]) -> Self {
        match name {
            b"container_id" => Self::ContainerId,
            b"language_name" => Self::LanguageName,
            b"language_version" => Self::LanguageVersion,
            b"tracer_version" => Self::TracerVersion,
            b"runtime_id" => Self::RuntimeId,
            b"chunks" => Self::Chunks,
            b"tags" => Self::Tags,
            b"env" => Self::Env,
            b"hostname" => Self::Hostname,
            b"app_version" => Self::AppVersion,
            _ => Self::Unknown,
        }
    }
}

#[derive(Clone, Copy)]
enum ChunkField {
    Priority,
    Origin,
    Spans,
    Tags,
    Dropped,
    Unknown,
}

impl ChunkField {
    fn of(name: &[u8]) -> Self {
        match name {
            b"priority" => Self::Priority,
            b"origin" => Self::Origin,
            b"spans" => Self::Spans,
            b"tags" => Self::Tags,
            b"dropped_trace" => Self::Dropped,
            _ => Self::Unknown,
        }
    }
}

impl Schema for Named {
    fn payload_field(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
    ) -> Result<Met, DecodeError> {
        match reader.field(Field::of)? {
            Field::ContainerId => out.header.container_id = reader.text()?,
            Field::LanguageName => out.header.language_name = reader.text()?,
            Field::LanguageVersion => out.header.language_version = reader.text()?,
            Field::TracerVersion => out.header.tracer_version = reader.text()?,
            Field::RuntimeId => out.header.runtime_id = reader.text()?,
            Field::Chunks => return Ok(Met::List),
            Field::Tags => *out.tags = tags(reader, out)?,
            Field::Env => out.header.env = reader.text()?,
            Field::Hostname => out.header.hostname = reader.text()?,
            Field::AppVersion => out.header.app_version = reader.text()?,
            Field::Unknown => reader.skip()?,
        }
        Ok(Met::Field)
    }

    fn chunk_field(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        chunk: &mut Chunk,
    ) -> Result<Met, DecodeError> {
        match reader.field(ChunkField::of)? {
            ChunkField::Priority => chunk.priority = reader.small()?,
            ChunkField::Origin => chunk.origin = reader.text()?,
            ChunkField::Spans => return Ok(Met::List),
            ChunkField::Tags => chunk.attributes = tags(reader, out)?,
            ChunkField::Dropped => chunk.is_dropped_trace = reader.boolean()?,
            ChunkField::Unknown => reader.skip()?,
        }
        Ok(Met::Field)
    }

    fn span(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        open: &mut Open,
        budget: Budget,
    ) -> Result<Read, DecodeError> {
        span(reader, out, open, budget)
    }
}
