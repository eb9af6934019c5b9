//! Time that jumps, and what is told then.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::refused::Cause;
use crate::signing::{Repository as Signed, delegation, head};
use crate::vectors::{NOW_SECS, Scenarios, settings};

const PATH: &str = "datadog/2/ASM/a/config";
const DAY: i64 = 86_400;

/// A clock that jumps, beside one that does not.
fn at(began: Instant, secs: i64) -> Now {
    let elapsed = Duration::from_secs(u64::try_from(secs).unwrap_or(0));
    let unix_ms = u64::try_from((NOW_SECS + secs) * 1000).expect("after 1970");
    Now { instant: began + elapsed, unix_ms }
}

fn service(signed: &Signed, began: Instant, is_updated: bool) -> Service {
    let mut settings = settings(&Scenarios::read());
    settings.anchors = Signed::anchors();
    let own = Own::new("7.82.0", &ring::rand::SystemRandom::new());
    let empty = Repositories::new(&settings.anchors);
    let next = empty.stage(signed.answer(), NOW_SECS).expect("good");
    let next = next.finish(&Organisation::default(), NOW_SECS).expect("good");
    let mut service = Service::new(Arc::new(settings), own, empty, at(began, 0));
    if is_updated {
        service.commit(next, Vec::new(), at(began, 0), 0.5);
    } else {
        // As a restart finds it in the store.
        service.repositories = Arc::new(next);
    }
    service
}

fn ask(service: &mut Service, now: Now) -> (u16, Value) {
    let body = json!({"client": {
        "state": {"root_version": 1}, "id": "c", "products": ["ASM"], "is_tracer": true,
        "client_tracer": {"runtime_id": "r", "language": "go"},
    }});
    let asked = service.ask(body.to_string().as_bytes(), |_| {}, now).expect("a good request");
    let reply = service.answer(&asked, now);
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
}

#[test]
fn a_clock_that_jumps_ahead_expires_and_one_that_jumps_back_revives() {
    let began = Instant::now();
    let signed = Signed { timestamp_expires: "2026-01-10T00:00:00Z", ..Signed::new(&[PATH]) };
    let mut service = service(&signed, began, true);
    assert_eq!(ask(&mut service, at(began, 0)).1["client_configs"], json!([PATH]));
    let (status, expired) = ask(&mut service, at(began, 9 * DAY));
    assert_eq!((status, &expired["config_status"]), (200, &json!(1)));
    assert!(expired["targets"].is_string() && expired.get("client_configs").is_none());
    assert_eq!(service.own_configurations(at(began, 9 * DAY)), Some(BTreeMap::new()));
    assert_eq!(ask(&mut service, at(began, 9 * DAY - 1)).1["client_configs"], json!([PATH]));
    assert_eq!(ask(&mut service, at(began, -DAY)).1["client_configs"], json!([PATH]));
}

#[test]
fn after_a_restart_what_expired_says_nothing() {
    let began = Instant::now();
    let signed = Signed { timestamp_expires: "2026-01-10T00:00:00Z", ..Signed::new(&[PATH]) };
    let mut service = service(&signed, began, false);
    assert_eq!(ask(&mut service, at(began, 0)).1["client_configs"], json!([PATH]));
    assert_eq!(ask(&mut service, at(began, 9 * DAY)), (200, json!({})));
    assert_eq!(service.own_configurations(at(began, 9 * DAY)), None);
}

#[test]
fn a_delegated_role_that_expires_is_noticed_within_a_minute() {
    let began = Instant::now();
    let mut signed = Signed::new(&[PATH]);
    signed.is_listed_at_top = false;
    signed.delegations = vec![delegation("r", true)];
    let mut role = head("targets", 1, "2026-01-01T00:00:30Z");
    role["targets"] = signed.targets();
    signed.roles = vec![("r".to_owned(), role, true)];
    let mut service = service(&signed, began, true);
    assert_eq!(ask(&mut service, at(began, 59)).0, 200, "checked less than a minute ago");
    assert_eq!(ask(&mut service, at(began, 60)).0, 500);
    assert_eq!(service.own_configurations(at(began, 60)), None, "what is in force stays");
}

#[test]
fn a_poll_says_what_is_had_and_what_went_wrong() {
    let began = Instant::now();
    let signed = Signed::new(&[PATH]);
    let mut service = service(&signed, began, false);
    let (request, new) = service.request(at(began, 0));
    assert_eq!(request.current_director_root_version, 0, "nothing is had after a start");
    assert_eq!(request.active_clients.len(), 1, "this agent");
    assert!(new.is_empty() && request.products.is_empty());
    ask(&mut service, at(began, 1));
    let (request, new) = service.request(at(began, 1));
    assert_eq!(new, ["ASM"]);
    assert_eq!(request.new_products, ["ASM"]);
    service.refused(&Refused::new(Cause::Rollback, "too old"), at(began, 2), 0.0);
    let (request, new) = service.request(at(began, 2));
    assert_eq!((request.has_error, &*request.error), (true, "tuf: too old"));
    assert_eq!(new, ["ASM"], "a failure does not make it known");
    let next = Repositories::clone(&service.repositories);
    service.commit(next, new, at(began, 3), 0.0);
    let (request, new) = service.request(at(began, 3));
    assert_eq!((request.products, new), (vec!["ASM".to_owned()], Vec::new()));
    assert_eq!(request.current_director_root_version, 1);
    assert!(!request.has_error);
    let (request, _) = service.request(at(began, 60));
    assert_eq!(request.active_clients.len(), 1, "the tracer is gone");
}

#[test]
fn a_client_that_finds_no_room_is_answered_and_not_remembered() {
    let began = Instant::now();
    let mut service = service(&Signed::new(&[PATH]), began, true);
    let mut settings = Settings::clone(&service.settings);
    settings.limits.clients_max = 1;
    let own = Own::new("7.82.0", &ring::rand::SystemRandom::new());
    let held = Repositories::clone(&service.repositories);
    service = Service::new(Arc::new(settings), own, held, at(began, 0));
    for id in ["a", "b"] {
        let body = json!({"client": {
            "state": {"root_version": 1}, "id": id, "products": ["ASM"], "is_tracer": true,
            "client_tracer": {"runtime_id": "r", "language": "go"},
        }});
        let asked = service.ask(body.to_string().as_bytes(), |_| {}, at(began, 0)).unwrap();
        assert_eq!(asked.wants_refresh, id == "a");
        let reply = service.answer(&asked, at(began, 0));
        assert!(String::from_utf8_lossy(&reply.body).contains(PATH), "{id}");
    }
    assert_eq!(service.counts.clients_refused, 1);
}
