//! Requests that lanes hand over to control: one thread, a task for each request.
//!
//! To serve one more route: a field in [`Routes`], an arm in [`Routes::answer`], and its line in
//! `/info` (`apm::info`). A request with a short body is taken with [`whole`], everything else of
//! it is in [`Exchange`].

use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use server::{
    Answer, BodyError, CollectError, Exchange, ExchangeHead, ExchangeInlet, ExchangeReply, Proxy,
    Refusal,
};
use tokio::runtime;

use crate::proxies::ProxyRoutes;
use crate::remote::RemoteSlot;
use crate::self_metrics::TraceSeries;

/// What answers each route.
#[derive(Debug)]
pub(crate) struct Routes {
    pub(crate) proxies: Arc<ProxyRoutes>,
    /// Configurations of tracers.
    pub(crate) remote: Arc<RemoteSlot>,
}

/// The thread that answers. It ends when the lanes have ended.
#[derive(Debug)]
pub(crate) struct Exchanges {
    thread: JoinHandle<()>,
    routes: Arc<Routes>,
}

impl Exchanges {
    /// Takes the lanes' requests from now on.
    pub(crate) fn start(inlets: Vec<ExchangeInlet>, routes: Routes) -> io::Result<Self> {
        let routes = Arc::new(routes);
        let serving = Arc::clone(&routes);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = Builder::new().name("corelane/proxy".into()).spawn(move || {
            runtime.block_on(serve(inlets, serving));
        })?;
        Ok(Self { thread, routes })
    }

    /// Paths that `/info` lists.
    pub(crate) fn paths(&self) -> Vec<&'static str> {
        self.routes.paths()
    }

    /// What the proxies report to the intake, over the time since the last flush.
    pub(crate) fn series(&self, interval_secs: u32) -> Vec<TraceSeries> {
        self.routes.proxies.series(interval_secs)
    }

    /// Waits for the end, after the lanes have ended.
    pub(crate) fn join(self) {
        if self.thread.join().is_err() {
            log::error!("the thread of the proxies panicked");
        }
    }
}

/// Serves until all lanes have ended.
async fn serve(inlets: Vec<ExchangeInlet>, routes: Arc<Routes>) {
    let lanes = inlets.into_iter().map(|mut inlet| {
        let routes = Arc::clone(&routes);
        tokio::spawn(async move {
            while let Some(exchange) = inlet.next().await {
                let routes = Arc::clone(&routes);
                tokio::spawn(async move { routes.answer(exchange).await });
            }
        })
    });
    for lane in lanes.collect::<Vec<_>>() {
        if lane.await.is_err() {
            log::error!("a task of the proxies panicked");
        }
    }
    routes.proxies.finish().await;
}

impl Routes {
    /// Paths that `/info` lists.
    pub(crate) fn paths(&self) -> Vec<&'static str> {
        let mut paths = self.proxies.paths();
        if self.remote.is_on() {
            paths.push("/v0.7/config");
        }
        paths
    }

    /// Answers one request.
    async fn answer(&self, exchange: Exchange) {
        let Some(exchange) = self.proxies.answer(exchange).await else { return };
        if exchange.head.proxy == Proxy::RemoteConfig {
            self.answer_remote_config(exchange).await;
        } else {
            // A build without proxies.
            exchange.reply.send(Answer::not_found());
        }
    }

    /// Any method will do, and any content type. spec: remote-config §6.1
    async fn answer_remote_config(&self, exchange: Exchange) {
        let Some((head, body, reply)) = whole(exchange, self.remote.request_bytes_max()).await
        else {
            return;
        };
        reply.send(self.remote.client_configs(body.into(), &head.origin.container_tags).await);
    }
}

/// A request with its whole body. One that is longer than `bytes_max`, or has no end, is answered
/// here.
pub(crate) async fn whole(
    mut exchange: Exchange,
    bytes_max: usize,
) -> Option<(ExchangeHead, Vec<u8>, ExchangeReply)> {
    let answer = match exchange.body.collect(bytes_max).await {
        Ok(body) => return Some((exchange.head, body.into(), exchange.reply)),
        Err(CollectError::TooLarge) => Answer::refused(413, Refusal::TooLarge, "payload-too-large"),
        Err(CollectError::Broken(BodyError::Gone)) => {
            Answer::refused(400, Refusal::UnexpectedEof, "unexpected-eof")
        }
        Err(CollectError::Broken(error @ BodyError::Malformed)) => {
            Answer::malformed(&error.to_string())
        }
    };
    exchange.reply.send(answer);
    None
}
