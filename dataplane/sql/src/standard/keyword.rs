//! The words that the filters know. spec: apm-obfuscation §2.1, "Keywords"

use super::token::Kind;

/// What a word is, if it starts with a letter of ASCII.
///
/// The length and the first letter leave at most two candidates; most words end at the first test.
#[inline(always)]
pub(super) fn classify(word: &[u8]) -> Kind {
    let Some(&first) = word.first() else { return Kind::Id };
    let lengths = LENGTHS[(first & 31) as usize];
    if word.len() > 9 || lengths >> word.len() & 1 == 0 {
        return Kind::Id;
    }
    among_candidates(word, first | 32)
}

/// The longest keyword, in bytes.
const KEYWORD_BYTES_MAX: usize = 9;

/// For each letter, the lengths of the keywords that start with it, as bits.
static LENGTHS: [u16; 32] = lengths();

const KEYWORDS: &[(&[u8], Kind)] = &[
    (b"ALTER", Kind::Alter),
    (b"AS", Kind::As),
    (b"BEGIN", Kind::Begin),
    (b"COMMIT", Kind::Commit),
    (b"CREATE", Kind::Create),
    (b"DELETE", Kind::Delete),
    (b"DROP", Kind::Drop),
    (b"FALSE", Kind::Boolean),
    (b"FROM", Kind::From),
    (b"GRANT", Kind::Grant),
    (b"INSERT", Kind::Insert),
    (b"INTO", Kind::Into),
    (b"JOIN", Kind::Join),
    (b"NULL", Kind::Null),
    (b"REVOKE", Kind::Revoke),
    (b"SAVEPOINT", Kind::Savepoint),
    (b"SELECT", Kind::Select),
    (b"TRUE", Kind::Boolean),
    (b"TRUNCATE", Kind::Truncate),
    (b"UPDATE", Kind::Update),
];

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

fn among_candidates(word: &[u8], first: u8) -> Kind {
    let is = |keyword: &[u8]| word.eq_ignore_ascii_case(keyword);
    match first {
        b'a' if is(b"AS") => Kind::As,
        b'a' if is(b"ALTER") => Kind::Alter,
        b'b' if is(b"BEGIN") => Kind::Begin,
        b'c' if is(b"CREATE") => Kind::Create,
        b'c' if is(b"COMMIT") => Kind::Commit,
        b'd' if is(b"DELETE") => Kind::Delete,
        b'd' if is(b"DROP") => Kind::Drop,
        b'f' if is(b"FROM") => Kind::From,
        b'f' if is(b"FALSE") => Kind::Boolean,
        b'g' if is(b"GRANT") => Kind::Grant,
        b'i' if is(b"INSERT") => Kind::Insert,
        b'i' if is(b"INTO") => Kind::Into,
        b'j' if is(b"JOIN") => Kind::Join,
        b'n' if is(b"NULL") => Kind::Null,
        b'r' if is(b"REVOKE") => Kind::Revoke,
        b's' if is(b"SELECT") => Kind::Select,
        b's' if is(b"SAVEPOINT") => Kind::Savepoint,
        b't' if is(b"TRUE") => Kind::Boolean,
        b't' if is(b"TRUNCATE") => Kind::Truncate,
        b'u' if is(b"UPDATE") => Kind::Update,
        _ => Kind::Id,
    }
}

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
    classify(folded.get(..count).unwrap_or_default())
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

    #[test]
    fn every_keyword_is_known_in_any_case() {
        for &(word, kind) in KEYWORDS {
            assert_eq!(classify(word), kind);
            assert_eq!(classify(&word.to_ascii_lowercase()), kind);
            let longer = [word, b"x"].concat();
            assert_eq!(classify(&longer), Kind::Id);
        }
        assert_eq!(KEYWORDS.iter().map(|(word, _)| word.len()).max(), Some(KEYWORD_BYTES_MAX));
    }

    #[test]
    fn signs_do_not_pass_for_letters() {
        // Same low bits as `AS` and `AS` in other blocks of the table.
        for word in [&b"!S"[..], b"@s", b"A3", b"_S", b"", b"SAVEPOINTS1234567"] {
            assert_eq!(classify(word), Kind::Id, "{word:?}");
        }
    }

    #[test]
    fn wide_letters_spell_keywords_by_their_upper_case() {
        assert_eq!(classify_wide("ſelect"), Kind::Select);
        assert_eq!(classify_wide("ınto"), Kind::Into);
        assert_eq!(classify_wide("sélect"), Kind::Id);
        assert_eq!(classify_wide("ſelectſelectſelect"), Kind::Id);
    }
}
