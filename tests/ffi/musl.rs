//! Programs of musl: one that is static, and one that is linked with the shared library.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use intake::Intake;

use crate::library::{include, program, sources};

#[test]
fn programs_of_musl_deliver_fork_and_clean_up() {
    let library = match bed::musl_library() {
        Ok(library) => library,
        Err(why) => {
            // Not by a macro, whose output is kept from whoever runs the tests.
            let written = writeln!(std::io::stdout(), "skipped: programs of musl: {why}");
            return written.expect("standard output is open");
        }
    };
    for (name, linked) in [
        ("static", build(&library, &["-static"], &["-ldatadog_agent_native", "-lunwind"])),
        ("shared", build(&library, &[], &["-ldatadog_agent_native"])),
    ] {
        let intake = Intake::start(intake::Options::default()).expect("an intake");
        let (store, live) = (intake.store(), |words: &[&str]| {
            let output = program(&linked, &intake).args(words).output().expect("a musl program");
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{name} {words:?}: {}\n{errors}", output.status);
            assert_eq!(errors, "", "{name} {words:?}");
        });
        let total = |metric| store.total_of(metric);
        live(&["metrics"]);
        assert_eq!((total("ffi.alone.udp"), total("ffi.alone.inside")), (1.0, 2.0), "{name}");
        assert_eq!(store.violations(), [], "{name}");
        for words in [&["misuse"][..], &["signals"], &["seccomp"], &["fork"], &["cycles", "50"]] {
            live(words);
        }
        assert_eq!((total("ffi.parent"), total("ffi.child")), (20.0, 4.0), "{name}");
        assert_eq!((total("ffi.cycles"), total("ffi.seccomp")), (50.0, 1.0), "{name}");
    }
}

/// The program of many lives. Headers of the kernel are those of the machine.
fn build(library: &Path, flags: &[&str], libraries: &[&str]) -> PathBuf {
    let out = library.join(format!("life{}", flags.concat()));
    let multiarch = Command::new("cc").arg("-print-multiarch").output().expect("a C compiler");
    let multiarch = String::from_utf8_lossy(&multiarch.stdout).trim().to_owned();
    let mut compiler = Command::new("musl-gcc");
    compiler.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-pthread"]).args(flags);
    compiler.arg("-I").arg(include());
    compiler.args(["-idirafter", "/usr/include", "-idirafter"]);
    compiler.arg(Path::new("/usr/include").join(multiarch));
    compiler.arg(sources().join("c/life.c")).arg("-o").arg(&out);
    let directory = library.join("lib");
    compiler.arg(format!("-Wl,-rpath,{}", directory.display())).arg("-L").arg(directory);
    let built = compiler.args(libraries).status().expect("musl-gcc: `cargo x test` installs it");
    assert!(built.success(), "life.c compiles for musl");
    out
}
