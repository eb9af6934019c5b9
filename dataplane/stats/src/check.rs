//! Properties that tests and fuzz targets share. Each panics when a property does not hold.

use crate::sketch::Sketch;

/// Any bytes decode to a sketch or an error; a sketch reads again as what was written.
#[expect(clippy::missing_panics_doc, reason = "a check panics when it fails")]
pub fn check_sketch(bytes: &[u8]) {
    let Ok(sketch) = Sketch::decode(bytes) else { return };
    assert!(sketch.bins().1.len() <= crate::BIN_LIMIT, "a sketch has too many bins");
    let mut encoded = Vec::new();
    sketch.encode(&mut encoded);
    assert_eq!(Sketch::decode(&encoded).as_ref(), Ok(&sketch), "a sketch changed on the wire");
}
