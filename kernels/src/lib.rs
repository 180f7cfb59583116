//! Quantized operators over mapped GGUF files.
//!
//! Arithmetic (everything but `addon`) knows neither ONNX Runtime nor Node. Its results depend on the model and
//! the row alone: see `unpack` for the order in which a product is summed.

pub mod activate;
mod activations;
pub mod ahead;
mod arch;
pub mod attention;
#[cfg(feature = "addon")]
mod border;
pub mod cache;
pub mod cancel;
pub mod combine;
pub mod contrast;
pub mod embed;
pub mod error;
mod exponential;
pub mod format;
mod formats;
pub mod isa;
pub mod linear;
pub mod matrix;
pub mod mixture;
pub mod norm;
pub mod pool;
pub mod rope;
pub mod select;
mod transcendental;
pub mod unpack;
