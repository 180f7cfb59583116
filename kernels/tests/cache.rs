//! Pages: sharing, budget, snapshots, and random operations against a model.

mod brief;
#[path = "attention/reference.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod reference;

use proptest::prelude::*;
use reference::{Data, Player, Random};
use rivulet_kernels::attention::AttentionSettings;
use rivulet_kernels::cache::{Cache, CacheLayer, CacheLayout, CacheType, SequenceId};
use rivulet_kernels::error::ErrorCode;
use rivulet_kernels::isa::Isa;

const TYPES: [CacheType; 4] = [CacheType::F32, CacheType::F16, CacheType::Q8_0, CacheType::Q4_0];

fn layout(kind: CacheType) -> CacheLayout {
    let layer = CacheLayer {
        kv_heads: 2,
        key_dim: 40,
        value_dim: 24,
    };
    CacheLayout::new(vec![layer; 3], kind).unwrap()
}

/// A cache of at most `pages` pages.
fn cache(pages: usize) -> (Cache, usize) {
    let layout = layout(CacheType::F16);
    let page = layout.bytes_per_token() * 64;
    (Cache::new(layout, pages * page + page / 2), page)
}

fn grow(cache: &mut Cache, id: SequenceId, tokens: usize) {
    cache.reserve(id, tokens).unwrap();
    cache.commit(id, tokens).unwrap();
}

fn code<T>(result: Result<T, rivulet_kernels::error::Error>) -> ErrorCode {
    result.err().expect("an error").code
}

#[test]
fn sizes_are_those_of_the_types() {
    let bytes = |kind| layout(kind).bytes_per_token();
    // 2 heads and 3 layers of 40 + 24 elements, values padded to 32.
    assert_eq!(bytes(CacheType::F32), 6 * (40 + 32) * 4);
    assert_eq!(bytes(CacheType::F16), 6 * (40 + 32) * 2);
    assert_eq!(bytes(CacheType::Q8_0), 6 * (40 + 2 * 2 + 32 + 2));
    assert_eq!(bytes(CacheType::Q4_0), 6 * (20 + 2 * 2 + 16 + 2));
    let huge = CacheLayer {
        kv_heads: usize::MAX / 4,
        key_dim: 64,
        value_dim: 64,
    };
    assert_eq!(
        code(CacheLayout::new(vec![huge], CacheType::F16)),
        ErrorCode::InvalidArgument
    );
    assert_eq!(
        code(CacheLayout::new(vec![], CacheType::F16)),
        ErrorCode::InvalidArgument
    );
}

#[test]
fn pages_grow_on_demand_and_go_back() {
    let (mut cache, page) = cache(100);
    let id = cache.open();
    assert_eq!(cache.used_bytes(), 0);
    for length in 1..=200 {
        grow(&mut cache, id, 1);
        assert_eq!(cache.length(id).unwrap(), length);
        assert_eq!(cache.used_bytes(), length.div_ceil(64) * page);
    }
    cache.truncate(id, 64).unwrap();
    assert_eq!((cache.length(id).unwrap(), cache.used_bytes()), (64, page));
    cache.truncate(id, 1000).unwrap();
    assert_eq!(cache.length(id).unwrap(), 64);
    cache.close(id);
    assert_eq!(cache.used_bytes(), 0);
    assert_eq!(code(cache.length(id)), ErrorCode::InvalidArgument);
    cache.close(id);
    let next = cache.open();
    assert_ne!(next, id);
}

#[test]
fn forks_share_pages_until_they_write() {
    let (mut cache, page) = cache(100);
    let first = cache.open();
    grow(&mut cache, first, 300);
    assert_eq!(cache.used_bytes(), 5 * page);
    let second = cache.fork(first, 300).unwrap();
    let third = cache.fork(first, 130).unwrap();
    assert_eq!(cache.used_bytes(), 5 * page);
    // The page of position 300 is shared by two, that of 130 by three.
    grow(&mut cache, second, 1);
    assert_eq!(cache.used_bytes(), 6 * page);
    grow(&mut cache, first, 1);
    assert_eq!(cache.used_bytes(), 6 * page, "the first is alone with it now");
    grow(&mut cache, third, 1);
    assert_eq!(cache.used_bytes(), 7 * page);
    cache.close(first);
    // Pages 0 to 3 are the second's still, page 2 apart from the third's copy.
    assert_eq!(cache.used_bytes(), 6 * page);
    cache.close(second);
    assert_eq!(cache.used_bytes(), 3 * page);
    cache.close(third);
    assert_eq!(cache.used_bytes(), 0);
    assert_eq!(code(cache.fork(first, 0)), ErrorCode::InvalidArgument);
    assert_eq!(code(cache.fork(third, 1)), ErrorCode::InvalidArgument);
    let empty = cache.open();
    assert_eq!(code(cache.fork(empty, 1)), ErrorCode::InvalidArgument);
    let fork = cache.fork(empty, 0).unwrap();
    assert_eq!(cache.length(fork).unwrap(), 0);
}

#[test]
fn a_full_cache_is_busy_and_harms_nobody() {
    let (mut cache, page) = cache(4);
    let first = cache.open();
    grow(&mut cache, first, 130);
    let second = cache.open();
    cache.reserve(second, 10).unwrap();
    assert_eq!(cache.used_bytes(), 4 * page);
    assert_eq!(code(cache.reserve(first, 63)), ErrorCode::Busy);
    assert_eq!(code(cache.reserve(second, 65)), ErrorCode::Busy);
    assert_eq!(code(cache.reserve(first, usize::MAX)), ErrorCode::InvalidArgument);
    assert_eq!((cache.length(first).unwrap(), cache.length(second).unwrap()), (130, 0));
    assert_eq!(cache.used_bytes(), 4 * page);
    // What was reserved stays so.
    cache.commit(second, 10).unwrap();
    grow(&mut cache, first, 62);
    // A fork needs no page until it writes.
    let fork = cache.fork(first, 191).unwrap();
    assert_eq!(code(cache.reserve(fork, 1)), ErrorCode::Busy);
    cache.close(second);
    grow(&mut cache, fork, 1);
    assert_eq!(cache.used_bytes(), 4 * page);
    let saved = cache.save(first, 192).unwrap();
    assert_eq!(code(cache.restore(&saved)), ErrorCode::Busy);
    assert_eq!(cache.used_bytes(), 4 * page);
}

#[test]
fn only_reserved_positions_can_be_committed() {
    let (mut cache, page) = cache(10);
    let id = cache.open();
    assert_eq!(code(cache.commit(id, 1)), ErrorCode::InvalidArgument);
    cache.reserve(id, 100).unwrap();
    assert_eq!(code(cache.commit(id, 101)), ErrorCode::InvalidArgument);
    cache.commit(id, 60).unwrap();
    cache.commit(id, 40).unwrap();
    assert_eq!(code(cache.commit(id, 1)), ErrorCode::InvalidArgument);
    // A reservation that was not used is given up with the next, or by truncation.
    cache.reserve(id, 500).unwrap();
    assert_eq!(cache.used_bytes(), 10 * page);
    cache.reserve(id, 1).unwrap();
    assert_eq!(cache.used_bytes(), 2 * page);
    cache.reserve(id, 500).unwrap();
    cache.truncate(id, 100).unwrap();
    assert_eq!(cache.used_bytes(), 2 * page);
    assert_eq!(code(cache.commit(id, 1)), ErrorCode::InvalidArgument);
}

#[test]
fn damaged_snapshots_are_refused() {
    let (mut cache, page) = cache(10);
    let id = cache.open();
    grow(&mut cache, id, 70);
    let saved = cache.save(id, 70).unwrap();
    assert_eq!(code(cache.save(id, 71)), ErrorCode::InvalidArgument);
    let used = cache.used_bytes();
    for end in (0..200).chain([saved.len() - 1]) {
        assert_eq!(code(cache.restore(&saved[..end])), ErrorCode::InvalidArgument, "{end}");
    }
    let header = saved.len() - 2 * page;
    for index in 0..header {
        for bit in [0, 7] {
            let mut damaged = saved.clone();
            damaged[index] ^= 1 << bit;
            match cache.restore(&damaged) {
                // A length with the same number of pages is as good as the right one.
                Ok(id) => {
                    assert!(index >= header - 8 && (65..=128).contains(&cache.length(id).unwrap()));
                    cache.close(id);
                }
                Err(error) => assert_eq!(error.code, ErrorCode::InvalidArgument, "{index}"),
            }
        }
    }
    let mut longer = saved.clone();
    longer.push(0);
    assert_eq!(code(cache.restore(&longer)), ErrorCode::InvalidArgument);
    let mut other = Cache::new(layout(CacheType::Q8_0), 1 << 24);
    assert_eq!(code(other.restore(&saved)), ErrorCode::InvalidArgument);
    assert_eq!(cache.used_bytes(), used);
    let restored = cache.restore(&saved).unwrap();
    assert_eq!(cache.length(restored).unwrap(), 70);
    assert_eq!(cache.save(restored, 70).unwrap(), saved);
}

#[test]
fn snapshots_hold_nothing_of_others() {
    let settings = AttentionSettings::new(2, 1, 40, 24);
    for kind in TYPES {
        let mut player = Player::new(&settings, kind, Isa::Scalar, 1);
        let short = Data::new(&settings, 70, 1);
        let id = player.cache.open();
        player.rest(id, &short, 70);
        let clean = player.cache.save(id, 70).unwrap();
        player.cache.close(id);
        // The same pages after another sequence filled them.
        let secret = Data::new(&settings, 128, 2);
        player.alone(&secret, 128);
        let id = player.cache.open();
        player.rest(id, &short, 70);
        assert_eq!(player.cache.save(id, 70).unwrap(), clean, "{kind:?}");
    }
}

/// What a sequence should hold.
#[derive(Clone, Default)]
struct Model {
    /// The content of each position.
    tokens: Vec<u64>,
    /// Names of pages.
    pages: Vec<usize>,
}

#[derive(Clone, Debug)]
enum Operation {
    Open,
    Append(usize, usize),
    /// A step that is computed but not committed.
    Fail(usize, usize),
    Fork(usize, usize),
    Truncate(usize, usize),
    Close(usize),
    SaveAndRestore(usize, usize),
}

fn operation() -> impl Strategy<Value = Operation> {
    let which = 0usize..8;
    let tokens = prop_oneof![Just(1usize), 1usize..8, 50usize..150];
    let share = 0usize..=100;
    prop_oneof![
        1 => Just(Operation::Open),
        6 => (which.clone(), tokens.clone()).prop_map(|(which, tokens)| Operation::Append(which, tokens)),
        1 => (which.clone(), tokens).prop_map(|(which, tokens)| Operation::Fail(which, tokens)),
        2 => (which.clone(), share.clone()).prop_map(|(which, share)| Operation::Fork(which, share)),
        2 => (which.clone(), share.clone()).prop_map(|(which, share)| Operation::Truncate(which, share)),
        1 => which.clone().prop_map(Operation::Close),
        1 => (which, share).prop_map(|(which, share)| Operation::SaveAndRestore(which, share)),
    ]
}

fn data(settings: &AttentionSettings, tokens: &[u64]) -> Data {
    let rows = |salt: u64, width| {
        tokens
            .iter()
            .flat_map(|token| Random(token * 3 + salt).normals(width))
            .collect()
    };
    Data {
        tokens: tokens.len(),
        query: rows(0, settings.heads * settings.key_dim),
        key: rows(1, settings.kv_heads * settings.key_dim),
        value: rows(2, settings.kv_heads * settings.value_dim),
    }
}

/// Of one layer: all of a page is then what the model says.
fn player(settings: &AttentionSettings, kind: CacheType, isa: Isa) -> Player {
    let layer = CacheLayer {
        kv_heads: settings.kv_heads,
        key_dim: settings.key_dim,
        value_dim: settings.value_dim,
    };
    Player {
        cache: Cache::new(CacheLayout::new(vec![layer], kind).unwrap(), 1 << 26),
        layer: 0,
        ..Player::new(settings, kind, isa, 2)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if brief::is_brief() { 15 } else { 150 }, failure_persistence: None, ..ProptestConfig::default() })]

    /// Lengths, contents and pages in use after any operations are those of sequences that share nothing but names.
    #[test]
    fn operations_do_what_a_model_says(kind in 0usize..4, operations in prop::collection::vec(operation(), 1..40)) {
        let settings = AttentionSettings::new(2, 1, 8, 8);
        let isa = Isa::available().last().unwrap();
        let mut player = player(&settings, TYPES[kind], isa);
        let page_bytes = player.cache.layout().bytes_per_token() * 64;
        let mut sequences: Vec<(SequenceId, Model)> = Vec::new();
        let mut next = 0;
        let mut name = || { next += 1; next };
        for operation in operations {
            if sequences.is_empty() || matches!(operation, Operation::Open) {
                sequences.push((player.cache.open(), Model::default()));
                continue;
            }
            let count = sequences.len();
            match operation {
                Operation::Open => {}
                Operation::Append(which, tokens) | Operation::Fail(which, tokens) => {
                    let fails = matches!(operation, Operation::Fail(..));
                    let (id, mut model) = sequences[which % count].clone();
                    let shared = |page: &usize| sequences.iter().filter(|(_, other)| other.pages.contains(page)).count() > 1;
                    if !model.tokens.len().is_multiple_of(64) && shared(&model.pages[model.tokens.len() / 64]) {
                        let last = model.tokens.len() / 64;
                        model.pages[last] = name() as usize;
                        if fails {
                            sequences[which % count].1.pages = model.pages.clone();
                        }
                    }
                    model.tokens.extend((0..tokens).map(|_| name()));
                    while model.pages.len() < model.tokens.len().div_ceil(64) {
                        model.pages.push(name() as usize);
                    }
                    let content = data(&settings, &model.tokens);
                    if fails {
                        player.compute_only(&[(id, &content, tokens)]).unwrap();
                        player.cache.truncate(id, usize::MAX).unwrap();
                    } else {
                        player.step(&[(id, &content, tokens)]).unwrap();
                        sequences[which % count].1 = model;
                    }
                }
                Operation::Fork(which, share) => {
                    let (id, mut model) = sequences[which % count].clone();
                    let length = model.tokens.len() * share / 100;
                    model.tokens.truncate(length);
                    model.pages.truncate(length.div_ceil(64));
                    sequences.push((player.cache.fork(id, length).unwrap(), model));
                }
                Operation::Truncate(which, share) => {
                    let (id, model) = &mut sequences[which % count];
                    let length = model.tokens.len() * share / 100;
                    model.tokens.truncate(length);
                    model.pages.truncate(length.div_ceil(64));
                    player.cache.truncate(*id, length).unwrap();
                }
                Operation::Close(which) => {
                    let (id, _) = sequences.swap_remove(which % count);
                    player.cache.close(id);
                }
                Operation::SaveAndRestore(which, share) => {
                    let (id, mut model) = sequences[which % count].clone();
                    let length = model.tokens.len() * share / 100;
                    model.tokens.truncate(length);
                    model.pages = (0..length.div_ceil(64)).map(|_| name() as usize).collect();
                    let bytes = player.cache.save(id, length).unwrap();
                    sequences.push((player.cache.restore(&bytes).unwrap(), model));
                }
            }
            let mut pages: Vec<_> = sequences.iter().flat_map(|(_, model)| model.pages.clone()).collect();
            pages.sort_unstable();
            pages.dedup();
            prop_assert_eq!(player.cache.used_bytes(), pages.len() * page_bytes);
        }
        for (id, model) in &sequences {
            prop_assert_eq!(player.cache.length(*id).unwrap(), model.tokens.len());
            let mut fresh = self::player(&settings, TYPES[kind], isa);
            let other = fresh.cache.open();
            fresh.rest(other, &data(&settings, &model.tokens), 512);
            prop_assert!(
                player.cache.save(*id, model.tokens.len()).unwrap() == fresh.cache.save(other, model.tokens.len()).unwrap(),
                "content of a sequence"
            );
        }
    }
}
