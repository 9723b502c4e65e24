"""Persistent evolution strategies (PES): unbiased over the truncated windows of an episode.

Vicol, Metz and Sohl-Dickstein 2021 (arXiv:2112.13835). Each particle goes on from where it stands
itself, with a fresh perturbation of phi in each window, and remembers the sum xi of its
perturbations since the episode began. As theta at the window's start depends on all of them,

    g = mean over particles of xi L / sigma^2,    xi = sigma (eps[1] + ... + eps[window])

is the gradient of the window's smoothed meta-loss through the whole episode, where ES sees what the
last window's phi does alone. The price is variance: it grows with the number of windows, at most
linearly where windows contribute alike. Particles are antithetic pairs, xi and -xi.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from l2l.estimators import perturbed
from l2l.estimators.base import Episode, Estimator, Window
from l2l.meta.rollout import Carry

if TYPE_CHECKING:
    from l2l.optimizers import Trainable


@dataclass(frozen=True)
class Particles:
    """Where an episode's particles stand.

    Attributes:
        carry: of the unperturbed member, the P of xi and the P of -xi: [(2 P + 1) B, n].
        xi: the sum of the perturbations so far, [P, size of phi].
    """

    carry: Carry
    xi: Tensor

    @property
    def step(self) -> int:
        """t, the number of updates so far."""
        return self.carry.step


class PersistentEvolution(Estimator):
    """PES; the unperturbed member is there for w[t] and to be reported.

    A window costs what one of ES does; between windows there are 2 pairs + 1 thetas and states.
    phi changes between the windows of an episode, so theta comes from earlier phi than the one
    that is perturbed now: as small as the meta learning rate, and as in truncated backpropagation.

    A particle that diverged stays so: the gradient is not finite, and meta-training skips the
    windows, until the episode ends. Without its pair it would be the gradient of another loss.
    """

    def begin(self, episode: Episode, optimizer: Trainable) -> Particles:
        """All particles at theta[0] and h[0], nothing accumulated."""
        pairs = self.settings.pairs
        start = super().begin(episode, optimizer)
        size = len(perturbed.flat(optimizer.phi))
        xi = next(iter(optimizer.phi.values())).new_zeros(pairs, size)
        return Particles(perturbed.repeated(start, 2 * pairs + 1), xi)

    def window(self, episode: Episode, optimizer: Trainable, carry: Any, steps: int) -> Window:
        """The window of the unperturbed optimizer, and the gradient through the whole episode."""
        pairs, sigma = self.settings.pairs, self.settings.sigma
        offsets = perturbed.draw_offsets(optimizer.phi, pairs, sigma, episode.generator)
        rolled = perturbed.roll(
            episode.repeated(2 * pairs + 1),
            perturbed.population(optimizer, offsets),
            carry.carry,
            steps,
            episode.weights,
        )
        xi = carry.xi + offsets
        samples = perturbed.antithetic(xi, rolled.meta_losses[1:], sigma)
        gradient = perturbed.like(samples.mean(dim=0), optimizer.phi)
        return Window(Particles(rolled.end, xi), rolled.losses, rolled.meta_losses[0], gradient)
