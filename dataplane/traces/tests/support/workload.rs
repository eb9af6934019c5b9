//! Traces as tracers send them, for benches and the count of allocations.

use crate::support::{Make, MakeChunk, NOW_NS, chunk, span};

/// Spans of a trace.
pub(crate) const SPANS: u64 = 50;
/// Traces of a payload.
pub(crate) const CHUNKS: u64 = 10;

/// A web request with its handlers, queries, commands and calls of other services.
fn trace(id: u64) -> Vec<Make> {
    let mut spans = Vec::new();
    for n in 0..SPANS {
        let kind = n % 5;
        let mut made = span(id * 1000 + n + 1, if n == 0 { 0 } else { id * 1000 + n / 3 + 1 });
        made.trace_id = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        made.start_ns = (NOW_NS - 1_000_000_000 + n * 1_000_000) as i64;
        made.duration_ns = (1_000_000 + n * 31_337) as i64;
        made = made
            .meta("runtime-id", "f6b1b0d1c1a94a4ba0a3d8a1d0a5a9b0")
            .meta("language", "python")
            .meta("env", "production")
            .meta("version", "2024.11.3-b1")
            .metric("process_id", 4711.0);
        if n == 0 {
            made = made.meta("_dd.p.tid", "6735f9d500000000").meta("_dd.p.dm", "-1");
        }
        let texts = match kind {
            0 => ("storefront", "web.request", "GET /checkout/{cart}", "web"),
            1 => ("orders-db", "postgres.query", STATEMENT, "sql"),
            2 => ("session-cache", "redis.command", "GET session:8812:cart", "redis"),
            3 => ("storefront", "requests.request", "GET", "http"),
            _ => ("storefront", "django.middleware", "AuthMiddleware.__call__", ""),
        };
        made.service = texts.0.into();
        made.name = texts.1.into();
        made.resource = texts.2.into();
        made.span_type = texts.3.into();
        spans.push(match kind {
            0 => made
                .meta("span.kind", "server")
                .meta("component", "django")
                .meta("http.method", "GET")
                .meta("http.url", "https://shop.example.com/checkout/77/?step=2")
                .meta("http.status_code", "200")
                .meta("http.useragent", "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101")
                .metric("_dd.measured", 1.0),
            1 => made
                .meta("span.kind", "client")
                .meta("component", "psycopg")
                .meta("db.system", "postgresql")
                .meta("db.name", "orders")
                .meta("out.host", "10.11.12.13")
                .meta("db.user", "app")
                .metric("network.destination.port", 5432.0)
                .metric("db.row_count", 3.0),
            2 => made
                .meta("span.kind", "client")
                .meta("component", "redis")
                .meta("redis.raw_command", "GET session:8812:cart")
                .meta("out.host", "cache.internal")
                .metric("redis.args_length", 2.0),
            3 => made
                .meta("span.kind", "client")
                .meta("component", "requests")
                .meta("http.method", "GET")
                .meta("http.url", "http://inventory.internal/items/1234567/stock")
                .meta("http.status_code", "200")
                .meta("out.host", "inventory.internal")
                .meta("peer.service", "inventory"),
            _ => made.meta("component", "django").meta("span.kind", "internal"),
        });
    }
    spans
}

const STATEMENT: &str = "SELECT id, customer_id, total FROM orders WHERE customer_id = 8812 AND \
                         state IN ('open', 'paid') ORDER BY created_at DESC LIMIT 20";

/// Ten traces, of which one is kept.
pub(crate) fn traces() -> Vec<MakeChunk> {
    (0..CHUNKS)
        .map(|id| MakeChunk { priority: i32::from(id == 3), ..chunk(&trace(id + 1)) })
        .collect()
}
