//! Unicode classes of characters.

use unicode_general_category::{GeneralCategory, get_general_category};

/// What a character is to a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A letter of any script, lower-cased where its case has a partner of the same length; or `:`.
    Letter(char),
    /// A decimal digit of any script, or one of `.`, `/`, `-`; no tag begins with it.
    Inner,
    /// Anything else.
    Illegal,
}

/// Classifies a character.
pub(super) fn classify(character: char) -> Class {
    match character {
        'a'..='z' | ':' => Class::Letter(character),
        'A'..='Z' => Class::Letter(character.to_ascii_lowercase()),
        '-'..='9' => Class::Inner,
        '\0'..='\x7f' => Class::Illegal,
        _ => classify_unicode(character),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other categories are illegal")]
fn classify_unicode(character: char) -> Class {
    match get_general_category(character) {
        GeneralCategory::UppercaseLetter => Class::Letter(lower_case(character)),
        GeneralCategory::LowercaseLetter
        | GeneralCategory::TitlecaseLetter
        | GeneralCategory::ModifierLetter
        | GeneralCategory::OtherLetter => Class::Letter(character),
        GeneralCategory::DecimalNumber => Class::Inner,
        _ => Class::Illegal,
    }
}

/// The simple mapping, unless it takes more or fewer bytes. Only U+0130 has a full mapping that
/// differs from the simple one, and its simple mapping is shorter.
fn lower_case(character: char) -> char {
    let mut lower = character.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(lower), None) if lower.len_utf8() == character.len_utf8() => lower,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The premise of `lower_case`.
    #[test]
    fn only_dotted_i_has_a_long_lower_case() {
        let long: Vec<char> = ('\0'..='\u{2ffff}')
            .filter(|character| character.to_lowercase().count() != 1)
            .collect();
        assert_eq!(long, ['\u{130}']);
    }

    /// The crate of categories and the standard library describe (nearly) the same Unicode version.
    #[test]
    fn categories_agree_with_the_standard_library() {
        let cased = ('\0'..='\u{2ffff}').filter(|&c| {
            get_general_category(c) == GeneralCategory::UppercaseLetter && !c.is_uppercase()
        });
        assert_eq!(cased.count(), 0);
        let alphabetic = ('\0'..='\u{2ffff}')
            .filter(|&c| matches!(classify(c), Class::Letter(_)) && c != ':' && !c.is_alphabetic());
        assert_eq!(alphabetic.count(), 0);
    }
}
