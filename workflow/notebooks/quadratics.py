# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
# ---

# %% [markdown]
# # Quadratics: can an update rule be learned?
#
# This report explains the first experiment of the paper *Learning to learn by gradient descent by
# gradient descent* (Andrychowicz et al., 2016) on the results of this run. All numbers and plots
# below are computed from the tables of the run; the code that makes each is folded above it.

# %% tags=["parameters"]
settings = None  # the configuration of the run; None: the default one

# %%
from l2l.config import Config, load_config
from l2l.figures import curves as curve_plots
from l2l.figures import meta_training
from l2l.pages import describe, losses, plots, show, tables
from l2l.pages.results import Results
from l2l.pages.words import duration, listed

config = load_config() if settings is None else Config.model_validate(settings)
results = Results(config)
labels = config.labels()
experiment = config.experiments["quadratics"]
curves = results.curves("quadratics")

show.warning(config)

# %% [markdown]
# ## The question
#
# To minimise a function f of parameters θ, one starts somewhere and takes steps. *Gradient
# descent* steps against the gradient ∇f; its relatives (momentum, RMSprop, ADAM) are cleverer
# rules that people found by thought and trial. All of them have the form
#
# <p class="equation">θ<sub>t+1</sub> = θ<sub>t</sub> + g<sub>t</sub>&emsp;(1)</p>
#
# and differ in how the update g<sub>t</sub> is computed from the gradients seen so far. The paper
# asks: can a neural network compute the update, and can that network be *learned* from examples of
# functions?
#
# <p class="equation">(g<sub>t</sub>, h<sub>t+1</sub>) = m(∇<sub>t</sub>, h<sub>t</sub>, φ)
# &emsp;(3)</p>
#
# Here ∇<sub>t</sub> is the gradient at step t, h<sub>t</sub> the network's memory, and φ its
# weights. The function f is called the *optimizee*, the network m the *optimizer*.

# %%
show.figure("optimizer_loop", results)

# %% [markdown]
# ## The problems
#
# The simplest family of functions on which optimizers differ are quadratics.

# %%
show.text(
    describe.problem(config.problems[experiment.problem]),
    "Such a function is a long narrow valley in many dimensions. Its lowest value is 0, since Wθ = "
    "y has a solution; but along some directions the valley is nearly flat, and there the gradient "
    "says little. One learning rate has to be small enough for the steep directions and is then "
    "too small for the flat ones.",
)

# %% [markdown]
# ## How the optimizer was learned
#
# The optimizer is an LSTM, a recurrent network with a memory. It is applied to each coordinate of
# θ by itself: one set of weights φ for all of them, a state h for each. It is good if the losses
# along its way are low, so φ is trained to make their weighted sum small, averaged over random
# problems:
#
# <p class="equation">L(φ) = E<sub>f</sub> Σ<sub>t</sub> w<sub>t</sub> f(θ<sub>t</sub>)&emsp;(4)</p>
#
# Training φ is called *meta-training*; one run of the optimizer on fresh problems is an *episode*.
# The gradient of L flows back through the steps that the optimizer took, over *windows* of some
# steps (longer chains cost more memory and can become unstable). One path is cut: that the
# gradient ∇<sub>t</sub> itself depends on φ through θ<sub>t</sub>. Following it would need second
# derivatives of f; these are the dashed arrows:

# %%
show.figure("computation_graph", results)

# %% [markdown]
# This is the recipe that was used, from the configuration:

# %%
for name in experiment.learned:
    rate = results.search(name)["meta_learning_rate"]
    display(show.rows(describe.recipe(name, config, rate), f"Recipe of {labels[name]}"))
    display(show.rows(tables.trials(results.search(name)), "Trials of the meta learning rate"))

# %% [markdown]
# After every few episodes φ is frozen and run on validation problems, always the same ones. The
# weights with the lowest loss at the end of that run are kept: later weights are not always
# better.

# %%
for name in experiment.learned:
    figure = meta_training.draw(results.logs(name), labels, config.figures)
    display(show.plot(figure, f"validation loss of {labels[name]} against meta-training episodes"))

runs = results.runs()
runs = runs[runs["recipe"].isin(experiment.learned)]
show.rows(tables.runs(runs, config), "The meta-trainings")

# %% [markdown]
# ## The opponents: hand-crafted optimizers at their best
#
# A comparison is fair only if the baselines are tuned. Each got the learning rate whose mean loss
# at the end of the run is lowest, over problems that are not test problems. The other settings are
# the usual ones (momentum 0.9 in NAG, decay 0.99 in RMSprop, 0.9 and 0.999 in ADAM).

# %%
tuning = results.tuning("quadratics")
show.plot(
    plots.tuning(tuning, config.figures, experiment.horizon),
    "final loss against learning rate of each baseline; the chosen rates are ringed",
)

# %%
show.rows(tables.rates(tuning, "quadratics", config), "The chosen learning rates (ringed above)")

# %% [markdown]
# A curve that is flat around its ring means that the choice hardly matters. To the left, learning
# rates are too small to get far; to the right, too large to settle. Runs that diverged altogether
# are left out.
#
# ## What came out

# %%
show.figure("quadratics", results)

# %%
show.caption("quadratics", results)

# %%
show.items(
    [
        losses.summary(curves, "quadratics", config),
        *(
            losses.order_sentence(curves, "quadratics", config, step)
            for step in losses.reported_steps(curves, experiment.horizon)
        ),
    ]
)

# %%
for column, name in losses.kinds(curves).items():
    display(
        show.rows(
            losses.table(curves, column, "quadratics", config),
            f"Mean {name} with its {100 * config.figures.interval:g} % interval",
        )
    )

# %% [markdown]
# All optimizers ran on the same problems from the same start, so they can be compared problem by
# problem: on how many does the learned optimizer end lower?

# %%
show.rows(losses.wins(curves, "quadratics", config), "Problems on which it ends lower")

# %% [markdown]
# ## One problem
#
# Means hide what single runs look like. This is the first test problem alone (hair lines: the
# single meta-seeds).

# %%
one = curves[curves["problem"] == curves["problem"].min()]
figure = curve_plots.loss_curves(
    one, labels, config.figures, 0, experiment.steps, "One quadratic function"
)
show.plot(figure, "loss against step of every optimizer on one test problem")

# %% [markdown]
# ## The verdict
#
# The claim of the paper is tested by comparing the learned optimizer with every tuned baseline,
# both in the mean loss of the whole run (is it fast?) and in the final loss (does it get low?).
# The effect is the relative difference, learned / baseline − 1: negative means a lower loss. A
# comparison counts as *replicated* if its whole 95 % interval lies on the claimed side, as *not
# replicated* if all of it lies on the other side, as *inconclusive* otherwise. The claim needs all
# of its comparisons.

# %%
show.claims(experiment.learned, results)

# %% [markdown]
# ## What to be careful about
#
# - **The optimizer has practised.** It was trained on functions of the very family it is tested
#   on. The hand-crafted rules know nothing of the family but one learning rate. Nothing here says
#   how the LSTM does on other functions.
# - **It was trained for runs of a certain length**, and says nothing about longer ones.
# - **Means can be ruled by the hard problems.** Where a few nearly flat valleys keep a high loss,
#   they make up most of a mean. The table of problems won looks at the same runs in a way that
#   these cannot rule.
# - **Intervals and meta-seeds.** The shaded bands and the intervals of the loss table say how far
#   the means could move on other problems. How far they could move with other meta-trainings, a
#   few meta-seeds can only hint at: look at the hair lines.
# - **Tuning means tuning for the end of the run.** Learning rates that win in the mean of the
#   whole run can be others.

# %%
trained = duration(runs["seconds"].sum())
names = listed([labels[name] for name in experiment.learned])
show.text(
    f"- **It costs something first.** Meta-training of {names} took {trained} in this run, summed "
    f"over {len(runs)} meta-seeds and without the search of the meta learning rate. That "
    "pays only where many similar functions are to be minimised."
)
