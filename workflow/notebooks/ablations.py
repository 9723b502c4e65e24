# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
# ---

# %% [markdown]
# # Ablations: what in the recipe matters
#
# The paper and its summary say in passing that some parts of the method matter little (dropping
# second derivatives, the preprocessing of the gradients) and others much (the LSTM's memory,
# learning by backpropagation rather than by trial and error). No figure of the paper shows it. Here
# each is tested: one recipe, short, and variants of it that differ in one thing each. If the idea
# of a learned optimizer is new to you, read the report on [quadratics](quadratics.html) first.

# %% tags=["parameters"]
settings = None  # the configuration of the run; None: the default one

# %%
from l2l.report.cells import Cells

report = Cells("ablations", settings)

# %%
report.found()

# %% [markdown]
# ## The variants
#
# - **Input (6)** on quadratics, **Rescaled input** on MNIST: the other way to show the gradient to
#   the LSTM than the reference has, log-magnitude and sign, or the gradient times a constant.
# - **Second derivatives**: the meta-gradient also goes along the dashed edges of the computational
#   graph, through the optimizee's gradient.
# - **Averaging cells**: some of the LSTM's cells are averaged over all coordinates at each step, so
#   that coordinates learn of each other (the paper's appendix).
# - **Plain RNN, No recurrence**: about as many weights in a cell without gates, or without memory.
# - **REINFORCE**: the same LSTM learned as a policy by trial and error. Its steps are drawn around
#   the LSTM's output, and what led to lower losses is made more likely; no backpropagation through
#   the optimizee. It sees as many gradients of the optimizee as the reference.
# - **ES, PES, ES and backpropagation**: meta-gradients from losses at perturbed weights φ, so each
#   needs several times the reference's gradients.
# - **Last loss only**: w[t] is 1 at the last step and 0 before, instead of 1 everywhere.
# - **Output**: another constant times the LSTM's output.

# %%
report.picture()

# %% [markdown]
# Left of 1 a variant ends lower than the reference. *After the long unroll* asks something else:
# the best optimizer of the [report on MNIST](mnist.html) no longer improves with more episodes. Is
# that because of the second derivatives that its meta-gradient leaves out? Both variants go on
# from it for as many episodes, with them and without.
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
# - **The meta-trainings are short** and have one meta learning rate, the same for all. A variant
#   that needs another rate, or more episodes, looks worse than it is.
# - **Few meta-seeds.** With one of them the interval is over test problems only: it says nothing of
#   how another meta-training would have gone.
# - **Equal episodes are not equal cost.** Second derivatives, averaging cells and ES take several
#   times as long per episode.
