//! The text rules as data. Checked against `scrubber_rules.json` and `scrubber.jsonl`.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

/// One replacement; with hints, it runs only if one of them occurs.
pub(super) struct Rule {
    pub(super) pattern: &'static str,
    pub(super) hints: &'static [&'static str],
    pub(super) replacement: &'static str,
}

pub(super) struct Compiled {
    regex: Regex,
    rule: &'static Rule,
}

macro_rules! stars_27 {
    () => {
        "***************************"
    };
}
macro_rules! stars_35 {
    () => {
        "***********************************"
    };
}

pub(super) const SINGLE_LINE: &[Rule] = &[
    Rule {
        pattern: r"(api_?key=)\b[a-zA-Z0-9]+([a-zA-Z0-9]{5})\b",
        hints: &["api_key", "apikey"],
        replacement: concat!("${1}", stars_27!(), "${2}"),
    },
    Rule {
        pattern: r"(ap(?:p|plication)_?key=)\b[a-zA-Z0-9]+([a-zA-Z0-9]{5})\b",
        hints: &["app_key", "appkey", "application_key"],
        replacement: concat!("${1}", stars_35!(), "${2}"),
    },
    Rule {
        pattern: r"\bBearer [a-fA-F0-9]{59}([a-fA-F0-9]{5})\b",
        hints: &["Bearer"],
        replacement: "Bearer ***********************************************************${1}",
    },
    Rule { pattern: r"\bBearer\s+[^*]+\b", hints: &["Bearer"], replacement: "Bearer ********" },
    Rule {
        pattern: r"(\-|\:|,|\[|\{)(\s+)?\b[a-fA-F0-9]{27}([a-fA-F0-9]{5})\b",
        hints: &[],
        replacement: concat!("${1}${2}\"", stars_27!(), "${3}\""),
    },
    Rule {
        pattern: r"\b[a-fA-F0-9]{27}([a-fA-F0-9]{5})\b",
        hints: &[],
        replacement: concat!(stars_27!(), "${1}"),
    },
    Rule {
        pattern: r"(\-|\:|,|\[|\{)(\s+)?\b[a-fA-F0-9]{35}([a-fA-F0-9]{5})\b",
        hints: &[],
        replacement: concat!("${1}${2}\"", stars_35!(), "${3}\""),
    },
    Rule {
        pattern: r"\b[a-fA-F0-9]{35}([a-fA-F0-9]{5})\b",
        hints: &[],
        replacement: concat!(stars_35!(), "${1}"),
    },
    Rule {
        pattern: r"\bDDRCM_[A-Z0-9]+([A-Z0-9]{5})\b",
        hints: &[],
        replacement: concat!(stars_35!(), "${1}"),
    },
    Rule {
        pattern: r#"(?i)([a-z][a-z0-9+-.]+://|\b)([^:\s]+):([^\s|"]+)@"#,
        hints: &[],
        replacement: "${1}${2}:********@",
    },
    Rule {
        pattern: r"(\s*(\w|_)*(pass(word)?|pwd)(\w|_)*\s*:).+",
        hints: &["pass", "pwd"],
        replacement: "${1} \"********\"",
    },
    Rule {
        pattern: r#"(?i)(\"?(?:pass(?:word)?|pswd|pwd)\"?)((?:=| = |: )\"?)([0-9A-Za-z#!$%&()*+,\-./:<=>?@\[\\\]^_{|}~]+)"#,
        hints: &[],
        replacement: "${1}${2}********",
    },
    Rule {
        pattern: r"(^\s*(\w|_)*token\s*:).+",
        hints: &["token"],
        replacement: "${1} \"********\"",
    },
    Rule {
        pattern: r"(\s*(community_string|authKey|privKey|community|authentication_key|privacy_key|Authorization|authorization)\s*:).+",
        hints: &[
            "community_string",
            "authKey",
            "privKey",
            "community",
            "authentication_key",
            "privacy_key",
            "Authorization",
            "authorization",
        ],
        replacement: "${1} \"********\"",
    },
];

pub(super) const MULTI_LINE: &[Rule] = &[
    Rule {
        pattern: r"(\s*(community_strings)\s*:)\s*(?:\n(?:\s+-\s+.*)*|\[(?:\n?.*?)*?\])",
        hints: &["community_strings"],
        replacement: "${1} \"********\"",
    },
    Rule {
        pattern: r"-----BEGIN (?:.*)-----[A-Za-z0-9=\+\/\s]*-----END (?:.*)-----",
        hints: &["BEGIN"],
        replacement: "********",
    },
];

pub(super) fn single_line() -> &'static [Compiled] {
    static RULES: LazyLock<Vec<Compiled>> = LazyLock::new(|| compile(SINGLE_LINE));
    &RULES
}

pub(super) fn multi_line() -> &'static [Compiled] {
    static RULES: LazyLock<Vec<Compiled>> = LazyLock::new(|| compile(MULTI_LINE));
    &RULES
}

/// Runs the rules in order.
pub(super) fn apply<'text>(rules: &[Compiled], text: &'text str) -> Cow<'text, str> {
    let mut bytes = Cow::Borrowed(text.as_bytes());
    for Compiled { regex, rule } in rules {
        let is_hinted = rule.hints.is_empty()
            || rule
                .hints
                .iter()
                .any(|hint| memchr::memmem::find(&bytes, hint.as_bytes()).is_some());
        if !is_hinted {
            continue;
        }
        if let Cow::Owned(replaced) = regex.replace_all(&bytes, rule.replacement.as_bytes()) {
            bytes = Cow::Owned(replaced);
        }
    }
    match bytes {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// Classes are ASCII, as in the reference: `\w`, `\s` and `\b` know no other letters.
pub(super) fn ascii_regex(pattern: &str) -> Regex {
    RegexBuilder::new(pattern)
        .unicode(false)
        .build()
        .expect("the patterns are constants, and a test compiles each")
}

fn compile(rules: &'static [Rule]) -> Vec<Compiled> {
    rules.iter().map(|rule| Compiled { regex: ascii_regex(rule.pattern), rule }).collect()
}
