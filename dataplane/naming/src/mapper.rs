//! The mapper: names with parts in them become one name and tags. spec: dogstatsd §6.2.

mod cache;
mod template;

use regex::{Regex, RegexBuilder};

use crate::{Mapping, MatchType, Profile};
use cache::Cache;
use template::Template;

/// Most bytes a compiled pattern may take, and separately its match cache.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Prefix of a profile that decides every metric.
const ANY_PREFIX: &str = "*";

/// What is wrong with a mapper configuration. One fault disables the whole mapper, as in the Agent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MapperError {
    /// A profile has no name.
    #[error("dogstatsd_mapper_profiles: profile number {position} has no name; add one")]
    ProfileWithoutName {
        /// Position in the list, from 1.
        position: usize,
    },
    /// A profile has no prefix.
    #[error(
        "dogstatsd_mapper_profiles: profile {profile:?} has no prefix; add one, or \"*\" for every \
         metric"
    )]
    ProfileWithoutPrefix {
        /// Name of the profile.
        profile: String,
    },
    /// A mapping has no pattern.
    #[error("dogstatsd_mapper_profiles: a mapping of profile {profile:?} has no match; add one")]
    MappingWithoutMatch {
        /// Name of the profile.
        profile: String,
    },
    /// A mapping has no name.
    #[error(
        "dogstatsd_mapper_profiles: mapping {pattern:?} of profile {profile:?} has no name; add one"
    )]
    MappingWithoutName {
        /// Name of the profile.
        profile: String,
        /// Pattern of the mapping.
        pattern: String,
    },
    /// A wildcard pattern has a character it must not have.
    #[error(
        "dogstatsd_mapper_profiles: wildcard match {pattern:?} of profile {profile:?} may hold only \
         letters, digits, and -_*. without two * in a row; use match_type regex for more"
    )]
    BadWildcard {
        /// Name of the profile.
        profile: String,
        /// The pattern.
        pattern: String,
    },
    /// A regular expression does not compile, or is too large.
    #[error(
        "dogstatsd_mapper_profiles: regex match {pattern:?} of profile {profile:?} is not usable; \
         correct it"
    )]
    BadRegex {
        /// Name of the profile.
        profile: String,
        /// The pattern.
        pattern: String,
        /// What the compiler of regular expressions says.
        source: Box<regex::Error>,
    },
}

/// The result for a name that a mapping matched.
#[derive(Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The new name, not empty.
    pub name: Box<str>,
    /// Tags to append, `key:value`, in order of configuration.
    pub tags: Box<[Box<str>]>,
}

/// All profiles and a bounded memory of recent results. A clone shares no state
/// that changes with its original.
#[derive(Clone, Debug)]
pub struct Mapper {
    profiles: Vec<CompiledProfile>,
    cache: Cache,
}

#[derive(Clone, Debug)]
struct CompiledProfile {
    /// Empty: every metric.
    prefix: Box<str>,
    mappings: Vec<CompiledMapping>,
}

#[derive(Clone, Debug)]
struct CompiledMapping {
    regex: Regex,
    name: Template,
    tags: Vec<(Box<str>, Template)>,
}

impl Mapper {
    /// Compiles `profiles`; `cache_entries` results are remembered, `None` included. Returns no
    /// mapper when there is no profile or `cache_entries` is 0: the setting's way to switch it off.
    ///
    /// # Errors
    /// The first fault of the configuration; the caller reports it and goes on without a mapper.
    pub fn new(profiles: &[Profile], cache_entries: usize) -> Result<Option<Self>, MapperError> {
        if profiles.is_empty() || cache_entries == 0 {
            return Ok(None);
        }
        let profiles = profiles
            .iter()
            .enumerate()
            .map(|(index, profile)| compile_profile(index + 1, profile))
            .collect::<Result<_, _>>()?;
        Ok(Some(Self { profiles, cache: Cache::new(cache_entries) }))
    }

    /// What `name` becomes, or `None` when it stays as it is.
    pub fn map(&mut self, name: &str) -> Option<&Mapped> {
        let Self { profiles, cache } = self;
        cache.get_or_insert_with(name, || resolve(profiles, name))
    }
}

fn resolve(profiles: &[CompiledProfile], name: &str) -> Option<Mapped> {
    let profile = profiles.iter().find(|profile| name.starts_with(&*profile.prefix))?;
    profile.mappings.iter().find_map(|mapping| {
        let captures = mapping.regex.captures(name)?;
        let new_name = mapping.name.expand(&captures);
        if new_name.is_empty() {
            // A series must have a name; the received one is better than none.
            return None;
        }
        let tags = mapping
            .tags
            .iter()
            .map(|(key, value)| [key, ":", &*value.expand(&captures)].concat().into())
            .collect();
        Some(Mapped { name: new_name.into(), tags })
    })
}

fn compile_profile(position: usize, profile: &Profile) -> Result<CompiledProfile, MapperError> {
    if profile.name.is_empty() {
        return Err(MapperError::ProfileWithoutName { position });
    }
    if profile.prefix.is_empty() {
        return Err(MapperError::ProfileWithoutPrefix { profile: profile.name.clone() });
    }
    let prefix = if profile.prefix == ANY_PREFIX { "" } else { &profile.prefix };
    let mappings = profile
        .mappings
        .iter()
        .map(|mapping| compile_mapping(&profile.name, mapping))
        .collect::<Result<_, _>>()?;
    Ok(CompiledProfile { prefix: prefix.into(), mappings })
}

fn compile_mapping(profile: &str, mapping: &Mapping) -> Result<CompiledMapping, MapperError> {
    let profile = profile.to_owned();
    let pattern = mapping.pattern.clone();
    if pattern.is_empty() {
        return Err(MapperError::MappingWithoutMatch { profile });
    }
    if mapping.name.is_empty() {
        return Err(MapperError::MappingWithoutName { profile, pattern });
    }
    let body = match mapping.match_type {
        MatchType::Regex => pattern.clone(),
        MatchType::Wildcard if is_wildcard(&pattern) => {
            pattern.replace('.', r"\.").replace('*', "([^.]*)")
        }
        MatchType::Wildcard => return Err(MapperError::BadWildcard { profile, pattern }),
    };
    // Without a group around the body, as in the Agent: `a|b` reads `^a` or `b$`.
    let regex = RegexBuilder::new(&format!("^{body}$"))
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_BYTES_MAX)
        .build()
        .map_err(|error| MapperError::BadRegex { profile, pattern, source: Box::new(error) })?;
    let name = Template::new(&mapping.name, &regex);
    let tags = mapping
        .tags
        .iter()
        .map(|(key, value)| (Box::from(&**key), Template::new(value, &regex)))
        .collect();
    Ok(CompiledMapping { regex, name, tags })
}

fn is_wildcard(pattern: &str) -> bool {
    !pattern.contains("**")
        && pattern.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_*.".contains(&byte))
}

#[cfg(test)]
mod tests;
