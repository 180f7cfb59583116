//! `transcendental`'s functions on lanes, where the compiler's vectorizer would not see a loop.

use crate::arch::lanes::Lanes;

const LOWEST: f32 = -87.3365;
const TO_WHOLE: f32 = 12_582_912.0;
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// The operations of `transcendental::exp_of_negative`, so the same bits: e^x for x <= 0, exactly 1 at 0.
#[inline(always)]
pub fn exponential<L: Lanes>(lanes: L, x: L::Vector) -> L::Vector {
    let lowest = lanes.splat(LOWEST);
    let to_whole = lanes.splat(TO_WHOLE);
    // `x` second: what is not a number passes.
    let raised = lanes.max(lowest, x);
    let shifted = lanes.fma(raised, lanes.splat(std::f32::consts::LOG2_E), to_whole);
    let whole = lanes.sub(shifted, to_whole);
    let rest = lanes.fma(whole, lanes.splat(-LN_2_HIGH), raised);
    let rest = lanes.fma(whole, lanes.splat(-LN_2_LOW), rest);
    let mut series = lanes.splat(1.381_454e-3);
    series = lanes.fma(series, rest, lanes.splat(8.368_745e-3));
    series = lanes.fma(series, rest, lanes.splat(4.166_839e-2));
    series = lanes.fma(series, rest, lanes.splat(1.666_652_1e-1));
    series = lanes.fma(series, rest, lanes.splat(4.999_999_4e-1));
    let power = lanes.power_of_two(shifted);
    let less_one = lanes.fma(lanes.mul(rest, rest), series, rest);
    let value = lanes.fma(less_one, power, power);
    lanes.select_less(x, lowest, lanes.splat(0.0), value)
}

/// tanh of any x; its absolute error is below 3e-7, the relative one is not small near 0.
#[inline(always)]
pub fn hyperbolic_tangent<L: Lanes>(lanes: L, x: L::Vector) -> L::Vector {
    let zero = lanes.splat(0.0);
    let one = lanes.splat(1.0);
    let doubled = lanes.add(x, x);
    let falling = lanes.select_less(x, zero, doubled, lanes.sub(zero, doubled));
    let tail = exponential(lanes, falling);
    let size = lanes.div(lanes.sub(one, tail), lanes.add(one, tail));
    lanes.select_less(x, zero, lanes.sub(zero, size), size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::lanes::{Kernel, LANES, run};
    use crate::isa::Isa;
    use crate::transcendental::exp_of_negative;

    struct Both<'a>(&'a [f32; LANES]);

    impl Kernel for Both<'_> {
        type Output = [[f32; LANES]; 2];

        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> Self::Output {
            let mut results = [[0.0; LANES]; 2];
            let x = lanes.load(self.0);
            lanes.store(exponential(lanes, x), &mut results[0]);
            lanes.store(hyperbolic_tangent(lanes, x), &mut results[1]);
            results
        }
    }

    fn inputs() -> impl Iterator<Item = [f32; LANES]> {
        let edges = [
            0.0,
            -0.0,
            -1e-30,
            -1.0,
            -87.3365,
            -87.34,
            -87.33,
            -1e30,
            f32::NEG_INFINITY,
            -0.3465,
            -0.3467,
        ];
        let mut padded = [-0.5; LANES];
        padded[..edges.len()].copy_from_slice(&edges);
        let grid = (0..20_000).map(|step| std::array::from_fn(|lane| -90.0 / 320_000.0 * (step * LANES + lane) as f32));
        std::iter::once(padded).chain(grid)
    }

    #[test]
    fn every_instruction_set_gives_the_bits_of_the_scalar_function() {
        for x in inputs() {
            for isa in Isa::available() {
                assert_eq!(
                    run(isa, Both(&x))[0].map(f32::to_bits),
                    x.map(|x| exp_of_negative(x).to_bits()),
                    "{isa:?}"
                );
                assert_eq!(run(isa, Both(&x))[1], run(Isa::Scalar, Both(&x))[1], "{isa:?}");
            }
        }
        for isa in Isa::available() {
            assert!(
                run(isa, Both(&[f32::NAN; LANES]))
                    .iter()
                    .flatten()
                    .all(|value| value.is_nan())
            );
        }
    }

    #[test]
    fn tangents_are_close_to_the_exact_ones() {
        for x in inputs() {
            for x in [x, x.map(|x| -x)] {
                for (x, found) in x.iter().zip(run(Isa::Scalar, Both(&x))[1]) {
                    assert!(
                        (f64::from(*x).tanh() - f64::from(found)).abs() < 3e-7,
                        "tanh {x} = {found}"
                    );
                }
            }
        }
    }
}
