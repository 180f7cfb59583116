use super::route::Route;
use crate::activations::{ArrangedRows, Tiles};
use crate::arch::buffer::Buffer;

/// Memory that products reuse from call to call, one per engine.
///
/// It grows to the largest request: for each thread two panels of 16 rows (about 20 bytes per row and group of 32),
/// and the quantized activations of a chunk of tokens.
#[derive(Default)]
pub struct Scratch {
    /// Of each request that runs.
    pub(super) inputs: Vec<InputScratch>,
    pub(super) threads: Vec<ThreadScratch>,
    pub(super) route: Route,
}

/// Quantized activations of one request.
#[derive(Default)]
pub(super) struct InputScratch {
    pub arranged: ArrangedRows,
    pub tiles: Tiles,
}

#[derive(Default)]
pub(super) struct ThreadScratch {
    /// Of the weight and of its `up`.
    pub panels: [Buffer; 2],
    /// Of the weight, of its `up`, and both combined.
    pub sums: [Buffer; 3],
    pub stream: Buffer,
}

impl Scratch {
    pub fn new() -> Self {
        Self::default()
    }

    /// A step begins, which most likely asks for the products of the last one in their order.
    pub fn begin_step(&mut self) {
        self.route.restart();
    }
}
