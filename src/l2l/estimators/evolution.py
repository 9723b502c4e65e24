"""Evolution strategies: the gradient of the smoothed meta-loss, by finite differences.

E[L(phi + sigma eps)], eps ~ N(0, I), is smooth even where L is not, and has the gradient
E[eps L(phi + sigma eps)] / sigma (Wierstra et al. 2014; Salimans et al. 2017, arXiv:1703.03864).
Antithetic pairs, phi + sigma eps and phi - sigma eps, take the even part of L out of the noise:

    g = mean over pairs of eps (L(phi + sigma eps) - L(phi - sigma eps)) / (2 sigma)

Second derivatives of the problem are in it. Where L is linear its variance is about
(size of phi + 1) |gradient|^2 / pairs in all, whatever sigma and the window's length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from l2l.estimators import perturbed
from l2l.estimators.base import Episode, Estimator, Window

if TYPE_CHECKING:
    from l2l.optimizers import Trainable


class Evolution(Estimator):
    """ES over truncated windows, each from where the unperturbed optimizer stands.

    A window costs 2 pairs + 1 forward windows and no backward one. The start, theta and the state,
    is a constant to phi, as in truncated backpropagation.

    The gradient is not finite where a member diverged, and meta-training skips the window, as it
    does for the other estimators: without that pair it would be the gradient of another loss.
    """

    def window(self, episode: Episode, optimizer: Trainable, carry: Any, steps: int) -> Window:
        """The window of the unperturbed optimizer, and the gradient of the smoothed meta-loss."""
        pairs, sigma = self.settings.pairs, self.settings.sigma
        offsets = perturbed.draw_offsets(optimizer.phi, pairs, sigma, episode.generator)
        members = 2 * pairs + 1
        rolled = perturbed.roll(
            episode.repeated(members),
            perturbed.population(optimizer, offsets),
            perturbed.repeated(carry, members),
            steps,
            episode.weights,
        )
        samples = perturbed.antithetic(offsets, rolled.meta_losses[1:], sigma)
        gradient = perturbed.like(samples.mean(dim=0), optimizer.phi)
        end = perturbed.unperturbed(rolled.end)
        return Window(end, rolled.losses, rolled.meta_losses[0], gradient)
