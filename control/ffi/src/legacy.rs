//! Structs and functions with fixed layouts. spec: config §11.2

use std::ffi::{c_char, c_int};
use std::time::Duration;

use native::blocking::Agent;
use native::config::{Config, OperationalMode};

use crate::agent::version;
use crate::error::{DatadogError, Failure};
use crate::guard::guarded;
use crate::{log_callback, registry, text};

/// A running agent. Stopped and freed with `datadog_agent_stop`. It is a `corelane_agent` too.
pub type DatadogAgent = Agent;

/// How an agent is started. Texts end with a zero and are UTF-8; NULL or an empty one leaves the
/// value to the `DD_*` variable of the process, and everything that is not here is read from there
/// as well. Start from zeroed memory.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct DatadogAgentOptions {
    /// `DD_API_KEY`.
    pub api_key: *const c_char,
    /// `DD_SITE`, or `datadoghq.com`.
    pub site: *const c_char,
    /// `DD_SERVICE`.
    pub service: *const c_char,
    /// `DD_ENV`.
    pub env: *const c_char,
    /// `DD_VERSION`.
    pub version: *const c_char,
    /// Other than 0: on. This library has no AppSec, and says so in its log.
    pub appsec_enabled: c_int,
    /// Other than 0: on; 0: as `DD_REMOTE_CONFIGURATION_ENABLED` says, or off.
    pub remote_config_enabled: c_int,
    /// 0, 1: error; 2: warn; 3 and anything else: info; 4: debug; 5: trace.
    pub log_level: c_int,
    /// 0 and anything else: fixed ports; 1: ports that the system chooses; 2: Unix sockets.
    pub operational_mode: c_int,
    /// Above 0: that port; 0: 8126; -1: one that the system chooses. For fixed ports alone.
    pub trace_agent_port: c_int,
    /// Other than 0: on.
    pub dogstatsd_enabled: c_int,
    /// Above 0: that port; -1: 8125; 0: one that the system chooses. The opposite of
    /// `trace_agent_port`.
    pub dogstatsd_port: c_int,
    /// -1: 0600; 0 and above: these mode bits.
    pub trace_agent_uds_permissions: c_int,
}

/// What became of a start.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct DatadogAgentStartResult {
    /// The agent; NULL after an error.
    pub agent: *mut DatadogAgent,
    /// What went wrong.
    pub error: DatadogError,
    /// Version of the library: always there, never freed.
    pub version: *const c_char,
    /// TCP port of traces; -1 if there is none.
    pub bound_port: c_int,
    /// UDP port of DogStatsD; -1 if there is none.
    pub dogstatsd_port: c_int,
    /// Path of the Unix socket of traces, to be freed with `datadog_free_string`; NULL if there is
    /// none.
    pub uds_path: *mut c_char,
}

/// What a stop may take, the last flush included.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// Starts an agent; when this returns, its sockets are bound.
///
/// # Safety
/// `options` is NULL or points to options whose texts are NULL or end with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datadog_agent_start(
    options: *const DatadogAgentOptions,
) -> DatadogAgentStartResult {
    let started = guarded(DatadogError::DATADOG_INIT_ERROR, || {
        // SAFETY: the caller promises that it points to options or is NULL.
        let options = unsafe { options.as_ref() }.ok_or_else(Failure::null)?;
        // SAFETY: the caller promises what is asked for.
        let config = unsafe { config(options) }?;
        log_callback::set_level(config.log_level());
        if options.appsec_enabled != 0 {
            log::warn!("appsec_enabled has no effect: this library inspects no requests");
        }
        registry::give(Agent::start(&config)?)
    });
    let mut result = DatadogAgentStartResult {
        agent: std::ptr::null_mut(),
        error: DatadogError::DATADOG_OK,
        version: version(),
        bound_port: -1,
        dogstatsd_port: -1,
        uds_path: std::ptr::null_mut(),
    };
    match started {
        Ok(agent) => {
            result.agent = agent;
            if let Ok(agent) = registry::find(agent) {
                let endpoints = agent.endpoints();
                let port = |address: std::net::SocketAddr| c_int::from(address.port());
                result.bound_port = endpoints.trace_tcp.map_or(-1, port);
                result.dogstatsd_port = endpoints.dogstatsd_udp.map_or(-1, port);
                if let Some(path) = &endpoints.trace_uds {
                    result.uds_path = text::give(&path.to_string_lossy());
                }
            }
        }
        Err(failure) => {
            log::error!("the agent did not start: {}", failure.message);
            result.error = failure.code;
        }
    }
    result
}

/// Waits until SIGINT (1) or SIGTERM (0) comes, the end is asked for (0), or the agent cannot go on
/// (2); -1 when there is no such agent. While this waits the two signals do nothing else, and
/// afterwards what they did before. The agent does not stop by itself.
///
/// # Safety
/// `agent` is a handle of this library or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datadog_agent_wait_for_shutdown(agent: *mut DatadogAgent) -> c_int {
    const FATAL: c_int = 2;
    let Ok(agent) = registry::find(agent) else { return -1 };
    let waited = guarded(DatadogError::DATADOG_RUNTIME_ERROR, || Ok(agent.wait_for_shutdown()?));
    waited.map_or(FATAL, |reason| reason as c_int)
}

/// Stops an agent and frees it: the handle is dead afterwards, whatever is returned. NULL is
/// `DATADOG_NULL_POINTER`, a handle that is dead already `DATADOG_NOT_AVAILABLE`.
///
/// # Safety
/// `agent` is a handle of this library or NULL, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datadog_agent_stop(agent: *mut DatadogAgent) -> DatadogError {
    let stopped = guarded(DatadogError::DATADOG_SHUTDOWN_ERROR, || {
        let agent = registry::take_back(agent)?;
        Ok(agent.stop(STOP_TIMEOUT)?)
    });
    stopped.map_or_else(|failure| failure.code, |()| DatadogError::DATADOG_OK)
}

/// Frees a text of this library; NULL is fine.
///
/// # Safety
/// `text` is NULL or a text that this library handed out to be freed, and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datadog_free_string(text: *mut c_char) {
    // SAFETY: the caller promises what is asked for.
    unsafe { text::take_back(text) };
}

/// Version of the library: a text that is always there and never freed.
#[unsafe(no_mangle)]
pub extern "C" fn datadog_agent_version() -> *const c_char {
    version()
}

/// The environment, and over it what the options say.
///
/// # Safety
/// The texts of `options` are NULL or end with a zero.
unsafe fn config(options: &DatadogAgentOptions) -> Result<Config, Failure> {
    let mut config = Config::default();
    for (key, value) in [
        ("api_key", options.api_key),
        ("site", options.site),
        ("service", options.service),
        ("env", options.env),
        ("version", options.version),
    ] {
        // SAFETY: the caller promises what is asked for.
        let value = unsafe { text::borrow(value) }?;
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            config.set(key, value)?;
        }
    }
    if options.remote_config_enabled != 0 {
        config.set("remote_configuration.enabled", "true")?;
    }
    let level = match options.log_level {
        0 | 1 => "error",
        2 => "warn",
        4 => "debug",
        5 => "trace",
        _ => "info",
    };
    config.set("log_level", level)?;
    let mode = match options.operational_mode {
        1 => OperationalMode::HttpEphemeralPort,
        2 => OperationalMode::HttpUds,
        _ => OperationalMode::HttpFixedPort,
    };
    config.set("agent_mode", mode.as_str())?;
    if mode == OperationalMode::HttpFixedPort {
        match options.trace_agent_port {
            -1 => config.set("trace_agent_port", "0")?,
            port if port > 0 => config.set("trace_agent_port", &port.to_string())?,
            _ => {}
        }
    }
    config
        .set("dogstatsd_enabled", if options.dogstatsd_enabled != 0 { "true" } else { "false" })?;
    if options.dogstatsd_port >= 0 {
        config.set("dogstatsd_port", &options.dogstatsd_port.to_string())?;
    }
    if options.trace_agent_uds_permissions >= 0 {
        let mode_bits = format!("{:o}", options.trace_agent_uds_permissions);
        config.set("trace_agent_uds_permissions", &mode_bits)?;
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;
    use std::mem::{align_of, offset_of, size_of};
    use std::ptr;

    use super::*;
    use crate::agent::{
        corelane_agent_flush, corelane_agent_free, corelane_agent_request_stop,
        corelane_agent_submit, corelane_agent_wait,
    };
    use crate::error::{corelane_error, corelane_error_code, corelane_error_free};

    /// Options as C has them in zeroed memory, with a configuration that needs nothing else.
    fn zeroed() -> DatadogAgentOptions {
        DatadogAgentOptions {
            api_key: ptr::null(),
            site: ptr::null(),
            service: ptr::null(),
            env: ptr::null(),
            version: ptr::null(),
            appsec_enabled: 0,
            remote_config_enabled: 0,
            log_level: 0,
            operational_mode: 0,
            trace_agent_port: 0,
            dogstatsd_enabled: 0,
            dogstatsd_port: 0,
            trace_agent_uds_permissions: 0,
        }
    }

    /// The same in C, by the compiler of C: `tests/ffi/c/layout.c`.
    #[test]
    fn layouts_are_those_of_the_contract() {
        assert_eq!((size_of::<DatadogAgentOptions>(), align_of::<DatadogAgentOptions>()), (72, 8));
        assert_eq!(offset_of!(DatadogAgentOptions, version), 32);
        assert_eq!(offset_of!(DatadogAgentOptions, appsec_enabled), 40);
        assert_eq!(offset_of!(DatadogAgentOptions, trace_agent_uds_permissions), 68);
        type Started = DatadogAgentStartResult;
        assert_eq!((size_of::<Started>(), align_of::<Started>()), (40, 8));
        assert_eq!((offset_of!(Started, error), offset_of!(Started, version)), (8, 16));
        assert_eq!((offset_of!(Started, bound_port), offset_of!(Started, uds_path)), (24, 32));
    }

    #[test]
    fn options_of_c_become_a_configuration() {
        let options = DatadogAgentOptions {
            api_key: c"0123456789abcdef0123456789abcdef".as_ptr(),
            site: c"".as_ptr(),
            service: c"shop".as_ptr(),
            log_level: 4,
            trace_agent_port: -1,
            ..zeroed()
        };
        // SAFETY: its texts end with a zero.
        let made = unsafe { config(&options) }.unwrap();
        // To load it takes Miri minutes, and nothing of it is unsafe.
        if !cfg!(miri) {
            assert_eq!(made.log_level(), log::LevelFilter::Debug);
        }
        let broken = DatadogAgentOptions { env: c"\xff".as_ptr(), ..options };
        // SAFETY: as above.
        let refused = unsafe { config(&broken) }.unwrap_err();
        assert_eq!(refused.code, DatadogError::DATADOG_INVALID_STRING);
    }

    #[test]
    fn a_start_that_fails_says_so_in_every_field() {
        // SAFETY: NULL is an error.
        let nothing = unsafe { datadog_agent_start(ptr::null()) };
        let broken = DatadogAgentOptions { site: c"\xff".as_ptr(), ..zeroed() };
        // SAFETY: its texts end with a zero.
        let broken = unsafe { datadog_agent_start(&raw const broken) };
        for (result, error) in [
            (nothing, DatadogError::DATADOG_NULL_POINTER),
            (broken, DatadogError::DATADOG_INVALID_STRING),
        ] {
            assert_eq!((result.error, result.agent.is_null()), (error, true));
            assert_eq!((result.bound_port, result.dogstatsd_port), (-1, -1));
            assert!(result.uds_path.is_null());
            // SAFETY: it ends with a zero and is always there.
            let version = unsafe { CStr::from_ptr(result.version) };
            assert_eq!(version.to_str().ok(), Some(env!("CARGO_PKG_VERSION")));
        }
    }

    /// Miri would see one that is followed.
    #[test]
    fn handles_that_are_none_are_looked_up_and_not_followed() {
        let code = |error: *mut corelane_error| {
            // SAFETY: an error of this library.
            let code = unsafe { corelane_error_code(error) };
            // SAFETY: it is not used any more.
            unsafe { corelane_error_free(error) };
            code
        };
        let null = (ptr::null_mut(), DatadogError::DATADOG_NULL_POINTER);
        let wild = (ptr::dangling_mut(), DatadogError::DATADOG_NOT_AVAILABLE);
        for (handle, expected) in [null, wild] {
            // SAFETY: a handle that is none is left alone, here and below.
            assert_eq!(code(unsafe { corelane_agent_flush(handle, 1) }), expected);
            // SAFETY: as above; the bytes are there.
            let submitted = unsafe { corelane_agent_submit(handle, 0, b"a:1|c".as_ptr(), 5, 0) };
            assert_eq!(code(submitted), expected);
            // SAFETY: as above.
            assert_eq!(unsafe { corelane_agent_wait(handle, 1) }, -1);
            // SAFETY: as above.
            assert_eq!(unsafe { datadog_agent_wait_for_shutdown(handle) }, -1);
            // SAFETY: as above.
            assert_eq!(unsafe { datadog_agent_stop(handle) }, expected);
            // SAFETY: as above.
            unsafe { corelane_agent_request_stop(handle) };
            // SAFETY: as above.
            unsafe { corelane_agent_free(handle) };
        }
    }
}
