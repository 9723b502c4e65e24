"""REINFORCE: the optimizer as the mean of a Gaussian policy, its steps as actions.

Williams 1992; Zoph and Le 2016 (arXiv:1611.01578) train a recurrent controller so. The step
a[t] = g[t] + sigma eps[t] is taken, eps ~ N(0, I), and the meta-loss of such noisy episodes is
minimised. The problem's gradients serve as inputs of the optimizer alone. The score of a[t] with
respect to g[t] is eps[t] / sigma, so with the return R[t] = sum over s > t, to the window's end, of
w[s] f(theta[s]),

    dE[L] / dphi = E[ sum over t of (dg[t]/dphi)^T eps[t] / sigma (R[t] - b[t]) ]

for any b[t] that does not depend on eps[t] and later ones. That is backpropagation through the
optimizer alone, from cotangents eps[t] / sigma (R[t] - b[t]). Second derivatives are in it: they
act through what the optimizer sees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from l2l.estimators.base import Episode, Estimator, Window, follow
from l2l.optimizers.base import Optimizer, UpdateRule


@dataclass(frozen=True)
class GaussianPolicy:
    """An optimizer whose steps have noise added.

    Attributes:
        mean: the optimizer.
        sigma: the noise's standard deviation in each coordinate, in units of theta.
        generator: the stream to draw from, on the CPU.
        noise: the eps of each step so far, [B, n].
    """

    mean: Optimizer
    sigma: float
    generator: torch.Generator
    noise: list[Tensor] = field(default_factory=list)

    def init(self, theta: Tensor) -> Any:
        """The mean's state."""
        return self.mean.init(theta)

    def update(self, gradient: Tensor, state: Any, reuse: bool = False) -> tuple[Tensor, Any]:
        """The noisy step [B, n], and the mean's next state."""
        step, state = self.mean.update(gradient, state, reuse)
        eps = torch.randn(gradient.shape, generator=self.generator, dtype=gradient.dtype)
        self.noise.append(eps.to(gradient.device))
        return step + self.sigma * self.noise[-1], state


class Reinforce(Estimator):
    """REINFORCE over truncated windows, with a running baseline.

    A window costs one forward and one backward window, as the adjoint's does. The reported losses
    are those of the noisy episode.

    Baseline: b[t] is the return of the mean losses of earlier episodes, over all problems, at the
    same inner steps, so that it fits windows of any length. It is a running mean without the bias
    of its start. A step that no episode has reached yet takes the mean of the batch: that only
    scales the estimate by 1 - 1/B (nothing is learned from one problem's first episode).

    Weights: w[t] are those of the baseline's mean losses, the same for all problems. Weights of the
    noisy losses themselves (`inverse`) would not be constants to phi.

    The estimate is in units of the meta-loss, as all others are. Its noise is in proportion to the
    returns' deviation from the baseline, to 1 / sigma and to the root of the number of steps.
    """

    def remembers(self, steps: int) -> int:
        """For each inner step a decayed sum of losses, and the sum of their weights."""
        return 2 * steps

    @torch.no_grad()
    def window(self, episode: Episode, optimizer: UpdateRule, carry: Any, steps: int) -> Window:
        """A noisy window, and the gradient of the expected meta-loss of such."""
        policy = GaussianPolicy(optimizer, self.settings.sigma, episode.generator)
        end, losses, _, seen = follow(episode.problems, policy, carry, steps)
        expected, memory = self._baseline(episode.memory, losses.mean(dim=1), carry.step)
        weight = episode.weights(expected[:, None].expand_as(losses).clone(), carry.step + 1)
        advantage = weight * (losses - expected[:, None])
        returns = advantage.flip(0).cumsum(0).flip(0) / losses.shape[1]
        cotangents = torch.stack(policy.noise) * (returns / self.settings.sigma)[:, :, None]
        gradient = optimizer.backward(seen, carry.state, cotangents, episode.sample)
        meta_loss = (weight * losses).sum() / losses.shape[1]
        return Window(end, losses, meta_loss, gradient, memory)

    def _baseline(self, memory: Tensor, losses: Tensor, start: int) -> tuple[Tensor, Tensor]:
        """The mean losses [K] of earlier episodes, and the memory with these [K] added."""
        sums, weights = memory.clone().chunk(2)
        here = slice(start, start + len(losses))
        expected = torch.where(weights[here] > 0, sums[here] / weights[here], losses)
        decay = self.settings.baseline_decay
        finite = losses.isfinite().all()  # nothing of a window that diverges is remembered
        for kept, new in ((sums, losses), (weights, torch.ones_like(losses))):
            kept[here] = torch.where(finite, decay * kept[here] + (1 - decay) * new, kept[here])
        return expected, torch.cat([sums, weights])
