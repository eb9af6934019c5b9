//! Documents: one title each, and a changelog in the shape of Keep a Changelog.

use super::{Finding, Tree, numbered};

const CHANGELOG: &str = "CHANGELOG.md";
const KINDS_OF_CHANGE: &[&str] =
    &["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| path.ends_with(".md")) {
        let title_count = headings(text).filter(|(_, level, _)| *level == 1).count();
        if title_count != 1 {
            let message = format!("{title_count} titles: a document has one");
            findings.push(Finding::new(path, 0, message));
        }
    }
    match tree.text(CHANGELOG) {
        Some(text) => findings.extend(changelog_findings(text)),
        None => findings.push(Finding::new(CHANGELOG, 0, "there is none")),
    }
    findings
}

fn changelog_findings(text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut first_release = None;
    for (number, level, heading) in headings(text) {
        let is_known = match level {
            1 => heading == "Changelog",
            2 => heading == "[Unreleased]" || is_release(heading),
            _ => KINDS_OF_CHANGE.contains(&heading),
        };
        if !is_known {
            let message = format!("unknown heading `{heading}`");
            findings.push(Finding::new(CHANGELOG, number, message));
        }
        if level == 2 {
            first_release = first_release.or(Some(heading));
        }
    }
    if first_release != Some("[Unreleased]") {
        findings.push(Finding::new(CHANGELOG, 0, "`## [Unreleased]` comes first"));
    }
    findings
}

/// `[1.2.3] - 2026-01-31`
fn is_release(heading: &str) -> bool {
    let Some((version, date)) = heading.split_once(" - ") else { return false };
    let version = version.strip_prefix('[').and_then(|version| version.strip_suffix(']'));
    let is_number = |part: &str, digits: usize| {
        !part.is_empty() && part.len() <= digits && part.bytes().all(|b| b.is_ascii_digit())
    };
    let date: Vec<&str> = date.split('-').collect();
    version.is_some_and(|v| v.split('.').count() == 3 && v.split('.').all(|n| is_number(n, 9)))
        && matches!(date.as_slice(), [y, m, d] if y.len() == 4 && m.len() == 2 && d.len() == 2)
        && date.iter().all(|part| is_number(part, 4))
}

/// Line number, level and text of the headings outside of code.
fn headings(text: &str) -> impl Iterator<Item = (usize, usize, &str)> {
    let mut is_code = false;
    numbered(text).filter_map(move |(number, line)| {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        let heading = line.trim_start_matches('#');
        let level = line.len() - heading.len();
        let heading = heading.strip_prefix(' ')?;
        (level > 0 && !is_code).then_some((number, level, heading.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use super::*;

    const GOOD: &str =
        "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- x\n\n## [0.1.0] - 2026-01-31\n";

    #[test]
    fn a_well_formed_changelog_passes() {
        assert!(shown(findings, &[(CHANGELOG, GOOD)]).is_empty());
    }

    #[test]
    fn headings_of_the_changelog_are_checked() {
        let text = GOOD.replace("### Added", "### Improved").replace("2026-01-31", "today");
        assert_eq!(
            shown(findings, &[(CHANGELOG, &text)]),
            [
                "CHANGELOG.md:5: unknown heading `Improved`",
                "CHANGELOG.md:9: unknown heading `[0.1.0] - today`",
            ]
        );
        assert_eq!(
            shown(findings, &[(CHANGELOG, "# Changelog\n## [0.1.0] - 2026-01-31\n")]).len(),
            1
        );
        assert_eq!(shown(findings, &[]), ["CHANGELOG.md: there is none"]);
    }

    #[test]
    fn a_document_has_one_title() {
        let files = |text| [(CHANGELOG, GOOD), ("docs/a.md", text)];
        assert!(shown(findings, &files("# A\n```sh\n# not a title\n```\n## B\n")).is_empty());
        assert_eq!(
            shown(findings, &files("# A\n# B\n")),
            ["docs/a.md: 2 titles: a document has one"]
        );
    }
}
