use super::*;

fn config(kind: &str, pattern: &str, replace_placeholder: &str) -> RuleConfig {
    RuleConfig {
        kind: kind.to_owned(),
        name: "r".to_owned(),
        pattern: pattern.to_owned(),
        replace_placeholder: replace_placeholder.to_owned(),
    }
}

fn masked(pattern: &str, placeholder: &str, message: &str) -> String {
    let rules = Rules::new(&[config("mask_sequences", pattern, placeholder)]).unwrap();
    let mut message = message.to_owned();
    rules.apply(&mut message, false, 1000).unwrap();
    message
}

fn dropped(kind: &str, message: &str, is_truncated: bool) -> Option<Dropped> {
    let rules = Rules::new(&[config(kind, "a+", "")]).unwrap();
    rules.apply(&mut message.to_owned(), is_truncated, 1000).err()
}

#[test]
fn each_reason_has_its_name() {
    assert_eq!(dropped("exclude_at_match", "xax", false), Some(Dropped::Excluded));
    assert_eq!(dropped("include_at_match", "x", false), Some(Dropped::NotIncluded));
    assert_eq!(dropped("exclude_truncated", "x", true), Some(Dropped::Truncated));
    assert_eq!(dropped("exclude_at_match", "x", true), None);
    assert_eq!(dropped("include_at_match", "xa", true), None);
    assert_eq!(dropped("exclude_truncated", "a", false), None);
}

#[test]
fn masks_replace_every_match() {
    assert_eq!(masked("(k)=(?P<v>\\w+)", "$1:${v}!", "k=a, k=bc"), "k:a!, k:bc!");
    assert_eq!(masked("x*", "-", "axb"), "-a-b-", "empty matches count as in the Agent");
    assert_eq!(masked(r"\bé", "e", "xé é"), "xé é".replacen('é', "e", 1), "words are ASCII");
    assert_eq!(masked("^a", "", "aaa"), "aa", "the text begins once");
}

#[test]
fn a_mask_cannot_grow_a_message_without_bound() {
    let rules = Rules::new(&[config("mask_sequences", "", "")]);
    assert!(matches!(rules, Err(RuleError::NoPattern { .. })));
    let long = "x".repeat(100);
    let rules = Rules::new(&[config("mask_sequences", "a?", &long)]).unwrap();
    assert_eq!(rules.apply(&mut "b".repeat(8), false, 1000), Ok(()));
    assert_eq!(rules.apply(&mut "b".repeat(900), false, 1000), Err(Dropped::TooLarge));
    let tail = || format!("a{}", "b".repeat(990));
    let rules = Rules::new(&[config("mask_sequences", "a", "0123456789X")]).unwrap();
    assert_eq!(rules.apply(&mut tail(), false, 1000), Err(Dropped::TooLarge));
    assert_eq!(rules.apply(&mut tail(), false, 1001), Ok(()));
}

#[test]
fn what_acts_elsewhere_is_named() {
    let rules = Rules::new(&[config("multi_line", "^a", ""), config("remap_source", "", "")]);
    let rules = rules.unwrap();
    assert!(rules.is_empty());
    let named: Vec<_> = rules.ignored().iter().map(|rule| (&*rule.name, rule.kind)).collect();
    assert_eq!(named, [("r", "multi_line"), ("r", "remap_source")]);
    assert!(Rules::new(&[config("multi_line", "(", "")]).is_err());
}

#[test]
fn a_pattern_that_takes_too_much_memory_is_refused() {
    let huge = config("exclude_at_match", r"((\pL{100}){100}){100}", "");
    let error = Rules::new(&[huge]).unwrap_err();
    assert!(error.to_string().starts_with("invalid pattern ((\\pL"), "{error}");
    let usual = config("exclude_at_match", r"\w{1000}", "");
    assert!(Rules::new(&[usual]).is_ok(), "what the Agent takes");
}
