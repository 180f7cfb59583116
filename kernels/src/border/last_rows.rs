use std::collections::HashMap;

use ort::value::DynValue;

use super::engine::OwnedSelection;
use super::io::failed;
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
    logits: Logits,
    selection: OwnedSelection,
}

/// (vocabularySize,)
pub enum Logits {
    Copy(Vec<f32>),
    /// The output of a step of one row, as ONNX Runtime made it: a large vocabulary's takes long to copy.
    Output(DynValue),
}

/// More rows than that are given back to the system.
const SPARE_ROWS: usize = 4;

impl LastRows {
    pub fn keep(&mut self, sequence: SequenceId, logits: Logits, selection: OwnedSelection) {
        self.forget(sequence);
        self.rows.insert(sequence, Row { logits, selection });
    }

    /// A copy in memory of a row that was forgotten, if there is one.
    pub fn copy(&mut self, logits: &[f32]) -> Logits {
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.clear();
        copy.extend_from_slice(logits);
        Logits::Copy(copy)
    }

    pub fn forget(&mut self, sequence: SequenceId) {
        if let Some(Row {
            logits: Logits::Copy(memory),
            ..
        }) = self.rows.remove(&sequence)
            && self.spare.len() < SPARE_ROWS
        {
            self.spare.push(memory);
        }
    }

    /// Lets go of everything: outputs keep their session in memory.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub fn more(&mut self, isa: Isa, sequence: SequenceId, count: usize) -> Result<Candidates> {
        let row = self.rows.get_mut(&sequence).ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidArgument,
                "Expected a sequence whose last step selected candidates.",
            )
        })?;
        row.selection.count = count;
        match &mut row.logits {
            Logits::Copy(values) => choose(isa, values, &row.selection),
            Logits::Output(value) => {
                let (_, values) = value.try_extract_tensor_mut::<f32>().map_err(failed)?;
                choose(isa, values, &row.selection)
            }
        }
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
