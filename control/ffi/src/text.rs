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

/// Copies a text and its zero into a buffer of `*length` bytes, and says through `length` how many
/// they are. Only that for a buffer that is NULL; an error for one that is too short.
///
/// # Safety
/// `length` is NULL or may be read and written; `buffer` is NULL or may be written for `*length`
/// bytes, and does not overlap `text`.
pub(crate) unsafe fn copy_out(
    text: &str,
    buffer: *mut c_char,
    length: *mut usize,
) -> Result<(), Failure> {
    // SAFETY: the caller promises that it may be written to, or is NULL.
    let length = unsafe { length.as_mut() }.ok_or_else(Failure::null)?;
    let room = std::mem::replace(length, text.len() + 1);
    if buffer.is_null() {
        return Ok(());
    }
    if room <= text.len() {
        let message = format!("the buffer has {room} bytes, {} are needed", text.len() + 1);
        return Err(Failure::new(DatadogError::DATADOG_RUNTIME_ERROR, message));
    }
    // SAFETY: there is room for the text and its zero, and the caller promises no overlap.
    unsafe { text.as_ptr().copy_to_nonoverlapping(buffer.cast(), text.len()) };
    // SAFETY: as above; the zero is the last of these bytes.
    let end = unsafe { buffer.add(text.len()) };
    // SAFETY: as above.
    unsafe { end.write(0) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_copied_into_a_buffer_of_the_length_that_was_asked_for() {
        let mut length = 0;
        // SAFETY: NULL asks for the length.
        unsafe { copy_out("unix:///a", std::ptr::null_mut(), &raw mut length) }.unwrap();
        assert_eq!(length, 10);
        // Of that size exactly, on the heap: Miri sees a byte beyond it.
        let mut buffer = vec![c_char::MAX; length].into_boxed_slice();
        // SAFETY: the buffer has so many bytes.
        unsafe { copy_out("unix:///a", buffer.as_mut_ptr(), &raw mut length) }.unwrap();
        // SAFETY: it ends with a zero now.
        assert_eq!(unsafe { require(buffer.as_ptr()) }.unwrap(), "unix:///a");

        let mut short = vec![c_char::MAX; 9].into_boxed_slice();
        length = short.len();
        // SAFETY: as above.
        let refused = unsafe { copy_out("unix:///a", short.as_mut_ptr(), &raw mut length) };
        assert_eq!(refused.unwrap_err().code, DatadogError::DATADOG_RUNTIME_ERROR);
        assert_eq!((length, &*short), (10, [c_char::MAX; 9].as_slice()));
        // SAFETY: NULL is an error.
        let missing = unsafe { copy_out("a", buffer.as_mut_ptr(), std::ptr::null_mut()) };
        assert_eq!(missing.unwrap_err().code, DatadogError::DATADOG_NULL_POINTER);
    }

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
