//! Tags that the configuration puts on spans: global ones, and those of the installation.
//! spec: apm §6 steps 4 g and n.

use std::collections::HashSet;

use span::{Attribute, Batch, Key, Str, Value};

use crate::access::{self, KeyName, str_of, write};
use crate::settings::{InstallSignature, Settings};

/// Tags to set, and the services that have had their first trace.
#[derive(Debug)]
pub(crate) struct Marks {
    tags: Vec<Tag>,
    /// Origin of all chunks.
    origin: Option<Box<str>>,
    install: Option<InstallSignature>,
    services: HashSet<Box<[u8]>>,
    text: String,
}

#[derive(Debug)]
struct Tag {
    name: KeyName,
    value: Box<str>,
    /// Name and value in the strings of the batch in work.
    held: (Str, Str),
}

/// Services whose first trace is noticed; later ones of more services get no mark.
const SERVICES_MAX: usize = 10_000;

/// FNV-1a: two services of 10,000 share one once in some 10^11 processes.
fn hash(service: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    service.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

impl Marks {
    pub(crate) fn new(settings: &Settings) -> Self {
        let is_origin = |name: &str| name == Key::DdOrigin.as_str();
        let tags = settings.global_tags.iter().filter(|(name, _)| !is_origin(name));
        let origin = settings.global_tags.iter().find(|(name, _)| is_origin(name));
        Self {
            tags: tags
                .map(|(name, value)| Tag {
                    name: KeyName::new(name),
                    value: value.as_str().into(),
                    held: (Str::EMPTY, Str::EMPTY),
                })
                .collect(),
            origin: origin.map(|(_, value)| value.as_str().into()),
            install: settings.install.clone(),
            services: HashSet::new(),
            text: String::new(),
        }
    }

    /// Writes the tags into the strings of a batch, once for all its spans.
    pub(crate) fn begin(&mut self, batch: &mut Batch) {
        for tag in &mut self.tags {
            tag.held = (batch.strings.add(&tag.name.text), batch.strings.add(&tag.value));
        }
    }

    /// Sets the origin of a chunk, if one is configured.
    pub(crate) fn chunk(&self, batch: &mut Batch, chunk: usize) {
        let Some(origin) = &self.origin else { return };
        if let Some(chunk) = batch.chunks.get_mut(chunk) {
            chunk.origin = batch.strings.add(origin);
        }
    }

    /// Sets the global tags of a span.
    pub(crate) fn span(&self, batch: &mut Batch, at: usize) {
        for tag in &self.tags {
            let (name, value) = (tag.held.0, Value::Text(tag.held.1));
            if tag.name.key != Key::Other {
                access::set(batch, at, tag.name.key, value);
                continue;
            }
            let is_v1 = batch.format.is_v1();
            let Batch { spans, attributes, strings, .. } = batch;
            let Some(span) = spans.get_mut(at) else { return };
            let mut held = attributes.get_mut(span.attributes).iter_mut().rev();
            let is_same = |held: &&mut Attribute| {
                tag.name.is_of(held, strings) && (is_v1 || held.text().is_some())
            };
            if let Some(held) = held.find(is_same) {
                held.set(value);
            } else {
                attributes.push(&mut span.attributes, Attribute::new(name, Key::Other, value));
            }
        }
    }

    /// Marks the root of the first kept trace of a service with how the agent was installed. What
    /// is there already stays.
    pub(crate) fn install(&mut self, batch: &mut Batch, root: usize) {
        let Some(install) = &self.install else { return };
        let Some(span) = batch.spans.get(root) else { return };
        let service = batch.strings.bytes(span.service);
        if self.services.len() >= SERVICES_MAX || self.services.contains(service) {
            return;
        }
        self.services.insert(service.into());
        if !install.marked.mark(hash(service)) {
            return;
        }
        self.text.clear();
        if install.time_secs > 0 {
            write(&mut self.text, format_args!("{}", install.time_secs));
        }
        let marks = [
            (Key::DdInstallId, &install.id),
            (Key::DdInstallType, &install.kind),
            (Key::DdInstallTime, &self.text),
        ];
        for (key, text) in marks {
            let is_there =
                batch.spans.get(root).is_some_and(|span| str_of(batch, span, key).is_some());
            if !is_there && !text.is_empty() {
                let text = batch.strings.add(text);
                access::set(batch, root, key, Value::Text(text));
            }
        }
    }
}
