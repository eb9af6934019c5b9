//! Versions and constraints on them, in the grammar of Masterminds/semver v1.
//! spec: remote-config §6.3
//!
//! The crate `semver` reads another grammar: no `||`, no partial versions, no leading `v`, and
//! `1.0` means `^1.0` there but `1.0.x` here.

use std::cmp::Ordering;

/// A version or constraint that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no version, or no constraint on one")]
pub(crate) struct BadVersion(String);

/// A version; missing parts count as 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    numbers: [u64; 3],
    /// How many parts were written.
    parts: usize,
    pre: String,
}

/// Alternatives of conditions that all have to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Constraint(Vec<Vec<Condition>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    operator: Operator,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    AtLeast,
    AtMost,
    Tilde,
    Caret,
}

/// Longest text that is looked at.
const TEXT_BYTES_MAX: usize = 512;

impl Version {
    /// Reads a version such as `v1`, `1.2`, `1.2.3-rc.1+build`.
    pub(crate) fn parse(text: &str) -> Result<Self, BadVersion> {
        let bad = || BadVersion(text.chars().take(80).collect());
        let version = Self::parse_part(text.trim()).ok_or_else(bad)?;
        // A wildcard is part of a constraint, and of no version.
        let is_whole = version.parts == 3 || !text.contains(['x', 'X', '*']);
        if is_whole { Ok(version) } else { Err(bad()) }
    }

    fn parse_part(text: &str) -> Option<Self> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = text.split_once('+').map_or((text, None), |(a, b)| (a, Some(b)));
        let (core, pre) = text.split_once('-').map_or((text, None), |(a, b)| (a, Some(b)));
        if ![build, pre].into_iter().flatten().all(is_label) {
            return None;
        }
        let mut numbers = [0; 3];
        let mut parts = 0;
        let mut is_wild = false;
        for (at, part) in core.split('.').enumerate() {
            if matches!(part, "x" | "X" | "*") {
                is_wild = true;
                continue;
            }
            // Nothing but wildcards after a wildcard, and three parts at most.
            let slot = numbers.get_mut(at).filter(|_| !is_wild)?;
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            *slot = is_number.then(|| part.parse().ok()).flatten()?;
            parts += 1;
        }
        Some(Self { numbers, parts, pre: pre.unwrap_or_default().to_owned() })
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| compare_pre(&self.pre, &other.pre))
    }
}

/// Identifiers separated by dots: letters, digits, hyphens.
fn is_label(text: &str) -> bool {
    text.split('.').all(|part| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// A version before its release is less than the release; identifiers compare one by one, numbers
/// below words.
fn compare_pre(one: &str, other: &str) -> Ordering {
    match (one.is_empty(), other.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut ones, mut others) = (one.split('.'), other.split('.'));
    loop {
        let order = match (ones.next(), others.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(one), Some(other)) => match (one.parse::<u64>(), other.parse::<u64>()) {
                (Ok(one), Ok(other)) => one.cmp(&other),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => one.cmp(other),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

impl Constraint {
    /// Reads a constraint such as `>=1.2, <2 || ~3.1`.
    pub(crate) fn parse(text: &str) -> Result<Self, BadVersion> {
        let bad = || BadVersion(text.chars().take(80).collect());
        if text.len() > TEXT_BYTES_MAX {
            return Err(bad());
        }
        let alternatives = text.split("||").map(alternative).collect::<Option<_>>();
        Ok(Self(alternatives.ok_or_else(bad)?))
    }

    /// Whether a version satisfies it.
    pub(crate) fn holds(&self, version: &Version) -> bool {
        self.0.iter().any(|all| all.iter().all(|condition| condition.holds(version)))
    }
}

/// Conditions separated by commas or blanks; `a - b` is a range.
fn alternative(text: &str) -> Option<Vec<Condition>> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
        // An operator may stand apart from its version.
        match words.last_mut() {
            Some(last) if is_operator(last) => *last = format!("{last}{word}"),
            _ => words.push(word.to_owned()),
        }
    }
    let mut conditions = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if let (Some("-"), Some(to)) = (words.get(at + 1).map(String::as_str), words.get(at + 2)) {
            conditions.push(Condition::new(Operator::AtLeast, word)?);
            conditions.push(Condition::new(Operator::AtMost, to)?);
            at += 3;
            continue;
        }
        let version = word.trim_start_matches(['=', '!', '<', '>', '~', '^']);
        let operator = operator(word.strip_suffix(version)?)?;
        conditions.push(Condition::new(operator, version)?);
        at += 1;
    }
    (!conditions.is_empty()).then_some(conditions)
}

fn is_operator(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| b"=!<>~^".contains(&byte))
}

fn operator(text: &str) -> Option<Operator> {
    Some(match text {
        "" | "=" => Operator::Equal,
        "!=" => Operator::NotEqual,
        ">" => Operator::Greater,
        "<" => Operator::Less,
        ">=" | "=>" => Operator::AtLeast,
        "<=" | "=<" => Operator::AtMost,
        "~" | "~>" => Operator::Tilde,
        "^" => Operator::Caret,
        _ => return None,
    })
}

impl Condition {
    fn new(operator: Operator, version: &str) -> Option<Self> {
        Some(Self { operator, version: Version::parse_part(version)? })
    }

    fn holds(&self, version: &Version) -> bool {
        let wanted = &self.version;
        // A version before its release is meant only by constraints that name one.
        if !version.pre.is_empty() && wanted.pre.is_empty() && self.operator != Operator::NotEqual {
            return false;
        }
        let order = version.compare(wanted);
        let same = |parts: usize| {
            version.numbers.iter().zip(&wanted.numbers).take(parts).all(|(a, b)| a == b)
        };
        let is_partial = wanted.parts < 3;
        match self.operator {
            Operator::Equal if is_partial => same(wanted.parts),
            Operator::Equal => order == Ordering::Equal,
            Operator::NotEqual if is_partial => !same(wanted.parts),
            Operator::NotEqual => order != Ordering::Equal,
            Operator::Greater if is_partial => order == Ordering::Greater && !same(wanted.parts),
            Operator::Greater => order == Ordering::Greater,
            Operator::Less => order == Ordering::Less,
            Operator::AtLeast => order != Ordering::Less,
            Operator::AtMost if is_partial => order != Ordering::Greater || same(wanted.parts),
            Operator::AtMost => order != Ordering::Greater,
            Operator::Tilde => order != Ordering::Less && same(wanted.parts.min(2)),
            // The first part that is not 0 may not change.
            Operator::Caret => {
                let first = wanted.numbers.iter().position(|number| *number > 0);
                let fixed = first.map_or(wanted.parts, |first| first + 1);
                order != Ordering::Less && same(fixed.min(wanted.parts))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holds(constraint: &str, version: &str) -> bool {
        Constraint::parse(constraint).unwrap().holds(&Version::parse(version).unwrap())
    }

    #[test]
    fn operators() {
        for (constraint, version, expected) in [
            (">=1.0", "1.0", true),
            ("3.0", "1.0", false),
            ("3.0", "3.0.5", true),
            ("=1.2.3", "1.2.3", true),
            ("!=1.2.3", "1.2.3", false),
            (">1.2", "1.2.9", false),
            (">1.2", "1.3", true),
            ("<2", "1.9.9", true),
            ("<=1.2", "1.2.9", true),
            ("<=1.2.3", "1.2.4", false),
            ("~1.2.3", "1.2.9", true),
            ("~1.2.3", "1.3.0", false),
            ("~1", "1.9", true),
            ("~>1.2", "1.2.7", true),
            ("^1.2", "1.9", true),
            ("^1.2", "2.0", false),
            ("^0.2.3", "0.2.9", true),
            ("^0.2.3", "0.3.0", false),
            ("1.x", "1.7", true),
            ("1.2.*", "1.3.0", false),
            ("*", "7.1.2", true),
            ("1.2 - 1.4", "1.3.5", true),
            ("1.2 - 1.4", "1.5.0", false),
            (">= 1.0, < 2", "1.5", true),
            (">=1.0 <2", "2.0", false),
            ("<1 || >=2", "2.1", true),
            ("<1 || >=2", "1.1", false),
            (">=1.0.0", "v2.10.0", true),
            (">=1.0.0", "2.0.0-rc.1", false),
            (">=1.0.0-0", "2.0.0-rc.1", true),
            (">=2.0.0-rc.2", "2.0.0-rc.1", false),
            (">=1.0.0", "2.0.0+build.7", true),
        ] {
            assert_eq!(holds(constraint, version), expected, "{version} in {constraint}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in ["", "1.x.3", "?", "1.2.3.4", "-1", ">>1", "1 || ", "= ", "1..2"] {
            assert!(Constraint::parse(bad).is_err(), "{bad}");
        }
        for bad in ["", "x", "1.x", "12-beta_", "1.2.3-", "99999999999999999999"] {
            assert!(Version::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text(constraint in "[0-9vx*.,|<>=~^! +a-c-]{0,30}", version in "[0-9v.a-c+-]{0,20}") {
            if let (Ok(constraint), Ok(version)) =
                (Constraint::parse(&constraint), Version::parse(&version))
            {
                constraint.holds(&version);
            }
        }

        #[test]
        fn a_version_equals_itself(a in 0_u64..50, b in 0_u64..50, c in 0_u64..50) {
            let text = format!("{a}.{b}.{c}");
            let (caret, least, above) =
                (format!("^{text}"), format!(">={text}"), format!(">{text}"));
            prop_assert!(holds(&text, &text) && holds(&caret, &text));
            prop_assert!(holds(&least, &text) && !holds(&above, &text));
        }
    }
}
