//! Which crate may import which of ours, and who may use a runtime.
//!
//! The table is the architecture. A new edge is a decision: it belongs into ARCHITECTURE.md first.
//! Dependencies of tests and benches are free, since they do not ship.

use super::{Finding, Tree, numbered};

const DATAPLANE: &[&str] = &[
    "signal",
    "receive",
    "parse",
    "context",
    "entity",
    "pattern",
    "naming",
    "sketch",
    "metrics",
    "server",
    "span",
    "sql",
    "obfuscate",
    "sampling",
    "stats",
    "traces",
    "logs",
    "otlp",
    "lane",
];
const CONTROL: &[&str] = &[
    "config", "origin", "capture", "merge", "encode", "forward", "host", "proxy", "debugger",
    "remote", "flare", "ingest", "status", "agent", "native",
];
const BENCH: &[&str] = &["intake", "load"];

/// Crate directory, and the crates of ours that it may import.
const ALLOWED: &[(&str, &[&[&str]])] = &[
    ("dataplane/sketch", &[]),
    ("dataplane/signal", &[&["sketch"]]),
    ("dataplane/receive", &[]),
    ("dataplane/parse", &[]),
    ("dataplane/entity", &[]),
    ("dataplane/context", &[&["signal"]]),
    ("dataplane/pattern", &[]),
    ("dataplane/naming", &[&["signal"]]),
    ("dataplane/metrics", &[&["signal", "context", "entity", "naming", "parse", "sketch"]]),
    ("dataplane/server", &[&["receive"]]),
    ("dataplane/span", &[]),
    ("dataplane/sql", &[]),
    ("dataplane/obfuscate", &[]),
    ("dataplane/sampling", &[]),
    ("dataplane/stats", &[]),
    ("dataplane/traces", &[&["pattern", "span", "sql", "obfuscate", "sampling", "stats"]]),
    ("dataplane/logs", &[&["pattern"]]),
    ("dataplane/otlp", &[&["context", "logs", "obfuscate", "signal", "sketch", "span"]]),
    ("dataplane/lane", &[DATAPLANE]),
    ("control/config", &[]),
    ("control/status", &[&["signal"]]),
    ("control/merge", &[&["signal", "sketch"]]),
    ("control/encode", &[&["signal", "sketch"]]),
    ("control/capture", &[&["entity"]]),
    ("control/forward", &[&["encode"]]),
    ("control/origin", &[&["entity", "forward", "signal"]]),
    ("control/host", &[&["forward", "signal"]]),
    ("control/proxy", &[&["forward", "obfuscate", "server"]]),
    ("control/debugger", &[&["entity", "forward"]]),
    ("control/remote", &[&["forward"]]),
    ("control/flare", &[&["config", "forward"]]),
    ("control/ingest", &[&["encode", "logs", "otlp", "signal"]]),
    ("control/agent", &[DATAPLANE, CONTROL]),
    ("control/native", &[&["agent", "config", "status"]]),
    ("control/ffi", &[&["debugger", "native"]]),
    ("control/daemon", &[&["agent", "capture", "config", "flare", "status"], BENCH]),
    ("bench/intake", &[]),
    ("bench/load", &[&["capture"]]),
    ("bench/run", &[BENCH, &["sampling", "span", "stats", "traces"]]),
    (
        "fuzz",
        &[&[
            "capture",
            "config",
            "debugger",
            "logs",
            "obfuscate",
            "otlp",
            "parse",
            "proxy",
            "receive",
            "remote",
            "server",
            "span",
            "sql",
            "stats",
        ]],
    ),
    ("tests", &[DATAPLANE, CONTROL, BENCH]),
    ("scripts", &[]),
];

/// Third-party crates that only some directories may use.
const RUNTIMES: &[(&str, &[&str])] =
    &[("glommio", &["dataplane/lane"]), ("tokio", &["control/", "bench/", "tests"])];

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let ours: Vec<&str> = [DATAPLANE, CONTROL, BENCH].concat();
    let mut findings = Vec::new();
    for (path, manifest) in tree.files() {
        let Some(directory) = path.strip_suffix("/Cargo.toml") else { continue };
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == directory) else {
            let message = "a crate without a row in the import table of `cargo x tidy`";
            findings.push(Finding::new(path, 0, message));
            continue;
        };
        for (line, name) in dependencies(manifest) {
            if ours.contains(&name) && !allowed.concat().contains(&name) {
                let message = format!("{directory} may not import {name}");
                findings.push(Finding::new(path, line, message));
            }
            let runtime = RUNTIMES.iter().find(|(runtime, _)| *runtime == name);
            if runtime.is_some_and(|(_, users)| !users.iter().any(|u| directory.starts_with(u))) {
                let message = format!("{directory} may not use the runtime {name}");
                findings.push(Finding::new(path, line, message));
            }
        }
    }
    findings
}

/// Names in the dependency tables of a manifest that ship, with their line numbers.
fn dependencies(manifest: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut is_inside = false;
    for (number, line) in numbered(manifest) {
        let line = line.trim();
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_matches(['[', ']']);
            let is_shipped = |name: &str| matches!(name, "dependencies" | "build-dependencies");
            let last = table.rsplit('.').next().unwrap_or(table);
            is_inside = is_shipped(last);
            if let Some((parent, name)) = table.rsplit_once('.')
                && is_shipped(parent.rsplit('.').next().unwrap_or(parent))
            {
                found.push((number, name));
            }
        } else if is_inside && !line.starts_with('#') {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            if !name.is_empty() {
                found.push((number, name));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use super::*;

    #[test]
    fn an_edge_outside_the_table_is_found() {
        let manifest = "[dependencies]\nsignal.workspace = true\nlane = { workspace = true }\n";
        assert_eq!(
            shown(findings, &[("control/merge/Cargo.toml", manifest)]),
            ["control/merge/Cargo.toml:3: control/merge may not import lane"]
        );
    }

    #[test]
    fn runtimes_stay_where_they_belong() {
        let manifest = "[dependencies]\ntokio.workspace = true\n\n[dependencies.glommio]\n";
        assert_eq!(
            shown(findings, &[("dataplane/lane/Cargo.toml", manifest)]),
            ["dataplane/lane/Cargo.toml:2: dataplane/lane may not use the runtime tokio"]
        );
        assert_eq!(
            shown(findings, &[("control/forward/Cargo.toml", manifest)]),
            ["control/forward/Cargo.toml:4: control/forward may not use the runtime glommio"]
        );
    }

    #[test]
    fn tests_and_other_tables_are_free() {
        let manifest = "[package]\nlane = 1\n[dev-dependencies]\nlane.workspace = true\n";
        assert!(shown(findings, &[("control/merge/Cargo.toml", manifest)]).is_empty());
    }

    #[test]
    fn platform_tables_count() {
        let manifest = "[target.'cfg(unix)'.dependencies]\n# why\nlane.workspace = true\n";
        assert_eq!(dependencies(manifest), [(3, "lane")]);
    }

    #[test]
    fn a_new_crate_needs_a_row() {
        assert_eq!(shown(findings, &[("control/newcomer/Cargo.toml", "")]).len(), 1);
    }
}
