//! Weights for tests, and products with them in the plainest form of the order of `unpack`.

use rivulet_kernels::format::{Format, Scaling};
use rivulet_kernels::linear::LinearWeight;
use rivulet_kernels::matrix::Matrix;
use rivulet_kernels::unpack::{GROUP, dequantize_row, unpack_group};

#[derive(Clone)]
pub struct Weights {
    pub format: Format,
    pub rows: usize,
    pub columns: usize,
    pub bytes: Vec<u8>,
}

impl Weights {
    /// Random blocks whose weights are finite.
    pub fn random(format: Format, rows: usize, columns: usize, seed: u64) -> Self {
        let mut random = Random(seed ^ (format as u64) << 32);
        let block_bytes = format.block_bytes();
        let mut bytes = vec![0; format.row_bytes(columns).expect("whole blocks") * rows];
        let mut weights = vec![0.0; format.block_elements()];
        for block in bytes.chunks_exact_mut(block_bytes) {
            loop {
                block.fill_with(|| random.next() as u8);
                dequantize_row(format, block, &mut weights);
                if weights.iter().all(|weight| weight.abs() < 1e3) {
                    break;
                }
            }
        }
        Self {
            format,
            rows,
            columns,
            bytes,
        }
    }

    /// Every byte becomes `byte`, but those without which a block's weights would be zero or not finite: in most
    /// blocks its scales.
    pub fn filled(mut self, byte: u8) -> Self {
        let mut weights = vec![0.0; self.format.block_elements()];
        for block in self.bytes.chunks_exact_mut(self.format.block_bytes()) {
            for index in 0..block.len() {
                let before = std::mem::replace(&mut block[index], byte);
                dequantize_row(self.format, block, &mut weights);
                let largest = weights
                    .iter()
                    .fold(0.0, |largest: f32, weight| largest.max(weight.abs()));
                if !(1e-6..1e3).contains(&largest) || weights.iter().any(|weight| weight.is_nan()) {
                    block[index] = before;
                }
            }
        }
        self
    }

    pub fn matrix(&self) -> Matrix<'_> {
        Matrix::new(self.format, self.rows, self.columns, &self.bytes).expect("a matrix")
    }

    pub fn linear(&self) -> LinearWeight<'_> {
        LinearWeight {
            matrix: self.matrix(),
            bias: None,
        }
    }

    /// The first half of the rows, and the second.
    pub fn halves(&self) -> (Self, Self) {
        let (first, second) = self.bytes.split_at(self.bytes.len() / 2);
        let half = |bytes: &[u8]| Self {
            rows: self.rows / 2,
            bytes: bytes.to_vec(),
            ..self.clone()
        };
        (half(first), half(second))
    }
}

/// xorshift64*
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb) >> 32) as u32
    }
}

/// About normal, with a large value now and then and whole groups of zeros or tiny numbers.
pub fn random_floats(length: usize, seed: u64) -> Vec<f32> {
    let mut random = Random::new(seed);
    let mut uniform = move || random.next() as f32 / u32::MAX as f32 - 0.5;
    let mut kind = 0.0;
    (0..length)
        .map(|index| {
            if index % GROUP == 0 {
                kind = uniform();
            }
            let value = uniform() + uniform() + uniform() + uniform();
            match kind {
                -0.5..-0.45 => 0.0,
                -0.45..-0.4 => value * 1e-38,
                0.4..0.5 if index % 7 == 0 => value * 30.0,
                _ => value,
            }
        })
        .collect()
}

fn quantize(x: &[f32]) -> ([i32; GROUP], f32) {
    let largest = x.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
    if largest < 2f32.powi(-100) {
        return ([0; GROUP], 0.0);
    }
    let inverse = 127.0 / largest;
    (
        std::array::from_fn(|i| (x[i] * inverse).round_ties_even() as i32),
        largest / 127.0,
    )
}

/// (nTokens, rows) of finite inputs, (nTokens, columns).
pub fn expected_products(weights: &Weights, input: &[f32]) -> Vec<f32> {
    let Weights {
        format, rows, columns, ..
    } = *weights;
    let matrix = weights.matrix();
    let tokens = input.len() / columns;
    let mut sums = vec![0.0; tokens * rows];
    for row in 0..rows {
        if format.scaling() == Scaling::Float {
            let mut values = vec![0.0; columns];
            dequantize_row(format, matrix.row(row), &mut values);
            for (token, x) in input.chunks_exact(columns).enumerate() {
                sums[token * rows + row] = float_product(&values, x);
            }
            continue;
        }
        for group in 0..columns / GROUP {
            let unpacked = unpack_group(format, matrix.row(row), group);
            for token in 0..tokens {
                let (q, dx) = quantize(&input[token * columns + group * GROUP..][..GROUP]);
                let acc = &mut sums[token * rows + row];
                let mut add = |range: std::ops::Range<usize>, half: usize| {
                    let sum: i32 = range.clone().map(|i| q[i] * i32::from(unpacked.values[i])).sum();
                    let mut product = sum as f32 * (unpacked.scales[half] * dx);
                    if format.scaling().has_minimum() {
                        let total: i32 = range.map(|i| q[i]).sum();
                        product = unpacked.minimums[half].mul_add(dx * total as f32, product);
                    }
                    *acc += product;
                };
                if format.scaling().has_halves() {
                    add(0..16, 0);
                    add(16..32, 1);
                } else {
                    add(0..32, 0);
                }
            }
        }
    }
    sums
}

fn float_product(weights: &[f32], x: &[f32]) -> f32 {
    let mut lanes: Vec<f32> = (0..16)
        .map(|lane| {
            (lane..x.len())
                .step_by(16)
                .fold(0.0f32, |sum, i| weights[i].mul_add(x[i], sum))
        })
        .collect();
    while lanes.len() > 1 {
        let half = lanes.len() / 2;
        lanes = (0..half).map(|lane| lanes[lane] + lanes[lane + half]).collect();
    }
    lanes[0]
}
