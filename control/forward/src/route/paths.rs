//! Backoff per path, for answers such as 404 that say nothing about the other paths.

use tokio::time::Instant;

use crate::backoff::{Admission, Breaker, Pass};

/// Paths remembered; an agent uses about ten. Later ones are never blocked on their own.
const PATHS_MAX: usize = 32;

/// Breakers of the paths that ever failed on their own.
#[derive(Debug, Default)]
pub(crate) struct PathBreakers {
    list: Vec<(String, Breaker)>,
}

impl PathBreakers {
    /// Whether a request to this path may start; a path that never failed is open.
    pub(crate) fn admit(&self, path: &str, now: Instant) -> Admission {
        let known = self.list.iter().find(|(known, _)| known == path);
        known.map_or_else(|| Breaker::default().admit(now), |(_, breaker)| breaker.admit(now))
    }

    /// Notes the start of an admitted request.
    pub(crate) fn start(&mut self, path: &str, pass: Pass) {
        if let Some(breaker) = self.find(path) {
            breaker.start(pass);
        }
    }

    /// The breaker of a path that failed before.
    pub(crate) fn find(&mut self, path: &str) -> Option<&mut Breaker> {
        self.list.iter_mut().find(|(known, _)| known == path).map(|(_, breaker)| breaker)
    }

    /// The breaker of a path that fails now; `None` if too many paths failed already.
    pub(crate) fn find_or_add(&mut self, path: &str) -> Option<&mut Breaker> {
        if self.list.iter().all(|(known, _)| known != path) && self.list.len() < PATHS_MAX {
            self.list.push((path.to_owned(), Breaker::default()));
        }
        self.find(path)
    }

    /// Opens all paths.
    pub(crate) fn clear(&mut self) {
        for (_, breaker) in &mut self.list {
            breaker.clear();
        }
    }
}
