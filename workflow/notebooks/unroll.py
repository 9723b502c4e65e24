# %% [markdown]
# # How long to unroll
#
# What the length of the windows does to the meta-gradient, and to what is learned.

# %% tags=["parameters"]
settings = None  # the configuration of the run; None: the default one

# %%
from l2l.report.notebook import Report

report = Report("unroll", settings)

# %%
report.about()

# %% [markdown]
# ## What is measured
#
# The weights φ are held fixed: at the start of meta-training, after a short one and after a long
# one. On the same problems, the meta-gradient of an episode is computed with windows of each length
# and added up over the windows. The true meta-gradient has a single window and keeps second
# derivatives.

# %%
report.picture()

# %% [markdown]
# *Norm* is the length of the meta-gradient. Where it explodes, the line shoots up with the window.
# *Noise* is the standard deviation of single estimates, each on problems of its own, relative to
# the length of their expectation. A triangle marks where the repeats cannot tell that length from
# zero. *Bias* is 1 minus the cosine of the angle between the mean estimate and the true one: 0 is
# the same direction, 1 a right angle. Evolution strategies with few pairs are so noisy that their
# bias cannot be seen.
#
# The last row shows what was learned with each window, from the same number of inner steps.
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
# - **One family of problems.** The meta-gradients are measured on quadratics, where second
#   derivatives are cheap to keep.
