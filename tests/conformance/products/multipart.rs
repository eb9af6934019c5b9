//! Multipart bodies, read strictly.

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) file: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// The parts of a body with this `Content-Type`.
pub(crate) fn parts(content_type: &str, body: &[u8]) -> Vec<Part> {
    let (_, boundary) = content_type.split_once("boundary=").expect("a boundary");
    let boundary = format!("--{}", boundary.trim_matches('"'));
    let mut rest = body.strip_prefix(boundary.as_bytes()).expect("a first boundary");
    let delimiter = format!("\r\n{boundary}");
    let mut parts = Vec::new();
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let end = find(part, delimiter.as_bytes()).expect("a closing boundary");
        parts.push(part_of(&part[..end]));
        rest = &part[end + delimiter.len()..];
    }
    assert!(rest.trim_ascii() == b"--", "{} bytes after the last part", rest.len());
    parts
}

fn part_of(bytes: &[u8]) -> Part {
    let end = find(bytes, b"\r\n\r\n").expect("an end of the head");
    let head = std::str::from_utf8(&bytes[..end]).expect("a head of text");
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let disposition = header("content-disposition").expect("a disposition");
    let field = |name: &str| {
        let (_, rest) = disposition.split_once(&format!("; {name}=\""))?;
        rest.split('"').next().map(str::to_owned)
    };
    Part {
        name: field("name").expect("a name"),
        file: field("filename"),
        content_type: header("content-type").map(str::to_owned),
        body: bytes[end + 4..].to_vec(),
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
