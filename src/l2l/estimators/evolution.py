"""Evolution strategies, plain and persistent: gradients of the smoothed meta-loss by differences.

ES: E[L(phi + sigma eps)], eps ~ N(0, I), is smooth even where L is not, and has the gradient
E[eps L(phi + sigma eps)] / sigma (Wierstra et al. 2014; Salimans et al. 2017, arXiv:1703.03864).
Antithetic pairs, phi + sigma eps and phi - sigma eps, take the even part of L out of the noise:

    g = mean over pairs of eps (L(phi + sigma eps) - L(phi - sigma eps)) / (2 sigma)

Second derivatives of the problem are in it. Where L is linear its variance is about
(size of phi + 1) |gradient|^2 / pairs in all, whatever sigma and the window's length.

PES (Vicol, Metz and Sohl-Dickstein 2021, arXiv:2112.13835) is unbiased over the truncated windows
of an episode. Each particle continues from its own place, with a fresh perturbation of phi in each
window, and remembers the sum xi of its perturbations since the episode began. As theta at the
window's start depends on all of them,

    g = mean over particles of xi L / sigma^2,    xi = sigma (eps[1] + ... + eps[window])

is the gradient of the window's smoothed meta-loss through the whole episode; ES sees only the
effect of phi within the last window. The price is variance: it grows with the number of windows, at
most linearly where windows contribute alike. Particles are antithetic pairs, xi and -xi.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from l2l.estimators import perturbation
from l2l.estimators.base import Episode, Estimator, Window
from l2l.meta.rollout import Carry
from l2l.optimizers.base import UpdateRule


class Evolution(Estimator):
    """ES over truncated windows, each from where the unperturbed optimizer stands.

    A window costs 2 pairs + 1 forward windows and no backward one. The start, theta and the state,
    is a constant to phi, as in truncated backpropagation.

    The gradient is not finite where a member diverged, and meta-training skips the window, as it
    does for the other estimators: without that pair it would be the gradient of another loss.
    """

    def window(self, episode: Episode, optimizer: UpdateRule, carry: Any, steps: int) -> Window:
        """The window of the unperturbed optimizer, and the gradient of the smoothed meta-loss."""
        start = Particles.at(carry, optimizer, self.settings.pairs)
        window = _roll(self.settings, episode, optimizer, start, steps)
        return replace(window, carry=perturbation.first_member(window.carry.carry))


@dataclass(frozen=True)
class Particles:
    """Where an episode's particles stand.

    Attributes:
        carry: of the unperturbed member, the P of xi and the P of -xi: [(2 P + 1) B, n].
        xi: the sum of the perturbations so far, [P, size of phi].
    """

    carry: Carry
    xi: Tensor

    @classmethod
    def at(cls, carry: Carry, optimizer: UpdateRule, pairs: int) -> Particles:
        """All particles at one place, nothing accumulated."""
        size = len(perturbation.flat(optimizer.phi))
        xi = next(iter(optimizer.phi.values())).new_zeros(pairs, size)
        return cls(perturbation.repeat(carry, 2 * pairs + 1), xi)

    @property
    def step(self) -> int:
        """t, the number of updates so far."""
        return self.carry.step


class PersistentEvolution(Estimator):
    """PES. The unperturbed member gives w[t], and its losses are reported.

    A window costs what one of ES does; between windows there are 2 pairs + 1 thetas and states.
    phi changes between the windows of an episode, so theta comes from earlier phi than the one
    that is perturbed now: as small as the meta learning rate, and as in truncated backpropagation.

    A particle that diverged stays so: the gradient is not finite, and meta-training skips the
    windows, until the episode ends. Without its pair it would be the gradient of another loss.
    """

    def begin(self, episode: Episode, optimizer: UpdateRule) -> Particles:
        """All particles at theta[0] and h[0], nothing accumulated."""
        return Particles.at(super().begin(episode, optimizer), optimizer, self.settings.pairs)

    def window(self, episode: Episode, optimizer: UpdateRule, carry: Any, steps: int) -> Window:
        """The window of the unperturbed optimizer, and the gradient through the whole episode."""
        return _roll(self.settings, episode, optimizer, carry, steps)


def _roll(
    settings: Any, episode: Episode, optimizer: UpdateRule, start: Particles, steps: int
) -> Window:
    """A window of all particles, each with a fresh perturbation, and the gradient by their xi."""
    pairs, sigma = settings.pairs, settings.sigma
    offsets = perturbation.draw_offsets(optimizer.phi, pairs, sigma, episode.generator)
    members = perturbation.population(optimizer, offsets)
    problems = episode.repeated(2 * pairs + 1)
    rolled = perturbation.roll(problems, members, start.carry, steps, episode.weights)
    xi = start.xi + offsets
    samples = perturbation.antithetic(xi, rolled.meta_losses[1:], sigma)
    gradient = perturbation.like(samples.mean(dim=0), optimizer.phi)
    return Window(Particles(rolled.end, xi), rolled.losses, rolled.meta_losses[0], gradient)
