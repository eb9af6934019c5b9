//! The rules of one lane, and what they say about one line.

use std::sync::Arc;

use signal::Provenance;

use crate::jmx::jmx_service;
use crate::scratch::{Output, set_lossy};
use crate::{
    FilterList, Mapper, MapperError, Namespace, NamingSettings, Scratch, TagFilter, TagFilters,
};

/// What decides names and tags in one lane. A clone, one per lane, has a mapper cache of its own
/// and shares the rest, which never changes.
#[derive(Clone, Debug)]
pub struct Rules {
    mapper: Option<Mapper>,
    fixed: Arc<Fixed>,
}

#[derive(Debug)]
struct Fixed {
    namespace: Namespace,
    filterlist: FilterList,
    tag_filters: TagFilters,
    is_tag_filter_for_distributions_only: bool,
    /// Sorted, unique.
    extra_tags: Vec<Box<str>>,
    /// Sorted, unique.
    host_tags: Vec<Box<str>>,
}

/// What the rules need to know of a metric line besides its name and tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetricOptions {
    /// The line is a distribution (`d`). The tag filter may depend on it, so a lane that remembers
    /// lines keeps it as part of what it remembers.
    pub is_distribution: bool,
    /// The agent started less than `expected_tags_duration` ago: host tags are added.
    pub with_host_tags: bool,
}

/// Host of a metric, event or service check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// The host name of the agent.
    Default,
    /// From a `host:` tag; empty means "no host".
    Explicit(&'a str),
}

/// Final name and tags of one line, and what its special tags said. spec: dogstatsd §6.1.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    out: &'a Output,
    tag_filter: Option<&'a TagFilter>,
}

impl Rules {
    /// Rules from settings.
    ///
    /// # Errors
    /// The first fault in the mapper profiles. The Agent goes on without a mapper then: the caller
    /// reports the error, clears [`NamingSettings::mapper_profiles`] and calls again, which
    /// succeeds.
    pub fn new(settings: &NamingSettings) -> Result<Self, MapperError> {
        let fixed = Fixed {
            namespace: Namespace::new(&settings.namespace, &settings.namespace_blacklist),
            filterlist: FilterList::new(&settings.filterlist, settings.filterlist_match_prefix),
            tag_filters: TagFilters::new(&settings.tag_filter),
            is_tag_filter_for_distributions_only: settings.tag_filter_distributions_only,
            extra_tags: sorted(&settings.extra_tags),
            host_tags: sorted(&settings.host_tags),
        };
        let mapper = Mapper::new(&settings.mapper_profiles, settings.mapper_cache_entries)?;
        Ok(Self { mapper, fixed: Arc::new(fixed) })
    }

    /// Name and tags of a metric, or `None` when its name is on the filter list. `name` is the name
    /// as received and `tags` the whole `#` field, without the `#`; an empty field has no tag.
    pub fn name_metric<'a>(
        &'a mut self,
        name: &[u8],
        tags: &[u8],
        options: MetricOptions,
        scratch: &'a mut Scratch,
    ) -> Option<Labels<'a>> {
        let Self { mapper, fixed } = self;
        let Scratch { raw_name, raw_tag, out } = scratch;
        out.clear();
        set_lossy(raw_name, name);
        let mapped = mapper.as_mut().and_then(|mapper| mapper.map(raw_name));
        let name = mapped.map_or(raw_name.as_str(), |mapped| &mapped.name);

        let prefix = out.push(fixed.namespace.prefix_of(name));
        let rest = out.push(name);
        out.name = prefix.start..rest.end;
        if fixed.filterlist.matches(out.at(&out.name)) {
            return None;
        }

        let is_tag_filtered =
            options.is_distribution || !fixed.is_tag_filter_for_distributions_only;
        let tag_filter =
            if is_tag_filtered { fixed.tag_filters.of(out.at(&out.name)) } else { None };
        add_client_tags(tags, tag_filter, raw_tag, out);
        for tag in mapped.map_or(&[][..], |mapped| &mapped.tags) {
            add_client_tag(tag, tag_filter, out);
        }
        fixed.add_own_tags(options.with_host_tags, tag_filter, out);
        Some(Labels { out, tag_filter })
    }

    /// Tags of an event or a service check, which have neither mapper nor namespace nor filters.
    /// `tags` is the whole `#` field. The name of the result is empty.
    pub fn label<'a>(
        &self,
        tags: &[u8],
        with_host_tags: bool,
        scratch: &'a mut Scratch,
    ) -> Labels<'a> {
        let Scratch { raw_tag, out, .. } = scratch;
        out.clear();
        add_client_tags(tags, None, raw_tag, out);
        self.fixed.add_own_tags(with_host_tags, None, out);
        Labels { out, tag_filter: None }
    }

    /// The part of the filter list that applies to the names of histogram series at flush, whose
    /// possible `suffixes` follow from the settings. spec: dogstatsd §6.3.
    #[must_use]
    pub fn flush_filter<S: AsRef<str>>(&self, suffixes: &[S]) -> FilterList {
        self.fixed.filterlist.flush_side(suffixes)
    }
}

impl Fixed {
    fn add_own_tags(&self, with_host_tags: bool, filter: Option<&TagFilter>, out: &mut Output) {
        let host_tags = if with_host_tags { &self.host_tags[..] } else { &[] };
        for tag in self.extra_tags.iter().chain(host_tags) {
            add_tag(tag, filter, out);
        }
    }
}

impl<'a> Labels<'a> {
    /// Final metric name; empty for events and service checks.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.out.at(&self.out.name)
    }

    /// Final tags: those of the client in order of arrival, then those of the mapper, then the
    /// configured ones. May hold duplicates and empty strings.
    pub fn tags(&self) -> impl ExactSizeIterator<Item = &'a str> + Clone + use<'a> {
        let out = self.out;
        out.tags.iter().map(|place| out.at(place))
    }

    /// Host.
    #[must_use]
    pub fn host(&self) -> Host<'a> {
        self.out.host.as_ref().map_or(Host::Default, |place| Host::Explicit(self.out.at(place)))
    }

    /// Pod UID from `dd.internal.entity_id:`, not empty. `none` is handed on: it names no entity
    /// but still takes precedence over socket credentials where that is configured.
    #[must_use]
    pub fn entity_id(&self) -> Option<&'a str> {
        self.out.entity_id.as_ref().map(|place| self.out.at(place)).filter(|id| !id.is_empty())
    }

    /// Cardinality from `dd.internal.card:`, unchecked. A `card:` field of the line beats it.
    #[must_use]
    pub fn cardinality(&self) -> Option<&'a str> {
        self.out.cardinality.as_ref().map(|place| self.out.at(place))
    }

    /// Attribution: DogStatsD, or the JMX check that a tag names.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        self.out.jmx_service.map_or(Provenance::DOGSTATSD, Provenance::jmx)
    }

    /// Whether the series keeps `tag`: to be asked for every tag of the origin, which the tag
    /// filter treats like the others.
    #[must_use]
    pub fn keeps_tag(&self, tag: &str) -> bool {
        self.tag_filter.is_none_or(|filter| filter.keeps(tag))
    }
}

/// Adds every tag of a `#` field. spec: dogstatsd §4.2, step 5.
fn add_client_tags(
    field: &[u8],
    filter: Option<&TagFilter>,
    raw_tag: &mut String,
    out: &mut Output,
) {
    if field.is_empty() {
        return;
    }
    for tag in field.split(|&byte| byte == b',') {
        set_lossy(raw_tag, tag);
        add_client_tag(raw_tag, filter, out);
    }
}

/// Adds one tag, or takes note of it when it is special; of several the last wins.
fn add_client_tag(tag: &str, filter: Option<&TagFilter>, out: &mut Output) {
    if let Some(host) = tag.strip_prefix("host:") {
        out.host = Some(out.push(host));
    } else if let Some(id) = tag.strip_prefix("dd.internal.entity_id:") {
        out.entity_id = Some(out.push(id));
    } else if let Some(cardinality) = tag.strip_prefix("dd.internal.card:") {
        out.cardinality = Some(out.push(cardinality));
    } else if let Some(check) = tag.strip_prefix("dd.internal.jmx_check_name:") {
        out.jmx_service = Some(jmx_service(check));
    } else {
        add_tag(tag, filter, out);
    }
}

fn add_tag(tag: &str, filter: Option<&TagFilter>, out: &mut Output) {
    if filter.is_none_or(|filter| filter.keeps(tag)) {
        let place = out.push(tag);
        out.tags.push(place);
    }
}

fn sorted(tags: &[String]) -> Vec<Box<str>> {
    let mut tags: Vec<Box<str>> = tags.iter().map(|tag| Box::from(&**tag)).collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

#[cfg(test)]
mod tests;
