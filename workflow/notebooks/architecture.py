# %% [markdown]
# # Architecture study: how far does transfer reach?
#
# This is the paper's figure 6. The optimizers that were meta-trained on one small network train
# networks of many sizes. The [report on MNIST](mnist.html) says how they were meta-trained.

# %% tags=["parameters"]
settings = None  # what is changed in the default configuration

# %%
from l2l.report.notebook import Report

report = Report("architecture", settings)

# %%
report.about()

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
# - **Only the end of a short run is compared.** A large network whose loss is still falling has not
#   shown what it can do.
# - **The baselines are tuned for each network,** on a coarser grid and fewer problems than in the
#   other experiments, because there are so many networks.
