//! The checked-in header is the one that the code makes.

#![forbid(unsafe_code)]

use std::path::Path;

/// Set by `cargo x header`, which writes the header instead of comparing it.
const WRITE_VARIABLE: &str = "CORELANE_WRITE_HEADER";

#[test]
fn the_header_is_that_of_the_code() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_root_or_default(directory);
    let bindings = cbindgen::Builder::new().with_crate(directory).with_config(config).generate();
    let mut made = Vec::new();
    bindings.expect("the code can be read").write(&mut made);
    let made = String::from_utf8(made).expect("a header is text");
    // Sections for Rust callers say what the rest of the text says to callers in C.
    let made = without_safety(&made);
    let path = directory.join("include/datadog_agent_native.h");
    if std::env::var_os(WRITE_VARIABLE).is_some() {
        std::fs::write(&path, &made).expect("the header can be written");
        return;
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(made == checked_in, "{} is out of date: run `cargo x header`", path.display());
}

/// Leaves out the heading of sections on safety, which is a word of Rust.
fn without_safety(text: &str) -> String {
    let lines = text.lines().filter(|line| line.trim() != "* # Safety");
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}
