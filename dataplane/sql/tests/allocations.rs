//! With warm buffers and caches no statement allocates.

use corelane_sql::{Collect, Mode, Obfuscator, Options};
use serde::Deserialize;

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
            let allocations = allocation_counter::measure(|| assert_eq!(all(), done));
            assert_eq!(allocations.count_total, 0, "{mode:?} {cache_bytes}");
        }
    }
}
