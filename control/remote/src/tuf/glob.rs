//! Patterns of delegated paths: `*`, `?` and `[...]`, none of which matches a slash.
//! spec: remote-config §5.6

/// Whether a pattern matches all of a path. A malformed pattern matches nothing.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let path: Vec<char> = path.chars().collect();
    // Slashes match slashes alone, so that segments are matched one by one, each in linear time
    // with one place to go back to.
    let (mut patterns, mut segments) = (pattern.split(is_slash), path.split(is_slash));
    loop {
        match (patterns.next(), segments.next()) {
            (None, None) => return true,
            (Some(pattern), Some(segment)) if segment_matches(pattern, segment) => {}
            _ => return false,
        }
    }
}

fn is_slash(c: &char) -> bool {
    *c == '/'
}

fn segment_matches(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut read) = (0, 0);
    // Where the last star was, and how much it has taken.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(at) {
            None if read == text.len() => return true,
            None => None,
            Some('*') => {
                star = Some((at + 1, read));
                at += 1;
                continue;
            }
            Some(_) => text.get(read).and_then(|&c| one_matches(pattern.get(at..)?, c)),
        };
        match (step, star) {
            (Some(length), _) => {
                at += length;
                read += 1;
            }
            (None, Some((after, taken))) if taken < text.len() => {
                star = Some((after, taken + 1));
                (at, read) = (after, taken + 1);
            }
            (None, _) => return false,
        }
    }
}

/// Length of the pattern's first element if it matches the character.
fn one_matches(pattern: &[char], c: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '[' => class_matches(pattern, c),
        '\\' => (*pattern.get(1)? == c).then_some(2),
        literal => (*literal == c).then_some(1),
    }
}

fn class_matches(pattern: &[char], c: char) -> Option<usize> {
    let is_negated = pattern.get(1) == Some(&'^');
    let mut at = 1 + usize::from(is_negated);
    let mut is_in = false;
    let mut is_first = true;
    let literal = |at: &mut usize| -> Option<char> {
        if pattern.get(*at) == Some(&'\\') {
            *at += 1;
        }
        let found = *pattern.get(*at)?;
        *at += 1;
        Some(found)
    };
    while is_first || pattern.get(at) != Some(&']') {
        is_first = false;
        let low = literal(&mut at)?;
        let mut high = low;
        if pattern.get(at) == Some(&'-') {
            at += 1;
            high = literal(&mut at)?;
        }
        is_in |= (low..=high).contains(&c);
    }
    (is_in != is_negated).then_some(at + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::matches;

    #[test]
    fn wildcards_stay_within_a_segment() {
        let pattern = "datadog/*/APM_SAMPLING/*/*";
        assert!(matches(pattern, "datadog/2/APM_SAMPLING/dynamic_rates/config"));
        assert!(!matches(pattern, "datadog/2/APM_SAMPLING/config"));
        assert!(!matches(pattern, "datadog/2/APM_SAMPLING/a/b/c"));
        assert!(!matches("*", "a/b"));
        assert!(matches("a*b*c", "aXbYbZc") && !matches("a*b*c", "aXbYbZ"));
        assert!(matches("", "") && !matches("", "a") && matches("*", ""));
    }

    #[test]
    fn classes_and_escapes() {
        assert!(matches("a[0-9x]c", "a5c") && matches("a[0-9x]c", "axc"));
        assert!(!matches("a[0-9]c", "abc") && matches("a[^0-9]c", "abc"));
        assert!(matches("a?c", "abc") && !matches("a?c", "ac"));
        assert!(matches(r"a\*c", "a*c") && !matches(r"a\*c", "abc"));
        assert!(!matches("a[", "a[") && !matches("a[b", "ab"), "malformed");
    }

    proptest! {
        #[test]
        fn any_pattern_and_path(pattern in "[a-c*?/\\[\\]^\\\\-]{0,20}", path in "[a-c/]{0,20}") {
            matches(&pattern, &path);
        }

        #[test]
        fn a_path_matches_itself(path in "[a-z0-9/_.]{0,40}") {
            prop_assert!(matches(&path, &path));
        }
    }
}
