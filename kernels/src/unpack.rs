//! What quantized weights mean, and the one order in which products with them are summed.
//!
//! Every quantized format unpacks to groups of 32 weights: whole numbers `values` with one scale (or one per half
//! of 16) and perhaps a minimum: weight = scale * value + minimum. Activations are quantized to the same groups:
//! `x[i] ≈ dx * q[i]`, q in -127..=127 (see `arch::products`). A row's product with an activation row is then
//!
//! ```text
//! acc = +0.0
//! for each group of 32 in order:
//!   whole:   s = Σ values[i] * q[i]  (i32, exact)         p = f32(s) * (scale * dx)
//!            with a minimum:                              p = fma(minimum, dx * f32(Σ q), p)
//!            acc = acc + p
//!   halves:  the same for the first 16, then for the last 16: two additions to acc
//! ```
//!
//! every operation rounded to f32 on its own (fma only where it is written). All kernels of all instruction sets
//! follow it, so a result depends neither on how many rows or tokens are computed together nor on the kernel.
//! The products of `Float` formats are made in f32: 16 lanes, lane j = fma chain over columns j, j+16, …
//! from +0.0; lanes are then added pairwise: (l, l+8), then (l, l+4), (l, l+2), (l, l+1).

use crate::format::Format;
use crate::formats::{self, float};

/// Weights per group.
pub const GROUP: usize = 32;

/// 32 consecutive weights of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unpacked {
    pub values: [i8; GROUP],
    /// Of the first and the last 16; equal unless the format has halves.
    pub scales: [f32; 2],
    /// Added to every weight of the half: already negative where the format subtracts. 0 without minimum.
    pub minimums: [f32; 2],
}

impl Unpacked {
    pub(crate) const fn whole(values: [i8; GROUP], scale: f32) -> Self {
        Self::halves(values, [scale, scale])
    }

    pub(crate) const fn halves(values: [i8; GROUP], scales: [f32; 2]) -> Self {
        Self {
            values,
            scales,
            minimums: [0.0, 0.0],
        }
    }

    pub(crate) const fn with_minimum(self, minimum: f32) -> Self {
        self.with_minimums([minimum, minimum])
    }

    pub(crate) const fn with_minimums(self, minimums: [f32; 2]) -> Self {
        Self { minimums, ..self }
    }

    /// The weights. Without a minimum nothing is added: a product of -0 would become +0.
    fn write(&self, has_minimum: bool, weights: &mut [f32; GROUP]) {
        for (i, weight) in weights.iter_mut().enumerate() {
            let half = i / (GROUP / 2);
            let product = self.scales[half] * f32::from(self.values[i]);
            *weight = if has_minimum {
                product + self.minimums[half]
            } else {
                product
            };
        }
    }
}

/// Unpacks group `group` of a row. The scalar reference that every other kernel is tested against.
///
/// `row` is whole blocks of a quantized format (not `Scaling::Float`); panics outside of it, like a slice.
pub fn unpack_group(format: Format, row: &[u8], group: usize) -> Unpacked {
    let groups_per_block = format.block_elements() / GROUP;
    assert!(groups_per_block > 0, "{} has no groups", format.name());
    let bytes = format.block_bytes();
    let block = group / groups_per_block;
    formats::unpack_in_block(
        format,
        &row[block * bytes..(block + 1) * bytes],
        group % groups_per_block,
    )
}

/// Weights of a whole row as f32, for embeddings and for tests. `output` is (columns,).
///
/// Bit for bit those of ggml: a scale times a value has at most 24 significant bits, so only the addition of a
/// minimum rounds. Panics unless `row` is exactly the blocks of `output.len()` weights.
pub fn dequantize_row(format: Format, row: &[u8], output: &mut [f32]) {
    let (block_bytes, block_elements) = (format.block_bytes(), format.block_elements());
    assert!(
        row.len().is_multiple_of(block_bytes) && row.len() / block_bytes * block_elements == output.len(),
        "{} bytes of {} for {} weights",
        row.len(),
        format.name(),
        output.len()
    );
    match format {
        Format::F32 => float::read_f32(row, output),
        Format::F16 => float::read_f16(row, output),
        Format::BF16 => float::read_bf16(row, output),
        _ => {
            let has_minimum = format.scaling().has_minimum();
            let blocks = row.chunks_exact(block_bytes);
            for (block, weights) in blocks.zip(output.chunks_exact_mut(block_elements)) {
                for (group, weights) in weights.as_chunks_mut().0.iter_mut().enumerate() {
                    formats::unpack_in_block(format, block, group).write(has_minimum, weights);
                }
            }
        }
    }
}
