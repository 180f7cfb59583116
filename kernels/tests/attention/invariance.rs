//! A row's bits depend on nothing but its sequence.

use rivulet_kernels::attention::AttentionSettings;
use rivulet_kernels::cache::CacheType;
use rivulet_kernels::isa::Isa;

use crate::brief::is_brief;
use crate::reference::{Data, Player, Random};
use crate::{TYPES, rope};
use rivulet_kernels::rope::Pairs;

/// Shapes of real models, and an odd one with everything that hides positions.
fn shapes() -> Vec<AttentionSettings> {
    let mut shapes: Vec<_> = [(9, 3, 64), (14, 2, 64), (4, 1, 256), (5, 5, 40)]
        .into_iter()
        .map(|(heads, kv_heads, dim)| AttentionSettings::new(heads, kv_heads, dim, dim))
        .collect();
    for settings in &mut shapes {
        settings.rope = Some(rope(Pairs::Halves, settings.key_dim));
    }
    let mut odd = AttentionSettings::new(6, 2, 20, 24);
    odd.window = Some(200);
    odd.softcap = Some(20.0);
    odd.sinks = Some(Random(1).normals(6));
    odd.alibi_slopes = Some((0..odd.heads).map(|head| 0.5 / (head + 1) as f32).collect());
    shapes.push(odd);
    shapes
}

/// Every shape, cache type and instruction set with a sequence and its outputs, computed at once by one thread.
fn each(tokens: usize, kinds: &[CacheType], check: impl Fn(&str, &mut Player, &Data, &[f32])) {
    for settings in shapes() {
        for kind in kinds {
            for isa in Isa::available().filter(|isa| !is_brief() || Isa::chosen().is_ok_and(|chosen| chosen == *isa)) {
                // Scalar code has no instruction for fma.
                let tokens = if isa == Isa::Scalar { tokens / 3 } else { tokens };
                let data = Data::new(&settings, tokens, 5);
                let mut player = Player::new(&settings, *kind, isa, 1);
                let wanted = player.alone(&data, tokens);
                player.threads = 2;
                let name = format!(
                    "{} over {} of {}, {kind:?}, {isa:?}",
                    settings.heads, settings.kv_heads, settings.key_dim
                );
                check(&name, &mut player, &data, &wanted);
                assert!(player.cache.used_bytes() == 0, "{name}: pages left");
            }
        }
    }
}

#[test]
fn whatever_the_chunks_and_threads() {
    each(700, &TYPES[1..2], |name, player, data, wanted| {
        for threads in [1, 2, 3] {
            player.threads = threads;
            for chunk in [1, 7, 64, 512] {
                // One by one is slow; one number of threads stands for the others.
                if chunk > 1 || threads == 2 {
                    assert!(
                        player.alone(data, chunk) == wanted,
                        "{name}: chunks of {chunk}, {threads} threads"
                    );
                }
            }
        }
    });
    each(300, &TYPES, |name, player, data, wanted| {
        for (threads, chunk) in [(2, 1), (3, 7), (2, 64), (3, 512)] {
            player.threads = threads;
            assert!(
                player.alone(data, chunk) == wanted,
                "{name}: chunks of {chunk}, {threads} threads"
            );
        }
    });
}

#[test]
fn whatever_else_is_in_the_batch() {
    each(330, &TYPES, |name, player, data, wanted| {
        let mut random = Random(77);
        let others: Vec<_> = (0..17)
            .map(|index| Data::new(&player.settings, 400, 100 + index))
            .map(|data| (player.cache.open(), data))
            .collect();
        // They begin at different lengths.
        for (id, other) in &others {
            let tokens = random.below(90);
            if tokens > 0 {
                player.step(&[(*id, other, tokens)]).unwrap();
            }
        }
        let own = player.cache.open();
        let mut found = Vec::new();
        while player.cache.length(own).unwrap() < data.tokens {
            let left = data.tokens - player.cache.length(own).unwrap();
            let tokens = [1, 7, 64, 100][random.below(4)].min(left);
            let mut items: Vec<_> = others
                .iter()
                .map(|(id, other)| {
                    let left = other.tokens - player.cache.length(*id).unwrap();
                    (*id, other, left.min([0, 1, 1, 3, 30][random.below(5)]))
                })
                .filter(|(_, _, tokens)| *tokens > 0)
                .collect();
            let place = random.below(items.len() + 1);
            items.insert(place, (own, data, tokens));
            found.extend(player.step(&items).unwrap().swap_remove(place));
        }
        assert!(found == wanted, "{name}");
        player.cache.close(own);
        for (id, _) in others {
            player.cache.close(id);
        }
    });
}

#[test]
fn wherever_the_prefix_comes_from() {
    each(330, &TYPES, |name, player, data, wanted| {
        let width = wanted.len() / data.tokens;
        for length in [1, 63, 64, 65, 170, 256] {
            if length >= data.tokens {
                continue;
            }
            let wanted = &wanted[length * width..];
            let whole = player.cache.open();
            player.rest(whole, data, data.tokens);

            let fork = player.cache.fork(whole, length).unwrap();
            assert!(
                player.rest(fork, data, 512) == wanted,
                "{name}: after a fork at {length}"
            );
            player.cache.close(fork);

            let bytes = player.cache.save(whole, length).unwrap();
            let restored = player.cache.restore(&bytes).unwrap();
            assert!(player.rest(restored, data, 7) == wanted, "{name}: restored at {length}");
            player.cache.close(restored);

            // Another end in between: it must leave no trace.
            let other = Data::new(&player.settings, data.tokens, 6);
            player.cache.truncate(whole, length).unwrap();
            player.rest(whole, &other, 64);
            player.cache.truncate(whole, length).unwrap();
            assert!(player.rest(whole, data, 64) == wanted, "{name}: truncated at {length}");
            player.cache.close(whole);
        }
    });
}
