//! The agent: start, endpoints, data without a socket, flush, wait, stop.

use std::ffi::{c_char, c_int, c_uint};
use std::time::Duration;

use native::blocking::Agent;
use native::{OtlpSignal, TraceFormat, VERSION};

use crate::config::corelane_config;
use crate::error::{DatadogError, Failure, answer, corelane_error};
use crate::guard::guarded;
use crate::{log_callback, registry, text};

/// A running agent. Freed with `corelane_agent_free`.
#[expect(non_camel_case_types, reason = "a name of C")]
pub type corelane_agent = Agent;

/// Kinds of endpoints, for `corelane_agent_endpoint`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[expect(non_camel_case_types, reason = "names of C")]
pub enum corelane_endpoint {
    /// Traces: `http://127.0.0.1:8126` or `unix:///path`.
    CORELANE_ENDPOINT_TRACE = 0,
    /// DogStatsD: `unix:///path` where there is a socket, else `udp://127.0.0.1:8125`.
    CORELANE_ENDPOINT_DOGSTATSD = 1,
    /// OTLP over gRPC: `http://127.0.0.1:4317`, where `otlp_config.receiver.protocols.grpc.endpoint`
    /// is set.
    CORELANE_ENDPOINT_OTLP_GRPC = 2,
    /// OTLP over HTTP: `http://127.0.0.1:4318`, where `otlp_config.receiver.protocols.http.endpoint`
    /// is set.
    CORELANE_ENDPOINT_OTLP_HTTP = 3,
    /// Logs over HTTP: `http://127.0.0.1:10517`, where `corelane.logs.listen` or `logs_agent_port`
    /// is set; they are sent to `/v1/input`.
    CORELANE_ENDPOINT_LOGS = 4,
}

/// Kinds of data, for `corelane_agent_submit`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[expect(non_camel_case_types, reason = "names of C")]
pub enum corelane_data {
    /// DogStatsD text: metrics, events and service checks, with a newline between lines.
    CORELANE_DATA_DOGSTATSD = 0,
    /// Traces in MessagePack, v0.4.
    CORELANE_DATA_TRACES_V04 = 1,
    /// Traces in MessagePack, v0.5.
    CORELANE_DATA_TRACES_V05 = 2,
    /// Traces in MessagePack, v1.0.
    CORELANE_DATA_TRACES_V1 = 3,
    /// Logs, as a JSON list of entries with `message` and `timestamp` (milliseconds), or one entry.
    /// Where `logs_enabled` is on.
    CORELANE_DATA_LOGS_JSON = 4,
    /// OTLP traces: a protobuf message `ExportTraceServiceRequest`.
    CORELANE_DATA_OTLP_TRACES = 5,
    /// OTLP metrics: a protobuf message `ExportMetricsServiceRequest`.
    CORELANE_DATA_OTLP_METRICS = 6,
    /// OTLP logs: a protobuf message `ExportLogsServiceRequest`. Where `logs_enabled` and
    /// `otlp_config.logs.enabled` are on.
    CORELANE_DATA_OTLP_LOGS = 7,
}

/// What `corelane_agent_wait` returns while the agent runs.
pub const CORELANE_STILL_RUNNING: c_int = 4;

/// Version of this interface: major in the upper 16 bits, minor in the lower.
pub const CORELANE_ABI_VERSION: u32 = 1 << 16 | 1;

/// The `CORELANE_ABI_VERSION` that the library was built with: the major is the one of the header,
/// the minor at least.
#[unsafe(no_mangle)]
pub extern "C" fn corelane_abi_version() -> u32 {
    CORELANE_ABI_VERSION
}

/// Starts an agent and hands it out through `out`; its sockets are bound then. Several agents may
/// run in one process.
///
/// # Safety
/// `config` is NULL or a configuration of this library; `out` is NULL or may be written to.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn corelane_agent_start(
    config: *const corelane_config,
    out: *mut *mut corelane_agent,
) -> *mut corelane_error {
    answer(|| {
        // SAFETY: the caller promises that it may be written to, or is NULL.
        let out = unsafe { out.as_mut() }.ok_or_else(Failure::null)?;
        *out = std::ptr::null_mut();
        // SAFETY: the caller promises that it is a configuration or NULL.
        let config = unsafe { config.as_ref() }.ok_or_else(Failure::null)?;
        log_callback::set_level(config.0.log_level());
        *out = registry::give(Agent::start(&config.0)?)?;
        Ok(())
    })
}

/// Writes the URL of an endpoint, ending with a zero, to `buffer`. `length` says how long the
/// buffer is and is set to what is needed, the zero included. Call it with a NULL buffer to learn
/// that. `DATADOG_NOT_AVAILABLE` when the agent has no such endpoint.
///
/// # Safety
/// `agent` is a handle of this library or NULL; `length` is NULL or may be written to; `buffer` is
/// NULL or has room for as many bytes as `length` says.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn corelane_agent_endpoint(
    agent: *const corelane_agent,
    kind: c_int,
    buffer: *mut c_char,
    length: *mut usize,
) -> *mut corelane_error {
    answer(|| {
        let agent = registry::find(agent)?;
        if length.is_null() {
            return Err(Failure::null());
        }
        let url = match kind {
            0 => agent.endpoints().trace_url(),
            1 => agent.endpoints().dogstatsd_url(),
            2 => agent.endpoints().otlp_grpc_url(),
            3 => agent.endpoints().otlp_http_url(),
            4 => agent.endpoints().logs_url(),
            _ => return Err(unknown_kind()),
        };
        let url = url.ok_or_else(|| {
            Failure::new(DatadogError::DATADOG_NOT_AVAILABLE, "the agent has no such endpoint")
        })?;
        // SAFETY: the caller promises what is asked for; a text of ours overlaps nothing of theirs.
        unsafe { text::copy_out(&url, buffer, length) }
    })
}

/// Hands data over without a socket: all of it or nothing. It is copied before this returns, and
/// part of every flush that is asked for afterwards. `flags` must be 0.
///
/// `DATADOG_SUBMISSION_ERROR` when there is no room now or the data is too long: it was counted,
/// and may be submitted again. `DATADOG_INVALID_DATA_FORMAT` when it cannot be what `kind` says;
/// single lines and spans that are no good are counted by reason, as those of sockets are.
/// `DATADOG_NOT_AVAILABLE` when the agent does not take such data: it is switched off, or was left
/// out of the build.
///
/// # Safety
/// `agent` is a handle of this library or NULL; `data` is NULL or points to `length` bytes.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn corelane_agent_submit(
    agent: *const corelane_agent,
    kind: c_int,
    data: *const u8,
    length: usize,
    flags: c_uint,
) -> *mut corelane_error {
    answer(|| {
        let agent = registry::find(agent)?;
        if data.is_null() {
            return Err(Failure::null());
        }
        if flags != 0 || length == 0 || isize::try_from(length).is_err() {
            let message = "there is no data, or flags are not 0";
            return Err(Failure::new(DatadogError::DATADOG_INVALID_DATA_FORMAT, message));
        }
        // SAFETY: not null, and the caller promises that there are so many bytes.
        let data = unsafe { std::slice::from_raw_parts(data, length) };
        match kind {
            0 => Ok(agent.submit_dogstatsd(data)?),
            1 => Ok(agent.submit_traces(TraceFormat::V04, data)?),
            2 => Ok(agent.submit_traces(TraceFormat::V05, data)?),
            3 => Ok(agent.submit_traces(TraceFormat::V1, data)?),
            4 => Ok(agent.submit_logs(data)?),
            5 => Ok(agent.submit_otlp(OtlpSignal::Traces, data)?),
            6 => Ok(agent.submit_otlp(OtlpSignal::Metrics, data)?),
            7 => Ok(agent.submit_otlp(OtlpSignal::Logs, data)?),
            _ => Err(unknown_kind()),
        }
    })
}

/// Flushes everything, the open bucket included, and waits until the intakes have it.
/// `DATADOG_RUNTIME_ERROR` when not everything had left after `timeout_ms`; it is still under way.
///
/// A bucket that ends early is shorter than others: metrics of type distribution and counts are
/// added up at the intake, whatever the number of flushes.
///
/// # Safety
/// `agent` is a handle of this library or NULL.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn corelane_agent_flush(
    agent: *const corelane_agent,
    timeout_ms: u32,
) -> *mut corelane_error {
    answer(|| Ok(registry::find(agent)?.flush(ms(timeout_ms))?))
}

/// Hands out all counters and the state of the agent as a JSON object, the one of
/// `corelane status --json`, through `out`. Free it with `corelane_string_free`.
///
/// # Safety
/// `agent` is a handle of this library or NULL; `out` is NULL or may be written to.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn corelane_agent_counters(
    agent: *const corelane_agent,
    out: *mut *mut c_char,
) -> *mut corelane_error {
    answer(|| {
        // SAFETY: the caller promises that it may be written to, or is NULL.
        let out = unsafe { out.as_mut() }.ok_or_else(Failure::null)?;
        *out = std::ptr::null_mut();
        let snapshot = registry::find(agent)?.snapshot()?;
        let json = serde_json::to_string(&snapshot);
        let refuse = |error: serde_json::Error| {
            Failure::new(DatadogError::DATADOG_UNKNOWN_ERROR, error.to_string())
        };
        *out = text::give(&json.map_err(refuse)?);
        Ok(())
    })
}

/// Waits until the end of the agent is asked for, at most `timeout_ms`. Returns 0 for a request, 2
/// when the agent cannot go on, `CORELANE_STILL_RUNNING` after the timeout, and -1 when there is no
/// such agent. Signals are not looked at.
///
/// # Safety
/// `agent` is a handle of this library or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_agent_wait(
    agent: *const corelane_agent,
    timeout_ms: u32,
) -> c_int {
    let waited = guarded(DatadogError::DATADOG_RUNTIME_ERROR, || {
        Ok(registry::find(agent)?.wait(ms(timeout_ms))?)
    });
    match waited {
        Ok(reason) => reason.map_or(CORELANE_STILL_RUNNING, |reason| reason as c_int),
        Err(_) => -1,
    }
}

/// Asks for the end of an agent: whoever waits for it goes on. It does not stop by that. May be
/// called from any thread and from a signal handler; a handle that is none is left alone.
///
/// # Safety
/// `agent` is a handle of this library or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_agent_request_stop(agent: *const corelane_agent) {
    // Nothing here allocates but the failure of a wrong handle, which is not looked at.
    if let Some(agent) = registry::look(agent) {
        agent.request_shutdown();
    }
}

/// Stops an agent: takes what was sent so far, flushes, delivers within the budgets of its
/// configuration, joins all threads. `DATADOG_SHUTDOWN_ERROR` when that takes longer than
/// `timeout_ms`: it goes on, and can be waited for by another call. `DATADOG_NOT_AVAILABLE` when it
/// has stopped already.
///
/// # Safety
/// `agent` is a handle of this library or NULL.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn corelane_agent_stop(
    agent: *const corelane_agent,
    timeout_ms: u32,
) -> *mut corelane_error {
    answer(|| {
        let agent = registry::find(agent)?;
        if agent.is_stopped() {
            let message = "the agent has stopped already";
            return Err(Failure::new(DatadogError::DATADOG_NOT_AVAILABLE, message));
        }
        Ok(agent.stop(ms(timeout_ms))?)
    })
}

/// Frees an agent, and stops it before if it runs. NULL and a handle that was freed are fine.
///
/// # Safety
/// `agent` is a handle of this library or NULL, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_agent_free(agent: *mut corelane_agent) {
    let freed = guarded(DatadogError::DATADOG_SHUTDOWN_ERROR, || {
        drop(registry::take_back(agent)?);
        Ok(())
    });
    if let Err(failure) = freed {
        log::debug!("an agent was not freed: {}", failure.message);
    }
}

/// Frees a text of this library; NULL is fine.
///
/// # Safety
/// `text` is NULL or a text that this library handed out to be freed, and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_string_free(text: *mut c_char) {
    // SAFETY: the caller promises what is asked for.
    unsafe { text::take_back(text) };
}

/// Version of the library: a text that is always there.
pub(crate) fn version() -> *const c_char {
    const TEXT: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    debug_assert_eq!(TEXT.trim_end_matches('\0'), VERSION);
    TEXT.as_ptr().cast()
}

pub(crate) fn ms(timeout_ms: u32) -> Duration {
    Duration::from_millis(timeout_ms.into())
}

fn unknown_kind() -> Failure {
    Failure::new(DatadogError::DATADOG_INVALID_DATA_FORMAT, "there is no such kind")
}
