//! What the demo shows while it runs.

use std::collections::VecDeque;
use std::time::Duration;

use status::TraceStatus;
use status::format::count;

use super::stage::Stage;
use super::tracers::Tracers;
use super::traffic::Traffic;

/// The stages an item goes through, in order, with their units: metrics, then traces.
const STAGES: [(&str, &str); 9] = [
    ("sent", "samples"),
    ("received", "samples"),
    ("aggregated", "samples"),
    ("flushed", "samples"),
    ("decoded", "points"),
    ("sent", "spans"),
    ("received", "spans"),
    ("kept", "spans"),
    ("decoded", "spans"),
];

/// Counts at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) elapsed: Duration,
    pub(super) counts: [u64; STAGES.len()],
}

impl Frame {
    /// Reads all counters, the last stage first, so that none seems to run ahead of those before.
    pub(super) fn of(
        elapsed: Duration,
        (traffic, tracers): (&Traffic, &Tracers),
        stage: &Stage,
    ) -> Self {
        let (points, spans) = stage.decoded();
        let snapshot = stage.snapshot();
        let total = |name: &str| snapshot.totals.get(name).copied().unwrap_or(0);
        let flushed = snapshot.flush.samples_in;
        let traces = snapshot.traces.as_ref();
        let traced = |of: fn(&TraceStatus) -> u64| traces.map_or(0, of);
        let counts = [
            traffic.sent_samples(),
            total("samples"),
            total("recorded"),
            flushed,
            points,
            tracers.sent_spans(),
            traced(|traces| traces.spans_received),
            traced(|traces| traces.spans_kept),
            spans,
        ];
        Self { elapsed, counts }
    }
}

/// Columns of a sparkline: one for each look.
const COLUMNS: usize = 40;

/// The recent past, drawn over itself on a terminal or as one line after the other.
pub(super) struct View {
    duration: Duration,
    frames: VecDeque<Frame>,
    is_drawn: bool,
    lines_drawn: usize,
}

impl View {
    /// A view that draws on the terminal, or prints plain lines.
    pub(super) fn new(duration: Duration, is_drawn: bool) -> Self {
        let zero = Frame { elapsed: Duration::ZERO, counts: [0; STAGES.len()] };
        Self { duration, frames: [zero].into(), is_drawn, lines_drawn: 0 }
    }

    /// Whether it draws on the terminal.
    pub(super) const fn is_drawn(&self) -> bool {
        self.is_drawn
    }

    /// Takes the next frame.
    pub(super) fn add(&mut self, frame: Frame) {
        if self.frames.len() > COLUMNS {
            self.frames.pop_front();
        }
        self.frames.push_back(frame);
    }

    /// What to print now.
    pub(super) fn render(&mut self) -> String {
        let Some(last) = self.frames.back().copied() else { return String::new() };
        if !self.is_drawn {
            return plain(&last);
        }
        let mut text = String::new();
        if self.lines_drawn > 0 {
            text.push_str(&format!("\x1b[{}A", self.lines_drawn));
        }
        let lines = self.drawing(&last);
        self.lines_drawn = lines.len();
        for line in lines {
            text.push_str(&format!("\x1b[2K{line}\n"));
        }
        text
    }

    fn drawing(&self, last: &Frame) -> Vec<String> {
        let (elapsed, duration) = (last.elapsed.min(self.duration), self.duration);
        let (elapsed, duration) = (elapsed.as_secs_f64(), duration.as_secs_f64());
        let mut lines = vec![format!("  {elapsed:.0} s of {duration:.0} s")];
        for (at, (name, unit)) in STAGES.iter().enumerate() {
            let rates = self.rates(at);
            let total = count(last.counts[at]);
            lines.push(format!("  {name:<10} {:<COLUMNS$} {total:>12} {unit}", sparkline(&rates)));
        }
        lines
    }

    /// What was added between two looks.
    fn rates(&self, stage: usize) -> Vec<u64> {
        let pairs = self.frames.iter().zip(self.frames.iter().skip(1));
        pairs.map(|(from, to)| to.counts[stage].saturating_sub(from.counts[stage])).collect()
    }
}

fn plain(frame: &Frame) -> String {
    let mut line = format!("{:>5.1} s", frame.elapsed.as_secs_f64());
    let mut stages = STAGES.iter().zip(frame.counts).peekable();
    while let Some(((name, unit), n)) = stages.next() {
        line.push_str(&format!("  {name} {}", count(n)));
        // The unit once, where the next stage has another.
        match stages.peek() {
            Some(((_, next), _)) if next == unit => {}
            Some(_) => line.push_str(&format!(" {unit},")),
            None => line.push_str(&format!(" {unit}\n")),
        }
    }
    line
}

/// Bars as high as their share of the largest.
fn sparkline(rates: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let largest = rates.iter().copied().max().unwrap_or(0).max(1);
    let bar = |rate: &u64| match *rate {
        0 => ' ',
        rate => {
            let height = u128::from(rate) * 7 / u128::from(largest);
            BARS[usize::try_from(height).unwrap_or(7).min(7)]
        }
    };
    rates.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(half_secs: u32, n: u64) -> Frame {
        Frame {
            elapsed: Duration::from_millis(500) * half_secs,
            counts: [n, n, n, n / 2, 3, n, n, 2, 1],
        }
    }

    #[test]
    fn bars_have_the_height_of_their_share() {
        assert_eq!(sparkline(&[0, 1, 50, 100]), " ▁▄█");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&[u64::MAX, u64::MAX]), "██");
    }

    #[test]
    fn plain_lines_have_no_control_characters() {
        let mut view = View::new(Duration::from_secs(5), false);
        view.add(frame(1, 1200));
        let expected = "  0.5 s  sent 1,200  received 1,200  aggregated 1,200  flushed 600 samples,  \
                        decoded 3 points,  sent 1,200  received 1,200  kept 2  decoded 1 spans\n";
        assert_eq!(view.render(), expected);
    }

    #[test]
    fn a_drawing_replaces_the_one_before() {
        let mut view = View::new(Duration::from_secs(5), true);
        view.add(frame(1, 10));
        let first = view.render();
        assert!(!first.contains("\x1b[10A"), "{first:?}");
        for half_secs in 2..100 {
            view.add(frame(half_secs, u64::from(half_secs) * 10));
        }
        let later = view.render();
        assert!(later.starts_with("\x1b[10A\x1b[2K  5 s of 5 s\n"), "{later:?}");
        let widest = later.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{widest:?}");
    }
}
