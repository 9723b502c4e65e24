# %% [markdown]
# # CIFAR: convolutional networks, and losses on held-out images
#
# This report explains the paper's largest experiment on classification (figure 7) on the results of
# this run: networks with convolutions on small colour photographs, over many more steps than
# before. If the idea of a learned optimizer is new to you, read the reports on
# [quadratics](quadratics.html) and [MNIST](mnist.html) first.

# %% tags=["parameters"]
settings = None  # what is changed in the default configuration

# %%
from l2l.report.notebook import Report

report = Report("cifar", settings)

# %%
report.about()

# %% [markdown]
# ## The networks

# %%
report.problems()

# %% [markdown]
# ## What came out

# %%
report.picture()

# %%
report.losses()

# %% [markdown]
# The held-out loss is measured every few steps only, on a fixed sample of test images. Batch
# normalisation uses the statistics of the images at hand there too, so a network has no parameters
# other than θ.
#
# ## How the optimizers were learned

# %%
report.recipes()

# %%
report.meta_training()

# %% [markdown]
# Meta-training saw much shorter runs than those of the figure. Beyond the steps that an optimizer
# was trained for, it depends on how well the optimizer generalises over time.

# %%
report.picture("step_size")

# %% [markdown]
# Where orange and black differ, the meta-gradient that trains the optimizer is wrong about the size
# of its steps. Where black is above 0, smaller steps really lower the loss of the next steps, but
# not always that of the end.
#
# ## The opponents: hand-crafted optimizers at their best

# %%
report.tuning()

# %% [markdown]
# ## The verdicts

# %%
report.verdicts()

# %% [markdown]
# ## What to be careful about
#
# - **Few test networks and meta-seeds,** because a run is expensive. Intervals are wide, and more
#   networks may decide what is inconclusive here.
# - **Loss, not accuracy.** The paper plots the held-out loss.
# - **The baselines are tuned on few networks and a coarse grid,** with a constant learning rate.

# %%
report.costs("networks are to be trained")
