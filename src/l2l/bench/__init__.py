"""The speed of meta-training, compared with plain PyTorch and the machine's matrix product."""

from __future__ import annotations

import functools
import statistics
from typing import Any

import torch

from l2l import kernels
from l2l.bench.workload import KernelWindow, Workload
from l2l.compute import free_memory, interleaved, milliseconds
from l2l.progress import Progress
from l2l.provenance import provenance

ROUNDS, QUICK_ROUNDS = 15, 5
SIZES = [10**k for k in range(3, 8)]
QUICK_SIZES = SIZES[:-1]
SGEMM_SIZE, CUDA_SGEMM_SIZE = 1024, 8192  # large enough to reach the peak
STEPS = 20
REPEATS = 3
LARGE = 500_000  # coordinates whose window takes a CPU seconds: timed once, without a warm-up


def run_benchmark(workload: Workload, device: torch.device, quick: bool) -> dict[str, Any]:
    """Time everything in turn, in this process.

    Args:
        workload: what is timed.
        device: where it computes; torch's number of threads is taken as it is set.
        quick: fewer rounds, and no window of ten million coordinates.

    Returns:
        Ready for JSON. Times are milliseconds of an inner step, medians over the rounds; `spread`
        has their smallest and largest. `speedup` is plain_pytorch_ms / meta_step_ms;
        `column_pytorch_ms` is of `plain.columns`;
        `sgemm_fraction` the arithmetic of both kernels' products over their time, relative to the
        rate of a square float32 matrix product; `gradient_error` see `KernelWindow.error`.
    """
    window, unroll = workload.window, workload.description["unroll"]
    size = CUDA_SGEMM_SIZE if device.type == "cuda" else SGEMM_SIZE
    square = torch.randn(size, size, device=device)
    rounds = QUICK_ROUNDS if quick else ROUNDS
    work = {name: piece for name, (piece, _) in workload.pieces.items()}
    work["sgemm"] = lambda: square @ square
    times = interleaved(work, rounds, device, "bench: meta-training")
    gflops = 2e-6 * size**3 / statistics.median(times.pop("sgemm"))
    spread = {
        name: [value / workload.pieces[name][1] for value in (min(each), max(each))]
        for name, each in times.items()
    }
    ms = {name: statistics.median(each) / workload.pieces[name][1] for name, each in times.items()}
    operations = sum(window.operations()) / unroll
    rate = 1e-6 * operations / (ms["forward_ms"] + ms["backward_ms"])
    rows, skipped = scaling(window, QUICK_SIZES if quick else SIZES, device)
    return {
        "machine": {
            **provenance(),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            "threads": torch.get_num_threads(),
        },
        "workload": workload.description,
        "rounds": rounds,
        **ms,
        "speedup": ms["plain_pytorch_ms"] / ms["meta_step_ms"],
        "speedup_sampled": ms["plain_pytorch_ms"] / ms["meta_step_sampled_ms"],
        "speedup_over_columns": ms["column_pytorch_ms"] / ms["meta_step_ms"],
        "speedup_sampled_over_columns": ms["column_pytorch_ms"] / ms["meta_step_sampled_ms"],
        "sgemm_gflops": gflops,
        "sgemm_fraction": rate / gflops,
        "gradient_error": window.error(),
        "spread": spread,
        "scaling": rows,
        "not_measured": skipped,
    }


def scaling(
    window: KernelWindow, sizes: list[int], device: torch.device
) -> tuple[list[dict[str, Any]], list[str]]:
    """Time both kernels on windows of random inputs.

    Args:
        window: phi is taken from it.
        sizes: numbers of coordinates.
        device: where to compute.

    Returns:
        For each size the median time of a forward and backward step of one coordinate (of LARGE
        ones a single run), and the bytes (counted) that a window of 20 steps keeps of it; and a
        line for each size that does not fit into the free memory.
    """
    rows, skipped, each = [], [], _bytes(window)
    progress = Progress("bench: scaling", len(sizes), unit="size")
    for coordinates in sizes:
        needed = coordinates * each
        if needed > free_memory(device):
            skipped.append(f"{coordinates:.0e} coordinates need {needed / 2**30:.1f} GiB")
        else:
            rows.append(
                {
                    "coordinates": coordinates,
                    "ns_per_coordinate_step": _nanoseconds(window, coordinates, device),
                    "bytes_per_coordinate": each,
                }
            )
        progress.advance()
    progress.close()
    return rows, skipped


def _bytes(window: KernelWindow) -> int:
    """What a window of STEPS keeps of a coordinate: each step's inputs and cotangent, and states.

    The states are the window's first, for the backward pass, and the one that goes on; on a GPU
    also the one before, and what goes into the captured step and comes out of it.
    """
    per_step = window.inputs[0, 0].nbytes + window.cotangents[0, 0].nbytes
    one = kernels.zero_state(window.phi, 1)
    states = 5 if window.inputs.is_cuda else 2
    return STEPS * per_step + states * (one.hidden.nbytes + one.cell.nbytes)


def _nanoseconds(window: KernelWindow, coordinates: int, device: torch.device) -> float:
    """The time of a forward and a backward step of one coordinate among so many."""
    phi, inputs = window.phi, window.inputs.shape[2]
    draw = functools.partial(torch.randn, device=device, dtype=window.inputs.dtype)
    state = kernels.zero_state(phi, coordinates)
    case = KernelWindow(phi, draw(STEPS, coordinates, inputs), state, draw(STEPS, coordinates))
    once = coordinates >= LARGE and device.type == "cpu"
    times = [
        milliseconds(case.forward, device) + milliseconds(case.backward, device)
        for _ in range(1 if once else REPEATS + 1)
    ]
    return 1e6 * statistics.median(times[-REPEATS:]) / (coordinates * STEPS)


LINES = {
    "plain_pytorch_ms": "plain PyTorch (LSTMCell), whole step",
    "column_pytorch_ms": "PyTorch laid out by hand, whole step",
    "meta_step_ms": "meta-training step, exact",
    "meta_step_sampled_ms": "meta-training step, sampled",
    "forward_ms": "  of it: forward kernel",
    "backward_ms": "  of it: backward kernel, exact",
    "optimizee_ms": "  of it: problem's loss and gradient",
}


def summary(result: dict[str, Any]) -> str:
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
