//! One request to its intake, the answer back, and copies to others. spec: proxies §2.2, §2.6.
//!
//! The client gets the answer of the first destination as soon as that is complete. Copies have
//! deadlines of their own and go on by themselves; what becomes of them is counted, no more.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use forward::OutboundError;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use server::{Answer, ContentType, Exchange, ExchangeReply};

use crate::body::{Cut, Feeder, RequestBody, Watched};
use crate::counts::{CopyFailure, Refused, add};
use crate::log_files;
use crate::meter::Call;
use crate::progress::{Progress, TimeLimits};
use crate::proxies::Proxies;
use crate::rewrite::{Rewriter, Rewritten, without_hops};
use crate::settings::{RouteSettings, Settings, Target};
use crate::{Kind, Targets};

/// How the first destination did.
enum Outcome {
    Answered(Response<Incoming>),
    Failed(OutboundError),
    Late,
    /// The client is gone.
    Gone,
}

impl Proxies {
    /// Passes a request on.
    pub(crate) async fn forward(
        self: &Arc<Self>,
        call: &Call<'_>,
        settings: &Settings,
        route: &RouteSettings,
        targets: &[Target],
        exchange: Exchange,
    ) {
        let Exchange { head, body, mut reply } = exchange;
        let (kind, counters) = (call.kind, call.counters);
        if kind == Kind::DebuggerLogs {
            let in_use = log_files::in_use(&head.headers, &settings.tailed_files);
            if !in_use.is_empty() {
                call.refuse(Refused::LogFiles);
                let text = format!("log files already consumed: {}", in_use.join(", "));
                return reply.send(Answer::error(409, &text));
            }
        }
        let rules = kind.rules();
        let rewriter = Rewriter { kind, settings, deadline_secs: route.deadline.as_secs() };
        let rewritten = rewriter.rewrite(&head).ok().map(Arc::new);
        let (Some(rewritten), Some((first, others))) = (rewritten, targets.split_first()) else {
            call.refuse(Refused::Invalid);
            return reply.send(Answer::bare(502));
        };
        let progress = Progress::new();
        let limits = time_limits(settings, route);
        let is_limited = rules.limits_always || !others.is_empty();
        let bytes_max = route.body_bytes_max.filter(|_| is_limited);
        let watched = Watched::new(body, Arc::clone(&progress), bytes_max);
        let (body, feeding) = if others.is_empty() {
            (RequestBody::Direct(watched), None)
        } else {
            let (mut feeder, body) = Feeder::new(watched);
            for target in others {
                self.start_copy(kind, limits, target, &rewritten, &mut feeder);
            }
            (body, Some(tokio::spawn(feeder.run(Arc::clone(&self.copy_budget)))))
        };
        let mut outcome = match rewritten.request(first, body) {
            Some(mut request) => {
                self.close_when_broken(kind, &mut request);
                tokio::select! {
                    sent = self.client_of(kind).send(request) => {
                        sent.map_or_else(Outcome::Failed, Outcome::Answered)
                    }
                    () = progress.expired(limits) => Outcome::Late,
                    () = reply.closed() => Outcome::Gone,
                }
            }
            None => {
                call.refuse(Refused::Invalid);
                return reply.send(Answer::bare(502));
            }
        };
        // Once the client is answered it sends no more, so that copies would be cut.
        if let Some(feeding) = feeding
            && matches!(outcome, Outcome::Answered(_) | Outcome::Failed(_))
        {
            tokio::select! {
                _ = feeding => {}
                () = progress.expired(limits) => {}
                () = reply.closed() => outcome = Outcome::Gone,
            }
        }
        match outcome {
            Outcome::Answered(response) => {
                self.relay(call, response, reply, &progress, limits).await;
            }
            Outcome::Failed(error) => self.fail(call, &error.to_string(), &progress, reply),
            Outcome::Late => {
                call.refuse(Refused::Timeout);
                self.log.warn(kind, "nothing moved until the deadline");
                let status = if rules.tells_failures { 408 } else { 502 };
                reply.send(failure(rules.tells_failures, status, "deadline exceeded"));
            }
            Outcome::Gone => add(&counters.clients_gone, 1),
        }
        add(&counters.bytes_in, progress.bytes());
    }

    /// Answers for an intake that did not.
    fn fail(&self, call: &Call<'_>, error: &str, progress: &Progress, reply: ExchangeReply) {
        let is_told = call.kind.rules().tells_failures;
        let (reason, status) = if progress.is_too_large() {
            (Refused::TooLarge, 502)
        } else if progress.is_broken() {
            (Refused::BodyBroken, if is_told { 503 } else { 502 })
        } else {
            (Refused::Upstream, 502)
        };
        call.refuse(reason);
        self.log.warn(call.kind, error);
        reply.send(failure(is_told, status, error));
    }

    /// Passes an answer on as it comes.
    async fn relay(
        &self,
        call: &Call<'_>,
        response: Response<Incoming>,
        reply: ExchangeReply,
        progress: &Progress,
        limits: TimeLimits,
    ) {
        let (kind, counters) = (call.kind, call.counters);
        let (parts, mut body) = response.into_parts();
        let status = match parts.status.as_u16() {
            202 if kind.rules().accepted_is_ok => 200,
            status => status,
        };
        counters.answer(status);
        let mut out = reply.begin(status, without_hops(&parts.headers, |_| false));
        progress.set_read();
        loop {
            let frame = tokio::select! {
                frame = body.frame() => frame,
                () = progress.expired(limits) => break,
                () = out.closed() => break,
            };
            match frame {
                None => return out.finish().await,
                Some(Ok(frame)) => {
                    progress.touch();
                    let bytes: Bytes = frame.into_data().unwrap_or_default();
                    add(&counters.bytes_out, bytes.len() as u64);
                    if out.send(bytes).await.is_err() {
                        break;
                    }
                }
                Some(Err(error)) => {
                    self.log.warn(kind, &format!("the answer broke off: {error}"));
                    if kind == Kind::Profiling {
                        // What else is idle may be as broken. spec: proxies §3.1.
                        self.client_of(kind).reset();
                        self.is_profiling_broken.store(true, Ordering::Relaxed);
                    }
                    break;
                }
            }
        }
        add(&counters.answers_cut, 1);
    }

    /// Asks for a connection that nobody uses afterwards, when the last answer to a profile broke
    /// off. spec: proxies §3.1.
    fn close_when_broken(&self, kind: Kind, request: &mut Request<RequestBody>) {
        if kind == Kind::Profiling && self.is_profiling_broken.swap(false, Ordering::Relaxed) {
            request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// Starts the copy for an additional destination.
    fn start_copy(
        self: &Arc<Self>,
        kind: Kind,
        limits: TimeLimits,
        target: &Target,
        rewritten: &Arc<Rewritten>,
        feeder: &mut Feeder,
    ) {
        let progress = Progress::new();
        let behind = Arc::clone(self);
        let body = feeder.add_copy(&progress, move || {
            behind.counters.of(kind).fail_copy(CopyFailure::Behind);
            behind.log.warn(kind, "an additional endpoint is too slow and was cut off");
        });
        let (proxies, target) = (Arc::clone(self), target.clone());
        let rewritten = Arc::clone(rewritten);
        tokio::spawn(async move {
            let counters = proxies.counters.of(kind);
            let (_in_flight, _background) = (counters.begin_copy(), proxies.begin_background());
            let sent = proxies.send_copy(kind, &target, &rewritten, body);
            let outcome = tokio::select! {
                sent = sent => sent,
                () = progress.expired(limits) => Err(Some(CopyFailure::Timeout)),
            };
            match outcome {
                Ok(()) => add(&counters.copies_sent, 1),
                Err(None) => {}
                Err(Some(_)) if progress.is_broken() => counters.fail_copy(CopyFailure::Body),
                Err(Some(reason)) => counters.fail_copy(reason),
            }
        });
    }

    /// Sends a copy and reads the answer. An error without a reason was counted already.
    async fn send_copy(
        &self,
        kind: Kind,
        target: &Target,
        rewritten: &Rewritten,
        body: RequestBody,
    ) -> Result<(), Option<CopyFailure>> {
        let request = rewritten.request(target, body).ok_or(Some(CopyFailure::Upstream))?;
        let sent = self.client_of(kind).send(request).await;
        let response = sent.map_err(|error| {
            if error.is_caused_by::<Cut>(|cut| *cut == Cut::Abandoned) {
                return None;
            }
            self.log.warn(kind, &format!("an additional endpoint failed: {error}"));
            Some(CopyFailure::Upstream)
        })?;
        let status = response.status().as_u16();
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            if frame.is_err() {
                return Err(Some(CopyFailure::Upstream));
            }
        }
        if status < 300 {
            return Ok(());
        }
        self.log.warn(kind, &format!("an additional endpoint answered {status}"));
        Err(Some(CopyFailure::Status))
    }

    /// Reads a body to nowhere.
    pub(crate) async fn discard(
        &self,
        call: &Call<'_>,
        settings: &Settings,
        route: &RouteSettings,
        exchange: Exchange,
    ) {
        let Exchange { mut body, reply, .. } = exchange;
        let progress = Progress::new();
        let reading = async {
            while let Some(Ok(bytes)) = body.next().await {
                progress.add(bytes.len());
            }
        };
        tokio::select! {
            () = reading => {}
            () = progress.expired(time_limits(settings, route)) => {}
        }
        let counters = call.counters;
        add(&counters.bytes_in, progress.bytes());
        counters.answer(200);
        reply.send(Answer::empty());
    }
}

/// How long a request may take. While a body comes, the time is never shorter than the general one.
pub(crate) fn time_limits(settings: &Settings, route: &RouteSettings) -> TimeLimits {
    TimeLimits {
        reading_max: route.deadline.max(settings.receiver_timeout),
        idle_max: route.deadline,
        total_max: settings.exchange_time_max.max(route.deadline),
    }
}

/// The answer for a failure: a text where that is told, else nothing.
fn failure(is_told: bool, status: u16, text: &str) -> Answer {
    if !is_told {
        return Answer::bare(status);
    }
    let body = Bytes::from(text.to_owned());
    Answer { content_type: Some(ContentType::Text), body, ..Answer::bare(status) }
}

impl Targets {
    /// Whether a request would be passed on.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::To(targets) => targets.is_empty(),
            Self::Here | Self::Off { .. } => true,
        }
    }
}
