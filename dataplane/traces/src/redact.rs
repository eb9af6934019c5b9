//! Takes out of spans what must not leave the host. spec: apm-obfuscation §1.

mod bodies;
mod cards;

use obfuscate::{Change, http_url, memcached, redis};
use span::{Batch, Key, Str};

use crate::access::{self, str_of};
use crate::settings::{Commands, Obfuscation};
use bodies::Bodies;
use cards::Cards;

/// Stands for a statement that cannot be read.
const NON_PARSABLE: &str = "Non-parsable SQL query";

/// Metas that may hold a statement.
const STATEMENTS: [Key; 3] = [Key::SqlQuery, Key::DbStatement, Key::DbQueryText];

/// Stands for a value that is not read.
const UNREAD: &str = "?";
/// Bytes of one span that obfuscators read in one go: one text of the greatest length, or several
/// that have it together. Values beyond are replaced as a whole.
const SPAN_BYTES_MAX: usize = span::decode::TEXT_BYTES_MAX;

/// The obfuscators of one lane.
#[derive(Debug)]
pub(crate) struct Redactor {
    cards: Option<Cards>,
    sql: sql::Obfuscator,
    bodies: Bodies,
    redis: Commands,
    valkey: Commands,
    http: http_url::UrlOptions,
    is_memcached_enabled: bool,
    is_memcached_command_kept: bool,
    out: String,
    /// Bytes of the span in work that were read.
    read_bytes: usize,
}

impl Redactor {
    pub(crate) fn new(settings: &Obfuscation) -> Self {
        Self {
            cards: settings.cards.clone().map(Cards::new),
            sql: sql::Obfuscator::new(settings.sql.clone()),
            bodies: Bodies::new(settings),
            redis: settings.redis,
            valkey: settings.valkey,
            http: settings.http,
            is_memcached_enabled: settings.is_memcached_enabled,
            is_memcached_command_kept: settings.is_memcached_command_kept,
            out: String::new(),
            read_bytes: 0,
        }
    }

    /// Remembers statements in this many bytes.
    pub(crate) fn keep_statements(&mut self, options: &sql::Options, cache_bytes: usize) {
        self.sql = sql::Obfuscator::with_cache(options.clone(), cache_bytes);
    }

    /// Obfuscates one span by its attributes and its type. Returns how many bytes were read.
    pub(crate) fn span(&mut self, batch: &mut Batch, at: usize) -> usize {
        self.read_bytes = 0;
        self.obfuscate(batch, at);
        self.read_bytes
    }

    fn obfuscate(&mut self, batch: &mut Batch, at: usize) {
        if let Some(cards) = &mut self.cards {
            cards.span(batch, at);
        }
        let Some(span) = batch.spans.get(at) else { return };
        match batch.strings.bytes(span.span_type) {
            b"sql" | b"cassandra" => self.statement(batch, at),
            b"redis" => self.commands(batch, at, Key::RedisRawCommand, self.redis),
            b"valkey" => self.commands(batch, at, Key::ValkeyRawCommand, self.valkey),
            b"memcached" if self.is_memcached_enabled => {
                let is_kept = self.is_memcached_command_kept;
                self.value(batch, at, Key::MemcachedCommand, |value, out| {
                    memcached::obfuscate(value, is_kept, out)
                });
            }
            b"web" | b"http" => {
                let options = self.http;
                self.value(batch, at, Key::HttpUrl, |url, out| {
                    http_url::obfuscate(url, options, out)
                });
            }
            b"mongodb" | b"elasticsearch" | b"opensearch" => {
                let is_mongodb = batch.strings.bytes(span.span_type) == b"mongodb";
                let mut rewrite = Rewrite { out: &mut self.out, read_bytes: &mut self.read_bytes };
                if is_mongodb {
                    self.bodies.mongodb(batch, at, &mut self.sql, &mut rewrite);
                } else {
                    self.bodies.search(batch, at, &mut self.sql, &mut rewrite);
                }
            }
            _ => {}
        }
    }

    /// Resource and metas of a database span. What equals the resource is obfuscated once.
    fn statement(&mut self, batch: &mut Batch, at: usize) {
        let Some(&span) = batch.spans.get(at) else { return };
        let raw = span.resource;
        let dbms = str_of(batch, &span, Key::DbType).unwrap_or_default();
        let mut tables = Str::EMPTY;
        let mut resource = raw;
        if !raw.is_empty() {
            self.read_bytes += batch.strings.len_of(raw);
            match self.sql.obfuscate(batch.strings.text(raw), batch.strings.text(dbms)) {
                Ok(done) => {
                    let is_same = done.text == batch.strings.text(raw);
                    resource = if is_same { raw } else { batch.strings.add(done.text) };
                    tables = batch.strings.add(done.metadata.tables.as_csv());
                }
                Err(_) => resource = batch.strings.add(NON_PARSABLE),
            }
        }
        if let Some(span) = batch.spans.get_mut(at) {
            span.resource = resource;
        }
        for key in STATEMENTS {
            if key == Key::SqlQuery && str_of(batch, &span, key).is_some_and(Str::is_empty) {
                access::remove_text(batch, at, key);
            }
            // All of them, since an earlier one of the same key leaves the host, too.
            crate::normalise::edit(batch, at, key, |text, strings| {
                if text.is_empty() {
                    return;
                }
                if strings.bytes(*text) == strings.bytes(raw) {
                    *text = resource;
                    return;
                }
                self.read_bytes += strings.len_of(*text);
                if self.read_bytes > SPAN_BYTES_MAX {
                    *text = strings.add(NON_PARSABLE);
                    return;
                }
                let done = self.sql.obfuscate(strings.text(*text), strings.text(dbms));
                *text = match done {
                    Ok(done) if done.text == strings.text(*text) => *text,
                    Ok(done) => strings.add(done.text),
                    Err(_) => strings.add(NON_PARSABLE),
                };
            });
        }
        if !tables.is_empty() {
            access::set(batch, at, Key::SqlTables, span::Value::Text(tables));
        }
    }

    /// Resource and raw command of a store.
    fn commands(&mut self, batch: &mut Batch, at: usize, key: Key, commands: Commands) {
        let Batch { spans, strings, .. } = batch;
        if let Some(span) = spans.get_mut(at) {
            self.out.clear();
            self.read_bytes += strings.len_of(span.resource);
            if redis::quantize(strings.text(span.resource), &mut self.out).is_written() {
                span.resource = strings.add(&self.out);
            }
        }
        match commands {
            Commands::Kept => {}
            Commands::Obfuscated => self.value(batch, at, key, redis::obfuscate),
            Commands::WithoutArguments => self.value(batch, at, key, redis::remove_all_arguments),
        }
    }

    fn value(
        &mut self,
        batch: &mut Batch,
        at: usize,
        key: Key,
        obfuscate: impl FnMut(&str, &mut String) -> Change,
    ) {
        let mut rewrite = Rewrite { out: &mut self.out, read_bytes: &mut self.read_bytes };
        rewrite.all(batch, at, key, obfuscate);
    }
}

/// Obfuscates values in place.
#[derive(Debug)]
pub(super) struct Rewrite<'a> {
    out: &'a mut String,
    read_bytes: &'a mut usize,
}

impl Rewrite<'_> {
    /// Obfuscates every text that a span has under a key and that is not empty.
    fn all(
        &mut self,
        batch: &mut Batch,
        at: usize,
        key: Key,
        mut obfuscate: impl FnMut(&str, &mut String) -> Change,
    ) {
        crate::normalise::edit(batch, at, key, |text, strings| {
            if text.is_empty() {
                return;
            }
            *self.read_bytes += strings.len_of(*text);
            self.out.clear();
            if *self.read_bytes > SPAN_BYTES_MAX {
                *text = strings.add(UNREAD);
            } else if obfuscate(strings.text(*text), self.out).is_written() {
                *text = strings.add(self.out);
            }
        });
    }
}
