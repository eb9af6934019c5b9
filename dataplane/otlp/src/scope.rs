//! The library that made spans, points or records.

use std::borrow::Cow;

use crate::Attributes;
use crate::wire::{Fields, WireError};

/// A message `InstrumentationScope`. spec: otlp §2.1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope<'a> {
    /// Name; empty when it has none.
    pub name: Cow<'a, str>,
    /// Version; empty when it has none.
    pub version: Cow<'a, str>,
    /// Attributes.
    pub attributes: Attributes<'a>,
}

impl<'a> Scope<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn read(message: &'a [u8]) -> Result<Self, WireError> {
        let (mut fields, mut read) = (Fields::new(message), Self::default());
        while let Some(field) = fields.read()? {
            match field.number {
                1 => read.name = field.text()?,
                2 => read.version = field.text()?,
                3 => read.attributes.push(field)?,
                _ => {}
            }
        }
        Ok(read)
    }
}
