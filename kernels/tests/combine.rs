//! Element-wise operators against f64 and against themselves with other threads.

use rivulet_kernels::combine::{add, multiply_columns, scale, softcap};
use rivulet_kernels::isa::Isa;
use rivulet_kernels::pool::Pool;

fn values(length: usize) -> Vec<f32> {
    (0..length).map(|index| (index as f32 * 0.7311).sin() * 50.0).collect()
}

/// Runs with several instruction sets and numbers of threads, on short and long inputs; all must agree.
fn check(operator: impl Fn(&rivulet_kernels::pool::Team<'_>, Isa, &mut [f32]), expected: impl Fn(usize, f32) -> f64) {
    for length in [0, 21, 7 * 6_003] {
        let input = values(length);
        let mut first: Option<Vec<f32>> = None;
        for isa in Isa::available() {
            for threads in [1, 2, 3] {
                let mut output = input.clone();
                operator(&Pool::global().team(threads), isa, &mut output);
                for (index, (found, input)) in output.iter().zip(&input).enumerate() {
                    let exact = expected(index, *input);
                    assert!(
                        (f64::from(*found) - exact).abs() <= 4e-7 * exact.abs(),
                        "{found} {exact}"
                    );
                }
                assert_eq!(*first.get_or_insert_with(|| output.clone()), output);
            }
        }
    }
}

#[test]
fn sums() {
    check(
        |team, isa, output| {
            let left = output.to_vec();
            let right: Vec<f32> = left.iter().map(|value| value * 0.3 + 1.0).collect();
            add(team, isa, &left, &right, output);
        },
        |_, x| f64::from(x + (x * 0.3 + 1.0)),
    );
}

#[test]
fn factors() {
    check(
        |team, isa, output| scale(team, isa, output, 0.37),
        |_, x| f64::from(x) * f64::from(0.37f32),
    );
    let columns = [1.0, 0.5, -2.0, 3.0, 0.1, 7.0, -1.0];
    check(
        |team, isa, output| multiply_columns(team, isa, output, &columns),
        |index, x| f64::from(x) * f64::from(columns[index % 7]),
    );
}

#[test]
fn caps() {
    for cap in [1.0f32, 30.0, 1000.0] {
        check(
            |team, isa, output| softcap(team, isa, output, cap),
            |_, x| f64::from(cap) * (f64::from(x) / f64::from(cap)).tanh(),
        );
    }
}
