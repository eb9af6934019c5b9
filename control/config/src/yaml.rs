//! YAML text to a tree that remembers lines. Hostile input is refused, never followed: size,
//! depth and the number of nodes (aliases expanded) are bounded.
//!
//! Only the event parser of `saphyr-parser` is used: it is pure safe Rust, keeps positions, and
//! leaves depth and alias expansion to us, where they can be limited.

mod emit;

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

pub(crate) use emit::{emit, emit_key, emit_scalar};

/// Largest file read.
pub(crate) const FILE_BYTES_MAX: usize = 2 << 20;
/// Deepest nesting.
const DEPTH_MAX: usize = 48;
/// Nodes in the tree, every anchor and every use of an alias counted in full.
const NODES_MAX: usize = 100_000;
/// Bytes of text in the tree, counted the same way.
const TEXT_BYTES_MAX: usize = 2 * FILE_BYTES_MAX;

/// A value with the place it stands at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Line, from 1.
    pub(crate) line: u32,
    /// Column, from 1.
    pub(crate) column: u32,
    pub(crate) kind: NodeKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NodeKind {
    Null,
    Scalar { text: String, is_plain: bool },
    Seq(Vec<Node>),
    Map(Vec<Pair>),
}

/// One line of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) value: Node,
}

/// Why a text is not taken as YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct YamlError {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// What is wrong with it.
    pub message: String,
}

impl Node {
    /// What a message calls this kind of value.
    pub(crate) fn noun(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "nothing",
            NodeKind::Scalar { .. } => "a text",
            NodeKind::Seq(_) => "a list",
            NodeKind::Map(_) => "a map",
        }
    }

    /// The same value without positions; plain scalars follow the YAML 1.2 core schema.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.kind {
            NodeKind::Null => Json::Null,
            NodeKind::Scalar { text, is_plain: true } => plain_to_json(text),
            NodeKind::Scalar { text, is_plain: false } => Json::from(text.as_str()),
            NodeKind::Seq(items) => items.iter().map(Self::to_json).collect(),
            NodeKind::Map(pairs) => Json::Object(
                pairs.iter().map(|pair| (pair.key.clone(), pair.value.to_json())).collect(),
            ),
        }
    }
}

fn plain_to_json(text: &str) -> serde_json::Value {
    match text {
        "true" | "True" | "TRUE" => return serde_json::Value::from(true),
        "false" | "False" | "FALSE" => return serde_json::Value::from(false),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return serde_json::Value::from(text);
    }
    if let Ok(number) = text.parse::<i64>() {
        return serde_json::Value::from(number);
    }
    crate::parse::float(text)
        .and_then(serde_json::Number::from_f64)
        .map_or_else(|| serde_json::Value::from(text), serde_json::Value::Number)
}

/// Reads the first document. An empty text is a null node.
pub(crate) fn parse(text: &str) -> Result<Node, YamlError> {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("larger than the {FILE_BYTES_MAX} bytes a configuration may have");
        return Err(YamlError { line: 1, column: 1, message });
    }
    let mut builder = Builder::default();
    // A byte order mark is not content.
    for event in Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        let (event, span) = event.map_err(|error| {
            let (line, column) = place(error.marker().line(), error.marker().col());
            YamlError { line, column, message: error.info().to_owned() }
        })?;
        if builder.take(event, &span)? {
            break;
        }
    }
    Ok(builder.root.unwrap_or(Node { line: 1, column: 1, kind: NodeKind::Null }))
}

/// A collection that is still open.
struct Open {
    anchor: usize,
    line: u32,
    column: u32,
    kind: OpenKind,
}

enum OpenKind {
    Seq(Vec<Node>),
    Map { pairs: Vec<Pair>, key: Option<(String, u32, u32)> },
}

/// Builds the tree from events on an explicit stack, so that depth costs no call stack.
#[derive(Default)]
struct Builder {
    stack: Vec<Open>,
    anchors: HashMap<usize, Node>,
    total: Weight,
    root: Option<Node>,
}

impl Builder {
    /// Handles one event; true when the first document is complete.
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<bool, YamlError> {
        let (line, column) = place(span.start.line(), span.start.col());
        let fail = |message: &str| YamlError { line, column, message: message.to_owned() };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text_tag = tag.is_some_and(|tag| tag.suffix == "str");
                let is_plain = style == ScalarStyle::Plain && !is_text_tag;
                let is_null = is_plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let kind = match is_null {
                    true => NodeKind::Null,
                    false => NodeKind::Scalar { text: text.into_owned(), is_plain },
                };
                self.close(Node { line, column, kind }, anchor)?;
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor);
                let node = node.ok_or_else(|| fail("the alias points at nothing before it"))?;
                self.total.add(&weigh(node), line, column)?;
                let node = Node { line, column, ..node.clone() };
                self.close(node, 0)?;
            }
            Event::SequenceStart(anchor, _) => {
                self.open(Open { anchor, line, column, kind: OpenKind::Seq(Vec::new()) })?;
            }
            Event::MappingStart(anchor, _) => {
                let kind = OpenKind::Map { pairs: Vec::new(), key: None };
                self.open(Open { anchor, line, column, kind })?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.stack.pop() else { return Err(fail("unexpected end")) };
                let kind = match open.kind {
                    OpenKind::Seq(items) => NodeKind::Seq(items),
                    OpenKind::Map { pairs, .. } => NodeKind::Map(merge(pairs)),
                };
                self.close(Node { line: open.line, column: open.column, kind }, open.anchor)?;
            }
            Event::DocumentEnd => return Ok(true),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {}
        }
        Ok(false)
    }

    fn open(&mut self, open: Open) -> Result<(), YamlError> {
        if self.stack.len() >= DEPTH_MAX {
            let message = format!("nested deeper than {DEPTH_MAX} levels");
            return Err(YamlError { line: open.line, column: open.column, message });
        }
        self.stack.push(open);
        Ok(())
    }

    /// Hands a finished node to the collection around it.
    fn close(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        let text_bytes = match &node.kind {
            NodeKind::Scalar { text, .. } => text.len(),
            NodeKind::Null | NodeKind::Seq(_) | NodeKind::Map(_) => 0,
        };
        self.total.add(&Weight { nodes: 1, text_bytes }, node.line, node.column)?;
        if anchor != 0 {
            self.total.add(&weigh(&node), node.line, node.column)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.kind {
            OpenKind::Seq(items) => items.push(node),
            OpenKind::Map { pairs, key } => match key.take() {
                Some((key, line, column)) => pairs.push(Pair { key, line, column, value: node }),
                None => match node.kind {
                    NodeKind::Scalar { text, .. } => *key = Some((text, node.line, node.column)),
                    NodeKind::Null => *key = Some((String::new(), node.line, node.column)),
                    NodeKind::Seq(_) | NodeKind::Map(_) => {
                        let message = "a key must be a text".to_owned();
                        return Err(YamlError { line: node.line, column: node.column, message });
                    }
                },
            },
        }
        Ok(())
    }
}

/// Fills in `<<: *anchor`: pairs written out win over merged ones.
fn merge(pairs: Vec<Pair>) -> Vec<Pair> {
    if !pairs.iter().any(|pair| pair.key == "<<") {
        return pairs;
    }
    let (merged, mut own): (Vec<Pair>, Vec<Pair>) =
        pairs.into_iter().partition(|pair| pair.key == "<<");
    let mut seen: HashSet<String> = own.iter().map(|pair| pair.key.clone()).collect();
    for pair in merged {
        let maps = match pair.value.kind {
            NodeKind::Map(pairs) => vec![pairs],
            NodeKind::Seq(items) => items
                .into_iter()
                .filter_map(|item| match item.kind {
                    NodeKind::Map(pairs) => Some(pairs),
                    NodeKind::Null | NodeKind::Scalar { .. } | NodeKind::Seq(_) => None,
                })
                .collect(),
            NodeKind::Null | NodeKind::Scalar { .. } => Vec::new(),
        };
        for other in maps.into_iter().flatten() {
            if seen.insert(other.key.clone()) {
                own.push(other);
            }
        }
    }
    own
}

/// What a tree costs in memory.
#[derive(Default)]
struct Weight {
    nodes: usize,
    text_bytes: usize,
}

impl Weight {
    /// Adds a cost before it is incurred, and refuses it if that is too much.
    fn add(&mut self, more: &Self, line: u32, column: u32) -> Result<(), YamlError> {
        self.nodes += more.nodes;
        self.text_bytes += more.text_bytes;
        if self.nodes <= NODES_MAX && self.text_bytes <= TEXT_BYTES_MAX {
            return Ok(());
        }
        let message = format!(
            "more than {NODES_MAX} values or {TEXT_BYTES_MAX} bytes of text (aliases counted in full)"
        );
        Err(YamlError { line, column, message })
    }
}

fn weigh(node: &Node) -> Weight {
    let mut weight = Weight { nodes: 1, text_bytes: 0 };
    let mut add = |child: &Node, key_bytes: usize| {
        let child = weigh(child);
        weight.nodes += child.nodes;
        weight.text_bytes += child.text_bytes + key_bytes;
    };
    match &node.kind {
        NodeKind::Null => {}
        NodeKind::Scalar { text, .. } => weight.text_bytes = text.len(),
        NodeKind::Seq(items) => items.iter().for_each(|item| add(item, 0)),
        NodeKind::Map(pairs) => pairs.iter().for_each(|pair| add(&pair.value, pair.key.len())),
    }
    weight
}

/// Positions from 1, in the width messages use.
fn place(line: usize, column: usize) -> (u32, u32) {
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column + 1).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
