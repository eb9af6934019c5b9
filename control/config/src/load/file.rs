//! The file layer: finds the file and sorts its lines by key.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Gathered, LoadError, shown_name};
use crate::diagnostic::{Diagnostic, Severity};
use crate::entry::Entry;
use crate::known;
use crate::source::{FileSource, Source};
use crate::value::Raw;
use crate::yaml::{self, FILE_BYTES_MAX, NodeKind, Pair, YamlError};
use crate::{keys, unicode};

/// Reads the file, if there is one, and returns its path.
pub(super) fn gather(
    file: &FileSource,
    gathered: &mut Gathered,
) -> Result<Option<PathBuf>, LoadError> {
    let (path, bytes) = match file {
        FileSource::None => return Ok(None),
        FileSource::Text { name, bytes } => (PathBuf::from(name), bytes.clone()),
        FileSource::Default(path) => match read(&in_directory(path)) {
            Ok(found) => found,
            Err(LoadError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(error),
        },
        FileSource::Explicit(path) => read(&in_directory(path))?,
    };
    let bad = |source| LoadError::Yaml { path: path.clone(), source };
    let at_start = |message: &str| YamlError { line: 1, column: 1, message: message.to_owned() };
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let message = "the file is not UTF-8 text; save it as UTF-8".to_owned();
        bad(YamlError { line: u32::try_from(line).unwrap_or(u32::MAX), column: 1, message })
    })?;
    let root = yaml::parse(text).map_err(bad)?;
    match root.kind {
        NodeKind::Null => {}
        NodeKind::Map(pairs) => {
            let mut walk = Walk { path: Arc::from(path.as_path()), gathered, lines: Vec::new() };
            walk.section("", pairs);
            walk.finish();
        }
        NodeKind::Scalar { .. } | NodeKind::Seq(_) => {
            return Err(bad(at_start("the file must hold `key: value` lines")));
        }
    }
    Ok(Some(path))
}

fn in_directory(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("datadog.yaml") } else { path.to_owned() }
}

fn read(path: &Path) -> Result<(PathBuf, Vec<u8>), LoadError> {
    let failed = |source: std::io::Error| {
        let path = path.to_owned();
        if source.kind() == std::io::ErrorKind::NotFound {
            return LoadError::Missing { path };
        }
        LoadError::Unreadable { path, source }
    };
    let mut bytes = Vec::new();
    // One byte more than allowed, so that the parser sees that it is too much.
    let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path)
        .map_err(failed)?
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok((path.to_owned(), bytes))
}

struct Walk<'load> {
    path: Arc<Path>,
    gathered: &'load mut Gathered,
    lines: Vec<Line>,
}

/// A line for a key of ours.
struct Line {
    entry: &'static Entry,
    /// Whether the key stands there by its main name.
    is_main: bool,
    source: Source,
    raw: Raw,
}

impl Walk<'_> {
    /// Sorts the lines of one section. The tree is bounded in depth, and so is this recursion.
    fn section(&mut self, prefix: &str, pairs: Vec<Pair>) {
        let mut seen = HashSet::new();
        for pair in pairs {
            let path = match prefix {
                "" => pair.key.to_ascii_lowercase(),
                _ => format!("{prefix}.{}", pair.key.to_ascii_lowercase()),
            };
            let source =
                Source::File { path: self.path.clone(), line: pair.line, column: pair.column };
            if !seen.insert(path.clone()) {
                self.warn(&path, "the key stands here again; this line wins", None, &source);
            }
            self.line(&path, pair, &source);
        }
    }

    fn line(&mut self, path: &str, pair: Pair, source: &Source) {
        let entry = keys::find(path);
        let is_section = entry.is_none() && self.gathered.known().has_section(path);
        match (entry, pair.value.kind) {
            // A key without a value says nothing.
            (Some(_), NodeKind::Null) => {}
            (Some(entry), kind) => {
                let raw = Raw::Yaml(yaml::Node { kind, ..pair.value });
                let is_main = path == entry.name;
                self.lines.push(Line { entry, is_main, source: source.clone(), raw });
            }
            (None, NodeKind::Map(pairs)) if is_section => self.section(path, pairs),
            (None, NodeKind::Null) if is_section => {}
            (None, _) if self.gathered.known().has_key(path) => self.unused(path, source),
            (None, _) if is_section => {
                let message = "this is a section: its keys belong below it, indented";
                self.warn(path, message, None, source);
            }
            (None, _) => self.unknown(path, source),
        }
    }

    /// Hands over the lines; the main name of a key wins over its other names, wherever it stands.
    fn finish(mut self) {
        self.lines.sort_by_key(|line| line.is_main);
        for line in self.lines {
            self.gathered.add(line.entry, line.source, line.raw);
        }
    }

    fn unused(&mut self, path: &str, source: &Source) {
        let message = "this key of the Agent is not used by corelane";
        let hint = known::replacement(path).map(str::to_owned);
        let note = Diagnostic::new(Severity::Note, path, message).at(source).hint(hint);
        self.gathered.report(note);
    }

    fn unknown(&mut self, path: &str, source: &Source) {
        let hint = self.gathered.hint(|known| known.key_hint(path));
        let message = match unicode::find(path) {
            Some(odd) => format!(
                "unknown key: it holds the invisible or look-alike character U+{:04X} at byte {}",
                u32::from(odd.code_point),
                odd.position
            ),
            None => "unknown key".to_owned(),
        };
        self.warn(path, &message, hint, source);
    }

    fn warn(&mut self, path: &str, message: &str, hint: Option<String>, source: &Source) {
        let path = shown_name(path);
        let warning = Diagnostic::new(Severity::Warning, &path, message).at(source).hint(hint);
        self.gathered.report(warning);
    }
}
