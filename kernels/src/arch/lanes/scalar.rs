use half::f16;

use crate::arch::lanes::{Kernel, LANES, Lanes};

/// Lanes in plain Rust: the reference of all others.
#[derive(Clone, Copy, Debug)]
pub struct ScalarLanes;

type Vector = [f32; LANES];

#[inline(always)]
fn each(mut value: impl FnMut(usize) -> f32) -> Vector {
    let mut result = [0.0; LANES];
    for (lane, result) in result.iter_mut().enumerate() {
        *result = value(lane);
    }
    result
}

#[inline(always)]
fn fold(vector: Vector, join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut values = vector;
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            values[lane] = join(values[lane], values[lane + width]);
        }
        width /= 2;
    }
    values[0]
}

impl Lanes for ScalarLanes {
    type Vector = Vector;
    type Wide = [f64; LANES];

    const REGISTERS: usize = 16;

    #[inline(never)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn prefetch(self, _: &[u8], _: usize) {}

    #[inline(always)]
    fn splat(self, value: f32) -> Vector {
        [value; LANES]
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Vector {
        *from
    }

    #[inline(always)]
    fn store(self, vector: Vector, to: &mut [f32; LANES]) {
        *to = vector;
    }

    #[inline(always)]
    fn load_f32(self, from: &[u8; 4 * LANES]) -> Vector {
        let values = from.as_chunks().0;
        each(|lane| f32::from_le_bytes(values[lane]))
    }

    #[inline(always)]
    fn load_f16(self, from: &[u8; 2 * LANES]) -> Vector {
        let values = from.as_chunks().0;
        each(|lane| f16::from_le_bytes(values[lane]).to_f32())
    }

    #[inline(always)]
    fn splat_f16(self, from: &[u8; 2]) -> Vector {
        [f16::from_le_bytes(*from).to_f32(); LANES]
    }

    #[inline(always)]
    fn load_i8(self, from: &[u8; LANES]) -> Vector {
        each(|lane| f32::from(from[lane] as i8))
    }

    #[inline(always)]
    fn load_low_nibbles(self, from: &[u8; LANES]) -> Vector {
        each(|lane| f32::from((from[lane] & 15) as i8 - 8))
    }

    #[inline(always)]
    fn load_high_nibbles(self, from: &[u8; LANES]) -> Vector {
        each(|lane| f32::from((from[lane] >> 4) as i8 - 8))
    }

    #[inline(always)]
    fn add(self, a: Vector, b: Vector) -> Vector {
        each(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    fn sub(self, a: Vector, b: Vector) -> Vector {
        each(|lane| a[lane] - b[lane])
    }

    #[inline(always)]
    fn mul(self, a: Vector, b: Vector) -> Vector {
        each(|lane| a[lane] * b[lane])
    }

    #[inline(always)]
    fn div(self, a: Vector, b: Vector) -> Vector {
        each(|lane| a[lane] / b[lane])
    }

    #[inline(always)]
    fn fma(self, a: Vector, b: Vector, c: Vector) -> Vector {
        each(|lane| a[lane].mul_add(b[lane], c[lane]))
    }

    #[inline(always)]
    fn max(self, a: Vector, b: Vector) -> Vector {
        each(|lane| if a[lane] > b[lane] { a[lane] } else { b[lane] })
    }

    #[inline(always)]
    fn select_less(self, a: Vector, b: Vector, yes: Vector, no: Vector) -> Vector {
        each(|lane| if a[lane] < b[lane] { yes[lane] } else { no[lane] })
    }

    #[inline(always)]
    fn at_least(self, a: Vector, b: Vector) -> u16 {
        (0..LANES).fold(0, |bits, lane| bits | u16::from(a[lane] >= b[lane]) << lane)
    }

    #[inline(always)]
    fn select_bits(self, bits: u16, yes: Vector, no: Vector) -> Vector {
        each(|lane| if bits >> lane & 1 == 1 { yes[lane] } else { no[lane] })
    }

    #[inline(always)]
    fn power_of_two(self, shifted: Vector) -> Vector {
        each(|lane| f32::from_bits((shifted[lane].to_bits() << 23).wrapping_add(1.0f32.to_bits())))
    }

    #[inline(always)]
    fn sum(self, vector: Vector) -> f32 {
        fold(vector, |a, b| a + b)
    }

    #[inline(always)]
    fn wide_zeros(self) -> [f64; LANES] {
        [0.0; LANES]
    }

    #[inline(always)]
    fn add_wide(self, sums: [f64; LANES], x: Vector) -> [f64; LANES] {
        std::array::from_fn(|lane| sums[lane] + f64::from(x[lane]))
    }

    #[inline(always)]
    fn add_squares(self, sums: [f64; LANES], x: Vector, center: f64) -> [f64; LANES] {
        std::array::from_fn(|lane| {
            let distance = f64::from(x[lane]) - center;
            sums[lane] + distance * distance
        })
    }

    #[inline(always)]
    fn store_wide(self, wide: [f64; LANES]) -> [f64; LANES] {
        wide
    }

    #[inline(always)]
    fn largest(self, vector: Vector) -> f32 {
        fold(vector, |a, b| if a > b { a } else { b })
    }
}
