# %% [markdown]
# # Neural Art: learned optimizers that paint
#
# This report explains the paper's last experiment (figures 8 and 9) on the results of this run. A
# photograph is repainted in the style of another picture, and an optimizer does the painting. If
# the idea of a learned optimizer is new to you, read the report on [quadratics](quadratics.html)
# first.

# %% tags=["parameters"]
settings = None  # what is changed in the default configuration

# %%
from l2l.report.notebook import Report

report = Report("style_curves", settings)

# %%
report.about()

# %% [markdown]
# ## What f is
#
# Gatys, Ecker and Bethge (2015) found that a network which recognises things separates *what* a
# picture shows from *how* it is painted. So one can ask for the content of a photograph and the
# style of a painting: f(θ) is a weighted sum of a content loss, a style loss and the total
# variation of the picture, which makes it smooth.

# %%
report.problems()

# %% [markdown]
# ## The pictures

# %%
report.picture("style_images")

# %% [markdown]
# Look for two things. Is it still clear what the photograph shows? Have colours and strokes come
# over from the style?
#
# ## The losses

# %%
report.picture()

# %%
report.losses()

# %% [markdown]
# How much faster is that? The tables with arrows give, for some steps on the way, the mean loss of
# each learned optimizer, and the first step at which ADAM's mean loss is as low. Where that step is
# the later one, the learned optimizer was ahead.
#
# All optimizers paint the same photographs from the same start, so they can be compared photograph
# by photograph:

# %%
report.wins("photographs on which it ends lower")

# %% [markdown]
# ## How the optimizers were learned
#
# Three learned optimizers are compared. The first was meta-trained on this task from nothing, as in
# the paper. The second is the optimizer of the [report on MNIST](mnist.html), unchanged: it has
# trained small networks that read digits and never met a picture as θ. The third began as the
# second and was then meta-trained further on this task.

# %%
report.recipes()

# %%
report.meta_training()

# %% [markdown]
# ## The opponents: hand-crafted optimizers, tuned for each panel

# %%
report.tuning()

# %% [markdown]
# ## The verdicts

# %%
report.verdicts()

# %% [markdown]
# ## What to be careful about
#
# - **Two things change at once** between the panels: the style and the size. The figure does not
#   tell which of them makes a difference.
# - **Losses of different sizes do not compare.** f grows with the number of pixels by definition,
#   and each style has a lowest loss of its own. Compare lines within a panel only.
# - **Few photographs and meta-seeds,** because a run is expensive. The intervals are over the test
#   photographs (for new styles, over photographs and styles together). With one meta-seed they say
#   nothing about another meta-training.
# - **A low loss is not beauty.** f weighs content, style and smoothness with numbers that somebody
#   chose. Their ratio was chosen so that ADAM makes good pictures. Their common factor, to which
#   ADAM is blind, was chosen where the optimizer of MNIST did best on three validation photographs.
#   So the scale of its inputs was chosen on this task, though its weights were not.
# - **The baselines are tuned on few photographs** (for new styles, on the first style alone) **and
#   a coarse grid,** with a constant learning rate, for the lowest final loss. A rate tuned for the
#   mean loss along the way would do better in that.

# %%
report.costs("pictures are to be painted")
