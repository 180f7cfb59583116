use super::{BLOCK, Penalties};

/// Bias and penalties of single tokens, written into a row, with what was there before.
pub struct Adjustment {
    /// In the order of writing; an id may occur more than once.
    previous: Vec<(usize, f32)>,
}

impl Adjustment {
    pub fn apply(row: &mut [f32], bias: &[(i32, f32)], penalties: Option<Penalties<'_>>) -> Self {
        let mut previous = Vec::with_capacity(bias.len() + penalties.map_or(0, |penalties| penalties.ids.len()));
        let mut change = |id: i32, change: &dyn Fn(f32) -> f32| {
            let Ok(id) = usize::try_from(id) else { return };
            if let Some(logit) = row.get_mut(id) {
                previous.push((id, *logit));
                *logit = change(*logit);
            }
        };
        for (id, value) in bias {
            // Infinite biases win over infinite logits, whose sum would be NaN.
            change(*id, &|logit| if value.is_finite() { logit + value } else { *value });
        }
        if let Some(penalties) = penalties {
            for (id, count) in penalties.ids.iter().zip(penalties.counts) {
                if *count > 0 {
                    change(*id, &|logit| penalized(logit, *count, &penalties));
                }
            }
        }
        Self { previous }
    }

    /// Blocks of the row that hold changed logits.
    pub fn blocks(&self) -> impl Iterator<Item = usize> {
        self.previous.iter().map(|(id, _)| id / BLOCK)
    }

    pub fn undo(self, row: &mut [f32]) {
        for (id, logit) in self.previous.into_iter().rev() {
            row[id] = logit;
        }
    }
}

/// llama.cpp's `llama_sampler_penalties_apply`.
fn penalized(logit: f32, count: i32, penalties: &Penalties<'_>) -> f32 {
    let repeated = if logit <= 0.0 {
        logit * penalties.repeat
    } else {
        logit / penalties.repeat
    };
    repeated - (count as f32 * penalties.frequency + penalties.presence)
}
