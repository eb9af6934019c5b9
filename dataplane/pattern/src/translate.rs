//! From the syntax of RE2 to that of the engine.
//!
//! The engine knows the same constructs but reads some of them otherwise, so that a pattern is
//! rewritten first: `\d`, `\w`, `\s` and `\b` mean ASCII; `\Q...\E` and octal escapes exist; a
//! brace that is no repetition stands for itself; a class knows neither classes within it nor
//! `&&`, `--`, `~~`; `\<` is a plain character.
//! spec: logs §13, "Regex dialect".

use std::iter::Peekable;
use std::str::Chars;

/// Rewrites RE2 syntax into that of the engine.
#[must_use]
pub fn translate(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 16);
    let mut rest = source.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => escape(&mut rest, &mut out, false),
            '[' => class(&mut rest, &mut out),
            '{' if is_repetition(&rest) => {
                out.push('{');
                copy_through('}', &mut rest, &mut out);
            }
            '{' | '}' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}

/// What follows a backslash.
fn escape(rest: &mut Peekable<Chars<'_>>, out: &mut String, is_in_class: bool) {
    let Some(c) = rest.next() else {
        out.push('\\');
        return;
    };
    match c {
        'd' => out.push_str("[0-9]"),
        'D' => out.push_str("[^0-9]"),
        'w' => out.push_str("[0-9A-Za-z_]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        's' => out.push_str(r"[\t\n\f\r ]"),
        'S' => out.push_str(r"[^\t\n\f\r ]"),
        'b' if !is_in_class => out.push_str(r"(?-u:\b)"),
        'B' if !is_in_class => out.push_str(r"(?-u:\B)"),
        '<' | '>' => out.push(c),
        'Q' => literal(rest, out),
        'p' | 'P' | 'x' => {
            out.extend(['\\', c]);
            if rest.next_if_eq(&'{').is_some() {
                out.push('{');
                copy_through('}', rest, out);
            }
        }
        '0'..='7' => octal(c, rest, out),
        _ => out.extend(['\\', c]),
    }
}

/// Up to three octal digits; a single one that is not 0 would be a reference back, which neither
/// engine has, and is left for the compiler to refuse.
fn octal(first: char, rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    let mut value = first.to_digit(8).unwrap_or_default();
    let mut count = 1;
    while count < 3
        && let Some(digit) = rest.peek().and_then(|c| c.to_digit(8))
    {
        rest.next();
        value = value * 8 + digit;
        count += 1;
    }
    if count == 1 && value != 0 {
        out.extend(['\\', first]);
    } else {
        out.push_str(&format!(r"\x{{{value:X}}}"));
    }
}

/// `\Q...\E`, or to the end of the pattern.
fn literal(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    while let Some(c) = rest.next() {
        if c == '\\' && rest.next_if_eq(&'E').is_some() {
            return;
        }
        push_literal(c, out);
    }
}

fn push_literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
        out.push('\\');
    }
    out.push(c);
}

/// What follows an opening bracket, up to and with the closing one.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if rest.next_if_eq(&']').is_some() {
        out.push_str(r"\]");
    }
    let mut is_first = true;
    while let Some(c) = rest.next() {
        match c {
            ']' => {
                out.push(']');
                return;
            }
            '\\' => escape(rest, out, true),
            '[' if is_posix(rest) => {
                out.push('[');
                copy_through(']', rest, out);
            }
            '[' | '&' | '~' => out.extend(['\\', c]),
            // Two of them are a range from or to one.
            '-' if rest.next_if_eq(&'-').is_some() => {
                out.push_str(if is_first { r"\--" } else { r"-\-" });
            }
            _ => out.push(c),
        }
        is_first = false;
    }
}

/// Whether `:alpha:]` or the like follows.
fn is_posix(rest: &Peekable<Chars<'_>>) -> bool {
    let mut rest = rest.clone();
    if rest.next() != Some(':') {
        return false;
    }
    let end = rest.find(|c| !c.is_ascii_lowercase() && *c != '^');
    end == Some(':') && rest.next() == Some(']')
}

/// Whether `n}`, `n,}` or `n,m}` follows.
fn is_repetition(rest: &Peekable<Chars<'_>>) -> bool {
    let mut rest = rest.clone();
    let mut has_digit = false;
    loop {
        match rest.next() {
            Some('0'..='9') => has_digit = true,
            Some(',') if has_digit => {
                return rest.find(|c| !c.is_ascii_digit()) == Some('}');
            }
            Some('}') => return has_digit,
            _ => return false,
        }
    }
}

fn copy_through(end: char, rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    for c in rest.by_ref() {
        out.push(c);
        if c == end {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex::Regex;

    fn matches(pattern: &str, text: &str) -> bool {
        Regex::new(&translate(pattern)).unwrap().is_match(text)
    }

    #[test]
    fn perl_classes_are_ascii() {
        assert!(matches(r"^\d\w\s$", "5a "));
        assert!(!matches(r"\d", "\u{0665}"), "an Arabic digit");
        assert!(!matches(r"\w", "\u{e9}"));
        assert!(matches(r"^[^\D\d]?[\w.]+$", "a.b"));
        assert!(matches(r"\bsecret\b", "\u{e9}secret"), "a letter outside ASCII ends no word");
        assert!(matches(r"a\B", "ab"));
    }

    #[test]
    fn braces_and_brackets_stand_for_themselves() {
        assert!(matches("{user}", "/{user}"));
        assert!(matches("^a{2}b{1,}c{0,1}$", "aab"));
        assert!(matches("a{,2}", "a{,2}"));
        assert!(matches("^[[a]+$", "[a"));
        assert!(matches("^[[:alpha:]]+$", "ab"));
        assert!(matches("^[]a]+$", "]a"));
        assert!(matches("^[^]a]$", "b"));
        assert!(matches("^[a&&b]+$", "a&b"));
        assert!(matches("^[+--]+$", ",-"));
        assert!(matches("^[--/]+$", "./"));
    }

    #[test]
    fn escapes_of_the_other_engine_are_read() {
        assert!(matches(r"^\Qa.b[\E$", "a.b["));
        assert!(matches(r"^\Q<&é", "<&é"));
        assert!(matches(r"^\<\>\/\_$", "<>/_"));
        assert!(matches(r"^\101\x42\x{43}\012$", "ABC\n"));
        assert!(matches(r"^\pL\p{Greek}$", "aα"));
        assert!(matches(r"\{\}", "{}"));
    }

    #[test]
    fn what_neither_engine_has_is_refused() {
        for wrong in ["(", "a)", r"\1", "[b-a]", r"\", "*", "(?=a)", "(?<!a)"] {
            assert!(Regex::new(&translate(wrong)).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn plain_text_matches_itself(text in "[a-z0-9 {}/:<>&~-]{0,20}") {
            // A digit between braces would be a repetition.
            prop_assume!(!text.contains('{') || !text.contains('}'));
            prop_assert!(matches(&text, &text));
        }

        #[test]
        fn nothing_panics(source in r"[\[\]\\{}()^$.*+?a-dQEpx0-9:&~,-]{0,24}") {
            drop(Regex::new(&translate(&source)));
        }
    }
}
