//! Bodies of all forms to batches: one payload is one batch, but for OTLP, of which it is one for
//! each resource.

use otlp::traces::{Place, Translator};
use otlp::wire::WireError;
use server::TraceVersion;
use span::decode::{DecodeError, Decoder, Progress};
use span::{Attribute, Batch, Format, Key, Value};

use super::TraceSettings;

/// Reads one body after the other, each in slices, and keeps its memory.
#[derive(Debug)]
pub(super) struct Reader {
    decoder: Decoder,
    otlp: Translator,
    is_otlp: bool,
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadError {
    /// It is no payload of a tracer.
    Payload(DecodeError),
    /// It is no OTLP request.
    Otlp(WireError),
}

impl Reader {
    pub(super) fn new(settings: &TraceSettings) -> Self {
        Self {
            decoder: Decoder::with_seed(settings.seed),
            otlp: Translator::new(settings.otlp.clone(), settings.seed),
            is_otlp: false,
        }
    }

    /// Bytes of memory that it keeps.
    pub(super) fn heap_bytes(&self) -> usize {
        self.decoder.heap_bytes() + self.otlp.heap_bytes()
    }

    /// Starts on a body, with the batch at a place of it that [`Self::place`] told.
    pub(super) fn start(
        &mut self,
        version: TraceVersion,
        is_json: bool,
        place: Place,
        body: Vec<u8>,
        batch: &mut Batch,
    ) {
        let format = format(version);
        self.is_otlp = format.is_none();
        // What is left of the last body is of no use: bodies come with memory of their own.
        drop(match format {
            Some(format) => self.decoder.start(format, is_json, body, batch),
            None => self.otlp.start_at(place, body, batch),
        });
    }

    /// Reads about `bytes_max` bytes more.
    pub(super) fn step(
        &mut self,
        batch: &mut Batch,
        bytes_max: usize,
    ) -> Result<Progress, ReadError> {
        if self.is_otlp {
            self.otlp.step(batch, bytes_max).map_err(ReadError::Otlp)
        } else {
            self.decoder.step(batch, bytes_max).map_err(ReadError::Payload)
        }
    }

    /// Begins the next batch of the body, if there is one; the batch must still have its body.
    pub(super) fn next(&mut self, batch: &mut Batch) -> bool {
        self.is_otlp && self.otlp.next(batch)
    }

    /// Where the batch in work begins in its body.
    pub(super) fn place(&self) -> Place {
        if self.is_otlp { self.otlp.place() } else { Place::default() }
    }

    /// Whether the body says that its sender computes stats, and that it marks top-level spans,
    /// which for tracers are said in headers.
    pub(super) fn is_computed(&self) -> (bool, bool) {
        if !self.is_otlp {
            return (false, false);
        }
        let payload = self.otlp.payload();
        (payload.is_stats_by_client, payload.is_top_level_by_client)
    }

    /// Lets the tags of the container that the tagger knows follow those that a resource tells.
    /// spec: otlp §4.1
    pub(super) fn add_container_tags(&self, batch: &mut Batch, tags: &str) {
        if !self.is_otlp || tags.is_empty() {
            return;
        }
        let Batch { attributes, strings, tags: list, .. } = batch;
        let held = attributes.get_mut(*list).iter_mut();
        let is_own = |held: &&mut Attribute| held.name == Key::DdTagsContainer;
        if let Some(held) = held.rev().find(is_own)
            && let Some(own) = held.text()
        {
            let joined = format!("{},{tags}", strings.text(own));
            let joined = strings.add(&joined);
            held.set(Value::Text(joined));
        }
    }
}

/// The service that the first bytes of a body name; empty when they name none.
pub(super) fn first_service(version: TraceVersion, is_json: bool, prefix: &[u8]) -> String {
    let Some(format) = format(version) else { return String::new() };
    let (mut decoder, mut batch) = (Decoder::default(), Batch::default());
    decoder.start(format, is_json, prefix.to_vec(), &mut batch);
    // The prefix ends early, which is no matter.
    while decoder.step(&mut batch, prefix.len().max(1)) == Ok(Progress::More) {}
    batch.first_service().to_owned()
}

/// The form of payloads of tracers; none for OTLP.
const fn format(version: TraceVersion) -> Option<Format> {
    Some(match version {
        TraceVersion::V01 => Format::V01,
        TraceVersion::V02 => Format::V02,
        TraceVersion::V03 => Format::V03,
        TraceVersion::V04 => Format::V04,
        TraceVersion::V05 => Format::V05,
        TraceVersion::V07 => Format::V07,
        TraceVersion::V10 => Format::V1,
        TraceVersion::Otlp => return None,
    })
}
