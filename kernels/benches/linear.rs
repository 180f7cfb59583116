//! Products of every format on every instruction set: `cargo bench --bench linear [-- FILTER]`, FILTER for example
//! `avx512`, `decode`, `decode/avx2/Q4_K`.
//!
//! All threads; each product in turns with what bounds it: decode (one token, weights beyond a last cache) with a
//! loop that only reads as many bytes, prefill (512 tokens) with dot products of registers. Criterion tells about the
//! products; the table at the end compares the best run of both.

mod limits;

use std::hint::black_box;

use criterion::Criterion;
use limits::{Against, Case, Limit, Table, configured, measure};
use rivulet_kernels::cancel::Cancel;
use rivulet_kernels::format::{Format, Scaling};
use rivulet_kernels::isa::Isa;
use rivulet_kernels::linear::{Combine, LinearRequest, LinearWeight, Scratch, linear};
use rivulet_kernels::matrix::Matrix;
use rivulet_kernels::pool::Team;

/// Several times a last cache of 32 MiB.
const DECODE_BYTES: usize = 160 << 20;
/// For the plain kernels: memory does not bound them.
const SCALAR_DECODE_BYTES: usize = 4 << 20;
const COLUMNS: usize = 2048;
const PREFILL_ROWS: usize = 1024;
const PREFILL_TOKENS: usize = 512;
const SCALAR_PREFILL: (usize, usize) = (64, 64);

/// Blocks of any bits but scales of usual size, so that no operand is subnormal.
fn weights(format: Format, rows: usize) -> Vec<u8> {
    let mut state = 7u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    let usual = half::f16::from_f32(0.0625).to_le_bytes();
    let length = rows * format.row_bytes(COLUMNS).expect("whole blocks");
    let mut bytes = Vec::with_capacity(length.next_multiple_of(4));
    while bytes.len() < length {
        bytes.extend(random().to_le_bytes());
    }
    bytes.truncate(length);
    for block in bytes.chunks_exact_mut(format.block_bytes()) {
        match format {
            Format::F32 => block.copy_from_slice(&(random() as f32 / 2f32.powi(31) - 0.5).to_le_bytes()),
            Format::F16 => {
                block.copy_from_slice(&half::f16::from_f32(random() as f32 / 2f32.powi(31) - 0.5).to_le_bytes())
            }
            Format::BF16 => {
                block.copy_from_slice(&half::bf16::from_f32(random() as f32 / 2f32.powi(31) - 0.5).to_le_bytes())
            }
            Format::MXFP4 => block[0] = 124,
            Format::NVFP4 => block[..4].fill(56),
            Format::IQ1_M => block[48..56]
                .iter_mut()
                .skip(1)
                .step_by(2)
                .for_each(|byte| *byte = *byte & 15 | 0x20),
            _ => scales(format)
                .iter()
                .for_each(|at| block[*at..at + 2].copy_from_slice(&usual)),
        }
    }
    bytes
}

/// Where the half-precision scales and minimums of a block are.
fn scales(format: Format) -> &'static [usize] {
    match format {
        Format::Q4_1 | Format::Q5_1 | Format::Q4_K | Format::Q5_K => &[0, 2],
        Format::Q2_K => &[80, 82],
        Format::Q3_K => &[108],
        Format::Q6_K => &[208],
        Format::TQ1_0 => &[52],
        Format::TQ2_0 => &[64],
        _ => &[0],
    }
}

struct Linear<'a> {
    isa: Isa,
    matrix: Matrix<'a>,
    tokens: usize,
    input: Vec<f32>,
    output: Vec<f32>,
    scratch: Scratch,
}

impl<'a> Linear<'a> {
    fn new(isa: Isa, matrix: Matrix<'a>, tokens: usize) -> Self {
        Self {
            isa,
            matrix,
            tokens,
            input: (0..tokens * COLUMNS)
                .map(|index| (index * 7919 % 1000) as f32 / 500.0 - 1.0)
                .collect(),
            output: vec![0.0; tokens * matrix.rows()],
            scratch: Scratch::new(),
        }
    }
}

impl Case for Linear<'_> {
    fn run(&mut self, team: &Team<'_>) {
        let request = LinearRequest {
            isa: self.isa,
            cancel: &Cancel::new(),
            input: &self.input,
            tokens: self.tokens,
            weights: &[LinearWeight {
                matrix: self.matrix,
                bias: None,
            }],
            combine: Combine::Separate,
            scale: 1.0,
            residual: None,
        };
        linear(team, &mut self.scratch, &request, &mut [&mut self.output]).expect("a product");
        black_box(&self.output);
    }
}

fn decode(criterion: &mut Criterion, table: &mut Table, format: Format, weights: &[u8], row_bytes: usize) {
    for isa in Isa::available() {
        let bytes = if isa == Isa::Scalar {
            SCALAR_DECODE_BYTES
        } else {
            DECODE_BYTES
        };
        let rows = bytes / row_bytes;
        let memory = &weights[..rows * row_bytes];
        let against = Against {
            limit: Limit::Read,
            amount: memory.len(),
            memory,
        };
        let names = ["decode", isa.name(), format.name()];
        measure(criterion, table, names, &against, isa, |_| {
            Linear::new(isa, Matrix::new(format, rows, COLUMNS, memory).expect("a matrix"), 1)
        });
    }
}

fn prefill(criterion: &mut Criterion, table: &mut Table, format: Format, weights: &[u8], row_bytes: usize) {
    for isa in Isa::available() {
        let (rows, tokens) = if isa == Isa::Scalar {
            SCALAR_PREFILL
        } else {
            (PREFILL_ROWS, PREFILL_TOKENS)
        };
        let is_float = format.scaling() == Scaling::Float;
        let against = Against {
            limit: if is_float { Limit::Float } else { Limit::Whole },
            amount: 2 * tokens * rows * COLUMNS,
            memory: &[],
        };
        let names = ["prefill", isa.name(), format.name()];
        measure(criterion, table, names, &against, isa, |_| {
            let matrix = Matrix::new(format, rows, COLUMNS, &weights[..rows * row_bytes]);
            Linear::new(isa, matrix.expect("a matrix"), tokens)
        });
    }
}

fn main() {
    let mut criterion = configured().configure_from_args();
    let mut table = Table::default();
    for format in Format::all() {
        let row_bytes = format.row_bytes(COLUMNS).expect("whole blocks");
        let weights = weights(format, DECODE_BYTES / row_bytes);
        decode(&mut criterion, &mut table, format, &weights, row_bytes);
        prefill(&mut criterion, &mut table, format, &weights, row_bytes);
    }
    criterion.final_summary();
    table.print(&|kind| if kind == "decode" { "GB/s" } else { "Gop/s" });
}
