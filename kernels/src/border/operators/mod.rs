//! The operators of our domain, one file each. A node's matrices come from the mapped files, named by attributes;
//! its small vectors are constant inputs.

mod attention;
mod contrast;
mod embed;
mod head;
mod latent_attention;
mod limits;
mod linear;
mod mixture;
mod multiply;
mod norm;
mod pointwise;
mod pool;
mod rows;

use std::sync::Arc;

use ort::operator::{
    BoxedKernel, ComputeContext, KernelContext, Operator, OperatorDomain, OperatorInput, OperatorOutput,
};
use ort::value::TensorElementType;

use super::io::{NodeData, NodeReader};
use super::step::{Step, with_step};
use super::weights::WeightFiles;
use crate::error::{Error, Result};

/// Name of the domain in graphs.
pub const DOMAIN: &str = "rivulet";

/// One node of a graph, ready to run.
trait Node {
    fn run(&mut self, step: &mut Step, data: &NodeData<'_>) -> Result<()>;
}

/// Makes a node's kernel from its attributes and constants.
type Make = fn(&NodeReader<'_>) -> Result<Box<dyn Node>>;

struct NativeOperator {
    name: &'static str,
    make: Make,
    files: Arc<WeightFiles>,
    failure: Arc<FirstFailure>,
}

/// What the first kernel said that could not be made; ONNX Runtime keeps text only.
#[derive(Default)]
pub struct FirstFailure(std::sync::Mutex<Option<Error>>);

impl FirstFailure {
    pub fn take(&self) -> Option<Error> {
        self.0.lock().ok().and_then(|mut failure| failure.take())
    }

    fn keep(&self, error: Error) {
        if let Ok(mut failure) = self.0.lock() {
            failure.get_or_insert(error);
        }
    }
}

impl Operator for NativeOperator {
    type Kernel<'attr> = BoxedKernel<'attr>;

    fn name(&self) -> &str {
        self.name
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        [OperatorInput::variadic(1)]
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::variadic(1).homogenous(TensorElementType::Float32)]
    }

    fn create_kernel<'attr>(&self, context: &KernelContext<'attr>) -> ort::Result<BoxedKernel<'attr>> {
        let reader = NodeReader {
            context,
            files: &self.files,
        };
        let mut node = (self.make)(&reader).map_err(|error| {
            let message = error.message.clone();
            self.failure.keep(error);
            ort::Error::new(message)
        })?;
        Ok(Box::new(move |context: &ComputeContext| {
            with_step(|step| node.run(step, &NodeData(context)))
        }))
    }
}

/// All operators over the given files.
pub fn domain(files: &Arc<WeightFiles>, failure: &Arc<FirstFailure>) -> ort::Result<OperatorDomain> {
    let operators: [(&'static str, Make); 13] = [
        ("Embed", embed::make),
        ("Norm", norm::make),
        ("Linear", linear::make),
        ("Attention", attention::make),
        ("Rows", rows::make),
        ("Pool", pool::make),
        ("Head", head::make),
        ("Pointwise", pointwise::make),
        ("Multiply", multiply::make),
        ("Mixture", mixture::make),
        ("MatchLength", contrast::make_match_length),
        ("KeepPeaks", contrast::make_keep_peaks),
        ("LatentAttention", latent_attention::make),
    ];
    operators
        .into_iter()
        .try_fold(OperatorDomain::new(DOMAIN)?, |domain, (name, make)| {
            domain.add(NativeOperator {
                name,
                make,
                files: Arc::clone(files),
                failure: Arc::clone(failure),
            })
        })
}
