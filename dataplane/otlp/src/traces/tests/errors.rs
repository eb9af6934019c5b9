//! What is refused, and that nothing panics.

use proptest::prelude::*;

use super::*;

fn end(body: Vec<u8>) -> Result<(), WireError> {
    let (mut translator, mut batch) = (Translator::new(Settings::default(), 1), Batch::default());
    translator.start(body, &mut batch);
    let end = run(&mut translator, &mut batch, usize::MAX);
    assert_eq!(run(&mut translator, &mut batch, usize::MAX), end);
    assert!(end.is_ok() || !translator.has_next());
    end
}

/// A field with a message or text.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut len = content.len();
    while len >= 0x80 {
        bytes.push(u8::try_from(len & 0x7f).unwrap() | 0x80);
        len >>= 7;
    }
    bytes.push(u8::try_from(len).unwrap());
    [bytes, content.to_vec()].concat()
}

fn of_span(span: &[u8]) -> Vec<u8> {
    field(1, &field(2, &field(2, span)))
}

#[test]
fn malformed_requests_are_refused() {
    assert_eq!(end(vec![0x0a, 5, 0]), Err(WireError::Truncated));
    assert_eq!(end(vec![0x08, 1]), Err(WireError::WrongKind(1)));
    assert_eq!(end(field(1, &[0x12, 3])), Err(WireError::Truncated));
    assert_eq!(end(field(1, &[0x0a, 1, 0])), Err(WireError::BadTag));
    assert_eq!(end(of_span(&[0x08, 1])), Err(WireError::WrongKind(1)));
    assert_eq!(end(of_span(&[0x38, 1])), Err(WireError::WrongKind(7)));
    assert_eq!(end(of_span(&field(9, &[0x12, 1, 3]))), Err(WireError::BadTag));
    assert_eq!(end(of_span(&field(11, &[0x12, 9]))), Err(WireError::Truncated));
}

#[test]
fn what_would_be_too_dear_is_refused() {
    let part = |number: u8, count: usize| of_span(&[number << 3 | 2, 0].repeat(count));
    for (number, error) in [(9, WireError::TooMany), (11, WireError::TooMany)] {
        assert_eq!(end(part(number, limits::PARTS_MAX - 100)), Ok(()), "{number}");
        assert_eq!(end(part(number, limits::PARTS_MAX + 1)), Err(error), "{number}");
    }
    assert_eq!(end(part(13, limits::PARTS_MAX + 1)), Err(WireError::TooMany));
    let long = field(5, &vec![b'x'; limits::PART_BYTES_MAX]);
    assert_eq!(end(of_span(&long)), Err(WireError::TooLong));
    let scope = |scope: &[u8]| field(1, &field(2, &[field(1, scope), field(2, &[])].concat()));
    assert_eq!(end(scope(&long)), Err(WireError::TooLong));
    assert_eq!(end(field(1, &field(1, &long))), Err(WireError::TooLong));
    let spans = |count: usize| field(1, &field(2, &[0x12, 0].repeat(count)));
    assert_eq!(end(spans(limits::ITEMS_MAX + 1)), Err(WireError::TooMany));
    let scopes = [0x12, 0].repeat(limits::SCOPES_MAX + 1);
    assert_eq!(end(field(1, &scopes)), Err(WireError::TooMany));
}

#[test]
fn spans_do_not_take_over_attributes_without_end() {
    let names: Vec<u8> =
        (0..16_000_u32).flat_map(|n| field(1, &field(1, &n.to_string().into_bytes()))).collect();
    let spans = [0x12, 0].repeat(1100);
    let body = field(1, &[field(1, &names), field(2, &spans)].concat());
    let (mut translator, mut batch) = (Translator::new(Settings::default(), 1), Batch::default());
    translator.start(body, &mut batch);
    let mut count = 0;
    let end = loop {
        if let Err(error) = run(&mut translator, &mut batch, usize::MAX) {
            break error;
        }
        count += batch.spans.len();
        assert!(translator.next(&mut batch));
    };
    assert_eq!(end, WireError::TooMany);
    assert!((900..1100).contains(&count), "{count}");
}

static KEYS: [&str; 7] =
    ["http.request.method", "db.system", "service.name", "a", "gen_ai.x", "host", ""];

/// Requests that are somewhat right.
fn requests() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        any::<String>().prop_map(|text| json!({"stringValue": text})),
        any::<i64>().prop_map(|number| json!({"intValue": number})),
        any::<f64>().prop_map(|number| json!({"doubleValue": number})),
        Just(json!({"arrayValue": {"values": [{"boolValue": true}, {}]}})),
    ];
    let attribute = (prop::sample::select(&KEYS[..]), value)
        .prop_map(|(key, value)| json!({"key": key, "value": value}));
    let attributes = prop::collection::vec(attribute, 0..4);
    let span = (0..3_u8, 0..7_u8, any::<String>(), attributes.clone(), attributes.clone())
        .prop_map(|(trace, kind, name, attributes, other)| {
            json!({
                "traceId": format!("{trace:032x}"), "kind": kind, "name": name,
                "traceState": name, "attributes": attributes, "status": {"code": kind % 3},
                "events": [{"name": "exception", "attributes": other}],
                "links": [{"attributes": other}],
            })
        });
    let scope = (attributes.clone(), prop::collection::vec(span, 0..4))
        .prop_map(|(held, spans)| json!({"scope": {"attributes": held}, "spans": spans}));
    let resource = (attributes, prop::collection::vec(scope, 0..3))
        .prop_map(|(held, scopes)| json!({"scopeSpans": scopes, "resource": {"attributes": held}}));
    prop::collection::vec(resource, 0..3)
        .prop_map(|resources| protobuf(&json!({"resourceSpans": resources})))
}

proptest! {
    #[test]
    fn nothing_panics(body: Vec<u8>) {
        crate::check_traces(&body);
    }

    #[test]
    fn slices_give_the_same_batches(body in requests()) {
        crate::check_traces(&body);
        prop_assert_eq!(end(body), Ok(()));
    }

    #[test]
    fn a_broken_request_is_survived(mut body in requests(), at: prop::sample::Index, byte: u8) {
        if !body.is_empty() {
            let at = at.index(body.len());
            body[at] = byte;
        }
        crate::check_traces(&body);
    }
}
