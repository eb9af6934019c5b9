//! Several intakes, and the way there.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bed::Bed;
use intake::{Intake, Options};
use serde_json::json;

use crate::deliver::{counted, send};

const SECOND_KEY: &str = "11111111111111111111111111111111";

/// A second intake gets everything too, and a dead third one does not hold the others.
#[test]
fn a_dead_endpoint_does_not_hold_the_others() {
    let bed = Bed::new();
    let second = Intake::start(Options::default()).expect("a second intake");
    let dead = Intake::start(Options::default()).expect("a third intake");
    dead.refuse_connections().expect("a port that can be closed");
    let settings = bed.settings().set("corelane.bucket_secs", 1).set(
        "additional_endpoints",
        json!({ second.url(): [SECOND_KEY], dead.url(): ["22222222222222222222222222222222"] }),
    );
    let agent = bed.start(&settings);
    send(&agent, &["both:5|c|#a:b", "_e{1,1}:a|b"]);
    for intake in [&bed.intake, &second] {
        let has_arrived = intake.store().wait_until(bed::WAIT_MAX, |contents| {
            contents.total_of("both") > 4.0 && contents.totals.events == 1
        });
        assert!(has_arrived, "before any stop:\n{}", agent.log());
    }
    let finished = bed.finish(agent);
    assert_eq!(counted(&finished, "both"), 5);
    let store = second.store();
    assert!((store.total_of("both") - 5.0).abs() < 1e-9);
    assert_eq!(store.violations(), []);
    assert!(store.requests().iter().all(|one| one.key.as_deref() == Some(SECOND_KEY)));
    let is_metrics = |one: &&status::EndpointStatus| one.data == "metrics";
    let status: Vec<_> = finished.snapshot.endpoints.iter().filter(is_metrics).collect();
    assert_eq!(status.len(), 3);
    assert_eq!(status.iter().filter(|one| one.queued > 0).count(), 1, "only the dead one waits");
}

/// Requests go through `proxy.http` in absolute form, those to this host never.
#[test]
fn the_proxy_is_used_for_other_hosts() {
    let bed = Bed::new();
    let proxy = Proxy::start(bed.intake.addr().to_string());
    // A name that only the proxy has to know.
    let elsewhere = format!("http://intake.invalid:{}", bed.intake.addr().port());
    let settings = bed.settings().set("dd_url", elsewhere).set("proxy.http", proxy.url());
    let agent = bed.start(&settings);
    send(&agent, &["proxied:2|c"]);
    let finished = bed.finish(agent);
    assert_eq!(counted(&finished, "proxied"), 2);
    assert!(proxy.connections() > 0, "nothing went through the proxy");

    let bed = Bed::new();
    let proxy = Proxy::start(bed.intake.addr().to_string());
    let agent = bed.start(&bed.settings().set("proxy.http", proxy.url()));
    send(&agent, &["direct:2|c"]);
    let finished = bed.finish(agent);
    assert_eq!(counted(&finished, "direct"), 2);
    assert_eq!(proxy.connections(), 0);
}

/// A forward proxy for one intake: whatever comes is carried there. Requests keep their absolute
/// form, which every HTTP server has to take.
struct Proxy {
    url: String,
    connections: Arc<AtomicUsize>,
}

impl Proxy {
    fn start(intake: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        // Ends with the test's process.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                let server = TcpStream::connect(&intake).expect("the intake");
                let back = (server.try_clone(), client.try_clone());
                thread::spawn(move || carry(client, server));
                if let (Ok(server), Ok(client)) = back {
                    thread::spawn(move || carry(server, client));
                }
            }
        });
        Self { url, connections }
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 8192];
    while let Ok(bytes @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..bytes]).is_err() {
            return;
        }
    }
    drop(to.shutdown(std::net::Shutdown::Write));
}
