use super::Node;
use super::norm::Rows;
use crate::border::io::{NodeData, NodeReader};
use crate::border::step::Step;
use crate::contrast::{keep_peaks, match_length};
use crate::error::Result;

/// (nRows, width) twice → the first, each row as long as that of the second.
struct MatchLength {
    width: usize,
    rows: Rows,
}

/// (nRows, width) → what lies above each row's threshold.
struct KeepPeaks {
    width: usize,
    deviations: f32,
    rows: Rows,
}

pub fn make_match_length(reader: &NodeReader<'_>) -> Result<Box<dyn Node>> {
    Ok(Box::new(MatchLength {
        width: reader.size("width")?,
        rows: Rows::read(reader),
    }))
}

pub fn make_keep_peaks(reader: &NodeReader<'_>) -> Result<Box<dyn Node>> {
    Ok(Box::new(KeepPeaks {
        width: reader.size("width")?,
        deviations: reader.float("deviations")?,
        rows: Rows::read(reader),
    }))
}

impl Node for MatchLength {
    fn run(&mut self, step: &mut Step, data: &NodeData<'_>) -> Result<()> {
        let rows = self.rows.count(step);
        let size = rows * self.width;
        let (input, like) = (data.input(0)?, data.input(1)?);
        let mut output = data.output(0, rows, self.width)?;
        match_length(
            step.isa,
            input.floats(size)?,
            like.floats(size)?,
            self.width,
            output.floats()?,
        );
        Ok(())
    }
}

impl Node for KeepPeaks {
    fn run(&mut self, step: &mut Step, data: &NodeData<'_>) -> Result<()> {
        let rows = self.rows.count(step);
        let input = data.input(0)?;
        let mut output = data.output(0, rows, self.width)?;
        keep_peaks(
            step.isa,
            input.floats(rows * self.width)?,
            self.width,
            self.deviations,
            output.floats()?,
        );
        Ok(())
    }
}
