use proptest::prelude::*;
use rivulet_kernels::embed::embed_rows;
use rivulet_kernels::error::ErrorCode;
use rivulet_kernels::format::Format;
use rivulet_kernels::matrix::Matrix;
use rivulet_kernels::pool::Pool;
use rivulet_kernels::unpack::dequantize_row;

const ROWS: usize = 19;

proptest! {
    #[test]
    fn every_token_gets_its_scaled_row_on_any_number_of_threads(
        format in proptest::sample::select(Format::all().collect::<Vec<_>>()),
        blocks in 1usize..3,
        ids in proptest::collection::vec(0..ROWS as i32, 0..70),
        seed in any::<u8>(),
        scale in -4.0f32..4.0,
    ) {
        let columns = blocks * format.block_elements();
        let row_bytes = blocks * format.block_bytes();
        let bytes: Vec<u8> = (0..ROWS * row_bytes).map(|i| (i * 89 + i / 7 + usize::from(seed)) as u8).collect();
        let table = Matrix::new(format, ROWS, columns, &bytes).unwrap();
        for threads in [1, 2, 3] {
            let mut output = vec![f32::NAN; ids.len() * columns];
            embed_rows(&Pool::global().team(threads), &table, &ids, scale, &mut output).unwrap();
            let mut row = vec![0.0; columns];
            for (id, embedding) in ids.iter().zip(output.chunks_exact(columns)) {
                dequantize_row(format, table.row(*id as usize), &mut row);
                for (value, found) in row.iter().zip(embedding) {
                    let expected = value * scale;
                    prop_assert!(expected.to_bits() == found.to_bits() || expected.is_nan() && found.is_nan());
                }
            }
        }
    }
}

#[test]
fn ids_outside_of_the_table_and_other_sizes_are_refused_before_anything_is_written() {
    let bytes = [1; 4 * 3 * 2];
    let table = Matrix::new(Format::F32, 3, 2, &bytes).unwrap();
    let team = Pool::global().team(1);
    for (ids, width) in [
        (&[0, 3][..], 4),
        (&[0, -1], 4),
        (&[i32::MIN], 2),
        (&[i32::MAX], 2),
        (&[0, 1], 3),
        (&[], 2),
    ] {
        let mut output = vec![7.0; width];
        let error = embed_rows(&team, &table, ids, 1.0, &mut output).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument, "{ids:?}");
        assert!(output.iter().all(|value| *value == 7.0));
    }
    embed_rows(&team, &table, &[], 1.0, &mut []).unwrap();
}
