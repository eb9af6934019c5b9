//! Finding a file in a repository that delegates. spec: remote-config §5.6

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::document::Document;
use super::list::{Delegation, TargetMeta, Targets};
use super::repository::{Repository, missing};
use crate::refused::{Cause, Refused, Result};

/// Delegated roles looked at for one file. spec: remote-config §5.5
const ROLES_MAX: usize = 32;
/// The role at the top.
const TOP: &str = "targets";

/// Searches of one verification; each delegated role is verified once in it.
#[derive(Debug)]
pub(crate) struct Lookup<'r> {
    repository: &'r Repository,
    now_secs: i64,
    /// Verified roles by who delegated them, whose keys they were verified with.
    verified: BTreeMap<(String, String), Arc<Targets>>,
}

/// A role to look at.
struct Step {
    delegator: String,
    delegation: Delegation,
}

impl<'r> Lookup<'r> {
    pub(crate) const fn new(repository: &'r Repository, now_secs: i64) -> Self {
        Self { repository, now_secs, verified: BTreeMap::new() }
    }

    /// The file as the first role in line lists it.
    pub(crate) fn find(&mut self, path: &str) -> Result<TargetMeta> {
        let not_found = || {
            let detail = format!("{path} is not in the config repository");
            Refused::new(Cause::NotInConfig, detail)
        };
        let top = self.repository.targets.as_ref().ok_or_else(not_found)?;
        if let Some(found) = top.content.targets.get(path) {
            return Ok(found.clone());
        }
        let mut steps = steps(TOP, &top.content, path);
        let mut visited = BTreeSet::from([TOP.to_owned()]);
        while let Some(Step { delegator, delegation }) = steps.pop() {
            if !visited.insert(delegation.role.clone()) {
                continue;
            }
            if visited.len() > ROLES_MAX + 1 {
                let detail = format!("{path} leads through more than {ROLES_MAX} roles");
                return Err(Refused::new(Cause::TooManyRoles, detail));
            }
            if delegation.is_terminating {
                steps.clear();
            }
            let targets = self.verified(&delegator, &delegation)?;
            if let Some(found) = targets.targets.get(path) {
                return Ok(found.clone());
            }
            steps.extend(self::steps(&delegation.role, &targets, path));
        }
        Err(not_found())
    }

    fn verified(&mut self, delegator: &str, delegation: &Delegation) -> Result<Arc<Targets>> {
        let key = (delegator.to_owned(), delegation.role.clone());
        if let Some(targets) = self.verified.get(&key) {
            return Ok(Arc::clone(targets));
        }
        let role = &delegation.role;
        let what = format!("role {role}");
        let snapshot = self.repository.snapshot.as_ref().ok_or_else(|| missing("no snapshot"))?;
        let meta = snapshot.content.role(role)?;
        let held = self.repository.received.delegated.get(role);
        let (_, raw) = held.ok_or_else(|| missing(&format!("{what} was not delivered")))?;
        meta.check(&what, raw)?;
        let document = Document::parse(&what, raw)?;
        meta.check_version(&what, document.version)?;
        document.check(&what, TOP, &delegation.signers, 0, self.now_secs)?;
        let targets = Arc::new(Targets::parse(&what, &document)?);
        self.verified.insert(key, Arc::clone(&targets));
        Ok(targets)
    }
}

/// The roles that may list the path, last first, so that the first is taken from the end.
fn steps(delegator: &str, targets: &Targets, path: &str) -> Vec<Step> {
    let covering = targets.delegations.iter().rev().filter(|delegation| delegation.covers(path));
    let step = |delegation: &Delegation| Step {
        delegator: delegator.to_owned(),
        delegation: delegation.clone(),
    };
    covering.map(step).collect()
}
