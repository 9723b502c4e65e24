"""Global averaging cells (the paper's appendix) against loops over problems and coordinates."""

from __future__ import annotations

import pytest
import torch
from tests.small import lstm_settings, random_phi
from torch import Tensor

from l2l.optimizers import CoordinatewiseLSTM

STEPS, PROBLEMS, N = 5, 2, 4
CELLS = pytest.mark.parametrize("cells", [1, 2, 5])


def made(cells: int, layers: int = 2) -> CoordinatewiseLSTM:
    settings = lstm_settings(averaged_cells=cells, layers=layers, output_scale=0.37)
    return CoordinatewiseLSTM(settings, random_phi(settings))


def made_up() -> Tensor:
    """Gradients of very different sizes, [K, B, n]."""
    generator = torch.Generator().manual_seed(3)
    return torch.randn(STEPS, PROBLEMS, N, generator=generator, dtype=torch.float64).pow(5)


def followed(optimizer: CoordinatewiseLSTM, gradients: Tensor, method: str = "update") -> Tensor:
    """All steps, [K, B, n]."""
    state, steps = optimizer.init(gradients[0]), []
    for gradient in gradients:
        step, state = getattr(optimizer, method)(gradient, state)
        steps.append(step.detach())
    return torch.stack(steps)


def in_loops(optimizer: CoordinatewiseLSTM, gradients: Tensor) -> Tensor:
    """The steps of one problem [K, n], a torch.nn.LSTMCell for each coordinate."""
    settings, phi = optimizer.settings, optimizer.phi
    zero = torch.zeros(settings.units, dtype=torch.float64)
    h = [[zero] * N for _ in range(settings.layers)]
    c = [[zero] * N for _ in range(settings.layers)]
    steps = torch.zeros_like(gradients)
    for t in range(len(gradients)):
        below = list(optimizer.inputs(gradients[t]))
        for layer in range(settings.layers):
            cell = torch.nn.LSTMCell(len(below[0]), settings.units, dtype=torch.float64)
            own = {f"{k}_l{layer}": k for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
            cell.load_state_dict({k: phi[f"lstm.{name}"] for name, k in own.items()})
            for i in range(N):
                with torch.no_grad():
                    h[layer][i], c[layer][i] = cell(below[i], (h[layer][i], c[layer][i]))
            for unit in range(settings.units - settings.averaged_cells, settings.units):
                mean = sum(h[layer][i][unit].item() for i in range(N)) / N
                for i in range(N):
                    h[layer][i] = h[layer][i].clone()
                    h[layer][i][unit] = mean
            below = h[layer]
        for i in range(N):
            output = phi["head.weight"][0] @ below[i] + phi["head.bias"][0]
            steps[t, i] = settings.output_scale * output
    return steps


@CELLS
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("method", ["step", "update"])
def test_the_last_cells_of_each_layer_are_averaged_over_each_problem(
    cells: int, layers: int, method: str
) -> None:
    optimizer = made(cells, layers)
    found = followed(optimizer, made_up(), method)
    for problem in range(PROBLEMS):
        expected = in_loops(optimizer, made_up()[:, problem])
        torch.testing.assert_close(found[:, problem], expected, rtol=1e-12, atol=1e-14)


def test_what_is_averaged_matters_and_problems_do_not_see_each_other() -> None:
    optimizer, gradients = made(2), made_up()
    changed = gradients.clone()
    changed[:, 1, 0] = 3.0
    before, after = followed(optimizer, gradients), followed(optimizer, changed)
    assert torch.equal(before[:, 0], after[:, 0])
    assert bool(((before[:, 1] - after[:, 1]).abs() > 1e-5).all())


@CELLS
def test_the_order_of_coordinates_plays_no_role(cells: int) -> None:
    """Steps move with their coordinates, in each problem by itself."""
    optimizer, gradients = made(cells), made_up()
    order = torch.tensor([[2, 0, 3, 1], [1, 3, 2, 0]])
    shuffled = torch.stack([gradients[:, b, order[b]] for b in range(PROBLEMS)], dim=1)
    steps, found = followed(optimizer, gradients), followed(optimizer, shuffled)
    for b in range(PROBLEMS):
        torch.testing.assert_close(found[:, b], steps[:, b, order[b]], rtol=1e-12, atol=1e-14)


def test_the_backward_pass_goes_through_the_averages() -> None:
    """Finite differences along random directions of phi."""
    optimizer, gradients = made(2), made_up()
    generator = torch.Generator().manual_seed(5)
    cotangents = torch.randn(gradients.shape, generator=generator, dtype=torch.float64)
    found = optimizer.backward(gradients, optimizer.init(gradients[0]), cotangents)
    for name, weight in optimizer.phi.items():
        direction = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
        values = [
            (
                followed(
                    optimizer.with_phi(optimizer.phi | {name: weight + sign * 1e-5 * direction}),
                    gradients,
                )
                * cotangents
            ).sum()
            for sign in (1, -1)
        ]
        slope = ((values[0] - values[1]) / 2e-5).item()
        assert (found[name] * direction).sum().item() == pytest.approx(slope, rel=1e-6, abs=1e-8)
