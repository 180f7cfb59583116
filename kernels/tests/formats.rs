//! Every format against the values that the reference gives for the same blocks.

mod brief;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rivulet_kernels::format::{Format, Scaling};
use rivulet_kernels::unpack::{GROUP, dequantize_row, unpack_group};
use serde_json::Value;

/// Number in files of the type of quantized activations, which no tensor of a model has.
const Q8_K: u64 = 15;

struct Case {
    name: String,
    format: Format,
    columns: usize,
    bytes: Vec<u8>,
    /// (rows * columns) f32
    values: Vec<f32>,
}

fn cases(folder: &Path) -> Vec<Case> {
    let index: Value = serde_json::from_slice(&read(&folder.join("index.json"))).expect("index.json is JSON");
    let columns = index["columns"].as_u64().expect("columns") as usize;
    let mut cases = Vec::new();
    for entry in index["types"].as_array().expect("types") {
        let id = entry["ggmlType"].as_u64().expect("ggmlType");
        if id == Q8_K {
            continue;
        }
        let format = Format::from_id(id as u32).expect("a format that the reference has");
        assert_eq!(entry["type"].as_str(), Some(format.name()));
        assert_eq!(entry["blockSize"].as_u64(), Some(format.block_elements() as u64));
        assert_eq!(entry["typeSize"].as_u64(), Some(format.block_bytes() as u64));
        for kind in ["quantized", "quantized-gauss", "quantized-importance", "random"] {
            let files = &entry[kind];
            let (Some(bytes), Some(values)) = (files["bytes"].as_str(), files["values"].as_str()) else {
                continue;
            };
            cases.push(Case {
                name: format!("{} {kind}", format.name()),
                format,
                columns,
                bytes: read(&folder.join(bytes)),
                values: read(&folder.join(values))
                    .as_chunks()
                    .0
                    .iter()
                    .map(|bytes| f32::from_le_bytes(*bytes))
                    .collect(),
            });
        }
    }
    cases
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn check(folder: &Path) -> Vec<Case> {
    let cases = cases(folder);
    for case in &cases {
        let row_bytes = case.format.row_bytes(case.columns).expect("whole blocks");
        assert_eq!(
            case.values.len(),
            case.bytes.len() / row_bytes * case.columns,
            "{}",
            case.name
        );
        let mut row = vec![0.0; case.columns];
        for (bytes, expected) in case
            .bytes
            .chunks_exact(row_bytes)
            .zip(case.values.chunks_exact(case.columns))
        {
            dequantize_row(case.format, bytes, &mut row);
            let different = (0..case.columns)
                .filter(|&i| row[i].to_bits() != expected[i].to_bits())
                .count();
            assert_eq!(different, 0, "{}: values that differ in any bit", case.name);
        }
    }
    cases
}

#[test]
fn the_trimmed_cases_are_exact_and_have_every_format() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../test/conformance/quants");
    let found: BTreeSet<_> = check(&folder).iter().map(|case| case.format).collect();
    assert_eq!(found, Format::all().collect());
}

/// Runs where the whole reference data is: `RIVULET_CONFORMANCE` names its folder.
#[test]
fn all_cases_of_the_reference_are_exact() {
    let Some(folder) = std::env::var_os("RIVULET_CONFORMANCE") else {
        return;
    };
    let cases = check(&PathBuf::from(folder).join("quants"));
    let random = cases.iter().filter(|case| case.name.ends_with(" random"));
    assert_eq!(random.count(), Format::all().count());
}

fn quantized_format() -> impl Strategy<Value = Format> {
    let formats: Vec<_> = Format::all()
        .filter(|format| format.scaling() != Scaling::Float)
        .collect();
    proptest::sample::select(formats)
}

fn format_and_row(formats: impl Strategy<Value = Format>) -> impl Strategy<Value = (Format, Vec<u8>)> {
    (formats, 0usize..4, 0usize..150).prop_flat_map(|(format, blocks, numbers)| {
        let is_float = format.scaling() == Scaling::Float;
        let blocks = if is_float { numbers } else { blocks };
        let bytes = proptest::collection::vec(any::<u8>(), blocks * format.block_bytes());
        (Just(format), bytes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if brief::is_brief() { 200 } else { 2000 }))]

    #[test]
    fn any_bytes_unpack_to_what_they_dequantize_to((format, row) in format_and_row(quantized_format())) {
        let columns = row.len() / format.block_bytes() * format.block_elements();
        let mut weights = vec![f32::NAN; columns];
        dequantize_row(format, &row, &mut weights);
        for (group, weights) in weights.chunks_exact(GROUP).enumerate() {
            let unpacked = unpack_group(format, &row, group);
            if !format.scaling().has_halves() {
                prop_assert_eq!(unpacked.scales[0].to_bits(), unpacked.scales[1].to_bits());
                prop_assert_eq!(unpacked.minimums[0].to_bits(), unpacked.minimums[1].to_bits());
            }
            if !format.scaling().has_minimum() {
                prop_assert_eq!(unpacked.minimums.map(f32::to_bits), [0, 0]);
            }
            for (i, weight) in weights.iter().enumerate() {
                let expected = unpacked.scales[i / 16] * f32::from(unpacked.values[i]) + unpacked.minimums[i / 16];
                prop_assert!(expected == *weight || expected.is_nan() && weight.is_nan(), "{} != {}", expected, weight);
            }
        }
    }

    #[test]
    fn rows_of_floats_are_read_from_any_bytes(
        (format, row) in format_and_row(proptest::sample::select(vec![Format::F32, Format::F16, Format::BF16]))
    ) {
        let mut weights = vec![0.0; row.len() / format.block_bytes()];
        dequantize_row(format, &row, &mut weights);
        for (bytes, weight) in row.chunks_exact(format.block_bytes()).zip(weights) {
            let expected = match format {
                Format::F32 => f32::from_le_bytes(bytes.try_into().unwrap()),
                Format::F16 => half::f16::from_le_bytes(bytes.try_into().unwrap()).to_f32(),
                _ => f32::from_bits(u32::from(u16::from_le_bytes(bytes.try_into().unwrap())) << 16),
            };
            prop_assert!(expected == weight || expected.is_nan() && weight.is_nan());
        }
    }
}
