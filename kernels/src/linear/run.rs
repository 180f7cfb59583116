use std::ops::Range;

use super::finish::Sums;
use super::request::{LinearRequest, LinearWeight, Product, mismatch};
use super::scratch::{InputScratch, Scratch, ThreadScratch};
use super::share::share_start;
use crate::activations::TileExtras;
use crate::arch::buffer::Buffer;
use crate::arch::products::{Arrangement, PANEL_ROWS, PanelKernel, Products, StreamKernel, TILE_TOKENS, TileSums};
use crate::arch::shares::Shares;
use crate::arch::strip::Strip;
use crate::error::Result;
use crate::format::Scaling;
use crate::matrix::Matrix;
use crate::pool::Team;

/// Quantized activations of a request are made for at most this many values at a time.
const CHUNK_VALUES: usize = 1 << 23;
/// Rows that a stream kernel does between two looks at the cancel flag, and before gate and up are combined.
const STREAM_ROWS: usize = 512;
/// Weights that a thread takes at once at least: each time costs some 100 ns.
const LEAST_BYTES: usize = 64 << 10;

/// How a weight is multiplied; `index` is its place in the list of arrangements or of extras.
#[derive(Clone, Copy)]
enum Way {
    Stream {
        kernel: StreamKernel,
        index: usize,
    },
    Panel {
        kernel: PanelKernel,
        extras: TileExtras,
        index: usize,
    },
    Float,
}

/// A product with the ways of its weight and of `up`.
struct Planned<'a> {
    product: Product<'a>,
    ways: [Way; 2],
}

/// The products of a request, one per output: (nTokens, rows of the weight).
pub fn linear(
    team: &Team<'_>,
    scratch: &mut Scratch,
    request: &LinearRequest<'_>,
    outputs: &mut [&mut [f32]],
) -> Result<()> {
    let products = request.products(outputs)?;
    if request.tokens == 0 {
        return Ok(());
    }
    let columns = request.columns();
    let chunk = (CHUNK_VALUES / columns).max(1).next_multiple_of(TILE_TOKENS);
    for first in (0..request.tokens).step_by(chunk) {
        let tokens = first..(first + chunk).min(request.tokens);
        let of_input = |width: usize| tokens.start * width..tokens.end * width;
        let part = LinearRequest {
            input: &request.input[of_input(columns)],
            tokens: tokens.len(),
            residual: (request.residual).map(|residual| &residual[of_input(products[0].rows())]),
            ..*request
        };
        let mut outputs: Vec<&mut [f32]> = (outputs.iter_mut().zip(&products))
            .map(|(output, product)| {
                let row = |token: usize| request.output_rows(token) * product.rows();
                &mut output[row(tokens.start)..row(tokens.end)]
            })
            .collect();
        run_jobs(team, scratch, &[(part, products.clone())], &mut outputs)?;
    }
    Ok(())
}

/// Several requests in one region: for products too small for one of their own. `outputs` are those of the first
/// request, then those of the second, …
pub fn linear_each(
    team: &Team<'_>,
    scratch: &mut Scratch,
    requests: &[LinearRequest<'_>],
    outputs: &mut [&mut [f32]],
) -> Result<()> {
    let mut jobs = Vec::with_capacity(requests.len());
    let mut rest = &*outputs;
    for request in requests {
        if request.tokens == 0 {
            return mismatch("at least one token in each request, found none".into());
        }
        let (own, others) = rest.split_at(request.outputs().min(rest.len()));
        jobs.push((*request, request.products(own)?));
        rest = others;
    }
    if !rest.is_empty() {
        let wanted = outputs.len() - rest.len();
        return mismatch(format!("{wanted} outputs, found {}", outputs.len()));
    }
    if jobs.is_empty() {
        return Ok(());
    }
    run_jobs(team, scratch, &jobs, outputs)
}

/// `outputs`: of all products of all jobs.
fn run_jobs(
    team: &Team<'_>,
    scratch: &mut Scratch,
    jobs: &[(LinearRequest<'_>, Vec<Product<'_>>)],
    outputs: &mut [&mut [f32]],
) -> Result<()> {
    let count = team.threads();
    let Scratch { inputs, threads, route } = scratch;
    threads.resize_with(threads.len().max(count), ThreadScratch::default);
    inputs.resize_with(inputs.len().max(jobs.len()), InputScratch::default);
    let runs: Vec<_> = jobs
        .iter()
        .zip(inputs)
        .map(|((request, products), input)| Run::new(team, request, products, input))
        .collect();
    let products: Vec<_> = jobs.iter().flat_map(|(_, products)| products).copied().collect();
    let tokens = jobs
        .iter()
        .flat_map(|(request, products)| products.iter().map(|_| request.output_rows(request.tokens)));
    let matrices = outputs.iter_mut().map(|output| &mut **output).zip(tokens);
    let starts = (0..count).map(|index| share_start(&products, index, count));
    let shares = Shares::new(matrices, starts, LEAST_BYTES / (products[0].row_bytes() * PANEL_ROWS));
    team.fetch_ahead(route.enter(&products, count));
    team.split_slice(&mut threads[..count], 1, 1, &|own, scratches| {
        for (index, scratch) in own.zip(scratches) {
            let mut write = |number: usize, mut strip: Strip<'_>| {
                let mut number = number;
                for run in &runs {
                    match run.planned.get(number) {
                        Some(planned) => return run.part(planned, scratch, &mut strip),
                        None => number -= run.planned.len(),
                    }
                }
            };
            while shares.take(index, &mut write) {}
        }
    });
    jobs.iter().try_for_each(|(request, _)| request.cancel.check())
}

fn plan<'a>(
    kernels: &Products,
    tokens: usize,
    product: &Product<'a>,
    arrangements: &mut Vec<&'static Arrangement>,
    extras: &mut Vec<TileExtras>,
) -> Planned<'a> {
    // Gate and up go the same way: their sums meet row by row.
    let streams = |weight: &LinearWeight<'_>| {
        let kernel = (kernels.stream)(weight.matrix.format())?;
        (tokens <= kernel.tokens).then_some(kernel)
    };
    let is_stream = product.weights().all(|weight| streams(weight).is_some());
    let mut way = |weight: &LinearWeight<'_>| {
        let format = weight.matrix.format();
        if format.scaling() == Scaling::Float {
            return Way::Float;
        }
        if is_stream && let Some(kernel) = streams(weight) {
            let same = |other: &&'static Arrangement| std::ptr::eq(*other, kernel.arrangement);
            let index = place(arrangements, same, kernel.arrangement);
            return Way::Stream { kernel, index };
        }
        let kernel = (kernels.panel)(format);
        let wanted = TileExtras {
            offset: kernel.offset,
            has_halves: format.scaling().has_halves(),
            has_minimum: format.scaling().has_minimum(),
        };
        Way::Panel {
            kernel,
            extras: wanted,
            index: place(extras, |other| *other == wanted, wanted),
        }
    };
    let first = way(&product.weight);
    Planned {
        product: *product,
        ways: [first, product.up.as_ref().map_or(Way::Float, way)],
    }
}

/// Where the list has it; appended where it has not.
fn place<T>(list: &mut Vec<T>, is_same: impl Fn(&T) -> bool, value: T) -> usize {
    list.iter().position(is_same).unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    })
}

/// A request, or a chunk of its tokens, on its way.
struct Run<'a> {
    kernels: &'static Products,
    request: &'a LinearRequest<'a>,
    planned: Vec<Planned<'a>>,
    input: &'a InputScratch,
}

impl<'a> Run<'a> {
    /// Quantizes the input as the products want it.
    fn new(
        team: &Team<'_>,
        request: &'a LinearRequest<'a>,
        products: &'a [Product<'a>],
        input: &'a mut InputScratch,
    ) -> Self {
        let kernels = Products::of(request.isa);
        let mut arrangements = Vec::new();
        let mut extras = Vec::new();
        let planned = products
            .iter()
            .map(|product| plan(kernels, request.tokens, product, &mut arrangements, &mut extras))
            .collect();
        if !arrangements.is_empty() {
            (input.arranged).fill(kernels, request.input, request.columns(), &arrangements);
        }
        if !extras.is_empty() {
            (input.tiles).fill(team, kernels, request.input, request.columns(), &extras);
        }
        Self {
            kernels,
            request,
            planned,
            input,
        }
    }

    /// The strip of a product's output.
    fn part(&self, planned: &Planned<'_>, scratch: &mut ThreadScratch, strip: &mut Strip<'_>) {
        let rows = strip.columns();
        let is_stream = matches!(planned.ways[0], Way::Stream { .. });
        let step = if is_stream { STREAM_ROWS } else { PANEL_ROWS };
        for first in rows.clone().step_by(step) {
            if self.request.cancel.is_set() {
                return;
            }
            let own = first..(first + step).min(rows.end);
            if is_stream {
                self.stream(planned, own, scratch, strip);
            } else {
                self.panel(planned, own, rows.end, scratch, strip);
            }
        }
    }

    fn stream(&self, planned: &Planned<'_>, rows: Range<usize>, scratch: &mut ThreadScratch, strip: &mut Strip<'_>) {
        let tokens = self.request.tokens;
        let ThreadScratch { sums, stream, .. } = scratch;
        for ((weight, way), sums) in planned.product.weights().zip(planned.ways).zip(&mut *sums) {
            if let Way::Stream { kernel, index } = way {
                let matrix = weight.matrix.slice(rows.start, rows.len());
                let bytes = (kernel.arrangement.bytes)(matrix.columns());
                let mut arranged: [&[u8]; TILE_TOKENS] = [&[]; TILE_TOKENS];
                for (token, row) in arranged[..tokens].iter_mut().enumerate() {
                    *row = self.input.arranged.row(index, token, bytes);
                }
                kernel.multiply(&matrix, &arranged[..tokens], stream, sums.floats(tokens * rows.len()));
            }
        }
        let [sums, up, gated] = sums;
        let count = tokens * rows.len();
        let sums = Sums {
            width: rows.len(),
            sums: sums.floats(count),
            up: up.floats(if planned.product.up.is_some() { count } else { 0 }),
            gated: gated.floats(if planned.product.up.is_some() { count } else { 0 }),
        };
        self.request.finish(&planned.product, rows, 0, sums, strip);
    }

    /// `end`: where the rows that this thread has taken end.
    fn panel(
        &self,
        planned: &Planned<'_>,
        rows: Range<usize>,
        end: usize,
        scratch: &mut ThreadScratch,
        strip: &mut Strip<'_>,
    ) {
        let next = rows.end..(rows.end + PANEL_ROWS).min(end);
        let mut sums: [TileSums; 3] = [[[0.0; PANEL_ROWS]; TILE_TOKENS]; 3];
        for tile in 0..self.request.tokens.div_ceil(TILE_TOKENS) {
            if self.request.cancel.is_set() {
                return;
            }
            let weights = planned.product.weights().zip(planned.ways);
            for (((weight, way), panel), sums) in weights.zip(&mut scratch.panels).zip(&mut sums) {
                let ahead = if tile == 0 { next.clone() } else { 0..0 };
                let ahead = weight.matrix.slice(ahead.start, ahead.len());
                let matrix = weight.matrix.slice(rows.start, rows.len());
                self.tile(&matrix, way, panel, tile, &ahead, sums);
            }
            let first = tile * TILE_TOKENS;
            let count = TILE_TOKENS.min(self.request.tokens - first);
            let [sums, up, gated] = sums.each_mut().map(|sums| sums[..count].as_flattened_mut());
            let width = PANEL_ROWS;
            let sums = Sums { width, sums, up, gated };
            self.request.finish(&planned.product, rows.clone(), first, sums, strip);
        }
    }

    /// Sums of one tile with a panel's rows.
    fn tile(
        &self,
        matrix: &Matrix<'_>,
        way: Way,
        panel: &mut Buffer,
        tile: usize,
        ahead: &Matrix<'_>,
        sums: &mut TileSums,
    ) {
        let columns = matrix.columns();
        match way {
            Way::Panel { kernel, extras, index } => {
                let panel = panel.bytes(kernel.panel_bytes(columns));
                let x = self.input.tiles.tile(tile, index, extras);
                if tile == 0 {
                    kernel.start(matrix, panel, &x, ahead.bytes(), sums);
                } else {
                    kernel.multiply(matrix.format(), panel, &x, ahead.bytes(), sums);
                }
            }
            _ => {
                let first = tile * TILE_TOKENS;
                let last = (first + TILE_TOKENS).min(self.request.tokens);
                let input = &self.request.input[first * columns..last * columns];
                self.kernels.multiply_floats(matrix, input, sums);
            }
        }
    }
}
