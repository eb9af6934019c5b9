//! Raw packets against the built binary: every transport, and every setting that changes what is
//! sent.

mod capture_files;
mod copies;
mod deliver;
mod endpoints;
mod forms;
mod names;
mod origins;
mod reload;
mod request_captures;
mod secrets;
mod timed;
mod top;
mod transports;
