# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
# ---

# %% [markdown]
# # Transfer: the same optimizers on other networks
#
# An optimizer is useful only if it works on what it was not trained on. This report explains the
# paper's first test of that (figure 5) on the results of this run. How the optimizers were
# meta-trained is told in the [report on MNIST](mnist.html).

# %% tags=["parameters"]
settings = None  # the configuration of the run; None: the default one

# %%
from l2l.report.cells import Cells

report = Cells("mnist_transfer", settings)

# %% [markdown]
# ## The question
#
# The learned optimizers are taken as they are: their weights φ are those of the base network's
# report, and nothing of them is tuned again. The hand-crafted ones get a learning rate tuned anew
# for each network. The paper finds that its LSTM carries over to more units and to a second layer,
# and that it fails on ReLU, because another activation makes the dynamics of learning too
# different. A reader's guess (Jiang, 2019) is that tanh, which looks like the sigmoid, would do.

# %%
report.found()

# %% [markdown]
# ## The networks

# %%
report.problems()

# %% [markdown]
# ## What came out

# %%
report.picture()

# %%
report.losses()

# %% [markdown]
# A run *diverged* if its loss at the end is more than 5 % above that of its start, or not a finite
# number. A mean over runs says little once some of them diverged: compare the counts.

# %%
report.wins("networks on which it ends lower")

# %% [markdown]
# ## The opponents: hand-crafted optimizers, tuned for each network

# %%
report.tuning()

# %% [markdown]
# ## The verdicts

# %%
report.verdicts()

# %% [markdown]
# ## What to be careful about
#
# - **The images are the same.** What changes is the network; the data, the loss and the size of the
#   minibatches are those of meta-training.
# - **The comparison favours the baselines:** they are tuned for each network, the LSTMs are not.
# - **Failing on one activation** is one way of failing. Others (deeper networks, other losses, more
#   steps) are not tested here; see the [architecture study](architecture.html) and
#   [CIFAR](cifar.html).
