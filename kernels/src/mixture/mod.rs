//! Mixtures of experts: each token goes through the few experts that its router chose.

mod choose;
mod experts;
mod request;
mod run;

pub use choose::{Routing, choose};
pub use request::{ExpertWeight, Groups, MixtureRequest, RouterGate, RouterSettings};
pub use run::{MixtureScratch, mixture};
