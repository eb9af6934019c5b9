//! Where to send, as a handle.

use debugger::debugger_intake_endpoint;

use super::error::ddog_MaybeError;
use super::guard::guarded;
use super::slice::ddog_CharSlice;

/// One place to send to.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "a name of C")]
pub struct ddog_Endpoint(pub(super) debugger::Endpoint);

/// An endpoint of an agent, such as `http://localhost:8126` or `unix:///var/run/datadog/apm.socket`,
/// or of an intake if it gets a key. NULL if the URL is none. Free it with `ddog_endpoint_drop`.
///
/// # Safety
/// `url` is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_endpoint_from_url(url: ddog_CharSlice) -> *mut ddog_Endpoint {
    guarded(std::ptr::null_mut(), || {
        // SAFETY: promised by the caller.
        let text = unsafe { url.text() };
        from_url(text.as_deref())
    })
}

/// An endpoint of tests: what would be sent is appended to the file with this absolute path. NULL
/// if the path is relative. Free it with `ddog_endpoint_drop`.
///
/// # Safety
/// `filename` is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_endpoint_from_filename(
    filename: ddog_CharSlice,
) -> *mut ddog_Endpoint {
    guarded(std::ptr::null_mut(), || {
        // SAFETY: promised by the caller.
        let text = unsafe { filename.text() };
        from_url(text.map(|path| format!("file://{path}")).as_deref())
    })
}

/// The intake of a site, such as `datadoghq.com`. Free `*endpoint` with `ddog_endpoint_drop`; it
/// is NULL after an error.
///
/// # Safety
/// `site` and `api_key` are readable; `endpoint` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_endpoint_from_site_and_api_key(
    site: ddog_CharSlice,
    api_key: ddog_CharSlice,
    endpoint: *mut *mut ddog_Endpoint,
) -> ddog_MaybeError {
    guarded(ddog_MaybeError::panicked(), || {
        if endpoint.is_null() {
            return ddog_MaybeError::some(&"endpoint is NULL");
        }
        // SAFETY: not null, and writable as promised by the caller.
        unsafe { endpoint.write(std::ptr::null_mut()) };
        // SAFETY: promised by the caller.
        let site = unsafe { site.text() };
        // SAFETY: promised by the caller.
        let api_key = unsafe { api_key.text() };
        let (Some(site), Some(api_key)) = (site, api_key) else {
            return ddog_MaybeError::some(&"site or api_key is NULL");
        };
        if api_key.trim().is_empty() {
            return ddog_MaybeError::some(&"api_key is empty");
        }
        match debugger_intake_endpoint(&site, &api_key) {
            Ok(made) => {
                // SAFETY: as above.
                unsafe { endpoint.write(Box::into_raw(Box::new(ddog_Endpoint(made)))) };
                ddog_MaybeError::NoneError
            }
            Err(error) => ddog_MaybeError::some(&error),
        }
    })
}

/// Sets how long each wait for the endpoint may take. 3000 ms by default.
///
/// # Safety
/// `endpoint` is NULL or came from this library and is not in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_endpoint_set_timeout(endpoint: *mut ddog_Endpoint, timeout_ms: u64) {
    guarded((), || {
        // SAFETY: promised by the caller.
        if let Some(endpoint) = unsafe { endpoint.as_mut() } {
            endpoint.0.timeout_ms = timeout_ms;
        }
    });
}

/// Names the session of a test agent.
///
/// # Safety
/// `endpoint` is NULL or came from this library and is not in use; `token` is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_endpoint_set_test_token(
    endpoint: *mut ddog_Endpoint,
    token: ddog_CharSlice,
) {
    guarded((), || {
        // SAFETY: promised by the caller.
        let token = unsafe { token.text() };
        // SAFETY: promised by the caller.
        if let Some(endpoint) = unsafe { endpoint.as_mut() } {
            endpoint.0.test_token = token.filter(|token| !token.is_empty());
        }
    });
}

/// Gives an endpoint made of a URL a key, which makes it one of an intake. An empty key takes it
/// away.
///
/// # Safety
/// `endpoint` is NULL or came from this library and is not in use; `api_key` is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_endpoint_set_api_key(
    endpoint: *mut ddog_Endpoint,
    api_key: ddog_CharSlice,
) {
    guarded((), || {
        // SAFETY: promised by the caller.
        let api_key = unsafe { api_key.text() };
        // SAFETY: promised by the caller.
        if let Some(endpoint) = unsafe { endpoint.as_mut() } {
            endpoint.0.api_key = api_key.filter(|key| !key.trim().is_empty());
        }
    });
}

/// Frees an endpoint. NULL is allowed.
///
/// # Safety
/// `endpoint` is NULL or came from this library and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_endpoint_drop(endpoint: *mut ddog_Endpoint) {
    guarded((), || {
        if !endpoint.is_null() {
            // SAFETY: not null, and owned as promised by the caller.
            drop(unsafe { Box::from_raw(endpoint) });
        }
    });
}

fn from_url(text: Option<&str>) -> *mut ddog_Endpoint {
    let made = text.and_then(|text| text.parse().ok());
    let made = made.map(|url| ddog_Endpoint(debugger::Endpoint::new(url, None)));
    made.map_or(std::ptr::null_mut(), |endpoint| Box::into_raw(Box::new(endpoint)))
}
