//! Services whose rates are published to tracers; the least recently seen give way. spec: apm §7.3.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::ledger::Ledger;
use crate::counts::Service;

#[derive(Debug)]
pub(crate) struct Catalog {
    entries_max: usize,
    agent_env: String,
    entries: HashMap<Arc<Service>, Listed>,
}

#[derive(Clone, Copy, Debug)]
struct Listed {
    signature: u32,
    /// Tick of control at which it was seen last.
    seen_tick: u64,
}

impl Catalog {
    pub(crate) fn new(entries_max: usize, agent_env: &str) -> Self {
        Self { entries_max, agent_env: String::from(agent_env), entries: HashMap::new() }
    }

    pub(crate) fn register(&mut self, service: Arc<Service>, signature: u32, tick: u64) {
        let listed = Listed { signature, seen_tick: tick };
        self.entries.entry(service).and_modify(|found| *found = listed).or_insert(listed);
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Removes the least recently seen entries that are too many. Once per tick, so that a service
    /// seen by any lane in this tick is as recent as one seen by another.
    pub(crate) fn evict(&mut self) {
        let excess = self.entries.len().saturating_sub(self.entries_max);
        if excess == 0 {
            return;
        }
        let mut oldest: Vec<_> =
            self.entries.iter().map(|(service, listed)| (listed.seen_tick, service)).collect();
        oldest.sort_unstable();
        let oldest: Vec<_> =
            oldest.into_iter().take(excess).map(|(_, service)| Arc::clone(service)).collect();
        for service in oldest {
            self.entries.remove(&service);
        }
    }

    /// Rates by key of the reply. Entries whose signature is forgotten leave.
    pub(crate) fn rates(&mut self, ledger: &Ledger, default: f64) -> BTreeMap<Box<str>, f64> {
        self.entries.retain(|_, listed| ledger.is_live(listed.signature));
        let mut rates = BTreeMap::new();
        for (service, listed) in &self.entries {
            let Some(rate) = ledger.rate(listed.signature) else { continue };
            let Service { name, env } = &**service;
            rates.insert(format!("service:{name},env:{env}").into_boxed_str(), rate);
            if **env == *self.agent_env {
                rates.insert(format!("service:{name},env:").into_boxed_str(), rate);
            }
        }
        rates.insert(Box::from("service:,env:"), default);
        rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::Kind;

    fn service(name: &str, env: &str) -> Arc<Service> {
        Arc::new(Service { name: name.into(), env: env.into() })
    }

    #[test]
    fn the_agents_environment_is_published_without_its_name_too() {
        let mut ledger = Ledger::new(Kind::Priority, 10.0, 1.0);
        let mut catalog = Catalog::new(10, "prod");
        for (signature, name, env) in [(1, "web", "prod"), (2, "web", "dev"), (3, "gone", "dev")] {
            catalog.register(service(name, env), signature, 1);
        }
        ledger.count(10, Some(1), false, 1000.0);
        ledger.count(10, Some(2), false, 1.0);
        ledger.close(10);
        let rates = catalog.rates(&ledger, 0.5);
        let keys: Vec<_> = rates.keys().map(|key| &**key).collect();
        let expected =
            ["service:,env:", "service:web,env:", "service:web,env:dev", "service:web,env:prod"];
        assert_eq!(keys, expected);
        assert_eq!(catalog.len(), 2, "an entry that is not live leaves");
    }

    #[test]
    fn the_least_recently_seen_are_evicted() {
        let mut catalog = Catalog::new(2, "prod");
        for (tick, name) in [(1, "a"), (2, "b"), (3, "c"), (4, "a")] {
            catalog.register(service(name, "prod"), 0, tick);
        }
        catalog.evict();
        assert_eq!(catalog.len(), 2);
        assert!(!catalog.entries.contains_key(&service("b", "prod")));
    }
}
