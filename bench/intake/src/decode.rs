//! Bodies to records, for every route. Written from the formats alone and sharing nothing with the
//! encoder, so that a misreading of a format on our side shows as a difference.

mod columns;
mod json;
mod logs;
mod message;
mod metric_data;
mod msgpack;
mod protobuf;
mod stats;
mod traces;
mod wire;

use std::sync::Arc;

use crate::{Payload, Resource, Route};

/// Why a body could not be decoded. Every cause is answered with 400.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The body is not the JSON that the route takes.
    #[error("body is not the JSON that this route takes: {0}")]
    Json(#[from] serde_json::Error),
    /// The body is not the protobuf message that the route takes.
    #[error("body is not the protobuf message that this route takes: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// The body can be read, but says something impossible.
    #[error("{0}")]
    Invalid(String),
}

/// Decodes the decompressed body of a route.
///
/// # Errors
/// Says what is wrong with the body and where.
pub fn decode(route: Route, body: &[u8]) -> Result<Payload, DecodeError> {
    match route {
        Route::SeriesV1 => json::series(body),
        Route::SeriesV2 => protobuf::series(body),
        Route::SeriesV3 | Route::SeriesV3Beta | Route::SketchesV3 => {
            metric_data::payload(route, body)
        }
        Route::SketchesV2 => protobuf::sketches(body),
        Route::CheckRun => json::checks(body),
        Route::Intake => json::intake(body),
        Route::EventsBatch => protobuf::events(body),
        Route::Metadata => json::metadata(body),
        Route::Traces => traces::payload(body),
        Route::TraceStats => stats::payload(body),
        Route::Logs => logs::payload(body),
        Route::Validate => Ok(Payload::default()),
    }
}

fn invalid<T>(text: impl Into<String>) -> Result<T, DecodeError> {
    Err(DecodeError::Invalid(text.into()))
}

/// Tags in the order that all records use.
fn sorted_tags(tags: Vec<String>) -> Arc<[Arc<str>]> {
    let mut tags: Vec<Arc<str>> = tags.into_iter().map(Arc::from).collect();
    tags.sort_unstable();
    tags.into()
}

/// The host among the resources, if it has a name.
fn host_of(resources: &[Resource]) -> Option<Arc<str>> {
    let host = resources.iter().find(|resource| resource.is_host())?;
    (!host.name.is_empty()).then(|| Arc::clone(&host.name))
}

#[cfg(test)]
mod tests;
