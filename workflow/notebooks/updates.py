# %% [markdown]
# # What a learned optimizer does with a gradient
#
# The updates that optimizers propose in the middle of real runs (the paper's appendix).

# %% tags=["parameters"]
settings = None  # what is changed in the default configuration

# %%
from l2l.report.notebook import Report

report = Report("updates", settings)

# %%
report.about()

# %% [markdown]
# ## Proposed updates

# %%
report.picture()

# %% [markdown]
# Each line belongs to one coordinate of θ, with the memory that it has at that step. SGD would draw
# a straight line through zero. ADAM's line bends with the gradients that it remembers.
#
# ## What to be careful about
#
# - **A few coordinates** of one run are examples, not statistics.
