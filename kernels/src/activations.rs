//! Quantized activations of a request, in the layouts that kernels read.

use crate::arch::buffer::{Buffer, LINE};
use crate::arch::products::{Arrangement, Products, QuantizedRow, QuantizedRowMut, TILE_TOKENS, Tile};
use crate::pool::Team;
use crate::unpack::GROUP;

/// Fewer values than this are quantized faster by the caller alone.
const PARALLEL_VALUES: usize = 16384;

/// A few rows, each arranged for the stream kernels of a request.
#[derive(Default)]
pub(crate) struct ArrangedRows {
    values: Vec<i8>,
    scales: Vec<f32>,
    sums: Vec<[i32; 2]>,
    /// One for each arrangement: (tokens, bytes of a row).
    arranged: Vec<(usize, Buffer)>,
}

impl ArrangedRows {
    /// Quantizes `input`, (nTokens, columns), and arranges it in each of `arrangements`.
    pub fn fill(&mut self, products: &Products, input: &[f32], columns: usize, arrangements: &[&'static Arrangement]) {
        let groups = columns / GROUP;
        self.values.resize(columns, 0);
        self.scales.resize(groups, 0.0);
        self.sums.resize(groups, [0; 2]);
        self.arranged
            .resize_with(self.arranged.len().max(arrangements.len()), Default::default);
        let tokens = input.len() / columns;
        for ((stride, buffer), arrangement) in self.arranged.iter_mut().zip(arrangements) {
            *stride = (arrangement.bytes)(columns).next_multiple_of(LINE);
            buffer.bytes(*stride * tokens);
        }
        for (token, x) in input.chunks_exact(columns).enumerate() {
            let output = QuantizedRowMut {
                values: &mut self.values,
                scales: &mut self.scales,
                sums: &mut self.sums,
            };
            products.quantize(x, output);
            let row = QuantizedRow {
                values: &self.values,
                scales: &self.scales,
                sums: &self.sums,
            };
            for ((stride, buffer), arrangement) in self.arranged.iter_mut().zip(arrangements) {
                let bytes = (arrangement.bytes)(columns);
                (arrangement.arrange)(row, &mut buffer.bytes(*stride * tokens)[token * *stride..][..bytes]);
            }
        }
    }

    /// Row `token` in the arrangement that was `index` in the list.
    pub fn row(&self, index: usize, token: usize, bytes: usize) -> &[u8] {
        let (stride, buffer) = &self.arranged[index];
        &buffer.written((token + 1) * stride)[token * stride..][..bytes]
    }
}

/// What a panel kernel wants of a tile beside values and scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TileExtras {
    pub offset: i32,
    pub has_halves: bool,
    pub has_minimum: bool,
}

#[derive(Default)]
struct Extras {
    starts: Vec<i32>,
    weighted: Vec<f32>,
}

/// Many rows in tiles.
#[derive(Default)]
pub(crate) struct Tiles {
    tokens: usize,
    groups: usize,
    values: Vec<i8>,
    scales: Vec<f32>,
    /// (nTiles, groups, 2, TILE_TOKENS)
    sums: Vec<i32>,
    extras: Vec<Extras>,
}

/// Groups of tiles, counted through, with everything of them: what one thread fills.
struct Portion<'a> {
    first: usize,
    values: &'a mut [i8],
    scales: &'a mut [f32],
    sums: &'a mut [i32],
    extras: Vec<(TileExtras, &'a mut [i32], &'a mut [f32])>,
}

impl Tiles {
    /// Quantizes `input`, (nTokens, columns), with the extras of each kernel in the list.
    pub fn fill(&mut self, team: &Team<'_>, products: &Products, input: &[f32], columns: usize, extras: &[TileExtras]) {
        self.tokens = input.len() / columns;
        self.groups = columns / GROUP;
        let groups = self.tokens.div_ceil(TILE_TOKENS) * self.groups;
        let slots = groups * TILE_TOKENS;
        self.values.resize(slots * GROUP, 0);
        self.scales.resize(slots, 0.0);
        self.sums.resize(slots * 2, 0);
        self.extras
            .resize_with(self.extras.len().max(extras.len()), Extras::default);
        for (storage, wanted) in self.extras.iter_mut().zip(extras) {
            storage.starts.resize(wanted.starts_per_group() * groups, 0);
            storage.weighted.resize(wanted.weighted_per_group() * groups, 0.0);
        }
        let threads = if input.len() < PARALLEL_VALUES {
            1
        } else {
            team.threads()
        };
        let mut portions = self.portions(extras, groups, threads);
        let tile_groups = columns / GROUP;
        let fill = |portion: &mut Portion<'_>| portion.fill(products, input, columns, tile_groups);
        match portions.as_mut_slice() {
            [single] => fill(single),
            many => team.split_slice(many, 1, 1, &|_, own| own.iter_mut().for_each(fill)),
        }
    }

    fn portions(&mut self, extras: &[TileExtras], groups: usize, count: usize) -> Vec<Portion<'_>> {
        let mut rest = Portion {
            first: 0,
            values: &mut self.values,
            scales: &mut self.scales,
            sums: &mut self.sums,
            extras: (extras.iter().zip(&mut self.extras))
                .map(|(wanted, storage)| (*wanted, &mut storage.starts[..], &mut storage.weighted[..]))
                .collect(),
        };
        let mut portions = Vec::with_capacity(count);
        for index in 1..=count {
            let end = groups * index / count;
            let own = end - rest.first;
            portions.push(rest.take(own));
        }
        portions
    }

    /// A tile with the extras that were `extras` in the list.
    pub fn tile(&self, index: usize, extras: usize, wanted: TileExtras) -> Tile<'_> {
        let Extras { starts, weighted } = &self.extras[extras];
        Tile {
            tokens: (self.tokens - index * TILE_TOKENS).min(TILE_TOKENS),
            values: part(&self.values, index, self.groups * TILE_TOKENS * GROUP),
            scales: part(&self.scales, index, self.groups * TILE_TOKENS),
            starts: part(starts, index, self.groups * wanted.starts_per_group()),
            weighted: part(weighted, index, self.groups * wanted.weighted_per_group()),
        }
    }
}

fn part<T>(values: &[T], index: usize, length: usize) -> &[T] {
    &values[index * length..(index + 1) * length]
}

impl TileExtras {
    fn parts(self) -> usize {
        if self.has_halves { 2 } else { 1 }
    }

    fn starts_per_group(self) -> usize {
        if self.offset == 0 {
            0
        } else {
            self.parts() * TILE_TOKENS
        }
    }

    fn weighted_per_group(self) -> usize {
        if self.has_minimum {
            self.parts() * TILE_TOKENS
        } else {
            0
        }
    }

    /// For one group: scales (TILE_TOKENS,), sums (2, TILE_TOKENS).
    fn fill(self, scales: &[f32], sums: &[i32], starts: &mut [i32], weighted: &mut [f32]) {
        let (first, second) = sums.split_at(TILE_TOKENS);
        let sum = |index: usize| match self.has_halves {
            true => sums[index],
            false => first[index] + second[index],
        };
        for (index, start) in starts.iter_mut().enumerate() {
            *start = -self.offset * sum(index);
        }
        for (index, weighted) in weighted.iter_mut().enumerate() {
            *weighted = scales[index % TILE_TOKENS] * sum(index) as f32;
        }
    }
}

impl<'a> Portion<'a> {
    /// Cuts the first `groups` groups off.
    fn take(&mut self, groups: usize) -> Portion<'a> {
        let first = self.first;
        self.first += groups;
        Portion {
            first,
            values: cut(&mut self.values, groups * TILE_TOKENS * GROUP),
            scales: cut(&mut self.scales, groups * TILE_TOKENS),
            sums: cut(&mut self.sums, groups * 2 * TILE_TOKENS),
            extras: (self.extras.iter_mut())
                .map(|(wanted, starts, weighted)| {
                    let starts = cut(starts, groups * wanted.starts_per_group());
                    (*wanted, starts, cut(weighted, groups * wanted.weighted_per_group()))
                })
                .collect(),
        }
    }

    fn fill(&mut self, products: &Products, input: &[f32], columns: usize, tile_groups: usize) {
        /// Groups quantized at once.
        const STEP: usize = 16;
        let groups = self.scales.len() / TILE_TOKENS;
        let mut values = [0i8; STEP * GROUP];
        let mut scales = [0.0; STEP];
        let mut sums = [[0; 2]; STEP];
        let mut done = 0;
        while done < groups {
            let (tile, first) = ((self.first + done) / tile_groups, (self.first + done) % tile_groups);
            let count = STEP.min(tile_groups - first).min(groups - done);
            for token in 0..TILE_TOKENS {
                let x = input.chunks_exact(columns).nth(tile * TILE_TOKENS + token);
                match x {
                    Some(x) => products.quantize(
                        &x[first * GROUP..(first + count) * GROUP],
                        QuantizedRowMut {
                            values: &mut values[..count * GROUP],
                            scales: &mut scales[..count],
                            sums: &mut sums[..count],
                        },
                    ),
                    None => {
                        values.fill(0);
                        scales.fill(0.0);
                        sums.fill([0; 2]);
                    }
                }
                let chunks = values.as_chunks::<GROUP>().0.iter().zip(scales).zip(sums).take(count);
                for (group, ((values, scale), sums)) in (done..).zip(chunks) {
                    let slot = group * TILE_TOKENS + token;
                    self.values[slot * GROUP..][..GROUP].copy_from_slice(values);
                    self.scales[slot] = scale;
                    for (half, sum) in sums.into_iter().enumerate() {
                        self.sums[(group * 2 + half) * TILE_TOKENS + token] = sum;
                    }
                }
            }
            done += count;
        }
        for (wanted, starts, weighted) in &mut self.extras {
            let (starts_length, weighted_length) = (wanted.starts_per_group(), wanted.weighted_per_group());
            for group in 0..groups {
                wanted.fill(
                    part(self.scales, group, TILE_TOKENS),
                    part(self.sums, group, 2 * TILE_TOKENS),
                    &mut starts[group * starts_length..][..starts_length],
                    &mut weighted[group * weighted_length..][..weighted_length],
                );
            }
        }
    }
}

fn cut<'a, T>(slice: &mut &'a mut [T], length: usize) -> &'a mut [T] {
    let (first, rest) = std::mem::take(slice).split_at_mut(length);
    *slice = rest;
    first
}
