# %% [markdown]
# # Transfer: the same optimizers on other networks
#
# This report explains the paper's first test of transfer (figure 5) on the results of this run. The
# [report on MNIST](mnist.html) says how the optimizers were meta-trained.

# %% tags=["parameters"]
settings = None  # what is changed in the default configuration

# %%
from l2l.report.notebook import Report

report = Report("mnist_transfer", settings)

# %%
report.about()

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
# A mean over runs says little once some of them diverged: compare the counts.

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
# - **The images are the same.** The network changes; the data, the loss and the size of the
#   minibatches are those of meta-training.
# - **The comparison favours the baselines:** they are tuned for each network, the LSTMs are not.
# - **One activation is one way to fail.** Others (deeper networks, other losses, more steps) are
#   not tested here; see the [architecture study](architecture.html) and [CIFAR](cifar.html).
