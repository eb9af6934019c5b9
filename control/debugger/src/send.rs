//! A payload at once, to all endpoints at the same time. spec: proxies §5.3.

use bytes::Bytes;
use http::HeaderValue;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::body::RequestBody;
use crate::client::Outgoing;
use crate::config::Config;
use crate::endpoint::Endpoint;
use crate::error::SendError;
use crate::payload_sender::PayloadSender;
use crate::track::{DebuggerType, Track};

/// Sends a serialised JSON array (or one object, which is wrapped) to every endpoint of its kind,
/// and waits for all of them.
///
/// # Errors
/// Why the primary endpoint did not take it. What others do is logged.
pub async fn send(
    payload: &[u8],
    config: &Config,
    kind: DebuggerType,
    percent_encoded_tags: &str,
) -> Result<(), SendError> {
    send_bytes(Bytes::copy_from_slice(payload), config, kind, percent_encoded_tags).await
}

pub(crate) async fn send_bytes(
    payload: Bytes,
    config: &Config,
    kind: DebuggerType,
    percent_encoded_tags: &str,
) -> Result<(), SendError> {
    finish_with(payload, PayloadSender::new(config, kind, percent_encoded_tags)?).await
}

/// The additional endpoints get their copy also when the primary one fails early.
pub(crate) async fn finish_with(
    payload: Bytes,
    mut sender: PayloadSender,
) -> Result<(), SendError> {
    let appended = sender.append_bytes(payload).await;
    let finished = sender.finish().await.map(drop);
    appended.and(finished)
}

/// Sends an upload of a symbol database as it is to every endpoint of that track, and waits for
/// all of them. `tags` go into a header and are not encoded.
///
/// # Errors
/// Why the primary endpoint did not take it. What others do is logged.
pub async fn send_symdb(
    payload: &[u8],
    content_type: &str,
    config: &Config,
    tags: &str,
) -> Result<(), SendError> {
    send_symdb_bytes(Bytes::copy_from_slice(payload), content_type, config, tags).await
}

pub(crate) async fn send_symdb_bytes(
    payload: Bytes,
    content_type: &str,
    config: &Config,
    tags: &str,
) -> Result<(), SendError> {
    let mut endpoints = config.endpoints(Track::SymDb);
    let primary = endpoints.next().ok_or(SendError::NoSymdbEndpoint)?;
    let unsendable = |reason| SendError::Unsendable { url: primary.url.to_string(), reason };
    let content_type = HeaderValue::from_str(content_type);
    let content_type =
        content_type.map_err(|_bytes| unsendable("a content type with bad bytes"))?;
    let tags = HeaderValue::from_str(tags);
    let tags = tags.map_err(|_bytes| unsendable("tags with bytes no header may hold"))?;
    let upload = |endpoint: &Endpoint| {
        let (client, endpoint) = (config.client().clone(), endpoint.clone());
        let outgoing = Outgoing {
            track: Track::SymDb,
            query: None,
            content_type: content_type.clone(),
            tags: Some(tags.clone()),
            body: RequestBody::Whole(Some(payload.clone())),
        };
        async move {
            let exchange = client.exchange(&endpoint, outgoing);
            let timed_out = || SendError::SymdbTimedOut { url: endpoint.url.to_string() };
            timeout(endpoint.timeout(), exchange).await.unwrap_or_else(|_elapsed| Err(timed_out()))
        }
    };
    let mut others = JoinSet::new();
    for endpoint in endpoints {
        others.spawn(upload(endpoint));
    }
    let result = upload(primary).await;
    while let Some(ended) = others.join_next().await {
        if let Ok(Err(error)) = ended {
            config.client().log_failure("a copy of a symbol database was", &error);
        }
    }
    result
}
