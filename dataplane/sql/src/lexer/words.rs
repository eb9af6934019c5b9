//! The words that the lexer knows. spec: apm-obfuscation §3.1, "Word classes"

use super::token::Kind;
use crate::word::{folded, key};

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) kind: Kind,
    /// Whether a name after it is that of a table.
    pub(super) is_table_indicator: bool,
}

/// What the word `input[start..end]` of ASCII letters and `_` is, unless it is an identifier.
///
/// Most identifiers end at the first test: no word with this first letter has this length.
#[inline(always)]
pub(super) fn classify(input: &[u8], start: usize, end: usize) -> Option<Word> {
    let length = end - start;
    let first = *input.get(start)?;
    if length > WORD_BYTES_MAX || LENGTHS[(first & 31) as usize] >> length & 1 == 0 {
        return None;
    }
    let key = folded(input, start, end);
    let rest = if length > 8 { folded(input, start + 8, end) } else { 0 };
    let mut slot = slot_of(key);
    loop {
        let index = (SLOTS[slot] as usize).checked_sub(1)?;
        let (word, class) = WORDS.get(index)?;
        if KEYS[index] == (key, rest) && word.len() == length {
            return Some(*class);
        }
        slot = (slot + 1) % SLOTS.len();
    }
}

/// The longest word, in bytes.
const WORD_BYTES_MAX: usize = 13;

/// For each first letter, the lengths of the words that start with it, as bits.
static LENGTHS: [u16; 32] = lengths();

/// The words as integers: the first eight bytes and the rest.
static KEYS: [(u64, u64); WORDS.len()] = keys();

/// An open hash table of one more than indices into [`WORDS`]; zero is free.
static SLOTS: [u8; 512] = slots();

const fn lengths() -> [u16; 32] {
    let mut table = [0; 32];
    let mut index = 0;
    while index < WORDS.len() {
        let word = WORDS[index].0;
        table[(word[0] & 31) as usize] |= 1 << word.len();
        index += 1;
    }
    table
}

const fn keys() -> [(u64, u64); WORDS.len()] {
    let mut table = [(0, 0); WORDS.len()];
    let mut index = 0;
    while index < WORDS.len() {
        let word = WORDS[index].0;
        let rest = if word.len() > 8 { key(word.split_at(8).1) } else { 0 };
        table[index] = (key(word), rest);
        index += 1;
    }
    table
}

#[expect(clippy::cast_possible_truncation, reason = "there are fewer than 256 words")]
const fn slots() -> [u8; 512] {
    let mut table = [0; 512];
    let mut index = 0;
    while index < WORDS.len() {
        let mut slot = slot_of(key(WORDS[index].0));
        while table[slot] != 0 {
            slot = (slot + 1) % table.len();
        }
        table[slot] = index as u8 + 1;
        index += 1;
    }
    table
}

/// Where a word stands in [`SLOTS`], or from where on.
#[inline(always)]
const fn slot_of(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 55) as usize
}

const fn word(kind: Kind) -> Word {
    Word { kind, is_table_indicator: false }
}

const fn before_table(kind: Kind) -> Word {
    Word { kind, is_table_indicator: true }
}

/// All words, by their first letter.
const WORDS: &[(&[u8], Word)] = &[
    (b"AND", word(Kind::Keyword)),
    (b"AS", word(Kind::Alias)),
    (b"ALL", word(Kind::Keyword)),
    (b"ADD", word(Kind::Keyword)),
    (b"ALTER", word(Kind::Command)),
    (b"ANALYZE", word(Kind::Keyword)),
    (b"ANY", word(Kind::Keyword)),
    (b"ASC", word(Kind::Keyword)),
    (b"ASSERTION", word(Kind::Keyword)),
    (b"BY", word(Kind::Keyword)),
    (b"BETWEEN", word(Kind::Keyword)),
    (b"BEGIN", word(Kind::Command)),
    (b"CASE", word(Kind::Keyword)),
    (b"CREATE", word(Kind::Command)),
    (b"CHECK", word(Kind::Keyword)),
    (b"CLONE", before_table(Kind::Command)),
    (b"CLUSTER", word(Kind::Keyword)),
    (b"COLUMN", word(Kind::Keyword)),
    (b"COMMIT", word(Kind::Command)),
    (b"CONSTRAINT", word(Kind::Keyword)),
    (b"COPY", word(Kind::Keyword)),
    (b"CUBE", word(Kind::Keyword)),
    (b"DELETE", word(Kind::Command)),
    (b"DISTINCT", word(Kind::Keyword)),
    (b"DESC", word(Kind::Keyword)),
    (b"DATABASE", word(Kind::Keyword)),
    (b"DECLARE", word(Kind::Keyword)),
    (b"DEFAULT", word(Kind::Keyword)),
    (b"DOMAIN", word(Kind::Keyword)),
    (b"DROP", word(Kind::Command)),
    (b"END", word(Kind::Keyword)),
    (b"ELSE", word(Kind::Keyword)),
    (b"ESCAPE", word(Kind::Keyword)),
    (b"EXEC", word(Kind::Command)),
    (b"EXECUTE", word(Kind::Command)),
    (b"EXISTS", before_table(Kind::Keyword)),
    (b"EXPLAIN", word(Kind::Command)),
    (b"FROM", before_table(Kind::Keyword)),
    (b"FALSE", word(Kind::Boolean)),
    (b"FOREIGN", word(Kind::Keyword)),
    (b"GROUP", word(Kind::Keyword)),
    (b"GRANT", word(Kind::Command)),
    (b"HAVING", word(Kind::Keyword)),
    (b"IN", word(Kind::Keyword)),
    (b"INTO", before_table(Kind::Keyword)),
    (b"INSERT", word(Kind::Command)),
    (b"IS", word(Kind::Keyword)),
    (b"IF", word(Kind::Keyword)),
    (b"ILIKE", word(Kind::Keyword)),
    (b"INDEX", word(Kind::Keyword)),
    (b"INNER", word(Kind::Keyword)),
    (b"JOIN", before_table(Kind::Command)),
    (b"KEY", word(Kind::Keyword)),
    (b"LIMIT", word(Kind::Keyword)),
    (b"LIKE", word(Kind::Keyword)),
    (b"LEFT", word(Kind::Keyword)),
    (b"LATERAL", word(Kind::Keyword)),
    (b"LITERAL", word(Kind::Keyword)),
    (b"MERGE", word(Kind::Command)),
    (b"NOT", word(Kind::Keyword)),
    (b"NULL", word(Kind::Null)),
    (b"ON", word(Kind::Keyword)),
    (b"OR", word(Kind::Keyword)),
    (b"ORDER", word(Kind::Keyword)),
    (b"OF", word(Kind::Keyword)),
    (b"OFFSET", word(Kind::Keyword)),
    (b"ONLY", before_table(Kind::Keyword)),
    (b"OUT", word(Kind::Keyword)),
    (b"OUTER", word(Kind::Keyword)),
    (b"PLPGSQL", word(Kind::Keyword)),
    (b"PRIMARY", word(Kind::Keyword)),
    (b"PROC", word(Kind::Procedure)),
    (b"PROCEDURE", word(Kind::Procedure)),
    (b"RECURSIVE", word(Kind::Keyword)),
    (b"REPLACE", word(Kind::Keyword)),
    (b"RETURNING", word(Kind::Keyword)),
    (b"RETURNS", word(Kind::Keyword)),
    (b"REVOKE", word(Kind::Command)),
    (b"RIGHT", word(Kind::Keyword)),
    (b"ROLLBACK", word(Kind::Keyword)),
    (b"ROLLUP", word(Kind::Keyword)),
    (b"ROWNUM", word(Kind::Keyword)),
    (b"SELECT", word(Kind::Command)),
    (b"SET", word(Kind::Keyword)),
    (b"SKIP", word(Kind::Keyword)),
    (b"SOME", word(Kind::Keyword)),
    (b"STRAIGHT_JOIN", before_table(Kind::Command)),
    (b"TABLE", before_table(Kind::Keyword)),
    (b"TRUE", word(Kind::Boolean)),
    (b"TEMPORARY", word(Kind::Keyword)),
    (b"TOP", word(Kind::Keyword)),
    (b"TRIGGER", word(Kind::Keyword)),
    (b"TRUNCATE", word(Kind::Command)),
    (b"UPDATE", before_table(Kind::Command)),
    (b"UNION", word(Kind::Keyword)),
    (b"UNIQUE", word(Kind::Keyword)),
    (b"UNLOGGED", word(Kind::Keyword)),
    (b"USE", word(Kind::Command)),
    (b"USING", word(Kind::Keyword)),
    (b"VALUES", word(Kind::Keyword)),
    (b"VACUUM", word(Kind::Command)),
    (b"VIEW", word(Kind::Keyword)),
    (b"WHERE", word(Kind::Keyword)),
    (b"WITH", word(Kind::Cte)),
    (b"WINDOW", word(Kind::Keyword)),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(word: &[u8]) -> Option<Word> {
        super::classify(word, 0, word.len())
    }

    #[test]
    fn every_word_is_known_in_any_case() {
        for &(known, class) in WORDS {
            assert_eq!(classify(known), Some(class));
            assert_eq!(classify(&known.to_ascii_lowercase()), Some(class));
            assert_eq!(classify(&[known, b"_"].concat()), None);
            let spaced = [b"(", known, b" and more"].concat();
            assert_eq!(super::classify(&spaced, 1, 1 + known.len()), Some(class));
        }
        assert_eq!(WORDS.iter().map(|(word, _)| word.len()).max(), Some(WORD_BYTES_MAX));
    }

    #[test]
    fn words_are_distinct() {
        let mut words: Vec<_> = WORDS.iter().map(|(word, _)| word).collect();
        words.sort();
        words.dedup();
        assert_eq!(words.len(), WORDS.len());
    }

    #[test]
    fn other_words_are_not_known() {
        for word in [&b""[..], b"_", b"users", b"SELECTED", b"a_very_long_identifier_name"] {
            assert_eq!(classify(word), None);
        }
    }
}
