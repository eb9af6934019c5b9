//! What is done to a request before it is aggregated. spec: apm §9.6, steps 1 to 3.
//!
//! Step 4 of the spec, uniting groups whose keys became equal, is what the aggregator does anyway:
//! counts of equal keys are summed and their sketches merged.

use super::{ClientGroup, ClientPayload};

/// What is known of a request besides its body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestFacts<'a> {
    /// Container id resolved from the connection and the headers.
    pub container_id: &'a str,
    /// Header `Datadog-Meta-Lang`.
    pub lang: &'a str,
    /// Header `Datadog-Meta-Tracer-Version`.
    pub tracer_version: &'a str,
    /// Environment of the agent.
    pub agent_env: &'a str,
    /// Feature `disable_cid_stats`.
    pub is_container_id_off: bool,
    /// Header `Datadog-Obfuscation-Version` is there and not empty.
    pub is_obfuscated: bool,
}

/// Rules that live in other crates.
pub struct ClientRules<'a> {
    /// Normalises a value of a tag.
    pub normalize_tag_value: &'a mut dyn FnMut(&mut String),
    /// Normalises a service; the second argument is the language.
    pub normalize_service: &'a mut dyn FnMut(&mut String, &str),
    /// Normalises the name of an operation.
    pub normalize_name: &'a mut dyn FnMut(&mut String),
    /// Cuts a resource at its limit.
    pub truncate_resource: &'a mut dyn FnMut(&mut String),
    /// Whether `ignore_resources` matches.
    pub is_ignored: &'a mut dyn FnMut(&str) -> bool,
    /// Obfuscates a resource; the other arguments are the type of the span and of the database.
    pub obfuscate: &'a mut dyn FnMut(&mut String, &str, &str),
    /// Applies `replace_tags` to the resource and the HTTP status.
    pub replace: &'a mut dyn FnMut(&mut String, &mut u32),
}

impl std::fmt::Debug for ClientRules<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientRules")
    }
}

impl ClientPayload {
    /// Fills in what the request tells and applies the rules to all groups. Returns the number of
    /// hits in groups that were dropped because their resource is ignored.
    pub fn process(&mut self, facts: &RequestFacts<'_>, rules: &mut ClientRules<'_>) -> u64 {
        facts.container_id.clone_into(&mut self.container_id);
        if facts.is_container_id_off {
            self.container_id.clear();
            self.tags.clear();
        }
        fill(&mut self.env, facts.agent_env);
        (rules.normalize_tag_value)(&mut self.env);
        fill(&mut self.tracer_version, facts.tracer_version);
        fill(&mut self.lang, facts.lang);

        let lang = &self.lang;
        let mut ignored_hits = 0_u64;
        for bucket in &mut self.buckets {
            bucket.groups.retain_mut(|group| {
                let is_kept = process_group(group, lang, facts.is_obfuscated, rules);
                if !is_kept {
                    ignored_hits = ignored_hits.saturating_add(group.hits);
                }
                is_kept
            });
        }
        ignored_hits
    }

    /// Hits of all groups.
    #[must_use]
    pub fn hits(&self) -> u64 {
        let groups = self.buckets.iter().flat_map(|bucket| &bucket.groups);
        groups.fold(0, |sum, group| sum.saturating_add(group.hits))
    }
}

/// Whether the group is kept.
fn process_group(
    group: &mut ClientGroup,
    lang: &str,
    is_obfuscated: bool,
    rules: &mut ClientRules<'_>,
) -> bool {
    (rules.normalize_name)(&mut group.name);
    (rules.normalize_service)(&mut group.service, lang);
    fill(&mut group.resource, &group.name);
    (rules.truncate_resource)(&mut group.resource);
    if (rules.is_ignored)(&group.resource) {
        return false;
    }
    if !is_obfuscated {
        (rules.obfuscate)(&mut group.resource, &group.span_type, &group.db_type);
    }
    (rules.replace)(&mut group.resource, &mut group.http_status);
    true
}

fn fill(text: &mut String, fallback: &str) {
    if text.is_empty() {
        text.push_str(fallback);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ClientBucket;

    fn group(resource: &str, hits: u64) -> ClientGroup {
        let mut group = ClientGroup { hits, name: "Op".to_owned(), ..ClientGroup::default() };
        resource.clone_into(&mut group.resource);
        group.service = "Web".to_owned();
        group.span_type = "sql".to_owned();
        group.db_type = "pg".to_owned();
        group
    }

    /// Rules that leave their mark, in the order in which they run.
    fn process(payload: &mut ClientPayload, facts: &RequestFacts<'_>) -> u64 {
        let mut rules = ClientRules {
            normalize_tag_value: &mut |env| *env = env.to_lowercase(),
            normalize_service: &mut |service, lang| *service = format!("{service}/{lang}"),
            normalize_name: &mut |name| *name = name.to_lowercase(),
            truncate_resource: &mut |resource| resource.truncate(8),
            is_ignored: &mut |resource| resource == "health",
            obfuscate: &mut |resource, span_type, db_type| {
                *resource = format!("{resource} {span_type} {db_type}");
            },
            replace: &mut |resource, status| {
                resource.push('!');
                *status = 418;
            },
        };
        payload.process(facts, &mut rules)
    }

    #[test]
    fn rules_run_in_order() {
        let groups = vec![group("SELECT 1234", 3), group("health", 5), group("", 7)];
        let mut payload = ClientPayload {
            container_id: "of the body".to_owned(),
            tags: vec!["a:1".to_owned()],
            buckets: vec![ClientBucket { groups, ..ClientBucket::default() }],
            ..ClientPayload::default()
        };
        assert_eq!(payload.hits(), 15);
        let facts = RequestFacts {
            container_id: "c1",
            lang: "go",
            tracer_version: "1.2",
            agent_env: "Prod",
            ..RequestFacts::default()
        };
        assert_eq!(process(&mut payload, &facts), 5);
        assert_eq!((&*payload.container_id, &*payload.env), ("c1", "prod"));
        assert_eq!((&*payload.lang, &*payload.tracer_version), ("go", "1.2"));
        assert_eq!(payload.tags, ["a:1"]);
        let groups = &payload.buckets[0].groups;
        assert_eq!(groups.len(), 2);
        assert_eq!((&*groups[0].name, &*groups[0].service), ("op", "Web/go"));
        assert_eq!((&*groups[0].resource, groups[0].http_status), ("SELECT 1 sql pg!", 418));
        assert_eq!(groups[1].resource, "op sql pg!");
    }

    #[test]
    fn what_the_body_tells_stays() {
        let mut payload = ClientPayload {
            env: "Stage".to_owned(),
            lang: "php".to_owned(),
            tags: vec!["a:1".to_owned()],
            buckets: vec![ClientBucket { groups: vec![group("x", 1)], ..ClientBucket::default() }],
            ..ClientPayload::default()
        };
        let facts = RequestFacts {
            container_id: "c1",
            lang: "go",
            agent_env: "prod",
            is_container_id_off: true,
            is_obfuscated: true,
            ..RequestFacts::default()
        };
        assert_eq!(process(&mut payload, &facts), 0);
        assert_eq!((&*payload.env, &*payload.lang, &*payload.container_id), ("stage", "php", ""));
        assert!(payload.tags.is_empty());
        assert_eq!(payload.buckets[0].groups[0].resource, "x!");
    }
}
