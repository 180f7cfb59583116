//! Rotary position embedding.

mod angle;

use crate::arch::compiled_per_isa;
use crate::error::{Error, ErrorCode, Result};
use crate::isa::Isa;
use crate::pool::Team;

/// Which elements turn together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// 2i and 2i + 1.
    Neighbours,
    /// i and i + dimensions / 2.
    Halves,
}

/// Turns pair i of a head by `position * frequencies[i]` and stretches it by `magnitude`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rope {
    pub pairs: Pairs,
    /// Elements that turn; the rest of a head passes through.
    pub dimensions: usize,
    /// (dimensions / 2,) radians per position, every scaling (linear, yarn, llama 3, longrope) folded in.
    pub frequencies: Vec<f64>,
    pub magnitude: f32,
}

impl Rope {
    pub(crate) fn check(&self, head_dim: usize) -> Result<()> {
        let fits = self.dimensions.is_multiple_of(2) && self.dimensions <= head_dim;
        if !fits || self.frequencies.len() != self.dimensions / 2 {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "Expected an even number of turning elements, at most {head_dim}, with a frequency per pair, found {} with {}.",
                    self.dimensions,
                    self.frequencies.len()
                ),
            ));
        }
        Ok(())
    }
}

/// Positions of a step: runs of (first position, count), in the order of its tokens.
pub(crate) type Runs = Vec<(usize, usize)>;

/// Cosines and sines of a step, made once for all its layers.
#[derive(Default)]
pub(crate) struct RopeTables {
    runs: Runs,
    /// (tokens, 2, dimensions / 2) f32 of each rope met.
    tables: Vec<(Rope, Vec<f32>)>,
}

/// More ropes than this in one model are not known; the oldest makes room.
const MOST_TABLES: usize = 4;
/// Angles that are worth waking threads for.
const PARALLEL_ANGLES: usize = 4096;

impl RopeTables {
    /// The table of a rope at the positions of a step, (tokens, 2, dimensions / 2) f32.
    pub fn get(&mut self, team: &Team<'_>, isa: Isa, rope: &Rope, runs: &Runs) -> &[f32] {
        if self.runs != *runs {
            self.tables.clear();
            self.runs.clone_from(runs);
        }
        let known = |(other, _): &(Rope, Vec<f32>)| {
            other.frequencies == rope.frequencies && other.magnitude.to_bits() == rope.magnitude.to_bits()
        };
        let index = self.tables.iter().position(known).unwrap_or_else(|| {
            if self.tables.len() == MOST_TABLES {
                self.tables.remove(0);
            }
            self.tables.push((rope.clone(), make_table(team, isa, rope, runs)));
            self.tables.len() - 1
        });
        &self.tables[index].1
    }
}

fn make_table(team: &Team<'_>, isa: Isa, rope: &Rope, runs: &Runs) -> Vec<f32> {
    let width = 2 * rope.frequencies.len();
    let positions: Vec<usize> = runs.iter().flat_map(|(first, count)| *first..first + count).collect();
    let mut table = vec![0.0; positions.len() * width];
    if width == 0 {
        return table;
    }
    let fill = |tokens: std::ops::Range<usize>, part: &mut [f32]| {
        for (row, position) in part.chunks_exact_mut(width).zip(&positions[tokens]) {
            let (cosines, sines) = row.split_at_mut(width / 2);
            angle::cosines_and_sines(isa, *position as f64, &rope.frequencies, rope.magnitude, cosines, sines);
        }
    };
    if table.len() < PARALLEL_ANGLES {
        fill(0..positions.len(), &mut table);
    } else {
        team.split_slice(&mut table, width, 1, &fill);
    }
    table
}

compiled_per_isa! {
    /// Turns a head in place; `turn` is a row of a table, (2, dimensions / 2) f32.
    pub(crate) fn rotate(pairs: Pairs, head: &mut [f32], turn: &[f32]) = rotate_loop;
}

#[inline(always)]
fn rotate_loop(pairs: Pairs, head: &mut [f32], turn: &[f32]) {
    let (cosines, sines) = turn.split_at(turn.len() / 2);
    let head = &mut head[..turn.len()];
    match pairs {
        Pairs::Halves => {
            let (first, second) = head.split_at_mut(turn.len() / 2);
            for (((a, b), cosine), sine) in first.iter_mut().zip(second).zip(cosines).zip(sines) {
                (*a, *b) = turned(*a, *b, *cosine, *sine);
            }
        }
        Pairs::Neighbours => {
            for (([a, b], cosine), sine) in head.as_chunks_mut::<2>().0.iter_mut().zip(cosines).zip(sines) {
                (*a, *b) = turned(*a, *b, *cosine, *sine);
            }
        }
    }
}

#[inline(always)]
fn turned(a: f32, b: f32, cosine: f32, sine: f32) -> (f32, f32) {
    (a * cosine - b * sine, a * sine + b * cosine)
}

/// Turns a part of each head, `rope.dimensions` elements from `start` on. `values` is (nTokens, heads * head_dim).
pub(crate) fn rotate_rows(
    isa: Isa,
    rope: &Rope,
    positions: &[i32],
    heads: usize,
    head_dim: usize,
    start: usize,
    values: &mut [f32],
) {
    let pairs = rope.frequencies.len();
    let mut turn = vec![0.0; 2 * pairs];
    for (row, position) in values.chunks_exact_mut(heads * head_dim).zip(positions) {
        let (cosines, sines) = turn.split_at_mut(pairs);
        angle::cosines_and_sines(
            isa,
            f64::from(*position),
            &rope.frequencies,
            rope.magnitude,
            cosines,
            sines,
        );
        for head in row.chunks_exact_mut(head_dim) {
            rotate(isa, rope.pairs, &mut head[start..], &turn);
        }
    }
}
