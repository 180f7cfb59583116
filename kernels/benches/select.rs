//! Candidate selection over whole vocabularies: `cargo bench --bench select`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rivulet_kernels::isa::Isa;
use rivulet_kernels::select::{Penalties, Selection, select};

/// Logits as models give them: a bell around zero with a few far above.
fn row(vocabulary: usize) -> Vec<f32> {
    let mut state = 7u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f32 / 2f32.powi(31)
    };
    let mut row: Vec<f32> = (0..vocabulary)
        .map(|_| ((0..12).map(|_| uniform()).sum::<f32>() - 6.0) * 2.5)
        .collect();
    for rank in 0..20 {
        row[(uniform() * vocabulary as f32) as usize] = 22.0 - rank as f32 * 0.6;
    }
    row
}

fn selections(criterion: &mut Criterion) {
    let ids: Vec<i32> = (0..64).map(|index| index * 701).collect();
    let counts = vec![1; ids.len()];
    let penalties = Penalties {
        ids: &ids,
        counts: &counts,
        repeat: 1.1,
        frequency: 0.1,
        presence: 0.0,
    };
    for vocabulary in [49_152, 151_936, 262_144] {
        let mut row = row(vocabulary);
        // A grammar that allows some hundred tokens, and one that forbids some.
        let mut narrow = vec![0; vocabulary.div_ceil(32)];
        narrow.iter_mut().step_by(37).for_each(|word| *word = 1 << 7);
        let mut wide = vec![-1; vocabulary.div_ceil(32)];
        wide.iter_mut().step_by(5).for_each(|word| *word = !(1 << 7));
        let plain = Selection::default();
        let cases = [
            ("best", Selection { count: 1, ..plain }),
            ("best 64", Selection { count: 64, ..plain }),
            ("best 1000", Selection { count: 1000, ..plain }),
            (
                "best 64 of 64 penalized",
                Selection {
                    count: 64,
                    penalties: Some(penalties),
                    ..plain
                },
            ),
            (
                "best 64 of a narrow mask",
                Selection {
                    count: 64,
                    mask: Some(&narrow),
                    ..plain
                },
            ),
            (
                "best 64 of a wide mask",
                Selection {
                    count: 64,
                    mask: Some(&wide),
                    ..plain
                },
            ),
        ];
        let mut group = criterion.benchmark_group(vocabulary.to_string());
        for (name, selection) in cases {
            for isa in Isa::available().filter(|isa| *isa != Isa::Scalar) {
                group.bench_function(BenchmarkId::new(name, isa.name()), |bencher| {
                    bencher.iter(|| select(isa, black_box(&mut row), &selection).map(|found| found.ids[0]));
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, selections);
criterion_main!(benches);
