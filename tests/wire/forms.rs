//! Forms and compressions of payloads carry the same data.

use bed::{Bed, Settings};
use intake::{Request, Route};
use serde_json::json;

use crate::deliver::{counted, deliver};

const PACKETS: [&str; 3] =
    ["forms.hits:3|c|#a:b\nforms.level:2.5|g", "forms.sizes:1:2:4|d|#a:b", "forms.hits:4|c|#a:b"];

/// Sends the same packets and asserts that they arrive whole. Returns the requests.
fn deliver_as(adjust: impl FnOnce(&Bed, Settings) -> Settings) -> Vec<Request> {
    let finished = deliver(adjust, &PACKETS);
    assert_eq!(counted(&finished, "forms.hits"), 7);
    assert_eq!(counted(&finished, "forms.sizes"), 3);
    assert!((finished.contents.total_of("forms.level") - 2.5).abs() < 1e-9);
    finished.contents.requests.into_iter().collect()
}

/// Which of these routes were used.
fn used(requests: &[Request], routes: &[Route]) -> Vec<Route> {
    let is_used = |route: &Route| requests.iter().any(|request| request.route == Some(*route));
    routes.iter().filter(|route| is_used(route)).copied().collect()
}

const SERIES: [Route; 3] = [Route::SeriesV1, Route::SeriesV2, Route::SeriesV3];
const SKETCHES: [Route; 2] = [Route::SketchesV2, Route::SketchesV3];

#[test]
fn series_are_columns_by_default() {
    let requests = deliver_as(|_, settings| settings);
    assert_eq!(used(&requests, &SERIES), [Route::SeriesV3]);
    assert_eq!(used(&requests, &SKETCHES), [Route::SketchesV2]);
}

#[test]
fn series_are_protobuf_by_key() {
    let requests = deliver_as(|_, settings| settings.set("use_v3_api.series.enabled", "false"));
    assert_eq!(used(&requests, &SERIES), [Route::SeriesV2]);
}

#[test]
fn series_are_json_by_key() {
    let requests = deliver_as(|_, settings| settings.set("use_v2_api.series", false));
    assert_eq!(used(&requests, &SERIES), [Route::SeriesV1]);
}

#[test]
fn sketches_are_columns_by_key() {
    let requests = deliver_as(|bed, settings| {
        let key = "serializer_experimental_use_v3_api.sketches.endpoints";
        settings.set(key, json!([bed.intake.url()]))
    });
    assert_eq!(used(&requests, &SKETCHES), [Route::SketchesV3]);
}

fn encoding_of(kind: &str) -> Option<String> {
    let requests = deliver_as(|_, settings| settings.set("serializer_compressor_kind", kind));
    let series = requests.iter().find(|request| request.route == Some(Route::SeriesV3));
    let encoding = series.expect("series were sent").header("content-encoding");
    encoding.filter(|name| *name != "identity").map(str::to_owned)
}

#[test]
fn payloads_are_compressed_as_configured() {
    assert_eq!(encoding_of("zstd").as_deref(), Some("zstd"));
    assert_eq!(encoding_of("zlib").as_deref(), Some("deflate"));
    assert_eq!(encoding_of("gzip").as_deref(), Some("gzip"));
    assert_eq!(encoding_of("none"), None);
}
