//! Attention against what memory and multipliers give: `cargo bench --bench attention [-- FILTER]`, FILTER for example
//! `avx512`, `decode`, `f16`.
//!
//! All threads; each in turns with what bounds it: decode (one token, more keys and values than a last cache holds)
//! with a loop that only reads as many bytes, prefill (512 tokens at the end of the context) with f32 multiply-adds
//! of registers. The table at the end compares the best run of both.

#[expect(dead_code, reason = "products of whole numbers are those of other benchmarks")]
mod limits;

use std::hint::black_box;

use criterion::Criterion;
use limits::{Against, Case, Limit, Table, configured, measure};
use rivulet_kernels::attention::{AttentionScratch, AttentionSettings, BatchItem, KeyValue, attend};
use rivulet_kernels::cache::{Cache, CacheLayer, CacheLayout, CacheType};
use rivulet_kernels::cancel::Cancel;
use rivulet_kernels::isa::Isa;
use rivulet_kernels::pool::Team;
use rivulet_kernels::rope::{Pairs, Rope};

/// Several times a last cache of 32 MiB.
const DECODE_BYTES: usize = 128 << 20;
const PREFILL_TOKENS: usize = 512;
/// (name, heads, key heads, head dimension)
const SHAPES: [(&str, usize, usize, usize); 4] = [
    ("smollm2-135m", 9, 3, 64),
    ("qwen-0.5b", 14, 2, 64),
    ("gemma3-270m", 4, 1, 256),
    ("llama-8b", 32, 8, 128),
];
const TYPES: [(&str, CacheType); 4] = [
    ("f32", CacheType::F32),
    ("f16", CacheType::F16),
    ("q8_0", CacheType::Q8_0),
    ("q4_0", CacheType::Q4_0),
];
const DECODE_CONTEXT: usize = 4000;
const PREFILL_CONTEXT: usize = 2048;

fn settings(heads: usize, kv_heads: usize, dim: usize) -> AttentionSettings {
    let mut settings = AttentionSettings::new(heads, kv_heads, dim, dim);
    settings.rope = Some(Rope {
        pairs: Pairs::Halves,
        dimensions: dim,
        frequencies: (0..dim / 2)
            .map(|pair| 1e4f64.powf(-2.0 * pair as f64 / dim as f64))
            .collect(),
        magnitude: 1.0,
    });
    settings
}

fn numbers(count: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// A sequence on some layers, and steps of `tokens` at its end.
struct Bench {
    isa: Isa,
    layers: usize,
    settings: AttentionSettings,
    cache: Cache,
    item: BatchItem,
    scratch: AttentionScratch,
    query: Vec<f32>,
    key: Vec<f32>,
    output: Vec<f32>,
}

/// Where a sequence of the benchmark ends, and how many tokens come after.
#[derive(Clone, Copy)]
struct Place {
    layers: usize,
    position: usize,
    tokens: usize,
}

impl Bench {
    fn new(isa: Isa, team: &Team<'_>, settings: AttentionSettings, kind: CacheType, place: Place) -> Self {
        let Place {
            layers,
            position,
            tokens,
        } = place;
        let layer = CacheLayer {
            kv_heads: settings.kv_heads,
            key_dim: settings.key_dim,
            value_dim: settings.value_dim,
        };
        let mut cache = Cache::new(CacheLayout::new(vec![layer; layers], kind).expect("a layout"), 4 << 30);
        let sequence = cache.open();
        let rows = tokens.max(PREFILL_TOKENS);
        let mut bench = Self {
            isa,
            layers,
            query: numbers(rows * settings.heads * settings.key_dim),
            key: numbers(rows * settings.kv_heads * settings.key_dim),
            output: vec![0.0; rows * settings.heads * settings.value_dim],
            item: BatchItem {
                sequence,
                first: 0,
                tokens: 0,
                position: 0,
            },
            scratch: AttentionScratch::default(),
            settings,
            cache,
        };
        // One position each: only what is written counts here.
        let window = bench.settings.window.replace(1);
        while bench.item.position < position {
            bench.item.tokens = (position - bench.item.position).min(PREFILL_TOKENS);
            bench.cache.reserve(sequence, bench.item.tokens).expect("pages");
            bench.run(team);
            bench.cache.commit(sequence, bench.item.tokens).expect("a commit");
            bench.item.position += bench.item.tokens;
        }
        bench.settings.window = window;
        bench.item.tokens = tokens;
        bench.cache.reserve(sequence, tokens).expect("pages");
        bench
    }
}

impl Case for Bench {
    fn run(&mut self, team: &Team<'_>) {
        let rows = self.item.tokens;
        let settings = &self.settings;
        let key = &self.key[..rows * settings.kv_heads * settings.key_dim];
        for layer in 0..self.layers {
            attend(
                team,
                self.isa,
                &Cancel::new(),
                &mut self.cache,
                layer,
                &[self.item],
                settings,
                &self.query[..rows * settings.heads * settings.key_dim],
                Some(KeyValue { key, value: key }),
                &mut self.scratch,
                &mut self.output[..rows * settings.heads * settings.value_dim],
            )
            .expect("attention");
        }
        black_box(&self.output);
    }
}

fn decode(criterion: &mut Criterion, table: &mut Table) {
    let memory = vec![1u8; DECODE_BYTES];
    for (name, heads, kv_heads, dim) in SHAPES {
        for (type_name, kind) in TYPES {
            let layer = CacheLayer {
                kv_heads,
                key_dim: dim,
                value_dim: dim,
            };
            let layout = CacheLayout::new(vec![layer], kind).expect("a layout");
            let bytes = layout.bytes_per_token() * DECODE_CONTEXT;
            let layers = DECODE_BYTES / bytes;
            let place = Place {
                layers,
                position: DECODE_CONTEXT - 1,
                tokens: 1,
            };
            let against = Against {
                limit: Limit::Read,
                amount: layers * bytes,
                memory: &memory,
            };
            for isa in Isa::available().filter(|isa| *isa != Isa::Scalar) {
                let names = ["decode", isa.name(), &format!("{name} {type_name} {DECODE_CONTEXT}")];
                measure(criterion, table, names, &against, isa, |team| {
                    Bench::new(isa, team, settings(heads, kv_heads, dim), kind, place)
                });
            }
        }
    }
}

fn prefill(criterion: &mut Criterion, table: &mut Table) {
    for (name, heads, kv_heads, dim) in SHAPES {
        for (type_name, kind) in TYPES {
            let place = Place {
                layers: 1,
                position: PREFILL_CONTEXT - PREFILL_TOKENS,
                tokens: PREFILL_TOKENS,
            };
            let seen: usize = (place.position..PREFILL_CONTEXT).map(|position| position + 1).sum();
            let against = Against {
                limit: Limit::Float,
                amount: 4 * dim * heads * seen,
                memory: &[],
            };
            for isa in Isa::available().filter(|isa| *isa != Isa::Scalar) {
                let names = ["prefill", isa.name(), &format!("{name} {type_name} {PREFILL_CONTEXT}")];
                measure(criterion, table, names, &against, isa, |team| {
                    Bench::new(isa, team, settings(heads, kv_heads, dim), kind, place)
                });
            }
        }
    }
}

fn main() {
    let mut criterion = configured().configure_from_args();
    let mut table = Table::default();
    decode(&mut criterion, &mut table);
    prefill(&mut criterion, &mut table);
    criterion.final_summary();
    table.print(&|kind| if kind == "decode" { "GB/s" } else { "Gflop/s" });
}
