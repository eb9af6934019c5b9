//! What made the telemetry: a process, its container, its host. spec: otlp §3.

mod container;
mod source;
mod tags;

use std::borrow::Cow;

use crate::wire::{Fields, WireError};
use crate::{Attributes, Value};

pub use source::{Platform, Source};

/// A message `Resource`. spec: otlp §2.1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource<'a> {
    /// Attributes.
    pub attributes: Attributes<'a>,
}

impl<'a> Resource<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn read(message: &'a [u8]) -> Result<Self, WireError> {
        let (mut fields, mut read) = (Fields::new(message), Self::default());
        while let Some(field) = fields.read()? {
            if field.number == 1 {
                read.attributes.push(field)?;
            }
        }
        Ok(read)
    }

    /// The host that it names, or the platform without hosts that it ran on. spec: otlp §3.1.
    #[must_use]
    pub fn source(&self) -> Source {
        Source::of(&self.attributes)
    }

    /// Tags for metrics and logs, each as `key:value`, in the order of the attributes that they
    /// come from. Container tags are among them. spec: otlp §3.2.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        tags::tags(&self.attributes)
    }

    /// Tags of its container, key and value. spec: otlp §3.3.
    #[must_use]
    pub fn container_tags(&self) -> Vec<(&str, &str)> {
        container::tags(&self.attributes).into_iter().map(|(_, key, value)| (key, value)).collect()
    }

    /// The entity of the tagger that it is: a container, else a pod; empty when it names neither.
    /// spec: otlp §5.1.
    #[must_use]
    pub fn origin(&self) -> String {
        if let Some(id) = self.attributes.text("container.id") {
            return format!("container_id://{id}");
        }
        let pod = self.attributes.text("k8s.pod.uid");
        pod.map(|id| format!("kubernetes_pod_uid://{id}")).unwrap_or_default()
    }

    /// Name of its service.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.attributes.text("service.name")
    }

    /// Name of its cluster, told by Kubernetes or by what its cloud calls things.
    /// spec: otlp §3.1.
    #[must_use]
    pub fn cluster_name(&self) -> Option<Cow<'_, str>> {
        source::cluster_name(&self.attributes)
    }
}

/// A text that is not empty.
fn text_of<'a>(value: &'a Value<'_>) -> Option<&'a str> {
    if let Value::Text(text) = value { Some(&**text).filter(|text| !text.is_empty()) } else { None }
}

#[cfg(test)]
mod tests;
