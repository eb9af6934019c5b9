//! Settings that change names and tags. spec: dogstatsd §6, §15.2, §15.3.

use serde_json::json;
use signal::Counter;

use crate::deliver::{counted, deliver, names, only, tags_of};

#[test]
fn the_namespace_spares_its_blacklist() {
    let finished = deliver(
        |_, settings| settings.set("statsd_metric_namespace", "app"),
        &["page:1|c|#a:b,a:b", "jvm.heap:1|g", "jvmstuff:1|g", "x:1|g|#host:h9"],
    );
    assert_eq!(names(&finished), ["app.page", "app.x", "jvm.heap", "jvmstuff"]);
    assert_eq!(tags_of(&finished, "app.page"), ["a:b"]);
    assert_eq!(only(&finished, "app.x").host.as_deref(), Some("h9"));
}

#[test]
fn tags_are_added_to_everything() {
    let finished = deliver(
        |_, settings| settings.set("dogstatsd_tags", json!(["team:x"])),
        &["m:1|c|#a:b", "_e{1,1}:a|b", "_sc|up|0|h:h5|#host:h9"],
    );
    assert_eq!(tags_of(&finished, "m"), ["a:b", "team:x"]);
    assert_eq!(finished.contents.events.len(), 1);
    assert_eq!(finished.contents.events[0].tags, ["team:x"]);
    let check = finished.contents.checks.iter().find(|check| check.name == "up");
    let check = check.expect("the check arrived");
    assert_eq!((check.host.as_str(), check.tags.as_slice()), ("h5", &["team:x".to_owned()][..]));
}

#[test]
fn the_mapper_turns_parts_of_names_into_tags() {
    let profiles = json!([{
        "name": "jobs",
        "prefix": "job.",
        "mappings": [
            { "match": "job.duration.*.*", "name": "job.duration",
              "tags": { "kind": "$1", "job": "${2}_x" } },
            { "match": "job\\.(start|stop)\\.(.*)", "match_type": "regex", "name": "job.$1",
              "tags": { "job": "$2" } },
        ],
    }]);
    let finished = deliver(
        |_, settings| settings.set("dogstatsd_mapper_profiles", profiles),
        &["job.duration.nightly.copy:3|c", "job.start.a.b:1|c", "job.other:1|c", "x.job:1|c"],
    );
    assert_eq!(names(&finished), ["job.duration", "job.other", "job.start", "x.job"]);
    assert_eq!(tags_of(&finished, "job.duration"), ["job:copy_x", "kind:nightly"]);
    assert_eq!(tags_of(&finished, "job.start"), ["job:a.b"]);
}

#[test]
fn the_filter_list_drops_names_and_series_of_histograms() {
    let finished = deliver(
        |_, settings| settings.set("metric_filterlist", json!(["page", "lat.max"])),
        &["page:1:2|c", "page2:1|c", "lat:5|h"],
    );
    let expected = ["lat.95percentile", "lat.avg", "lat.count", "lat.median", "page2"];
    assert_eq!(names(&finished), expected);
    assert_eq!(finished.snapshot.total(Counter::DroppedFiltered), 2);
}

#[test]
fn the_filter_list_matches_prefixes_by_key() {
    let finished = deliver(
        |_, settings| {
            let settings = settings.set("metric_filterlist", json!(["page"]));
            settings.set("metric_filterlist_match_prefix", true)
        },
        &["page:1|c", "page2:1|c", "other:1|c"],
    );
    assert_eq!(names(&finished), ["other"]);
}

#[test]
fn the_tag_filter_list_joins_contexts() {
    let rules = json!([
        { "metric_name": "hits", "action": "exclude", "tags": ["user"] },
        { "metric_name": "kept", "action": "include", "tags": ["env"] },
    ]);
    let finished = deliver(
        |_, settings| settings.set("metric_tag_filterlist", rules),
        &["hits:1|c|#env:a,user:1", "hits:2|c|#env:a,user:2", "kept:1|c|#env:a,user:3,zone:b"],
    );
    assert_eq!(counted(&finished, "hits"), 3);
    assert_eq!(tags_of(&finished, "hits"), ["env:a"]);
    assert_eq!(tags_of(&finished, "kept"), ["env:a"]);
}
