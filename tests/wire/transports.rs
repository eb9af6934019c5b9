//! Every transport carries every kind of message, and every packet and line is accounted for.

use bed::{Bed, Call, Expected, Sender, Transport};
use signal::Counter;

/// With the agent's own check fewer than 100, which is what one body of checks takes.
const PACKETS: u64 = 90;
/// Two contexts in two orders of tags, every type, an event, a check, and lines that are refused.
const PACKET: &str = "a.count:2|c|#x:1,y:2\na.count:3|c|#y:2,x:1\n\na.gauge:4.5|g\r\n\
    a.packed:1:2:3|d\na.time:7|ms\na.histogram:1.25|h\na.set:me|s\n\
    _e{6,6}:é漢x|a\\nb|c|#x:1\n_sc|a.check|1|#x:1|m:slow\n\
    no pipe\nname|c\na:1|q\na:one|c\na:1|c|@x\na:1|g|T0\n_e{9,9}:short\n_sc|a.check|7";
const LINES: u64 = 17;

fn carries_everything(transport: Transport) {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings());
    let mut sender = Sender::connect(&agent, transport);
    for _ in 0..PACKETS {
        sender.send(PACKET);
    }
    let packets = match transport {
        Transport::Udp => Counter::UdpPackets,
        Transport::Uds => Counter::UdsPackets,
        Transport::UdsStream => Counter::StreamPackets,
    };
    agent.wait_status("all packets are read", |status| {
        status.total(packets) + status.total(Counter::UdpKernelDrops) == PACKETS
    });
    let finished = bed.finish(agent);
    let total = |counter| finished.snapshot.total(counter);
    assert_eq!(total(Counter::UdpKernelDrops), 0, "the default buffer holds this easily");
    assert_eq!(total(Counter::Messages), PACKETS * LINES);
    assert_eq!(total(Counter::MetricLines), PACKETS * 7);
    assert_eq!(total(Counter::Samples), PACKETS * 9);
    assert_eq!(total(Counter::Recorded), PACKETS * 9);
    for refused in [
        Counter::RefusedFormat,
        Counter::RefusedNameOrValue,
        Counter::RefusedType,
        Counter::RefusedValue,
        Counter::RefusedRate,
        Counter::RefusedTimestamp,
        Counter::RefusedEvent,
        Counter::RefusedCheck,
    ] {
        assert_eq!(total(refused), PACKETS, "{}", refused.name());
    }
    expected().check(&finished.contents);
}

fn expected() -> Expected {
    let mut expected = Expected::default();
    let own = |list: &[&str]| list.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    for _ in 0..PACKETS {
        let name = |name: &str| format!("a.{name}");
        let tags = own(&["x:1"]);
        for call in [
            Call::Count { name: name("count"), value: 5.0, tags: own(&["x:1", "y:2"]) },
            Call::Gauge { name: name("gauge"), value: 4.5, tags: vec![] },
            Call::Distribution { name: name("packed"), value: 1.0, tags: vec![] },
            Call::Distribution { name: name("packed"), value: 2.0, tags: vec![] },
            Call::Distribution { name: name("packed"), value: 3.0, tags: vec![] },
            Call::Timing { name: name("time"), value: 7.0, tags: vec![] },
            Call::Histogram { name: name("histogram"), value: 1.25, tags: vec![] },
            Call::Set { name: name("set"), member: "me".to_owned(), tags: vec![] },
            Call::Event {
                title: "é漢x".to_owned(),
                text: "a\nb|c".to_owned(),
                alert_type: "info",
                priority: "normal",
                aggregation_key: String::new(),
                source_type_name: String::new(),
                tags: tags.clone(),
            },
            Call::Check { name: name("check"), status: 1, message: "slow".to_owned(), tags },
        ] {
            expected.add(&call, &[]);
        }
    }
    expected
}

#[test]
fn udp_carries_everything() {
    carries_everything(Transport::Udp);
}

#[test]
fn uds_carries_everything() {
    carries_everything(Transport::Uds);
}

#[test]
fn a_stream_carries_everything() {
    carries_everything(Transport::UdsStream);
}

/// The other driver reads the same.
#[test]
fn epoll_carries_everything() {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings().set("corelane.driver", "epoll"));
    for transport in Transport::ALL {
        let mut sender = Sender::connect(&agent, transport);
        for _ in 0..PACKETS / 3 {
            sender.send(PACKET);
        }
    }
    agent.wait_status("all messages are read", |status| {
        status.total(Counter::Messages) == PACKETS * LINES
    });
    let finished = bed.finish(agent);
    assert_eq!(finished.snapshot.driver.name, "epoll");
    expected().check(&finished.contents);
}
