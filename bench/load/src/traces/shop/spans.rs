//! The spans of one trace.

use super::dialect::Operation;
use super::{APP_VERSION, ENV, Shop, Span, Text, Trace};
use crate::rng::Rng;

/// What a web service does over and over, below its entry span.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A function of the application; parent of what follows.
    Inner,
    Sql,
    Redis,
    Call,
}

const STEPS: [Step; 6] = [Step::Inner, Step::Sql, Step::Redis, Step::Call, Step::Sql, Step::Redis];

const THINGS: [&str; 6] = ["products", "orders", "carts", "users", "reviews", "shipments"];

const AGENTS: [&str; 3] = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Version/19.1 Mobile/15E148",
    "okhttp/4.12.0",
];

const STACK_FRAMES: usize = 12;

/// Makes the entry span and as many below it as the specification says.
pub(super) fn fill(
    shop: &mut Shop<'_>,
    trace: &mut Trace,
    service: u32,
    resource: u64,
    start_ns: u64,
    has_error: bool,
) {
    let count = shop.spec.spans_per_trace as usize;
    let web: Text = format!("shop-web-{service}").into();
    let mut spans = Vec::with_capacity(count);
    spans.push(entry(shop, trace, &web, service, resource, start_ns, has_error));
    // The last query, call or command fails, and with it what it was done for.
    let failing = (1..count).rev().find(|index| step_of(*index) != Step::Inner);
    let mut parent = 0;
    for index in 1..count {
        let step = step_of(index);
        if step == Step::Inner {
            parent = 0;
        }
        let mut span = child(shop, step, &web, &spans[parent]);
        span.start_ns = start_ns + index as u64 * 120_000;
        span.parent_id = spans[parent].span_id;
        if has_error && Some(index) == failing {
            fail(shop, &mut span);
            let above = &mut spans[parent];
            if above.parent_id != 0 {
                fail(shop, above);
            }
        }
        if step == Step::Inner {
            parent = index;
        }
        spans.push(span);
    }
    let longest = spans.iter().map(|span| span.start_ns + span.duration_ns).max();
    spans[0].duration_ns = longest.unwrap_or(start_ns) - start_ns + 250_000;
    if has_error {
        fail(shop, &mut spans[0]);
    }
    let dialect = shop.dialect;
    for span in &mut spans {
        if dialect.has_threads {
            span.put("thread.name", "http-nio-8080-exec-7");
            span.measure("thread.id", 63.0);
        }
        if dialect.has_env_everywhere && span.parent_id != 0 {
            span.put("env", ENV);
            span.put("version", APP_VERSION);
            span.put("language", dialect.language);
        }
    }
    trace.spans = spans;
}

fn step_of(index: usize) -> Step {
    STEPS[(index - 1) % STEPS.len()]
}

fn entry(
    shop: &mut Shop<'_>,
    trace: &Trace,
    web: &Text,
    service: u32,
    resource: u64,
    start_ns: u64,
    has_error: bool,
) -> Span {
    let dialect = shop.dialect;
    let thing = THINGS[index_of(resource, THINGS.len())];
    let route = format!("/api/v2/{thing}/{resource}/:id");
    let number = shop.rng.below(1_000_000);
    let url = format!(
        "https://shop.example.com/api/v2/{thing}/{resource}/{number}?page=2&session={:016x}",
        shop.rng.draw()
    );
    let agent = AGENTS[index_of(number, AGENTS.len())];
    let ip = format!("203.0.{}.{}", shop.rng.below(256), shop.rng.below(256));
    let status = if has_error { "500" } else { "200" };
    let mut span = Span {
        service: web.clone(),
        name: dialect.entry.name.into(),
        resource: format!("GET {route}").into(),
        span_type: "web".into(),
        span_id: shop.id(),
        parent_id: 0,
        start_ns,
        duration_ns: 0,
        is_error: false,
        meta: Vec::new(),
        metrics: Vec::new(),
    };
    span.put("component", dialect.entry.component);
    span.put("span.kind", "server");
    span.put("http.method", "GET");
    span.put("http.url", url);
    span.put("http.status_code", status);
    span.put("http.route", route);
    span.put("http.useragent", agent);
    span.put("http.client_ip", ip);
    span.put("runtime-id", shop.runtime_id(service));
    span.put("language", dialect.language);
    span.put("env", ENV);
    span.put("version", APP_VERSION);
    span.put("_dd.p.tid", format!("{:016x}", trace.id >> 64));
    span.measure("_dd.top_level", 1.0);
    span.measure("_dd.measured", 1.0);
    span.measure("process_id", 17.0);
    span.measure("_sampling_priority_v1", if trace.is_kept { 1.0 } else { 0.0 });
    if trace.is_kept {
        span.put("_dd.p.dm", "-1");
        span.measure("_dd.agent_psr", 0.1);
    }
    span
}

fn child(shop: &mut Shop<'_>, step: Step, web: &Text, above: &Span) -> Span {
    let dialect = shop.dialect;
    let span_id = shop.id();
    let duration_ns = 20_000 + shop.rng.below(4_000_000);
    let base =
        |operation: Operation, service: Text, resource: Text, span_type: &'static str| Span {
            service,
            name: operation.name.into(),
            resource,
            span_type: Text::from(span_type),
            span_id,
            parent_id: above.span_id,
            start_ns: 0,
            duration_ns,
            is_error: false,
            meta: vec![("component".into(), operation.component.into())],
            metrics: Vec::new(),
        };
    let mut span = match step {
        Step::Inner => {
            let function = format!("shop.views.{}", THINGS[index_of(span_id, THINGS.len())]);
            base(dialect.inner, web.clone(), function.into(), "")
        }
        Step::Sql => {
            let service = service_of(dialect.sql_service, web, "-postgres");
            let mut span = base(dialect.sql, service, statement(&mut shop.rng).into(), "sql");
            span.put("db.system", "postgresql");
            span.put("db.name", "shop");
            span.put("db.user", "shop_rw");
            span.put("out.host", "db-primary.internal");
            let rows = f64::from(u8::try_from(shop.rng.below(100)).unwrap_or(0));
            span.measure("network.destination.port", 5432.0);
            span.measure("db.row_count", rows);
            span
        }
        Step::Redis => {
            let service = service_of(dialect.redis_service, web, "-redis");
            let mut span = base(dialect.redis, service, "GET".into(), "redis");
            let command = format!("GET session:{:016x}:profile", shop.rng.draw());
            span.put("db.system", "redis");
            span.put("out.host", "cache-1.internal");
            span.put("redis.raw_command", command);
            span.measure("network.destination.port", 6379.0);
            span.measure("out.redis_db", 0.0);
            span.measure("redis.args_length", 2.0);
            span
        }
        Step::Call => {
            let number = shop.rng.below(1_000_000);
            let mut span = base(dialect.call, web.clone(), "GET /v1/prices/?".into(), "http");
            let url = format!("http://pricing.internal:8080/v1/prices/{number}?currency=EUR");
            span.put("http.method", "GET");
            span.put("http.url", url);
            span.put("http.status_code", "200");
            span.put("out.host", "pricing.internal");
            span.measure("network.destination.port", 8080.0);
            span
        }
    };
    if step != Step::Inner {
        span.put("span.kind", "client");
        span.measure("_dd.measured", 1.0);
    }
    if span.service != *web {
        span.put("_dd.base_service", web.clone());
        span.measure("_dd.top_level", 1.0);
    }
    span
}

fn service_of(shared: &'static str, web: &Text, suffix: &str) -> Text {
    if shared.is_empty() { format!("{web}{suffix}").into() } else { shared.into() }
}

/// A statement with literals.
fn statement(rng: &mut Rng) -> String {
    let (id, other) = (rng.below(1_000_000), rng.below(10_000));
    match rng.below(6) {
        0 => format!(
            "SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer_id \
             WHERE o.id = {id} AND o.state IN ('open', 'paid') ORDER BY o.created_at DESC LIMIT 20"
        ),
        1 => format!(
            "INSERT INTO order_items (order_id, sku, quantity, price) VALUES ({id}, 'SKU-{other}', \
             3, 19.99), ({id}, 'SKU-{id}', 1, 5.49) RETURNING id"
        ),
        2 => {
            format!("UPDATE carts SET touched_at = now(), items = {other} WHERE session = '{id:x}'")
        }
        3 => format!(
            "SELECT \"users\".\"id\", \"users\".\"email\", \"users\".\"created_at\" FROM \"users\" \
             WHERE \"users\".\"email\" = 'customer{id}@example.com' LIMIT 1"
        ),
        4 => format!("DELETE FROM sessions WHERE expires_at < {id} AND id NOT IN (1, 2, {other})"),
        _ => format!(
            "WITH recent AS (SELECT product_id, count(*) AS n FROM views WHERE at > '2026-11-{:02}' \
             GROUP BY product_id) SELECT p.id, p.name, r.n FROM products p LEFT JOIN recent r ON \
             r.product_id = p.id WHERE p.price BETWEEN {other}.50 AND {id} -- hot products",
            rng.below(28) + 1
        ),
    }
}

/// Marks a span as failed, with its message and stack.
fn fail(shop: &mut Shop<'_>, span: &mut Span) {
    let dialect = shop.dialect;
    let key = shop.rng.below(100_000);
    let message = format!(
        "duplicate key value violates unique constraint \"orders_pkey\": Key (id)=({key}) already \
         exists."
    );
    let stack =
        format!("{}: {message}\n{}", dialect.error_type, dialect.frame.repeat(STACK_FRAMES));
    span.is_error = true;
    span.put("error.type", dialect.error_type);
    span.put("error.message", message);
    span.put("error.stack", stack);
}

/// A number as an index below `count`.
fn index_of(number: u64, count: usize) -> usize {
    usize::try_from(number % count as u64).unwrap_or(0)
}
