use super::choose::Routing;
use super::request::RouterSettings;

/// The routing turned round: which tokens go to which expert.
pub struct Experts {
    /// Sorted by expert, then by token.
    pairs: Vec<Pair>,
    /// (experts + 1,): where the pairs of each begin.
    starts: Vec<usize>,
}

/// A token at one of its experts.
#[derive(Clone, Copy)]
pub struct Pair {
    pub token: u32,
    pub weight: f32,
}

impl Experts {
    pub fn new(settings: &RouterSettings, routing: &Routing) -> Self {
        let mut starts = vec![0; settings.experts + 1];
        for expert in &routing.experts {
            starts[*expert as usize + 1] += 1;
        }
        for expert in 0..settings.experts {
            starts[expert + 1] += starts[expert];
        }
        let mut next = starts.clone();
        let nothing = Pair { token: 0, weight: 0.0 };
        let mut pairs = vec![nothing; routing.experts.len()];
        for (index, (expert, weight)) in routing.experts.iter().zip(&routing.weights).enumerate() {
            let place = &mut next[*expert as usize];
            pairs[*place] = Pair {
                token: (index / settings.used) as u32,
                weight: *weight,
            };
            *place += 1;
        }
        Self { pairs, starts }
    }

    /// Those with tokens, in their order.
    pub fn busy(&self) -> impl Iterator<Item = (usize, &[Pair])> {
        self.starts
            .windows(2)
            .enumerate()
            .filter(|(_, range)| range[0] < range[1])
            .map(|(expert, range)| (expert, &self.pairs[range[0]..range[1]]))
    }
}
