use std::collections::HashMap;

use super::engine::OwnedSelection;
use crate::cache::SequenceId;
use crate::error::{Error, ErrorCode, Result};
use crate::isa::Isa;
use crate::select::{Candidates, Penalties, Selection, select};

/// The rows that sequences' last selections looked at, so that more candidates can be asked for.
#[derive(Default)]
pub struct LastRows {
    rows: HashMap<SequenceId, Row>,
    /// Memory of forgotten rows.
    spare: Vec<Vec<f32>>,
}

struct Row {
    /// (vocabularySize,)
    logits: Vec<f32>,
    selection: OwnedSelection,
}

/// More rows than that are given back to the system.
const SPARE_ROWS: usize = 4;

impl LastRows {
    pub fn keep(&mut self, sequence: SequenceId, logits: &[f32], selection: OwnedSelection) {
        self.forget(sequence);
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.clear();
        copy.extend_from_slice(logits);
        self.rows.insert(
            sequence,
            Row {
                logits: copy,
                selection,
            },
        );
    }

    pub fn forget(&mut self, sequence: SequenceId) {
        if let Some(row) = self.rows.remove(&sequence)
            && self.spare.len() < SPARE_ROWS
        {
            self.spare.push(row.logits);
        }
    }

    pub fn more(&mut self, isa: Isa, sequence: SequenceId, count: usize) -> Result<Candidates> {
        let row = self.rows.get_mut(&sequence).ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidArgument,
                "Expected a sequence whose last step selected candidates.",
            )
        })?;
        row.selection.count = count;
        choose(isa, &mut row.logits, &row.selection)
    }
}

/// The candidates of a row; it stays as it was.
pub fn choose(isa: Isa, row: &mut [f32], selection: &OwnedSelection) -> Result<Candidates> {
    select(
        isa,
        row,
        &Selection {
            count: selection.count,
            bias: &selection.bias,
            penalties: selection.penalties.as_ref().map(|penalties| Penalties {
                ids: &penalties.ids,
                counts: &penalties.counts,
                repeat: penalties.repeat,
                frequency: penalties.frequency,
                presence: penalties.presence,
            }),
            mask: selection.mask.as_deref(),
            raw_top: selection.raw_top,
        },
    )
}
