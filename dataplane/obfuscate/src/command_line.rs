//! Arguments of processes: values of sensitive options. spec: apm-obfuscation §8.

mod word;

use regex::Regex;

use crate::change::{Change, settle};
pub use word::WordRefused;
use word::{needle, pattern};

/// What follows an argument's key and delimiter instead of its value.
const REPLACEMENT: &str = "${key}${delimiter}********";
/// Words that are always sensitive; `*` stands for any part of a word.
const DEFAULT_WORDS: [&str; 10] = [
    "*password*",
    "*passwd*",
    "*mysql_pwd*",
    "*access_token*",
    "*auth_token*",
    "*api_key*",
    "*apikey*",
    "*secret*",
    "*credentials*",
    "stripetoken",
];

/// Compiled sensitive words.
#[derive(Clone, Debug)]
pub struct CommandScrubber {
    words: Vec<Word>,
}

#[derive(Clone, Debug)]
struct Word {
    /// Longest literal part, in lower case: a line without it is not searched.
    needle: Box<str>,
    pattern: Regex,
}

impl CommandScrubber {
    /// A scrubber of the words that are always sensitive.
    #[must_use]
    pub fn new() -> Self {
        let mut scrubber = Self { words: Vec::with_capacity(DEFAULT_WORDS.len()) };
        for word in DEFAULT_WORDS {
            let added = scrubber.add(word);
            debug_assert!(added.is_ok(), "{word} is a sound word");
        }
        scrubber
    }

    /// Makes another word sensitive.
    ///
    /// # Errors
    /// The word has characters other than letters, digits, `_` and `*`, or only wildcards, or is
    /// too long. All other words stay in force.
    pub fn add(&mut self, word: &str) -> Result<(), WordRefused> {
        let pattern = Regex::new(&pattern(word)?).map_err(|_| WordRefused::TooLong)?;
        self.words.push(Word { needle: needle(word), pattern });
        Ok(())
    }

    /// Scrubs the arguments of a process, joined by single spaces. What stands before the first
    /// space, the program, is never touched.
    pub fn scrub(&self, line: &str, out: &mut String) -> Change {
        let lower = line.to_lowercase();
        let mut scrubbed: Option<String> = None;
        for word in self.words.iter().filter(|word| lower.contains(&*word.needle)) {
            let text = scrubbed.as_deref().unwrap_or(line);
            if let std::borrow::Cow::Owned(replaced) = word.pattern.replace_all(text, REPLACEMENT) {
                scrubbed = Some(replaced);
            }
        }
        let Some(scrubbed) = scrubbed else { return Change::Unchanged };
        let start = out.len();
        out.push_str(&scrubbed);
        settle(line.as_bytes(), out, start)
    }

    /// [`Self::scrub`] of separate arguments. The result, when anything was found, is split at
    /// single spaces and so may have another number of arguments.
    pub fn scrub_arguments<S: AsRef<str>>(&self, arguments: &[S]) -> Option<Vec<String>> {
        let mut line = String::new();
        for (at, argument) in arguments.iter().enumerate() {
            if at > 0 {
                line.push(' ');
            }
            line.push_str(argument.as_ref());
        }
        let mut out = String::new();
        self.scrub(&line, &mut out)
            .is_written()
            .then(|| out.split(' ').map(str::to_owned).collect())
    }
}

impl Default for CommandScrubber {
    fn default() -> Self {
        Self::new()
    }
}

/// The program alone, for those who want no arguments at all: the first argument up to its first
/// space.
#[must_use]
pub fn program(first_argument: &str) -> &str {
    first_argument.split(' ').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_words_are_added() {
        let mut scrubber = CommandScrubber::new();
        scrubber.add("consul_token").unwrap();
        scrubber.add("dd*pw").unwrap();
        let found = scrubber.scrub_arguments(&["fitz", "-consul_token=1", "--dd_my_pw", "2"]);
        assert_eq!(found.unwrap(), ["fitz", "-consul_token=********", "--dd_my_pw", "********"]);
        assert_eq!(scrubber.scrub_arguments(&["fitz", "-consul_tokens=1"]), None);
    }

    #[test]
    fn unsound_words_are_refused() {
        let mut scrubber = CommandScrubber::new();
        for (word, refused) in [
            ("", WordRefused::OnlyWildcards),
            ("*", WordRefused::OnlyWildcards),
            ("a**b", WordRefused::RepeatedWildcard),
            ("a-b", WordRefused::Character('-')),
            (&"a".repeat(257), WordRefused::TooLong),
        ] {
            assert_eq!(scrubber.add(word), Err(refused), "{word}");
        }
        scrubber.add(&"a*".repeat(128)).unwrap();
    }

    #[test]
    fn program_is_what_stands_before_a_space() {
        assert_eq!(program("java -password 1"), "java");
        assert_eq!(program(""), "");
    }
}
