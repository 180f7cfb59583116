use crate::activate::{Activation, GateLimits};
use crate::cancel::Cancel;
use crate::error::{Error, ErrorCode, Result};
use crate::isa::Isa;
use crate::linear::LinearWeight;
use crate::matrix::Matrix;

/// From logits to scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouterGate {
    Softmax,
    Sigmoid,
    /// The logits choose; softmax over the chosen ones gives the weights.
    SoftmaxChosen,
}

/// Only the experts of the best groups take part; a group is scored by the sum of its two best experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups {
    pub count: usize,
    /// Groups per token.
    pub used: usize,
}

/// How a mixture chooses among its experts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RouterSettings {
    pub experts: usize,
    /// Experts per token.
    pub used: usize,
    pub gate: RouterGate,
    pub groups: Option<Groups>,
    /// The chosen weights are divided by their sum (at least 2^-14).
    pub normalizes: bool,
    /// Multiplies the weights.
    pub scale: f32,
}

/// A matrix for each expert, one below the other.
#[derive(Clone, Copy, Debug)]
pub struct ExpertWeight<'a> {
    /// (experts * rows, columns)
    pub matrix: Matrix<'a>,
    /// (experts,) multiply the products, before the bias.
    pub scales: Option<&'a [f32]>,
    /// (experts, rows)
    pub bias: Option<&'a [f32]>,
}

/// The weighted sum of what the chosen experts make of each token.
#[derive(Clone, Copy)]
pub struct MixtureRequest<'a> {
    pub isa: Isa,
    pub cancel: &'a Cancel,
    /// (nTokens, columns)
    pub input: &'a [f32],
    pub tokens: usize,
    /// (nTokens, experts): what the router says, before any function.
    pub logits: &'a [f32],
    /// (experts,) added to the scores for choosing, not for weighing.
    pub selection_bias: Option<&'a [f32]>,
    pub router: RouterSettings,
    /// The weights multiply the experts' input instead of their output.
    pub weighs_input: bool,
    /// Gate and up; or one weight that holds gate, then up; or up alone, whose product is just activated.
    pub hidden: &'a [ExpertWeight<'a>],
    /// Whether the one hidden weight has twice the rows: gate, then up.
    pub holds_gate: bool,
    pub activation: Activation,
    pub limits: GateLimits,
    pub down: ExpertWeight<'a>,
}

impl<'a> ExpertWeight<'a> {
    pub(super) fn rows(&self, experts: usize) -> usize {
        self.matrix.rows() / experts
    }

    /// The matrix of one expert; with its bias unless that waits for the scale.
    pub(super) fn of(&self, expert: usize, experts: usize) -> LinearWeight<'a> {
        let rows = self.rows(experts);
        let bias = if self.scales.is_some() { None } else { self.bias };
        LinearWeight {
            matrix: self.matrix.slice(expert * rows, rows),
            bias: bias.map(|bias| &bias[expert * rows..(expert + 1) * rows]),
        }
    }

    /// What the products of an expert's matrix still lack.
    pub(super) fn scale(&self, expert: usize, products: &mut [f32]) {
        let Some(scales) = self.scales else { return };
        products.iter_mut().for_each(|value| *value *= scales[expert]);
        if let Some(bias) = self.bias {
            let rows = bias.len() / scales.len();
            for row in products.chunks_exact_mut(rows) {
                for (value, bias) in row.iter_mut().zip(&bias[expert * rows..]) {
                    *value += bias;
                }
            }
        }
    }

    fn check(&self, experts: usize, columns: usize) -> Result<()> {
        let rows = self.matrix.rows();
        expect(rows.is_multiple_of(experts) && self.matrix.columns() == columns, || {
            format!(
                "{experts} matrices of {columns} columns, found {rows} rows of {}",
                self.matrix.columns()
            )
        })?;
        for (what, found, wanted) in [("scales", self.scales, experts), ("biases", self.bias, rows)] {
            let length = found.map_or(wanted, <[f32]>::len);
            expect(length == wanted, || {
                format!("{wanted} {what} of experts, found {length}")
            })?;
        }
        Ok(())
    }
}

impl MixtureRequest<'_> {
    /// Columns of the input.
    pub(super) fn columns(&self) -> usize {
        self.hidden[0].matrix.columns()
    }

    /// Columns of what goes into the second matrix.
    pub(super) fn width(&self) -> usize {
        self.down.matrix.columns()
    }

    /// An error where the shapes do not fit.
    pub(super) fn check(&self, output: &[f32]) -> Result<()> {
        let experts = self.router.experts;
        self.router.check()?;
        expect(matches!(self.hidden.len(), 1 | 2), || {
            format!("one or two weights before the activation, found {}", self.hidden.len())
        })?;
        let (columns, width) = (self.columns(), self.width());
        self.down.check(experts, width)?;
        let halves = if self.holds_gate { 2 } else { 1 };
        for weight in self.hidden {
            weight.check(experts, columns)?;
            expect(
                weight.rows(experts) == halves * width && (self.hidden.len() == 1 || !self.holds_gate),
                || format!("{width} rows per expert, found {}", weight.rows(experts) / halves),
            )?;
        }
        let lengths = [
            ("input", self.input.len(), columns),
            ("logits", self.logits.len(), experts),
            ("output", output.len(), self.down.rows(experts)),
        ];
        for (what, length, per_token) in lengths {
            expect(self.tokens.checked_mul(per_token) == Some(length), || {
                format!("{what} of {} x {per_token} values, found {length}", self.tokens)
            })?;
        }
        let bias = self.selection_bias.map_or(experts, <[f32]>::len);
        expect(bias == experts, || format!("{experts} selection biases, found {bias}"))
    }
}

impl RouterSettings {
    fn check(&self) -> Result<()> {
        let Self { experts, used, .. } = *self;
        expect((1..=experts).contains(&used), || {
            format!("to use 1 to {experts} experts, found {used}")
        })?;
        let Some(groups) = self.groups else { return Ok(()) };
        let fits = groups.count > 0
            && experts.is_multiple_of(groups.count)
            && experts / groups.count >= 2
            && groups.used <= groups.count
            && experts / groups.count * groups.used >= used;
        expect(fits, || {
            format!("equal groups that hold {used} of {experts} experts, found {groups:?}")
        })
    }
}

fn expect(holds: bool, expected_and_found: impl Fn() -> String) -> Result<()> {
    if holds {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::TensorShapeMismatch,
        format!("Expected {}.", expected_and_found()),
    ))
}
