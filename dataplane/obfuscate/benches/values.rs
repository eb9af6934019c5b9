//! Costs of single values. The figures of the crate's documentation come from here.

use std::hint::black_box;
use std::time::Duration;

use corelane_obfuscate::http_url::UrlOptions;
use corelane_obfuscate::{Change, CommandScrubber, JsonBody};
use corelane_obfuscate::{cards, http_url, normalize, peer_ip, redis};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const BODY: &str = r#"{"query":{"bool":{"must":[{"match":{"title":"smith"}}],"filter":[{"exists":
{"field":"title"}}]}},"aggs":{"my_agg":{"terms":{"field":"user","size":10}}},"size":20,"from":100,
"_source":["title","id"],"sort":[{"_id":{"order":"desc"}}]}"#;

fn measure(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    value: &str,
    mut obfuscate: impl FnMut(&str, &mut String) -> Change,
) {
    let mut out = String::with_capacity(1 << 16);
    group.throughput(Throughput::Bytes(value.len() as u64));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            out.clear();
            obfuscate(black_box(value), &mut out)
        });
    });
}

fn values(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("values");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for (name, value) in [
        ("card/short", "GET"),
        ("card/text", "SELECT * FROM users"),
        ("card/address", "10.20.30.40:8126"),
        ("card/id", "8419672304182736455"),
        ("card/card", "4111 1111 1111 1111"),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| cards::is_card(black_box(value), false));
        });
    }
    measure(&mut group, "tag_value/clean", "my-service.prod-eu_1", |value, out| {
        normalize::tag_value(value.as_bytes(), out)
    });
    measure(&mut group, "tag_value/upper", "My-Service Prod EU 1", |value, out| {
        normalize::tag_value(value.as_bytes(), out)
    });
    measure(&mut group, "tag_value/unicode", "naïve Café Ünïcöde", |value, out| {
        normalize::tag_value(value.as_bytes(), out)
    });
    measure(&mut group, "service/clean", "my-service.prod-eu_1", |value, out| {
        normalize::service(value.as_bytes(), "go", out).change
    });
    measure(&mut group, "name/clean", "postgresql.query_rows", |value, out| {
        normalize::name(value.as_bytes(), out).change
    });
    measure(&mut group, "peer_ip/name", "orders-db.internal", peer_ip::quantize);
    measure(&mut group, "peer_ip/address", "10.20.30.40:5432", peer_ip::quantize);
    measure(&mut group, "redis/quantize", "SET user:1234:session abcdef EX 60", redis::quantize);
    measure(&mut group, "redis/obfuscate", "SET user:1234:session abcdef EX 60", redis::obfuscate);
    let url = "https://shop.example.com/orders/1234/items?page=2&session=abcdef";
    measure(&mut group, "url/plain", url, |value, out| {
        http_url::obfuscate(value, UrlOptions::default(), out)
    });
    let options = UrlOptions { remove_query_string: true, remove_path_digits: true };
    measure(&mut group, "url/options", url, |value, out| http_url::obfuscate(value, options, out));
    let mut body = JsonBody::new::<&str>([], []);
    measure(&mut group, "json", BODY, |value, out| body.obfuscate(value, &mut |_, _| true, out));
    let scrubber = CommandScrubber::new();
    let line = "java -Xmx512m -jar shop.jar --port 80 --db_password=secret --verbose";
    measure(&mut group, "command_line", line, |value, out| scrubber.scrub(value, out));
    group.finish();
}

criterion_group!(benches, values);
criterion_main!(benches);
