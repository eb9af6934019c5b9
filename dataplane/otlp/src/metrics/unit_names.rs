//! Names of units. spec: otlp §5.9.

/// What a unit of UCUM is called, and with which prefixes it may be written.
pub(crate) struct BaseUnit {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) prefixes: &'static [&'static str],
}

const fn unit(
    code: &'static str,
    name: &'static str,
    prefixes: &'static [&'static str],
) -> BaseUnit {
    BaseUnit { code, name, prefixes }
}

pub(crate) const BASE_UNITS: &[BaseUnit] = &[
    unit("By", "byte", &["Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "k", "M", "G", "T", "P", "E"]),
    unit("bit", "bit", &["k", "M", "G", "T", "P", "E"]),
    unit("s", "second", &["m", "u", "n"]),
    unit("h", "hour", &[]),
    unit("Hz", "hertz", &["k", "M", "G"]),
    unit("W", "watt", &["d", "m", "u", "n", "k", "M", "G", "T"]),
    unit("V", "volt", &["m"]),
    unit("J", "joule", &["n", "m", "k", "M"]),
    unit("A", "ampere", &["m"]),
    unit("Cel", "degree celsius", &["d"]),
    unit("%", "percent", &[]),
];

/// Prefixes and their names.
pub(crate) const PREFIXES: &[(&str, &str)] = &[
    ("d", "deci"),
    ("m", "milli"),
    ("u", "micro"),
    ("n", "nano"),
    ("k", "kilo"),
    ("M", "mega"),
    ("G", "giga"),
    ("T", "tera"),
    ("P", "peta"),
    ("E", "exa"),
    ("Ki", "kibi"),
    ("Mi", "mebi"),
    ("Gi", "gibi"),
    ("Ti", "tebi"),
    ("Pi", "pebi"),
    ("Ei", "exbi"),
];

/// What may be counted, as `{request}`; sorted.
#[rustfmt::skip]
pub(crate) const COUNTED: &[&str] = &[
    "alert", "apdex", "assertion", "attempt", "block", "buffer", "build", "byte", "cent", "check",
    "collection", "column", "command", "commit", "connection", "container", "core", "cpu",
    "cursor", "datagram", "day", "decibel-milliwatt", "device", "document", "dollar", "email",
    "entity", "entry", "error", "euro", "event", "eviction", "exception", "execution", "fault",
    "fetch", "file", "flush", "fraction", "frame", "get", "heap", "hit", "hop", "host", "index",
    "inode", "instance", "invocation", "item", "job", "key", "location", "lock", "merge",
    "message", "method", "minute", "miss", "monitor", "node", "object", "occurrence", "offset",
    "operation", "packet", "page", "payload", "penny", "permille", "pound", "prediction",
    "process", "query", "question", "read", "record", "refresh", "request", "resource",
    "response", "route", "row", "run", "sample", "scan", "sector", "segment", "service",
    "session", "set", "shard", "span", "split", "stage", "step", "success", "table", "task",
    "thread", "throttle", "ticket", "time", "timeout", "token", "transaction", "unit", "update",
    "user", "vector", "view", "volume", "wait", "watt-hour", "week", "worker", "write",
];
