//! What is put in place of a match: text with `$1`, `${name}` and `$$`.

use regex::{CaptureLocations, Regex};

/// A replacement, resolved against the groups of its pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Group(usize),
}

impl Template {
    /// Reads a replacement. `$name` takes the longest run of letters, digits and underscores; a
    /// group that the pattern lacks stands for nothing; a `$` without a name stands for itself.
    #[must_use]
    pub fn new(source: &str, regex: &Regex) -> Self {
        let mut template = Self { parts: Vec::new() };
        let mut rest = source;
        while let Some((before, after)) = rest.split_once('$') {
            template.push_text(before);
            if let Some(after) = after.strip_prefix('$') {
                template.push_text("$");
                rest = after;
            } else if let Some((name, after)) = name(after) {
                template.parts.extend(group(name, regex).map(Part::Group));
                rest = after;
            } else {
                template.push_text("$");
                rest = after;
            }
        }
        template.push_text(rest);
        template
    }

    /// Whether it refers to groups.
    #[must_use]
    pub fn has_groups(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Group(_)))
    }

    /// Writes it for one match of `text`. The groups are those of the match, if it refers to any.
    pub fn expand(&self, text: &str, groups: &CaptureLocations, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(group) => {
                    let range = groups.get(*group);
                    out.push_str(range.and_then(|(a, b)| text.get(a..b)).unwrap_or_default());
                }
            }
        }
    }

    /// Writes its text; for one without groups.
    pub fn write(&self, out: &mut String) {
        for part in &self.parts {
            if let Part::Text(text) = part {
                out.push_str(text);
            }
        }
    }

    fn push_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if let Some(Part::Text(last)) = self.parts.last_mut() {
            last.push_str(text);
        } else {
            self.parts.push(Part::Text(text.to_owned()));
        }
    }
}

/// The name after a `$`, and what follows it.
fn name(source: &str) -> Option<(&str, &str)> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let (name, rest) = if let Some(braced) = source.strip_prefix('{') {
        braced.split_once('}')?
    } else {
        source.split_at(source.find(|c| !is_name(c)).unwrap_or(source.len()))
    };
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, rest))
}

fn group(name: &str, regex: &Regex) -> Option<usize> {
    let is_number = name.bytes().all(|b| b.is_ascii_digit());
    if is_number && (name.len() == 1 || !name.starts_with('0')) {
        return name.parse().ok().filter(|&group| group < regex.captures_len());
    }
    regex.capture_names().position(|held| held == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(pattern: &str, template: &str, text: &str) -> String {
        let regex = Regex::new(pattern).unwrap();
        let template = Template::new(template, &regex);
        let mut groups = regex.capture_locations();
        regex.captures_read(&mut groups, text).unwrap();
        let mut out = String::new();
        template.expand(text, &groups, &mut out);
        out
    }

    #[test]
    fn groups_by_number_and_by_name() {
        assert_eq!(expand("(?P<key>a+)(b)", "<$key|$2|${1}x|$0>", "aab"), "<aa|b|aax|aab>");
    }

    #[test]
    fn the_longest_name_counts_and_unknown_ones_are_nothing() {
        assert_eq!(expand("(a)", "[$1x|${9}|$name|$01]", "a"), "[|||]");
    }

    #[test]
    fn dollars_that_name_nothing_stay() {
        assert_eq!(expand("a", "$$1 $ ${ ${a b} $", "a"), "$1 $ ${ ${a b} $");
        assert_eq!(expand("(a)(b)?", "$2.", "a"), ".", "a group that took no part");
    }

    #[test]
    fn a_template_knows_whether_it_needs_groups() {
        let regex = Regex::new("(a)").unwrap();
        assert!(Template::new("x$1", &regex).has_groups());
        let plain = Template::new("x$2$$", &regex);
        assert!(!plain.has_groups());
        let mut out = String::from("a");
        plain.write(&mut out);
        assert_eq!(out, "ax$");
    }
}
