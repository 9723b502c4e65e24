# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
# ---

# %% [markdown]
# # Neural Art: learned optimizers that paint
#
# This report explains the paper's last experiment (figures 8 and 9) on the results of this run: a
# photograph is repainted in the style of another picture, and what paints is an optimizer. If the
# idea of a learned optimizer is new to you, read the report on [quadratics](quadratics.html) first.

# %% tags=["parameters"]
settings = None  # the configuration of the run; None: the default one

# %%
from l2l.report.cells import Cells

report = Cells("style_curves", settings)

# %% [markdown]
# ## The question
#
# So far θ were the weights of a network or a handful of numbers. Here θ is a picture: every pixel
# has three coordinates, and a function f says how well the picture does. The LSTM moves each of
# these numbers by itself, from the gradients of that one number alone. It practises with one style
# on small pictures. Does it then paint well in that style? And, unchanged, in styles that it never
# met, and on pictures of another size?

# %%
report.found()

# %% [markdown]
# ## What f is
#
# Gatys, Ecker and Bethge (2015) found that a network which recognises things can tell apart *what*
# a picture shows and *how* it is painted, so that one can ask for the one of a photograph and the
# other of a painting.

# %%
report.problems()

# %% [markdown]
# ## The pictures

# %%
report.picture("style_images")

# %% [markdown]
# Look for two things: is it still clear what the photograph shows, and have colours and strokes
# come over from the style? The number that is minimised need not agree with the eye.
#
# ## The losses

# %%
report.picture()

# %%
report.losses()

# %% [markdown]
# How much faster is that? For some steps on the way this is the mean loss of each learned
# optimizer, and the first step at which ADAM's mean loss is as low or lower. Where that step is the
# later one, the learned optimizer was ahead.

# %%
report.catching_up()

# %% [markdown]
# All optimizers paint the same photographs from the same start, so they can be compared photograph
# by photograph:

# %%
report.wins("photographs on which it ends lower")

# %% [markdown]
# ## How the optimizers were learned
#
# Three learned optimizers are compared. One was meta-trained on this task from nothing, as in the
# paper. One is the optimizer of the [report on MNIST](mnist.html), unchanged: it has trained small
# networks that read digits and never seen a picture as θ. The third began as that one and was then
# meta-trained further on this task.

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
# - **Two things change at once** between the panels: the style and the size. Whether it is the one
#   or the other that makes a difference is not told apart.
# - **Losses of different sizes do not compare.** f grows with the number of pixels by definition,
#   and each style has a lowest loss of its own. Compare lines within a panel only.
# - **Few photographs and meta-seeds,** because a run is expensive. The intervals are over the test
#   photographs (for new styles, over photographs and styles together); with one meta-seed they say
#   nothing of how another meta-training would have gone.
# - **A low loss is not beauty.** f weighs content, style and smoothness with numbers that somebody
#   chose: their ratio so that ADAM makes good pictures; their common factor, to which ADAM is
#   blind, where the optimizer of MNIST did best on three validation photographs. So the scale of
#   its inputs was chosen on this task, though its weights were not.
# - **The baselines are tuned on few photographs** (for new styles, on the first style alone) **and
#   a coarse grid,** with a constant learning rate, for the lowest final loss. A rate tuned for the
#   mean loss along the way would do better in that.

# %%
report.costs("pictures are to be painted")
