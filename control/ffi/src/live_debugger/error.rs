//! Errors as C sees them.

use std::fmt::Display;
use std::mem::ManuallyDrop;

use super::guard::guarded;

/// Bytes that belong to this library.
#[derive(Debug)]
#[repr(C)]
pub struct ddog_Vec_U8 {
    /// First byte.
    pub ptr: *const u8,
    /// How many.
    pub len: usize,
    /// How many there is room for. 0 if they are not to be freed.
    pub capacity: usize,
}

/// What went wrong.
#[derive(Debug)]
#[repr(C)]
pub struct ddog_Error {
    /// UTF-8 without a NUL at its end.
    pub message: ddog_Vec_U8,
}

/// An error or none.
///
/// cbindgen:rename-all=QualifiedScreamingSnakeCase
#[derive(Debug)]
#[repr(C)]
pub enum ddog_MaybeError {
    /// Something went wrong. To be freed with `ddog_MaybeError_drop`.
    SomeError(ddog_Error),
    /// All is well.
    NoneError,
}

impl ddog_Error {
    pub(super) fn new(what: &dyn Display) -> Self {
        // Freed by `ddog_Error_drop`, which puts it together again.
        let text = ManuallyDrop::new(what.to_string().into_bytes());
        let (ptr, len, capacity) = (text.as_ptr(), text.len(), text.capacity());
        Self { message: ddog_Vec_U8 { ptr, len, capacity } }
    }

    /// What a panic becomes. It takes no memory.
    pub(super) const fn panicked() -> Self {
        const TEXT: &[u8] = b"internal error";
        Self { message: ddog_Vec_U8 { ptr: TEXT.as_ptr(), len: TEXT.len(), capacity: 0 } }
    }
}

impl ddog_MaybeError {
    pub(super) fn some(what: &dyn Display) -> Self {
        Self::SomeError(ddog_Error::new(what))
    }

    pub(super) const fn panicked() -> Self {
        Self::SomeError(ddog_Error::panicked())
    }
}

/// Frees an error. It says nothing afterwards. NULL is allowed.
///
/// # Safety
/// `error` is NULL or points to an error of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_Error_drop(error: *mut ddog_Error) {
    guarded((), || {
        // SAFETY: promised by the caller.
        let Some(error) = (unsafe { error.as_mut() }) else { return };
        let ddog_Vec_U8 { ptr, len, capacity } = error.message;
        *error = ddog_Error { message: ddog_Vec_U8 { ptr: [].as_ptr(), len: 0, capacity: 0 } };
        if capacity > 0 {
            // SAFETY: the parts are those of the vector that `ddog_Error::new` did not drop.
            drop(unsafe { Vec::from_raw_parts(ptr.cast_mut(), len, capacity) });
        }
    });
}

/// Frees the error, if there is one.
///
/// # Safety
/// `error` came from this library and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_MaybeError_drop(error: ddog_MaybeError) {
    if let ddog_MaybeError::SomeError(mut error) = error {
        // SAFETY: the caller promises that it was not freed.
        unsafe { ddog_Error_drop(&raw mut error) };
    }
}
