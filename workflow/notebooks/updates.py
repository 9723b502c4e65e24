# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
# ---

# %% [markdown]
# # What a learned optimizer does with a gradient
#
# SGD answers twice the gradient with twice the step; ADAM hardly looks at its size. What does a
# learned optimizer do? As in the paper's appendix it is asked, in the middle of real runs: had this
# one gradient been another, what would the step have been?

# %% tags=["parameters"]
settings = None  # the configuration of the run; None: the default one

# %%
from l2l.report.cells import Cells

report = Cells("updates", settings)

# %% [markdown]
# ## Proposed updates

# %%
report.picture()

# %% [markdown]
# Each line belongs to one coordinate of θ with the memory that it has at that step. A straight line
# through zero is what SGD would draw; ADAM's line bends with the gradients that it remembers.
#
# ## What to be careful about
#
# - **A few coordinates** of one run: examples, not statistics.
