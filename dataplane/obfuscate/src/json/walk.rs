//! One pass over a body, from token to token.

use super::keys::Keys;
use super::literal::{Literal, measure};
use super::unescape::unescape;
use super::{FAILED_SQL, JsonBody, REPLACEMENT, SqlObfuscation};

/// What encloses a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Object,
    Array,
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Value,
    /// A value, or the end of an array.
    FirstValue,
    Key,
    /// A key, or the end of an object.
    FirstKey,
    Colon,
    /// A comma or the end of the container; outside of all containers another document.
    Separator,
}

/// A walk through a body. Every step reads one token, and is `None` when that is broken.
pub(super) struct Walk<'a> {
    body: &'a str,
    at: usize,
    next: Next,
    open: &'a mut Vec<Container>,
    kept: &'a Keys,
    sql_keys: &'a Keys,
    /// Depth of the object whose value under a kept key is being read.
    kept_depth: Option<usize>,
    /// Whether the key that was read last is one of a statement.
    is_statement: bool,
    sql: SqlObfuscation<'a>,
    statement: &'a mut String,
    out: &'a mut String,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        settings: &'a mut JsonBody,
        body: &'a str,
        sql: SqlObfuscation<'a>,
        out: &'a mut String,
    ) -> Self {
        settings.open.clear();
        Self {
            body,
            at: 0,
            next: Next::Value,
            open: &mut settings.open,
            kept: &settings.kept,
            sql_keys: &settings.sql,
            kept_depth: None,
            is_statement: false,
            sql,
            statement: &mut settings.statement,
            out,
        }
    }

    /// Walks to the end. `None` when the body is broken or ends too early.
    pub(super) fn run(mut self) -> Option<()> {
        while let Some(&byte) = self.body.as_bytes().get(self.at) {
            if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                if self.is_between_documents() {
                    self.out.push(char::from(byte));
                }
                self.at += 1;
                continue;
            }
            if self.is_between_documents() {
                self.next = Next::Value;
            }
            self.step(byte)?;
        }
        self.is_between_documents().then_some(())
    }

    fn is_between_documents(&self) -> bool {
        self.open.is_empty() && self.next == Next::Separator
    }

    fn step(&mut self, byte: u8) -> Option<()> {
        match (self.next, byte) {
            (Next::Value | Next::FirstValue, b'{') => self.open(Container::Object, Next::FirstKey),
            (Next::Value | Next::FirstValue, b'[') => self.open(Container::Array, Next::FirstValue),
            (Next::FirstValue, b']') | (Next::FirstKey, b'}') => self.close(),
            (Next::Value | Next::FirstValue, _) => return self.read_scalar(),
            (Next::Key | Next::FirstKey, b'"') => return self.read_key(),
            (Next::Colon, b':') => self.next = Next::Value,
            (Next::Separator, _) => return self.separate(byte),
            (Next::Key | Next::FirstKey | Next::Colon, _) => return None,
        }
        self.write_mark(byte);
        Some(())
    }

    fn open(&mut self, container: Container, next: Next) {
        self.open.push(container);
        self.next = next;
        self.is_statement = false;
    }

    fn close(&mut self) {
        self.end_kept_value();
        self.open.pop();
        self.next = Next::Separator;
    }

    fn separate(&mut self, byte: u8) -> Option<()> {
        match (self.open.last()?, byte) {
            (Container::Object, b'}') | (Container::Array, b']') => self.close(),
            (container, b',') => {
                self.next = match container {
                    Container::Object => Next::Key,
                    Container::Array => Next::Value,
                };
                self.end_kept_value();
            }
            _ => return None,
        }
        self.write_mark(byte);
        Some(())
    }

    /// A kept value ends with the next comma or brace of the object that holds its key.
    fn end_kept_value(&mut self) {
        if self.kept_depth == Some(self.open.len()) {
            self.kept_depth = None;
        }
    }

    fn read_key(&mut self) -> Option<()> {
        let (text, is_whole) = self.read_literal()?;
        self.out.push_str(text);
        if !is_whole {
            return None;
        }
        let key = text.get(1..text.len() - 1)?;
        if self.kept_depth.is_none() {
            if self.kept.contains(key) {
                self.kept_depth = Some(self.open.len());
            } else {
                self.is_statement = self.sql_keys.contains(key);
            }
        }
        self.next = Next::Colon;
        Some(())
    }

    fn read_scalar(&mut self) -> Option<()> {
        let (text, is_whole) = self.read_literal()?;
        if self.kept_depth.is_some() {
            self.out.push_str(text);
        } else if !self.is_statement {
            self.out.push_str(REPLACEMENT);
        } else if is_whole {
            self.write_statement(text);
        }
        self.is_statement = false;
        self.next = Next::Separator;
        is_whole.then_some(())
    }

    /// Takes the literal that begins here, and whether it is whole.
    fn read_literal(&mut self) -> Option<(&'a str, bool)> {
        let rest = self.body.get(self.at..)?;
        let (len, is_whole) = match measure(rest.as_bytes())? {
            Literal::Whole(len) => (len, true),
            Literal::Broken(len) => (len, false),
        };
        self.at += len;
        Some((rest.get(..len)?, is_whole))
    }

    fn write_statement(&mut self, text: &str) {
        let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        self.statement.clear();
        match inside {
            Some(inside) => unescape(inside, self.statement),
            None => self.statement.push_str(text),
        }
        self.out.push('"');
        let start = self.out.len();
        if !(self.sql)(self.statement, self.out) {
            self.out.truncate(start);
            self.out.push_str(FAILED_SQL);
        }
        self.out.push('"');
    }

    /// Writes a mark of punctuation.
    fn write_mark(&mut self, byte: u8) {
        self.out.push(char::from(byte));
        self.at += 1;
    }
}
