//! Products with the reference's weights against its exact products, on every instruction set.

use std::path::{Path, PathBuf};

use rivulet_kernels::cancel::Cancel;
use rivulet_kernels::format::{Format, Scaling};
use rivulet_kernels::isa::Isa;
use rivulet_kernels::linear::{Combine, LinearRequest, LinearWeight, Scratch, linear};
use rivulet_kernels::matrix::Matrix;
use rivulet_kernels::pool::Pool;
use rivulet_kernels::unpack::GROUP;
use serde_json::Value;

/// Number in files of the type of quantized activations, which no tensor of a model has.
const Q8_K: u64 = 15;

/// The largest error of a product, divided by its columns, that ggml's own tests accept of a type
/// (`MAX_DOT_PRODUCT_ERROR…` of test-quantize-fns.cpp). Of weights that were quantized from usual ones.
fn accepted_by_ggml(format: Format) -> f64 {
    use Format::*;
    match format {
        Q2_K | IQ2_XXS | IQ2_XS | IQ2_S | IQ3_XXS | IQ3_S | IQ1_S | IQ1_M => 0.04,
        TQ1_0 | TQ2_0 | Q1_0 | Q2_0 => 0.15,
        MXFP4 | NVFP4 => 0.03,
        _ => 0.02,
    }
}

struct Case {
    name: String,
    format: Format,
    is_random: bool,
    bytes: Vec<u8>,
    /// (rows, columns)
    values: Vec<f32>,
    /// (rows,)
    products: Vec<f64>,
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn floats(path: &Path) -> Vec<f32> {
    read(path)
        .as_chunks()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

fn cases(folder: &Path) -> (Vec<Case>, Vec<f32>) {
    let index: Value = serde_json::from_slice(&read(&folder.join("index.json"))).expect("index.json is JSON");
    let mut cases = Vec::new();
    let types = index["types"].as_array().expect("types").iter();
    for entry in types.filter(|entry| entry["ggmlType"].as_u64() != Some(Q8_K)) {
        let format = Format::from_id(entry["ggmlType"].as_u64().expect("ggmlType") as u32).expect("a known format");
        for kind in ["quantized", "quantized-gauss", "quantized-importance", "random"] {
            if let Some(bytes) = entry[kind]["bytes"].as_str() {
                let products = entry[kind]["matrixVector"].as_array().expect("matrixVector");
                cases.push(Case {
                    name: format!("{} {kind}", format.name()),
                    format,
                    is_random: kind == "random",
                    bytes: read(&folder.join(bytes)),
                    values: floats(&folder.join(entry[kind]["values"].as_str().expect("values"))),
                    products: products
                        .iter()
                        .map(|product| product.as_f64().expect("a product"))
                        .collect(),
                });
            }
        }
    }
    (cases, floats(&folder.join(index["vector"].as_str().expect("vector"))))
}

/// What quantizing the activations can change of a product at most: half a step of each, and rounding.
fn most_error(format: Format, weights: &[f32], x: &[f32]) -> f64 {
    let mut most = 0.0;
    let mut sum = 0.0;
    for (weights, x) in weights.chunks(GROUP).zip(x.chunks(GROUP)) {
        let step = x.iter().fold(0.0f32, |largest, x| largest.max(x.abs())) / 127.0;
        most += weights
            .iter()
            .map(|weight| f64::from(weight.abs() * step) / 2.0)
            .sum::<f64>();
        sum += weights
            .iter()
            .zip(x)
            .map(|(weight, x)| f64::from((weight * x).abs()))
            .sum::<f64>();
    }
    let rounding = sum * 1e-5;
    if format.scaling() == Scaling::Float {
        rounding
    } else {
        most * 1.001 + rounding
    }
}

fn check(folder: &Path) -> usize {
    let (cases, x) = cases(folder);
    let team = Pool::global().team(2);
    for isa in Isa::available() {
        for case in &cases {
            let rows = case.products.len();
            let weight = LinearWeight {
                matrix: Matrix::new(case.format, rows, x.len(), &case.bytes).expect("a matrix"),
                bias: None,
            };
            for tokens in [1, 9] {
                let request = LinearRequest {
                    isa,
                    cancel: &Cancel::new(),
                    input: &x.repeat(tokens),
                    tokens,
                    weights: &[weight],
                    combine: Combine::Separate,
                    scale: 1.0,
                    residual: None,
                };
                let mut output = vec![f32::NAN; tokens * rows];
                linear(&team, &mut Scratch::new(), &request, &mut [&mut output]).expect("a product");
                for (index, found) in output.iter().enumerate() {
                    let row = index % rows;
                    let error = (f64::from(*found) - case.products[row]).abs();
                    let what = format!("{} {}, row {row}, {tokens} tokens: {found}", isa.name(), case.name);
                    let weights = &case.values[row * x.len()..][..x.len()];
                    assert!(error <= most_error(case.format, weights, &x), "{what}, error {error}");
                    if !case.is_random {
                        assert!(
                            error / x.len() as f64 <= accepted_by_ggml(case.format),
                            "{what}, error {error}"
                        );
                    }
                }
            }
        }
    }
    cases.len()
}

#[test]
fn products_of_the_trimmed_cases_are_right() {
    let count = check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../test/conformance/quants"));
    assert!(count >= Format::all().count(), "{count} cases");
}

/// Runs where the whole reference data is: `RIVULET_CONFORMANCE` names its folder.
#[test]
fn products_of_all_cases_are_right() {
    if let Some(folder) = std::env::var_os("RIVULET_CONFORMANCE") {
        let count = check(&PathBuf::from(folder).join("quants"));
        assert!(count > 3 * Format::all().count(), "{count} cases");
    }
}
