use super::source::{COLUMNS, Floats, KeySource, ValueSource, Whole};
use crate::arch::lanes::{Kernel, LANES, Lanes};
use crate::cache::tile::{BLOCK, GROUP};
use crate::cache::{CacheType, PAGE_TOKENS};

/// A tile as f32, in the same order as it is kept.
#[derive(Default)]
pub struct Unpacked {
    pub keys: Vec<[f32; LANES]>,
    pub values: Vec<[f32; LANES]>,
}

impl Unpacked {
    /// Room for keys of `key_dim` and values of `stride` dimensions.
    pub fn resize(&mut self, key_dim: usize, stride: usize) {
        // Values that are part of keys may be padded beyond them.
        self.keys.resize(key_dim.max(stride) * COLUMNS, [0.0; LANES]);
        self.values.resize(stride * COLUMNS, [0.0; LANES]);
    }

    #[inline(always)]
    pub fn unpack_keys<L: Lanes>(&mut self, lanes: L, kind: CacheType, tile: &[u8], key_dim: usize) {
        let to = &mut self.keys[..key_dim * COLUMNS];
        match kind {
            CacheType::F32 => lanes.call(UnpackKeys(Floats::<64>::keys(tile), to)),
            CacheType::F16 => lanes.call(UnpackKeys(Floats::<32>::keys(tile), to)),
            CacheType::Q8_0 => lanes.call(UnpackKeys(Whole::<8>::keys(tile), to)),
            CacheType::Q4_0 => lanes.call(UnpackKeys(Whole::<4>::keys(tile), to)),
        }
    }

    #[inline(always)]
    pub fn unpack_values<L: Lanes>(&mut self, lanes: L, kind: CacheType, tile: &[u8], stride: usize) {
        for (block, to) in self.values.chunks_mut(BLOCK / LANES * PAGE_TOKENS).enumerate() {
            let width = (stride - block * BLOCK).min(BLOCK) / LANES;
            match kind {
                CacheType::F32 => lanes.call(UnpackValues(Floats::<64>::values(tile, block, width), width, to)),
                CacheType::F16 => lanes.call(UnpackValues(Floats::<32>::values(tile, block, width), width, to)),
                CacheType::Q8_0 => lanes.call(UnpackValues(Whole::<8>::values(tile, block, width), width, to)),
                CacheType::Q4_0 => lanes.call(UnpackValues(Whole::<4>::values(tile, block, width), width, to)),
            }
        }
    }

    /// Values of `stride` dimensions from the first dimensions of the unpacked keys.
    pub fn transpose_keys(&mut self, stride: usize) {
        for (block, values) in self.values.chunks_mut(BLOCK / LANES * PAGE_TOKENS).enumerate() {
            let width = (stride - block * BLOCK).min(BLOCK) / LANES;
            for piece in 0..width {
                let first = block * BLOCK + piece * LANES;
                for column in 0..COLUMNS {
                    for lane in 0..LANES {
                        let value = &mut values[(column * LANES + lane) * width + piece];
                        for (dimension, value) in value.iter_mut().enumerate() {
                            *value = self.keys[(first + dimension) * COLUMNS + column][lane];
                        }
                    }
                }
            }
        }
    }
}

struct UnpackKeys<'a, S>(S, &'a mut [[f32; LANES]]);

impl<S: KeySource> Kernel for UnpackKeys<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self(keys, to) = self;
        for (group, to) in to.chunks_mut(GROUP * COLUMNS).enumerate() {
            let mut scales = [lanes.splat(1.0); COLUMNS];
            for (column, scale) in scales.iter_mut().enumerate() {
                *scale = keys.scale(lanes, group, column);
            }
            for (row, to) in keys.rows(group).iter().zip(to.as_chunks_mut::<COLUMNS>().0) {
                for column in 0..COLUMNS {
                    lanes.store(S::load(lanes, row, column, scales[column]), &mut to[column]);
                }
            }
        }
    }
}

struct UnpackValues<'a, V>(V, usize, &'a mut [[f32; LANES]]);

impl<V: ValueSource> Kernel for UnpackValues<'_, V> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self(values, width, to) = self;
        for (token, to) in to.chunks_exact_mut(width).enumerate() {
            let row = values.row(token);
            for (column, to) in to.iter_mut().enumerate() {
                let scale = values.scale(lanes, token, column);
                lanes.store(V::load(lanes, row, column, scale), to);
            }
        }
    }
}
