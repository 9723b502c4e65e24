# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
# ---

# %% [markdown]
# # How long to unroll
#
# Meta-training cuts an episode into windows and backpropagates through each window alone. A short
# window is blind to what a step does later: its meta-gradient is *biased*. A long one sees more,
# but its gradient can be noisy, or explode. Metz et al. (2019) describe this trade and propose
# evolution strategies, on a smoothed meta-loss, against the explosion. Here both are measured.

# %% tags=["parameters"]
settings = None  # the configuration of the run; None: the default one

# %%
from l2l.report.cells import Cells

report = Cells("unroll", settings)

# %%
report.found()

# %% [markdown]
# ## What is measured
#
# The weights φ are held fixed: at the start of meta-training, after a short one and after a long
# one. On the same problems, the meta-gradient of an episode is found with windows of each length,
# added up over the windows. The true one has a single window and keeps second derivatives.

# %%
report.picture()

# %% [markdown]
# *Norm*: how long it is; where it explodes the line shoots up with the window. *Noise*: the
# standard deviation of single estimates, each on problems of its own, as a part of the length of
# their expectation; a triangle where the repeats cannot tell that from zero. *Bias*: 1 minus the
# cosine of the angle between the mean and the true one's mean; 0 is the same direction, 1 a right
# angle. Evolution strategies are so noisy with few pairs that their bias cannot be seen through
# it.
#
# The last row shows what was learned with each window, with equal numbers of inner steps in all.
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
# - **One problem.** The meta-gradients are measured on quadratics, where second derivatives are
#   cheap to keep.
