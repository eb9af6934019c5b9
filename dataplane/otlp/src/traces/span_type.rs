//! Types of spans. spec: otlp §4.6.

use std::borrow::Cow;

use span::SpanKind;

use super::known::Known;
use super::lookup::Lookup;

/// The type of a span; `is_model_call` says whether it has an attribute of generative AI.
pub(super) fn span_type<'t>(kind: SpanKind, of: &Lookup<'t>, is_model_call: bool) -> Cow<'t, str> {
    if is_model_call {
        return Cow::Borrowed("llm");
    }
    if let Some(named) = of.text(Known::SpanType) {
        return named;
    }
    Cow::Borrowed(match kind {
        SpanKind::Server => "web",
        SpanKind::Client => match of.tag_value(Known::DbSystem) {
            Some(system) => of_database(&system),
            None => "http",
        },
        SpanKind::Unspecified | SpanKind::Internal | SpanKind::Producer | SpanKind::Consumer => {
            "custom"
        }
    })
}

fn of_database(system: &str) -> &'static str {
    match system {
        "cassandra" => "cassandra",
        "redis" => "redis",
        "memcached" => "memcached",
        "mongodb" => "mongodb",
        "elasticsearch" => "elasticsearch",
        "opensearch" => "opensearch",
        _ if SQL.binary_search(&system).is_ok() => "sql",
        _ => "db",
    }
}

/// Databases that speak SQL, sorted. Both names of the one of SAP are about.
static SQL: [&str; 36] = [
    "adabas",
    "cache",
    "clickhouse",
    "cloudscape",
    "cockroachdb",
    "coldfusion",
    "db2",
    "derby",
    "edb",
    "filemaker",
    "firebird",
    "firstsql",
    "h2",
    "hana",
    "hanadb",
    "hsqldb",
    "informix",
    "ingres",
    "instantdb",
    "interbase",
    "mariadb",
    "maxdb",
    "mssql",
    "mysql",
    "netezza",
    "oracle",
    "other_sql",
    "pervasive",
    "pointbase",
    "postgresql",
    "progress",
    "redshift",
    "sqlite",
    "sybase",
    "teradata",
    "vertica",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_sorted_and_found() {
        assert!(SQL.is_sorted());
        let types = ["postgresql", "hana", "hanadb", "redis", "hive"].map(of_database);
        assert_eq!(types, ["sql", "sql", "sql", "redis", "db"]);
    }
}
