use super::request::Product;
use super::share::share_start;
use crate::ahead::Ahead;

/// The products of a step in their order. A graph asks for the same ones again and again, so what was next in the last
/// step is next in this one; where it is not, some lines are fetched for nothing.
#[derive(Default)]
pub(super) struct Route {
    calls: Vec<Call>,
    /// Calls of this step so far.
    at: usize,
}

struct Call {
    key: Key,
    /// What each thread reads first.
    shares: Vec<Ahead>,
}

/// Of two calls that read the same: address and bytes of the first weight, threads.
#[derive(PartialEq)]
struct Key(usize, usize, usize);

impl Route {
    /// A step begins.
    pub fn restart(&mut self) {
        self.calls.truncate(self.at);
        self.at = 0;
    }

    /// Tells of a call, and what its threads are expected to read after it.
    pub fn enter(&mut self, products: &[Product<'_>], threads: usize) -> &[Ahead] {
        let first = products[0].weight.matrix.bytes();
        let key = Key(first.as_ptr().addr(), first.len(), threads);
        match self.calls.get_mut(self.at) {
            Some(call) if call.key == key => {}
            Some(call) => *call = Call::new(key, products),
            None => self.calls.push(Call::new(key, products)),
        }
        self.at += 1;
        let next = self.calls.get(self.at).or(self.calls.first());
        next.map_or(&[], |call| &call.shares)
    }
}

impl Call {
    fn new(key: Key, products: &[Product<'_>]) -> Self {
        let shares = (0..key.2)
            .map(|index| {
                let (first, row) = share_start(products, index, key.2);
                let mut ahead = Ahead::default();
                for (number, product) in products.iter().enumerate().skip(first) {
                    let from = if number == first { row } else { 0 };
                    for weight in product.weights() {
                        let rest = weight.matrix.slice(from, product.rows() - from);
                        ahead.push(rest.bytes());
                    }
                }
                ahead
            })
            .collect();
        Self { key, shares }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;
    use crate::linear::LinearWeight;
    use crate::matrix::Matrix;

    #[test]
    fn what_came_next_in_the_last_step_is_expected_again() {
        let memory = vec![0u8; 3 * 34 * 64];
        let products: Vec<_> = (memory.chunks_exact(34 * 64))
            .map(|bytes| Product {
                weight: LinearWeight {
                    matrix: Matrix::new(Format::Q8_0, 64, 32, bytes).expect("a matrix"),
                    bias: None,
                },
                up: None,
            })
            .collect();
        let shares = |index: usize| Call::new(Key(0, 0, 2), &products[index..=index]).shares;
        let mut route = Route::default();
        let mut step = |order: &[usize]| -> Vec<Vec<Ahead>> {
            route.restart();
            order
                .iter()
                .map(|&index| route.enter(&products[index..=index], 2).to_vec())
                .collect()
        };
        step(&[0, 1, 2]);
        assert_eq!(step(&[0, 1, 2]), [shares(1), shares(2), shares(0)]);
        // Another way: what is expected is wrong once, then right.
        assert_eq!(step(&[0, 2, 1]), [shares(1), shares(2), shares(0)]);
        assert_eq!(step(&[0, 2, 1]), [shares(2), shares(1), shares(0)]);
        assert_eq!(step(&[0, 2]), [shares(2), shares(1)]);
        assert_eq!(step(&[0, 2]), [shares(2), shares(0)]);
    }
}
