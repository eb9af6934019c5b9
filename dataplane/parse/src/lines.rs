//! Splits a packet into lines. spec: dogstatsd §2.5.

use memchr::memchr;

/// Iterator over the non-empty lines of a packet, without their line ends.
#[derive(Debug)]
pub struct Lines<'a> {
    rest: &'a [u8],
    is_eol_required: bool,
    is_unterminated: bool,
}

impl<'a> Lines<'a> {
    /// Lines of `packet`. With `is_eol_required` a last line without a newline is discarded.
    #[must_use]
    pub const fn new(packet: &'a [u8], is_eol_required: bool) -> Self {
        Self { rest: packet, is_eol_required, is_unterminated: false }
    }

    /// Whether a last line was discarded because its newline was missing. Known after the last
    /// item.
    #[must_use]
    pub const fn is_unterminated(&self) -> bool {
        self.is_unterminated
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let line = if let Some(end) = memchr(b'\n', self.rest) {
                let (line, rest) = self.rest.split_at_checked(end)?;
                self.rest = rest.get(1..).unwrap_or_default();
                line
            } else {
                let line = std::mem::take(&mut self.rest);
                if self.is_eol_required {
                    self.is_unterminated = true;
                    return None;
                }
                line
            };
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                return Some(line);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(packet: &[u8], is_eol_required: bool) -> (Vec<&[u8]>, bool) {
        let mut lines = Lines::new(packet, is_eol_required);
        let all = lines.by_ref().collect();
        (all, lines.is_unterminated())
    }

    /// spec: dogstatsd §15.1, packet splitting.
    #[test]
    fn one_carriage_return_and_empty_lines_are_dropped() {
        let (lines, unterminated) = split(b"a:1|g\n\n\r\nb:2|c\r\n", false);
        assert_eq!(lines, [b"a:1|g".as_slice(), b"b:2|c"]);
        assert!(!unterminated);
        assert_eq!(split(b"a:1|g\r\r\n", false).0, [b"a:1|g\r".as_slice()]);
    }

    #[test]
    fn an_unterminated_line_is_discarded_only_where_required() {
        assert_eq!(split(b"a:1|g\nb:2|c", true), (vec![b"a:1|g".as_slice()], true));
        assert!(!split(b"a:1|g\nb:2|c\n", true).1);
        assert_eq!(split(b"a:1|g\nb:2|c", false).0.len(), 2);
    }
}
