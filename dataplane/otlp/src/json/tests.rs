use serde_json::{Value as Json, json};

use super::*;
use crate::wire;
use crate::{Attributes, Value as Held, entries};

fn fields(message: &[u8]) -> Vec<wire::Field<'_>> {
    let (mut fields, mut all) = (wire::Fields::new(message), Vec::new());
    while let Some(field) = fields.read().unwrap() {
        all.push(field);
    }
    all
}

fn written(message: Message, json: Json) -> Vec<u8> {
    message_to_protobuf(message, &json).unwrap()
}

fn refusal(message: Message, json: Json) -> String {
    message_to_protobuf(message, &json).unwrap_err().to_string()
}

fn value(json: Json) -> Vec<u8> {
    written(Message::AnyValue, json)
}

#[test]
fn a_request_is_read_down_to_its_spans() {
    let json = br#"{"resourceSpans": [{"resource": null, "schemaUrl": "s", "scopeSpans": [
        {"spans": [{"name": "a"}, {"name": "b", "kind": "SPAN_KIND_CLIENT"}]}
    ]}], "later": {"x": [1, {"y": null}]}}"#;
    let request = to_protobuf(Signal::Traces, json).unwrap();
    let resource = fields(fields(&request)[0].bytes().unwrap());
    assert_eq!((resource[0].number, resource[1].number), (3, 2));
    let spans = fields(resource[1].bytes().unwrap());
    let second = fields(spans[1].bytes().unwrap());
    assert_eq!(second[0].text().unwrap(), "b");
    assert_eq!((second[1].number, second[1].unsigned()), (6, Ok(3)));
}

#[test]
fn ids_are_hexadecimal_and_bytes_are_base64() {
    let span = written(Message::Span, json!({"traceId": "00fFA0", "parentSpanId": ""}));
    // A `Json` has its fields in the order of their names.
    let span = fields(&span);
    assert_eq!((span[1].bytes(), span[0].bytes()), (Ok(&[0, 255, 0xa0][..]), Ok(&[][..])));
    for text in ["+/8=", "+/8", "-_8"] {
        let bytes = value(json!({"bytesValue": text}));
        assert_eq!(Held::read(&bytes).unwrap(), Held::Bytes(&[0xfb, 0xff]), "{text}");
    }
    assert!(refusal(Message::Span, json!({"traceId": "0g"})).contains("hexadecimal"));
    assert!(refusal(Message::Span, json!({"traceId": "012"})).contains("hexadecimal"));
    assert!(refusal(Message::AnyValue, json!({"bytesValue": "*"})).contains("base64"));
}

#[test]
fn whole_numbers_are_numbers_or_texts() {
    for number in [json!(-5), json!("-5"), json!(-5.0), json!("-5.0"), json!("-0.5e1")] {
        let held = value(json!({"intValue": number}));
        assert_eq!(Held::read(&held).unwrap(), Held::Int(-5), "{number}");
    }
    let span = written(Message::Span, json!({"startTimeUnixNano": "18446744073709551615"}));
    assert_eq!(fields(&span)[0].fixed64(), Ok(u64::MAX));
    for number in [json!(-1), json!("18446744073709551616"), json!(1.5), json!("x"), json!(true)] {
        refusal(Message::Span, json!({"startTimeUnixNano": number}));
    }
    let point = written(Message::NumberDataPoint, json!({"asInt": "-9223372036854775808"}));
    assert_eq!(fields(&point)[0].fixed64().map(u64::cast_signed), Ok(i64::MIN));
    let buckets = written(Message::Buckets, json!({"offset": -3, "bucketCounts": ["1", 300]}));
    let buckets = fields(&buckets);
    let mut counts = Vec::new();
    buckets[0].unsigned_list(&mut |count| counts.push(count)).unwrap();
    assert_eq!((buckets[1].zigzag(), counts), (Ok(-3), vec![1, 300]));
    let lowest = written(Message::Buckets, json!({"offset": i32::MIN}));
    assert_eq!(fields(&lowest)[0].zigzag(), Ok(i32::MIN.into()));
}

#[test]
fn doubles_have_names_and_all_their_digits() {
    let double = |json: Json| {
        let message = value(json!({"doubleValue": json}));
        let held = Held::read(&message).unwrap();
        if let Held::Double(number) = held { number } else { panic!("{held:?}") }
    };
    assert!(double(json!("NaN")).is_nan());
    assert_eq!(double(json!("-Infinity")).to_bits(), f64::NEG_INFINITY.to_bits());
    assert_eq!(double(json!("1.5e3")).to_bits(), 1500_f64.to_bits());
    assert_eq!(double(json!(3)).to_bits(), 3_f64.to_bits());
    refusal(Message::AnyValue, json!({"doubleValue": "inf"}));
    // A parser that is nearly right reads another number here.
    let request = br#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[
        {"asDouble":51.24817837550540}]}}]}]}]}"#;
    let request = to_protobuf(Signal::Metrics, request).unwrap();
    let bits = 51.248_178_375_505_4_f64.to_bits().to_le_bytes();
    assert!(request.ends_with(&bits));
}

#[test]
fn zero_and_false_are_written_and_null_is_not() {
    let point = json!({"sum": 0, "min": null, "count": "0", "explicitBounds": [], "flags": null});
    let point = written(Message::HistogramDataPoint, point);
    let numbers: Vec<u32> = fields(&point).iter().map(|field| field.number).collect();
    assert_eq!(numbers, [4, 7, 5]);
    assert_eq!(Held::read(&value(json!({"boolValue": false}))).unwrap(), Held::Bool(false));
    assert_eq!(Held::read(&value(json!({"stringValue": ""}))).unwrap(), Held::Text("".into()));
    assert_eq!(Held::read(&value(json!({"stringValue": null}))).unwrap(), Held::Unset);
}

#[test]
fn lists_of_numbers_are_packed() {
    let point = json!({"bucketCounts": ["2", null, 3], "explicitBounds": [0.5, "Infinity"]});
    let point = written(Message::HistogramDataPoint, point);
    let (mut counts, mut bounds) = (Vec::new(), Vec::new());
    let point = fields(&point);
    point[0].fixed64_list(&mut |count| counts.push(count)).unwrap();
    point[1].fixed64_list(&mut |bits| bounds.push(f64::from_bits(bits))).unwrap();
    assert_eq!((point.len(), counts), (2, vec![2, 3]));
    assert_eq!(format!("{bounds:?}"), "[0.5, inf]");
}

#[test]
fn enums_are_numbers_or_names() {
    for json in [json!(17), json!("17"), json!("SEVERITY_NUMBER_ERROR")] {
        let record = written(Message::LogRecord, json!({"severityNumber": json}));
        assert_eq!(fields(&record)[0].unsigned(), Ok(17), "{json}");
    }
    assert!(refusal(Message::Status, json!({"code": "BROKEN"})).contains("enum"));
    let unknown = written(Message::Status, json!({"code": -1}));
    assert_eq!(fields(&unknown)[0].signed(), Ok(-1));
}

#[test]
fn lists_and_maps_lie_within_values() {
    let json = json!({"kvlist_value": {"values": [
        {"key": "k", "value": {"arrayValue": {"values": [{"intValue": "1"}, {}]}}},
    ]}});
    let message = value(json);
    let held = Held::read(&message).unwrap();
    assert_eq!(held.to_text().unwrap(), r#"{"k":[1,null]}"#);
}

#[test]
fn half_a_surrogate_pair_is_repaired_by_the_reader() {
    let json = br#"{"resourceLogs":[{"resource":{"attributes":[
        {"key":"a\ud83d","value":{"stringValue":"\ud83d\ude00"}}]}}]}"#;
    let request = to_protobuf(Signal::Logs, json).unwrap();
    let logs = fields(&request)[0].bytes().unwrap();
    let resource = fields(logs)[0].bytes().unwrap();
    let Attributes(held) = entries(resource).unwrap();
    assert_eq!(held[0].key, "a\u{fffd}\u{fffd}\u{fffd}");
    assert_eq!(held[0].value, Held::Text("\u{1f600}".into()));
}

#[test]
fn what_is_no_request_is_refused_with_a_reason() {
    let refusal = |json: &[u8]| to_protobuf(Signal::Traces, json).unwrap_err().to_string();
    assert!(refusal(b"").contains("EOF"));
    assert!(refusal(b"[]").contains("TracesRequest"));
    assert!(refusal(b"null").contains("TracesRequest"));
    assert!(refusal(b"{} x").contains("trailing"));
    assert!(refusal(br#"{"resourceSpans": {}}"#).contains("resourceSpans"));
    assert!(refusal(br#"{"resourceSpans": [1]}"#).contains("ResourceSpans"));
    assert!(refusal(br#"{"resourceSpans": [{"schemaUrl": 7}]}"#).contains("a text for schemaUrl"));
    // What nobody knows is passed over without going down.
    let unknown = [br#"{"later":"#.to_vec(), b"[".repeat(1_000_000)].concat();
    assert!(refusal(&unknown).contains("EOF"));
    let deep = br#"{"arrayValue":{"values":["#.repeat(100);
    let start = br#"{"resourceSpans":[{"resource":{"attributes":[{"value":"#;
    assert!(refusal(&[&start[..], &deep].concat()).contains("recursion"));
}

#[test]
fn long_messages_keep_their_length() {
    let text = "x".repeat(70_000);
    let message = value(json!({"arrayValue": {"values": [{"stringValue": text}]}}));
    assert_eq!(Held::read(&message).unwrap().to_text().unwrap().len(), 70_004);
}

proptest::proptest! {
    #[test]
    fn nothing_panics(json: Vec<u8>) {
        to_protobuf(Signal::Metrics, &json).ok();
    }
}
