//! Products of activations with weights as they lie in the file.

mod finish;
mod request;
mod route;
mod run;
mod scratch;
mod share;

pub use request::{Combine, LinearRequest, LinearWeight};
pub use run::{linear, linear_each};
pub use scratch::Scratch;
