use super::Node;
use crate::border::io::{NodeData, NodeReader};
use crate::border::step::Step;
use crate::error::Result;

/// (nWanted, width) f32 → (nPooled, width): of each text the mean of its rows, or its rows as they are.
struct Pool {
    width: usize,
    /// (width,)
    sums: Vec<f64>,
}

pub fn make(reader: &NodeReader<'_>) -> Result<Box<dyn Node>> {
    Ok(Box::new(Pool {
        width: reader.size("width")?,
        sums: Vec::new(),
    }))
}

impl Node for Pool {
    fn run(&mut self, step: &mut Step, data: &NodeData<'_>) -> Result<()> {
        let width = self.width;
        let input = data.input(0)?;
        let values = input.floats(step.rows.len() * width)?;
        let mut output = data.output(0, step.pooled(), width)?;
        let mut rest = output.floats()?;
        for pool in &step.pools {
            let rows = &values[pool.rows.start * width..pool.rows.end * width];
            let (own, others) = std::mem::take(&mut rest).split_at_mut(pool.vectors() * width);
            rest = others;
            if !pool.mean {
                own.copy_from_slice(rows);
                continue;
            }
            self.sums.clear();
            self.sums.resize(width, 0.0);
            for row in rows.chunks_exact(width) {
                for (sum, value) in self.sums.iter_mut().zip(row) {
                    *sum += f64::from(*value);
                }
            }
            let count = pool.rows.len() as f64;
            for (to, sum) in own.iter_mut().zip(&self.sums) {
                *to = (sum / count) as f32;
            }
        }
        Ok(())
    }
}
