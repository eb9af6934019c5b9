//! Every function of this module under the prefix of this library.

use super::config::{
    ddog_SenderConfig, ddog_live_debugger_sender_config_add_additional_endpoint,
    ddog_live_debugger_sender_config_add_additional_symdb_endpoint,
    ddog_live_debugger_sender_config_drop, ddog_live_debugger_sender_config_new,
    ddog_live_debugger_sender_config_set_endpoint,
    ddog_live_debugger_sender_config_set_symdb_endpoint,
};
use super::endpoint::{
    ddog_Endpoint, ddog_endpoint_drop, ddog_endpoint_from_filename, ddog_endpoint_from_url,
    ddog_endpoint_set_test_token, ddog_endpoint_set_timeout,
    ddog_live_debugger_endpoint_from_site_and_api_key, ddog_live_debugger_endpoint_set_api_key,
};
use super::error::{ddog_Error, ddog_Error_drop, ddog_MaybeError, ddog_MaybeError_drop};
use super::sender::{
    ddog_DebuggerPayload, ddog_SenderHandle, ddog_live_debugger_drop_sender,
    ddog_live_debugger_join_sender, ddog_live_debugger_payload_drop,
    ddog_live_debugger_payload_from_json, ddog_live_debugger_send_payload,
    ddog_live_debugger_send_raw_data, ddog_live_debugger_send_symdb_data,
    ddog_live_debugger_spawn_sender, ddog_live_debugger_spawn_sender_with_config,
};
use super::slice::{ddog_CharSlice, ddog_OwnedCharSlice};
use super::tags::{
    ddog_Tags, ddog_Vec_Tag, ddog_Vec_Tag_PushResult, ddog_Vec_Tag_drop, ddog_Vec_Tag_new,
    ddog_Vec_Tag_push, ddog_live_debugger_build_tags, ddog_live_debugger_tags_drop,
    ddog_live_debugger_tags_from_raw,
};

/// As `ddog_Error_drop`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_Error_drop(error: *mut ddog_Error) {
    // SAFETY: the caller promises the same.
    unsafe { ddog_Error_drop(error) }
}

/// As `ddog_MaybeError_drop`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_MaybeError_drop(error: ddog_MaybeError) {
    // SAFETY: the caller promises the same.
    unsafe { ddog_MaybeError_drop(error) }
}

/// As `ddog_endpoint_from_url`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_endpoint_from_url(url: ddog_CharSlice) -> *mut ddog_Endpoint {
    // SAFETY: the caller promises the same.
    unsafe { ddog_endpoint_from_url(url) }
}

/// As `ddog_endpoint_from_filename`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_endpoint_from_filename(
    filename: ddog_CharSlice,
) -> *mut ddog_Endpoint {
    // SAFETY: the caller promises the same.
    unsafe { ddog_endpoint_from_filename(filename) }
}

/// As `ddog_live_debugger_endpoint_from_site_and_api_key`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_endpoint_from_site_and_api_key(
    site: ddog_CharSlice,
    api_key: ddog_CharSlice,
    endpoint: *mut *mut ddog_Endpoint,
) -> ddog_MaybeError {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_endpoint_from_site_and_api_key(site, api_key, endpoint) }
}

/// As `ddog_endpoint_set_timeout`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_endpoint_set_timeout(
    endpoint: *mut ddog_Endpoint,
    timeout_ms: u64,
) {
    // SAFETY: the caller promises the same.
    unsafe { ddog_endpoint_set_timeout(endpoint, timeout_ms) }
}

/// As `ddog_endpoint_set_test_token`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_endpoint_set_test_token(
    endpoint: *mut ddog_Endpoint,
    token: ddog_CharSlice,
) {
    // SAFETY: the caller promises the same.
    unsafe { ddog_endpoint_set_test_token(endpoint, token) }
}

/// As `ddog_live_debugger_endpoint_set_api_key`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_endpoint_set_api_key(
    endpoint: *mut ddog_Endpoint,
    api_key: ddog_CharSlice,
) {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_endpoint_set_api_key(endpoint, api_key) }
}

/// As `ddog_endpoint_drop`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_endpoint_drop(endpoint: *mut ddog_Endpoint) {
    // SAFETY: the caller promises the same.
    unsafe { ddog_endpoint_drop(endpoint) }
}

/// As `ddog_Vec_Tag_new`.
#[unsafe(no_mangle)]
pub extern "C" fn corelane_Vec_Tag_new() -> ddog_Vec_Tag {
    ddog_Vec_Tag_new()
}

/// As `ddog_Vec_Tag_push`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_Vec_Tag_push(
    tags: *mut ddog_Vec_Tag,
    key: ddog_CharSlice,
    value: ddog_CharSlice,
) -> ddog_Vec_Tag_PushResult {
    // SAFETY: the caller promises the same.
    unsafe { ddog_Vec_Tag_push(tags, key, value) }
}

/// As `ddog_Vec_Tag_drop`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_Vec_Tag_drop(tags: ddog_Vec_Tag) {
    // SAFETY: the caller promises the same.
    unsafe { ddog_Vec_Tag_drop(tags) }
}

/// As `ddog_live_debugger_build_tags`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_build_tags(
    debugger_version: ddog_CharSlice,
    env: ddog_CharSlice,
    version: ddog_CharSlice,
    runtime_id: ddog_CharSlice,
    global_tags: ddog_Vec_Tag,
) -> *mut ddog_Tags {
    // SAFETY: the caller promises the same.
    unsafe {
        ddog_live_debugger_build_tags(debugger_version, env, version, runtime_id, global_tags)
    }
}

/// As `ddog_live_debugger_tags_from_raw`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_tags_from_raw(
    tags: ddog_CharSlice,
) -> *mut ddog_Tags {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_tags_from_raw(tags) }
}

/// As `ddog_live_debugger_tags_drop`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_tags_drop(tags: *mut ddog_Tags) {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_tags_drop(tags) }
}

/// As `ddog_live_debugger_sender_config_new`.
#[unsafe(no_mangle)]
pub extern "C" fn corelane_live_debugger_sender_config_new() -> *mut ddog_SenderConfig {
    ddog_live_debugger_sender_config_new()
}

/// As `ddog_live_debugger_sender_config_set_endpoint`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_sender_config_set_endpoint(
    config: *mut ddog_SenderConfig,
    endpoint: *const ddog_Endpoint,
) -> ddog_MaybeError {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_sender_config_set_endpoint(config, endpoint) }
}

/// As `ddog_live_debugger_sender_config_set_symdb_endpoint`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_sender_config_set_symdb_endpoint(
    config: *mut ddog_SenderConfig,
    endpoint: *const ddog_Endpoint,
) -> ddog_MaybeError {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_sender_config_set_symdb_endpoint(config, endpoint) }
}

/// As `ddog_live_debugger_sender_config_add_additional_endpoint`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_sender_config_add_additional_endpoint(
    config: *mut ddog_SenderConfig,
    endpoint: *const ddog_Endpoint,
) -> ddog_MaybeError {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_sender_config_add_additional_endpoint(config, endpoint) }
}

/// As `ddog_live_debugger_sender_config_add_additional_symdb_endpoint`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_sender_config_add_additional_symdb_endpoint(
    config: *mut ddog_SenderConfig,
    endpoint: *const ddog_Endpoint,
) -> ddog_MaybeError {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_sender_config_add_additional_symdb_endpoint(config, endpoint) }
}

/// As `ddog_live_debugger_sender_config_drop`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_sender_config_drop(config: *mut ddog_SenderConfig) {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_sender_config_drop(config) }
}

/// As `ddog_live_debugger_spawn_sender`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_spawn_sender(
    endpoint: *const ddog_Endpoint,
    tags: *mut ddog_Tags,
    handle: *mut *mut ddog_SenderHandle,
) -> ddog_MaybeError {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_spawn_sender(endpoint, tags, handle) }
}

/// As `ddog_live_debugger_spawn_sender_with_config`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_spawn_sender_with_config(
    config: *mut ddog_SenderConfig,
    tags: *mut ddog_Tags,
    handle: *mut *mut ddog_SenderHandle,
) -> ddog_MaybeError {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_spawn_sender_with_config(config, tags, handle) }
}

/// As `ddog_live_debugger_send_raw_data`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_send_raw_data(
    handle: *const ddog_SenderHandle,
    debugger_type: i32,
    data: ddog_OwnedCharSlice,
) -> bool {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_send_raw_data(handle, debugger_type, data) }
}

/// As `ddog_live_debugger_send_symdb_data`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_send_symdb_data(
    handle: *const ddog_SenderHandle,
    content_type: ddog_CharSlice,
    data: ddog_OwnedCharSlice,
) -> bool {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_send_symdb_data(handle, content_type, data) }
}

/// As `ddog_live_debugger_payload_from_json`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_payload_from_json(
    json: ddog_CharSlice,
    payload: *mut *mut ddog_DebuggerPayload,
) -> ddog_MaybeError {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_payload_from_json(json, payload) }
}

/// As `ddog_live_debugger_send_payload`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_send_payload(
    handle: *const ddog_SenderHandle,
    payload: *const ddog_DebuggerPayload,
) -> bool {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_send_payload(handle, payload) }
}

/// As `ddog_live_debugger_payload_drop`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_payload_drop(payload: *mut ddog_DebuggerPayload) {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_payload_drop(payload) }
}

/// As `ddog_live_debugger_drop_sender`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_drop_sender(handle: *mut ddog_SenderHandle) {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_drop_sender(handle) }
}

/// As `ddog_live_debugger_join_sender`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_live_debugger_join_sender(handle: *mut ddog_SenderHandle) {
    // SAFETY: the caller promises the same.
    unsafe { ddog_live_debugger_join_sender(handle) }
}
