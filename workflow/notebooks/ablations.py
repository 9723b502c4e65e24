# %% [markdown]
# # Ablations: what in the recipe matters
#
# Each variant differs from a reference recipe in one thing. No figure of the paper shows this. If
# the idea of a learned optimizer is new to you, read the report on [quadratics](quadratics.html)
# first.

# %% tags=["parameters"]
settings = None  # what is changed in the default configuration

# %%
from l2l.report.notebook import Report

report = Report("ablations", settings)

# %%
report.about()

# %% [markdown]
# ## The variants
#
# - **Input (6)** on quadratics, **Rescaled input** on MNIST: the LSTM sees the gradient in the
#   other way than the reference does: as log-magnitude and sign, or as the gradient times a
#   constant.
# - **Second derivatives**: the meta-gradient also follows the dashed edges of the computational
#   graph, through the problem's gradient.
# - **Averaging cells**: some cells of the LSTM are averaged over all coordinates at each step, so
#   that coordinates learn about each other (the paper's appendix).
# - **Plain RNN, No recurrence**: a cell without gates, or without memory, of about as many weights.
# - **REINFORCE**: the same LSTM learned as a policy by trial and error. Its steps are drawn around
#   the LSTM's output, and steps that led to lower losses become more likely. Nothing is
#   backpropagated through the problem. It sees as many gradients of the problem as the reference.
# - **ES, PES, ES and backpropagation**: meta-gradients from losses at perturbed weights φ. Each
#   needs several times as many gradients as the reference.
# - **Last loss only**: w[t] is 1 at the last step and 0 before, instead of 1 everywhere.
# - **Output**: another constant times the LSTM's output.

# %%
report.picture()

# %% [markdown]
# Left of 1 a variant ends lower than the reference. *After the long unroll* asks something else:
# the best optimizer of the [report on MNIST](mnist.html) no longer improves with more episodes. Is
# the reason that its meta-gradient leaves second derivatives out? Both variants continue from it
# for as many episodes, with second derivatives and without.
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
# - **The meta-trainings are short** and share one meta learning rate. A variant that needs another
#   rate, or more episodes, looks worse than it is.
# - **Few meta-seeds.** With one of them the interval is over test problems only. It says nothing
#   about another meta-training.
# - **Equal episodes are not equal cost.** Second derivatives, averaging cells and ES take several
#   times as long per episode.
