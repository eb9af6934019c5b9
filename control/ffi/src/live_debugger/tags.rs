//! Tags that go along with every payload.

use std::mem::ManuallyDrop;

use debugger::{generate_tags, tags_from_raw};

use super::error::ddog_Error;
use super::guard::guarded;
use super::slice::ddog_CharSlice;

/// Percent-encoded tags of a sender.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "a name of C")]
pub struct ddog_Tags(pub(super) String);

/// One tag of a [`ddog_Vec_Tag`].
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "a name of C")]
pub struct ddog_Tag(String);

impl AsRef<str> for ddog_Tag {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// ddog_Tags that are being collected. `ddog_live_debugger_build_tags` consumes it.
#[derive(Debug)]
#[repr(C)]
pub struct ddog_Vec_Tag {
    /// First tag.
    pub ptr: *const ddog_Tag,
    /// How many.
    pub len: usize,
    /// How many there is room for.
    pub capacity: usize,
}

/// Whether a tag was taken.
///
/// cbindgen:rename-all=QualifiedScreamingSnakeCase
#[derive(Debug)]
#[repr(C)]
pub enum ddog_Vec_Tag_PushResult {
    /// It was.
    Ok,
    /// It was not. Free the error with `ddog_Error_drop`.
    Err(ddog_Error),
}

impl ddog_Vec_Tag {
    fn of(tags: Vec<ddog_Tag>) -> Self {
        let tags = ManuallyDrop::new(tags);
        Self { ptr: tags.as_ptr(), len: tags.len(), capacity: tags.capacity() }
    }

    /// # Safety
    /// It is as `of` made it, and nobody uses it any more.
    unsafe fn into_vec(self) -> Vec<ddog_Tag> {
        if self.ptr.is_null() {
            return Vec::new();
        }
        // SAFETY: the parts are those of a vector that was not dropped.
        unsafe { Vec::from_raw_parts(self.ptr.cast_mut(), self.len, self.capacity) }
    }
}

/// No tags yet.
#[unsafe(no_mangle)]
pub extern "C" fn ddog_Vec_Tag_new() -> ddog_Vec_Tag {
    ddog_Vec_Tag::of(Vec::new())
}

/// Adds `key:value`. An empty key is refused.
///
/// # Safety
/// `tags` is NULL or came from `ddog_Vec_Tag_new`; `key` and `value` are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_Vec_Tag_push(
    tags: *mut ddog_Vec_Tag,
    key: ddog_CharSlice,
    value: ddog_CharSlice,
) -> ddog_Vec_Tag_PushResult {
    guarded(ddog_Vec_Tag_PushResult::Err(ddog_Error::panicked()), || {
        // SAFETY: promised by the caller.
        let key = unsafe { key.text() };
        // SAFETY: promised by the caller.
        let value = unsafe { value.text() };
        // SAFETY: promised by the caller.
        let tags = unsafe { tags.as_mut() };
        let (Some(tags), Some(key), Some(value)) = (tags, key, value) else {
            return ddog_Vec_Tag_PushResult::Err(ddog_Error::new(&"tags, key or value is NULL"));
        };
        if key.is_empty() {
            return ddog_Vec_Tag_PushResult::Err(ddog_Error::new(&"key is empty"));
        }
        let taken = std::mem::replace(tags, ddog_Vec_Tag::of(Vec::new()));
        // SAFETY: the parts are those of a vector, and an empty one has taken its place.
        let mut list = unsafe { taken.into_vec() };
        list.push(ddog_Tag(format!("{key}:{value}")));
        *tags = ddog_Vec_Tag::of(list);
        ddog_Vec_Tag_PushResult::Ok
    })
}

/// Frees tags that were not used.
///
/// # Safety
/// `tags` came from `ddog_Vec_Tag_new` and was not consumed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_Vec_Tag_drop(tags: ddog_Vec_Tag) {
    // SAFETY: promised by the caller.
    guarded((), || drop(unsafe { tags.into_vec() }));
}

/// Tags of a process and its host, percent-encoded. Consumes `global_tags`. NULL if a slice is a
/// null pointer with a length. Spawning a sender consumes the result; free it with
/// `ddog_live_debugger_tags_drop` otherwise.
///
/// # Safety
/// The slices are readable; `global_tags` came from `ddog_Vec_Tag_new` and was not consumed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_build_tags(
    debugger_version: ddog_CharSlice,
    env: ddog_CharSlice,
    version: ddog_CharSlice,
    runtime_id: ddog_CharSlice,
    global_tags: ddog_Vec_Tag,
) -> *mut ddog_Tags {
    guarded(std::ptr::null_mut(), || {
        // SAFETY: promised by the caller.
        let global_tags = unsafe { global_tags.into_vec() };
        let text = |slice: ddog_CharSlice| {
            // SAFETY: promised by the caller.
            unsafe { slice.text() }
        };
        let texts = [debugger_version, env, version, runtime_id].map(text);
        let [Some(debugger_version), Some(env), Some(version), Some(runtime_id)] = texts else {
            return std::ptr::null_mut();
        };
        let tags = generate_tags(&debugger_version, &env, &version, &runtime_id, &global_tags);
        Box::into_raw(Box::new(ddog_Tags(tags)))
    })
}

/// Percent-encodes tags that the caller joined by commas. As `ddog_live_debugger_build_tags`.
///
/// # Safety
/// `tags` is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_tags_from_raw(tags: ddog_CharSlice) -> *mut ddog_Tags {
    guarded(std::ptr::null_mut(), || {
        // SAFETY: promised by the caller.
        let text = unsafe { tags.text() };
        text.map_or(std::ptr::null_mut(), |text| {
            Box::into_raw(Box::new(ddog_Tags(tags_from_raw(&text))))
        })
    })
}

/// Frees tags that no sender was spawned with. NULL is allowed.
///
/// # Safety
/// `tags` is NULL or came from this library and was not consumed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_tags_drop(tags: *mut ddog_Tags) {
    guarded((), || {
        if !tags.is_null() {
            // SAFETY: not null, and owned as promised by the caller.
            drop(unsafe { Box::from_raw(tags) });
        }
    });
}
