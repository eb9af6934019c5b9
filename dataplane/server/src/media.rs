//! Media type of a body. spec: apm §3 step 1, §5.1.

/// What a body is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/msgpack`.
    Msgpack,
    /// `application/json`, `text/json`, absent, or not a media type at all.
    Json,
    /// Anything else: the body decides.
    Other,
}

impl Media {
    /// A `Content-Type` that is read as this.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Msgpack => "application/msgpack",
            Self::Json => "application/json",
            Self::Other => "application/octet-stream",
        }
    }

    /// Reads a `Content-Type`.
    #[must_use]
    pub fn of(content_type: Option<&[u8]>) -> Self {
        let Some((kind, parameters)) = content_type.and_then(split) else { return Self::Json };
        if !parameters.split(|&byte| byte == b';').skip(1).all(is_parameter) {
            return Self::Json;
        }
        if kind.eq_ignore_ascii_case(b"application/msgpack") {
            Self::Msgpack
        } else if kind.eq_ignore_ascii_case(b"application/json")
            || kind.eq_ignore_ascii_case(b"text/json")
        {
            Self::Json
        } else {
            Self::Other
        }
    }
}

/// The type and the rest, from its first `;`; none when there is no proper type.
fn split(content_type: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = content_type.iter().position(|&byte| byte == b';').unwrap_or(content_type.len());
    let (kind, parameters) = content_type.split_at(end);
    let kind = kind.trim_ascii();
    let mut parts = kind.split(|&byte| byte == b'/');
    let is_proper = parts.next().is_some_and(is_token) && parts.next().is_none_or(is_token);
    (is_proper && parts.next().is_none()).then_some((kind, parameters))
}

/// `name=value`, or nothing, as after a last `;`. A quoted value with a `;` in it is refused, which
/// no client sends.
fn is_parameter(parameter: &[u8]) -> bool {
    let parameter = parameter.trim_ascii();
    let Some(equals) = parameter.iter().position(|&byte| byte == b'=') else {
        return parameter.is_empty();
    };
    let (name, value) = parameter.split_at(equals);
    let value = value.get(1..).unwrap_or_default();
    let is_quoted = value.len() >= 2 && value.starts_with(b"\"") && value.ends_with(b"\"");
    is_token(name) && (is_quoted || is_token(value))
}

fn is_token(text: &[u8]) -> bool {
    let is_token_byte = |byte: &u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(byte);
    !text.is_empty() && text.iter().all(is_token_byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_as_tracers_send_them() {
        for (content_type, expected) in [
            ("application/msgpack", Media::Msgpack),
            ("Application/MsgPack ; charset=utf-8", Media::Msgpack),
            ("application/msgpack;", Media::Msgpack),
            ("application/json; charset=\"utf-8\"", Media::Json),
            ("text/json", Media::Json),
            ("application/x-protobuf", Media::Other),
            ("msgpack", Media::Other),
            ("", Media::Json),
            ("application/", Media::Json),
            ("/msgpack", Media::Json),
            ("application/msgpack/x", Media::Json),
            ("application/msgpack; charset", Media::Json),
            ("application/msgpack; =utf-8", Media::Json),
            ("appli cation/msgpack", Media::Json),
        ] {
            assert_eq!(Media::of(Some(content_type.as_bytes())), expected, "{content_type:?}");
        }
        assert_eq!(Media::of(None), Media::Json);
    }
}
