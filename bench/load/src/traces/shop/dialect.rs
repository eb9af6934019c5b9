//! What differs between the tracers of the languages.

use crate::traces::Language;

/// Names, tags and headers of one language's tracer.
#[derive(Clone, Copy, Debug)]
pub(in crate::traces) struct Dialect {
    /// Header `Datadog-Meta-Lang`.
    pub(in crate::traces) lang: &'static str,
    pub(in crate::traces) lang_version: &'static str,
    pub(in crate::traces) interpreter: &'static str,
    pub(in crate::traces) tracer_version: &'static str,
    /// Tag `language` of the entry span.
    pub(super) language: &'static str,
    pub(super) entry: Operation,
    pub(super) inner: Operation,
    pub(super) sql: Operation,
    pub(super) redis: Operation,
    pub(super) call: Operation,
    /// Service of the database; empty appends `-postgres` and `-redis` to the web service's name.
    pub(super) sql_service: &'static str,
    pub(super) redis_service: &'static str,
    /// Whether every span names the thread.
    pub(super) has_threads: bool,
    /// Whether every span carries environment, version and language.
    pub(super) has_env_everywhere: bool,
    pub(super) error_type: &'static str,
    /// A line of a stack, repeated for each frame.
    pub(super) frame: &'static str,
    /// Whether lengths and numbers are written in full width.
    pub(in crate::traces) is_wide: bool,
    /// Whether ids come first in a span's map.
    pub(in crate::traces) has_ids_first: bool,
    /// Whether v1.0 has its chunks first and keys of two bytes.
    pub(in crate::traces) has_chunks_first: bool,
}

/// An operation and the integration that traces it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) component: &'static str,
}

const fn operation(name: &'static str, component: &'static str) -> Operation {
    Operation { name, component }
}

impl Dialect {
    pub(super) const fn of(language: Language) -> Self {
        match language {
            Language::Python => PYTHON,
            Language::Node => NODE,
            Language::Go => GO,
            Language::Java => JAVA,
        }
    }
}

const PYTHON: Dialect = Dialect {
    lang: "python",
    lang_version: "3.12.4",
    interpreter: "CPython",
    tracer_version: "3.15.0",
    language: "python",
    entry: operation("flask.request", "flask"),
    inner: operation("flask.dispatch_request", "flask"),
    sql: operation("postgres.query", "psycopg"),
    redis: operation("redis.command", "redis"),
    call: operation("requests.request", "requests"),
    sql_service: "postgres",
    redis_service: "redis",
    has_threads: false,
    has_env_everywhere: false,
    error_type: "psycopg.errors.UniqueViolation",
    frame: "  File \"/usr/src/app/shop/orders/repository.py\", line 214, in save_order\n    \
            cursor.execute(statement, parameters)\n",
    is_wide: false,
    has_ids_first: true,
    has_chunks_first: true,
};

const NODE: Dialect = Dialect {
    lang: "nodejs",
    lang_version: "v22.4.0",
    interpreter: "v8",
    tracer_version: "5.70.0",
    language: "javascript",
    entry: operation("express.request", "express"),
    inner: operation("express.middleware", "express"),
    sql: operation("pg.query", "pg"),
    redis: operation("redis.command", "ioredis"),
    call: operation("http.request", "http"),
    sql_service: "",
    redis_service: "",
    has_threads: false,
    has_env_everywhere: true,
    error_type: "DatabaseError",
    frame: "    at OrderRepository.save (/usr/src/app/node_modules/shop/lib/orders/repository.js:\
            214:17)\n",
    is_wide: true,
    has_ids_first: true,
    has_chunks_first: false,
};

const GO: Dialect = Dialect {
    lang: "go",
    lang_version: "go1.24.4",
    interpreter: "gc-amd64-linux",
    tracer_version: "v2.3.0",
    language: "go",
    entry: operation("http.request", "net/http"),
    inner: operation("shop.handle", "shop"),
    sql: operation("postgres.query", "database/sql"),
    redis: operation("redis.command", "redis/go-redis.v9"),
    call: operation("http.request", "net/http"),
    sql_service: "postgres.db",
    redis_service: "redis.client",
    has_threads: false,
    has_env_everywhere: false,
    error_type: "*pq.Error",
    frame: "github.com/example/shop/internal/orders.(*Repository).Save\n\t\
            /src/internal/orders/repository.go:214\n",
    is_wide: false,
    has_ids_first: false,
    has_chunks_first: false,
};

const JAVA: Dialect = Dialect {
    lang: "java",
    lang_version: "21.0.3",
    interpreter: "OpenJDK 64-Bit Server VM",
    tracer_version: "1.53.0",
    language: "jvm",
    entry: operation("servlet.request", "tomcat-server"),
    inner: operation("spring.handler", "spring-web-controller"),
    sql: operation("postgresql.query", "java-jdbc-prepared_statement"),
    redis: operation("redis.command", "redis-command"),
    call: operation("okhttp.request", "okhttp"),
    sql_service: "postgresql",
    redis_service: "redis",
    has_threads: true,
    has_env_everywhere: false,
    error_type: "org.postgresql.util.PSQLException",
    frame: "\tat com.example.shop.orders.OrderRepository.save(OrderRepository.java:214)\n",
    is_wide: false,
    has_ids_first: false,
    has_chunks_first: false,
};
