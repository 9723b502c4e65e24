"""The whole benchmark: what is timed, what is made of the times, and how it is told."""

from __future__ import annotations

from typing import Any

import torch

from l2l.bench.scaling import STEPS, scaling
from l2l.bench.timing import Spread, interleaved
from l2l.bench.workload import Workload
from l2l.provenance import provenance

ROUNDS, QUICK_ROUNDS = 15, 5
SIZES = [10**k for k in range(3, 8)]
QUICK_SIZES = SIZES[:-1]
SGEMM_SIZE, CUDA_SGEMM_SIZE = 1024, 8192  # large enough to reach the peak


def run_benchmark(workload: Workload, device: torch.device, quick: bool) -> dict[str, Any]:
    """Time everything in turn, in this process.

    Args:
        workload: what is timed.
        device: where it computes; torch's number of threads is taken as it is set.
        quick: fewer rounds, and no window of ten million coordinates.

    Returns:
        Ready for JSON. Times are milliseconds of an inner step, medians over the rounds; `spread`
        has their smallest and largest. `speedup` is plain_pytorch_ms / meta_step_ms;
        `column_pytorch_ms` is of `ColumnOptimizer`;
        `sgemm_fraction` the arithmetic of both kernels' products over their time, relative to the
        rate of a square float32 matrix product; `gradient_error` see `KernelWindow.error`.
    """
    window, unroll = workload.window, workload.unroll
    size = CUDA_SGEMM_SIZE if device.type == "cuda" else SGEMM_SIZE
    square = torch.randn(size, size, device=device)
    work = {  # name -> work, and how many inner steps it is
        "plain_pytorch_ms": (workload.plain.window, unroll),
        "column_pytorch_ms": (workload.columns.window, unroll),
        "forward_ms": (window.forward, unroll),
        "backward_ms": (window.backward, unroll),
        "optimizee_ms": (workload.problem, unroll),
        "meta_step_ms": (workload.exact.episode, workload.recipe.steps),
        "meta_step_sampled_ms": (workload.sampled.episode, workload.recipe.steps),
        "sgemm": (lambda: square @ square, 1),
    }
    rounds = QUICK_ROUNDS if quick else ROUNDS
    pieces = {name: piece for name, (piece, _) in work.items()}
    times = interleaved(pieces, rounds, device, "bench: meta-training")
    spreads = {
        name: Spread.of([time / work[name][1] for time in measured])
        for name, measured in times.items()
    }
    sgemm = spreads.pop("sgemm")
    median = {name: spread.median for name, spread in spreads.items()}
    forward, backward = (operations / unroll for operations in window.operations())
    gflops = 2e-6 * size**3 / sgemm.median
    rate = 1e-6 * (forward + backward) / (median["forward_ms"] + median["backward_ms"])
    rows, skipped = scaling(window, QUICK_SIZES if quick else SIZES, device)
    return {
        "machine": {
            **provenance(),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            "threads": torch.get_num_threads(),
        },
        "workload": workload.describe(),
        "rounds": rounds,
        **median,
        "speedup": median["plain_pytorch_ms"] / median["meta_step_ms"],
        "speedup_sampled": median["plain_pytorch_ms"] / median["meta_step_sampled_ms"],
        "speedup_over_columns": median["column_pytorch_ms"] / median["meta_step_ms"],
        "speedup_sampled_over_columns": median["column_pytorch_ms"]
        / median["meta_step_sampled_ms"],
        "sgemm_gflops": gflops,
        "sgemm_fraction": rate / gflops,
        "gradient_error": window.error(),
        "spread": {name: [spread.low, spread.high] for name, spread in spreads.items()},
        "scaling": rows,
        "not_measured": skipped,
    }


LINES = {
    "plain_pytorch_ms": "plain PyTorch (LSTMCell), whole step",
    "column_pytorch_ms": "PyTorch laid out by hand, whole step",
    "meta_step_ms": "meta-training step, exact",
    "meta_step_sampled_ms": "meta-training step, sampled",
    "forward_ms": "  of it: forward kernel",
    "backward_ms": "  of it: backward kernel, exact",
    "optimizee_ms": "  of it: problem's loss and gradient",
}


def tell(result: dict[str, Any]) -> str:
    """The result as text for a terminal."""
    workload, machine = result["workload"], result["machine"]
    lines = [
        f"{workload['recipe']}: {workload['coordinates']} coordinates "
        f"({workload['live_coordinates']} that can matter), {workload['layers']} layers of "
        f"{workload['units']} units, windows of {workload['unroll']}, kernels: "
        f"{workload['kernels']}, {machine['device']}, {machine['threads']} threads",
        "",
        f"{'ms per inner step':40}  median   from     to",
    ]
    for name, title in LINES.items():
        low, high = result["spread"][name]
        lines.append(f"{title:40} {result[name]:7.2f} {low:7.2f} {high:7.2f}")
    percent = f"{100 * workload['sampled_fraction']:g}"
    lines += [
        "",
        f"faster than plain PyTorch: {result['speedup']:.1f} times exact, "
        f"{result['speedup_sampled']:.1f} times with {percent} % of the coordinates sampled",
        f"than PyTorch laid out by hand: {result['speedup_over_columns']:.1f} and "
        f"{result['speedup_sampled_over_columns']:.1f} times",
        f"kernels: {100 * result['sgemm_fraction']:.0f} % of the matrix product's "
        f"{result['sgemm_gflops']:.0f} GFLOP/s; gradient within {result['gradient_error']:.1e} "
        "of float64",
        "",
        f"coordinates   ns per coordinate and step   bytes kept of each in {STEPS} steps",
    ]
    for row in result["scaling"]:
        lines.append(
            f"{row['coordinates']:11.0e} {row['ns_per_coordinate_step']:27.1f} "
            f"{row['bytes_per_coordinate']:30d}"
        )
    lines += [f"not measured: {why}" for why in result["not_measured"]]
    return "\n".join(lines)
