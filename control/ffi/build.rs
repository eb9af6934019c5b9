//! How the shared library is linked: only the API is visible, and it is never unloaded, because its
//! threads and its fork handler may still be there.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libdatadog_agent_native.so");
    println!("cargo:rustc-cdylib-link-arg=-Wl,--exclude-libs,ALL");
}
