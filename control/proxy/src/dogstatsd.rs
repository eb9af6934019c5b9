//! Lines of DogStatsD in requests, handed to the lanes. spec: proxies §3.8.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use server::{Answer, Exchange};
use tokio::time::sleep;

use crate::counts::{Refused, add};
use crate::meter::Call;
use crate::progress::Progress;
use crate::proxies::Proxies;
use crate::relay::time_limits;
use crate::settings::RouteSettings;

/// What became of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// A lane has them, or has counted why not.
    Taken,
    /// There is no room now.
    Full,
    /// The lanes have ended.
    Stopped,
}

/// Takes whole lines of a container for the lanes, without waiting.
#[derive(Clone)]
pub struct SubmitLines(Arc<Submit>);

type Submit = dyn Fn(&str, &[u8]) -> Submitted + Send + Sync;

/// Longest line, and most that is handed over at once; what is longer goes as it is, so that the
/// lane counts it.
const LINES_BYTES_MAX: usize = 64 << 10;
/// Time between two attempts while lanes have no room.
const RETRY: Duration = Duration::from_millis(2);

impl SubmitLines {
    /// Lines go to `submit`, with the id of the container they come from; empty when unknown.
    pub fn new(submit: impl Fn(&str, &[u8]) -> Submitted + Send + Sync + 'static) -> Self {
        Self(Arc::new(submit))
    }
}

impl fmt::Debug for SubmitLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubmitLines")
    }
}

impl Proxies {
    /// Hands the lines of a request over, waiting for room.
    pub(crate) async fn take_lines(
        &self,
        call: &Call<'_>,
        route: &RouteSettings,
        exchange: Exchange,
    ) {
        let Exchange { head, mut body, reply } = exchange;
        let container = head.origin.container_id.as_str();
        let settings = self.settings();
        let counters = call.counters;
        let progress = Progress::new();
        let taking = async {
            let mut rest = BytesMut::new();
            while let Some(piece) = body.next().await {
                let piece = piece.map_err(|error| (Refused::BodyBroken, error.to_string()))?;
                rest.extend_from_slice(&piece);
                let whole = rest.iter().rposition(|&byte| byte == b'\n').map(|at| at + 1);
                let is_too_long = rest.len() > LINES_BYTES_MAX;
                let whole = whole.or_else(|| is_too_long.then_some(rest.len()));
                if let Some(whole) = whole {
                    self.hand_over(container, &rest.split_to(whole)).await?;
                }
                progress.add(piece.len());
            }
            self.hand_over(container, &rest).await
        };
        let taken = tokio::select! {
            taken = taking => taken,
            () = progress.expired(time_limits(&settings, route)) => {
                Err((Refused::Timeout, "no room for these lines in time".to_owned()))
            }
        };
        add(&counters.bytes_in, progress.bytes());
        match taken {
            Ok(()) => {
                counters.answer(200);
                reply.send(Answer::empty());
            }
            Err((reason, text)) => {
                call.refuse(reason);
                reply.send(Answer::error(500, &text));
            }
        }
    }

    async fn hand_over(&self, container: &str, mut lines: &[u8]) -> Result<(), (Refused, String)> {
        while !lines.is_empty() {
            // A ring that is smaller than the body gets it in parts.
            let window = lines.get(..LINES_BYTES_MAX).unwrap_or(lines);
            let end =
                window.iter().rposition(|&byte| byte == b'\n').map_or(lines.len(), |at| at + 1);
            let (now, later) = lines.split_at(end);
            match (self.submit.0)(container, now) {
                Submitted::Taken => lines = later,
                Submitted::Full => sleep(RETRY).await,
                Submitted::Stopped => {
                    return Err((Refused::Off, "the agent is stopping".to_owned()));
                }
            }
        }
        Ok(())
    }
}
