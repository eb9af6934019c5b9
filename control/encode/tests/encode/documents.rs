//! Metadata documents.

use corelane_encode::{
    Document, DocumentError, Limits, PayloadKind, Priority, Settings, encode_document,
};
use serde_json::json;

use crate::read::body;

#[test]
fn host_metadata_goes_first_and_never_to_disk() {
    let value = json!({"internalHostname": "web-1", "os": "linux"});
    let payload = encode_document(Document::Host, &value, &Settings::default()).unwrap();
    assert_eq!(payload.kind, PayloadKind::HostMetadata);
    assert_eq!((payload.path(), payload.priority()), ("/intake/", Priority::High));
    assert!(!payload.is_storable());
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&body(&payload)).unwrap(), value);
}

#[test]
fn a_document_over_the_limits_is_an_error() {
    let value = json!({"gohai": "x".repeat(500)});
    for (compressed, uncompressed) in [(10, 100_000), (100_000, 400)] {
        let limits =
            Limits { compressed_bytes_max: compressed, uncompressed_bytes_max: uncompressed };
        let settings = Settings { limits, ..Settings::default() };
        let result = encode_document(Document::Inventory, &value, &settings);
        assert_eq!(result, Err(DocumentError::TooBig { uncompressed_bytes: 512 }));
    }
    let settings = Settings { metadata_enabled: false, ..Settings::default() };
    let result = encode_document(Document::Host, &value, &settings);
    assert_eq!(result, Err(DocumentError::Disabled));
}
