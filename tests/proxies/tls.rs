//! Routes that speak TLS alone, through a proxy that leads every host to one intake.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use bed::Bed;
use intake::{Intake, Options, Request};

use crate::client::ask;
use crate::upstream::{Answer, Upstream};
use crate::{proxy, settings};

/// A proxy that opens every tunnel to the same address.
struct Tunnels {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Tunnels {
    fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let targets = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), targets) = (stream, Arc::clone(&targets)) else { return };
                // A tunnel that breaks is noticed at its ends.
                thread::spawn(move || drop(open(stream, to, &targets)));
            }
        });
        Self { address, asked }
    }
}

fn open(client: TcpStream, to: SocketAddr, targets: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    targets.lock().expect("no panic").push(target);
    while !line.trim_end().is_empty() {
        line.clear();
        reader.read_line(&mut line)?;
    }
    let intake = TcpStream::connect(to)?;
    (&client).write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut up, mut back) = (intake.try_clone()?, client);
    thread::spawn(move || drop(io::copy(&mut reader, &mut up)));
    io::copy(&mut (&intake), &mut back)?;
    Ok(())
}

fn request_of(intake: &Intake, path: &str) -> Request {
    let is_it = |request: &&Request| request.path == path;
    let store = intake.store();
    let is_there =
        store.wait_until(bed::WAIT_MAX, |now| now.requests.iter().any(|one| one.path == path));
    assert!(is_there, "no request for {path}");
    store.read(|now| now.requests.iter().find(is_it).cloned()).expect("it is there")
}

/// Names and values without those of the connection.
fn shown(request: &Request) -> Vec<String> {
    request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

#[test]
fn events_and_telemetry_go_to_hosts_of_the_site() {
    let bed = Bed::new();
    let plain = Upstream::start(Answer::Status(200, ""));
    let secure = Intake::start(Options { is_tls: true, ..Options::default() }).expect("an intake");
    let authority = secure.url().replace("https://", "");
    let tunnels = Tunnels::start(authority.parse().expect("an address"));
    let settings = settings(&bed, &plain)
        .set("site", "us3.datadoghq.com")
        .set("skip_ssl_validation", true)
        .set("proxy.https", format!("http://{}", tunnels.address))
        .set("apm_config.install_id", "id")
        .set("apm_config.install_type", "manual")
        .set("apm_config.install_time", 7);
    let agent = bed.start(&settings);
    let client = [
        "X-Datadog-EVP-Subdomain: my.subdomain",
        "Content-Type: application/json",
        "DD-EVP-ORIGIN: tracer",
        "Unexpected-Header: x",
        "DD-API-KEY: theirs",
    ];
    // This intake has no such route: its answer comes back as it is.
    let said = ask(&bed, "/evp_proxy/v2/mypath/mysubpath?arg=test", &client, b"{}");
    assert_eq!(said.status, 404, "{said:?}");
    let event = request_of(&secure, "/mypath/mysubpath");
    assert_eq!(
        shown(&event),
        [
            "via: trace-agent 7.82.0",
            "content-type: application/json",
            "dd-evp-origin: tracer",
            "x-datadog-hostname: bed",
            "x-datadog-agentdefaultenv: test",
            "x-datadog-timeout: 30",
            "dd-api-key: 0123456789abcdef0123456789abcdef",
            "host: my.subdomain.us3.datadoghq.com",
            "content-length: 2",
        ]
    );
    let client = ["Content-Type: application/json", "X-Forwarded-For: 1.1.1.1", "User-Agent: t"];
    let said = ask(&bed, "/telemetry/proxy/api/v2/apmtelemetry", &client, b"{\"a\":1}");
    assert_eq!((said.status, said.body.as_str()), (200, "{}"));
    assert!(!said.head.contains("Content-Type"), "{}", said.head);
    let telemetry = request_of(&secure, "/api/v2/apmtelemetry");
    assert_eq!(
        shown(&telemetry),
        [
            "content-type: application/json",
            "user-agent: t",
            "content-length: 7",
            "via: trace-agent 7.82.0",
            "dd-agent-hostname: bed",
            "dd-agent-env: test",
            "dd-agent-install-id: id",
            "dd-agent-install-type: manual",
            "dd-agent-install-time: 7",
            "dd-api-key: 0123456789abcdef0123456789abcdef",
            "host: instrumentation-telemetry-intake.us3.datadoghq.com",
        ]
    );
    let asked = tunnels.asked.lock().expect("no panic").clone();
    assert!(asked.contains(&"my.subdomain.us3.datadoghq.com:443".to_owned()), "{asked:?}");
    let snapshot = agent.wait_status("telemetry is answered", |now| {
        proxy(now, "telemetry").copies_failed.get("status") == Some(&1)
    });
    assert_eq!(proxy(&snapshot, "evp").answers["4xx"], 1);
    bed.finish(agent);
}
