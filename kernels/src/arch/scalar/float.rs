use crate::arch::products::{FloatFunction, TileSums};
use crate::format::Format;
use crate::matrix::Matrix;
use crate::unpack::dequantize_row;

/// Partial sums of a product.
const LANES: usize = 16;

pub(super) fn function(_format: Format) -> FloatFunction {
    multiply
}

fn multiply(matrix: &Matrix<'_>, input: &[f32], sums: &mut TileSums) {
    let mut weights = vec![0.0; matrix.columns()];
    for row in 0..matrix.rows() {
        dequantize_row(matrix.format(), matrix.row(row), &mut weights);
        for (x, sums) in input.chunks_exact(matrix.columns()).zip(sums.iter_mut()) {
            sums[row] = dot(&weights, x);
        }
    }
}

fn dot(weights: &[f32], x: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    for (weights, x) in weights.chunks(LANES).zip(x.chunks(LANES)) {
        for ((lane, weight), x) in lanes.iter_mut().zip(weights).zip(x) {
            *lane = weight.mul_add(*x, *lane);
        }
    }
    for width in [8, 4, 2, 1] {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
    }
    lanes[0]
}
