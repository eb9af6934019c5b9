//! Groups of stats that tracers computed, put through the rules for spans. spec: apm §9.6.

use std::sync::Arc;

use obfuscate::{Change, normalize, redis};
use stats::{ClientPayload, ClientRules, RequestFacts};

use crate::replace::Rewriter;
use crate::settings::Settings;
use crate::truncate;

/// Stands for a statement that cannot be read.
const NON_PARSABLE: &str = "Non-parsable SQL query";

/// Applies the rules to the stats of clients; one for the process.
#[derive(Debug)]
pub struct ClientProcessor {
    settings: Arc<Settings>,
    sql: sql::Obfuscator,
    rewriter: Rewriter,
}

impl ClientProcessor {
    /// A processor with the rules of these settings. `sql_cache_bytes` is what it may use to
    /// remember statements.
    #[must_use]
    pub fn new(settings: Arc<Settings>, sql_cache_bytes: usize) -> Self {
        let sql = sql::Obfuscator::with_cache(settings.obfuscation.sql.clone(), sql_cache_bytes);
        let rewriter = Rewriter::new(&settings.replace_rules);
        Self { settings, sql, rewriter }
    }

    /// Feature `disable_cid_stats`: stats go without their container.
    #[must_use]
    pub fn is_container_id_left_out(&self) -> bool {
        self.settings.features.is_container_id_left_out
    }

    /// Normalises and obfuscates all groups of a payload. Returns the hits of those that were
    /// dropped because their resource is ignored.
    pub fn process(&mut self, payload: &mut ClientPayload, facts: &RequestFacts<'_>) -> u64 {
        let Self { settings, sql, rewriter } = self;
        let resource_bytes_max = truncate::resource_bytes_max(settings.features.is_big_resource);
        let mut scratch = String::new();
        let mut rules = ClientRules {
            normalize_tag_value: &mut |text| {
                rewrite(text, |value, out| normalize::tag_value(value.as_bytes(), out));
            },
            normalize_service: &mut |text, language| {
                rewrite(text, |value, out| {
                    normalize::service(value.as_bytes(), language, out).change
                });
            },
            normalize_name: &mut |text| {
                rewrite(text, |value, out| normalize::name(value.as_bytes(), out).change);
            },
            truncate_resource: &mut |text| {
                let len = normalize::cut_str(text, resource_bytes_max).len();
                text.truncate(len);
            },
            is_ignored: &mut |resource| {
                settings.ignore_resources.iter().any(|pattern| pattern.matches(resource))
            },
            obfuscate: &mut |text, span_type, db_type| match span_type {
                "sql" | "cassandra" => {
                    scratch.clear();
                    match sql.obfuscate(text, db_type) {
                        Ok(done) => scratch.push_str(done.text),
                        Err(_) => scratch.push_str(NON_PARSABLE),
                    }
                    text.clone_from(&scratch);
                }
                "redis" | "valkey" => rewrite(text, redis::quantize),
                _ => {}
            },
            replace: &mut |resource, http_status| {
                rewriter.apply_to_group(&settings.replace_rules, resource, http_status);
            },
        };
        payload.process(facts, &mut rules)
    }
}

fn rewrite(text: &mut String, rule: impl FnOnce(&str, &mut String) -> Change) {
    let mut out = String::new();
    if rule(text, &mut out).is_written() {
        *text = out;
    }
}

#[cfg(test)]
mod tests {
    use stats::{ClientBucket, ClientGroup};

    use super::*;
    use crate::{Pattern, ReplaceRule};

    fn group(span_type: &str, resource: &str) -> ClientGroup {
        ClientGroup {
            service: "Web Shop".into(),
            name: "db query".into(),
            resource: resource.into(),
            span_type: span_type.into(),
            hits: 3,
            http_status: 404,
            ..ClientGroup::default()
        }
    }

    fn processed(
        settings: Settings,
        groups: Vec<ClientGroup>,
        is_obfuscated: bool,
    ) -> (ClientPayload, u64) {
        let mut payload = ClientPayload {
            buckets: vec![ClientBucket { groups, ..ClientBucket::default() }],
            ..ClientPayload::default()
        };
        let facts = RequestFacts { agent_env: "prod", is_obfuscated, ..RequestFacts::default() };
        let ignored = ClientProcessor::new(Arc::new(settings), 0).process(&mut payload, &facts);
        (payload, ignored)
    }

    #[test]
    fn groups_are_normalised_and_obfuscated() {
        let groups = vec![
            group("sql", "SELECT * FROM t WHERE a = 42"),
            group("redis", "get  secret"),
            group("web", ""),
        ];
        let (payload, ignored) = processed(Settings::default(), groups.clone(), false);
        let of = |n: usize| &payload.buckets[0].groups[n];
        assert_eq!((of(0).service.as_str(), of(0).name.as_str()), ("web_shop", "db_query"));
        assert_eq!(of(0).resource, "SELECT * FROM t WHERE a = ?");
        assert_eq!((of(1).resource.as_str(), of(2).resource.as_str()), ("GET", "db_query"));
        assert_eq!((payload.env.as_str(), ignored), ("prod", 0));
        let (kept, _) = processed(Settings::default(), groups, true);
        assert_eq!(kept.buckets[0].groups[0].resource, "SELECT * FROM t WHERE a = 42");
    }

    #[test]
    fn rules_replace_resource_and_status_and_ignore_groups() {
        let settings = Settings {
            ignore_resources: vec![Pattern::new("test", "^/health").unwrap()],
            replace_rules: vec![
                ReplaceRule::new(0, "resource.name", "[0-9]+", "N").unwrap(),
                ReplaceRule::new(1, "http.status_code", "^404$", "200").unwrap(),
            ],
            ..Settings::default()
        };
        let groups = vec![group("web", "/users/7"), group("web", "/health")];
        let (payload, ignored) = processed(settings, groups, false);
        assert_eq!(ignored, 3);
        let [left] = &payload.buckets[0].groups[..] else { panic!("one group is left") };
        assert_eq!((left.resource.as_str(), left.http_status), ("/users/N", 200));
    }
}
