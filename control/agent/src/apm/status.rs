//! The trace pipeline for `status`.

use std::collections::BTreeMap;

use lane::{Shedding, TraceCounts};
use sampling::Sampler;
use server::{ROUTE_NAMES, Refusal};
use status::{RefusedStatus, SamplerStatus, TraceStatus, TracerStatus};
use traces::{Dropped, Malformed};

use super::report::TraceReport;

/// What `status` says of traces.
pub(crate) fn status(report: &TraceReport) -> TraceStatus {
    let mut status = TraceStatus {
        samplers: samplers(report),
        rates_version: report.rates_version.clone(),
        rates: report.rates.iter().cloned().collect(),
        target_tps: report.target_tps,
        errors_tps: report.errors_tps,
        shedding: match report.shedding {
            Some(Shedding::Memory) => "memory",
            Some(Shedding::Cpu) => "cpu",
            None => "",
        }
        .to_owned(),
        cpu_percent: report.usage.cpu_percent,
        cpu_percent_max: report.usage.cpu_percent_max,
        memory_bytes_max: report.usage.memory_bytes_max,
        ..TraceStatus::default()
    };
    for lane in &report.lanes {
        add_lane(&mut status, lane);
    }
    add_writer(&mut status, report);
    add_stats(&mut status, report);
    status
}

fn add_lane(status: &mut TraceStatus, lane: &TraceCounts) {
    for (name, count) in ROUTE_NAMES.iter().zip(lane.server.requests) {
        add(&mut status.requests, name, count);
    }
    for (code, count) in lane.server.answers.iter() {
        *status.answers.entry(code).or_default() += count;
    }
    let server = &lane.server;
    for (name, count) in [
        ("requests_lost", server.requests_lost),
        ("bodies_reset", server.bodies_reset),
        ("hang_ups", server.hang_ups),
        ("body_bytes", server.body_bytes),
        ("exchanges", server.exchanges),
        ("exchange_body_bytes", server.exchange_body_bytes),
        ("connections", server.connections),
        ("connections_closed", server.connections_closed),
        ("head_timeouts", server.head_timeouts),
        ("heads_malformed", server.heads_malformed),
        ("write_timeouts", server.write_timeouts),
        ("connections_evicted", server.connections_evicted),
        ("accept_errors", server.accept_errors),
        ("payloads_malformed", lane.payloads_malformed),
        ("payloads_shed_memory", lane.payloads_shed_memory),
        ("payloads_shed_cpu", lane.payloads_shed_cpu),
        ("client_stats", lane.client_stats),
        ("client_stats_malformed", lane.client_stats_malformed),
        ("requests_captured", lane.requests_captured),
        ("requests_not_captured", lane.requests_not_captured),
        ("held", lane.held.held),
        ("held_tagged", lane.held.tagged),
        ("held_untagged", lane.held.untagged),
        ("held_refused", lane.held.refused),
        ("held_waiting", lane.held.waiting),
        ("held_waiting_bytes", lane.held.waiting_bytes),
    ] {
        add(&mut status.server, name, count);
    }
    status.payloads_decoded += lane.payloads_decoded;
    status.traces_lost += lane.traces_lost;
    status.spans_lost += lane.spans_lost;
    let processed = &lane.processed;
    status.traces_received += processed.traces_received;
    status.traces_kept += processed.traces_kept;
    status.traces_kept_in_part += processed.traces_kept_in_part;
    status.traces_dropped_by_client += processed.traces_dropped_by_client;
    status.spans_received += processed.spans_received;
    status.spans_kept += processed.spans_kept;
    for reason in Dropped::ALL {
        let name = reason.as_str();
        add(&mut status.traces_dropped, name, processed.traces_dropped(reason));
        add(&mut status.spans_dropped, name, processed.spans_dropped(reason));
    }
    for reason in Malformed::ALL {
        add(&mut status.malformed, reason.as_str(), processed.malformed(reason));
    }
    add(&mut status.stats, "spans", lane.stats.span_count);
    add(&mut status.stats, "spans_dropped", lane.stats.dropped_count);
    add_senders(status, lane);
}

/// Tracers and refusals, those of one kind on all lanes together.
fn add_senders(status: &mut TraceStatus, lane: &TraceCounts) {
    for row in &lane.tracers {
        let held = status.tracers.iter_mut().find(|held| {
            held.language == row.language
                && held.tracer_version == row.tracer_version
                && held.endpoint == row.endpoint
        });
        match held {
            Some(held) => {
                held.payloads += row.payloads;
                held.traces += row.traces;
                held.spans += row.spans;
                held.bytes += row.bytes;
            }
            None => status.tracers.push(TracerStatus {
                language: row.language.clone(),
                tracer_version: row.tracer_version.clone(),
                endpoint: row.endpoint.to_owned(),
                payloads: row.payloads,
                traces: row.traces,
                spans: row.spans,
                bytes: row.bytes,
            }),
        }
    }
    for row in &lane.refusals {
        let is_same = |held: &&mut RefusedStatus| {
            held.language == row.language
                && held.tracer_version == row.tracer_version
                && held.service == row.service
        };
        let at = match status.refused.iter_mut().find(is_same) {
            Some(held) => held,
            None => {
                status.refused.push(RefusedStatus {
                    language: row.language.clone(),
                    tracer_version: row.tracer_version.clone(),
                    service: row.service.clone(),
                    ..RefusedStatus::default()
                });
                let Some(last) = status.refused.last_mut() else { continue };
                last
            }
        };
        for (refusal, count) in Refusal::ALL.iter().zip(row.requests) {
            add(&mut at.requests, refusal.name(), count);
        }
        at.traces += row.traces;
        at.largest_body_bytes = at.largest_body_bytes.max(row.largest_body_bytes);
    }
}

fn samplers(report: &TraceReport) -> Vec<SamplerStatus> {
    let of = |&sampler: &Sampler| SamplerStatus {
        name: sampler.name().to_owned(),
        seen: report.sampled.seen(sampler),
        kept: report.sampled.kept(sampler),
    };
    Sampler::ALL.iter().map(of).collect()
}

fn add_writer(status: &mut TraceStatus, report: &TraceReport) {
    let writer = &report.writer;
    for (name, count) in [
        ("payloads_in", writer.payloads_in),
        ("chunks_in", writer.chunks_in),
        ("spans_in", writer.spans_in),
        ("payloads_out", writer.payloads_out),
        ("chunks_out", writer.chunks_out),
        ("spans_out", writer.spans_out),
        ("chunks_dropped", writer.chunks_dropped),
        ("spans_dropped", writer.spans_dropped),
        ("bytes_uncompressed", writer.bytes_uncompressed),
        ("bytes_compressed", writer.bytes_compressed),
    ] {
        add(&mut status.writer, name, count);
    }
}

fn add_stats(status: &mut TraceStatus, report: &TraceReport) {
    let stats = &report.stats;
    for (name, count) in [
        ("hits", stats.hits),
        ("client_payloads", stats.client_payloads),
        ("client_hits", stats.client_hits),
        ("client_hits_ignored", stats.client_hits_ignored),
        ("client_hits_dropped", stats.client_hits_dropped),
        ("bodies_out", stats.bodies_out),
        ("groups_out", stats.groups_out),
        ("bodies_dropped", stats.bodies_dropped),
        ("bytes_uncompressed", stats.bytes_uncompressed),
        ("bytes_compressed", stats.bytes_compressed),
    ] {
        add(&mut status.stats, name, count);
    }
}

fn add(counts: &mut BTreeMap<String, u64>, name: &str, count: u64) {
    *counts.entry(name.to_owned()).or_default() += count;
}
