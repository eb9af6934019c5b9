//! Reading the body of `/v0.6/stats`: all keys optional, unknown ones passed over.

use super::{ClientBucket, ClientGroup, ClientPayload};
use crate::key::TraceRoot;
use crate::msgpack::{Malformed, Reader};

/// Buckets, groups and tags of one body; a group takes some 600 bytes, so that a body of the size
/// limit cannot fill the memory.
const BUCKETS_MAX: usize = 10_000;
const GROUPS_MAX: usize = 50_000;
const TAGS_MAX: usize = 500_000;
/// Tags of one list, which is read in one go.
const LIST_TAGS_MAX: usize = 10_000;

/// Why a body is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientStatsError {
    /// The body ends within a value.
    #[error("stats payload is cut off: send all of it")]
    Truncated,
    /// A value has the wrong type.
    #[error("stats payload has a value of the wrong type: send a ClientStatsPayload in msgpack")]
    Type,
    /// There are more buckets, groups or tags than are taken.
    #[error("stats payload has too many buckets, groups or tags: send smaller payloads")]
    TooMany,
}

impl From<Malformed> for ClientStatsError {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::Truncated => Self::Truncated,
            Malformed::Type => Self::Type,
        }
    }
}

impl ClientPayload {
    /// Reads a body at once. What follows the message is ignored.
    ///
    /// # Errors
    /// The bytes are no such message, or one that is too large.
    pub fn decode(body: &[u8]) -> Result<Self, ClientStatsError> {
        let mut decoding = ClientDecoding::default();
        while !decoding.step(body, usize::MAX)? {}
        Ok(decoding.payload)
    }
}

/// How far a body has been read: a lane leaves it between two groups and serves others.
#[derive(Debug)]
pub struct ClientDecoding {
    /// What was read.
    pub payload: ClientPayload,
    place: Place,
    at: usize,
    /// What is left of the payload, its buckets, the bucket in work, and its groups.
    fields: usize,
    buckets: usize,
    bucket_fields: usize,
    groups: usize,
    buckets_left: usize,
    groups_left: usize,
    tags_left: usize,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Start,
    Fields,
    Buckets,
    BucketFields,
    Groups,
    End,
}

impl Default for ClientDecoding {
    fn default() -> Self {
        Self {
            payload: ClientPayload::default(),
            place: Place::Start,
            at: 0,
            fields: 0,
            buckets: 0,
            bucket_fields: 0,
            groups: 0,
            buckets_left: BUCKETS_MAX,
            groups_left: GROUPS_MAX,
            tags_left: TAGS_MAX,
        }
    }
}

impl ClientDecoding {
    /// Reads about `bytes_max` bytes more of a body, at least one group; whether it is done. What
    /// follows the message is ignored.
    ///
    /// # Errors
    /// The bytes are no such message, or one that is too large.
    pub fn step(&mut self, body: &[u8], bytes_max: usize) -> Result<bool, ClientStatsError> {
        let rest = body.get(self.at..).unwrap_or_default();
        let mut decoder = Decoder { reader: Reader::new(rest), tags_left: self.tags_left };
        let is_done = self.read(&mut decoder, rest.len().saturating_sub(bytes_max))?;
        self.tags_left = decoder.tags_left;
        self.at = body.len() - decoder.reader.left();
        Ok(is_done)
    }

    /// Reads until no more than `left_min` bytes are left.
    fn read(&mut self, decoder: &mut Decoder<'_>, left_min: usize) -> Decoded<bool> {
        loop {
            match self.place {
                Place::Start => {
                    self.fields = decoder.reader.map()?.ok_or(ClientStatsError::Type)?;
                    self.place = Place::Fields;
                }
                Place::Fields => {
                    if !next(&mut self.fields) {
                        self.place = Place::End;
                    } else if decoder.field(&mut self.payload)? {
                        self.payload.buckets.clear();
                        self.buckets = decoder.reader.array()?;
                        self.place = Place::Buckets;
                    }
                }
                Place::Buckets => {
                    if !next(&mut self.buckets) {
                        self.place = Place::Fields;
                    } else if let Some(count) = decoder.reader.map()? {
                        take(&mut self.buckets_left)?;
                        self.payload.buckets.push(ClientBucket::default());
                        self.bucket_fields = count;
                        self.place = Place::BucketFields;
                    }
                }
                Place::BucketFields => {
                    let Some(bucket) = self.payload.buckets.last_mut() else { return Ok(true) };
                    if !next(&mut self.bucket_fields) {
                        self.place = Place::Buckets;
                    } else if decoder.bucket_field(bucket)? {
                        bucket.groups.clear();
                        self.groups = decoder.reader.array()?;
                        self.place = Place::Groups;
                    }
                }
                Place::Groups => {
                    let Some(bucket) = self.payload.buckets.last_mut() else { return Ok(true) };
                    if !next(&mut self.groups) {
                        self.place = Place::BucketFields;
                    } else if let Some(count) = decoder.reader.map()? {
                        take(&mut self.groups_left)?;
                        bucket.groups.push(decoder.group(count)?);
                    }
                }
                Place::End => return Ok(true),
            }
            if decoder.reader.left() <= left_min && !matches!(self.place, Place::End) {
                return Ok(false);
            }
        }
    }
}

const fn next(left: &mut usize) -> bool {
    let has_next = *left > 0;
    *left = left.saturating_sub(1);
    has_next
}

struct Decoder<'a> {
    reader: Reader<'a>,
    tags_left: usize,
}

type Decoded<T> = Result<T, ClientStatsError>;

impl Decoder<'_> {
    /// Reads a field of the payload; true in front of the list of its buckets.
    fn field(&mut self, payload: &mut ClientPayload) -> Decoded<bool> {
        match self.reader.bin()? {
            b"Hostname" => payload.hostname = self.text()?,
            b"Env" => payload.env = self.text()?,
            b"Version" => payload.version = self.text()?,
            b"Stats" => return Ok(true),
            b"Lang" => payload.lang = self.text()?,
            b"TracerVersion" => payload.tracer_version = self.text()?,
            b"RuntimeID" => payload.runtime_id = self.text()?,
            b"Sequence" => payload.sequence = self.reader.uint()?,
            b"AgentAggregation" => payload.agent_aggregation = self.text()?,
            b"Service" => payload.service = self.text()?,
            b"ContainerID" => payload.container_id = self.text()?,
            b"Tags" => payload.tags = self.tags()?,
            b"GitCommitSha" => payload.git_commit_sha = self.text()?,
            b"ImageTag" => payload.image_tag = self.text()?,
            b"ProcessTags" => payload.process_tags = self.text()?,
            // The hash of process tags is computed from the tags themselves.
            _ => self.reader.skip()?,
        }
        Ok(false)
    }

    /// Reads a field of a bucket; true in front of the list of its groups.
    fn bucket_field(&mut self, bucket: &mut ClientBucket) -> Decoded<bool> {
        match self.reader.bin()? {
            b"Start" => bucket.start_ns = self.reader.uint()?,
            b"Duration" => bucket.duration_ns = self.reader.uint()?,
            b"Stats" => return Ok(true),
            _ => self.reader.skip()?,
        }
        Ok(false)
    }

    fn group(&mut self, count: usize) -> Decoded<ClientGroup> {
        let mut group = ClientGroup::default();
        for _ in 0..count {
            match self.reader.bin()? {
                b"Service" => group.service = self.text()?,
                b"Name" => group.name = self.text()?,
                b"Resource" => group.resource = self.text()?,
                b"HTTPStatusCode" => group.http_status = self.status()?,
                b"Type" => group.span_type = self.text()?,
                b"DBType" => group.db_type = self.text()?,
                b"Hits" => group.hits = self.reader.uint()?,
                b"Errors" => group.errors = self.reader.uint()?,
                b"Duration" => group.duration_ns = self.reader.uint()?,
                b"OkSummary" => group.ok_summary = self.reader.bin()?.to_vec(),
                b"ErrorSummary" => group.error_summary = self.reader.bin()?.to_vec(),
                b"Synthetics" => group.is_synthetics = self.reader.flag()?,
                b"TopLevelHits" => group.top_level_hits = self.reader.uint()?,
                b"SpanKind" => group.span_kind = self.text()?,
                b"PeerTags" => group.peer_tags = self.tags()?,
                b"IsTraceRoot" => group.trace_root = self.trace_root()?,
                b"GRPCStatusCode" => group.grpc_status = self.text()?,
                b"HTTPMethod" => group.http_method = self.text()?,
                b"HTTPEndpoint" => group.http_endpoint = self.text()?,
                b"srv_src" => group.svc_src = self.text()?,
                b"SpanDerivedPrimaryTags" => group.derived_tags = self.tags()?,
                b"AdditionalMetricTags" => group.additional_tags = self.tags()?,
                _ => self.reader.skip()?,
            }
        }
        Ok(group)
    }

    fn text(&mut self) -> Decoded<String> {
        Ok(self.reader.text()?.into_owned())
    }

    fn tags(&mut self) -> Decoded<Vec<String>> {
        let mut tags = Vec::new();
        for n in 0..self.reader.array()? {
            if n >= LIST_TAGS_MAX {
                return Err(ClientStatsError::TooMany);
            }
            take(&mut self.tags_left)?;
            tags.push(self.text()?);
        }
        Ok(tags)
    }

    fn status(&mut self) -> Decoded<u32> {
        Ok(u32::try_from(self.reader.uint()?).unwrap_or(0))
    }

    /// A number; what is unknown, negative ones included, is not set.
    fn trace_root(&mut self) -> Decoded<TraceRoot> {
        let number = self.reader.int()?;
        Ok(TraceRoot::from_number(u64::try_from(number).unwrap_or(0)))
    }
}

fn take(left: &mut usize) -> Decoded<()> {
    *left = left.checked_sub(1).ok_or(ClientStatsError::TooMany)?;
    Ok(())
}

#[cfg(test)]
mod tests;
