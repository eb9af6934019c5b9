//! Tags of containers, without any container: the tagger state of a capture says who the senders
//! were. spec: dogstatsd §12.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use bed::{Agent, Bed, Settings, WAIT_MAX, wait_for};
use capture::{Compression, Record, Writer};
use entity::{EntityTags, TaggerEntity, TaggerState};
use serde_json::json;

use crate::capture_files::replay;
use crate::deliver::{send, tags_of};

const CONTAINER: &str =
    "container_id://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// No process of this machine: beyond the largest process id.
const PID: i32 = 4_999_999;

fn state() -> TaggerState {
    let tags = |list: &[&str]| list.iter().map(|tag| Arc::from(*tag)).collect();
    let entity = TaggerEntity {
        name: CONTAINER.into(),
        hash: "1".into(),
        tags: EntityTags {
            low: tags(&["image:shop"]),
            orchestrator: tags(&["pod:shop-1"]),
            high: tags(&["container:shop-1-web"]),
            standard: tags(&["env:prod"]),
        },
    };
    TaggerState { entities: vec![entity], pids: vec![(PID, CONTAINER.into())] }
}

fn with_origins(bed: &Bed) -> Settings {
    let settings = bed.settings().set("dogstatsd_origin_detection", true);
    settings.set("dogstatsd_origin_detection_client", true)
}

/// Gives the agent the state and waits until its lanes know it: they take it between two batches.
fn load_state(agent: &Agent) {
    let loaded = agent.ask("POST", "/dogstatsd/replay-state", &capture::encode_state(&state()));
    assert!(loaded.expect("an agent that answers").is_success());
    let id = CONTAINER.trim_start_matches("container_id://");
    let mut probes = 0;
    let is_known = wait_for(WAIT_MAX, || {
        probes += 1;
        send(agent, &[&format!("probe.{probes}:1|c|c:ci-{id}")]);
        let top = agent.ask("GET", "/dogstatsd/top?by=origin", &[]).expect("an agent that answers");
        top.text().contains(CONTAINER).then_some(())
    });
    assert!(is_known.is_some(), "no lane knows the container:\n{}", agent.log());
}

/// Packets replayed as root carry the recorded sender, whose container the state names.
#[test]
fn replayed_packets_get_the_tags_of_their_senders() {
    if !rustix::process::geteuid().is_root() {
        println!("not tested: sending in the name of another group takes root");
        return;
    }
    let bed = Bed::new();
    let agent = bed.start(&with_origins(&bed));
    let path = bed.path("recorded.dog");
    let file = File::create(&path).expect("a writable directory");
    let mut writer = Writer::new(file, Compression::None).expect("a capture file");
    for (at, payload) in
        ["from.peer:1|c", "from.peer:1|c|#dd.internal.card:high"].iter().enumerate()
    {
        let record = Record {
            unix_ns: 1_700_000_000_000_000_000 + i64::try_from(at).expect("few records"),
            pid: PID,
            payload: payload.as_bytes(),
            ancillary: &[],
        };
        writer.write(&record).expect("a writable file");
    }
    writer.finish(&state()).expect("a writable file");
    load_state(&agent);
    replay(&agent, &path);
    let finished = bed.finish(agent);
    let mut tag_sets: Vec<String> =
        finished.contents.named("from.peer").map(|metric| metric.tags.join(",")).collect();
    tag_sets.sort();
    tag_sets.dedup();
    let expected = ["container:shop-1-web,env:prod,image:shop,pod:shop-1", "env:prod,image:shop"];
    assert_eq!(tag_sets, expected);
}

/// Clients that name their container are believed when the configuration says so.
#[test]
fn named_containers_get_their_tags() {
    let bed = Bed::new();
    let agent = bed.start(&with_origins(&bed).set("dogstatsd_tag_cardinality", "orchestrator"));
    load_state(&agent);
    let id = CONTAINER.trim_start_matches("container_id://");
    let named = format!("named:1|c|#a:b|c:ci-{id}");
    let low = format!("low:1|c|c:{id}|card:low");
    let none = format!("none:1|c|#a:b|c:ci-{id}|card:none");
    send(&agent, &[&named, &low, &none, "unknown:1|c|#a:b|c:ci-bbbb"]);
    let finished = bed.finish(agent);
    assert_eq!(tags_of(&finished, "named"), ["a:b", "env:prod", "image:shop", "pod:shop-1"]);
    assert_eq!(tags_of(&finished, "low"), ["env:prod", "image:shop"]);
    assert_eq!(tags_of(&finished, "none"), ["a:b"]);
    assert_eq!(tags_of(&finished, "unknown"), ["a:b"]);
}

/// Sends two equal lines in an HTTP request with further headers.
fn send_over_http(bed: &Bed, name: &str, header: &str) {
    let address = bed.trace_url(false).replace("http://", "");
    let body = format!("{name}:1|c|#a:b\n{name}:1|c|#a:b");
    let mut stream = TcpStream::connect(address).expect("the agent listens");
    let length = body.len();
    write!(
        stream,
        "POST /dogstatsd/v2/proxy HTTP/1.1\r\nHost: bed\r\nConnection: close\r\n\
         {header}Content-Length: {length}\r\n\r\n{body}"
    )
    .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// Lines that come in an HTTP request are those of the container that the request comes from.
#[test]
fn lines_over_http_get_the_tags_of_their_container() {
    let bed = Bed::new();
    let agent = bed.start(&with_origins(&bed));
    load_state(&agent);
    let id = CONTAINER.trim_start_matches("container_id://");
    send_over_http(&bed, "known", &format!("Datadog-Container-ID: {id}\r\n"));
    send_over_http(&bed, "unknown", "");
    let finished = bed.finish(agent);
    assert_eq!(tags_of(&finished, "known"), ["a:b", "env:prod", "image:shop"]);
    assert_eq!(tags_of(&finished, "unknown"), ["a:b"]);
    assert!((finished.contents.total_of("known") - 2.0).abs() < 1e-9);
}

/// By default nobody is believed.
#[test]
fn named_containers_mean_nothing_by_default() {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings().set("dogstatsd_tags", json!([])));
    let loaded = agent.ask("POST", "/dogstatsd/replay-state", &capture::encode_state(&state()));
    assert!(loaded.expect("an agent that answers").is_success());
    let id = CONTAINER.trim_start_matches("container_id://");
    send(&agent, &[&format!("named:1|c|#a:b|c:ci-{id}|e:it-false,cn-web,pu-x|card:high")]);
    send_over_http(&bed, "over.http", &format!("Datadog-Container-ID: {id}\r\n"));
    let finished = bed.finish(agent);
    assert_eq!(tags_of(&finished, "named"), ["a:b"]);
    assert_eq!(tags_of(&finished, "over.http"), ["a:b"]);
}
