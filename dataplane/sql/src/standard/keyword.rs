//! The words that the filters know. spec: apm-obfuscation §2.1, "Keywords"

use super::token::Kind;
use crate::word::{folded, key};

/// What the word `input[start..end]` is, if it has characters of ASCII only.
///
/// Most words end at the first test: no keyword with this first letter has this length.
#[inline(always)]
pub(super) fn classify(input: &[u8], start: usize, end: usize) -> Kind {
    let first = input.get(start).copied().unwrap_or(0);
    let length = end - start;
    if length > KEYWORD_BYTES_MAX || LENGTHS[(first & 31) as usize] >> length & 1 == 0 {
        return Kind::Id;
    }
    let kind = by_key(folded(input, start, end));
    // Eight bytes tell the keywords apart, but one of them goes on.
    let last = input.get(end - 1).copied().unwrap_or(0);
    match kind {
        Kind::Savepoint if length != KEYWORD_BYTES_MAX || last | 0x20 != b't' => Kind::Id,
        _ => kind,
    }
}

/// The longest keyword, in bytes.
const KEYWORD_BYTES_MAX: usize = 9;

/// For each letter, the lengths of the keywords that start with it, as bits.
static LENGTHS: [u16; 32] = lengths();

const fn lengths() -> [u16; 32] {
    let mut table = [0; 32];
    let mut index = 0;
    while index < KEYWORDS.len() {
        let word = KEYWORDS[index].0;
        table[(word[0] & 31) as usize] |= 1 << word.len();
        index += 1;
    }
    table
}

fn by_key(word: u64) -> Kind {
    KEYS.iter().position(|&key| key == word).map_or(Kind::Id, |index| KEYWORDS[index].1)
}

static KEYS: [u64; KEYWORDS.len()] = keys();

const fn keys() -> [u64; KEYWORDS.len()] {
    let mut table = [0; KEYWORDS.len()];
    let mut index = 0;
    while index < KEYWORDS.len() {
        table[index] = key(KEYWORDS[index].0);
        index += 1;
    }
    table
}

/// Frequent ones first.
const KEYWORDS: &[(&[u8], Kind)] = &[
    (b"AS", Kind::As),
    (b"FROM", Kind::From),
    (b"SELECT", Kind::Select),
    (b"NULL", Kind::Null),
    (b"JOIN", Kind::Join),
    (b"INTO", Kind::Into),
    (b"LIMIT", Kind::Limit),
    (b"INSERT", Kind::Insert),
    (b"UPDATE", Kind::Update),
    (b"DELETE", Kind::Delete),
    (b"TRUE", Kind::Boolean),
    (b"FALSE", Kind::Boolean),
    (b"BEGIN", Kind::Begin),
    (b"COMMIT", Kind::Commit),
    (b"CREATE", Kind::Create),
    (b"ALTER", Kind::Alter),
    (b"DROP", Kind::Drop),
    (b"GRANT", Kind::Grant),
    (b"REVOKE", Kind::Revoke),
    (b"SAVEPOINT", Kind::Savepoint),
    (b"TRUNCATE", Kind::Truncate),
];

/// What a word is that has letters outside of ASCII. Two of these have a letter of ASCII as their
/// upper case, so that they can spell a keyword.
#[cold]
pub(super) fn classify_wide(word: &str) -> Kind {
    let mut folded = [0; KEYWORD_BYTES_MAX];
    let mut count = 0;
    for letter in word.chars() {
        let (Some(place), Some(byte)) = (folded.get_mut(count), upper(letter)) else {
            return Kind::Id;
        };
        *place = byte;
        count += 1;
    }
    classify(&folded, 0, count)
}

fn upper(letter: char) -> Option<u8> {
    match letter {
        'ı' => Some(b'I'),
        'ſ' => Some(b'S'),
        _ => u8::try_from(letter).ok().filter(u8::is_ascii),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(word: &[u8]) -> Kind {
        super::classify(word, 0, word.len())
    }

    #[test]
    fn every_keyword_is_known_in_any_case() {
        for &(word, kind) in KEYWORDS {
            assert_eq!(classify(word), kind);
            assert_eq!(classify(&word.to_ascii_lowercase()), kind);
            assert_eq!(classify(&[word, b"x"].concat()), Kind::Id);
            let spaced = [b"(", word, b" and more"].concat();
            assert_eq!(super::classify(&spaced, 1, 1 + word.len()), kind);
        }
        assert_eq!(KEYWORDS.iter().map(|(word, _)| word.len()).max(), Some(KEYWORD_BYTES_MAX));
    }

    #[test]
    fn nothing_else_passes_for_a_keyword() {
        for word in [&b"!S"[..], b"@s", b"A3", b"_S", b"SAVEPOIN", b"SAVEPOINS", b"SAVEPOINTS"] {
            assert_eq!(classify(word), Kind::Id, "{word:?}");
        }
    }

    #[test]
    fn wide_letters_spell_keywords_by_their_upper_case() {
        assert_eq!(classify_wide("ſelect"), Kind::Select);
        assert_eq!(classify_wide("ınto"), Kind::Into);
        assert_eq!(classify_wide("ſavepoınt"), Kind::Savepoint);
        assert_eq!(classify_wide("sélect"), Kind::Id);
        assert_eq!(classify_wide("ſelectſelectſelect"), Kind::Id);
    }
}
