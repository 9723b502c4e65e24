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
from l2l.report import show
from l2l.report.cells import Cells
from l2l.report.words import listed

report = Cells("mnist", settings)

# %% [markdown]
# ## The question
#
# Quadratics are toys. Does a learned optimizer also train a neural network, with thousands of
# parameters, a loss that is not convex, and gradients that are noisy because each step sees
# another minibatch of images? And is it then faster than the optimizers that people use?
#
# ## The problems

# %%
report.problems()

# %% [markdown]
# Two losses are recorded: at every step that of the step's own minibatch, which is what the
# optimizers see and the paper plots; and at some that on a fixed sample of training images, the
# same for all, which no optimizer sees. The second has no noise of minibatches in it, so final
# losses and oscillations are judged by it. Both are losses on training images: how well the
# networks do on new digits is another question.
#
# ## The optimizers that were learned
#
# The update is computed, as for quadratics, by one small LSTM that is applied to every coordinate
# of θ by itself:
#
# <p class="equation">θ<sub>t+1</sub> = θ<sub>t</sub> + g<sub>t</sub>&emsp;(1)<br>
# (g<sub>t</sub>, h<sub>t+1</sub>) = m(∇<sub>t</sub>, h<sub>t</sub>, φ)&emsp;(3)</p>

# %%
report.picture("coordinatewise_lstm")

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
report.recipes()

# %% [markdown]
# In the plot below each marker is a validation: φ is frozen and trains networks kept apart for
# this, always the same ones. Solid lines: the loss at the end of these runs; dashed: the mean along
# the way. The weights with the lowest loss at the end are kept.
#
# Some initialisations of the LSTM can fail to get going: they push all networks into saturation,
# where the gradient vanishes and nothing can be learned. Such a run *collapses*; it is noticed at
# its first validation and started again from the next initialisation. The table tells how often
# that happened.

# %%
report.meta_training()

# %% [markdown]
# ## The opponents: hand-crafted optimizers at their best

# %%
report.tuning()

# %% [markdown]
# ## What came out

# %%
report.picture()

# %%
report.losses()

# %% [markdown]
# All optimizers trained the same networks from the same start on the same minibatches, so they can
# be compared network by network: on how many does the learned optimizer end lower?

# %%
report.wins("networks on which it ends lower")

# %% [markdown]
# ## Going on: the plateau

# %%
meta_trained_for = sorted({str(report.config.recipes[name].steps) for name in report.learned})
show.text(
    f"The learned optimizers were meta-trained on runs of {listed(meta_trained_for)} steps. Here "
    f"the same runs go on to step {report.config.experiments['mnist'].steps}, where they have "
    "never been. Readers of the paper noted oscillations in its figure there. To tell an "
    "oscillation of the network from the noise of minibatches, look at the middle and bottom "
    "panels: both are on the fixed sample."
)

# %%
report.picture("mnist_continued")

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
report.one_problem("One network")

# %% [markdown]
# At each step all optimizers see the same minibatch, and some minibatches are harder than others:
# that is why curves that are close to each other jump together. This shared noise cancels when
# optimizers are compared in pairs.
#
# ## The verdicts

# %%
report.verdicts()

# %% [markdown]
# ## What to be careful about
#
# - **The optimizers have practised** on networks of this very architecture and these very images.
#   What they do with other architectures is in the [report on transfer](mnist_transfer.html).
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
report.costs("networks are to be trained")
