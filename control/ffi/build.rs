//! How the shared library is linked: only the API is visible, and it is never unloaded, because its
//! threads and its fork handler may still be there.
//!
//! Programs that are linked with it ask for the number of the interface: it changes when they could
//! no longer run with the library. Symbols have no versions: rustc hands the linker an anonymous
//! version script, which no named one may stand beside.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // `cargo x bindings` has it linked.
    println!("cargo:rerun-if-changed=glibc.c");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libdatadog_agent_native.so.0");
    println!("cargo:rustc-cdylib-link-arg=-Wl,--exclude-libs,ALL");
}
