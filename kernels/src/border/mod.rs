//! The border to ONNX Runtime and Node: everything that is not arithmetic.

mod addon;
mod engine;
mod engine_thread;
mod io;
mod last_rows;
mod mapping;
mod operators;
mod step;
mod weights;
