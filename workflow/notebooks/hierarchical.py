# %% [markdown]
# # A hierarchical RNN
#
# The optimizer of Wichrowska et al. (2017), beside the paper's LSTM.

# %% tags=["parameters"]
settings = None  # what is changed in the default configuration

# %%
from l2l.report.notebook import Report

report = Report("hierarchical", settings)

# %%
report.about()

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
# - **The meta-training is short,** as short as that of the LSTM beside it. The authors trained
#   theirs for days on many more kinds of problems.
# - **Few meta-seeds.** With one, the intervals are over test problems only.
# - **It is simplified;** the module `l2l.optimizers.hierarchical` says in which ways.
