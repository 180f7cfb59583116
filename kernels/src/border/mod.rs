//! The border to ONNX Runtime and Node: everything that is not arithmetic.

// Its functions are called by Node alone.
#[cfg_attr(test, allow(dead_code))]
mod addon;
mod encode;
mod engine;
mod engine_thread;
mod io;
mod last_rows;
mod mapping;
mod operators;
mod step;
mod weights;
