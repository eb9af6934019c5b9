//! The prefix of every metric name, and who is exempt. spec: dogstatsd §3.4, §6.3.

/// Default of `statsd_metric_namespace_blacklist`: metrics of integrations and of agents.
pub const DEFAULT_NAMESPACE_BLACKLIST: [&str; 21] = [
    "datadog.agent",
    "datadog.dogstatsd",
    "datadog.process",
    "datadog.trace_agent",
    "datadog.tracer",
    "activemq",
    "activemq_58",
    "airflow",
    "cassandra",
    "confluent",
    "hazelcast",
    "hive",
    "ignite",
    "jboss",
    "jvm",
    "kafka",
    "presto",
    "sidekiq",
    "solr",
    "tomcat",
    "runtime",
];

/// A namespace; empty when there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Ends in a dot, or is empty.
    prefix: Box<str>,
    blacklist: Box<[Box<str>]>,
}

impl Namespace {
    /// The namespace `prefix`, except for names that start with an entry of `blacklist`.
    pub fn new<S: AsRef<str>>(prefix: &str, blacklist: impl IntoIterator<Item = S>) -> Self {
        let dot = if prefix.is_empty() || prefix.ends_with('.') { "" } else { "." };
        Self {
            prefix: [prefix, dot].concat().into(),
            blacklist: blacklist.into_iter().map(|entry| Box::from(entry.as_ref())).collect(),
        }
    }

    /// What goes before `name`; often nothing.
    #[must_use]
    pub fn prefix_of(&self, name: &str) -> &str {
        let is_exempt =
            self.prefix.is_empty() || self.blacklist.iter().any(|entry| name.starts_with(&**entry));
        if is_exempt { "" } else { &self.prefix }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_is_added_once() {
        for prefix in ["app", "app."] {
            assert_eq!(Namespace::new(prefix, [""; 0]).prefix_of("page"), "app.");
        }
        assert_eq!(Namespace::new("", [""; 0]).prefix_of("page"), "");
    }

    #[test]
    fn exempt_names_need_only_start_like_an_entry() {
        let namespace = Namespace::new("app", DEFAULT_NAMESPACE_BLACKLIST);
        assert_eq!(namespace.prefix_of("jvm.heap"), "");
        assert_eq!(namespace.prefix_of("jvmstuff"), "");
        assert_eq!(namespace.prefix_of("my.jvm"), "app.");
    }
}
