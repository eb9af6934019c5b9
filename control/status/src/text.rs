//! The snapshot as text for people, in the sections of the Agent's `status`.

use std::collections::BTreeMap;

use signal::Counter;

use crate::format::{Table, bytes, count, span, utc, visible};
use crate::{CaptureStatus, Listener, Snapshot, identities};

/// Key endings and reasons listed on one line.
const LISTED_MAX: usize = 20;

/// The snapshot as text.
#[must_use]
pub fn text(snapshot: &Snapshot) -> String {
    let mut page = Page(String::new());
    header(&mut page, snapshot);
    listeners(&mut page, snapshot);
    received(&mut page, snapshot);
    lanes(&mut page, snapshot);
    flushes(&mut page, snapshot);
    if let Some(traces) = &snapshot.traces {
        crate::traces::page(&mut page, traces);
        crate::proxies::page(&mut page, &snapshot.proxies);
    }
    if let Some(ingest) = &snapshot.ingest {
        crate::ingest::page(&mut page, ingest);
    }
    endpoints(&mut page, snapshot);
    if let Some(remote) = &snapshot.remote {
        crate::remote::page(&mut page, remote);
    }
    crate::flares::page(&mut page, &snapshot.flares);
    accounting(&mut page, snapshot);
    notes(&mut page, snapshot);
    page.0
}

/// One line for a service manager.
#[must_use]
pub fn summary(snapshot: &Snapshot) -> String {
    let endpoints = &snapshot.endpoints;
    let sent: u64 = endpoints.iter().map(|endpoint| endpoint.sent).sum();
    let waiting: u64 = endpoints.iter().map(|endpoint| endpoint.queued + endpoint.spooled).sum();
    format!(
        "{} messages received, {} contexts, {} payloads sent, {} waiting",
        count(snapshot.total(Counter::Messages)),
        count(snapshot.total(Counter::ContextsAlive)),
        count(sent),
        count(waiting),
    )
}

/// The text under construction.
pub(crate) struct Page(String);

impl Page {
    pub(crate) const fn new() -> Self {
        Self(String::new())
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }

    pub(crate) fn title(&mut self, title: &str, underline: char) {
        let length = title.chars().count();
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(&format!("{title}\n{}\n", underline.to_string().repeat(length)));
    }

    pub(crate) fn field(&mut self, name: &str, value: &str) {
        self.0.push_str(&format!("  {name:<18} {}\n", visible(value)));
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.0.push_str(format!("  {}", visible(line)).trim_end());
        self.0.push('\n');
    }

    pub(crate) fn table(&mut self, table: &Table) {
        self.0.push_str(&table.render("  "));
    }
}

fn header(page: &mut Page, snapshot: &Snapshot) {
    let Snapshot { version, host_name, pid, .. } = snapshot;
    page.title(&visible(&format!("corelane {version} on {host_name}, pid {pid}")), '=');
    let since = utc(snapshot.started_unix_secs);
    page.field("started", &format!("{since}, {} ago", span(snapshot.uptime_secs)));
    let file = if snapshot.config_file.is_empty() { "none" } else { &snapshot.config_file };
    page.field("configuration", file);
    let driver = &snapshot.driver;
    let reason = if driver.reason.is_empty() { "" } else { ": " };
    page.field("driver", &format!("{}{reason}{}", driver.name, driver.reason));
    let memory = snapshot.memory;
    let mut used =
        format!("{} resident, {} in tables", bytes(memory.rss_bytes), bytes(memory.tables_bytes));
    if memory.planned_bytes > 0 {
        used.push_str(&format!(", limits add up to {}", bytes(memory.planned_bytes)));
    }
    page.field("memory", &used);
    if memory.is_over_budget {
        let budget = bytes(memory.budget_bytes);
        page.field("memory budget", &format!("{budget} is exceeded: new contexts are refused"));
    }
}

fn listeners(page: &mut Page, snapshot: &Snapshot) {
    page.title("Listeners", '-');
    if snapshot.listeners.is_empty() {
        page.line("none: no socket is configured (dogstatsd_port, dogstatsd_socket)");
        return;
    }
    let mut table = Table::new(&["transport", "address", ">buffer", "state"]);
    for listener in &snapshot.listeners {
        let buffer = match listener.receive_buffer_bytes {
            0 => "-".to_owned(),
            granted => bytes(granted),
        };
        let state = match listener.is_bound {
            true => "receiving".to_owned(),
            false => format!("NOT BOUND: {}", listener.error),
        };
        table.row([listener.transport.clone(), listener.address.clone(), buffer, state]);
    }
    page.table(&table);
    let short = |listener: &&Listener| (1..QUEUE_PACKETS_GOOD).contains(&listener.queue_packets);
    if let Some(listener) = snapshot.listeners.iter().find(short) {
        page.line(&format!(
            "the kernel queues {} packets for {}: bursts of clients that do not wait may lose some",
            listener.queue_packets, listener.address
        ));
        page.line("(set net.unix.max_dgram_qlen to 512 and restart)");
    }
}

/// A queue of Unix datagrams that takes the burst of an ordinary client.
const QUEUE_PACKETS_GOOD: u64 = 128;

fn received(page: &mut Page, snapshot: &Snapshot) {
    page.title("DogStatsD", '-');
    let total = |counter| snapshot.total(counter);
    let packets = |packets: Counter, bytes_of: Counter| {
        format!("{} packets, {}", count(total(packets)), bytes(total(bytes_of)))
    };
    let drops = total(Counter::UdpKernelDrops);
    let udp = packets(Counter::UdpPackets, Counter::UdpBytes);
    page.field("UDP", &format!("{udp}, {} dropped by the kernel", count(drops)));
    page.field("Unix datagram", &packets(Counter::UdsPackets, Counter::UdsBytes));
    let streams = packets(Counter::StreamPackets, Counter::StreamBytes);
    let open = count(total(Counter::StreamsOpen));
    page.field("Unix stream", &format!("{streams}, {open} connections open"));
    let submitted = packets(Counter::SubmittedPackets, Counter::SubmittedBytes);
    page.field("without socket", &submitted);
    page.field(
        "messages",
        &format!(
            "{}: {} metric lines, {} events, {} service checks",
            count(total(Counter::Messages)),
            count(total(Counter::MetricLines)),
            count(total(Counter::Events)),
            count(total(Counter::ServiceChecks)),
        ),
    );
    page.field(
        "samples",
        &format!(
            "{}: {} recorded, {} timestamped",
            count(total(Counter::Samples)),
            count(total(Counter::Recorded)),
            count(total(Counter::RecordedTimed)),
        ),
    );
    page.field(
        "contexts",
        &format!(
            "{} alive, {} made, {} expired; {} tags",
            count(total(Counter::ContextsAlive)),
            count(total(Counter::ContextsCreated)),
            count(total(Counter::ContextsExpired)),
            count(total(Counter::TagsAlive)),
        ),
    );
    for (label, prefix) in [("refused", "refused_"), ("dropped", "dropped_")] {
        let reasons = reasons(&snapshot.totals, prefix);
        page.field(label, if reasons.is_empty() { "nothing" } else { &reasons });
    }
    let troubles = [
        (Counter::Truncated, "packets cut"),
        (Counter::SubmissionsFull, "texts without socket refused, no room"),
        (Counter::SubmissionsTooLong, "texts without socket refused, too long"),
        (Counter::ReadErrors, "reads failed"),
        (Counter::OriginErrors, "packets without credentials"),
        (Counter::StreamRefused, "streams refused"),
        (Counter::StreamTooLong, "streams closed by a long frame"),
        (Counter::StreamCut, "streams cut in a frame"),
        (Counter::Stalls, "turns over 5 ms"),
        (Counter::Restarts, "lane restarts"),
        (Counter::ForwardErrors, "copies to statsd failed"),
    ];
    let troubles: Vec<String> = troubles
        .into_iter()
        .filter(|(counter, _)| total(*counter) > 0)
        .map(|(counter, what)| format!("{} {what}", count(total(counter))))
        .collect();
    if !troubles.is_empty() {
        page.field("trouble", &troubles.join(", "));
    }
    if let Some(capture) = &snapshot.capture {
        page.field("capture", &captured(capture, "packets"));
    }
}

/// A capture under way, in one line.
pub(crate) fn captured(capture: &CaptureStatus, items: &str) -> String {
    let left = span(capture.left_secs);
    let mut text = format!("{}: {} {items}", capture.path, count(capture.items));
    if capture.dropped > 0 {
        text.push_str(&format!(", {} lost", count(capture.dropped)));
    }
    text + &format!(", ends in {left}")
}

/// Counts above 0 whose name begins with `prefix`, as one line.
pub(crate) fn reasons(counts: &BTreeMap<String, u64>, prefix: &str) -> String {
    let listed = counts.iter().filter_map(|(name, n)| {
        let reason = name.strip_prefix(prefix).filter(|_| *n > 0)?;
        Some(format!("{} {}", count(*n), reason.replace('_', " ")))
    });
    listed.take(LISTED_MAX).collect::<Vec<_>>().join(", ")
}

fn lanes(page: &mut Page, snapshot: &Snapshot) {
    page.title("Lanes", '-');
    let mut table = Table::new(&[
        ">lane",
        ">cpu",
        ">packets",
        ">messages",
        ">samples",
        ">contexts",
        ">tables",
        ">turns",
        ">stalls",
    ]);
    for lane in &snapshot.lanes {
        let value = |counter: Counter| lane.counters.get(counter.name()).copied().unwrap_or(0);
        let packets = value(Counter::UdpPackets)
            + value(Counter::UdsPackets)
            + value(Counter::StreamPackets)
            + value(Counter::SubmittedPackets);
        table.row([
            lane.lane.to_string(),
            lane.cpu.map_or_else(|| "-".to_owned(), |cpu| cpu.to_string()),
            count(packets),
            count(value(Counter::Messages)),
            count(value(Counter::Samples)),
            count(value(Counter::ContextsAlive)),
            bytes(value(Counter::TableBytes)),
            count(value(Counter::Turns)),
            count(value(Counter::Stalls)),
        ]);
    }
    page.table(&table);
}

fn flushes(page: &mut Page, snapshot: &Snapshot) {
    page.title("Aggregator", '-');
    let flush = &snapshot.flush;
    let last = match flush.last_unix_secs {
        0 => "none yet".to_owned(),
        at => format!(
            "{}, {} contexts in {} ms",
            utc(at),
            count(flush.contexts),
            flush.last_duration_ms
        ),
    };
    page.field("last flush", &last);
    page.field("flushes", &count(flush.count));
    page.field(
        "written",
        &format!(
            "{} series with {} points, {} sketches; {} points filled with zero",
            count(flush.series),
            count(flush.points),
            count(flush.sketches),
            count(flush.zero_filled),
        ),
    );
    page.field(
        "samples",
        &format!("{} merged, {} written", count(flush.samples_in), count(flush.samples_out)),
    );
    let dropped = reasons(&flush.dropped, "");
    if !dropped.is_empty() {
        page.field("dropped", &dropped);
    }
    if flush.late_lanes > 0 {
        page.field("late lanes", &count(flush.late_lanes));
    }
    let encoded = reasons(&snapshot.encode, "");
    if !encoded.is_empty() {
        page.field("encoder", &encoded);
    }
}

fn endpoints(page: &mut Page, snapshot: &Snapshot) {
    page.title("Endpoints", '-');
    if snapshot.endpoints.is_empty() {
        page.line("none: nothing is delivered (set api_key)");
    }
    for endpoint in &snapshot.endpoints {
        let data = if endpoint.data.is_empty() { "metrics" } else { &endpoint.data };
        page.line(&format!("{} ({data})", endpoint.url));
        let endings = endpoint.key_endings.iter().take(LISTED_MAX).cloned().collect::<Vec<_>>();
        let keys = match endings.is_empty() {
            true => "none".to_owned(),
            false => format!("API key ending with {}", endings.join(", ")),
        };
        page.field("  key", &format!("{keys}: {}", endpoint.key_valid));
        page.field("  state", &endpoint.state);
        let sent = count(endpoint.sent);
        let (submitted, retried) = (count(endpoint.submitted), count(endpoint.retried));
        let amount = bytes(endpoint.bytes_sent);
        page.field(
            "  payloads",
            &format!("{sent} of {submitted} sent ({amount}), {retried} retries"),
        );
        page.field(
            "  waiting",
            &format!(
                "{} in memory ({}), {} on disk ({} in {} files)",
                count(endpoint.queued),
                bytes(endpoint.queued_bytes),
                count(endpoint.spooled),
                bytes(endpoint.spooled_bytes),
                count(endpoint.spooled_files),
            ),
        );
        let dropped = reasons(&endpoint.dropped, "");
        page.field("  dropped", if dropped.is_empty() { "nothing" } else { &dropped });
        if endpoint.set_aside > 0 {
            page.field("  damaged files", &count(endpoint.set_aside));
        }
        let answers = endpoint.http.iter().take(LISTED_MAX);
        let answers: Vec<String> =
            answers.map(|(status, n)| format!("{status}: {}", count(*n))).collect();
        if !answers.is_empty() {
            page.field("  answers", &answers.join(", "));
        }
        if !endpoint.last_error.is_empty() {
            page.field("  last error", &endpoint.last_error);
        }
    }
}

fn accounting(page: &mut Page, snapshot: &Snapshot) {
    page.title("Accounting", '-');
    for identity in identities(snapshot) {
        let verdict = match (identity.holds, identity.in_open_buckets) {
            (false, _) => {
                format!("DIFFERS: {} is not {}", count(identity.left), count(identity.right))
            }
            (true, 0) => format!("ok, {}", count(identity.left)),
            (true, open) => {
                format!("ok, {}, of them {} under way", count(identity.left), count(open))
            }
        };
        page.line(&format!("{}: {verdict}", identity.name));
        page.line(&format!("    {}", identity.formula));
    }
}

fn notes(page: &mut Page, snapshot: &Snapshot) {
    if snapshot.notes.is_empty() {
        return;
    }
    page.title("Notes", '-');
    for note in &snapshot.notes {
        page.line(note);
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::test_snapshot::busy;

    #[test]
    fn an_agent_at_work_reads_like_this() {
        expect![[r#"
            corelane 0.1.0 on web-1, pid 4242
            =================================
              started            2026-01-31 12:00:00 UTC, 5m 3s ago
              configuration      /etc/corelane/datadog.yaml
              driver             epoll: io_uring is refused
              memory             12.0 MiB resident, 96.0 KiB in tables, limits add up to 64.0 MiB

            Listeners
            ---------
              transport      address                        buffer  state
              udp            127.0.0.1:8125               16.0 MiB  receiving
              unix-datagram  /var/run/datadog/dsd.socket         -  NOT BOUND: no such directory
              the kernel queues 10 packets for /var/run/datadog/dsd.socket: bursts of clients that do not wait may lose some
              (set net.unix.max_dgram_qlen to 512 and restart)

            DogStatsD
            ---------
              UDP                50 packets, 68.4 KiB, 2 dropped by the kernel
              Unix datagram      0 packets, 0 B
              Unix stream        0 packets, 0 B, 0 connections open
              without socket     0 packets, 0 B
              messages           1,000: 990 metric lines, 0 events, 3 service checks
              samples            1,100: 1,090 recorded, 0 timestamped
              contexts           40 alive, 0 made, 0 expired; 0 tags
              refused            7 value
              dropped            10 filtered
              trouble            1 turns over 5 ms
              capture            /tmp/datadog-capture-1: 5 packets, ends in 30s

            Lanes
            -----
              lane  cpu  packets  messages  samples  contexts    tables  turns  stalls
                 0    0       30       600      700        25  64.0 KiB     90       0
                 1    1       20       400      400        15  32.0 KiB     70       1

            Aggregator
            ----------
              last flush         2026-01-31 12:05:00 UTC, 40 contexts in 3 ms
              flushes            20
              written            800 series with 900 points, 60 sketches; 12 points filled with zero
              samples            1,000 merged, 1,000 written
              encoder            13 payloads

            APM
            ---
              requests           /info 1, /v0.4/traces 5
              answers            200: 4, 413: 1
              server             2 connections
              traces             6 received, 4 kept, 0 dropped by tracers themselves
              spans              60 received, 40 kept
              dropped            2 sampled out
              put right          nothing
              samplers           priority kept 4 of 6
              targets            10 traces/s, 10 with errors
              stats              60 hits, 60 spans
              writer             3 chunks out

              tracer  version  endpoint      payloads  traces  spans    bytes
              python  3.1.0    /v0.4/traces         4       6     60  2.9 KiB

              refused to  version  service  traces  largest body  why
              go          -        -           900      30.0 MiB  1 too large

              service          rate
              service:,env:  1.0000

            Endpoints
            ---------
              https://7-80-1-app.agent.datadoghq.com (metrics)
                key              API key ending with abcde: valid
                state            open
                payloads         11 of 13 sent (4.9 KiB), 1 retries
                waiting          2 in memory (900 B), 0 on disk (0 B in 0 files)
                dropped          nothing
                answers          202: 11, 503: 1
                last error       the intake answered 503

            Accounting
            ----------
              messages: ok, 1,000
                  received = metric lines + events + checks + refused + over limit
              samples: ok, 1,100
                  parsed + copied to distributions = recorded + timestamped + dropped
              recorded samples: ok, 1,090, of them 90 under way
                  recorded = merged + in open buckets + lost in restarts + dropped at stop
              requests: ok, 6, of them 1 under way
                  requests = answers + lost with their connection + under way
              traces: ok, 6
                  received = kept + dropped + lost in restarts
              spans: ok, 60
                  received = kept + dropped + lost in restarts
              kept traces: ok, 4, of them 1 under way
                  kept = in payloads + dropped + waiting
              spans of stats: ok, 60
                  counted = in payloads + dropped + in open buckets
              payloads to https://7-80-1-app.agent.datadoghq.com: ok, 13
                  submitted + found on disk = sent + queued + spooled + dropped

            Notes
            -----
              warning: dogstatsd_prot: unknown key
        "#]]
        .assert_eq(&text(&busy()));
    }

    #[test]
    fn a_fresh_agent_says_what_is_missing() {
        let page = text(&Snapshot::default());
        assert!(page.contains("no socket is configured"), "{page}");
        assert!(page.contains("set api_key"), "{page}");
    }

    #[test]
    fn nothing_received_writes_over_the_terminal() {
        let mut snapshot = busy();
        snapshot.host_name = "a\u{1b}[2J".to_owned();
        snapshot.notes = vec!["line\nbreak".to_owned()];
        let page = text(&snapshot);
        assert!(!page.contains('\u{1b}') && page.contains("line\\nbreak"), "{page}");
    }

    #[test]
    fn the_summary_is_one_line() {
        let expected = "1,000 messages received, 40 contexts, 11 payloads sent, 2 waiting";
        assert_eq!(summary(&busy()), expected);
    }
}
