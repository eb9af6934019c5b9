//! What the spans of a resource share: what it says of all of them, and what its scopes say.
//! spec: otlp §4.1.

use std::borrow::Cow;

use obfuscate::normalize;
use span::{Attribute, Header, Key, Str, Value as Held};

use super::known::{COUNT, Known, Places};
use super::limits::{PART_BYTES_MAX, SCOPE_ATTRIBUTES_MAX};
use super::lookup::{normalized, text_of};
use super::writer::{Entry, Writer};
use crate::wire::WireError;
use crate::{Resource, Scope, Source};

/// The service of a span whose resource names none.
const NO_SERVICE: &str = "otlpresourcenoservicename";

/// What a resource says, in the strings of the batch in work where that is asked for by each span.
#[derive(Debug)]
pub(super) struct Shared {
    /// Texts under known keys.
    texts: [Option<String>; COUNT],
    pub(super) source: Source,
    pub(super) container_tags: String,
    pub(super) is_stats_computed: bool,
    /// Service, version and environment of spans that do not tell their own.
    pub(super) service: Str,
    pub(super) version: Str,
    pub(super) env: Str,
    pub(super) entries: Vec<Entry>,
    /// Attributes of all scopes.
    scope_entries: Vec<Entry>,
}

/// What a scope says.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedScope {
    pub(super) name: Str,
    pub(super) version: Str,
    /// Its name once more, where operations are named after it.
    pub(super) label: String,
    first: usize,
    len: usize,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            texts: [const { None }; COUNT],
            source: Source::None,
            container_tags: String::new(),
            is_stats_computed: false,
            service: Str::EMPTY,
            version: Str::EMPTY,
            env: Str::EMPTY,
            entries: Vec::new(),
            scope_entries: Vec::new(),
        }
    }
}

impl Shared {
    /// Text under a known key, if there is one that is not empty.
    pub(super) fn text(&self, key: Known) -> Option<&str> {
        self.texts.get(key as usize)?.as_deref()
    }

    /// Reads a resource, and tells what it says of its payload: header and tags.
    pub(super) fn read(
        &mut self,
        message: &[u8],
        writer: &mut Writer<'_, '_>,
    ) -> Result<(Header, Option<Attribute>), WireError> {
        if message.len() > PART_BYTES_MAX {
            return Err(WireError::TooLong);
        }
        let resource = Resource::read(message)?;
        *self = Self { entries: std::mem::take(&mut self.entries), ..Self::default() };
        self.entries.clear();
        let mut places = Places::default();
        for (at, attribute) in resource.attributes.iter().enumerate() {
            let known = Known::of(&attribute.key);
            self.entries.extend(writer.entry_of_resource(attribute, known)?);
            if let Some(known) = known {
                places.note(known, at);
            }
        }
        for (text, value) in self.texts.iter_mut().zip(places.values(&resource.attributes)) {
            *text = value.and_then(text_of).map(Cow::into_owned);
        }
        self.note_fields(writer);
        self.source = resource.source();
        let computed = resource.attributes.get("_dd.stats_computed");
        self.is_stats_computed =
            computed.is_some_and(|value| value.to_text().is_ok_and(|text| !text.is_empty()));
        Ok((self.header(&resource, writer), self.payload_tag(&resource, writer)))
    }

    fn note_fields(&mut self, writer: &mut Writer<'_, '_>) {
        let service = self.text(Known::ServiceName).unwrap_or(NO_SERVICE);
        self.service = writer.table.find(&service_of(service));
        let version = self.text(Known::ServiceVersion).unwrap_or_default();
        let version = normalized(Cow::Borrowed(version)).into_owned();
        let env = self.text(Known::DeploymentEnvironmentName);
        let env = env.or_else(|| self.text(Known::DeploymentEnvironment)).unwrap_or_default();
        let env = normalized(Cow::Borrowed(env)).into_owned();
        (self.version, self.env) = (writer.table.find(&version), writer.table.find(&env));
    }

    fn header(&self, resource: &Resource<'_>, writer: &mut Writer<'_, '_>) -> Header {
        let text = |key| Cow::Borrowed(resource.attributes.text(key).unwrap_or_default());
        let pod = || text("k8s.pod.uid");
        let container = Some(text("container.id")).filter(|id| !id.is_empty()).unwrap_or_else(pod);
        let version = format!("otlp-{}", text("telemetry.sdk.version"));
        let mut find = |text: Cow<'_, str>| writer.table.find(&text);
        Header {
            container_id: find(normalized(container)),
            language_name: find(normalized(text("telemetry.sdk.language"))),
            tracer_version: find(Cow::Owned(version)),
            env: self.env,
            hostname: find(Cow::Borrowed(self.source.host().unwrap_or_default())),
            ..Header::default()
        }
    }

    fn payload_tag(
        &mut self,
        resource: &Resource<'_>,
        writer: &mut Writer<'_, '_>,
    ) -> Option<Attribute> {
        let tags = resource.container_tags();
        let tags: Vec<String> = tags.iter().map(|(key, value)| format!("{key}:{value}")).collect();
        self.container_tags = tags.join(",");
        if self.container_tags.is_empty() {
            return None;
        }
        let key = Key::DdTagsContainer;
        let name = writer.table.find(key.as_str());
        let value = Held::Text(writer.table.find(&self.container_tags));
        Some(Attribute::new(name, key, value))
    }

    /// Reads a scope; `is_label` says whether its name is asked for once more.
    pub(super) fn read_scope(
        &mut self,
        message: &[u8],
        is_label: bool,
        writer: &mut Writer<'_, '_>,
    ) -> Result<SharedScope, WireError> {
        if message.len() > PART_BYTES_MAX {
            return Err(WireError::TooLong);
        }
        let scope = Scope::read(message)?;
        let first = self.scope_entries.len();
        if first + scope.attributes.0.len() > SCOPE_ATTRIBUTES_MAX {
            return Err(WireError::TooMany);
        }
        // The last of equal keys counts here, and the first stays where these are written.
        for attribute in scope.attributes.iter().rev() {
            self.scope_entries.push(writer.entry_of_scope(attribute)?);
        }
        Ok(SharedScope {
            name: writer.table.find(&scope.name),
            version: writer.table.find(&scope.version),
            label: if is_label { scope.name.into_owned() } else { String::new() },
            first,
            len: self.scope_entries.len() - first,
        })
    }

    /// Attributes of a scope.
    pub(super) fn entries_of(&self, scope: &SharedScope) -> &[Entry] {
        self.scope_entries.get(scope.first..scope.first + scope.len).unwrap_or_default()
    }

    pub(super) const fn heap_bytes(&self) -> usize {
        (self.entries.capacity() + self.scope_entries.capacity()) * size_of::<Entry>()
    }
}

/// A service as it may be called.
pub(super) fn service_of(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    match normalize::service(text.as_bytes(), "", &mut out).change {
        obfuscate::Change::Unchanged => Cow::Borrowed(text),
        obfuscate::Change::Written => Cow::Owned(out),
    }
}
