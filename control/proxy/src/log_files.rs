//! Log files that somebody reads already, so that a tracer need not send them.
//! spec: proxies §3.2, log-file conflict.

use http::HeaderMap;

/// Header with the paths.
const HEADER: &str = "log_files";
/// Between two paths of one value. No HTTP/1.1 server takes a header with it, so that clients of
/// several paths send several headers.
const SEPARATOR: char = '\u{1f}';

/// The paths of a request, made clean, that are among `tailed`, paths or patterns.
pub(crate) fn in_use(headers: &HeaderMap, tailed: &[String]) -> Vec<String> {
    let values = headers.get_all(HEADER).iter();
    let texts = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let paths = texts.flat_map(|text| text.split(SEPARATOR).map(clean).collect::<Vec<_>>());
    let is_tailed = |path: &String| {
        path != "." && tailed.iter().any(|known| matches(path, known) || matches(known, path))
    };
    paths.filter(is_tailed).collect()
}

/// The shortest path of the same meaning, by its text alone; `.` for nothing.
pub(crate) fn clean(path: &str) -> String {
    let path = path.trim();
    let root = if path.starts_with('/') { "/" } else { "" };
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            // There is nothing above the root.
            ".." if !root.is_empty() => {}
            name => names.push(name),
        }
    }
    match format!("{root}{}", names.join("/")) {
        clean if clean.is_empty() => ".".to_owned(),
        clean => clean,
    }
}

/// Whether a pattern stands for a path: `*` for any characters of a name, `?` for one, `[a-z]` for
/// one of these and `[^a-z]` for one of all others; `\` takes a special meaning away.
///
/// Only the last `*` is ever tried again, since what follows an earlier one has found the first
/// place that fits: the time is at most the product of the lengths.
fn matches(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern, path);
    let mut again: Option<(&str, &str)> = None;
    loop {
        if let Some(rest) = pattern.strip_prefix('*') {
            again = Some((rest, path));
            pattern = rest;
            continue;
        }
        let step = match (one(pattern), path.chars().next()) {
            (None, None) if pattern.is_empty() => return true,
            (Some((fits, rest)), Some(next)) if fits(next) => Some((rest, next)),
            _ => None,
        };
        if let Some((rest, next)) = step {
            pattern = rest;
            path = path.get(next.len_utf8()..).unwrap_or_default();
            continue;
        }
        // One character more for the star.
        let Some((rest, from)) = again else { return false };
        let Some(skipped) = from.chars().next().filter(|skipped| *skipped != '/') else {
            return false;
        };
        path = from.get(skipped.len_utf8()..).unwrap_or_default();
        pattern = rest;
        again = Some((rest, path));
    }
}

type Fits<'p> = Box<dyn Fn(char) -> bool + 'p>;

/// What a pattern wants of the next character, and its rest; none at its end, and for what is no
/// pattern.
fn one(pattern: &str) -> Option<(Fits<'_>, &str)> {
    let first = pattern.chars().next()?;
    let rest = pattern.get(first.len_utf8()..)?;
    Some(match first {
        '?' => (Box::new(|next| next != '/'), rest),
        '[' => {
            let (is_other, inside) = match rest.strip_prefix('^') {
                Some(inside) => (true, inside),
                None => (false, rest),
            };
            let (ranges, rest) = ranges(inside)?;
            let fits = move |next| {
                next != '/' && ranges.iter().any(|range| range.contains(&next)) != is_other
            };
            (Box::new(fits), rest)
        }
        '\\' => {
            let literal = rest.chars().next()?;
            (Box::new(move |next| next == literal), rest.get(literal.len_utf8()..)?)
        }
        literal => (Box::new(move |next| next == literal), rest),
    })
}

/// The ranges of a class, and what follows it.
fn ranges(text: &str) -> Option<(Vec<std::ops::RangeInclusive<char>>, &str)> {
    let mut chars = text.chars();
    let mut ranges = Vec::new();
    let character = |chars: &mut std::str::Chars<'_>| match chars.next()? {
        '\\' => chars.next(),
        other => Some(other),
    };
    loop {
        if !ranges.is_empty() && chars.as_str().starts_with(']') {
            chars.next();
            return Some((ranges, chars.as_str()));
        }
        let low = character(&mut chars)?;
        let high = match chars.as_str().strip_prefix('-') {
            Some(_) => {
                chars.next();
                character(&mut chars)?
            }
            None => low,
        };
        ranges.push(low..=high);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_made_clean() {
        for (path, cleaned) in [
            ("", "."),
            (" ", "."),
            ("./", "."),
            ("/", "/"),
            ("/var//log/./a.log ", "/var/log/a.log"),
            ("/var/log/../a/", "/var/a"),
            ("/../a", "/a"),
            ("../../a/..", "../.."),
            ("a/../..", ".."),
        ] {
            assert_eq!(clean(path), cleaned, "{path:?}");
        }
    }

    #[test]
    fn patterns() {
        for (pattern, path, fits) in [
            ("/a.log", "/a.log", true),
            ("/a.log", "/a.log.1", false),
            ("/*.log", "/a.log", true),
            ("/*.log", "/b/a.log", false),
            ("/*/*.log", "/b/a.log", true),
            ("/*b*c", "/abxbc", true),
            ("/?.log", "/a.log", true),
            ("/?.log", "/é.log", true),
            ("/?a", "//a", false),
            ("/[a-c]x", "/bx", true),
            ("/[^a-c]x", "/bx", false),
            ("/[]a]x", "/]x", true),
            ("/[a", "/a", false),
            (r"/\*", "/*", true),
            (r"/\*", "/a", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn files_in_use_are_named_in_order() {
        let mut headers = HeaderMap::new();
        for value in [" /var/log//b.log ", "/var/log/c*", ".", "/other"] {
            headers.append(HEADER, HeaderValue::from_static(value));
        }
        let tailed = ["/var/log/c.log", "/var/log/[ab].log", "."].map(str::to_owned);
        assert_eq!(in_use(&headers, &tailed), ["/var/log/b.log", "/var/log/c*"]);
        assert!(in_use(&headers, &[]).is_empty());
        assert!(in_use(&HeaderMap::new(), &tailed).is_empty());
    }

    /// The same by trying every length of every star.
    fn slow(pattern: &str, path: &str) -> bool {
        if let Some(rest) = pattern.strip_prefix('*') {
            let longest = path.find('/').unwrap_or(path.len());
            return (0..=longest).any(|at| path.get(at..).is_some_and(|path| slow(rest, path)));
        }
        match (one(pattern), path.chars().next()) {
            (None, None) => pattern.is_empty(),
            (Some((fits, rest)), Some(next)) => {
                fits(next) && slow(rest, path.get(next.len_utf8()..).unwrap_or_default())
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_pattern_is_what_a_slow_look_says(pattern in "[ab/*?]{0,8}", path in "[ab/]{0,10}") {
            prop_assert_eq!(matches(&pattern, &path), slow(&pattern, &path));
        }

        #[test]
        fn any_text_is_taken(pattern in any::<String>(), path in any::<String>()) {
            let _fits = matches(&pattern, &path);
            prop_assert_eq!(clean(&clean(&path)), clean(&path));
        }
    }
}
