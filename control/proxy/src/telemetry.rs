//! Telemetry of tracers, answered at once and sent in the background. spec: proxies §3.5.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use forward::Outbound;
use http_body_util::BodyExt as _;
use server::{Answer, Exchange};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use crate::Kind;
use crate::body::RequestBody;
use crate::counts::{CopyFailure, Refused, add};
use crate::meter::{Call, TELEMETRY_ERROR, TELEMETRY_MS, TELEMETRY_NO_CONTAINER};
use crate::progress::Progress;
use crate::proxies::Proxies;
use crate::relay::time_limits;
use crate::rewrite::{Rewriter, Rewritten};
use crate::scrub::{is_injection, scrub_injection};
use crate::settings::{RouteSettings, Settings, Target};

/// What waits and what is being sent.
#[derive(Debug)]
pub(crate) struct Telemetry {
    client: Outbound<RequestBody>,
    reset_interval: Option<Duration>,
    last_reset: Mutex<Instant>,
    bytes: AtomicUsize,
    /// Requests that wait or are sent.
    places: Arc<Semaphore>,
    workers: Semaphore,
}

/// Bytes of bodies that wait, are sent, or are being read.
const BYTES_MAX: usize = 25_000_000;
/// Requests sent at a time.
const WORKERS: usize = 20;
/// Requests that wait or are sent.
const PLACES: usize = 100;
/// Time for one call.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes taken from the bound, given back at drop.
struct Reserved<'t> {
    telemetry: &'t Telemetry,
    bytes: usize,
}

impl Telemetry {
    pub(crate) fn new(client: Outbound<RequestBody>, reset_interval: Option<Duration>) -> Self {
        Self {
            client,
            reset_interval,
            last_reset: Mutex::new(Instant::now()),
            bytes: AtomicUsize::new(0),
            places: Arc::new(Semaphore::new(PLACES)),
            workers: Semaphore::new(WORKERS),
        }
    }

    /// Follows changes of names now and then.
    fn reset_when_due(&self) {
        let Some(interval) = self.reset_interval else { return };
        let mut last = self.last_reset.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= interval {
            *last = Instant::now();
            self.client.reset();
        }
    }
}

impl Reserved<'_> {
    fn add(&mut self, bytes: usize) -> bool {
        self.bytes += bytes;
        self.telemetry.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= BYTES_MAX
    }

    /// Keeps the bytes taken beyond this value; whoever is told must give them back.
    fn into_bytes(mut self) -> usize {
        std::mem::take(&mut self.bytes)
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.telemetry.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Proxies {
    /// Reads a request, answers it, and has it sent.
    pub(crate) async fn queue_telemetry(
        self: &Arc<Self>,
        call: &Call<'_>,
        settings: &Settings,
        route: &RouteSettings,
        targets: &[Target],
        exchange: Exchange,
    ) {
        let Exchange { head, mut body, reply } = exchange;
        let counters = call.counters;
        let rewriter = Rewriter { kind: Kind::Telemetry, settings, deadline_secs: 0 };
        let Ok(mut rewritten) = rewriter.rewrite(&head) else {
            call.refuse(Refused::Invalid);
            return reply.send(Answer::not_found());
        };
        if head.origin.container_id.is_empty() {
            self.meter.count(TELEMETRY_NO_CONTAINER, &[], 1);
        }
        let is_scrubbed = is_injection(&head.headers, head.uri.path());
        let progress = Progress::new();
        let mut reserved = Reserved { telemetry: &self.telemetry, bytes: 0 };
        let mut all = BytesMut::new();
        let refused = loop {
            let piece = tokio::select! {
                piece = body.next() => piece,
                () = progress.expired(time_limits(settings, route)) => break Some(Refused::Timeout),
            };
            match piece {
                None => break None,
                Some(Err(_)) => break Some(Refused::BodyBroken),
                Some(Ok(piece)) if reserved.add(piece.len()) => {
                    progress.add(piece.len());
                    all.extend_from_slice(&piece);
                }
                Some(Ok(_)) => break Some(Refused::Busy),
            }
        };
        add(&counters.bytes_in, progress.bytes());
        let place = Arc::clone(&self.telemetry.places).try_acquire_owned();
        let (Ok(place), None) = (place, refused) else {
            let reason = refused.unwrap_or(Refused::Busy);
            call.refuse(reason);
            return reply.send(empty_object(if reason == Refused::Busy { 429 } else { 500 }));
        };
        counters.answer(200);
        reply.send(empty_object(200));
        let (proxies, bytes) = (Arc::clone(self), reserved.into_bytes());
        let targets = targets.to_vec();
        tokio::spawn(async move {
            let _place = place;
            let _background = proxies.begin_background();
            let _reserved = Reserved { telemetry: &proxies.telemetry, bytes };
            // Never closed, so a worker always comes.
            let _worker = proxies.telemetry.workers.acquire().await;
            proxies.telemetry.reset_when_due();
            let mut body = all.freeze();
            if is_scrubbed && let Some(scrubbed) = scrubbed(body.clone()).await {
                rewritten.forget_length();
                body = scrubbed;
            }
            for target in &targets {
                proxies.send_telemetry(target, &rewritten, body.clone()).await;
            }
        });
    }

    async fn send_telemetry(&self, target: &Target, rewritten: &Rewritten, body: Bytes) {
        let counters = self.counters.of(Kind::Telemetry);
        let _in_flight = counters.begin_copy();
        let Some(request) = rewritten.request(target, RequestBody::Whole(Some(body))) else {
            return counters.fail_copy(CopyFailure::Upstream);
        };
        let call = async {
            let response = self.telemetry.client.send(request).await;
            let response = response.map_err(|error| (CopyFailure::Upstream, error.to_string()))?;
            let status = response.status().as_u16();
            let mut body = response.into_body();
            while let Some(Ok(_)) = body.frame().await {}
            let failed = (CopyFailure::Status, format!("status {status}"));
            if (200..300).contains(&status) { Ok(()) } else { Err(failed) }
        };
        let late = || Err((CopyFailure::Timeout, "no answer in time".to_owned()));
        let started = Instant::now();
        let outcome = timeout(CALL_TIMEOUT, call).await.unwrap_or_else(|_| late());
        let endpoint = [format!("endpoint:{}", target.authority)];
        self.meter.time(TELEMETRY_MS, &endpoint, started.elapsed());
        match outcome {
            Ok(()) => add(&counters.copies_sent, 1),
            Err((reason, text)) => {
                counters.fail_copy(reason);
                self.meter.count(TELEMETRY_ERROR, &endpoint, 1);
                self.log.warn(Kind::Telemetry, &text);
            }
        }
    }
}

/// A body without secrets; none when it has none. On a thread of its own, since it may be long and
/// other requests wait for this one.
async fn scrubbed(body: Bytes) -> Option<Bytes> {
    spawn_blocking(move || scrub_injection(&body).map(Bytes::from)).await.ok().flatten()
}

/// `{}` without a media type.
fn empty_object(status: u16) -> Answer {
    Answer { body: Bytes::from_static(b"{}"), ..Answer::bare(status) }
}
