//! Committed bodies, each named by what it shows, survive the checks of the fuzz targets.

use std::fs;
use std::path::Path;

use corelane_span::{check_json, check_v1, check_v04, check_v05, check_v07};

#[test]
fn committed_bodies_survive() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    for (name, check) in [
        ("json", check_json as fn(&[u8])),
        ("v04", check_v04),
        ("v05", check_v05),
        ("v07", check_v07),
        ("v1", check_v1),
    ] {
        let files = fs::read_dir(corpus.join(name)).expect("a directory for each target");
        let bodies: Vec<_> = files.map(|file| fs::read(file.expect("a file").path())).collect();
        assert!(bodies.len() > 3, "{name}");
        bodies.into_iter().for_each(|body| check(&body.expect("a readable file")));
    }
}
