//! Telemetry of injectors, which tells command lines, without the secrets in them.
//! spec: proxies §3.5, apm-obfuscation §8.
//!
//! Only the texts that change are written anew; every other byte of the body stays where it was.

use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use http::HeaderMap;
use obfuscate::CommandScrubber;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The kind of message that tells command lines.
const INJECTION: &[u8] = b"injection-metadata";
/// Path of messages here.
const PATH: &str = "/telemetry/proxy/api/v2/apmtelemetry";
/// Members of the payload that are looked through.
const COMMAND_LINE: &str = "command_line";
const METADATA: &str = "metadata";
/// What stands for a secret, as JSON.
const HIDDEN: &str = "\"********\"";
/// Words that are sensitive in telemetry beside those that always are.
const MORE_WORDS: [&str; 2] = ["*pwd*", "*token*"];
/// Parts of names whose values are hidden whole, in lower case.
const NAMES: [&str; 7] = ["password", "passwd", "pwd", "token", "api_key", "apikey", "secret"];
/// A name that is hidden as a whole word or part of one, as [`NAMES`].
const CREDENTIALS: &str = "credentials";
/// Objects and lists inside each other. What is deeper is hidden whole: it is read anew at each
/// level.
const DEPTH_MAX: usize = 16;

/// Whether a request is of this kind.
pub(crate) fn is_injection(headers: &HeaderMap, path: &str) -> bool {
    let kind = headers.get("dd-telemetry-request-type");
    path == PATH && kind.is_some_and(|kind| kind.as_bytes() == INJECTION)
}

/// The body without secrets; none when there are none, or when it is no such JSON.
pub(crate) fn scrub_injection(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    let mut edits = Edits { text, made: Vec::new() };
    for (_, payload) in members(text)?.iter().filter(|(name, _)| name == "payload") {
        for (name, value) in members(payload.get())? {
            match name.as_str() {
                COMMAND_LINE => edits.scrub(value.get(), First::Program, 0)?,
                METADATA => edits.scrub(value.get(), First::Any, 0)?,
                _ => {}
            }
        }
    }
    edits.apply()
}

/// What the first word of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// The program, which is never a flag.
    Program,
    /// A word like others.
    Any,
}

/// Places of a text and what stands there instead, in order.
struct Edits<'t> {
    text: &'t str,
    made: Vec<(Range<usize>, String)>,
}

impl Edits<'_> {
    /// Looks through a value, a part of the text. None when it is no JSON.
    fn scrub(&mut self, value: &str, first: First, depth: usize) -> Option<()> {
        match value.as_bytes().first()? {
            b'"' => {
                let text: String = serde_json::from_str(value).ok()?;
                if let Some(scrubbed) = scrub_line(&text, first) {
                    self.replace(value, serde_json::to_string(&scrubbed).ok()?);
                }
            }
            b'[' | b'{' if depth >= DEPTH_MAX => self.replace(value, HIDDEN.to_owned()),
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(value).ok()?;
                match serde_json::from_str::<Vec<String>>(value) {
                    Ok(arguments) => {
                        if let Some(scrubbed) = scrub_line(&arguments.join(" "), first) {
                            let arguments: Vec<&str> = scrubbed.split(' ').collect();
                            self.replace(value, serde_json::to_string(&arguments).ok()?);
                        }
                    }
                    Err(_) => {
                        for item in items {
                            self.scrub(item.get(), first, depth + 1)?;
                        }
                    }
                }
            }
            b'{' => {
                for (name, member) in members(value)? {
                    if is_sensitive(&name)
                        && !matches!(member.get(), "null" | "true" | "false" | HIDDEN)
                    {
                        self.replace(member.get(), HIDDEN.to_owned());
                    } else {
                        self.scrub(member.get(), First::Any, depth + 1)?;
                    }
                }
            }
            _ => {}
        }
        Some(())
    }

    /// Notes that other text stands in the place of a part.
    fn replace(&mut self, part: &str, with: String) {
        let start = part.as_ptr().addr() - self.text.as_ptr().addr();
        self.made.push((start..start + part.len(), with));
    }

    fn apply(self) -> Option<Vec<u8>> {
        let mut written = Vec::with_capacity(self.text.len());
        let mut rest = 0;
        for (place, with) in &self.made {
            written.extend_from_slice(self.text.get(rest..place.start)?.as_bytes());
            written.extend_from_slice(with.as_bytes());
            rest = place.end;
        }
        written.extend_from_slice(self.text.get(rest..)?.as_bytes());
        (!self.made.is_empty()).then_some(written)
    }
}

/// A command line, or a part of one, without secrets; none when it has none.
fn scrub_line(line: &str, first: First) -> Option<String> {
    static SCRUBBER: LazyLock<CommandScrubber> = LazyLock::new(|| {
        let mut scrubber = CommandScrubber::new();
        for word in MORE_WORDS {
            let added = scrubber.add(word);
            debug_assert!(added.is_ok(), "{word} is a sound word");
        }
        scrubber
    });
    // A flag has a space in front of it.
    let padding = if first == First::Any { " " } else { "" };
    let padded = format!("{padding}{line}");
    let mut scrubbed = String::new();
    let is_written = SCRUBBER.scrub(&padded, &mut scrubbed).is_written();
    let scrubbed = scrubbed.get(padding.len()..).unwrap_or_default();
    // What is hidden already is found again.
    (is_written && scrubbed != line).then(|| scrubbed.to_owned())
}

fn is_sensitive(name: &str) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    NAMES.iter().chain([&CREDENTIALS]).any(|part| name.contains(part))
}

/// The members of an object in their order, those of one name too; none when it is no object.
fn members(text: &str) -> Option<Vec<(String, &RawValue)>> {
    serde_json::from_str::<Members<'_>>(text).ok().map(|members| members.0)
}

struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn scrubbed(body: &str) -> Option<String> {
        scrub_injection(body.as_bytes()).map(|body| String::from_utf8(body).unwrap())
    }

    #[test]
    fn secrets_of_command_lines_and_metadata_are_hidden_and_nothing_else_changes() {
        let before = r#"{ "api_version":"v2","seq" : 1e0,"payload": {"pid":1,
            "command_line":["java","--db-password","hunter2","-Dx=1","--token=abc"],
            "metadata":{"args":"MYSQL_PWD=x run --secret \"a b\"",
            "api-key":"k","n":[1,{"pwd":7}],
            "is_secret":true,"text":"caf\u00e9 \/"},"password":"kept"},"x":"--password y"}"#;
        let after = r#"{ "api_version":"v2","seq" : 1e0,"payload": {"pid":1,
            "command_line":["java","--db-password","********","-Dx=1","--token=********"],
            "metadata":{"args":"MYSQL_PWD=******** run --secret ********",
            "api-key":"********","n":[1,{"pwd":"********"}],
            "is_secret":true,"text":"caf\u00e9 \/"},"password":"kept"},"x":"--password y"}"#;
        assert_eq!(scrubbed(before).as_deref(), Some(after));
        assert_eq!(scrubbed(after), None, "nothing is left to hide");
    }

    #[test]
    fn each_word_of_the_list_is_a_flag() {
        for word in [
            "password",
            "passwd",
            "pwd",
            "mysql_pwd",
            "access_token",
            "auth_token",
            "token",
            "api_key",
            "apikey",
            "secret",
            "credentials",
        ] {
            let line = |value: &str| {
                let line = format!("run --{word}={value} -{word} {value}");
                json!({"payload": {"command_line": line}})
            };
            let found = scrubbed(&line("hunter2").to_string()).unwrap();
            assert_eq!(found.parse::<Value>().unwrap(), line("********"), "{word}");
            let object = |value: &str| json!({"payload": {"metadata": {word: value}}});
            let found = scrubbed(&object("hunter2").to_string()).unwrap();
            assert_eq!(found.parse::<Value>().unwrap(), object("********"), "{word}");
        }
    }

    #[test]
    fn a_member_that_comes_twice_is_scrubbed_twice() {
        let body = |secret: &str| {
            let payload = format!(r#""payload":{{"command_line":"a --pwd {secret}"}}"#);
            format!("{{{payload},{payload}}}")
        };
        assert_eq!(scrubbed(&body("b")), Some(body("********")));
    }

    #[test]
    fn what_is_no_such_json_stays() {
        for body in [
            "",
            "[]",
            "{",
            r#"{"payload":"--password x"}"#,
            r#"{"payload":{"command_line":"a --pwd b"}"#,
            r#"{"payload":{"command_line":"a --pwd \x"}}"#,
            r#"{"payload":{"command_line":null,"metadata":7}}"#,
        ] {
            assert_eq!(scrubbed(body), None, "{body}");
        }
        assert_eq!(scrub_injection(b"{\"payload\":{\"command_line\":\"a --pwd \xff\"}}"), None);
    }

    #[test]
    fn what_is_nested_too_deep_is_hidden_whole() {
        let nested = |depth: usize| {
            let (open, close) = ("[1,".repeat(depth), "]".repeat(depth));
            format!(r#"{{"payload":{{"metadata":{open}"a"{close}}}}}"#)
        };
        assert_eq!(scrubbed(&nested(DEPTH_MAX)), None);
        assert!(scrubbed(&nested(100_000)).unwrap().contains(HIDDEN));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let text = "[a-z =\"'\\\\\u{e9}-]{0,12}|(--)?(password|my_token)[= ]\"?[a-z ]{0,6}";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i32>().prop_map(Value::from),
            text.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-z]{1,4}|password", inner, 0..4)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_json_and_the_rest_stays(
            command_line in any_json(),
            metadata in any_json(),
        ) {
            let body = json!({
                "a": 1, "payload": {"command_line": command_line, "metadata": metadata, "z": [2]},
            });
            if let Some(once) = scrubbed(&body.to_string()) {
                let value: Value = once.parse().unwrap();
                prop_assert_eq!((&value["a"], &value["payload"]["z"]), (&json!(1), &json!([2])));
            }
        }

        #[test]
        fn any_bytes_are_taken(bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(scrub_injection(&bytes), None);
        }
    }
}
