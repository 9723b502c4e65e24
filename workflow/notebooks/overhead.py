# %% [markdown]
# # What a step costs
#
# The time of a step, of learned and of hand-crafted optimizers.

# %% tags=["parameters"]
settings = None  # what is changed in the default configuration

# %%
from l2l.report.notebook import Report

report = Report("overhead", settings)

# %%
report.about()

# %% [markdown]
# ## Time per step

# %%
report.picture()

# %% [markdown]
# Left: a star is the time of one gradient of a network with that many parameters. An optimizer
# whose line is far below the star is nearly free there; one above it doubles the time, or more.
# Below is what a user waits for, a step with its gradient, as a multiple of ADAM's.
# Right: the losses of the [report on MNIST](mnist.html), against steps and against time.
#
# ## The verdicts

# %%
report.verdicts()

# %% [markdown]
# ## What to be careful about
#
# - **One machine.** The times are those of the machine that made this report. Their ratios carry
#   over better than they do.
# - **Small networks.** With larger minibatches, or more work per parameter, the gradient takes
#   longer and the optimizer does not.
