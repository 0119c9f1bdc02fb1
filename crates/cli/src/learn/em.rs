//! `forney learn em`.

use forney_certify::{Budget, Stop};
use forney_latent::em::{
    BayesNet, BayesNetParams, Categorical, CategoricalHmmParams, Covariance, Covariances, Em,
    FactorAnalysis, FactorAnalysisParams, Fit, GaussianEmission, GaussianHmmParams,
    GaussianMixture, GaussianMixtureParams, Hmm, LatentModel, Learner, MISSING, Noise, Start, Task,
    Variant,
};
use forney_uai::{ModelKind, UaiModel, read_file, read_model, write_model};
use ndarray::{Array1, Array2, ArrayD};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::args::{
    CovarianceChoice, EmArgs, EmissionChoice, ModelChoice, StartChoice, VariantChoice,
};
use super::data::Source;
use super::learned::Learned;
use super::training::{Job, Now};
use super::{Report, Session};
use crate::done::Done;
use crate::error::Failure;

/// The arrays of a model, the model as a UAI file, and facts about it.
type Described = (
    Vec<(&'static str, ArrayD<f64>)>,
    Option<Vec<u8>>,
    Map<String, Value>,
);

struct EmJob<'d, M: LatentModel> {
    task: Task<'d, M>,
    words: Words,
    options: Value,
    describe: fn(&M) -> Result<Described, Failure>,
}

/// Which options belong to which models.
const OWN: [(&str, &[ModelChoice]); 10] = {
    use ModelChoice::{BayesNet, FactorAnalysis, Hmm, Mixture, Ppca};
    [
        ("components", &[Mixture]),
        ("states", &[Hmm]),
        ("factors", &[FactorAnalysis, Ppca]),
        ("covariance", &[Mixture, Hmm]),
        ("variance-floor", &[Mixture, Hmm, FactorAnalysis, Ppca]),
        ("emission", &[Hmm]),
        ("lengths", &[Hmm]),
        ("network", &[BayesNet]),
        ("start", &[BayesNet]),
        ("smoothing", &[BayesNet]),
    ]
};

/// Refuses options that another model has.
fn check(args: &EmArgs) -> Result<(), Failure> {
    let given = [
        args.components.is_some(),
        args.states.is_some(),
        args.factors.is_some(),
        args.covariance.is_some(),
        args.variance_floor.is_some(),
        args.emission.is_some(),
        args.lengths.is_some(),
        args.network.is_some(),
        args.start.is_some(),
        args.smoothing.is_some(),
    ];
    for ((name, models), given) in OWN.into_iter().zip(given) {
        if given && !models.contains(&args.model) {
            let models: Vec<&str> = models.iter().map(|model| name_of(*model)).collect();
            return Err(Failure::Usage(format!(
                "--{name} is an option of {}, not of {}",
                models.join(", "),
                name_of(args.model)
            )));
        }
    }
    if args.emission == Some(EmissionChoice::Categorical) && args.covariance.is_some() {
        let message = "--covariance is an option of Gaussian emissions, not of categorical ones";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok(())
}

fn name_of(model: ModelChoice) -> &'static str {
    match model {
        ModelChoice::Mixture => "mixture",
        ModelChoice::FactorAnalysis => "factor-analysis",
        ModelChoice::Ppca => "ppca",
        ModelChoice::Hmm => "hmm",
        ModelChoice::BayesNet => "bayes-net",
    }
}

/// Learns the model that the words ask for.
pub(super) fn run(args: &EmArgs, session: &Session<'_>) -> Result<Done<Report>, Failure> {
    check(args)?;
    let formats: &[&str] = if args.model == ModelChoice::BayesNet {
        &["json", "uai"]
    } else {
        &["json", "npz"]
    };
    session.check_outputs(formats, None)?;
    let em = Em {
        variant: match args.learner {
            VariantChoice::Batch => Variant::Batch,
            VariantChoice::Minibatch => Variant::Minibatch {
                examples: args.batch,
                decay: args.decay,
            },
            VariantChoice::Incremental => Variant::Incremental {
                examples: args.batch,
            },
        },
        sweeps: args.iterations,
        tolerance: args.tolerance,
        ..Em::default()
    };
    let covariance = match args.covariance {
        None | Some(CovarianceChoice::Full) => Covariance::Full,
        Some(CovarianceChoice::Diagonal) => Covariance::Diagonal,
        Some(CovarianceChoice::Tied) => Covariance::Tied,
        Some(CovarianceChoice::Spherical) => Covariance::Spherical,
    };
    let variance_floor = args.variance_floor.unwrap_or(1e-6);
    let (restarts, seed) = (args.restarts, args.run.seed);
    let data = session.source.read()?;
    if args.model != ModelChoice::BayesNet {
        session.source.finite(&data)?;
    }
    let bound = args.learner == VariantChoice::Incremental;
    let job = |kind| Words {
        kind,
        measure: match (args.model, bound) {
            (ModelChoice::Hmm, false) => "nats per sequence, ln p(v)",
            (ModelChoice::Hmm, true) => "nats per sequence, a lower bound on ln p(v)",
            (ModelChoice::BayesNet, false) => {
                "nats per example, ln p(v) and the prior of --smoothing"
            }
            (ModelChoice::BayesNet, true) => {
                "nats per example, a lower bound on ln p(v), and the prior of --smoothing"
            }
            (_, false) => "nats per example, ln p(v)",
            (_, true) => "nats per example, a lower bound on ln p(v)",
        },
        restarts,
        sweeps: args.iterations,
    };
    match args.model {
        ModelChoice::Mixture => {
            let params = GaussianMixtureParams {
                components: args.components.unwrap_or(2),
                covariance,
                variance_floor,
                restarts,
                seed,
                em,
            };
            let task = params.task(data.view())?;
            session.learn(
                &job("mixture").job(task, options(&params)?, mixture),
                &data,
                None,
            )
        }
        ModelChoice::FactorAnalysis | ModelChoice::Ppca => {
            let (kind, noise) = match args.model {
                ModelChoice::Ppca => ("ppca", Noise::Isotropic),
                _ => ("factor-analysis", Noise::Diagonal),
            };
            let params = FactorAnalysisParams {
                factors: args.factors.unwrap_or(1),
                noise,
                noise_floor: variance_floor,
                restarts,
                seed,
                em,
            };
            let task = params.task(data.view())?;
            session.learn(
                &job(kind).job(task, options(&params)?, factor_analysis),
                &data,
                None,
            )
        }
        ModelChoice::Hmm => {
            let lengths = lengths(args, session, data.nrows())?;
            let states = args.states.unwrap_or(2);
            if args.emission == Some(EmissionChoice::Categorical) {
                let symbols = symbols(&data, session)?;
                let params = CategoricalHmmParams {
                    states,
                    symbols: symbols.iter().max().map_or(1, |largest| largest + 1),
                    restarts,
                    seed,
                    em,
                };
                let task = params.task(symbols.view(), &lengths)?;
                let options = with_lengths(options(&params)?, &lengths);
                session.learn(
                    &job("hmm-categorical").job(task, options, categorical_hmm),
                    &data,
                    None,
                )
            } else {
                let params = GaussianHmmParams {
                    states,
                    covariance,
                    variance_floor,
                    restarts,
                    seed,
                    em,
                };
                let task = params.task(data.view(), &lengths)?;
                let options = with_lengths(options(&params)?, &lengths);
                session.learn(
                    &job("hmm-gaussian").job(task, options, gaussian_hmm),
                    &data,
                    None,
                )
            }
        }
        ModelChoice::BayesNet => {
            let Some(network) = &args.network else {
                let message = "--model bayes-net needs --network FILE: a UAI file of type BAYES";
                return Err(Failure::Usage(message.to_owned()));
            };
            let network = read_file(network, read_model)?;
            let states = session
                .source
                .integers(&data, MISSING.into(), Some(MISSING))?;
            let params = BayesNetParams {
                smoothing: args.smoothing.unwrap_or(0.0),
                start: match args.start {
                    Some(StartChoice::Given) => Start::Given,
                    None | Some(StartChoice::Random) => Start::Random,
                },
                memory: session.source.memory,
                restarts,
                seed,
                em,
            };
            let task = params.task(&network.to_graph()?, states.view())?;
            let mut options = options(&params)?;
            options["network"] = json!(
                network
                    .factors
                    .iter()
                    .map(|factor| factor.scope.iter().map(|v| v.index()).collect::<Vec<_>>())
                    .collect::<Vec<_>>()
            );
            session.learn(&job("bayes-net").job(task, options, bayes_net), &data, None)
        }
    }
}

/// What a checkpoint must agree in: all parameters but those that say how long to go on.
fn options(params: &impl Serialize) -> Result<Value, Failure> {
    let mut options = plain(params)?;
    if let Some(all) = options.as_object_mut() {
        all.remove("restarts");
        all.remove("memory");
        if let Some(em) = all.get_mut("em").and_then(Value::as_object_mut) {
            em.remove("sweeps");
            em.remove("tolerance");
        }
    }
    Ok(options)
}

fn with_lengths(mut options: Value, lengths: &[usize]) -> Value {
    options["lengths"] = json!(lengths);
    options
}

fn plain(value: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::Internal(error.to_string()))
}

/// The lengths of the sequences of an hmm.
fn lengths(args: &EmArgs, session: &Session<'_>, rows: usize) -> Result<Vec<usize>, Failure> {
    let Some(path) = &args.lengths else {
        return Ok(vec![rows]);
    };
    let source = Source {
        path,
        array: None,
        memory: session.source.memory,
    };
    let lengths = source.integers(&source.read()?, 1, None)?;
    let lengths: Vec<usize> = lengths.iter().copied().collect();
    let steps = lengths
        .iter()
        .fold(0usize, |sum, length| sum.saturating_add(*length));
    if steps != rows {
        return Err(Failure::Data {
            file: path.clone(),
            message: format!("holds lengths of {steps} steps together, but the data have {rows}"),
        });
    }
    Ok(lengths)
}

/// The symbols of a categorical hmm.
fn symbols(data: &Array2<f64>, session: &Session<'_>) -> Result<Array1<usize>, Failure> {
    let symbols = session.source.integers(data, 0, None)?;
    if symbols.ncols() != 1 {
        return Err(Failure::Data {
            file: session.source.path.to_owned(),
            message: format!(
                "has {} columns; symbols are a single column",
                symbols.ncols()
            ),
        });
    }
    Ok(symbols.column(0).to_owned())
}

fn mixture(model: &GaussianMixture) -> Result<Described, Failure> {
    let arrays = vec![
        ("weights", model.weights().clone().into_dyn()),
        ("means", model.means().clone().into_dyn()),
        ("covariances", covariances(model.covariances())),
    ];
    let mut facts = Map::new();
    facts.insert("weights".to_owned(), json!(model.weights().to_vec()));
    Ok((arrays, None, facts))
}

fn covariances(covariances: &Covariances) -> ArrayD<f64> {
    match covariances {
        Covariances::Full(full) => full.clone().into_dyn(),
        Covariances::Diagonal(diagonal) => diagonal.clone().into_dyn(),
        Covariances::Tied(tied) => tied.clone().into_dyn(),
        Covariances::Spherical(spherical) => spherical.clone().into_dyn(),
    }
}

fn factor_analysis(model: &FactorAnalysis) -> Result<Described, Failure> {
    let arrays = vec![
        ("mean", model.mean().clone().into_dyn()),
        ("loadings", model.loadings().clone().into_dyn()),
        ("noise", model.noise().clone().into_dyn()),
    ];
    let mut facts = Map::new();
    let mean = model.noise().mean().unwrap_or(0.0);
    facts.insert("mean_noise".to_owned(), json!(mean));
    Ok((arrays, None, facts))
}

fn gaussian_hmm(model: &Hmm<GaussianEmission>) -> Result<Described, Failure> {
    let arrays = vec![
        ("start", model.start().clone().into_dyn()),
        ("transitions", model.transitions().clone().into_dyn()),
        ("means", model.emission().means().clone().into_dyn()),
        ("covariances", covariances(model.emission().covariances())),
    ];
    Ok((arrays, None, Map::new()))
}

fn categorical_hmm(model: &Hmm<Categorical>) -> Result<Described, Failure> {
    let arrays = vec![
        ("start", model.start().clone().into_dyn()),
        ("transitions", model.transitions().clone().into_dyn()),
        (
            "emissions",
            model.emission().probabilities().clone().into_dyn(),
        ),
    ];
    Ok((arrays, None, Map::new()))
}

fn bayes_net(model: &BayesNet) -> Result<Described, Failure> {
    let mut file = UaiModel::from_graph(&model.to_graph())?;
    file.kind = ModelKind::Bayes;
    let mut bytes = Vec::new();
    write_model(&mut bytes, &file).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok((Vec::new(), Some(bytes), Map::new()))
}

/// What all models have in common.
struct Words {
    kind: &'static str,
    measure: &'static str,
    restarts: usize,
    sweeps: usize,
}

impl Words {
    fn job<'d, M: LatentModel>(
        self,
        task: Task<'d, M>,
        options: Value,
        describe: fn(&M) -> Result<Described, Failure>,
    ) -> EmJob<'d, M> {
        EmJob {
            task,
            words: self,
            options,
            describe,
        }
    }
}

impl<M: LatentModel + Serialize + DeserializeOwned> EmJob<'_, M> {
    /// Refuses a model that excludes an example: no step can mend that.
    fn possible(&self, learner: &Learner<M>) -> Result<(), Failure> {
        if learner.sweeps() > 0 && learner.free_energy() == f64::NEG_INFINITY {
            return Err(Failure::Usage(
                "the tables give some rows the probability 0, and learning keeps zeros: use \
                 --smoothing, or --start random"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

impl<M: LatentModel + Serialize + DeserializeOwned> Job for EmJob<'_, M> {
    type State = Learner<M>;

    fn kind(&self) -> &'static str {
        self.words.kind
    }

    fn measure(&self) -> &'static str {
        self.words.measure
    }

    fn examples(&self) -> usize {
        self.task.examples()
    }

    fn options(&self) -> Value {
        self.options.clone()
    }

    fn begin(&self) -> Result<Learner<M>, Failure> {
        Ok(self.task.begin()?)
    }

    fn resume(&self, learner: Learner<M>) -> Result<Learner<M>, Failure> {
        self.task.check(&learner)?;
        Ok(learner)
    }

    fn step(&self, learner: &mut Learner<M>, budget: &Budget) -> Result<Option<Stop>, Failure> {
        let stop = self.task.step(learner, budget)?;
        self.possible(learner)?;
        Ok(stop)
    }

    fn now(&self, learner: &Learner<M>) -> Now {
        let Words {
            restarts, sweeps, ..
        } = self.words;
        Now {
            iteration: learner.sweeps(),
            share: 0.0,
            limit: restarts.saturating_mul(sweeps),
            objective: Some(learner.free_energy()).filter(|_| learner.sweeps() > 0),
            start: usize::try_from(learner.restart()).unwrap_or(usize::MAX),
            starts: restarts,
        }
    }

    fn learned(&self, learner: Learner<M>, stop: Stop) -> Result<Learned, Failure> {
        let fit: Fit<M> = learner.finish(stop);
        let (arrays, uai, facts) = (self.describe)(&fit.model)?;
        Ok(Learned {
            kind: self.kind(),
            model: plain(&fit.model)?,
            center_rows: false,
            arrays,
            uai,
            objective: fit.free_energy,
            curve: fit.trace.iter().map(|sweep| sweep.value).collect(),
            atoms: None,
            facts,
        })
    }
}
