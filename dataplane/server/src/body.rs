//! Bodies within limits. spec: apm §3 step 4.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

/// Bytes that the bodies of a lane may take together.
#[derive(Debug)]
pub(crate) struct Budget {
    used: Cell<usize>,
    max: usize,
}

/// A body and its share of the lane's budget, which it gives back when dropped.
#[derive(Default)]
pub struct Body {
    bytes: Vec<u8>,
    charge: Charge,
}

/// Bytes taken from the lane's budget, given back when dropped.
#[derive(Debug, Default)]
pub struct Charge {
    budget: Option<Rc<Budget>>,
    bytes: usize,
}

/// A body as it grows.
#[derive(Debug)]
pub(crate) struct Collected {
    body: Body,
    bytes_max: usize,
    /// What the client announced, as far as it is allowed.
    announced: usize,
}

/// Why a body cannot grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// Longer than one body may be.
    TooLarge,
    /// The bodies of the lane take all they may.
    Budget,
}

/// Room made at once for an announced length: a client that announces much and sends little gets
/// no more than this.
const FIRST_BYTES_MAX: usize = 256 << 10;
/// Room made at once for a body of unknown length.
const FIRST_BYTES: usize = 8 << 10;

impl Budget {
    pub(crate) fn new(max: usize) -> Rc<Self> {
        Rc::new(Self { used: Cell::new(0), max })
    }

    pub(crate) fn used(&self) -> usize {
        self.used.get()
    }

    fn take(&self, bytes: usize) -> bool {
        let used = self.used.get().saturating_add(bytes);
        let is_within = used <= self.max;
        if is_within {
            self.used.set(used);
        }
        is_within
    }
}

impl Body {
    /// A body that is there already, and bounded by whoever has it.
    pub(crate) fn whole(bytes: Vec<u8>) -> Self {
        Self { bytes, charge: Charge::default() }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes to own, and the charge to keep as long as they are.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u8>, Charge) {
        (self.bytes, self.charge)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            budget.used.set(budget.used.get().saturating_sub(self.bytes));
        }
    }
}

impl Collected {
    /// An empty body of which the client announced the length, or not.
    pub(crate) fn new(
        budget: &Rc<Budget>,
        announced: Option<u64>,
        bytes_max: usize,
    ) -> Result<Self, Full> {
        let announced = announced.map_or(Ok(None), |n| usize::try_from(n).map(Some));
        let announced = announced.map_err(|_| Full::TooLarge)?;
        if announced.is_some_and(|bytes| bytes > bytes_max) {
            return Err(Full::TooLarge);
        }
        let charge = Charge { budget: Some(Rc::clone(budget)), bytes: 0 };
        let body = Body { bytes: Vec::new(), charge };
        Ok(Self { body, bytes_max, announced: announced.unwrap_or(0) })
    }

    /// Takes in the next bytes.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Result<(), Full> {
        let bytes = &mut self.body.bytes;
        let needed = bytes.len().saturating_add(chunk.len());
        if needed > self.bytes_max {
            return Err(Full::TooLarge);
        }
        if needed > bytes.capacity() {
            let room = self.next_capacity(needed);
            let charge = &mut self.body.charge;
            let more = room.saturating_sub(charge.bytes);
            if !charge.budget.as_ref().is_some_and(|budget| budget.take(more)) {
                return Err(Full::Budget);
            }
            charge.bytes += more;
            let bytes = &mut self.body.bytes;
            bytes.reserve_exact(room - bytes.len());
        }
        self.body.bytes.extend_from_slice(chunk);
        Ok(())
    }

    pub(crate) fn finish(self) -> Body {
        self.body
    }

    /// Doubles, but not beyond what was announced and what is allowed.
    fn next_capacity(&self, needed: usize) -> usize {
        let capacity = self.body.bytes.capacity();
        let first = self.announced.clamp(FIRST_BYTES, FIRST_BYTES_MAX);
        let doubled = capacity.saturating_mul(2).max(first);
        let most = if self.announced >= needed { self.announced } else { self.bytes_max };
        doubled.min(most).max(needed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_body_of_exactly_the_limit_is_taken() {
        let budget = Budget::new(1000);
        let mut body = Collected::new(&budget, None, 10).unwrap();
        body.push(&[1; 4]).unwrap();
        body.push(&[2; 6]).unwrap();
        assert_eq!(body.push(&[3]), Err(Full::TooLarge));
        assert_eq!(body.finish().bytes(), [1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
        assert!(Collected::new(&budget, Some(10), 10).is_ok());
        assert_eq!(Collected::new(&budget, Some(11), 10).err(), Some(Full::TooLarge));
        assert_eq!(Collected::new(&budget, Some(u64::MAX), 10).err(), Some(Full::TooLarge));
    }

    #[test]
    fn bodies_share_the_budget_and_give_it_back() {
        let budget = Budget::new(100);
        let mut one = Collected::new(&budget, Some(60), 60).unwrap();
        assert_eq!(budget.used(), 0, "nothing is taken for an announcement");
        one.push(&[0; 1]).unwrap();
        assert_eq!(budget.used(), 60);
        let mut two = Collected::new(&budget, Some(60), 60).unwrap();
        assert_eq!(two.push(&[0; 1]), Err(Full::Budget));
        let (bytes, charge) = one.finish().into_parts();
        assert_eq!((bytes.len(), budget.used()), (1, 60));
        drop(charge);
        assert_eq!(budget.used(), 0);
        two.push(&[0; 1]).unwrap();
    }

    proptest! {
        #[test]
        fn room_is_paid_for_and_not_wasted(
            announced in proptest::option::of(0u64..600_000),
            chunks in proptest::collection::vec(1usize..70_000, 0..12),
        ) {
            let budget = Budget::new(usize::MAX);
            let mut body = Collected::new(&budget, announced, 600_000).unwrap();
            let mut sent = 0;
            for chunk in chunks {
                prop_assert_eq!(body.push(&vec![7; chunk]).is_ok(), sent + chunk <= 600_000);
                if sent + chunk > 600_000 {
                    break;
                }
                sent += chunk;
                prop_assert!(body.body.bytes.capacity() <= budget.used());
                prop_assert!(budget.used() <= (2 * sent).max(FIRST_BYTES_MAX));
            }
            let body = body.finish();
            prop_assert_eq!(body.bytes().len(), sent);
            drop(body);
            prop_assert_eq!(budget.used(), 0);
        }
    }
}
