//! With warm buffers and caches no statement allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use corelane_sql::{Collect, Mode, Obfuscator, Options};
use serde::Deserialize;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Counts the allocations of each thread and passes them on.
struct Counting;

// SAFETY: every call goes to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `alloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "in")]
    text: String,
}

#[test]
fn a_statement_allocates_nothing() {
    let statements: Vec<Statement> = [
        include_str!("../../../tests/vectors/sql.jsonl"),
        include_str!("../../../tests/vectors/sqllexer.jsonl"),
    ]
    .iter()
    .flat_map(|file| file.lines())
    .map(|line| serde_json::from_str(line).expect(line))
    .collect();
    for mode in
        [Mode::Default, Mode::ObfuscateOnly, Mode::ObfuscateAndNormalize, Mode::NormalizeOnly]
    {
        // The small cache turns over many times, the large one keeps all.
        for cache_bytes in [0, 20_000, 5_000_000] {
            let collect =
                Collect { tables: true, commands: true, comments: true, procedures: true };
            let options = Options {
                mode,
                replace_digits: true,
                dollar_quoted_func: true,
                collect,
                ..Options::default()
            };
            let mut obfuscator = Obfuscator::with_cache(options, cache_bytes);
            let mut all = || {
                statements
                    .iter()
                    .filter(|query| obfuscator.obfuscate(&query.text, "postgresql").is_ok())
                    .count()
            };
            let done = all();
            assert_eq!(all(), done);
            let before = ALLOCATIONS.get();
            assert_eq!(all(), done);
            assert_eq!(ALLOCATIONS.get() - before, 0, "{mode:?} {cache_bytes}");
        }
    }
}
