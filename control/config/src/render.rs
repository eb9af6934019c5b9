//! Findings for a terminal, with the line they are about.

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource};
use miette::{Report as Miette, Severity as MietteSeverity};

use crate::diagnostic::{Diagnostic, Severity};
use crate::scrub;
use crate::source::Source;

/// A finding as several lines without colour. With the text of the file, a finding that has a
/// place there shows its line, scrubbed; other lines are never shown, they may hold secrets.
#[must_use]
pub fn render(found: &Diagnostic, file_text: Option<&str>) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
    render_with(found, file_text, &handler)
}

/// As [`render`], in the colours of the terminal.
#[must_use]
pub fn render_in_colour(found: &Diagnostic, file_text: Option<&str>) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode());
    render_with(found, file_text, &handler)
}

fn render_with(
    found: &Diagnostic,
    file_text: Option<&str>,
    handler: &GraphicalReportHandler,
) -> String {
    let snippet = file_text.and_then(|text| Snippet::new(found, text));
    let mut diagnostic = MietteDiagnostic::new(match (&snippet, found.key.is_empty()) {
        (Some(_), true) => found.message.clone(),
        (Some(_), false) => format!("{}: {}", found.key, found.message),
        (None, _) => Diagnostic { hint: None, ..found.clone() }.without_severity(),
    });
    diagnostic.severity = Some(match found.severity {
        Severity::Note => MietteSeverity::Advice,
        Severity::Warning => MietteSeverity::Warning,
        Severity::Error => MietteSeverity::Error,
    });
    diagnostic.help = found.hint.clone();
    let report = match snippet {
        Some(snippet) => {
            let label = LabeledSpan::new(None, snippet.start, snippet.length);
            let report = Miette::new(diagnostic.with_labels([label]));
            report.with_source_code(NamedSource::new(snippet.name, snippet.text))
        }
        None => Miette::new(diagnostic),
    };
    let mut out = String::new();
    let handler = handler.clone().with_context_lines(0).with_width(100);
    match handler.render_report(&mut out, report.as_ref()) {
        Ok(()) => out,
        // A plain line beats none.
        Err(_) => found.to_string(),
    }
}

/// The one line a finding is about, at its own line number.
struct Snippet {
    name: String,
    text: String,
    start: usize,
    length: usize,
}

impl Snippet {
    fn new(found: &Diagnostic, file_text: &str) -> Option<Self> {
        let Some(Source::File { path, line, column }) = &found.source else { return None };
        let before = usize::try_from(*line).ok()?.checked_sub(1)?;
        let raw = file_text.lines().nth(before)?;
        let is_secret = crate::keys::find(&found.key).is_some_and(crate::Entry::is_secret);
        let shown = match is_secret {
            true => format!("{}: {}", found.key, scrub::HIDDEN),
            false => scrub::log_line(raw).into_owned(),
        };
        // Scrubbing can move columns; the whole line is marked then.
        let column = usize::try_from(*column).ok()?.saturating_sub(1);
        let start = match shown == raw {
            true => shown.char_indices().nth(column).map_or(0, |(at, _)| at),
            false => 0,
        };
        Some(Self {
            name: path.display().to_string(),
            length: shown.trim_end().len().saturating_sub(start).max(1),
            // Empty lines in front keep the line number without showing the neighbours.
            start: before + start,
            text: format!("{}{shown}\n", "\n".repeat(before)),
        })
    }
}

impl Diagnostic {
    fn without_severity(&self) -> String {
        let line = self.to_string();
        line.split_once(": ").map_or_else(|| line.clone(), |(_, rest)| rest.to_owned())
    }
}

#[cfg(test)]
mod tests;
