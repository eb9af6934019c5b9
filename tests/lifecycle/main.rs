//! Start, trouble and stop of the built binary. Nothing is lost but by rule, and every loss is
//! counted.

mod counters;
mod disk;
mod faults;
mod load_at_stop;
mod spool;
mod start;
mod traces;
