//! Developer commands, one entry without extra tools: `cargo x COMMAND`.
//!
//! Every command is a few plain ones; each is printed before it runs, so that it can be repeated
//! or changed by hand. Nothing is written outside the target directory, except system packages
//! that `cargo x test` installs when it runs as root.
//!
//! ```text
//! main -> check | test | tidy | fuzz | bench | miri | soak | vectors | docs | header | features
//!      -> bindings | dist
//!           test  -> packages (apt) -> clients (pip, npm, go), bindings -> cargo test, totals
//!           tidy  -> rules over the tree's own text
//! ```

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]

mod bench;
mod bindings;
mod check;
mod clients;
mod dist;
mod docs;
mod embedded;
mod features;
mod fuzz;
mod glibc;
mod header;
mod instructions;
mod miri;
mod musl;
mod packages;
mod paths;
mod shell;
mod soak;
mod test;
mod tidy;
mod vectors;

use std::process::ExitCode;

use anyhow::{Result, bail};

use bindings::Build;

const USAGE: &str = "\
usage: cargo x COMMAND

  check               every fast gate: formatting, lints, documentation, tidy, all tests
  test [AREA]         all tests with their clients, or the tests of one crate
  tidy                rules over the tree: imports, lengths, names, dead files, headings
  fuzz TARGET [SECS]  live fuzzing, 60 seconds unless told otherwise
  bench SCENARIO      one scenario of bench/scenarios
  instructions        instructions per metric line, under callgrind
  miri                the unsafe wrappers under Miri, with a nightly toolchain that has it
  soak [SECS]         the demo with memory watched, one hour unless told otherwise
  vectors             which crate runs which vectors, then those tests
  docs [--check]      writes docs/configuration.md from the table of keys, or compares it
  header              writes the C header of control/ffi from its code
  features            that the library compiles with each set of its cargo features
  bindings [LANGUAGE] the packages for c, python, node, go and csharp, each with the library inside,
                      for glibc 2.17 and newer; --system-compiler: for that of this machine;
                      --debug: those that the tests use; c --musl: for programs of musl
  dist                an archive of the release binary in the target directory";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        ["check"] => check::run_gates(),
        ["test"] => test::run_all(),
        ["test", area] => test::run_area(area),
        ["tidy"] => tidy::run_rules(),
        ["fuzz", target] => fuzz::run_target(target, "60"),
        ["fuzz", target, secs] => fuzz::run_target(target, secs),
        ["miri"] => miri::run_wrappers(),
        ["bench", scenario] => bench::run_scenario(scenario),
        ["instructions"] => instructions::run_count(),
        ["soak"] => soak::run_soak("3600"),
        ["soak", secs] => soak::run_soak(secs),
        ["vectors"] => vectors::run_vectors(),
        ["docs"] => docs::write(),
        ["docs", "--check"] => docs::check(),
        ["header"] => header::write(),
        ["bindings"] => bindings::make_all(Build::Release),
        ["bindings", "--system-compiler"] => bindings::make_all(Build::ForThisSystem),
        ["bindings", "--debug"] => bindings::make_all(Build::Development),
        ["bindings", "c", "--musl"] => bindings::make_for_musl(Build::Release),
        ["bindings", language] => bindings::make_one(language, Build::Release),
        ["bindings", language, "--system-compiler"] => {
            bindings::make_one(language, Build::ForThisSystem)
        }
        ["features"] => features::run_checks(),
        ["dist"] => dist::run_dist(),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("unknown command `{}`\n\n{USAGE}", words.join(" ")),
    }
}
