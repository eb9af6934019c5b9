//! Forms, read strictly.

/// One field.
pub(super) struct Part<'b> {
    pub(super) name: String,
    pub(super) file_name: Option<String>,
    pub(super) body: &'b [u8],
}

/// The fields of a body with this `Content-Type`.
pub(super) fn parts<'b>(content_type: &str, body: &'b [u8]) -> Result<Vec<Part<'b>>, String> {
    let (kind, boundary) = content_type.split_once("; boundary=").ok_or("there is no boundary")?;
    if kind != "multipart/form-data" || boundary.is_empty() || boundary.len() > 70 {
        return Err(format!("{content_type:?} is no form"));
    }
    let delimiter = format!("\r\n--{boundary}");
    let first = format!("--{boundary}");
    let mut rest = body.strip_prefix(first.as_bytes()).ok_or("the form does not begin")?;
    let mut parts = Vec::new();
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let end = find(part, delimiter.as_bytes()).ok_or("a field does not end")?;
        let (field, after) = part.split_at_checked(end).ok_or("a field does not end")?;
        parts.push(part_of(field)?);
        rest = after.get(delimiter.len()..).unwrap_or_default();
    }
    if rest == b"--\r\n" { Ok(parts) } else { Err("the form does not end".to_owned()) }
}

fn part_of(bytes: &[u8]) -> Result<Part<'_>, String> {
    let end = find(bytes, b"\r\n\r\n").ok_or("a field has no head")?;
    let (head, body) = bytes.split_at_checked(end).ok_or("a field has no head")?;
    let head = std::str::from_utf8(head).map_err(|error| error.to_string())?;
    let disposition = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Disposition: form-data"))
        .ok_or("a field has no disposition")?;
    let value = |name: &str| {
        let (_, rest) = disposition.split_once(&format!("; {name}=\""))?;
        rest.split('"').next().map(str::to_owned)
    };
    let name = value("name").ok_or("a field has no name")?;
    Ok(Part { name, file_name: value("filename"), body: body.get(4..).unwrap_or_default() })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::parts;

    const TYPE: &str = "multipart/form-data; boundary=B";

    #[test]
    fn a_form_is_read_in_order_and_a_cut_one_is_none() {
        let body = b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
                     --B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.zip\"\r\n\
                     Content-Type: application/octet-stream\r\n\r\n\r\n\r\n--B--\r\n";
        let found = parts(TYPE, body).expect("a form");
        let shown: Vec<_> = found
            .iter()
            .map(|part| (part.name.as_str(), part.file_name.as_deref(), part.body))
            .collect();
        assert_eq!(shown, [("a", None, &b"1"[..]), ("f", Some("x.zip"), &b"\r\n"[..])]);
        for length in 0..body.len() {
            assert!(parts(TYPE, &body[..length]).is_err(), "{length} bytes");
        }
        assert!(parts("text/plain", body).is_err());
    }
}
