# %% [markdown]
# # MNIST: a learned optimizer trains small networks
#
# This report explains the second experiment of the paper *Learning to learn by gradient descent by
# gradient descent* (Andrychowicz et al., 2016) on the results of this run. All numbers and plots
# are computed from the tables of the run. The code that makes each is folded above it. If the idea
# of a learned optimizer is new to you, read the [report on quadratics](quadratics.html) first.

# %% tags=["parameters"]
settings = None  # what is changed in the default configuration

# %%
from l2l.report.notebook import Report

report = Report("mnist", settings)

# %%
report.about()

# %% [markdown]
# ## The question
#
# Quadratics are toys. Does a learned optimizer also train a neural network? That has thousands of
# parameters and a loss that is not convex. Its gradients are noisy, because each step sees another
# minibatch of images. And is the learned optimizer faster than the optimizers that people use?
#
# ## The problems

# %%
report.problems()

# %% [markdown]
# Two losses are recorded. The loss of the step's own minibatch is recorded at every step; the
# optimizers see it, and the paper plots it. The loss on a fixed sample of training images is
# recorded at some steps; it is the same sample for all, and no optimizer sees it. The second loss
# has no noise of minibatches, so final losses and oscillations are judged by it. Both are losses on
# training images: how well the networks do on new digits is another question.
#
# ## The optimizers that were learned
#
# As for quadratics, one small LSTM computes the update of every coordinate of θ by itself:
#
# <p class="equation">θ<sub>t+1</sub> = θ<sub>t</sub> + g<sub>t</sub>&emsp;(1)<br>
# (g<sub>t</sub>, h<sub>t+1</sub>) = m(∇<sub>t</sub>, h<sub>t</sub>, φ)&emsp;(3)</p>

# %%
report.picture("coordinatewise_lstm")

# %% [markdown]
# Gradients of a network span many orders of magnitude, which makes them a poor input for another
# network. So the LSTM sees each gradient as two numbers, its order of magnitude and its sign
# (equation (6) of the paper):
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
# this, always the same ones. Solid lines are the loss at the end of these runs, dashed lines the
# mean along the way. The weights with the lowest loss at the end are kept.
#
# Some initialisations of the LSTM never get going: they push all networks into saturation, where
# the gradient vanishes and nothing can be learned. Such a run *collapses*. Its first validation
# shows it, and it starts again from the next initialisation. The table says how often that
# happened.

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
# be compared network by network. On how many does the learned optimizer end lower?

# %%
report.wins("networks on which it ends lower")

# %% [markdown]
# ## Beyond the training horizon: the plateau

# %%
lengths = sorted({report.config.recipes[name].steps for name in report.section.learned})
report.text(
    f"The learned optimizers were meta-trained on runs of {' and '.join(map(str, lengths))} steps. "
    f"Here the same runs continue to step {report.config.experiments['mnist'].steps}, where they "
    "have never been. Readers of the paper saw oscillations in its figure there. To tell an "
    "oscillation of the network from the noise of minibatches, look at the strong lines at the "
    "right: they are on the fixed sample."
)

# %%
report.picture("figure4")

# %% [markdown]
# The *oscillation* of a run puts a number on it: all movements of its loss that are undone again,
# added up, per step. A curve that only falls has 0, however steep it is. The claims table below
# compares it.
#
# ## One network
#
# Means hide what single runs look like. This is the first test network alone, on its minibatches.
# Hair lines are single meta-seeds.

# %%
report.one_problem("One network")

# %% [markdown]
# At each step all optimizers see the same minibatch, and some minibatches are harder than others.
# That is why curves that are close to each other jump together. This shared noise cancels when
# optimizers are compared in pairs.
#
# ## The verdicts

# %%
report.verdicts()

# %% [markdown]
# ## What to be careful about
#
# - **The optimizers have practised** on networks of this very architecture and these very images.
#   The [report on transfer](mnist_transfer.html) shows what they do with other architectures.
# - **Training loss is not test accuracy.** The claim is a loss that falls faster, and that is all
#   that is measured.
# - **"The LSTM" depends on its recipe.** The two recipes differ in more than the window; see their
#   table. A verdict on one says little about the other.
# - **Few meta-seeds.** The intervals of the verdicts allow for other test networks, and for other
#   meta-seeds as far as they scatter like those trained. A few meta-seeds cannot show how rare a
#   bad one is, and one meta-seed shows nothing: look at the hair lines and at the columns of single
#   meta-seeds.
# - **The baselines are tuned for the end of the run,** with a constant learning rate. Tuned for
#   speed, or with a schedule, they would have other curves.

# %%
report.costs("networks are to be trained")
