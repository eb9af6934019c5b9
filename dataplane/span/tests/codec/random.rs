//! Reproducible choices.

/// A sequence of numbers that a seed determines (xorshift64*).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).expect("31 bits") % end
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// A number of any size: small ones, powers of two and their neighbours, and any other.
    pub(crate) fn number(&mut self) -> u64 {
        match self.below(4) {
            0 => self.next() % 200,
            1 => (1 << self.below(64)) - self.next() % 2,
            2 => self.next() >> self.below(64),
            _ => self.next(),
        }
    }

    pub(crate) fn text(&mut self) -> String {
        const PARTS: [&str; 14] = [
            "a", "web", "GET /", " ", "é", "日本", "😀", "\"", "\\", "\n", "_dd.", "x.y", "0",
            "\u{7f}",
        ];
        let len = if self.one_in(12) { self.below(120) } else { self.below(6) };
        (0..len).map(|_| PARTS[self.below(PARTS.len())]).collect()
    }

    pub(crate) fn key(&mut self) -> String {
        const KEYS: [&str; 12] = [
            "env",
            "version",
            "component",
            "span.kind",
            "http.status_code",
            "_dd.p.dm",
            "_dd.p.tid",
            "peer.service",
            "_sampling_priority_v1",
            "_dd.measured",
            "",
            "link.name",
        ];
        if self.one_in(2) { KEYS[self.below(KEYS.len())].to_owned() } else { self.text() }
    }

    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        let len = if self.one_in(10) { self.below(400) } else { self.below(9) };
        (0..len).map(|_| self.next().to_le_bytes()[1]).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "any number will do")]
    pub(crate) fn double(&mut self) -> f64 {
        match self.below(4) {
            0 => self.below(3) as f64,
            1 => (self.next().cast_signed() >> 12) as f64,
            2 => self.next() as f64 / 1e18,
            _ => -1.5e-300,
        }
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}
