//! The latest log lines in memory, for a flare.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lines up to a number of bytes; the oldest go first.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    lines: VecDeque<Box<str>>,
    bytes: usize,
    bytes_max: usize,
}

impl Recent {
    /// Keeps none until it is told how many.
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Lines { lines: VecDeque::new(), bytes: 0, bytes_max: 0 }))
    }

    pub(super) fn set_bytes_max(&self, bytes_max: usize) {
        let mut lines = self.locked();
        lines.bytes_max = bytes_max;
        lines.shrink();
    }

    /// Adds a line with its newline.
    pub(super) fn add(&self, line: &str) {
        let mut lines = self.locked();
        if line.len() > lines.bytes_max {
            return;
        }
        lines.bytes += line.len();
        lines.lines.push_back(line.into());
        lines.shrink();
    }

    pub(super) fn text(&self) -> String {
        let lines = self.locked();
        let mut text = String::with_capacity(lines.bytes);
        lines.lines.iter().for_each(|line| text.push_str(line));
        text
    }

    fn locked(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn shrink(&mut self) {
        while self.bytes > self.bytes_max
            && let Some(oldest) = self.lines.pop_front()
        {
            self.bytes -= oldest.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_lines_go_first() {
        let recent = Recent::new();
        recent.add("lost\n");
        recent.set_bytes_max(8);
        for line in ["one\n", "two\n", "far too long\n", "six\n"] {
            recent.add(line);
        }
        assert_eq!(recent.text(), "two\nsix\n");
        recent.set_bytes_max(4);
        assert_eq!(recent.text(), "six\n");
    }
}
