use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::ahead::Ahead;

/// How long a worker looks for the next region before it sleeps: longer than the gaps inside a step (some µs),
/// shorter than what an idle process would notice.
const SPIN: Duration = Duration::from_micros(50);
/// Clock readings cost more than looks at a flag.
const LOOKS_PER_CLOCK: u32 = 256;
/// Lines of memory that are asked for between two looks.
const LINES_PER_LOOK: usize = 4;
/// A caller that waits longer for its workers lets others run: a worker has lost its core.
const LOOKS_BEFORE_YIELD: u32 = 20_000;

/// Part `index` of `count` of a region.
type Region<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// On a line of its own: two, as processors fetch lines in pairs.
#[repr(align(128))]
struct Line<T>(T);

struct Worker {
    /// Counts regions; the worker runs one whenever it changes.
    epoch: Line<AtomicU32>,
    /// The epoch that the worker has finished.
    done: Line<AtomicU32>,
    sleeping: AtomicBool,
    panicked: AtomicBool,
    job: UnsafeCell<Job>,
    thread: OnceLock<Thread>,
}

#[derive(Clone, Copy)]
struct Job {
    /// Lifetime erased: `Team::run` does not return before the worker is done with it.
    region: Option<*const (dyn Fn(usize, usize) + Sync)>,
    index: usize,
    count: usize,
    /// What the worker fetches while it waits for the next region.
    ahead: Ahead,
}

// SAFETY: `job` is written only by the team's owner while the worker waits (done == epoch), and read by the worker
// only after it has seen the next epoch, which is stored after the write (release/acquire).
unsafe impl Sync for Worker {}
// SAFETY: as above; nothing in it is bound to a thread.
unsafe impl Send for Worker {}

/// The threads of the process that compute. One team uses them at a time.
pub struct Pool {
    workers: Mutex<Vec<Arc<Worker>>>,
}

/// The right to run regions on the pool's threads, held for a step.
pub struct Team<'a> {
    workers: MutexGuard<'a, Vec<Arc<Worker>>>,
    /// Threads that take part, the caller's included.
    threads: usize,
}

impl Pool {
    /// The one pool of this process; threads start when first asked for and sleep while there is nothing to do.
    pub fn global() -> &'static Self {
        static POOL: Pool = Pool {
            workers: Mutex::new(Vec::new()),
        };
        &POOL
    }

    /// Waits until no other team runs, then lends up to `threads` threads, the caller's included.
    pub fn team(&self, threads: usize) -> Team<'_> {
        // Workers stay usable after a region panicked: the panic was caught and told to its caller.
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        while workers.len() + 1 < threads {
            match start_worker(workers.len()) {
                Some(worker) => workers.push(worker),
                None => break,
            }
        }
        let threads = threads.clamp(1, workers.len() + 1);
        Team { workers, threads }
    }
}

impl Team<'_> {
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// What each thread reads after the next region, as far as is known; workers fetch it while they wait. Panics inside
    /// of a region.
    pub fn fetch_ahead(&self, ahead: &[Ahead]) {
        for (worker, ahead) in self.workers.iter().zip(ahead.iter().skip(1)) {
            let begun = worker.epoch.0.load(Ordering::Relaxed);
            assert_eq!(worker.done.0.load(Ordering::Acquire), begun, "a region runs");
            // SAFETY: between two regions the worker is idle, so nobody reads the cell.
            unsafe { (*worker.job.get()).ahead = *ahead };
        }
    }

    /// Calls `region(index, count)` once per thread, index 0 in the caller's; returns when all are done.
    /// Panics when one of them did.
    pub fn run(&self, region: Region<'_>) {
        let count = self.threads;
        if count == 1 {
            return region(0, 1);
        }
        let erased: *const (dyn Fn(usize, usize) + Sync + '_) = region;
        // SAFETY: only the lifetime changes; the wait below outlives every use by a worker.
        let erased: *const (dyn Fn(usize, usize) + Sync + 'static) = unsafe { std::mem::transmute(erased) };
        let helpers = &self.workers[..count - 1];
        for (index, worker) in helpers.iter().enumerate() {
            // SAFETY: the worker is idle (its last region was waited for), so nobody reads the cell.
            unsafe {
                let job = worker.job.get();
                *job = Job {
                    region: Some(erased),
                    index: index + 1,
                    count,
                    ahead: (*job).ahead,
                };
            }
            let next = worker.epoch.0.load(Ordering::Relaxed).wrapping_add(1);
            worker.epoch.0.store(next, Ordering::Release);
            // Its like stands between the worker's writing `sleeping` and reading `epoch`: one of us sees the other.
            // A fence, as qemu on x86-64 does not order an ARM64 release store with a later acquiring load.
            fence(Ordering::SeqCst);
            if worker.sleeping.load(Ordering::Relaxed)
                && let Some(thread) = worker.thread.get()
            {
                thread.unpark();
            }
        }
        let own = catch_unwind(AssertUnwindSafe(|| region(0, count)));
        let mut panicked = false;
        for worker in helpers {
            let wanted = worker.epoch.0.load(Ordering::Relaxed);
            let mut looks = 0u32;
            while worker.done.0.load(Ordering::Acquire) != wanted {
                looks += 1;
                if looks > LOOKS_BEFORE_YIELD {
                    thread::yield_now();
                } else {
                    std::hint::spin_loop();
                }
            }
            panicked |= worker.panicked.swap(false, Ordering::Relaxed);
        }
        match own {
            Err(payload) => std::panic::resume_unwind(payload),
            Ok(()) => assert!(!panicked, "a thread of the pool panicked"),
        }
    }

    /// Splits `units` into one range per thread, multiples of `grain` where possible, and runs them.
    pub fn split(&self, units: usize, grain: usize, body: &(dyn Fn(std::ops::Range<usize>) + Sync)) {
        let grains = units.div_ceil(grain);
        self.run(&|index, count| {
            let first = grains * index / count * grain;
            let last = (grains * (index + 1) / count * grain).min(units);
            if first < last {
                body(first..last);
            }
        });
    }

    /// As [`Team::split`] over the rows of `values`, (nRows, width), of which every thread gets its own to write.
    pub fn split_slice<T: Send>(
        &self,
        values: &mut [T],
        width: usize,
        grain: usize,
        body: &(dyn Fn(std::ops::Range<usize>, &mut [T]) + Sync),
    ) {
        assert!(width > 0 && values.len().is_multiple_of(width));
        let rows = values.len() / width;
        let start = Start(values.as_mut_ptr());
        self.split(rows, grain, &|range| {
            // SAFETY: `split` gives every thread a range of its own within the rows, so no two slices overlap, and
            // `values` is borrowed until all are done.
            let part = unsafe { std::slice::from_raw_parts_mut(start.row(range.start, width), range.len() * width) };
            body(range, part);
        });
    }
}

/// The begin of a slice whose rows threads share out among themselves.
struct Start<T>(*mut T);

impl<T> Start<T> {
    /// # Safety
    /// The row begins within the slice.
    unsafe fn row(&self, index: usize, width: usize) -> *mut T {
        // SAFETY: as the caller promises.
        unsafe { self.0.add(index * width) }
    }
}

// SAFETY: `Team::split_slice` makes slices of it that do not overlap; what they hold may be sent to other threads.
unsafe impl<T: Send> Sync for Start<T> {}

/// None when the system gives no more threads: the team is smaller then.
fn start_worker(index: usize) -> Option<Arc<Worker>> {
    let worker = Arc::new(Worker {
        epoch: Line(AtomicU32::new(0)),
        done: Line(AtomicU32::new(0)),
        sleeping: AtomicBool::new(false),
        panicked: AtomicBool::new(false),
        job: UnsafeCell::new(Job {
            region: None,
            index: 0,
            count: 0,
            ahead: Ahead::default(),
        }),
        thread: OnceLock::new(),
    });
    let own = Arc::clone(&worker);
    let handle = thread::Builder::new()
        .name(format!("rivulet-{}", index + 1))
        .spawn(move || work(&own))
        .ok()?;
    // The handle is not joined: the pool lives as long as the process.
    let _ = worker.thread.set(handle.thread().clone());
    Some(worker)
}

fn work(worker: &Worker) {
    let mut seen = 0u32;
    let mut given = Ahead::default();
    let mut ahead = given;
    loop {
        seen = next_epoch(worker, seen, &mut ahead);
        // SAFETY: the epoch changed after the job was written, and it is not written again before `done`.
        let job = unsafe { *worker.job.get() };
        if let Some(region) = job.region {
            // SAFETY: the caller of `Team::run` keeps the region alive until `done` is stored.
            let region = unsafe { &*region };
            if catch_unwind(AssertUnwindSafe(|| region(job.index, job.count))).is_err() {
                worker.panicked.store(true, Ordering::Relaxed);
            }
        }
        if job.ahead != given {
            given = job.ahead;
            ahead = given;
        }
        worker.done.0.store(seen, Ordering::Release);
    }
}

/// Waits for an epoch other than `seen`: first looking, then sleeping.
fn next_epoch(worker: &Worker, seen: u32, ahead: &mut Ahead) -> u32 {
    let mut start = None;
    loop {
        for _ in 0..LOOKS_PER_CLOCK {
            let epoch = worker.epoch.0.load(Ordering::Acquire);
            if epoch != seen {
                return epoch;
            }
            if !ahead.fetch(LINES_PER_LOOK) {
                std::hint::spin_loop();
            }
        }
        let now = Instant::now();
        if now - *start.get_or_insert(now) < SPIN {
            continue;
        }
        worker.sleeping.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        while worker.epoch.0.load(Ordering::Acquire) == seen {
            thread::park();
        }
        worker.sleeping.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn pool() -> Pool {
        Pool {
            workers: Mutex::new(Vec::new()),
        }
    }

    #[test]
    fn every_part_runs_once_in_every_region() {
        let pool = pool();
        for threads in [1, 2, 3, 5] {
            let team = pool.team(threads);
            for _ in 0..1000 {
                let sum = AtomicUsize::new(0);
                team.run(&|index, count| {
                    assert_eq!(count, threads);
                    sum.fetch_add(index + 1, Ordering::Relaxed);
                });
                assert_eq!(sum.into_inner(), threads * (threads + 1) / 2);
            }
        }
    }

    #[test]
    fn workers_that_sleep_wake_up() {
        let pool = pool();
        for _ in 0..20 {
            let count = AtomicUsize::new(0);
            pool.team(2).run(&|_, _| {
                count.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(count.into_inner(), 2);
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn ranges_cover_everything_once() {
        let pool = pool();
        let team = pool.team(3);
        for units in [0, 1, 15, 16, 17, 48, 100] {
            let hits: Vec<_> = (0..units).map(|_| AtomicUsize::new(0)).collect();
            team.split(units, 16, &|range| {
                assert_eq!(range.start % 16, 0);
                for unit in range {
                    hits[unit].fetch_add(1, Ordering::Relaxed);
                }
            });
            assert!(hits.iter().all(|hit| hit.load(Ordering::Relaxed) == 1), "{units}");
        }
    }

    #[test]
    fn threads_write_their_own_rows() {
        let pool = pool();
        let team = pool.team(3);
        for rows in [0, 1, 2, 3, 16, 101] {
            let mut values = vec![0usize; rows * 5];
            team.split_slice(&mut values, 5, 2, &|range, part| {
                assert_eq!(part.len(), range.len() * 5);
                for (row, part) in range.zip(part.chunks_exact_mut(5)) {
                    part.fill(row + 1);
                }
            });
            assert!(values.iter().enumerate().all(|(index, value)| *value == index / 5 + 1));
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
        let pool = pool();
        for guilty in [0, 1] {
            let team = pool.team(2);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                team.run(&|index, _| assert_ne!(index, guilty, "as the test wants"));
            }));
            assert!(outcome.is_err());
            team.run(&|_, _| {});
        }
    }

    #[test]
    fn teams_of_several_callers_take_turns() {
        let pool = pool();
        let inside = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let team = pool.team(2);
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        team.run(&|_, _| {});
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
    }
}
