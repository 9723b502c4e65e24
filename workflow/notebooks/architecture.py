# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
# ---

# %% [markdown]
# # Architecture study: how far does transfer reach?
#
# The paper's figure 6: the optimizers that were meta-trained on one small network train networks of
# many sizes, and what counts is the loss at the end. How they were meta-trained is told in the
# [report on MNIST](mnist.html).

# %% tags=["parameters"]
settings = None  # the configuration of the run; None: the default one

# %%
from l2l.report.cells import Cells

report = Cells("architecture", settings)

# %% [markdown]
# ## The question
#
# Hidden units and hidden layers vary, all with sigmoid activations; the network of meta-training is
# one of them. How far from it does a learned optimizer stay below the tuned baselines? Deep
# networks of sigmoids are hard for every optimizer: gradients shrink from layer to layer.

# %%
report.found()

# %% [markdown]
# ## What came out

# %%
report.picture()

# %%
report.losses()

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
# - **The end of a short run** is what is compared. A large network that is still falling has not
#   shown what it can do.
# - **The baselines are tuned for each network,** on a coarser grid and fewer problems than in the
#   other experiments, because there are so many networks.
