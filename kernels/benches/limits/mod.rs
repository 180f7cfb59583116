//! What bounds a kernel, measured beside it: reading its bytes, multiplying in registers.

mod table;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use rivulet_kernels::isa::Isa;
use rivulet_kernels::pool::{Pool, Team};

pub use table::Table;

/// Independent sums, enough to hide the latency of an instruction.
const CHAINS: usize = 12;
/// Rounds of `CHAINS` instructions per measurement of a peak: some 30 us.
const ROUNDS: usize = 10_000;

#[derive(Clone, Copy, PartialEq)]
pub enum Limit {
    /// Bytes per second of a plain loop over as many bytes.
    Read,
    /// Operations per second of dot products of bytes; a multiplication and an addition are two.
    Whole,
    /// The same of f32.
    Float,
}

/// A kernel with one set of arguments.
pub trait Case {
    fn run(&mut self, team: &Team<'_>);
}

/// What a case is compared with.
pub struct Against<'a> {
    pub limit: Limit,
    /// Of one run of the case: bytes or operations.
    pub amount: usize,
    /// Bytes to read for [`Limit::Read`].
    pub memory: &'a [u8],
}

pub fn configured() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .nresamples(1000)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(200))
        .without_plots()
}

/// Measures a case on all threads and, in turns with it, what bounds it. The case is made when the filter wants it.
pub fn measure<C: Case>(
    criterion: &mut Criterion,
    table: &mut Table,
    [kind, isa, name]: [&str; 3],
    against: &Against<'_>,
    of: Isa,
    make: impl FnOnce(&Team<'_>) -> C,
) {
    let team = Pool::global().team(std::thread::available_parallelism().map_or(1, usize::from));
    let mut make = Some(make);
    let case = RefCell::new(None);
    let mut best = [f64::MAX; 2];
    let mut group = criterion.benchmark_group(kind);
    group.sampling_mode(SamplingMode::Flat);
    group.throughput(match against.limit {
        Limit::Read => Throughput::Bytes(against.amount as u64),
        _ => Throughput::Elements(against.amount as u64),
    });
    group.bench_function(BenchmarkId::new(isa, name), |bencher| {
        let mut case = case.borrow_mut();
        if let Some(make) = make.take() {
            let mut made = make(&team);
            // The first run gives the scratch its size.
            made.run(&team);
            *case = Some(made);
        }
        let Some(case) = case.as_mut() else { return };
        bencher.iter_custom(|runs| {
            let mut total = Duration::ZERO;
            for _ in 0..runs {
                let start = Instant::now();
                case.run(&team);
                let time = start.elapsed();
                total += time;
                best[0] = best[0].min(time.as_secs_f64() / against.amount as f64);
                best[1] = best[1].min(seconds_of_limit(&team, against, of));
            }
            total
        });
    });
    group.finish();
    if best[0] < f64::MAX {
        table.add(kind, isa, name, 1.0 / best[0], 1.0 / best[1]);
    }
}

/// Per byte or operation.
fn seconds_of_limit(team: &Team<'_>, against: &Against<'_>, isa: Isa) -> f64 {
    let start = Instant::now();
    let amount = if against.limit == Limit::Read {
        read(team, against.memory);
        against.memory.len()
    } else {
        let Some((rounds, operations)) = peak(isa, against.limit == Limit::Float) else {
            return f64::MAX;
        };
        team.run(&|_, _| rounds(ROUNDS));
        ROUNDS * CHAINS * operations * team.threads()
    };
    start.elapsed().as_secs_f64() / amount as f64
}

/// Reads all bytes on all threads.
fn read(team: &Team<'_>, bytes: &[u8]) {
    team.split(bytes.len(), 4096, &|range| {
        let mut all = [0u64; 16];
        for words in bytes[range].as_chunks::<128>().0 {
            for (all, word) in all.iter_mut().zip(words.as_chunks::<8>().0) {
                *all |= u64::from_ne_bytes(*word);
            }
        }
        black_box(all);
    });
}

/// Rounds of the instruction that products are made of, and the operations of one such instruction; none where no
/// instruction bounds the kernels.
fn peak(isa: Isa, is_float: bool) -> Option<(fn(usize), usize)> {
    match (isa, is_float) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: only instruction sets that the processor has are measured.
        (Isa::Avx512, false) => Some((|rounds| unsafe { x86::dots_512(rounds) }, 128)),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        (Isa::Avx512, true) => Some((|rounds| unsafe { x86::products_512(rounds) }, 32)),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        (Isa::Avx2, false) => Some((|rounds| unsafe { x86::dots_256(rounds) }, 64)),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        (Isa::Avx2, true) => Some((|rounds| unsafe { x86::products_256(rounds) }, 16)),
        _ => None,
    }
}
