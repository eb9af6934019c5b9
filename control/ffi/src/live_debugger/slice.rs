//! Text and bytes as C hands them over.

use std::ffi::c_char;
use std::slice;

/// Borrowed bytes without a NUL at their end. A null pointer with length 0 is empty.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ddog_CharSlice {
    /// First byte.
    pub ptr: *const c_char,
    /// How many.
    pub len: usize,
}

/// Bytes that are handed over.
#[derive(Debug)]
#[repr(C)]
pub struct ddog_OwnedCharSlice {
    /// The bytes.
    pub slice: ddog_CharSlice,
    /// Called once with the slice when it is not needed any more, by any thread. NULL if nothing
    /// has to be freed.
    pub free: Option<unsafe extern "C" fn(ddog_CharSlice)>,
}

impl ddog_CharSlice {
    /// The bytes; `None` for a null pointer with a length, or a length that no memory has.
    ///
    /// # Safety
    /// `ptr` points to `len` bytes that nobody changes while the result lives.
    pub(super) unsafe fn bytes<'a>(self) -> Option<&'a [u8]> {
        if self.len == 0 {
            return Some(&[]);
        }
        if self.ptr.is_null() || isize::try_from(self.len).is_err() {
            return None;
        }
        // SAFETY: not null and not too long as checked, readable as promised by the caller.
        Some(unsafe { slice::from_raw_parts(self.ptr.cast(), self.len) })
    }

    /// The text, with what is no UTF-8 replaced.
    ///
    /// # Safety
    /// As [`ddog_CharSlice::bytes`].
    pub(super) unsafe fn text(self) -> Option<String> {
        // SAFETY: the caller promises the same.
        let bytes = unsafe { self.bytes() }?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }
}

/// The bytes of an [`ddog_OwnedCharSlice`] until they are let go of.
pub(super) struct Owned(ddog_OwnedCharSlice);

// SAFETY: the caller handed the bytes over and allows any thread to free them.
unsafe impl Send for Owned {}

impl Owned {
    /// # Safety
    /// The bytes are readable until `free` is called, and `free` may be called once.
    pub(super) const unsafe fn new(slice: ddog_OwnedCharSlice) -> Self {
        Self(slice)
    }

    /// Whether it is a null pointer with a length.
    pub(super) fn is_invalid(&self) -> bool {
        let ddog_CharSlice { ptr, len } = self.0.slice;
        len > 0 && (ptr.is_null() || isize::try_from(len).is_err())
    }
}

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: promised to `new` for as long as this lives.
        unsafe { self.0.slice.bytes() }.unwrap_or_default()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(free) = self.0.free {
            // SAFETY: promised to `new`, and this runs once.
            unsafe { free(self.0.slice) }
        }
    }
}
