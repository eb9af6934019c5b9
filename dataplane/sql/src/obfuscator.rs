//! The public face: one obfuscator per lane.

use crate::metadata::Metadata;
use crate::standard::{self, Buffers, Statement};
use crate::{Dbms, Mode, Options, SqlError, lexer};

/// Obfuscates statements with one set of options.
#[derive(Debug)]
pub struct Obfuscator {
    options: Options,
    standard: Buffers,
    lexer: lexer::Buffers,
    /// Whether a backslash in a string is a plain character; kept from statement to statement.
    /// spec: apm-obfuscation §2.5
    has_literal_escapes: bool,
}

/// An obfuscated statement, in buffers of the obfuscator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obfuscated<'a> {
    /// The statement without its literals.
    pub text: &'a str,
    /// What the statement touches.
    pub metadata: Metadata<'a>,
}

impl Obfuscator {
    /// An obfuscator.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            standard: Buffers::default(),
            lexer: lexer::Buffers::default(),
            has_literal_escapes: false,
        }
    }

    /// Obfuscates one statement.
    ///
    /// # Errors
    /// The statement does not split into tokens, or has none to show.
    pub fn obfuscate(&mut self, query: &str, dbms: &str) -> Result<Obfuscated<'_>, SqlError> {
        let options = &self.options;
        let statement = lexer::Statement { text: query, dbms: Dbms::from_name(dbms), options };
        match self.options.mode {
            Mode::Default => {
                self.standard(query)?;
                return Ok(Obfuscated {
                    text: std::str::from_utf8(self.standard.output.bytes()).unwrap_or_default(),
                    metadata: self.standard.collected.view(),
                });
            }
            Mode::ObfuscateOnly => lexer::obfuscate(statement, &mut self.lexer.output),
            Mode::ObfuscateAndNormalize => lexer::normalize(statement, true, &mut self.lexer),
            Mode::NormalizeOnly => lexer::normalize(statement, false, &mut self.lexer),
        }
        Ok(Obfuscated {
            text: std::str::from_utf8(self.lexer.output.bytes()).unwrap_or_default(),
            metadata: self.lexer.scratch.collected.view(),
        })
    }

    /// Runs the default tokenizer, a second time with the other meaning of backslashes if that may
    /// help. spec: apm-obfuscation §2.5
    fn standard(&mut self, text: &str) -> Result<(), SqlError> {
        let has_literal_escapes = self.has_literal_escapes;
        let statement = Statement { text, options: &self.options, has_literal_escapes };
        let Err(failure) = standard::obfuscate(statement, &mut self.standard) else {
            return Ok(());
        };
        if !failure.has_seen_escape {
            return Err(failure.error);
        }
        let statement = Statement { has_literal_escapes: !has_literal_escapes, ..statement };
        standard::obfuscate(statement, &mut self.standard).map_err(|_| failure.error)?;
        self.has_literal_escapes = !has_literal_escapes;
        Ok(())
    }
}
