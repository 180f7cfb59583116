use super::Node;
use super::norm::Rows;
use crate::border::io::{NodeData, NodeReader};
use crate::border::step::Step;
use crate::error::Result;

/// (nRows, width) × (nRows, groups) → (nRows, width): each factor multiplies width / groups numbers in turn.
struct Multiply {
    width: usize,
    groups: usize,
    rows: Rows,
}

pub fn make(reader: &NodeReader<'_>) -> Result<Box<dyn Node>> {
    Ok(Box::new(Multiply {
        width: reader.size("width")?,
        groups: reader.size("groups")?.max(1),
        rows: Rows::read(reader),
    }))
}

impl Node for Multiply {
    fn run(&mut self, step: &mut Step, data: &NodeData<'_>) -> Result<()> {
        let rows = self.rows.count(step);
        let (values, factors) = (data.input(0)?, data.input(1)?);
        let mut output = data.output(0, rows, self.width)?;
        let group = self.width / self.groups;
        let parts = output.floats()?.chunks_exact_mut(group);
        let values = values.floats(rows * self.width)?.chunks_exact(group);
        for ((to, from), factor) in parts.zip(values).zip(factors.floats(rows * self.groups)?) {
            for (to, from) in to.iter_mut().zip(from) {
                *to = from * factor;
            }
        }
        Ok(())
    }
}
