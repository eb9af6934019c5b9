//! What goes in and out by pointers, without a sender: under Miri too.

use std::ffi::c_char;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::config::{
    ddog_live_debugger_sender_config_add_additional_endpoint,
    ddog_live_debugger_sender_config_drop, ddog_live_debugger_sender_config_new,
    ddog_live_debugger_sender_config_set_endpoint,
};
use super::endpoint::{
    ddog_Endpoint, ddog_endpoint_drop, ddog_endpoint_from_url, ddog_endpoint_set_test_token,
    ddog_endpoint_set_timeout, ddog_live_debugger_endpoint_from_site_and_api_key,
    ddog_live_debugger_endpoint_set_api_key,
};
use super::error::{ddog_Error, ddog_Error_drop, ddog_MaybeError, ddog_MaybeError_drop};
use super::sender::{
    ddog_DebuggerPayload, ddog_live_debugger_payload_drop, ddog_live_debugger_payload_from_json,
    ddog_live_debugger_spawn_sender,
};
use super::slice::{Owned, ddog_CharSlice, ddog_OwnedCharSlice};
use super::tags::{
    ddog_Vec_Tag_PushResult, ddog_Vec_Tag_drop, ddog_Vec_Tag_new, ddog_Vec_Tag_push,
    ddog_live_debugger_build_tags, ddog_live_debugger_tags_drop, ddog_live_debugger_tags_from_raw,
};

const NOWHERE: ddog_CharSlice = ddog_CharSlice { ptr: ptr::null(), len: 3 };

fn slice(text: &str) -> ddog_CharSlice {
    ddog_CharSlice { ptr: text.as_ptr().cast(), len: text.len() }
}

/// The message of an error, which is freed twice: the second time does nothing.
fn message(mut error: ddog_Error) -> String {
    let part = slice_of(&error);
    // SAFETY: a message of this library, which is there until it is freed.
    let text = unsafe { part.text() }.expect("a message is a slice");
    for _ in 0..2 {
        // SAFETY: an error of this library.
        unsafe { ddog_Error_drop(&raw mut error) };
    }
    assert_eq!(error.message.len, 0);
    text
}

fn slice_of(error: &ddog_Error) -> ddog_CharSlice {
    ddog_CharSlice { ptr: error.message.ptr.cast(), len: error.message.len }
}

fn refusal(error: ddog_MaybeError) -> String {
    match error {
        ddog_MaybeError::SomeError(error) => message(error),
        ddog_MaybeError::NoneError => String::new(),
    }
}

#[test]
fn errors_are_freed_once_however_often_that_is_asked_for() {
    assert_eq!(message(ddog_Error::new(&"no such thing")), "no such thing");
    assert_eq!(message(ddog_Error::new(&"")), "");
    assert_eq!(message(ddog_Error::panicked()), "internal error");
    // SAFETY: NULL is allowed.
    unsafe { ddog_Error_drop(ptr::null_mut()) };
    // SAFETY: it was made right here.
    unsafe { ddog_MaybeError_drop(ddog_MaybeError::some(&"gone")) };
    // SAFETY: as above.
    unsafe { ddog_MaybeError_drop(ddog_MaybeError::NoneError) };
}

#[test]
fn slices_are_read_when_they_can_be() {
    // SAFETY: nothing is read of what is refused, and the text is there.
    let read = |slice: ddog_CharSlice| unsafe { slice.text() };
    assert_eq!(read(slice("a\u{e4}")).as_deref(), Some("a\u{e4}"));
    assert_eq!(read(ddog_CharSlice { ptr: ptr::null(), len: 0 }).as_deref(), Some(""));
    assert_eq!(read(NOWHERE), None);
    assert_eq!(read(ddog_CharSlice { ptr: c"a".as_ptr(), len: usize::MAX }), None);
    let broken = [b'a', 0xff];
    let broken = ddog_CharSlice { ptr: broken.as_ptr().cast(), len: 2 };
    assert_eq!(read(broken).as_deref(), Some("a\u{fffd}"));
}

static FREED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn free(slice: ddog_CharSlice) {
    FREED.fetch_add(1, Ordering::Relaxed);
    let bytes = ptr::slice_from_raw_parts_mut(slice.ptr.cast_mut(), slice.len);
    // SAFETY: the test made it of such a box.
    drop(unsafe { Box::from_raw(bytes) });
}

#[test]
fn bytes_that_are_handed_over_are_freed_once_by_any_thread() {
    let bytes = Box::into_raw(Box::new([b'{', b'}'].map(u8::cast_signed)) as Box<[c_char]>);
    let given = ddog_CharSlice { ptr: bytes.cast(), len: 2 };
    // SAFETY: the bytes are there until `free` is called, which may be called once.
    let owned = unsafe { Owned::new(ddog_OwnedCharSlice { slice: given, free: Some(free) }) };
    assert!(!owned.is_invalid());
    let read = std::thread::spawn(move || owned.as_ref().to_vec()).join().unwrap();
    assert_eq!((read.as_slice(), FREED.load(Ordering::Relaxed)), (b"{}".as_slice(), 1));
    // SAFETY: nothing is read, and nothing has to be freed.
    let nothing = unsafe { Owned::new(ddog_OwnedCharSlice { slice: NOWHERE, free: None }) };
    assert!(nothing.is_invalid());
    assert_eq!(nothing.as_ref(), b"");
}

#[test]
fn tags_are_collected_and_consumed() {
    let mut tags = ddog_Vec_Tag_new();
    for (key, value) in [("team", "web"), ("zone", "a b"), ("empty", "")] {
        // SAFETY: tags of this library, and texts that are there.
        let pushed = unsafe { ddog_Vec_Tag_push(&raw mut tags, slice(key), slice(value)) };
        assert!(matches!(pushed, ddog_Vec_Tag_PushResult::Ok));
    }
    for (key, value, why) in [
        (slice(""), slice("x"), "key is empty"),
        (NOWHERE, slice("x"), "tags, key or value is NULL"),
    ] {
        // SAFETY: as above; a null pointer is refused.
        let refused = unsafe { ddog_Vec_Tag_push(&raw mut tags, key, value) };
        let ddog_Vec_Tag_PushResult::Err(error) = refused else { panic!("it was taken") };
        assert_eq!(message(error), why);
    }
    assert_eq!(tags.len, 3);
    let [version, none] = ["1.2", ""].map(slice);
    // SAFETY: as above; `tags` is consumed.
    let built = unsafe { ddog_live_debugger_build_tags(version, none, none, none, tags) };
    // SAFETY: it was made right above.
    let text = unsafe { built.as_ref() }.map(|tags| tags.0.clone()).unwrap_or_default();
    for part in ["debugger_version:1.2", "team:web", "zone:a%20b"] {
        assert!(text.contains(part), "{text}");
    }
    // SAFETY: nobody uses it any more.
    unsafe { ddog_live_debugger_tags_drop(built) };

    let mut unused = ddog_Vec_Tag_new();
    // SAFETY: as above.
    let pushed = unsafe { ddog_Vec_Tag_push(&raw mut unused, slice("a"), slice("b")) };
    assert!(matches!(pushed, ddog_Vec_Tag_PushResult::Ok));
    // SAFETY: nobody uses them any more.
    unsafe { ddog_Vec_Tag_drop(unused) };
    // SAFETY: a null pointer is refused.
    assert!(unsafe { ddog_live_debugger_tags_from_raw(NOWHERE) }.is_null());
}

#[test]
fn an_endpoint_is_changed_copied_and_freed() {
    // SAFETY: a null pointer and what is no URL are refused.
    let refused = [NOWHERE, slice("no url")].map(|url| unsafe { ddog_endpoint_from_url(url) });
    assert!(refused.iter().all(|endpoint| endpoint.is_null()));
    // SAFETY: the text is there.
    let endpoint = unsafe { ddog_endpoint_from_url(slice("http://127.0.0.1:8126")) };
    // SAFETY: an endpoint of this library that nobody else uses.
    unsafe { ddog_endpoint_set_timeout(endpoint, 7) };
    // SAFETY: as above.
    unsafe { ddog_endpoint_set_test_token(endpoint, slice("session")) };
    // SAFETY: as above.
    unsafe { ddog_live_debugger_endpoint_set_api_key(endpoint, slice(" ")) };
    // SAFETY: as above.
    let made = &unsafe { endpoint.as_ref() }.expect("a URL").0;
    assert_eq!((made.timeout_ms, made.test_token.as_deref()), (7, Some("session")));
    assert!(made.api_key.is_none());

    let config = ddog_live_debugger_sender_config_new();
    // SAFETY: both are of this library.
    let set = unsafe { ddog_live_debugger_sender_config_set_endpoint(config, endpoint) };
    assert_eq!(refusal(set), "");
    // SAFETY: as above.
    let added =
        unsafe { ddog_live_debugger_sender_config_add_additional_endpoint(config, endpoint) };
    assert_eq!(refusal(added), "");
    // SAFETY: NULL is refused.
    let none = unsafe { ddog_live_debugger_sender_config_set_endpoint(config, ptr::null()) };
    assert_eq!(refusal(none), "config or endpoint is NULL");
    // The configuration has copies.
    // SAFETY: nobody uses it any more.
    unsafe { ddog_endpoint_drop(endpoint) };
    // SAFETY: as above.
    unsafe { ddog_live_debugger_sender_config_drop(config) };
}

#[test]
fn what_goes_out_through_a_pointer_is_null_after_an_error() {
    let mut endpoint: *mut ddog_Endpoint = ptr::dangling_mut();
    let (site, key) = (slice("datadoghq.com"), slice("0123456789abcdef0123456789abcdef"));
    let ask = |key, out| {
        // SAFETY: the texts are there, and what is not NULL can be written.
        refusal(unsafe { ddog_live_debugger_endpoint_from_site_and_api_key(site, key, out) })
    };
    assert_eq!(ask(slice(""), &raw mut endpoint), "api_key is empty");
    assert!(endpoint.is_null());
    assert_eq!(ask(key, ptr::null_mut()), "endpoint is NULL");
    assert_eq!(ask(key, &raw mut endpoint), "");
    assert!(!endpoint.is_null());
    // SAFETY: it was made right above.
    unsafe { ddog_endpoint_drop(endpoint) };

    let mut payload: *mut ddog_DebuggerPayload = ptr::dangling_mut();
    let mut read = |json| {
        // SAFETY: the text is there, and the pointer can be written.
        refusal(unsafe { ddog_live_debugger_payload_from_json(slice(json), &raw mut payload) })
    };
    assert_ne!(read("{"), "");
    assert_eq!(read(r#"{"service":"a","debugger":{"snapshot":{}}}"#), "");
    // SAFETY: it was made right above.
    unsafe { ddog_live_debugger_payload_drop(payload) };

    // What is consumed is freed, also where there is no sender in the end.
    // SAFETY: the text is there.
    let tags = unsafe { ddog_live_debugger_tags_from_raw(slice("a:b")) };
    let mut sender = ptr::dangling_mut();
    // SAFETY: NULL is refused; `tags` is consumed.
    let spawned = unsafe { ddog_live_debugger_spawn_sender(ptr::null(), tags, &raw mut sender) };
    assert_eq!(refusal(spawned), "config, endpoint or tags is NULL");
    assert!(sender.is_null());
}
