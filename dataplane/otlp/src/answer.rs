//! What a request is answered with, in protobuf. spec: otlp §1.3, §12.

use crate::output::{BYTES, Output, VARINT};

/// The message `ExportXServiceResponse` of any signal; empty when nothing was rejected.
#[must_use]
pub fn partial_success(rejected: u64, reason: &str) -> Vec<u8> {
    let mut message = Output::default();
    if rejected > 0 {
        put_bytes(&mut message, 1, &number_and_text(rejected, reason));
    }
    message.into_bytes()
}

/// The message `google.rpc.Status`.
#[must_use]
pub fn status(code: u8, text: &str) -> Vec<u8> {
    number_and_text(u64::from(code), text)
}

/// The shape that both have.
fn number_and_text(number: u64, text: &str) -> Vec<u8> {
    let mut message = Output::default();
    message.tag(1, VARINT);
    message.varint(number);
    put_bytes(&mut message, 2, text.as_bytes());
    message.into_bytes()
}

/// Of any length, unlike [`Output::bytes`]: these are our own.
fn put_bytes(message: &mut Output, number: u32, bytes: &[u8]) {
    message.tag(number, BYTES);
    message.varint(bytes.len() as u64);
    message.fixed(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_as_clients_decode_them() {
        assert_eq!(partial_success(0, "unused"), b"");
        assert_eq!(partial_success(300, "ab"), b"\x0a\x07\x08\xac\x02\x12\x02ab");
        assert_eq!(status(3, "no"), b"\x08\x03\x12\x02no");
    }
}
