# %% [markdown]
# # Quadratics: can an update rule be learned?
#
# This report explains the first experiment of the paper *Learning to learn by gradient descent by
# gradient descent* (Andrychowicz et al., 2016) on the results of this run. All numbers and plots
# are computed from the tables of the run. The code that makes each is folded above it.

# %% tags=["parameters"]
settings = None  # what is changed in the default configuration

# %%
from l2l.report.notebook import Report

report = Report("quadratics", settings)

# %%
report.about()

# %% [markdown]
# ## The question
#
# To minimise a function f of parameters θ, one starts somewhere and takes steps. *Gradient
# descent* steps against the gradient ∇f. Its relatives (momentum, RMSprop, ADAM) are cleverer
# rules that people found by thought and trial. All of them have the form
#
# <p class="equation">θ<sub>t+1</sub> = θ<sub>t</sub> + g<sub>t</sub>&emsp;(1)</p>
#
# and differ in how they compute the update g<sub>t</sub> from the gradients so far. The paper asks:
# can a neural network compute the update, and can that network be *learned* from examples of
# functions?
#
# <p class="equation">(g<sub>t</sub>, h<sub>t+1</sub>) = m(∇<sub>t</sub>, h<sub>t</sub>, φ)
# &emsp;(3)</p>
#
# Here ∇<sub>t</sub> is the gradient at step t, h<sub>t</sub> the network's memory, and φ its
# weights. The network m is the *optimizer*; the function f is the *problem*.

# %%
report.picture("optimizer_loop")

# %% [markdown]
# ## The problems
#
# The simplest functions on which optimizers differ are quadratics, f(θ) = ‖Wθ − y‖². The entries of
# W and y are drawn from a normal distribution. A *family* of problems is all functions that can be
# drawn like this; each test problem is one of them.

# %%
report.problems()

# %% [markdown]
# Such a function is a long narrow valley in many dimensions. Its lowest value is 0, because
# Wθ = y has a solution. But along some directions the valley is nearly flat, and there the gradient
# says little. One learning rate has to be small enough for the steep directions; it is then too
# small for the flat ones.
#
# ## How the optimizer was learned
#
# The optimizer is an LSTM, a recurrent network with a memory. It works on each coordinate of θ by
# itself: all coordinates share the weights φ, and each has its own state h. The optimizer is good
# if the losses along its way are low. So φ is trained to make their weighted sum small, averaged
# over random problems:
#
# <p class="equation">L(φ) = E<sub>f</sub> Σ<sub>t</sub> w<sub>t</sub> f(θ<sub>t</sub>)&emsp;(4)</p>
#
# Training φ is called *meta-training*. One run of the optimizer on fresh problems is an *episode*.
# The gradient of L flows back through the steps that the optimizer took, over *windows* of some
# steps: longer chains cost more memory and can become unstable. One path is cut. The gradient
# ∇<sub>t</sub> itself depends on φ through θ<sub>t</sub>, and following that path would need second
# derivatives of f. The dashed arrows show it:

# %%
report.picture("computation_graph")

# %% [markdown]
# This is the recipe, from the configuration:

# %%
report.recipes()

# %% [markdown]
# After every few episodes φ is frozen and run on validation problems, always the same ones. The
# weights with the lowest loss at the end of that run are kept: later weights are not always
# better.

# %%
report.meta_training()

# %% [markdown]
# ## The opponents: hand-crafted optimizers at their best

# %%
report.tuning()

# %% [markdown]
# ## What came out

# %%
report.picture()

# %%
report.losses()

# %% [markdown]
# All optimizers ran on the same problems from the same start, so they can be compared problem by
# problem. On how many does the learned optimizer end lower?

# %%
report.wins("problems on which it ends lower")

# %% [markdown]
# ## One problem
#
# Means hide what single runs look like. This is the first test problem alone. Hair lines are single
# meta-seeds.

# %%
report.one_problem("One quadratic function")

# %% [markdown]
# ## The verdict

# %%
report.verdicts()

# %% [markdown]
# ## What to be careful about
#
# - **The optimizer has practised.** It was trained on functions of the very family it is tested
#   on. The hand-crafted rules know nothing about the family but one learning rate. Nothing here
#   says how the LSTM does on other functions.
# - **It was trained for runs of one length.** Nothing here is about longer ones.
# - **Hard problems can rule a mean.** If a few nearly flat valleys keep a high loss, they make up
#   most of a mean. The table of problems won looks at the same runs without that weakness.
# - **Intervals and meta-seeds.** The shaded bands and the intervals of the loss table say how far
#   the means could move on other problems. A few meta-seeds can only hint at how far they could
#   move with other meta-trainings: look at the hair lines.
# - **The baselines are tuned for the end of the run.** Other learning rates can win in the mean of
#   the whole run.

# %%
report.costs("functions are to be minimised")
