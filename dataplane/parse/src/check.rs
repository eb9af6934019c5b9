//! Service checks. spec: dogstatsd §4.6.

use crate::metric::{cut, next_field};
use crate::{Fields, Options, Refused, parse_int};

/// One service check line.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ServiceCheck<'a> {
    /// Name, not empty.
    pub name: &'a [u8],
    /// 0 to 3.
    pub status: u8,
    /// Unix seconds; 0 when absent.
    pub timestamp_secs: i64,
    /// Host name of an `h:` field.
    pub host: Option<&'a [u8]>,
    /// Message, verbatim.
    pub message: &'a [u8],
    /// Tags and client data.
    pub fields: Fields<'a>,
}

impl<'a> ServiceCheck<'a> {
    /// Parses a line that starts with `_sc`.
    ///
    /// # Errors
    /// [`Refused::Check`].
    pub fn parse(line: &'a [u8], options: Options) -> Result<Self, Refused> {
        // Two pipes anywhere, then four bytes that are skipped unread, as the reference does.
        if line.iter().filter(|&&byte| byte == b'|').take(2).count() < 2 {
            return Err(Refused::Check);
        }
        let body = line.get(4..).ok_or(Refused::Check)?;
        let (name, rest) = cut(body, b'|').ok_or(Refused::Check)?;
        let (status, mut rest) = match cut(rest, b'|') {
            Some((status, rest)) => (status, Some(rest)),
            None => (rest, None),
        };
        let status = match status {
            [digit @ b'0'..=b'3'] => digit - b'0',
            _ => return Err(Refused::Check),
        };
        if name.is_empty() {
            return Err(Refused::Check);
        }
        let mut check = Self { name, status, ..Self::default() };
        while let Some(option) = next_field(&mut rest) {
            match option {
                [b'd', b':', timestamp @ ..] => {
                    if let Some(timestamp) = parse_int(timestamp) {
                        check.timestamp_secs = timestamp;
                    }
                }
                [b'h', b':', host @ ..] => check.host = Some(host),
                [b'm', b':', message @ ..] => check.message = message,
                _ => check.fields.apply(option, options),
            }
        }
        Ok(check)
    }
}
