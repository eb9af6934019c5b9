//! The longest body, and one byte more.

use bed::Bed;

use super::client::{Client, head};
use super::{counter, quick, refused, send_all, spec, wait_traces};

/// What a body may take. spec: apm §3
const BODY_BYTES_MAX: usize = 26_214_400;

/// One trace of one span, filled up to a length by one long tag.
fn body_of(length: usize) -> Vec<u8> {
    let mut body = vec![0x91, 0x91, 0x85];
    for (key, value) in [("service", "filler"), ("name", "fill"), ("resource", "fill")] {
        for text in [key, value] {
            body.push(0xa0 | u8::try_from(text.len()).expect("short"));
            body.extend_from_slice(text.as_bytes());
        }
    }
    for (key, number) in [("trace_id", 7), ("span_id", 8)] {
        body.push(0xa0 | u8::try_from(key.len()).expect("short"));
        body.extend_from_slice(key.as_bytes());
        body.push(number);
    }
    // One more key of the same map.
    body[2] = 0x86;
    body.extend_from_slice(b"\xa4meta\x81\xa6filler\xdb");
    let filler = length - body.len() - 4;
    body.extend_from_slice(&u32::try_from(filler).expect("a short filler").to_be_bytes());
    body.resize(length, b'x');
    body
}

const GO: &str = "Content-Type: application/msgpack\r\nDatadog-Meta-Lang: go\r\n\
                  Datadog-Meta-Tracer-Version: 2.4.0\r\nX-Datadog-Trace-Count: 900\r\n";

#[test]
fn a_body_of_the_limit_is_accepted_and_one_byte_more_is_not() {
    let bed = Bed::new();
    let agent = bed.start(&quick(&bed));
    assert_eq!(Client::unix(&bed).put("/v0.4/traces", GO, &body_of(BODY_BYTES_MAX)).status, 200);

    // Announced too long: refused before it is read.
    let answer = Client::tcp(&bed).put("/v0.4/traces", GO, &body_of(BODY_BYTES_MAX + 1));
    assert_eq!((answer.status, &*answer.body), (413, "payload-too-large\n"));

    // Not announced: refused when the limit is passed.
    let mut client = Client::unix(&bed);
    let start = format!(
        "PUT /v0.4/traces HTTP/1.1\r\nHost: a\r\n{GO}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        BODY_BYTES_MAX + 1
    );
    client.write(start.as_bytes()).expect("an open connection");
    let body = body_of(BODY_BYTES_MAX + 1);
    let written = client.write(&body).and_then(|()| client.write(b"\r\n0\r\n\r\n"));
    let answer = client.answer().unwrap_or_else(|| panic!("no answer: {written:?}"));
    assert_eq!((answer.status, &*answer.body), (413, "payload-too-large\n"));

    let status = wait_traces(&agent, "refusals are counted", |traces| {
        refused(traces, "go").is_some_and(|row| counter(&row.requests, "too_large") == 2)
    });
    let go = refused(&status, "go").expect("looked at above");
    assert_eq!((&*go.tracer_version, go.traces), ("2.4.0", 1800));
    assert_eq!(go.largest_body_bytes, BODY_BYTES_MAX as u64 + 1);
    let text = String::from_utf8_lossy(&agent.command(&["status"]).stdout).into_owned();
    assert!(text.contains("2 too large"), "{text}");

    let accepted = send_all(spec(&bed));
    let finished = bed.finish(agent);
    let traces = &finished.contents.totals.traces;
    assert_eq!((traces.chunks, traces.spans), (accepted.chunks + 1, accepted.spans + 1));
    let memory = finished.snapshot.memory.rss_bytes;
    assert!(memory < 300 << 20, "{memory} bytes are resident");
}

/// A client that asks first is told before it sends anything.
#[test]
fn a_client_that_asks_first_is_told_at_once() {
    let bed = Bed::new();
    let agent = bed.start(&quick(&bed));
    let mut client = Client::unix(&bed);
    let headers = format!("{GO}Expect: 100-continue\r\n");
    let head = head("/v0.4/traces", &headers, BODY_BYTES_MAX + 1);
    client.write(head.as_bytes()).expect("an open connection");
    assert_eq!(client.answer().map(|answer| answer.status), Some(413));
    bed.finish(agent);
}
