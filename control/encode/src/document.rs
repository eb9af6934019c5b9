//! Metadata documents, which cannot be split. spec: metrics-intake §2.4, §9.

use serde_json::Value;

use crate::compress::Compressor;
use crate::{Payload, PayloadKind, Settings};

/// Which metadata a document holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// About the host.
    Host,
    /// About the agent and what it runs.
    Inventory,
}

/// Why a document cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Metadata is switched off.
    #[error("metadata is disabled; set enable_payloads.json_to_v1_intake to send it")]
    Disabled,
    /// Too big, and nothing about it can be split.
    #[error(
        "document of {uncompressed_bytes} bytes is over the payload limits; remove tags or raise \
         serializer_max_payload_size and serializer_max_uncompressed_payload_size"
    )]
    TooBig {
        /// Bytes before compression.
        uncompressed_bytes: usize,
    },
}

/// Encodes a metadata document as one payload.
///
/// # Errors
/// When metadata is disabled or the document breaks the generic limits; it is to be dropped and
/// counted then.
pub fn encode_document(
    document: Document,
    value: &Value,
    settings: &Settings,
) -> Result<Payload, DocumentError> {
    if !settings.metadata_enabled {
        return Err(DocumentError::Disabled);
    }
    let text = value.to_string();
    let too_big = DocumentError::TooBig { uncompressed_bytes: text.len() };
    if text.len() > settings.limits.uncompressed_bytes_max {
        return Err(too_big);
    }
    let mut compressor = Compressor::new(settings, settings.limits.compressed_bytes_max);
    let body = compressor
        .write(text.as_bytes())
        .and_then(|()| compressor.finish())
        .map_err(|_overflow| too_big)?;
    Ok(Payload {
        kind: match document {
            Document::Host => PayloadKind::HostMetadata,
            Document::Inventory => PayloadKind::InventoryMetadata,
        },
        encoding: settings.compression,
        body,
        uncompressed_bytes: text.len() as u64,
        items: 1,
        points: 0,
    })
}
