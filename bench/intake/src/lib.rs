//! A local intake that decodes and checks every payload.
