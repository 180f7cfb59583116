use super::Node;
use crate::border::io::{NodeData, NodeReader};
use crate::border::step::Step;
use crate::error::Result;

/// (nTokens, width) f32 → (nWanted, width): only wanted rows go through the head.
struct Rows {
    width: usize,
}

pub fn make(reader: &NodeReader<'_>) -> Result<Box<dyn Node>> {
    Ok(Box::new(Rows {
        width: reader.size("width")?,
    }))
}

impl Node for Rows {
    fn run(&mut self, step: &mut Step, data: &NodeData<'_>) -> Result<()> {
        let width = self.width;
        let input = data.input(0)?;
        let values = input.floats(step.tokens * width)?;
        let mut output = data.output(0, step.rows.len(), width)?;
        for (to, &row) in output.floats()?.chunks_exact_mut(width).zip(&step.rows) {
            to.copy_from_slice(&values[row * width..][..width]);
        }
        Ok(())
    }
}
