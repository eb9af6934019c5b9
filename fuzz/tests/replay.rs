//! Every committed input and a bounded, seeded run of mutations of them, on the stable toolchain.
//!
//! When this fails it prints the input as a Rust byte string: put it into the target's corpus under
//! a name that says what it shows, then mend the crate.

use std::fs;
use std::panic::catch_unwind;

use fuzz::{Mutator, TARGETS, Target, corpus_root};

/// Seed of the mutations; change it when a run should see other inputs.
const SEED: u64 = 0x00c0_ffee;

#[test]
fn every_committed_input_is_survived() {
    for target in TARGETS {
        let corpus = target.corpus().expect("a readable corpus");
        assert!(corpus.len() >= 5, "{}: a corpus starts with a few inputs", target.name);
        for file in corpus {
            run(target, &file.bytes, &file.name);
        }
    }
}

#[test]
fn mutations_of_the_corpus_are_survived() {
    for target in TARGETS {
        let corpus = target.corpus().expect("a readable corpus");
        let known: Vec<&[u8]> = corpus.iter().map(|file| file.bytes.as_slice()).collect();
        let mut mutator = Mutator::new(&known, target.input_bytes_max, SEED);
        for turn in 0..target.mutation_count {
            let input = mutator.next_input();
            run(target, &input, &format!("mutation {turn} of seed {SEED:#x}"));
        }
    }
}

#[test]
fn every_corpus_belongs_to_a_target() {
    for entry in fs::read_dir(corpus_root()).expect("the corpus directory") {
        let name = entry.expect("a readable entry").file_name();
        let is_known = TARGETS.iter().any(|target| name == target.name);
        assert!(is_known, "fuzz/corpus/{} has no target", name.display());
    }
}

fn run(target: &Target, input: &[u8], origin: &str) {
    let outcome = catch_unwind(|| (target.check)(input));
    assert!(outcome.is_ok(), "{}, {origin}: b\"{}\"", target.name, input.escape_ascii());
}
