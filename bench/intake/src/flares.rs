//! Archives for support, as agents send them. spec: config §12.2
//!
//! They are no part of the log of requests. The form and the zip format are read strictly by code
//! of our own, which shares nothing with what wrote them.

mod form;
mod unzip;

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use unzip::{UnzipError, unzip};

/// Path of the flare intake; a case may follow.
const PATH: &str = "/support/flare";
/// Where it sends agents that ask first.
const PLACE: &str = "/support/flare/v1";
/// Largest archive that is taken.
pub(crate) const BODY_BYTES_MAX: usize = 64 << 20;
/// Flares that are kept.
const KEPT_MAX: usize = 100;

/// One flare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flare {
    /// Path that it was sent to.
    pub path: String,
    /// Headers with names in lower case.
    pub headers: Vec<(String, String)>,
    /// Names of the form's fields, in order.
    pub order: Vec<String>,
    /// Texts of the form by field.
    pub fields: BTreeMap<String, String>,
    /// Name of the archive.
    pub file_name: String,
    /// The archive as it was sent.
    pub archive: Vec<u8>,
    /// Members of the archive by path.
    pub members: BTreeMap<String, String>,
}

impl Flare {
    /// A member of the archive, by its path below the host.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&str> {
        let is_it = |path: &&String| path.split_once('/').is_some_and(|(_, rest)| rest == name);
        self.members.keys().find(is_it).and_then(|path| self.members.get(path)).map(String::as_str)
    }
}

/// How the flare intake behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlareAnswer {
    /// Takes flares where it is asked.
    #[default]
    Accept,
    /// Sends agents that ask to another path first.
    Redirect,
    /// Takes the archive and says that something is wrong with it.
    Error,
    /// A status without a body, for archives.
    Status(u16),
    /// The archive is read, and no answer ever comes.
    Hang,
}

/// The flare intake.
#[derive(Debug, Default)]
pub struct Flares {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    answer: FlareAnswer,
    taken: Vec<Flare>,
    refused: Vec<String>,
    heads: u64,
}

/// What is to be answered: a status, a place to go to, a JSON text.
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) location: Option<&'static str>,
    pub(crate) text: String,
}

/// Whether a path belongs to the flare intake.
pub(crate) fn is_path(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Flares {
    /// What happens to flares from now on.
    pub fn set_answer(&self, answer: FlareAnswer) {
        self.locked().answer = answer;
    }

    /// The flares that were taken, oldest first.
    #[must_use]
    pub fn taken(&self) -> Vec<Flare> {
        self.locked().taken.clone()
    }

    /// Why others were not, for they could not be read.
    #[must_use]
    pub fn refused(&self) -> Vec<String> {
        self.locked().refused.clone()
    }

    /// How often an agent asked where to send its flare.
    #[must_use]
    pub fn heads(&self) -> u64 {
        self.locked().heads
    }

    /// Waits until so many flares were taken, and returns them; all there are after `time_max`.
    #[must_use]
    pub fn wait_for(&self, count: usize, time_max: Duration) -> Vec<Flare> {
        let end = Instant::now() + time_max;
        let mut state = self.locked();
        while state.taken.len() < count {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.taken.clone()
    }

    /// Answers a request; `None` is no answer, ever.
    pub(crate) fn answer(
        &self,
        method: &str,
        path: &str,
        headers: Vec<(String, String)>,
        body: &[u8],
        is_key_valid: bool,
    ) -> Option<Told> {
        let told = |status: u16, text: &str| Told { status, location: None, text: text.to_owned() };
        let mut state = self.locked();
        if !is_key_valid {
            return Some(told(403, r#"{"errors":["Forbidden"]}"#));
        }
        if method == "HEAD" {
            state.heads += 1;
            let is_sent_on = state.answer == FlareAnswer::Redirect && path != PLACE;
            return Some(match is_sent_on {
                true => Told { status: 307, location: Some(PLACE), text: String::new() },
                false => told(404, ""),
            });
        }
        if method != "POST" {
            return Some(told(405, r#"{"error":"only POST is taken"}"#));
        }
        match read(path, headers, body) {
            Err(error) => {
                state.refused.push(error.clone());
                Some(told(400, &serde_json::json!({ "error": error }).to_string()))
            }
            Ok(flare) => {
                let case = flare.fields.get("case_id").map_or("4711", String::as_str);
                let receipt = serde_json::json!({
                    "case_id": case.parse::<u64>().unwrap_or(0),
                    "error": "",
                    "request_uuid": "9f1d",
                });
                let answer = state.answer;
                if matches!(answer, FlareAnswer::Accept | FlareAnswer::Redirect)
                    && state.taken.len() < KEPT_MAX
                {
                    state.taken.push(flare);
                    self.changed.notify_all();
                }
                match answer {
                    FlareAnswer::Accept | FlareAnswer::Redirect => {
                        Some(told(200, &receipt.to_string()))
                    }
                    FlareAnswer::Error => Some(told(200, r#"{"error":"there is no such case"}"#)),
                    FlareAnswer::Status(status) => Some(told(status, "")),
                    FlareAnswer::Hang => None,
                }
            }
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &str, headers: Vec<(String, String)>, body: &[u8]) -> Result<Flare, String> {
    let header = |name: &str| {
        headers.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value.as_str())
    };
    let mut flare = Flare { path: path.to_owned(), ..Flare::default() };
    for part in form::parts(header("content-type"), body)? {
        flare.order.push(part.name.clone());
        match part.file_name {
            Some(file_name) => {
                flare.file_name = file_name;
                flare.archive = part.body.to_vec();
            }
            None => {
                let text = String::from_utf8(part.body.to_vec()).map_err(|e| e.to_string())?;
                flare.fields.insert(part.name, text);
            }
        }
    }
    let members = unzip(&flare.archive, BODY_BYTES_MAX).map_err(|error| error.to_string())?;
    flare.members = members
        .into_iter()
        .map(|(name, content)| (name, String::from_utf8_lossy(&content).into_owned()))
        .collect();
    flare.headers = headers;
    Ok(flare)
}
