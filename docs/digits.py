# %% [markdown]
# # A learned optimizer on a network of your own
#
# scikit-learn's digits (1,797 images, 8 × 8 pixels), a small network in plain PyTorch, and two
# optimizers: `l2l.LearnedOptimizer`, which has nothing to tune, and ADAM at three learning rates.
# The learned one is the LSTM that ships as "general"; it has never seen these images. It asks how
# many steps there will be, so that it can make them small towards the end.

# %%
import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from torch import nn

import l2l

images, labels = (torch.tensor(part) for part in load_digits(return_X_y=True))
images = images.float() / 16
train, test = slice(0, 1400), slice(1400, None)


# %% [markdown]
# Any training loop will do; the optimizer is made by a function, so that all of them get the same
# network, the same initial weights and the same batches.


# %%
def learn(make_optimizer, seed, steps=200):
    """The training loss of each step, and the accuracy on held-out images in the end."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 32), nn.Sigmoid(), nn.Linear(32, 10))
    optimizer = make_optimizer(model.parameters())
    losses = []
    for _ in range(steps):
        batch = torch.randint(1400, (128,))
        loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    right = model(images[test]).argmax(1) == labels[test]
    return torch.tensor(losses), right.float().mean().item()


# %%
optimizers = {
    "learned": lambda parameters: l2l.LearnedOptimizer(parameters, steps=200),
    "ADAM 0.001": lambda parameters: torch.optim.Adam(parameters, lr=0.001),
    "ADAM 0.01": lambda parameters: torch.optim.Adam(parameters, lr=0.01),
    "ADAM 0.1": lambda parameters: torch.optim.Adam(parameters, lr=0.1),
}
runs = {name: [learn(make, seed) for seed in range(5)] for name, make in optimizers.items()}

# %%
figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
for name, results in runs.items():
    losses = torch.stack([losses for losses, _ in results]).mean(0)
    axes.semilogy(losses, label=name, linewidth=2 if name == "learned" else 1)
axes.set(xlabel="step", ylabel="training loss (mean of 5 runs)", title="Digits: 64-32-10, sigmoid")
axes.legend()
plt.show()

# %%
for name, results in runs.items():
    losses, accuracies = zip(*results, strict=True)
    last = torch.stack(losses)[:, -20:].mean()
    accuracy = sum(accuracies) / len(accuracies)
    print(f"{name:10}  loss {last:.3f}  accuracy {100 * accuracy:.1f} %")

# %% [markdown]
# Untuned, the learned optimizer falls fastest for the first 60 steps, and from then on it is level
# with ADAM at the best of the three rates. At the other two rates ADAM is far slower, and which
# rate is the good one has to be found out first.
#
# `print(*l2l.released().values(), sep="\n\n")` shows what ships besides, what each was meta-trained
# on, and where it fails.
