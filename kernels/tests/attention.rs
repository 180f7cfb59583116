//! Attention against its definition in f64, every feature, cache type and instruction set.

mod brief;
#[path = "attention/errors.rs"]
mod errors;
#[path = "attention/invariance.rs"]
mod invariance;
#[path = "attention/reference.rs"]
mod reference;

use reference::{Data, Player, Random, exact};
use rivulet_kernels::attention::{AttentionSettings, HeadNorm, PositionBias, Temperature};
use rivulet_kernels::cache::CacheType;
use rivulet_kernels::isa::Isa;
use rivulet_kernels::norm::NormKind;
use rivulet_kernels::rope::{Pairs, Rope};

const TYPES: [CacheType; 4] = [CacheType::F32, CacheType::F16, CacheType::Q8_0, CacheType::Q4_0];

/// Root mean square of errors over that of the exact values.
fn tolerance(kind: CacheType) -> f64 {
    match kind {
        CacheType::F32 => 2e-6,
        CacheType::F16 => 4e-4,
        CacheType::Q8_0 => 1e-2,
        CacheType::Q4_0 => 0.15,
    }
}

fn error(found: &[f32], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    let square = wanted.iter().map(|value| value * value).sum::<f64>();
    let errors = found
        .iter()
        .zip(wanted)
        .map(|(found, wanted)| (f64::from(*found) - wanted).powi(2))
        .sum::<f64>();
    (errors / square).sqrt()
}

/// All tokens at once and one by one, on every instruction set, which must agree to the bit.
fn check(name: &str, settings: &AttentionSettings, tokens: usize, kinds: &[CacheType]) {
    let data = Data::new(settings, tokens, 7);
    check_data(name, settings, settings.value_dim, &data, kinds);
}

fn check_data(name: &str, settings: &AttentionSettings, kept_value_dim: usize, data: &Data, kinds: &[CacheType]) {
    let wanted = exact(settings, data);
    for kind in kinds {
        let mut first: Option<Vec<f32>> = None;
        for isa in Isa::available() {
            let mut player = Player::with_value_dim(settings, kept_value_dim, *kind, isa, 2);
            let found = player.alone(data, data.tokens);
            let error = error(&found, &wanted);
            assert!(error < tolerance(*kind), "{name}, {kind:?}, {isa:?}: error {error}");
            if settings.causal {
                assert_eq!(player.alone(data, 1), found, "{name}, {kind:?}, {isa:?}: one by one");
            }
            let first = first.get_or_insert(found.clone());
            assert_eq!(*first, found, "{name}, {kind:?}: {isa:?} differs from the scalar code");
        }
    }
}

fn rope(pairs: Pairs, dimensions: usize) -> Rope {
    let half = dimensions / 2;
    Rope {
        pairs,
        dimensions,
        frequencies: (0..half)
            .map(|pair| 10_000f64.powf(-(pair as f64) / half as f64))
            .collect(),
        magnitude: 1.0,
    }
}

fn norm(kind: NormKind, weights: usize, seed: u64) -> HeadNorm {
    HeadNorm {
        kind,
        whole_row: false,
        weight: Random(seed).normals(weights),
        bias: Vec::new(),
        epsilon: 1e-5,
    }
}

#[test]
fn head_sizes() {
    for (key_dim, value_dim) in [
        (8, 8),
        (20, 20),
        (24, 16),
        (40, 48),
        (48, 40),
        (64, 64),
        (80, 80),
        (96, 96),
        (112, 100),
        (128, 128),
        (256, 256),
    ] {
        let settings = AttentionSettings::new(3, 1, key_dim, value_dim);
        check(&format!("{key_dim} and {value_dim}"), &settings, 150, &TYPES);
    }
}

#[test]
fn head_counts() {
    for (heads, kv_heads) in [(1, 1), (4, 4), (9, 3), (8, 4), (14, 2), (5, 1), (16, 1), (40, 2)] {
        let settings = AttentionSettings::new(heads, kv_heads, 32, 32);
        check(
            &format!("{heads} over {kv_heads}"),
            &settings,
            200,
            &[CacheType::F16, CacheType::Q8_0],
        );
    }
}

#[test]
fn ropes() {
    for pairs in [Pairs::Halves, Pairs::Neighbours] {
        for dimensions in [2, 16, 36, 40] {
            let mut settings = AttentionSettings::new(4, 2, 40, 32);
            settings.rope = Some(Rope {
                magnitude: 1.2,
                ..rope(pairs, dimensions)
            });
            check(&format!("{pairs:?} {dimensions}"), &settings, 140, &TYPES);
        }
    }
}

#[test]
fn norms() {
    for kind in [NormKind::Rms, NormKind::Layer, NormKind::Length] {
        for weights in [0, 24, 4 * 24] {
            for after in [false, true] {
                let mut settings = AttentionSettings::new(4, 4, 24, 24);
                settings.rope = Some(rope(Pairs::Halves, 24));
                settings.query_norm = Some(norm(kind, weights, 1));
                settings.key_norm = Some(HeadNorm {
                    bias: Random(3).normals(weights),
                    ..norm(kind, weights, 2)
                });
                settings.value_norm = Some(norm(kind, 24, 4));
                settings.norm_after_rope = after;
                check(
                    &format!("{kind:?}, {weights} weights, after: {after}"),
                    &settings,
                    90,
                    &[CacheType::F32],
                );
            }
        }
        let whole = |norm| HeadNorm {
            whole_row: true,
            ..norm
        };
        let mut settings = AttentionSettings::new(4, 2, 24, 24);
        settings.query_norm = Some(whole(norm(kind, 4 * 24, 1)));
        settings.key_norm = Some(whole(norm(kind, 2 * 24, 2)));
        settings.value_norm = Some(whole(norm(kind, 0, 3)));
        check(&format!("{kind:?} of whole rows"), &settings, 90, &[CacheType::F32]);
    }
}

#[test]
fn views() {
    for window in [1, 5, 64, 100, 1000] {
        for causal in [true, false] {
            let mut settings = AttentionSettings::new(6, 2, 32, 32);
            settings.window = Some(window);
            settings.causal = causal;
            check(
                &format!("window {window}, causal: {causal}"),
                &settings,
                300,
                &[CacheType::F32, CacheType::F16],
            );
        }
    }
    for chunk in [1, 48, 64, 128, 130] {
        let mut settings = AttentionSettings::new(6, 2, 32, 32);
        settings.chunk = Some(chunk);
        check(&format!("chunk {chunk}"), &settings, 300, &[CacheType::F32]);
    }
    let mut settings = AttentionSettings::new(6, 2, 32, 32);
    settings.causal = false;
    check("not causal", &settings, 333, &TYPES);
}

#[test]
fn scores() {
    let base = AttentionSettings::new(6, 2, 32, 32);
    let mut settings = base.clone();
    settings.softcap = Some(3.0);
    settings.scale = 0.7;
    check("softcap", &settings, 200, &TYPES);

    let mut settings = base.clone();
    settings.sinks = Some(vec![-5.0, 0.0, 1.0, 4.0, 20.0, -100.0]);
    check("sinks", &settings, 200, &TYPES);

    for causal in [true, false] {
        let mut settings = base.clone();
        settings.alibi_slopes = Some((0..settings.heads).map(|head| 0.5 / (head + 1) as f32).collect());
        settings.causal = causal;
        check("alibi", &settings, 200, &TYPES);
    }

    for (causal, reach) in [(true, 70), (false, 20), (false, 128), (false, 0)] {
        let mut settings = base.clone();
        let values = Random(9).normals(settings.heads * (2 * reach + 1));
        settings.position_bias = Some(PositionBias::new(settings.heads, &values).unwrap());
        settings.causal = causal;
        check("position bias", &settings, 333, &TYPES[..1]);
        let bias = settings.position_bias.as_ref().unwrap();
        assert_eq!(bias.at(1, -1000), values[2 * reach + 1]);
        assert_eq!(bias.at(0, 1000), values[2 * reach]);
        assert_eq!(bias.at(0, 0), values[reach]);
    }

    let mut settings = base;
    settings.temperature = Some(Temperature {
        scale: 0.5,
        floor_length: 40,
        offset: 3,
    });
    check("temperature", &settings, 200, &[CacheType::F32]);
}

#[test]
fn everything_together() {
    let mut settings = AttentionSettings::new(12, 3, 40, 24);
    settings.rope = Some(rope(Pairs::Neighbours, 20));
    settings.query_norm = Some(norm(NormKind::Rms, 40, 1));
    settings.key_norm = Some(norm(NormKind::Rms, 3 * 40, 2));
    settings.softcap = Some(8.0);
    settings.window = Some(150);
    settings.sinks = Some(Random(9).normals(12));
    settings.temperature = Some(Temperature {
        scale: 0.1,
        floor_length: 100,
        offset: 0,
    });
    check("everything", &settings, 400, &TYPES);
}

#[test]
fn values_that_are_part_of_keys() {
    for (key_dim, value_dim) in [(48, 32), (72, 64), (100, 90), (36, 36)] {
        let settings = AttentionSettings::new(20, 1, key_dim, value_dim);
        let data = Data::latent(&settings, 150, 11);
        check_data("latent", &settings, 0, &data, &TYPES[..3]);
    }
}

#[test]
fn large_and_small_scores() {
    for scale in [0.0, 1e-6, 30.0, -1.0] {
        let mut settings = AttentionSettings::new(2, 1, 16, 16);
        settings.scale = scale;
        check(&format!("scale {scale}"), &settings, 130, &[CacheType::F32]);
    }
}
