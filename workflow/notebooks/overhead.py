# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
# ---

# %% [markdown]
# # What a step costs
#
# A learned optimizer computes more at every step than a hand-crafted one. How much more, and does
# it matter beside the gradient of the optimizee, which every optimizer needs?

# %% tags=["parameters"]
settings = None  # the configuration of the run; None: the default one

# %%
from l2l.report.cells import Cells

report = Cells("overhead", settings)

# %%
report.found()

# %% [markdown]
# ## Time per step

# %%
report.picture()

# %% [markdown]
# Left: a star is what one gradient takes of a network of that many parameters. An optimizer whose
# line is far below it is nearly free there; one above it doubles the time, or more. Right: the
# same losses as in the [report on MNIST](mnist.html), against steps and against the time that
# they take.
#
# ## The verdicts

# %%
report.verdicts()

# %% [markdown]
# ## What to be careful about
#
# - **One machine.** The times are those of the machine that made this report; their ratios carry
#   over better than they do.
# - **Small networks.** With larger minibatches or more work per parameter the gradient takes longer
#   and the optimizer does not.
