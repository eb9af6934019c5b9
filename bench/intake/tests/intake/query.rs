//! The interface for tests in other languages.

use intake::{Intake, Route};
use serde_json::{Value, json};

use crate::client::{KEY, connect, get, head, post, request, series, start};

fn ask(intake: &Intake, name: &str) -> Value {
    let reply = get(intake, &format!("/_corelane/{name}")).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

fn tell(intake: &Intake, name: &str, value: &Value) -> u16 {
    let body = value.to_string();
    let head = head("POST", &format!("/_corelane/{name}"), body.len(), &[]);
    request(intake.addr(), &head, body.as_bytes()).unwrap().status
}

fn send(intake: &Intake, name: &str, timestamp_secs: i64) -> u16 {
    post(intake, Route::SeriesV1, &series(name, timestamp_secs, 4.0), &[]).unwrap().status
}

#[test]
fn the_store_can_be_read() {
    let intake = start();
    send(&intake, "a", 10);
    send(&intake, "b", 10);
    send(&intake, "b", 10);
    let metrics = ask(&intake, "metrics?name=a");
    assert_eq!(metrics[0]["points"], json!([[10, 4.0]]));
    assert_eq!(metrics[0]["tags"], json!(["env:prod"]));
    assert_eq!((&metrics[0]["host"], &metrics[0]["total"]), (&json!("web-1"), &json!(40.0)));
    assert_eq!(ask(&intake, "metrics").as_array().unwrap().len(), 3);
    assert_eq!(ask(&intake, "violations")[0]["rule"], "overwrites");
    let totals = ask(&intake, "wait?points=3&ms=30000");
    assert_eq!((&totals["points"], &totals["contexts"]), (&json!(3), &json!(2)));
    assert_eq!(totals["by_name"]["b"]["counted"], 80.0);
    for name in ["events", "checks", "metadata"] {
        assert_eq!(ask(&intake, name), json!([]), "{name}");
    }
    let requests = ask(&intake, "requests");
    assert_eq!((&requests[0]["route"], &requests[0]["status"]), (&json!("series_v1"), &json!(202)));
    assert!(!requests.to_string().contains(KEY));
    assert_eq!(tell(&intake, "reset", &json!({})), 200);
    assert_eq!(ask(&intake, "metrics"), json!([]));
}

#[test]
fn waiting_ends_after_its_time() {
    let intake = start();
    assert_eq!(get(&intake, "/_corelane/wait?points=1&ms=1").unwrap().status, 408);
    assert_eq!(get(&intake, "/_corelane/nothing").unwrap().status, 404);
}

#[test]
fn the_script_can_be_set() {
    let intake = start();
    let line = json!({"route": "series_v1", "times": 1, "action": "status", "value": 429});
    assert_eq!(tell(&intake, "behaviour", &line), 200);
    assert_eq!([send(&intake, "a", 1), send(&intake, "a", 1)], [429, 202]);
    assert_eq!(tell(&intake, "behaviour", &json!([line, {"action": "status", "value": 500}])), 200);
    assert_eq!([send(&intake, "a", 2), send(&intake, "a", 2)], [429, 500]);
    assert_eq!(tell(&intake, "behaviour", &json!({"script": [], "keys": ["other"]})), 200);
    assert_eq!(send(&intake, "a", 3), 403);
    assert_eq!(tell(&intake, "behaviour", &json!({"action": "fly"})), 400);
    assert_eq!(tell(&intake, "behaviour", &json!({"keys": [], "refuse_ms": 600_000})), 200);
    // The port closes a moment after the answer has left, and not again for a long time.
    while connect(intake.addr()).is_ok() {}
    intake.accept_connections().unwrap();
    assert_eq!(send(&intake, "a", 4), 202);
}
