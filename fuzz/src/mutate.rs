//! Blind mutations of known inputs, the same for the same seed.

/// Makes inputs out of a corpus.
#[derive(Debug)]
pub struct Mutator<'a> {
    corpus: &'a [&'a [u8]],
    input_bytes_max: usize,
    state: u64,
}

/// Bytes that separate, quote, number or end something in the formats under test.
const MEANINGFUL: &[u8] = b"|:#@,\n\r\0\x01\x7f\x80\xff{}[]()-+.eExT_ \t'\"\\&*!%?<>=019";

impl<'a> Mutator<'a> {
    /// A mutator of `corpus` whose results are at most `input_bytes_max` long.
    #[must_use]
    pub const fn new(corpus: &'a [&'a [u8]], input_bytes_max: usize, seed: u64) -> Self {
        Self { corpus, input_bytes_max, state: seed }
    }

    /// The next input: one of the corpus with one to eight damages.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.pick_known().to_vec();
        for _ in 0..=self.below(8) {
            self.damage(&mut input);
        }
        input.truncate(self.input_bytes_max);
        input
    }

    fn damage(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let end = at + self.below(input.len() - at + 1);
        match self.below(8) {
            0 => drop(input.drain(at..end.min(at + 16))),
            1 => input.truncate(at),
            2 => input.insert(at, self.byte()),
            3 => input.extend_from_within(at..end),
            4 => {
                let other = self.pick_known();
                let from = self.below(other.len() + 1);
                let to = from + self.below(other.len() - from + 1);
                input.splice(at..end, other.iter().copied().skip(from).take(to - from));
            }
            5 => {
                // Where a length may stand: the largest values are the interesting ones.
                let length = self.next_random() >> self.below(64);
                let bytes = length.to_le_bytes();
                input.splice(at..at, bytes.into_iter().take(4));
            }
            6 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << (self.next_random() % 8);
                }
            }
            _ => {
                let replacement = self.byte();
                if let Some(byte) = input.get_mut(at) {
                    *byte = replacement;
                }
            }
        }
    }

    fn pick_known(&mut self) -> &'a [u8] {
        let index = self.below(self.corpus.len());
        self.corpus.get(index).copied().unwrap_or_default()
    }

    fn byte(&mut self) -> u8 {
        let index = self.below(MEANINGFUL.len() * 2);
        let [random, ..] = self.next_random().to_le_bytes();
        MEANINGFUL.get(index).copied().unwrap_or(random)
    }

    /// A number below `bound`, or 0 for a bound of 0.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next_random() % bound).unwrap_or(0)
    }

    /// `SplitMix64`: tiny, seeded by any value, good enough to pick bytes.
    const fn next_random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORPUS: &[&[u8]] = &[b"a:1|g\nb:2|c", b"", b"_sc|up|0"];

    #[test]
    fn the_seed_decides_everything() {
        let inputs = |seed| {
            let mut mutator = Mutator::new(CORPUS, 64, seed);
            (0..200).map(|_| mutator.next_input()).collect::<Vec<_>>()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
    }

    #[test]
    fn inputs_stay_below_their_limit_and_differ() {
        let mut mutator = Mutator::new(CORPUS, 64, 7);
        let mut inputs: Vec<Vec<u8>> = (0..2000).map(|_| mutator.next_input()).collect();
        assert!(inputs.iter().all(|input| input.len() <= 64));
        inputs.sort();
        inputs.dedup();
        assert!(inputs.len() > 1000, "{}", inputs.len());
    }

    #[test]
    fn an_empty_corpus_still_gives_inputs() {
        let mut mutator = Mutator::new(&[], 64, 7);
        assert!((0..100).any(|_| !mutator.next_input().is_empty()));
    }
}
