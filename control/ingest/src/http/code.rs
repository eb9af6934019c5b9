//! Codes of `google.rpc.Status`, which gRPC has too. spec: otlp §1.2, §1.3.

#[cfg(feature = "grpc")]
use crate::Refused;

#[cfg(feature = "grpc")]
pub(super) const OK: u8 = 0;
pub(super) const INVALID_ARGUMENT: u8 = 3;
#[cfg(feature = "grpc")]
pub(super) const RESOURCE_EXHAUSTED: u8 = 8;
#[cfg(feature = "grpc")]
pub(super) const UNIMPLEMENTED: u8 = 12;
pub(super) const INTERNAL: u8 = 13;
pub(super) const UNAVAILABLE: u8 = 14;

/// The code of gRPC for a refusal.
#[cfg(feature = "grpc")]
pub(super) const fn of(refused: Refused) -> u8 {
    match refused {
        Refused::Full | Refused::Stopped => UNAVAILABLE,
        Refused::TooLong => RESOURCE_EXHAUSTED,
        Refused::Malformed => INVALID_ARGUMENT,
        Refused::Off => INTERNAL,
    }
}

/// The status of HTTP that means the same, for the counters.
#[cfg(feature = "grpc")]
pub(super) const fn http_status(code: u8) -> u16 {
    match code {
        OK => 200,
        INVALID_ARGUMENT => 400,
        RESOURCE_EXHAUSTED => 413,
        UNIMPLEMENTED => 404,
        UNAVAILABLE => 503,
        _ => 500,
    }
}
