//! Attention against what memory and multipliers give: `cargo bench --bench attention [-- FILTER]`.
//!
//! `decode`: bytes of keys and values per second, beside `read`, a plain loop over as many bytes. `prefill`: element
//! throughput is f32 operations, two per multiply-add; a core does at most 2 * 16 per clock with AVX-512.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rivulet_kernels::attention::{AttentionScratch, AttentionSettings, BatchItem, KeyValue, attend};
use rivulet_kernels::cache::{Cache, CacheLayer, CacheLayout, CacheType};
use rivulet_kernels::cancel::Cancel;
use rivulet_kernels::isa::Isa;
use rivulet_kernels::pool::Pool;
use rivulet_kernels::rope::{Pairs, Rope};

/// More than caches hold.
const DECODE_BYTES: usize = 256 << 20;
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
    settings: AttentionSettings,
    cache: Cache,
    item: BatchItem,
    scratch: AttentionScratch,
    query: Vec<f32>,
    key: Vec<f32>,
    output: Vec<f32>,
}

impl Bench {
    fn new(settings: AttentionSettings, kind: CacheType, layers: usize, position: usize, tokens: usize) -> Self {
        let layer = CacheLayer {
            kv_heads: settings.kv_heads,
            key_dim: settings.key_dim,
            value_dim: settings.value_dim,
        };
        let mut cache = Cache::new(CacheLayout::new(vec![layer; layers], kind).unwrap(), 4 << 30);
        let sequence = cache.open();
        let rows = tokens.max(512);
        let query = numbers(rows * settings.heads * settings.key_dim);
        let mut bench = Self {
            query,
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
        // One query row each: only what is written counts here.
        let window = bench.settings.window.replace(1);
        while bench.item.position < position {
            bench.item.tokens = (position - bench.item.position).min(512);
            bench.cache.reserve(sequence, bench.item.tokens).unwrap();
            for layer in 0..layers {
                bench.layer(layer, 2);
            }
            bench.cache.commit(sequence, bench.item.tokens).unwrap();
            bench.item.position += bench.item.tokens;
        }
        bench.settings.window = window;
        bench.item.tokens = tokens;
        bench.cache.reserve(sequence, tokens).unwrap();
        bench
    }

    fn layer(&mut self, layer: usize, threads: usize) {
        let rows = self.item.tokens;
        let settings = &self.settings;
        let key = &self.key[..rows * settings.kv_heads * settings.key_dim];
        attend(
            &Pool::global().team(threads),
            Isa::chosen().unwrap(),
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
        .unwrap();
    }
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for (name, heads, kv_heads, dim) in SHAPES {
        for (type_name, kind) in TYPES {
            for context in [1000, 4000] {
                let settings = settings(heads, kv_heads, dim);
                let layer = CacheLayer {
                    kv_heads,
                    key_dim: dim,
                    value_dim: dim,
                };
                let bytes = CacheLayout::new(vec![layer], kind).unwrap().bytes_per_token() * context;
                let layers = DECODE_BYTES / bytes;
                let mut bench = None;
                for threads in [1, 2] {
                    group.throughput(Throughput::Bytes((bytes * layers) as u64));
                    let id = BenchmarkId::new(format!("{name}/{type_name}/{context}"), threads);
                    group.bench_function(id, |bencher| {
                        let bench =
                            bench.get_or_insert_with(|| Bench::new(settings.clone(), kind, layers, context - 1, 1));
                        bencher.iter(|| (0..layers).for_each(|layer| bench.layer(layer, threads)));
                    });
                }
            }
        }
    }
}

fn read(criterion: &mut Criterion) {
    let memory = vec![1u64; DECODE_BYTES / 8];
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Bytes(DECODE_BYTES as u64));
    for threads in [1, 2] {
        group.bench_function(threads.to_string(), |bencher| {
            let team = Pool::global().team(threads);
            bencher.iter(|| {
                team.split(memory.len(), 4096, &|range| {
                    let mut sums = [0u64; 32];
                    for values in memory[range].as_chunks::<32>().0 {
                        for (sum, value) in sums.iter_mut().zip(values) {
                            *sum ^= value;
                        }
                    }
                    black_box(sums);
                });
            });
        });
    }
}

fn prefill(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("prefill");
    for (name, heads, kv_heads, dim) in SHAPES {
        for (type_name, kind) in TYPES {
            for context in [512, 2048] {
                let mut bench = None;
                for threads in [1, 2] {
                    let seen: usize = (context - 512..context).map(|position| position + 1).sum();
                    group.throughput(Throughput::Elements((4 * dim * heads * seen) as u64));
                    let id = BenchmarkId::new(format!("{name}/{type_name}/{context}"), threads);
                    group.bench_function(id, |bencher| {
                        let bench = bench.get_or_insert_with(|| {
                            Bench::new(settings(heads, kv_heads, dim), kind, 1, context - 512, 512)
                        });
                        bencher.iter(|| bench.layer(0, threads));
                    });
                }
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500));
    targets = read, decode, prefill
}
criterion_main!(benches);
