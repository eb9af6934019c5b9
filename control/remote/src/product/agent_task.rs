//! `AGENT_TASK`: something to do once. spec: remote-config §7.2

use std::collections::{HashSet, VecDeque};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Configuration;

/// Name of the product.
pub const PRODUCT: &str = "AGENT_TASK";
/// Tasks that are remembered as done.
const REMEMBERED_MAX: usize = 10_000;

/// One task.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Task {
    /// What to do.
    pub task_type: String,
    /// Each is done once.
    pub uuid: String,
    /// How to do it.
    #[serde(default)]
    pub args: Map<String, Value>,
}

impl Task {
    /// Reads a task.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(configuration: &Configuration) -> Result<Self, String> {
        let task: Self =
            serde_json::from_slice(&configuration.content).map_err(|error| error.to_string())?;
        if task.uuid.is_empty() { Err("the task has no uuid".to_owned()) } else { Ok(task) }
    }

    /// An argument that is a text.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<&str> {
        self.args.get(name)?.as_str()
    }
}

/// Tasks that were begun in this process.
#[derive(Debug, Default)]
pub struct Done {
    known: HashSet<String>,
    order: VecDeque<String>,
}

impl Done {
    /// Whether a task is to be done; from then on it counts as done.
    pub fn begin(&mut self, task: &Task) -> bool {
        if !self.known.insert(task.uuid.clone()) {
            return false;
        }
        self.order.push_back(task.uuid.clone());
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(content: &str) -> Result<Task, String> {
        Task::parse(&Configuration {
            path: "datadog/2/AGENT_TASK/a/config".to_owned(),
            id: "a".to_owned(),
            version: 1,
            content: content.to_owned().into(),
        })
    }

    #[test]
    fn a_task_is_done_once() {
        let mut done = Done::default();
        let one = task(r#"{"task_type":"flare","uuid":"u"}"#).unwrap();
        assert!(done.begin(&one) && !done.begin(&one));
        assert!(task(r#"{"task_type":"flare","uuid":""}"#).is_err());
        assert!(task("{").is_err());
    }
}
