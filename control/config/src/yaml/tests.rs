use proptest::prelude::*;

use super::*;

fn json(text: &str) -> serde_json::Value {
    parse(text).unwrap().to_json()
}

#[test]
fn positions_are_kept() {
    let node = parse("a: 1\nb:\n  - x\n").unwrap();
    let NodeKind::Map(pairs) = node.kind else { panic!("expected a map") };
    assert_eq!((pairs[1].key.as_str(), pairs[1].line, pairs[1].column), ("b", 2, 1));
    let NodeKind::Seq(items) = &pairs[1].value.kind else { panic!("expected a list") };
    assert_eq!((items[0].line, items[0].column), (3, 5));
}

#[test]
fn plain_scalars_get_types_and_quoted_ones_stay_text() {
    assert_eq!(
        json("a: 1\nb: '1'\nc: true\nd: ~\ne: 1.5\nf: a:b\ng: !!str 7\nh: .5"),
        serde_json::json!({"a": 1, "b": "1", "c": true, "d": null, "e": 1.5, "f": "a:b",
            "g": "7", "h": 0.5})
    );
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    assert_eq!(
        json("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\nagain: *b"),
        serde_json::json!({"base": {"x": 1, "y": 2}, "use": {"y": 3, "x": 1},
            "again": {"x": 1, "y": 2}})
    );
}

#[test]
fn alias_bombs_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let uses = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{uses}]\n"));
    }
    assert!(parse(&text).unwrap_err().message.contains("aliases counted"));
}

#[test]
fn long_texts_cannot_be_multiplied() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 50].join(", "));
    assert!(parse(&text).unwrap_err().message.contains("bytes of text"));
}

#[test]
fn depth_is_bounded() {
    assert!(parse(&"[".repeat(100_000)).is_err());
    let flow = format!("{}{}", "[".repeat(60), "]".repeat(60));
    assert!(parse(&flow).unwrap_err().message.contains("deeper"));
    let block: String = (0..200).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(parse(&block).unwrap_err().message.contains("deeper"));
}

#[test]
fn syntax_errors_name_the_line() {
    assert_eq!(parse("a: 1\nb: [1,\n").unwrap_err().line, 3);
    assert_eq!(parse("a: 1\nb: *none\n").unwrap_err().line, 2);
}

#[test]
fn emitted_text_reads_back() {
    let value = serde_json::json!({"a": {"b": [1, "yes", "x: y", "", {"c": null, "d": []}]},
        "https://app.example:443": ["k"], "e": "a\nb", "f": " lead", "g": "#no", "h": 1.5});
    let mut text = String::new();
    emit(&value, 0, &mut text);
    assert_eq!(json(&text), value);
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        "[ -~é\n\t]{0,12}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map("[ -~]{1,8}", inner, 0..4).prop_map(|map| {
                serde_json::Value::Object(map.into_iter().filter(|(key, _)| key != "<<").collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_survives_emit_and_parse(value in any_json()) {
        let mut text = String::new();
        emit(&value, 0, &mut text);
        prop_assert_eq!(json(&text), value, "{}", text);
    }

    #[test]
    fn yaml_like_noise_never_panics(text in "[-\\[\\]{}:,&*!|>'\"%@`#?a-c0-1 \t\n\r<\u{85}\u{feff}é]{0,80}") {
        drop(parse(&text).map(|node| node.to_json()));
    }
}
