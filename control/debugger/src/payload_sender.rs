//! A payload that is sent while it is made. spec: proxies §5.3.

use std::collections::VecDeque;

use bytes::Bytes;
use http::HeaderValue;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::body::{Framing, Piece, RequestBody, elements, streamed};
use crate::client::{Client, Outgoing};
use crate::config::Config;
use crate::endpoint::Endpoint;
use crate::error::SendError;
use crate::track::DebuggerType;

/// Bytes of one payload kept for additional endpoints, which get it when it is finished. A larger
/// one goes to the primary endpoint alone.
pub const ADDITIONAL_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Streams JSON arrays as one array to an endpoint.
///
/// The request starts with the first element and runs in a task of the caller's tokio runtime.
/// Dropped before [`PayloadSender::finish`] it is aborted: the endpoint sees an incomplete body.
#[derive(Debug)]
pub struct PayloadSender {
    kind: DebuggerType,
    client: Client,
    query: String,
    primary: Endpoint,
    additional: Vec<Endpoint>,
    /// What additional endpoints get. Empty again when it became too much.
    copies: VecDeque<Bytes>,
    copied_bytes: usize,
    stage: Stage,
    appended_count: u32,
}

#[derive(Debug)]
enum Stage {
    Idle,
    Open(Open),
    Failed,
}

/// A request under way.
#[derive(Debug)]
struct Open {
    pieces: mpsc::Sender<Piece>,
    exchange: Exchange,
}

/// The task of a request; it ends with its owner.
#[derive(Debug)]
struct Exchange(JoinHandle<Result<(), SendError>>);

impl Drop for Exchange {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl PayloadSender {
    /// For the endpoints of a configuration. `percent_encoded_tags` come from
    /// [`generate_tags`](crate::generate_tags) or [`tags_from_raw`](crate::tags_from_raw).
    ///
    /// # Errors
    /// [`SendError::NoEndpoint`] if there is none for this kind.
    pub fn new(
        config: &Config,
        kind: DebuggerType,
        percent_encoded_tags: &str,
    ) -> Result<Self, SendError> {
        let mut endpoints = config.endpoints(kind.into()).cloned();
        let primary = endpoints.next().ok_or(SendError::NoEndpoint(kind))?;
        let additional = endpoints.collect();
        let to_primary = Self::new_to_endpoint(config, primary, kind, percent_encoded_tags);
        Ok(Self { additional, ..to_primary })
    }

    /// For one endpoint, with the connections of a configuration.
    #[must_use]
    pub fn new_to_endpoint(
        config: &Config,
        endpoint: Endpoint,
        kind: DebuggerType,
        percent_encoded_tags: &str,
    ) -> Self {
        Self {
            kind,
            client: config.client().clone(),
            query: format!("ddtags={percent_encoded_tags}"),
            primary: endpoint,
            additional: Vec::new(),
            copies: VecDeque::new(),
            copied_bytes: 0,
            stage: Stage::Idle,
            appended_count: 0,
        }
    }

    /// Appends the elements of a serialised JSON array, or one serialised object. Waits for room.
    ///
    /// # Errors
    /// [`SendError::NotAnArray`], which changes nothing; otherwise why the primary endpoint does
    /// not take it. Additional ones still get everything with [`PayloadSender::finish`].
    pub async fn append(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.append_bytes(Bytes::copy_from_slice(payload)).await
    }

    pub(crate) async fn append_bytes(&mut self, payload: Bytes) -> Result<(), SendError> {
        let elements = elements(&payload).ok_or(SendError::NotAnArray)?;
        if elements.is_empty() {
            return Ok(());
        }
        let before = match self.appended_count {
            0 => Framing::of(self.kind).opening,
            _ => b",",
        };
        self.appended_count = self.appended_count.saturating_add(1);
        let before = Bytes::from_static(before);
        self.copy_for_additional(&before);
        self.copy_for_additional(&elements);
        self.push(Piece::Data(before)).await?;
        self.push(Piece::Data(elements)).await
    }

    /// Ends the payload and waits for the answers of all endpoints. Returns how often something
    /// was appended; if never, nothing is sent.
    ///
    /// # Errors
    /// Why the primary endpoint did not take it.
    pub async fn finish(mut self) -> Result<u32, SendError> {
        if self.appended_count == 0 {
            return Ok(0);
        }
        let closing = Bytes::from_static(Framing::of(self.kind).closing);
        self.copy_for_additional(&closing);
        let mut others = self.start_additional();
        let primary = self.finish_primary(closing).await;
        while let Some(ended) = others.join_next().await {
            if let Ok(Err(error)) = ended {
                self.client.log_failure("a copy for an additional endpoint was", &error);
            }
        }
        primary.map(|()| self.appended_count)
    }

    async fn finish_primary(&mut self, closing: Bytes) -> Result<(), SendError> {
        self.push(Piece::Data(closing)).await?;
        self.push(Piece::End).await?;
        let stage = std::mem::replace(&mut self.stage, Stage::Failed);
        let Stage::Open(open) = stage else { return Err(self.gave_up()) };
        match timeout(self.primary.timeout(), ended(open)).await {
            Ok(result) => result,
            Err(_elapsed) => Err(SendError::TimedOut),
        }
    }

    /// Hands a piece to the request, which starts with the first one.
    async fn push(&mut self, piece: Piece) -> Result<(), SendError> {
        if matches!(self.stage, Stage::Idle) {
            self.stage = Stage::Open(self.open());
        }
        let Stage::Open(open) = &self.stage else { return Err(self.gave_up()) };
        let taken = timeout(self.primary.timeout(), open.pieces.send(piece)).await;
        if matches!(taken, Ok(Ok(()))) {
            return Ok(());
        }
        let stage = std::mem::replace(&mut self.stage, Stage::Failed);
        let Stage::Open(open) = stage else { return Err(self.gave_up()) };
        if taken.is_err() {
            return Err(SendError::TimedOut);
        }
        // The request ended while it was still being made, so it says why.
        match timeout(self.primary.timeout(), ended(open)).await {
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) => Err(SendError::Failed {
                url: self.primary.url.to_string(),
                reason: "it was answered before its end".to_owned(),
            }),
            Err(_elapsed) => Err(SendError::TimedOut),
        }
    }

    fn open(&self) -> Open {
        let (pieces, body) = streamed();
        let (client, endpoint) = (self.client.clone(), self.primary.clone());
        let outgoing = self.outgoing(body);
        let exchange = async move { client.exchange(&endpoint, outgoing).await };
        Open { pieces, exchange: Exchange(tokio::spawn(exchange)) }
    }

    fn start_additional(&mut self) -> JoinSet<Result<(), SendError>> {
        let mut others = JoinSet::new();
        let copies = std::mem::take(&mut self.copies);
        if copies.is_empty() {
            return others;
        }
        for endpoint in std::mem::take(&mut self.additional) {
            let client = self.client.clone();
            let outgoing = self.outgoing(RequestBody::Ready(copies.clone()));
            others.spawn(async move {
                let exchange = client.exchange(&endpoint, outgoing);
                timeout(endpoint.timeout(), exchange).await.unwrap_or(Err(SendError::TimedOut))
            });
        }
        others
    }

    fn outgoing(&self, body: RequestBody) -> Outgoing {
        Outgoing {
            track: self.kind.into(),
            query: Some(self.query.clone()),
            content_type: HeaderValue::from_static(Framing::of(self.kind).content_type),
            tags: None,
            body,
        }
    }

    /// Keeps a reference, not a copy, as long as all together are not too large.
    fn copy_for_additional(&mut self, data: &Bytes) {
        if self.additional.is_empty() {
            return;
        }
        self.copied_bytes += data.len();
        if self.copied_bytes > ADDITIONAL_BYTES_MAX {
            let url = self.primary.url.to_string();
            let reason = "the payload is too large to be kept for additional endpoints".to_owned();
            self.client.log_failure("a copy", &SendError::Failed { url, reason });
            self.copies.clear();
            self.additional.clear();
            return;
        }
        self.copies.push_back(data.clone());
    }

    fn gave_up(&self) -> SendError {
        let reason = "an earlier part of the payload was not taken".to_owned();
        SendError::Failed { url: self.primary.url.to_string(), reason }
    }
}

/// The result of a request that gets no further pieces.
async fn ended(mut open: Open) -> Result<(), SendError> {
    match (&mut open.exchange.0).await {
        Ok(result) => result,
        // Cancelled with its runtime. A panic is not caught here but shown by the runtime.
        Err(_join) => Err(SendError::TimedOut),
    }
}
