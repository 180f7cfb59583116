//! What does not fit is refused; what is not a number stays in its rows; a step that was cancelled leaves nothing.

use std::time::{Duration, Instant};

use rivulet_kernels::attention::{AttentionScratch, AttentionSettings, BatchItem, KeyValue, Temperature, attend};
use rivulet_kernels::cache::CacheType;
use rivulet_kernels::cancel::Cancel;
use rivulet_kernels::error::ErrorCode;
use rivulet_kernels::isa::Isa;
use rivulet_kernels::pool::Pool;
use rivulet_kernels::rope::{Pairs, Rope};

use crate::reference::{Data, Player};
use crate::{TYPES, norm, rope};
use rivulet_kernels::attention::HeadNorm;
use rivulet_kernels::norm::NormKind;

/// The code of an attention of one token with these settings, batch and rows.
fn code(
    settings: &AttentionSettings,
    change: impl Fn(&mut BatchItem),
    (rows, key_rows, output_rows): (usize, usize, usize),
) -> Option<ErrorCode> {
    let base = AttentionSettings::new(4, 2, 16, 16);
    let mut player = Player::new(&base, CacheType::F16, Isa::Scalar, 1);
    let sequence = player.cache.open();
    player.cache.reserve(sequence, 2).unwrap();
    let mut item = BatchItem {
        sequence,
        first: 0,
        tokens: 1,
        position: 0,
    };
    change(&mut item);
    let key = vec![0.0; key_rows * 32];
    let result = attend(
        &Pool::global().team(1),
        Isa::Scalar,
        &Cancel::new(),
        &mut player.cache,
        player.layer,
        &[item],
        settings,
        &vec![0.0; rows * 64],
        Some(KeyValue { key: &key, value: &key }),
        &mut AttentionScratch::default(),
        &mut vec![0.0; output_rows * 64],
    );
    result.err().map(|error| error.code)
}

#[test]
fn settings_that_do_not_fit() {
    let base = AttentionSettings::new(4, 2, 16, 16);
    let refused = |name: &str, change: &dyn Fn(&mut AttentionSettings)| {
        let mut settings = base.clone();
        change(&mut settings);
        assert_eq!(
            code(&settings, |_| {}, (1, 1, 1)),
            Some(ErrorCode::InvalidArgument),
            "{name}"
        );
    };
    assert_eq!(code(&base, |_| {}, (1, 1, 1)), None);
    refused("heads", &|settings| settings.heads = 5);
    refused("no heads", &|settings| settings.heads = 0);
    refused("key heads", &|settings| settings.kv_heads = 1);
    refused("key dimension", &|settings| settings.key_dim = 8);
    refused("value dimension", &|settings| settings.value_dim = 8);
    refused("window", &|settings| settings.window = Some(0));
    refused("chunk", &|settings| settings.chunk = Some(0));
    refused("sinks", &|settings| settings.sinks = Some(vec![0.0; 3]));
    refused("floor", &|settings| {
        settings.temperature = Some(Temperature {
            scale: 1.0,
            floor_length: 0,
            offset: 0,
        });
    });
    refused("too many turn", &|settings| {
        settings.rope = Some(rope(Pairs::Halves, 18))
    });
    refused("an odd number turns", &|settings| {
        settings.rope = Some(Rope {
            dimensions: 5,
            ..rope(Pairs::Halves, 4)
        });
    });
    refused("frequencies", &|settings| {
        settings.rope = Some(Rope {
            dimensions: 8,
            ..rope(Pairs::Halves, 4)
        });
    });
    refused("norm", &|settings| {
        settings.query_norm = Some(norm(NormKind::Rms, 32, 1))
    });
    refused("norm of keys", &|settings| {
        settings.key_norm = Some(norm(NormKind::Rms, 64, 1))
    });
    refused("norm of rows after rope", &|settings| {
        settings.norm_after_rope = true;
        settings.key_norm = Some(HeadNorm {
            whole_row: true,
            ..norm(NormKind::Rms, 32, 1)
        });
    });
}

#[test]
fn batches_that_do_not_fit() {
    let base = AttentionSettings::new(4, 2, 16, 16);
    let refused = |name: &str, change: &dyn Fn(&mut BatchItem), rows| {
        assert_eq!(code(&base, change, rows), Some(ErrorCode::InvalidArgument), "{name}");
    };
    refused("keys", &|_| {}, (1, 2, 1));
    refused("output", &|_| {}, (1, 1, 2));
    refused("position", &|item| item.position = 1, (1, 1, 1));
    refused("not reserved", &|item| item.tokens = 3, (3, 3, 3));
    refused("rows", &|item| item.tokens = 2, (1, 1, 1));
    refused("first row", &|item| item.first = usize::MAX, (1, 1, 1));
    refused("no tokens", &|item| item.tokens = 0, (1, 1, 1));
    refused("sequence", &|item| item.sequence.0 += 1, (1, 1, 1));
}

#[test]
fn a_sequence_twice_or_forked_after_its_reservation() {
    let settings = AttentionSettings::new(4, 2, 16, 16);
    let data = Data::new(&settings, 10, 1);
    let mut player = Player::new(&settings, CacheType::F16, Isa::Scalar, 1);
    let id = player.cache.open();
    assert_eq!(
        player.step(&[(id, &data, 1), (id, &data, 1)]).unwrap_err().code,
        ErrorCode::InvalidArgument
    );
    assert_eq!(player.cache.length(id).unwrap(), 0);
    player.step(&[(id, &data, 5)]).unwrap();
    // The page is this sequence's alone when reserved, but no more when attention begins.
    player.cache.reserve(id, 1).unwrap();
    let fork = player.cache.fork(id, 5).unwrap();
    let result = attend(
        &Pool::global().team(1),
        Isa::Scalar,
        &Cancel::new(),
        &mut player.cache,
        player.layer,
        &[BatchItem {
            sequence: id,
            first: 0,
            tokens: 1,
            position: 5,
        }],
        &settings,
        &data.query[..64],
        Some(KeyValue {
            key: &data.key[..32],
            value: &data.value[..32],
        }),
        &mut player.scratch,
        &mut [0.0; 64],
    );
    assert_eq!(result.unwrap_err().code, ErrorCode::InvalidArgument);
    let clean = player.alone(&data, 10);
    assert_eq!(player.rest(fork, &data, 1), clean[5 * 64..]);
    assert_eq!(player.rest(id, &data, 1), clean[5 * 64..]);
}

#[test]
fn what_is_not_a_number_stays_in_the_rows_that_see_it() {
    let mut settings = AttentionSettings::new(3, 1, 20, 20);
    settings.rope = Some(rope(Pairs::Halves, 20));
    let tokens = 200;
    for kind in TYPES {
        for isa in Isa::available() {
            let mut player = Player::new(&settings, kind, isa, 2);
            let good = Data::new(&settings, tokens, 1);
            let wanted = player.alone(&good, tokens);
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 1e-42] {
                for place in [0, 70, 150] {
                    let mut data = Data::new(&settings, tokens, 1);
                    data.key[place * 20 + 3] = bad;
                    data.value[place * 20 + 3] = bad;
                    data.query[place * 60 + 3] = bad;
                    let found = player.alone(&data, 64);
                    let before = place * 60;
                    assert!(
                        found[..before] == wanted[..before],
                        "{kind:?}, {isa:?}, {bad} at {place}"
                    );
                    let other = player.cache.open();
                    let id = player.cache.open();
                    let both = player.step(&[(id, &data, tokens), (other, &good, tokens)]).unwrap();
                    assert!(both[1] == wanted, "{kind:?}, {isa:?}: another sequence");
                    player.cache.close(id);
                    player.cache.close(other);
                }
            }
        }
    }
}

#[test]
fn a_long_step_stops_when_told_to() {
    let settings = AttentionSettings::new(16, 1, 256, 256);
    let tokens = 2048;
    let data = Data::new(&settings, tokens, 1);
    for threads in [1, 2] {
        let mut player = Player::new(&settings, CacheType::F16, Isa::Scalar, threads);
        let id = player.cache.open();
        player.cache.reserve(id, tokens).unwrap();
        let item = BatchItem {
            sequence: id,
            first: 0,
            tokens,
            position: 0,
        };
        let cancel = Cancel::new();
        let mut output = vec![0.0; tokens * 16 * 256];
        let (result, after) = std::thread::scope(|scope| {
            let canceller = scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(200));
                cancel.set();
                Instant::now()
            });
            let result = attend(
                &Pool::global().team(threads),
                player.isa,
                &cancel,
                &mut player.cache,
                player.layer,
                &[item],
                &settings,
                &data.query,
                Some(KeyValue {
                    key: &data.key,
                    value: &data.value,
                }),
                &mut player.scratch,
                &mut output,
            );
            let end = Instant::now();
            (result, end - canceller.join().unwrap())
        });
        assert_eq!(result.unwrap_err().code, ErrorCode::Cancelled);
        // Scalar code on a busy machine: far below the seconds that the step would take.
        assert!(after < Duration::from_millis(300), "{after:?}");
        assert_eq!(player.cache.length(id).unwrap(), 0);
        cancel.clear();
        let short = Data::new(&settings, 3, 2);
        let again = player.rest(id, &short, 3);
        assert_eq!(again, player.alone(&short, 3));
    }
}
