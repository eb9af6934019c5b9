//! Requests passed on to other hosts, in `status`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::format::{Table, bytes, count};
use crate::identities::{Identity, open};
use crate::prometheus::{Kind, Page as Metrics};
use crate::text::{Page, reasons};

/// One proxy, counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProxyStatus {
    /// Its name.
    pub name: String,
    /// Requests.
    pub requests: u64,
    /// Requests answered by the intake, or by us in its place, by class of status: `2xx`.
    pub answers: BTreeMap<String, u64>,
    /// Requests that were not passed on, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Requests whose client went away first.
    pub clients_gone: u64,
    /// Answers that broke off; part of the answers.
    pub answers_cut: u64,
    /// Bytes of bodies of requests.
    pub bytes_in: u64,
    /// Bytes of bodies of answers.
    pub bytes_out: u64,
    /// Requests now.
    pub in_flight: u64,
    /// Copies that additional destinations accepted; for telemetry, all that was accepted.
    pub copies_sent: u64,
    /// Copies given up, by reason.
    pub copies_failed: BTreeMap<String, u64>,
    /// Copies now.
    pub copies_in_flight: u64,
}

pub(crate) fn identities(proxies: &[ProxyStatus]) -> Option<Identity> {
    let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
    let requests = proxies.iter().map(|proxy| proxy.requests).sum();
    let ended = proxies
        .iter()
        .map(|proxy| sum(&proxy.answers) + sum(&proxy.refused) + proxy.clients_gone)
        .sum();
    let formula = "requests = answers + refused + clients gone + under way";
    (!proxies.is_empty()).then(|| open("requests of proxies", requests, ended, formula))
}

pub(crate) fn page(page: &mut Page, proxies: &[ProxyStatus]) {
    let mut used = proxies.iter().filter(|proxy| proxy.requests > 0).peekable();
    if used.peek().is_none() {
        return;
    }
    page.title("Proxies", '-');
    let mut table = Table::new(&[
        "proxy",
        ">requests",
        ">now",
        "answers",
        ">bytes in",
        ">bytes out",
        ">copies",
        "refused",
        "copies failed",
    ]);
    for proxy in used {
        let mut refused = proxy.refused.clone();
        for (reason, more) in
            [("client_gone", proxy.clients_gone), ("answer_cut", proxy.answers_cut)]
        {
            refused.insert(reason.to_owned(), more);
        }
        table.row([
            proxy.name.clone(),
            count(proxy.requests),
            count(proxy.in_flight),
            reasons(&proxy.answers, ""),
            bytes(proxy.bytes_in),
            bytes(proxy.bytes_out),
            count(proxy.copies_sent),
            reasons(&refused, ""),
            reasons(&proxy.copies_failed, ""),
        ]);
    }
    page.table(&table);
}

pub(crate) fn metrics(page: &mut Metrics, proxies: &[ProxyStatus]) {
    type Read = fn(&ProxyStatus) -> u64;
    let single: [(&str, Kind, &str, Read); 8] = [
        ("requests", Kind::Counter, "Requests.", |proxy| proxy.requests),
        ("clients_gone", Kind::Counter, "Clients that went away.", |proxy| proxy.clients_gone),
        ("answers_cut", Kind::Counter, "Answers that broke off.", |proxy| proxy.answers_cut),
        ("bytes_in", Kind::Counter, "Bytes of requests.", |proxy| proxy.bytes_in),
        ("bytes_out", Kind::Counter, "Bytes of answers.", |proxy| proxy.bytes_out),
        ("in_flight", Kind::Gauge, "Requests now.", |proxy| proxy.in_flight),
        ("copies_sent", Kind::Counter, "Copies accepted.", |proxy| proxy.copies_sent),
        ("copies_in_flight", Kind::Gauge, "Copies now.", |proxy| proxy.copies_in_flight),
    ];
    for (name, kind, help, read) in single {
        let name = format!("corelane_proxy_{name}");
        page.family(&name, kind, help);
        for proxy in proxies {
            page.sample(&name, &[("proxy", &proxy.name)], read(proxy));
        }
    }
    type Reasons = fn(&ProxyStatus) -> &BTreeMap<String, u64>;
    let labelled: [(&str, &str, &str, Reasons); 3] = [
        ("answers", "class", "Answers.", |proxy| &proxy.answers),
        ("refused", "reason", "Requests not passed on.", |proxy| &proxy.refused),
        ("copies_failed", "reason", "Copies given up.", |proxy| &proxy.copies_failed),
    ];
    for (name, label, help, read) in labelled {
        let name = format!("corelane_proxy_{name}");
        page.family(&name, Kind::Counter, help);
        for proxy in proxies {
            for (value, count) in read(proxy) {
                page.sample(&name, &[("proxy", &proxy.name), (label, value)], *count);
            }
        }
    }
}
