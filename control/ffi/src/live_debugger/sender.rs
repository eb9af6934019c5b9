//! The sender, as a handle.

use bytes::Bytes;
use debugger::{Config, Sender, SenderCounts, debugger_type_of_json};

use super::config::ddog_SenderConfig;
use super::endpoint::ddog_Endpoint;
use super::error::ddog_MaybeError;
use super::guard::guarded;
use super::slice::{Owned, ddog_CharSlice, ddog_OwnedCharSlice};
use super::tags::ddog_Tags;

/// A running sender.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "a name of C")]
pub struct ddog_SenderHandle(Sender);

/// Kind of a payload.
///
/// cbindgen:rename-all=QualifiedScreamingSnakeCase
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum ddog_DebuggerType {
    /// State of a probe.
    Diagnostics = 0,
    /// With captured values.
    Snapshots = 1,
    /// Without.
    Logs = 2,
}

/// A payload as JSON, whose kind is known.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "a name of C")]
pub struct ddog_DebuggerPayload {
    kind: debugger::DebuggerType,
    json: Bytes,
}

/// Starts a sender of snapshots, logs and diagnostics to one endpoint, which is copied. Consumes
/// `tags`. `*handle` is NULL after an error.
///
/// # Safety
/// The pointers are NULL or came from this library; `tags` was not consumed; `handle` can be
/// written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_spawn_sender(
    endpoint: *const ddog_Endpoint,
    tags: *mut ddog_Tags,
    handle: *mut *mut ddog_SenderHandle,
) -> ddog_MaybeError {
    guarded(ddog_MaybeError::panicked(), || {
        // SAFETY: promised by the caller.
        let endpoint = unsafe { endpoint.as_ref() };
        let config = endpoint.map(|endpoint| {
            let mut config = Config::default();
            config.set_endpoint(endpoint.0.clone());
            config
        });
        // SAFETY: promised by the caller.
        unsafe { spawn(config, tags, handle) }
    })
}

/// Starts a sender. Consumes `config` and `tags`. `*handle` is NULL after an error.
///
/// # Safety
/// The pointers are NULL or came from this library; neither `config` nor `tags` was consumed;
/// `handle` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_spawn_sender_with_config(
    config: *mut ddog_SenderConfig,
    tags: *mut ddog_Tags,
    handle: *mut *mut ddog_SenderHandle,
) -> ddog_MaybeError {
    guarded(ddog_MaybeError::panicked(), || {
        // SAFETY: owned as promised by the caller, if it is not null.
        let config = (!config.is_null()).then(|| unsafe { Box::from_raw(config) }.0);
        // SAFETY: promised by the caller.
        unsafe { spawn(config, tags, handle) }
    })
}

/// Queues a JSON array, or one JSON object, of the kind 0 (diagnostics), 1 (snapshots) or 2
/// (logs). Consumes `data`: it is freed after it was sent, or before this returns false. False if
/// 5000 payloads wait, or if anything is wrong with an argument. Never waits.
///
/// # Safety
/// `handle` is NULL or a sender that was neither dropped nor joined; the bytes of `data` stay as
/// they are until it is freed, which any thread may do.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_send_raw_data(
    handle: *const ddog_SenderHandle,
    debugger_type: i32,
    data: ddog_OwnedCharSlice,
) -> bool {
    guarded(false, || {
        // SAFETY: promised by the caller.
        let data = unsafe { Owned::new(data) };
        // SAFETY: promised by the caller.
        let handle = unsafe { handle.as_ref() };
        let (Some(handle), Some(kind)) = (handle, kind_of(debugger_type)) else { return false };
        if data.is_invalid() {
            return false;
        }
        handle.0.send_raw_data(kind, Bytes::from_owner(data)).is_ok()
    })
}

/// Queues an upload of a symbol database. As `ddog_live_debugger_send_raw_data`.
///
/// # Safety
/// As `ddog_live_debugger_send_raw_data`; `content_type` is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_send_symdb_data(
    handle: *const ddog_SenderHandle,
    content_type: ddog_CharSlice,
    data: ddog_OwnedCharSlice,
) -> bool {
    guarded(false, || {
        // SAFETY: promised by the caller.
        let data = unsafe { Owned::new(data) };
        // SAFETY: promised by the caller.
        let handle = unsafe { handle.as_ref() };
        // SAFETY: promised by the caller.
        let content_type = unsafe { content_type.text() };
        let (Some(handle), Some(content_type)) = (handle, content_type) else { return false };
        if data.is_invalid() {
            return false;
        }
        handle.0.send_symdb_data(&content_type, Bytes::from_owner(data)).is_ok()
    })
}

/// As `ddog_live_debugger_send_raw_data`, for bytes that are copied before this returns.
///
/// # Safety
/// `handle` is NULL or a sender that was neither dropped nor joined; `data` is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_send_copy(
    handle: *const ddog_SenderHandle,
    debugger_type: i32,
    data: ddog_CharSlice,
) -> bool {
    guarded(false, || {
        // SAFETY: promised by the caller.
        let handle = unsafe { handle.as_ref() };
        // SAFETY: promised by the caller.
        let data = unsafe { data.bytes() };
        let (Some(handle), Some(kind), Some(data)) = (handle, kind_of(debugger_type), data) else {
            return false;
        };
        handle.0.send_raw_data(kind, Bytes::copy_from_slice(data)).is_ok()
    })
}

/// As `ddog_live_debugger_send_symdb_data`, for bytes that are copied before this returns.
///
/// # Safety
/// `handle` is NULL or a sender that was neither dropped nor joined; the slices are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_send_symdb_copy(
    handle: *const ddog_SenderHandle,
    content_type: ddog_CharSlice,
    data: ddog_CharSlice,
) -> bool {
    guarded(false, || {
        // SAFETY: promised by the caller.
        let handle = unsafe { handle.as_ref() };
        // SAFETY: promised by the caller.
        let content_type = unsafe { content_type.text() };
        // SAFETY: promised by the caller.
        let data = unsafe { data.bytes() };
        let (Some(handle), Some(content_type), Some(data)) = (handle, content_type, data) else {
            return false;
        };
        handle.0.send_symdb_data(&content_type, Bytes::copy_from_slice(data)).is_ok()
    })
}

/// What became of payloads so far: queued = sent + failed + those that wait or are under way.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct ddog_SenderCounts {
    /// Taken into the queue.
    pub queued: u64,
    /// Accepted by the primary endpoint.
    pub sent: u64,
    /// Refused by it, or not answered in time.
    pub failed: u64,
    /// Not taken into the queue.
    pub refused: u64,
}

/// What became of payloads so far. All 0 for NULL.
///
/// # Safety
/// `handle` is NULL or a sender that was neither dropped nor joined.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_counts(
    handle: *const ddog_SenderHandle,
) -> ddog_SenderCounts {
    guarded(ddog_SenderCounts::default(), || {
        // SAFETY: promised by the caller.
        let Some(handle) = (unsafe { handle.as_ref() }) else {
            return ddog_SenderCounts::default();
        };
        handle.0.counts().into()
    })
}

/// A payload of one JSON object, `{"service": ..., "debugger": {...}, ...}`. Its kind follows from
/// its content. `*payload` is NULL after an error; free it with `ddog_live_debugger_payload_drop`.
///
/// # Safety
/// `json` is readable; `payload` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_payload_from_json(
    json: ddog_CharSlice,
    payload: *mut *mut ddog_DebuggerPayload,
) -> ddog_MaybeError {
    guarded(ddog_MaybeError::panicked(), || {
        if payload.is_null() {
            return ddog_MaybeError::some(&"payload is NULL");
        }
        // SAFETY: not null, and writable as promised by the caller.
        unsafe { payload.write(std::ptr::null_mut()) };
        // SAFETY: promised by the caller.
        let Some(json) = (unsafe { json.bytes() }) else {
            return ddog_MaybeError::some(&"json is NULL");
        };
        match debugger_type_of_json(json) {
            Ok(kind) => {
                let made = ddog_DebuggerPayload { kind, json: Bytes::copy_from_slice(json) };
                // SAFETY: as above.
                unsafe { payload.write(Box::into_raw(Box::new(made))) };
                ddog_MaybeError::NoneError
            }
            Err(error) => ddog_MaybeError::some(&error),
        }
    })
}

/// Queues a payload, as an array of one. `payload` is borrowed. True if it was queued.
///
/// # Safety
/// Both are NULL or came from this library; `handle` was neither dropped nor joined.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_send_payload(
    handle: *const ddog_SenderHandle,
    payload: *const ddog_DebuggerPayload,
) -> bool {
    guarded(false, || {
        // SAFETY: promised by the caller.
        let handle = unsafe { handle.as_ref() };
        // SAFETY: promised by the caller.
        let payload = unsafe { payload.as_ref() };
        let (Some(handle), Some(payload)) = (handle, payload) else { return false };
        handle.0.send_raw_data(payload.kind, payload.json.clone()).is_ok()
    })
}

/// Frees a payload. NULL is allowed.
///
/// # Safety
/// `payload` is NULL or came from this library and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_payload_drop(payload: *mut ddog_DebuggerPayload) {
    guarded((), || {
        if !payload.is_null() {
            // SAFETY: not null, and owned as promised by the caller.
            drop(unsafe { Box::from_raw(payload) });
        }
    });
}

/// Closes the queue and frees the handle without waiting. The thread sends what is queued and ends
/// by itself. NULL is allowed.
///
/// # Safety
/// `handle` is NULL or a sender that was neither dropped nor joined and is not in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_drop_sender(handle: *mut ddog_SenderHandle) {
    guarded((), || {
        if !handle.is_null() {
            // SAFETY: not null, and owned as promised by the caller.
            drop(unsafe { Box::from_raw(handle) });
        }
    });
}

/// Closes the queue, waits until everything in it is sent or has failed, and frees the handle.
/// NULL is allowed.
///
/// # Safety
/// `handle` is NULL or a sender that was neither dropped nor joined and is not in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_join_sender(handle: *mut ddog_SenderHandle) {
    guarded((), || {
        if !handle.is_null() {
            // SAFETY: not null, and owned as promised by the caller.
            let sender = unsafe { Box::from_raw(handle) };
            let _counts = sender.0.join();
        }
    });
}

/// As `ddog_live_debugger_join_sender`, and says what became of everything. `counts` may be NULL.
///
/// # Safety
/// As there; `counts` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_close(
    handle: *mut ddog_SenderHandle,
    counts: *mut ddog_SenderCounts,
) {
    guarded((), || {
        if handle.is_null() {
            return;
        }
        // SAFETY: not null, and owned as promised by the caller.
        let ended = unsafe { Box::from_raw(handle) }.0.join();
        // SAFETY: promised by the caller.
        if let Some(counts) = unsafe { counts.as_mut() } {
            *counts = ended.into();
        }
    });
}

impl From<SenderCounts> for ddog_SenderCounts {
    fn from(counts: SenderCounts) -> Self {
        let SenderCounts { queued, sent, failed, refused } = counts;
        Self { queued, sent, failed, refused }
    }
}

const fn kind_of(debugger_type: i32) -> Option<debugger::DebuggerType> {
    match debugger_type {
        0 => Some(debugger::DebuggerType::Diagnostics),
        1 => Some(debugger::DebuggerType::Snapshots),
        2 => Some(debugger::DebuggerType::Logs),
        _ => None,
    }
}

/// # Safety
/// `tags` is NULL or owned by the caller; `handle` is NULL or can be written.
unsafe fn spawn(
    config: Option<Config>,
    tags: *mut ddog_Tags,
    handle: *mut *mut ddog_SenderHandle,
) -> ddog_MaybeError {
    // SAFETY: owned as promised by the caller, if it is not null.
    let tags = (!tags.is_null()).then(|| unsafe { Box::from_raw(tags) });
    if handle.is_null() {
        return ddog_MaybeError::some(&"handle is NULL");
    }
    // SAFETY: not null, and writable as promised by the caller.
    unsafe { handle.write(std::ptr::null_mut()) };
    let (Some(config), Some(tags)) = (config, tags) else {
        return ddog_MaybeError::some(&"config, endpoint or tags is NULL");
    };
    match Sender::spawn(config, tags.0) {
        Ok(sender) => {
            // SAFETY: as above.
            unsafe { handle.write(Box::into_raw(Box::new(ddog_SenderHandle(sender)))) };
            ddog_MaybeError::NoneError
        }
        Err(error) => ddog_MaybeError::some(&error),
    }
}
