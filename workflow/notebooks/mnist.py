# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
# ---

# %% [markdown]
# # MNIST: a learned optimizer trains small networks
#
# This report explains the second experiment of the paper *Learning to learn by gradient descent by
# gradient descent* (Andrychowicz et al., 2016) on the results of this run. All numbers and plots
# below are computed from the tables of the run; the code that makes each is folded above it. If
# the idea of a learned optimizer is new to you, read the [report on quadratics](quadratics.html)
# first.

# %% tags=["parameters"]
settings = None  # the configuration of the run; None: the default one

# %%
import pandas as pd

from l2l.config import Config, load_config
from l2l.figures import curves as curve_plots
from l2l.figures import meta_training
from l2l.pages import captions, describe, losses, plots, show, tables
from l2l.pages.results import Results
from l2l.pages.words import duration, listed

config = load_config() if settings is None else Config.model_validate(settings)
results = Results(config)
labels = config.labels()
experiment = config.experiments["mnist"]
curves = results.curves("mnist")

show.warning(config)

# %% [markdown]
# ## The question
#
# Quadratics are toys. Does a learned optimizer also train a neural network, with thousands of
# parameters, a loss that is not convex, and gradients that are noisy because each step sees
# another minibatch of images? And is it then faster than the optimizers that people use?
#
# ## The problems

# %%
problem = config.problems[experiment.problem]
show.text(
    describe.problem(problem),
    f"Data: {captions.data_used('mnist', results)}.",
    f"Two losses are recorded at every step: that of the step's own minibatch, which is what the "
    f"optimizers see and the paper plots; and that on a fixed sample of {problem.train_sample:,} "
    "training images, the same for all, which no optimizer sees. The second has no noise of "
    "minibatches in it, so final losses and oscillations are judged by it. Both are losses on "
    "training images: how well the networks do on new digits is another question.",
)

# %% [markdown]
# ## The optimizers that were learned
#
# The update is computed, as for quadratics, by one small LSTM that is applied to every coordinate
# of θ by itself:
#
# <p class="equation">θ<sub>t+1</sub> = θ<sub>t</sub> + g<sub>t</sub>&emsp;(1)<br>
# (g<sub>t</sub>, h<sub>t+1</sub>) = m(∇<sub>t</sub>, h<sub>t</sub>, φ)&emsp;(3)</p>

# %%
show.figure("coordinatewise_lstm", results)

# %% [markdown]
# Gradients of a network span many orders of magnitude: a poor input for another network. So the
# LSTM sees each gradient as two numbers, about its order of magnitude and its sign (equation (6)
# of the paper):
#
# <p class="equation">(log|∇| / p, sign ∇)  if |∇| ≥ e<sup>−p</sup>,  otherwise
# (−1, e<sup>p</sup> ∇)</p>
#
# Meta-training makes the weighted sum of the losses along the way small. Its gradient flows back
# over *windows* of some steps: a longer window sees later consequences of an update. That is the
# main difference between the recipes:

# %%
for name in experiment.learned:
    rate = results.search(name)["meta_learning_rate"]
    display(show.rows(describe.recipe(name, config, rate), f"Recipe of {labels[name]}"))
    display(
        show.rows(
            tables.trials(results.search(name)),
            f"Trials of the meta learning rate of {labels[name]}",
        )
    )

# %%
logs = [results.logs(name) for name in experiment.learned]
figure = meta_training.draw(pd.concat(logs), labels, config.figures)
show.plot(figure, "validation losses against meta-training episodes, a panel for each recipe")

# %% [markdown]
# Each marker is a validation: φ is frozen and trains networks kept apart for this, always the same
# ones. Solid lines: the loss at the end of these runs; dashed: the mean along the way. The weights
# with the lowest loss at the end are kept.
#
# Some initialisations of the LSTM can fail to get going: they push all networks into saturation,
# where the gradient vanishes and nothing can be learned. Such a run *collapses*; it is noticed at
# its first validation and started again from the next initialisation. The table tells how often
# that happened.

# %%
runs = results.runs()
runs = runs[runs["recipe"].isin(experiment.learned)]
show.rows(tables.runs(runs, config), "The meta-trainings")

# %% [markdown]
# ## The opponents: hand-crafted optimizers at their best
#
# Each baseline got the learning rate whose loss is lowest at the last step that counts, over
# problems that are not test problems. The other settings are the usual ones (momentum 0.9 in NAG,
# decay 0.99 in RMSprop, 0.9 and 0.999 in ADAM).

# %%
tuning = results.tuning("mnist")
show.plot(
    plots.tuning(tuning, config.figures, experiment.horizon),
    "final loss against learning rate of each baseline; the chosen rates are ringed",
)

# %%
show.rows(tables.rates(tuning, "mnist", config), "The chosen learning rates (ringed above)")

# %% [markdown]
# A curve that is flat around its ring means that the choice hardly matters. To the left, learning
# rates are too small to get far; to the right, too large to settle. Runs that diverged altogether
# are left out.
#
# ## What came out

# %%
show.figure("mnist", results)

# %%
show.caption("mnist", results)

# %%
show.items(
    [
        losses.summary(curves, "mnist", config),
        *(
            losses.order_sentence(curves, "mnist", config, step)
            for step in losses.reported_steps(curves, experiment.horizon)
        ),
        "These are losses on the fixed sample; the figure above shows those of the minibatches.",
    ]
)

# %%
for column, name in losses.kinds(curves).items():
    display(
        show.rows(
            losses.table(curves, column, "mnist", config),
            f"Mean {name} with its {100 * config.figures.interval:g} % interval",
        )
    )

# %% [markdown]
# All optimizers trained the same networks from the same start on the same minibatches, so they can
# be compared network by network: on how many does the learned optimizer end lower?

# %%
show.rows(losses.wins(curves, "mnist", config), "Networks on which it ends lower")

# %% [markdown]
# ## Going on: the plateau

# %%
show.text(
    f"The learned optimizers were meta-trained on runs of "
    f"{listed(sorted({str(config.recipes[n].steps) for n in experiment.learned}))} steps. Here the "
    f"same runs go on to step {experiment.steps}, where they have never been. Readers of the "
    "paper noted oscillations in its figure there. To tell an oscillation of the network from the "
    "noise of minibatches, look at the middle and bottom panels: both are on the fixed sample."
)

# %%
show.figure("mnist_continued", results)

# %%
show.caption("mnist_continued", results)

# %% [markdown]
# A number for it: the *oscillation* of a run adds up all movements of its loss that are undone
# again, per step. A curve that only falls has 0, however steeply; one that goes up and down has
# the more, the wilder it does. The claims table below compares it.
#
# ## One network
#
# Means hide what single runs look like. This is the first test network alone, on its minibatches
# (hair lines: the single meta-seeds).

# %%
one = curves[curves["problem"] == curves["problem"].min()]
figure = curve_plots.loss_curves(
    one, labels, config.figures, 0, experiment.horizon, "One network", "minibatch loss"
)
show.plot(figure, "minibatch loss against step of every optimizer on one test network")

# %% [markdown]
# At each step all optimizers see the same minibatch, and some minibatches are harder than others:
# that is why curves that are close to each other jump together. This shared noise cancels when
# optimizers are compared in pairs.
#
# ## The verdicts
#
# Each claim of the paper is tested, for each learned optimizer, by comparisons with every tuned
# baseline. The effect is the relative difference, learned / baseline − 1: negative means less
# (loss, steps, oscillation). A comparison counts as *replicated* if its whole 95 % interval lies
# on the claimed side, as *not replicated* if all of it lies on the other side, as *inconclusive*
# otherwise. A claim needs all of its comparisons; the row shows the one that decides.

# %%
show.claims(experiment.learned, results)

# %% [markdown]
# ## What to be careful about
#
# - **The optimizers have practised** on networks of this very architecture and these very images.
#   What they do with other architectures is for the transfer experiments.
# - **Training loss is not test accuracy.** A loss that falls faster is what is claimed, and all
#   that is measured.
# - **"The LSTM" depends on its recipe.** The two recipes differ in more than the window; see their
#   tables. A verdict on one says little about the other.
# - **Few meta-seeds.** The intervals of the verdicts allow for other test networks and for other
#   meta-seeds, as far as these scatter like those trained. Of a few meta-seeds one cannot know how
#   rare a bad one is, and of one nothing: look at the hair lines and at the columns of single
#   meta-seeds.
# - **The baselines are tuned for the end of the run,** with a constant learning rate. Tuned for
#   speed, or with a schedule, they would have other curves.

# %%
costs = [
    f"{labels[name]}: {duration(rows['seconds'].sum())} over {len(rows)} meta-seeds"
    for name, rows in runs.groupby("recipe", sort=False)
]
show.text(
    f"- **It costs something first.** Meta-training took, in this run and without the search of "
    f"the meta learning rate, {listed(costs)}. That pays only where many similar networks are to "
    "be trained."
)
