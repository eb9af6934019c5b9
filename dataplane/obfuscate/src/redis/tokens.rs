//! A query as commands and arguments, borrowed.

/// One word of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// First word of a line.
    Command(&'a str),
    /// Any other word. Quoted ones may hold spaces and line ends, and keep their quotes.
    Argument(&'a str),
}

/// The words of a query in their order. Empty lines and repeated spaces are skipped.
pub(super) struct Tokens<'a> {
    rest: &'a str,
    is_line_start: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(query: &'a str) -> Self {
        Self { rest: query.trim(), is_line_start: true }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            match *self.rest.as_bytes().first()? {
                b' ' => {}
                b'\n' => self.is_line_start = true,
                _ => break,
            }
            self.rest = self.rest.get(1..)?;
        }
        let end = if self.is_line_start {
            self.rest.find([' ', '\n']).unwrap_or(self.rest.len())
        } else {
            argument_end(self.rest.as_bytes())
        };
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        if std::mem::take(&mut self.is_line_start) {
            return Some(Token::Command(word));
        }
        Some(Token::Argument(word))
    }
}

/// Index of the space, line end or end of text that ends an argument.
fn argument_end(text: &[u8]) -> usize {
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b' ' | b'\n' if !is_quoted => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::Token::{Argument, Command};
    use super::*;

    #[test]
    fn quotes_hold_words_together() {
        let query = "SET k \"a b\\\"\nc\" EX\n\n GET  k ";
        let tokens: Vec<_> = Tokens::new(query).collect();
        let quoted = Argument("\"a b\\\"\nc\"");
        let expected =
            [Command("SET"), Argument("k"), quoted, Argument("EX"), Command("GET"), Argument("k")];
        assert_eq!(tokens, expected);
    }
}
