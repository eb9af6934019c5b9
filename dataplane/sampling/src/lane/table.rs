//! Signatures that a lane counts, with their rates of the last snapshot.

use std::sync::Arc;

use crate::counts::{Count, Kind, SIGNATURES_MAX, Service};
use crate::hash::BySignature;

/// Bounded table of slots in order of first sight, found by signature.
///
/// Two services may share a signature: then each has a slot, chained by `next`.
#[derive(Debug, Default)]
pub(crate) struct Table {
    slots: Vec<Slot>,
    first: BySignature<u32>,
}

/// One signature. 56 bytes, and the names of its service.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) signature: u32,
    next: Option<u32>,
    /// Weight since the last drain.
    pub(crate) weight: f64,
    pub(crate) service: Option<Arc<Service>>,
    /// Rate of the snapshot.
    pub(crate) rate: Option<f64>,
    pub(crate) last_bucket: u64,
    /// Whether the snapshot knows the signature.
    pub(crate) is_published: bool,
    /// Whether the signature stands for many. spec: apm §7.4.
    pub(crate) is_folded: bool,
}

const _: () = assert!(size_of::<Slot>() <= 56);

impl Slot {
    pub(crate) const fn new(signature: u32, service: Option<Arc<Service>>) -> Self {
        Self {
            signature,
            next: None,
            weight: 0.0,
            service,
            rate: None,
            last_bucket: 0,
            is_published: false,
            is_folded: false,
        }
    }

    fn is_of(&self, name: &str, env: &str) -> bool {
        self.service.as_ref().is_some_and(|own| *own.name == *name && *own.env == *env)
    }
}

impl Table {
    pub(crate) fn slot(&mut self, position: usize) -> &mut Slot {
        &mut self.slots[position]
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    pub(crate) fn slots_mut(&mut self) -> &mut [Slot] {
        &mut self.slots
    }

    pub(crate) fn is_service(&self, position: usize, name: &str, env: &str) -> bool {
        self.slots.get(position).is_some_and(|slot| slot.is_of(name, env))
    }

    pub(crate) fn find(&self, signature: u32) -> Option<usize> {
        self.first.get(&signature).map(|&position| position as usize)
    }

    pub(crate) fn find_service(&self, signature: u32, name: &str, env: &str) -> Option<usize> {
        let mut position = self.find(signature)?;
        while !self.slots[position].is_of(name, env) {
            position = self.slots[position].next? as usize;
        }
        Some(position)
    }

    /// Adds a slot unless the table is full.
    pub(crate) fn insert(&mut self, slot: Slot) -> Option<usize> {
        if self.slots.len() >= SIGNATURES_MAX {
            return None;
        }
        self.slots.push(slot);
        self.link(self.slots.len() - 1);
        Some(self.slots.len() - 1)
    }

    /// Moves all weights to `rows`.
    pub(crate) fn drain(&mut self, kind: Kind, bucket: u64, rows: &mut Vec<Count>) {
        for slot in self.slots.iter_mut().filter(|slot| slot.weight > 0.0) {
            rows.push(Count {
                bucket,
                weight: std::mem::replace(&mut slot.weight, 0.0),
                service: slot.service.clone(),
                signature: Some(slot.signature),
                kind,
                is_folded: slot.is_folded,
            });
        }
    }

    /// Removes slots; positions change.
    pub(crate) fn retain(&mut self, is_kept: impl FnMut(&Slot) -> bool) {
        let before = self.slots.len();
        self.slots.retain(is_kept);
        if self.slots.len() < before {
            self.first.clear();
            (0..self.slots.len()).for_each(|position| self.link(position));
        }
    }

    fn link(&mut self, position: usize) {
        let slot = &mut self.slots[position];
        let place = u32::try_from(position).expect("a table holds at most SIGNATURES_MAX slots");
        slot.next = self.first.insert(slot.signature, place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str) -> Option<Arc<Service>> {
        Some(Arc::new(Service { name: name.into(), env: "prod".into() }))
    }

    #[test]
    fn services_of_one_signature_stay_apart() {
        let mut table = Table::default();
        let a = table.insert(Slot::new(7, service("a")));
        let b = table.insert(Slot::new(7, service("b")));
        assert_eq!(table.find_service(7, "a", "prod"), a);
        assert_eq!(table.find_service(7, "b", "prod"), b);
        assert_eq!(table.find_service(7, "c", "prod"), None);
        assert_eq!(table.find_service(8, "a", "prod"), None);
        table.retain(|slot| slot.is_of("b", "prod"));
        assert_eq!(table.find_service(7, "a", "prod"), None);
        assert_eq!(table.find_service(7, "b", "prod"), Some(0));
    }

    #[test]
    fn a_full_table_refuses() {
        let mut table = Table::default();
        let count = u32::try_from(SIGNATURES_MAX).expect("fits");
        assert!((0..count).all(|signature| table.insert(Slot::new(signature, None)).is_some()));
        assert_eq!(table.insert(Slot::new(count, None)), None);
        assert_eq!(table.find(count - 1), Some(SIGNATURES_MAX - 1));
    }

    #[test]
    fn weights_leave_once() {
        let mut table = Table::default();
        let position = table.insert(Slot::new(7, None)).expect("there is room");
        table.insert(Slot::new(8, None));
        table.slot(position).weight = 2.5;
        let mut rows = Vec::new();
        table.drain(Kind::Errors, 3, &mut rows);
        table.drain(Kind::Errors, 3, &mut rows);
        let [row] = &rows[..] else { panic!("one row, not {rows:?}") };
        assert_eq!((row.signature, row.bucket, row.kind), (Some(7), 3, Kind::Errors));
        assert!((row.weight - 2.5).abs() < f64::EPSILON);
    }
}
