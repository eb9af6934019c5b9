//! The agent as a client of itself: subscriptions, and what became of their configurations.
//! spec: remote-config §7
//!
//! Signatures were verified before anything gets here. A subscription is told all configurations of
//! its product whenever any of them changes, on the thread that polls; it answers by setting
//! states, then or later, from any thread.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::message::{Client, ClientAgent, ClientState, ConfigState};
use crate::product::{ApplyState, Configuration};

/// Applies the configurations of a product.
pub type Apply = Box<dyn FnMut(&[Configuration], &Acks) + Send>;

/// A wish for the configurations of a product.
pub struct Subscription {
    /// The product.
    pub product: &'static str,
    /// Bits of what it can do. spec: remote-config §4
    pub capabilities: Vec<u32>,
    /// Told at each change.
    pub apply: Apply,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("product", &self.product).finish_non_exhaustive()
    }
}

/// Where states of configurations are set.
#[derive(Clone, Debug, Default)]
pub struct Acks(Arc<Mutex<BTreeMap<String, Held>>>);

/// A configuration that was delivered.
#[derive(Clone, Debug)]
struct Held {
    product: &'static str,
    configuration: Configuration,
    state: ApplyState,
}

impl Acks {
    /// Says what became of a configuration. One that is gone meanwhile is nobody's concern.
    pub fn set(&self, path: &str, state: ApplyState) {
        if let Some(held) = self.locked().get_mut(path) {
            held.state = state;
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over the configurations of a product. Whether any changed.
    fn deliver(&self, product: &'static str, configurations: &[Configuration]) -> bool {
        let mut all = self.locked();
        let before = all.values().filter(|held| held.product == product).count();
        let is_held =
            |one: &Configuration| all.get(&one.path).is_some_and(|held| held.configuration == *one);
        if before == configurations.len() && configurations.iter().all(is_held) {
            return false;
        }
        // What did not change keeps its state, until it is set anew.
        let mut states: BTreeMap<String, Held> =
            all.extract_if(.., |_, held| held.product == product).collect();
        for configuration in configurations {
            let state = states
                .remove(&configuration.path)
                .filter(|held| held.configuration == *configuration)
                .map(|held| held.state)
                .unwrap_or_default();
            let held = Held { product, configuration: configuration.clone(), state };
            all.insert(configuration.path.clone(), held);
        }
        true
    }
}

/// The agent's own client.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) id: String,
    agent_version: String,
    acks: Acks,
    products: Vec<&'static str>,
    capabilities: Vec<u32>,
}

/// Length of ids.
const ID_CHARS: usize = 21;
const ID_ALPHABET: &[u8; 64] = b"_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

impl Own {
    pub(crate) fn new(agent_version: &str, random: &dyn ring::rand::SecureRandom) -> Self {
        let mut bytes = [0; ID_CHARS];
        // Without randomness the id is a constant, which is bad for nobody but the statistics.
        if random.fill(&mut bytes).is_err() {
            log::warn!("the system gives no random bytes");
        }
        let chars = bytes.iter().map(|byte| char::from(ID_ALPHABET[usize::from(byte % 64)]));
        Self {
            id: chars.collect(),
            agent_version: agent_version.to_owned(),
            acks: Acks::default(),
            products: Vec::new(),
            capabilities: Vec::new(),
        }
    }

    pub(crate) fn subscribe(&mut self, subscription: &Subscription) {
        self.products.push(subscription.product);
        self.capabilities.extend(&subscription.capabilities);
    }

    pub(crate) fn acks(&self) -> Acks {
        self.acks.clone()
    }

    /// As the backend sees it.
    pub(crate) fn client(
        &self,
        root_version: u64,
        targets_version: u64,
        backend_client_state: Vec<u8>,
        now_unix_ms: u64,
    ) -> Client {
        let states = self.acks.locked();
        let state = |held: &Held| ConfigState {
            id: held.configuration.id.clone(),
            version: held.configuration.version,
            product: held.product.to_owned(),
            apply_state: held.state.code(),
            apply_error: held.state.error().to_owned(),
        };
        Client {
            state: Some(ClientState {
                root_version,
                targets_version,
                config_states: states.values().map(state).collect(),
                backend_client_state,
                ..ClientState::default()
            }),
            id: self.id.clone(),
            products: self.products.iter().map(|product| (*product).to_owned()).collect(),
            is_agent: true,
            client_agent: Some(ClientAgent {
                name: "corelane".to_owned(),
                version: self.agent_version.clone(),
                ..ClientAgent::default()
            }),
            last_seen: now_unix_ms,
            capabilities: bit_field(&self.capabilities),
            ..Client::default()
        }
    }
}

/// Tells each subscription whose product changed.
pub(crate) fn dispatch(
    subscriptions: &mut [Subscription],
    acks: &Acks,
    by_product: &BTreeMap<String, Vec<Configuration>>,
) {
    for subscription in subscriptions {
        let none = Vec::new();
        let configurations = by_product.get(subscription.product).unwrap_or(&none);
        if acks.deliver(subscription.product, configurations) {
            (subscription.apply)(configurations, acks);
        }
    }
}

/// Bits as a big-endian field, as short as it can be. spec: remote-config §4
fn bit_field(bits: &[u32]) -> Vec<u8> {
    let Some(highest) = bits.iter().max() else { return Vec::new() };
    let bytes = usize::try_from(highest / 8).unwrap_or(0) + 1;
    let mut field = vec![0_u8; bytes];
    for bit in bits {
        let at = bytes - 1 - usize::try_from(bit / 8).unwrap_or(0);
        field[at] |= 1 << (bit % 8);
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(id: &str, version: u64) -> Configuration {
        Configuration {
            path: format!("datadog/2/P/{id}/config"),
            id: id.to_owned(),
            version,
            content: format!("{version}").into(),
        }
    }

    #[test]
    fn bits_count_from_the_end() {
        assert_eq!(bit_field(&[]), Vec::<u8>::new());
        assert_eq!(bit_field(&[0]), [1]);
        assert_eq!(bit_field(&[12, 1]), [0b1_0000, 0b10]);
    }

    #[test]
    fn a_subscription_is_told_changes_alone_and_all_of_its_product() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&told);
        let apply: Apply = Box::new(move |configurations, acks| {
            let ids: Vec<_> =
                configurations.iter().map(|one| (one.id.clone(), one.version)).collect();
            sink.lock().unwrap().push(ids);
            for one in configurations {
                acks.set(&one.path, ApplyState::Acknowledged);
            }
        });
        let mut subscriptions = [Subscription { product: "P", capabilities: vec![], apply }];
        let acks = Acks::default();
        let mut deliver = |configurations: &[Configuration]| {
            let all = BTreeMap::from([("P".to_owned(), configurations.to_vec())]);
            dispatch(&mut subscriptions, &acks, &all);
        };
        deliver(&[]);
        deliver(&[configuration("a", 1), configuration("b", 1)]);
        deliver(&[configuration("a", 1), configuration("b", 1)]);
        deliver(&[configuration("b", 2)]);
        deliver(&[]);
        let told = told.lock().unwrap();
        let one = |id: &str, version| (id.to_owned(), version);
        assert_eq!(*told, [vec![one("a", 1), one("b", 1)], vec![one("b", 2)], vec![]]);
        assert!(acks.locked().is_empty());
    }
}
