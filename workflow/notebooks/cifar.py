# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
# ---

# %% [markdown]
# # CIFAR: convolutional networks, and losses on images that were held out
#
# This report explains the paper's largest experiment on classification (figure 7) on the results of
# this run: networks with convolutions on small colour photographs, over many more steps than
# before. If the idea of a learned optimizer is new to you, read the reports on
# [quadratics](quadratics.html) and [MNIST](mnist.html) first.

# %% tags=["parameters"]
settings = None  # the configuration of the run; None: the default one

# %%
from l2l.report.cells import Cells

report = Cells("cifar", settings)

# %% [markdown]
# ## The question
#
# Convolutional and fully connected layers have gradients of different kinds. One LSTM for all
# coordinates did not do in the paper: it uses two, one for the parameters of the convolutional
# layers and one for the fully connected ones, with weights φ of their own, meta-trained together.
# That is compared here with one LSTM for everything.
#
# And the optimizer meets images that it has never seen. Of these images *LSTM* saw all classes in
# its meta-training, *LSTM-sub* only the classes that the panel leaves out. If the second does as
# well as the first, it is not the images that the optimizer has learned, but how to optimize.

# %%
report.found()

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
# The held-out loss is measured every few steps only, on a fixed sample of test images; batch
# normalisation uses the statistics of the images at hand there too, so a network has no other
# parameters than θ.
#
# ## How the optimizers were learned

# %%
report.recipes()

# %%
report.meta_training()

# %% [markdown]
# Meta-training saw runs much shorter than those of the figure: what an optimizer does beyond the
# steps that it was trained for is up to how well it generalises over time.
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
# - **Few test networks and meta-seeds,** because a run is expensive: intervals are wide, and what
#   is inconclusive here may be decided by more of them.
# - **Loss, not accuracy.** Held-out loss is what the paper plots.
# - **The baselines are tuned on few networks and a coarse grid,** with a constant learning rate.

# %%
report.costs("networks are to be trained")
