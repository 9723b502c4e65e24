# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
# ---

# %% [markdown]
# # A hierarchical RNN
#
# The paper's LSTM works on each coordinate by itself. Wichrowska et al. (2017) let coordinates
# learn of each other: a small recurrent network for every coordinate, one for every tensor that
# sees the mean of its coordinates, and one for everything. Is it better, does it carry over to
# other problems, and what does it cost?

# %% tags=["parameters"]
settings = None  # the configuration of the run; None: the default one

# %%
from l2l.report.cells import Cells

report = Cells("hierarchical", settings)

# %%
report.found()

# %% [markdown]
# ## How it is built

# %%
report.picture("hierarchical_diagram")

# %% [markdown]
# ## What came out
#
# Both learned optimizers were meta-trained on the same mixture of small problems in random units,
# with the same number of episodes. ADAM has a learning rate tuned for each panel.

# %%
report.picture()

# %%
report.losses()

# %% [markdown]
# ## What a step costs

# %%
report.picture("overhead")

# %% [markdown]
# ## How the optimizers were learned

# %%
report.recipes()

# %%
report.meta_training()

# %% [markdown]
# ## The opponents

# %%
report.tuning()

# %% [markdown]
# ## The verdicts

# %%
report.verdicts()

# %% [markdown]
# ## What to be careful about
#
# - **A short meta-training,** as long as the LSTM's beside it. Its authors trained theirs for days
#   on many more kinds of problems.
# - **Few meta-seeds:** with one, the intervals are over test problems only.
# - **Simplified** in the ways that the module `l2l.optimizers.hierarchical` lists.
