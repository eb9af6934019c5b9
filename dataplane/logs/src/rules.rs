//! Processing rules: which records are kept, and what of them is masked. spec: logs §13.

mod config;

use pattern::Template;
use regex::Regex;

use crate::Dropped;
use config::Kind;
pub use config::{RuleConfig, RuleError};

/// Compiled rules, in the order in which they are applied: global ones, then those of the source.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    ignored: Vec<Ignored>,
}

/// A rule that is valid but has no effect on single records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Its name.
    pub name: String,
    /// Its type: `multi_line` acts where lines are joined, `remap_source` where syslog is parsed.
    pub kind: &'static str,
}

#[derive(Clone, Debug)]
enum Rule {
    Exclude(Regex),
    Include(Regex),
    Mask(Regex, Template),
    ExcludeTruncated,
}

impl Rules {
    /// Compiles rules; no record is processed by some of them only.
    ///
    /// # Errors
    /// The first rule that is wrong.
    pub fn new<'a>(configs: impl IntoIterator<Item = &'a RuleConfig>) -> Result<Self, RuleError> {
        let mut compiled = Self::default();
        for config in configs {
            let rule = match config.kind()? {
                Kind::Exclude => Rule::Exclude(config.regex()?),
                Kind::Include => Rule::Include(config.regex()?),
                Kind::Mask => {
                    let regex = config.regex()?;
                    let template = Template::new(&config.replace_placeholder, &regex);
                    Rule::Mask(regex, template)
                }
                Kind::ExcludeTruncated => Rule::ExcludeTruncated,
                Kind::MultiLine => {
                    // Wrong for whoever applies it, and said here.
                    config.regex()?;
                    compiled.ignore(config, "multi_line");
                    continue;
                }
                Kind::RemapSource => {
                    compiled.ignore(config, "remap_source");
                    continue;
                }
            };
            compiled.rules.push(rule);
        }
        Ok(compiled)
    }

    /// Rules that have no effect here; worth a line in the log.
    #[must_use]
    pub fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }

    /// Whether no rule has an effect.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Applies the rules in their order; the first that drops the message is the last.
    ///
    /// # Errors
    /// Why the message is dropped. A masked message above `bytes_max` is [`Dropped::TooLarge`]: a
    /// pattern that matches everywhere may multiply it. What it holds then is of no use.
    pub fn apply(
        &self,
        message: &mut String,
        is_truncated: bool,
        bytes_max: usize,
    ) -> Result<(), Dropped> {
        for rule in &self.rules {
            match rule {
                Rule::Exclude(regex) if regex.is_match(message) => return Err(Dropped::Excluded),
                Rule::Include(regex) if !regex.is_match(message) => {
                    return Err(Dropped::NotIncluded);
                }
                Rule::ExcludeTruncated if is_truncated => return Err(Dropped::Truncated),
                Rule::Exclude(_) | Rule::Include(_) | Rule::ExcludeTruncated => {}
                Rule::Mask(regex, template) => {
                    if let Some(masked) = mask(message, regex, template, bytes_max)? {
                        *message = masked;
                    }
                }
            }
        }
        Ok(())
    }

    fn ignore(&mut self, config: &RuleConfig, kind: &'static str) {
        self.ignored.push(Ignored { name: config.name.clone(), kind });
    }
}

/// The message with all matches replaced, if there are any.
fn mask(
    message: &str,
    regex: &Regex,
    template: &Template,
    bytes_max: usize,
) -> Result<Option<String>, Dropped> {
    let mut matches = regex.find_iter(message).peekable();
    if matches.peek().is_none() {
        return Ok(None);
    }
    let mut masked = String::with_capacity(message.len());
    let mut groups = template.has_groups().then(|| regex.capture_locations());
    let mut written = 0;
    for found in matches {
        masked.push_str(message.get(written..found.start()).unwrap_or_default());
        if let Some(groups) = &mut groups {
            regex.captures_read_at(groups, message, found.start());
            template.expand(message, groups, &mut masked);
        } else {
            template.write(&mut masked);
        }
        if masked.len() > bytes_max {
            return Err(Dropped::TooLarge);
        }
        written = found.end();
    }
    masked.push_str(message.get(written..).unwrap_or_default());
    if masked.len() > bytes_max { Err(Dropped::TooLarge) } else { Ok(Some(masked)) }
}

#[cfg(test)]
mod tests;
