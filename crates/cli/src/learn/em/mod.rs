//! `forney learn em`.

mod describe;

use forney_latent::em::{
    BayesNetParams, CategoricalHmmParams, Covariance, Em, EmLearner, FactorAnalysisParams,
    GaussianHmmParams, GaussianMixtureParams, LatentModel, MISSING, Noise, Start, Variant,
};
use forney_uai::{model_reader, read_file};
use ndarray::{Array1, Array2};
use serde::Serialize;
use serde_json::{Value, json};

use describe::{bayes_net, categorical_hmm, factor_analysis, gaussian_hmm, mixture};

use super::args::{
    CovarianceChoice, EmArgs, EmissionChoice, ModelChoice, StartChoice, VariantChoice,
};
use super::data::Source;
use super::job::Job;
use super::learned::{Described, plain};
use super::report::Report;
use super::session::Session;
use crate::done::Done;
use crate::error::Failure;
use crate::problem::warn;

/// Refuses options that another model has.
fn check(args: &EmArgs) -> Result<(), Failure> {
    use ModelChoice::{BayesNet, FactorAnalysis, Hmm, Mixture, Ppca};
    let variances: &[ModelChoice] = &[Mixture, Hmm, FactorAnalysis, Ppca];
    for (name, given, models) in [
        ("components", args.components.is_some(), &[Mixture][..]),
        ("states", args.states.is_some(), &[Hmm]),
        ("factors", args.factors.is_some(), &[FactorAnalysis, Ppca]),
        ("covariance", args.covariance.is_some(), &[Mixture, Hmm]),
        ("variance-floor", args.variance_floor.is_some(), variances),
        ("emission", args.emission.is_some(), &[Hmm]),
        ("lengths", args.lengths.is_some(), &[Hmm]),
        ("network", args.network.is_some(), &[BayesNet]),
        ("start", args.start.is_some(), &[BayesNet]),
        ("smoothing", args.smoothing.is_some(), &[BayesNet]),
    ] {
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
    let formats: &[&str] = match args.model {
        ModelChoice::BayesNet => &["json", "uai"],
        _ => &["json", "npz"],
    };
    session.check_outputs(formats, None)?;
    let data = match args.model {
        ModelChoice::BayesNet => session.source.read()?,
        _ => session.finite_data()?,
    };
    let asked = Asked {
        args,
        session,
        data: &data,
    };
    match args.model {
        ModelChoice::Mixture => asked.mixture(),
        ModelChoice::FactorAnalysis => asked.factor_analysis(Noise::Diagonal),
        ModelChoice::Ppca => asked.factor_analysis(Noise::Isotropic),
        ModelChoice::Hmm => match args.emission {
            Some(EmissionChoice::Categorical) => asked.categorical_hmm(),
            None | Some(EmissionChoice::Gaussian) => asked.gaussian_hmm(),
        },
        ModelChoice::BayesNet => asked.bayes_net(),
    }
}

/// The words, and the data they are about.
struct Asked<'a> {
    args: &'a EmArgs,
    session: &'a Session<'a>,
    data: &'a Array2<f64>,
}

impl Asked<'_> {
    fn admit(&self, model: f64) -> Result<(), Failure> {
        self.session.admit(self.data, model)
    }

    fn em(&self) -> Em {
        let examples = self.args.batch;
        Em {
            variant: match self.args.learner {
                VariantChoice::Batch => Variant::Batch,
                VariantChoice::Minibatch => Variant::Minibatch {
                    examples,
                    decay: self.args.decay,
                },
                VariantChoice::Incremental => Variant::Incremental { examples },
            },
            sweeps: self.args.iterations,
            tolerance: self.args.tolerance,
            ..Em::default()
        }
    }

    fn covariance(&self) -> Covariance {
        match self.args.covariance {
            None | Some(CovarianceChoice::Full) => Covariance::Full,
            Some(CovarianceChoice::Diagonal) => Covariance::Diagonal,
            Some(CovarianceChoice::Tied) => Covariance::Tied,
            Some(CovarianceChoice::Spherical) => Covariance::Spherical,
        }
    }

    fn variance_floor(&self) -> f64 {
        self.args.variance_floor.unwrap_or(1e-6)
    }

    /// What the objective is.
    fn measure(&self) -> &'static str {
        let bound = self.args.learner == VariantChoice::Incremental;
        match (self.args.model, bound) {
            (ModelChoice::Hmm, false) => "nats per sequence, ln p(v)",
            (ModelChoice::Hmm, true) => "nats per sequence, a lower bound on ln p(v)",
            (_, false) if self.args.smoothing.is_some() => {
                "nats per example, ln p(v) and the prior of --smoothing"
            }
            (_, true) if self.args.smoothing.is_some() => {
                "nats per example, a lower bound on ln p(v), and the prior of --smoothing"
            }
            (_, false) => "nats per example, ln p(v)",
            (_, true) => "nats per example, a lower bound on ln p(v)",
        }
    }

    /// Learns, and says what was learned.
    fn learn<M: LatentModel>(
        &self,
        kind: &'static str,
        learner: EmLearner<'_, M>,
        options: Value,
        describe: fn(&M) -> Result<Described, Failure>,
    ) -> Result<Done<Report>, Failure> {
        Job {
            learner,
            kind,
            measure: self.measure(),
            options,
            center_rows: false,
            picture: None,
            describe: |model: &M, _| describe(model),
        }
        .run(self.session, self.data)
    }

    fn mixture(&self) -> Result<Done<Report>, Failure> {
        let params = GaussianMixtureParams {
            components: self.args.components.unwrap_or(2),
            covariance: self.covariance(),
            variance_floor: self.variance_floor(),
            restarts: self.args.restarts,
            seed: self.args.run.seed,
            em: self.em(),
        };
        self.admit(params.demand(self.data.nrows(), self.data.ncols()))?;
        let learner = params.learner(self.data.view())?;
        self.learn("mixture", learner, options(&params)?, mixture)
    }

    fn factor_analysis(&self, noise: Noise) -> Result<Done<Report>, Failure> {
        let params = FactorAnalysisParams {
            factors: self.args.factors.unwrap_or(1),
            noise,
            noise_floor: self.variance_floor(),
            restarts: self.args.restarts,
            seed: self.args.run.seed,
            em: self.em(),
        };
        self.admit(params.demand(self.data.nrows(), self.data.ncols()))?;
        let learner = params.learner(self.data.view())?;
        let kind = name_of(self.args.model);
        self.learn(kind, learner, options(&params)?, factor_analysis)
    }

    fn gaussian_hmm(&self) -> Result<Done<Report>, Failure> {
        let params = GaussianHmmParams {
            states: self.args.states.unwrap_or(2),
            covariance: self.covariance(),
            variance_floor: self.variance_floor(),
            restarts: self.args.restarts,
            seed: self.args.run.seed,
            em: self.em(),
        };
        let lengths = self.lengths()?;
        let (steps, columns) = self.data.dim();
        self.admit(params.demand(steps, columns, lengths.len()))?;
        let learner = params.learner(self.data.view(), &lengths)?;
        let options = with("lengths", json!(lengths), options(&params)?);
        self.learn("hmm-gaussian", learner, options, gaussian_hmm)
    }

    fn categorical_hmm(&self) -> Result<Done<Report>, Failure> {
        let symbols = self.symbols()?;
        let params = CategoricalHmmParams {
            states: self.args.states.unwrap_or(2),
            // What has so many symbols is refused for its size.
            symbols: symbols
                .iter()
                .max()
                .map_or(1, |largest| largest.saturating_add(1)),
            restarts: self.args.restarts,
            seed: self.args.run.seed,
            em: self.em(),
        };
        let lengths = self.lengths()?;
        self.admit(params.demand(symbols.len(), lengths.len()))?;
        let learner = params.learner(symbols.view(), &lengths)?;
        let options = with("lengths", json!(lengths), options(&params)?);
        self.learn("hmm-categorical", learner, options, categorical_hmm)
    }

    fn bayes_net(&self) -> Result<Done<Report>, Failure> {
        let Some(network) = &self.args.network else {
            let message = "--model bayes-net needs --network FILE: a UAI file of type BAYES";
            return Err(Failure::Usage(message.to_owned()));
        };
        let file = network;
        let network = read_file(file, model_reader(file))?;
        warn(file, &network.warnings);
        let source = &self.session.source;
        let states = source.integers(self.data, MISSING.into(), Some(MISSING))?;
        let params = BayesNetParams {
            smoothing: self.args.smoothing.unwrap_or(0.0),
            start: match self.args.start {
                Some(StartChoice::Given) => Start::Given,
                None | Some(StartChoice::Random) => Start::Random,
            },
            memory: source.memory,
            restarts: self.args.restarts,
            seed: self.args.run.seed,
            em: self.em(),
        };
        let learner = params.learner(&network.to_graph()?, states.view())?;
        let scopes = network.factors.iter().map(|factor| {
            let scope = factor.scope.iter().map(|variable| variable.index());
            scope.collect::<Vec<_>>()
        });
        let structure = json!(scopes.collect::<Vec<_>>());
        let options = with("network", structure, options(&params)?);
        self.learn("bayes-net", learner, options, bayes_net)
    }

    /// The lengths of the sequences of an hmm.
    fn lengths(&self) -> Result<Vec<usize>, Failure> {
        let rows = self.data.nrows();
        let Some(path) = &self.args.lengths else {
            return Ok(vec![rows]);
        };
        let source = Source {
            path,
            array: None,
            memory: self.session.source.memory,
        };
        let lengths = source.integers(&source.read()?, 1, None)?;
        let lengths: Vec<usize> = lengths.iter().copied().collect();
        let steps = lengths
            .iter()
            .fold(0usize, |sum, length| sum.saturating_add(*length));
        if steps != rows {
            return Err(source.wrong(format!(
                "holds lengths of {steps} steps together, but the data have {rows}"
            )));
        }
        Ok(lengths)
    }

    /// The symbols of a categorical hmm.
    fn symbols(&self) -> Result<Array1<usize>, Failure> {
        let source = &self.session.source;
        let symbols = source.integers(self.data, 0, None)?;
        match symbols.ncols() {
            1 => Ok(symbols.column(0).to_owned()),
            columns => Err(source.wrong(format!(
                "has {columns} columns; symbols are a single column"
            ))),
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

fn with(name: &str, value: Value, mut options: Value) -> Value {
    options[name] = value;
    options
}
