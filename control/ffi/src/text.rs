//! Texts across the boundary.

use std::ffi::{CStr, CString, c_char};

use crate::error::{DatadogError, Failure};

/// A text that C passed in: none for NULL.
///
/// # Safety
/// `text` is NULL or points to bytes that end with a zero and stay as they are meanwhile.
pub(crate) unsafe fn borrow<'t>(text: *const c_char) -> Result<Option<&'t str>, Failure> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: not null, and the caller promises the rest.
    let bytes = unsafe { CStr::from_ptr(text) };
    let refuse = |_| Failure::new(DatadogError::DATADOG_INVALID_STRING, "a text is not UTF-8");
    bytes.to_str().map(Some).map_err(refuse)
}

/// The same, where NULL is an error.
///
/// # Safety
/// As [`borrow`].
pub(crate) unsafe fn require<'t>(text: *const c_char) -> Result<&'t str, Failure> {
    // SAFETY: the caller promises what is asked for.
    unsafe { borrow(text) }?.ok_or_else(Failure::null)
}

/// A text for C to free with `datadog_free_string` or `corelane_string_free`.
pub(crate) fn give(text: &str) -> *mut c_char {
    // A zero inside would end the text for C anyway.
    let end = text.find('\0').unwrap_or(text.len());
    let text = text.get(..end).unwrap_or_default();
    CString::new(text).map_or(std::ptr::null_mut(), CString::into_raw)
}

/// Takes back a text from [`give`].
///
/// # Safety
/// `text` is NULL or comes from [`give`] and was not taken back before.
pub(crate) unsafe fn take_back(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: it comes from `CString::into_raw`, as the caller promises.
        drop(unsafe { CString::from_raw(text) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_go_in_and_out_and_end_at_their_zero() {
        // SAFETY: the literal ends with a zero.
        let borrowed = unsafe { borrow(c"site".as_ptr()) };
        assert_eq!(borrowed.unwrap(), Some("site"));
        // SAFETY: NULL may be asked about.
        assert!(unsafe { borrow(std::ptr::null()) }.unwrap().is_none());
        // SAFETY: as above.
        let missing = unsafe { require(std::ptr::null()) }.unwrap_err();
        assert_eq!(missing.code, DatadogError::DATADOG_NULL_POINTER);
        // SAFETY: the literal ends with a zero.
        let broken = unsafe { require(c"\xff".as_ptr()) }.unwrap_err();
        assert_eq!(broken.code, DatadogError::DATADOG_INVALID_STRING);

        let given = give("unix:///a\0b");
        // SAFETY: it was given right above.
        assert_eq!(unsafe { require(given) }.unwrap(), "unix:///a");
        // SAFETY: it was given above, and nobody has taken it back.
        unsafe { take_back(given) };
        // SAFETY: NULL is fine.
        unsafe { take_back(std::ptr::null_mut()) };
    }
}
