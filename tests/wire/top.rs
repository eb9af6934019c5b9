//! `corelane dogstatsd top`: which metrics make the contexts.

use bed::Bed;
use signal::Counter;
use status::TopReport;

use crate::deliver::send;

#[test]
fn top_names_the_widest_metric() {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings());
    let wide: Vec<String> = (0..50).map(|user| format!("wide:1|c|#user:{user}")).collect();
    let mut packets: Vec<&str> = wide.iter().map(String::as_str).collect();
    packets.extend(["busy:1:1:1:1|d"; 30]);
    send(&agent, &packets);
    agent.wait_status("all packets are read", |status| status.total(Counter::UdsPackets) == 80);

    let output = agent.command(&["dogstatsd", "top", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let report: TopReport = serde_json::from_value(document["report"].clone()).expect("a report");
    assert_eq!(report.contexts, 51);
    assert_eq!((report.rows[0].key.as_str(), report.rows[0].contexts), ("wide", 50));
    assert_eq!(report.rows[0].tags, [("user".to_owned(), 50)]);

    let output = agent.command(&["dogstatsd", "top", "--sort", "samples", "--limit", "1"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("busy") && !text.contains("wide"), "{text}");
    bed.finish(agent);
}
