# %% [markdown]
# # How long to unroll
#
# What the length of the windows does to the meta-gradient, and to what is learned.

# %% tags=["parameters"]
settings = None  # what is changed in the default configuration

# %%
from l2l.report.notebook import Report

report = Report("unroll", settings)

# %%
report.about()

# %% [markdown]
# ## What is measured
#
# The weights φ are held fixed: on quadratics after a short meta-training and after a long one, and
# on a small network for MNIST. On the same problems, the meta-gradient of an episode is computed
# with windows of each length and added up over the windows. The true meta-gradient has a single
# window and keeps second derivatives.

# %%
report.picture()

# %% [markdown]
# *Norm* is the length of the meta-gradient. *Variance* is how much the gradients of single problems
# scatter, in squared units of the norm. Where gradients explode, its line shoots up with the
# window. It is not divided by the expected gradient, which is nearly zero where meta-training has
# ended. *Bias* is 1 minus the cosine of the angle between an estimate and the true one on the same
# problems: 0 is the same direction, 1 a right angle. Evolution strategies with few pairs are so
# noisy that their bias cannot be seen.
#
# The last row shows what was learned with each window, from the same number of inner steps.
#
# ## The landscape

# %%
report.picture("landscape")

# %% [markdown]
# A gradient is as good as the landscape is smooth. Metz et al. (2019) find that it gets rougher
# with the length of the episode.
#
# ## The numbers

# %%
report.losses()

# %% [markdown]
# ## The verdicts

# %%
report.verdicts()

# %% [markdown]
# ## How the optimizers were learned

# %%
report.recipes()

# %% [markdown]
# ## What to be careful about
#
# - **Short windows make more updates** of φ from as many inner steps. With one meta learning rate
#   for all, that can favour them, or be too fast for them.
# - **Small problems.** To keep second derivatives takes memory for the whole window, so the network
#   for MNIST has 5 hidden units. On convex quadratics nothing can explode.
# - **Random directions.** There are many weights φ, and a slice shows one line through them.
