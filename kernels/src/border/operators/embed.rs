use super::Node;
use crate::border::io::{NodeData, NodeReader, failed};
use crate::border::step::Step;
use crate::border::weights::StoredMatrix;
use crate::embed::embed_rows;
use crate::error::Result;

/// (nTokens,) i32 → (nTokens, columns) f32.
struct Embed {
    table: StoredMatrix,
    scale: f32,
    /// Rows of the tokens' positions instead of their ids.
    positions: bool,
}

pub fn make(reader: &NodeReader<'_>) -> Result<Box<dyn Node>> {
    let mut matrices = reader.matrices()?;
    Ok(Box::new(Embed {
        table: matrices.pop().ok_or_else(|| failed("Embed has no table"))?,
        scale: reader.float("scale")?,
        positions: reader.flag("positions"),
    }))
}

impl Node for Embed {
    fn run(&mut self, step: &mut Step, data: &NodeData<'_>) -> Result<()> {
        let input = data.input(0)?;
        let positions = if self.positions { step.positions() } else { Vec::new() };
        let ids = if self.positions { &positions } else { input.integers()? };
        let mut output = data.output(0, ids.len(), self.table.columns())?;
        embed_rows(&step.team, &self.table.matrix()?, ids, self.scale, output.floats()?)
    }
}
