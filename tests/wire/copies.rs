//! `statsd_forward_host`: another statsd server gets every packet as it came.

use std::net::UdpSocket;
use std::time::Duration;

use bed::{Bed, WAIT_MAX};

use crate::deliver::{counted, send};

#[test]
fn packets_are_copied_before_they_are_parsed() {
    let other = UdpSocket::bind("127.0.0.1:0").expect("a local UDP socket");
    other.set_read_timeout(Some(WAIT_MAX)).expect("a timeout");
    let bed = Bed::new();
    let port = other.local_addr().expect("bound").port();
    let settings =
        bed.settings().set("statsd_forward_host", "127.0.0.1").set("statsd_forward_port", port);
    let agent = bed.start(&settings);
    let packets = ["copied:1|c\nnonsense", "copied:2|c|#a:b"];
    send(&agent, &packets);

    let mut copies = Vec::new();
    for _ in packets {
        let mut buffer = [0; 100];
        let bytes = other.recv(&mut buffer).expect("a copy");
        copies.push(String::from_utf8_lossy(&buffer[..bytes]).into_owned());
    }
    copies.sort();
    assert_eq!(copies, packets);
    other.set_read_timeout(Some(Duration::from_millis(1))).expect("a timeout");
    let finished = bed.finish(agent);
    assert!(other.recv(&mut [0; 100]).is_err(), "each packet once");
    assert_eq!(counted(&finished, "copied"), 3);
}
