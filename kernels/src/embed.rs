use crate::error::{Error, ErrorCode, Result};
use crate::matrix::Matrix;
use crate::pool::Team;
use crate::unpack::dequantize_row;

/// Tokens that are worth a thread: fewer cost less than waking it.
const GRAIN: usize = 8;

/// Rows of `table` for the ids of a step, times `scale`. `output` is (ids, columns) f32.
///
/// Fails with `INVALID_ARGUMENT`, before anything is written, when an id is no row or `output` has another size.
pub fn embed_rows(team: &Team<'_>, table: &Matrix, ids: &[i32], scale: f32, output: &mut [f32]) -> Result<()> {
    let columns = table.columns();
    let is_row = |id: i32| usize::try_from(id).is_ok_and(|row| row < table.rows());
    if let Some(id) = ids.iter().find(|id| !is_row(**id)) {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            format!(
                "Expected token ids from 0 to {}, the rows of the embedding table, found {id}.",
                table.rows() - 1
            ),
        ));
    }
    if ids.len().checked_mul(columns) != Some(output.len()) {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            format!(
                "Expected room for {} embeddings of {columns} numbers, found {}.",
                ids.len(),
                output.len()
            ),
        ));
    }
    let embed = |ids: &[i32], output: &mut [f32]| {
        for (id, embedding) in ids.iter().zip(output.chunks_exact_mut(columns)) {
            dequantize_row(table.format(), table.row(*id as usize), embedding);
            for value in embedding {
                *value *= scale;
            }
        }
    };
    if ids.len() <= GRAIN {
        embed(ids, output);
    } else {
        team.split_slice(output, columns, GRAIN, &|tokens, output| embed(&ids[tokens], output));
    }
    Ok(())
}
