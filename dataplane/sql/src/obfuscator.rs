//! The public face: one obfuscator per lane.

use crate::cache::Cache;
use crate::metadata::Metadata;
use crate::{Dbms, Mode, Options, SqlError, lexer, standard};

/// Obfuscates statements with one set of options.
///
/// It is owned by one lane: it keeps buffers, the cache, and what it learned of the meaning of
/// backslashes.
#[derive(Debug)]
pub struct Obfuscator {
    options: Options,
    cache: Option<Cache>,
    standard: standard::Buffers,
    lexer: lexer::Buffers,
    /// Whether a backslash in a string is a plain character; kept from statement to statement.
    /// spec: apm-obfuscation §2.5
    has_literal_escapes: bool,
    /// Whether every token of [`Mode::Default`] goes the long way.
    is_careful: bool,
}

/// An obfuscated statement, in buffers of the obfuscator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Obfuscated<'a> {
    /// The statement without its literals.
    pub text: &'a str,
    /// What the statement touches, as far as [`Options::collect`] asks for it.
    pub metadata: Metadata<'a>,
}

impl Obfuscator {
    /// An obfuscator without a cache.
    pub fn new(options: Options) -> Self {
        Self::with_cache(options, 0)
    }

    /// An obfuscator with a cache of `cache_bytes`: the lane's share of what the process may use,
    /// which the Agent sets to 5,000,000. Less than 640 bytes is no cache.
    ///
    /// The cache has no effect on results, except that a statement that is found does not tell
    /// again what backslashes mean. spec: apm-obfuscation §1, "Defaults"
    pub fn with_cache(options: Options, cache_bytes: usize) -> Self {
        Self {
            options,
            cache: Cache::new(cache_bytes),
            standard: standard::Buffers::default(),
            lexer: lexer::Buffers::default(),
            has_literal_escapes: false,
            is_careful: false,
        }
    }

    /// The same obfuscator without the short way for plain tokens.
    pub(crate) fn careful(self) -> Self {
        Self { is_careful: true, ..self }
    }

    /// Obfuscates one statement.
    ///
    /// `dbms` is the span's `db.type`. [`Mode::Default`] does not look at it, but at
    /// [`Options::dbms`]; the other modes accept any statement.
    ///
    /// # Errors
    /// In [`Mode::Default`], the statement does not split into tokens, or none is left to show.
    pub fn obfuscate(&mut self, query: &str, dbms: &str) -> Result<Obfuscated<'_>, SqlError> {
        let dbms = match self.options.mode {
            Mode::Default => self.options.dbms,
            Mode::ObfuscateOnly | Mode::ObfuscateAndNormalize | Mode::NormalizeOnly => {
                Dbms::from_name(dbms)
            }
        };
        if let Some(cache) = &mut self.cache
            && let Some(place) = cache.find(query, dbms)
        {
            return Ok(self.cache.as_ref().map(|cache| cache.view(place)).unwrap_or_default());
        }
        self.fill_buffers(query, dbms)?;
        let (text, collected) = match self.options.mode {
            Mode::Default => (self.standard.output.as_text(), &self.standard.collected),
            Mode::ObfuscateOnly | Mode::ObfuscateAndNormalize | Mode::NormalizeOnly => {
                (self.lexer.output.as_text().trim(), &self.lexer.scratch.collected)
            }
        };
        let done = Obfuscated { text, metadata: collected.view() };
        if let Some(cache) = &mut self.cache {
            cache.insert(query, dbms, &done);
        }
        Ok(done)
    }

    fn fill_buffers(&mut self, text: &str, dbms: Dbms) -> Result<(), SqlError> {
        let statement = lexer::Statement { text, dbms, options: &self.options };
        match self.options.mode {
            Mode::Default => return self.fill_standard(text),
            Mode::ObfuscateOnly => lexer::obfuscate(statement, &mut self.lexer.output),
            Mode::ObfuscateAndNormalize => lexer::normalize(statement, true, &mut self.lexer),
            Mode::NormalizeOnly => lexer::normalize(statement, false, &mut self.lexer),
        }
        Ok(())
    }

    /// Runs the default tokenizer, a second time with the other meaning of backslashes if that may
    /// help. spec: apm-obfuscation §2.5
    fn fill_standard(&mut self, text: &str) -> Result<(), SqlError> {
        let has_literal_escapes = self.has_literal_escapes;
        let statement = standard::Statement {
            text,
            options: &self.options,
            has_literal_escapes,
            is_careful: self.is_careful,
        };
        let Err(failure) = standard::obfuscate(statement, &mut self.standard) else {
            return Ok(());
        };
        if !failure.has_seen_escape {
            return Err(failure.error);
        }
        let other = standard::Statement { has_literal_escapes: !has_literal_escapes, ..statement };
        standard::obfuscate(other, &mut self.standard).map_err(|_| failure.error)?;
        self.has_literal_escapes = !has_literal_escapes;
        Ok(())
    }
}

#[cfg(test)]
#[path = "obfuscator/tests.rs"]
mod tests;
