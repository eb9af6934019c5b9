//! The members of an archive about a running agent. spec: config §12.2

use std::fmt::Write as _;
use std::sync::Arc;

use config::Config;
use flare::{Content, Member};
use serde_json::{Value, json};
use status::{Snapshot, TopQuery};

use crate::coordinator::{Request, unix_secs};
use crate::host_name::Host;
use crate::source::Shared;

/// Names and tags listed of the contexts.
const TOP_MAX: usize = 1000;

/// What is told first is what is worth most if there is no room for all.
pub(super) fn members(shared: &Shared, config: &Arc<Config>) -> Vec<Member> {
    let snapshot = shared.snapshot();
    let version = super::version(&shared.version, unix_secs());
    let mut members = Vec::new();
    let mut text = |name: &str, text: String| {
        members.push(Member::new(name, move || Ok(Content::Text(text))));
    };
    text("status.log", status::text(&snapshot));
    text("health.yaml", health(shared));
    text("diagnose.log", diagnosis(&snapshot));
    text("logs/recent.log", (shared.recent_log)());
    if let Some(remote) = &snapshot.remote {
        text("remote-config-state.log", status::remote_text(remote));
    }
    text("telemetry.log", status::prometheus(&snapshot));
    members.extend(flare::members_of(&super::about(Arc::clone(config), version)));
    for (name, document) in [
        ("status.json", json!(snapshot)),
        ("expvar/vars.json", status::vars(&snapshot)),
        ("expvar/trace-agent.json", status::trace_vars(&snapshot)),
    ] {
        members.push(Member::new(name, move || Ok(Content::Json(document))));
    }
    let (name, settings) = (Arc::clone(&shared.host_name), Arc::clone(config));
    members.push(Member::new("metadata/host.json", move || {
        Ok(Content::Json(Host::named(name).metadata(&settings)))
    }));
    // Waits for the lanes, through a sender of its own: it may outlive this agent.
    let requests = shared.requests.clone();
    members.push(Member::new("dogstatsd/top.json", move || {
        let (reply, answer) = std::sync::mpsc::channel();
        let stopping = |_| "the agent is stopping".to_owned();
        requests.send(Request::Top(reply)).map_err(stopping)?;
        let contexts = answer.recv().map_err(|_| "the agent is stopping".to_owned())?;
        let rows: Vec<_> = contexts.into_iter().map(crate::source::top_row).collect();
        let query = TopQuery { groups_max: TOP_MAX, ..TopQuery::default() };
        Ok(Content::Json(json!(status::top_report(&rows, query))))
    }));
    members
}

/// As the Agent's health endpoint tells it, in YAML.
fn health(shared: &Shared) -> String {
    let mut text = String::new();
    let ready = shared.is_ready();
    let (live, is_ready) = (shared.is_live(), ready.is_ok());
    for (title, wanted) in [("Healthy", true), ("Unhealthy", false)] {
        text.push_str(title);
        text.push_str(":\n");
        for (name, state) in [("live", live), ("ready", is_ready)] {
            if state == wanted {
                text.push_str(&format!("- {name}\n"));
            }
        }
    }
    if let Err(reason) = ready {
        text.push_str(&format!("reason: {}\n", Value::from(reason)));
    }
    text
}

/// What is not as it should be, and what is.
fn diagnosis(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    let mut line = |is_good: bool, what: &str, detail: &str| {
        let verdict = if is_good { "SUCCESS" } else { "FAIL" };
        let colon = if detail.is_empty() { "" } else { ": " };
        let written = writeln!(text, "{verdict} {what}{colon}{detail}");
        debug_assert!(written.is_ok(), "writing to a string does not fail");
    };
    for one in &snapshot.listeners {
        line(one.is_bound, &format!("listener {} {}", one.transport, one.address), &one.error);
    }
    for one in &snapshot.endpoints {
        let what = format!("endpoint {} ({})", one.url, one.data);
        let is_good = one.key_valid != "invalid" && one.last_error.is_empty();
        let detail = format!("key {}, {}, {}", one.key_valid, one.state, one.last_error);
        line(is_good, &what, detail.trim_end_matches([',', ' ']));
    }
    for one in status::identities(snapshot) {
        line(one.holds, &format!("account {}", one.name), one.formula);
    }
    for note in &snapshot.notes {
        line(false, "note", note);
    }
    text
}
