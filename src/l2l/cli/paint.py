"""The command that paints a user's own picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from l2l.config.problems import NeuralArtSettings
from l2l.errors import UserError
from l2l.provenance import cores
from l2l.run import Run

FRAMES_OF_A_GIF = 40
PROBLEM = "neural_art"


def paint(
    run: Run,
    content: Annotated[Path, typer.Option("--content", help="The photograph.")],
    style: Annotated[Path, typer.Option("--style", help="The picture whose style it takes on.")],
    optimizer: Annotated[
        str, typer.Option("--optimizer", help="A released one, or a .safetensors file.")
    ] = "neural_art",
    size: Annotated[
        int,
        typer.Option(
            "--size",
            min=16,
            max=1024,
            help="Longer side of the result in pixels; never more than the photograph's own. "
            "Memory grows with its square: see docs/neural_art.md.",
        ),
    ] = 256,
    steps: Annotated[int, typer.Option("--steps", min=1, max=10_000, help="Updates.")] = 128,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The result.", show_default="CONTENT_in_STYLE.png"),
    ] = None,
    gif: Annotated[Path | None, typer.Option("--gif", help="Its course, as a GIF.")] = None,
    strip: Annotated[
        Path | None, typer.Option("--strip", help="Its course, side by side in one picture.")
    ] = None,
) -> None:
    """Paint a photograph in the style of another picture, with a learned optimizer.

    More style: --set problems.neural_art.style_weight=16.
    """
    from l2l.compute import prepare
    from l2l.data.folder import data_directory
    from l2l.optimizers import checkpoint
    from l2l.painting import paint as painted
    from l2l.painting import pictures
    from l2l.progress import Progress
    from l2l.shipped import optimizer_path

    config = run.config
    problem = config.problems[PROBLEM]
    if not isinstance(problem, NeuralArtSettings):
        raise UserError(f"problems.{PROBLEM}.kind = {problem.kind}: painting needs neural_art")
    result = out or Path(f"{content.stem}_in_{style.stem}.png")
    pictures.check_place(result)
    if gif:
        pictures.check_place(gif, (".gif",))
    if strip:
        pictures.check_place(strip)
    written = [path.absolute() for path in (result, gif, strip) if path]
    inputs = {path.resolve() for path in (content, style)}
    if len(set(written)) < len(written) or any(path.resolve() in inputs for path in written):
        raise UserError("--out, --gif, --strip: give each a name of its own, not an input's either")
    photograph, painting = pictures.read_picture(content, size), pictures.read_picture(style, size)
    device = prepare(config.compute.model_copy(update={"threads": cores()}))  # nothing runs beside
    learned = checkpoint.load(optimizer_path(optimizer), str(device)).optimizer
    if len(groups := getattr(learned.settings, "groups", ())) > 1:
        names = ", ".join(group.name for group in groups)
        raise UserError(
            f"{optimizer} has an LSTM for each of {names}, which a picture has not: give an "
            "optimizer with one LSTM"
        )
    progress = Progress(f"{content.name} in {style.name}", steps, unit="step")
    every = max(1, steps // FRAMES_OF_A_GIF)
    of_gif = {*range(0, steps, every), steps} if gif else set()
    of_strip = {*pictures.STRIP} if strip else set()
    frames = painted(
        photograph,
        painting,
        learned,
        problem,
        steps,
        lambda step: step in of_gif | of_strip,
        lambda loss: progress.advance(f"loss {loss:.3g}"),
        data_directory(config.data.directory),
        device,
    )
    progress.close()
    pictures.write_picture(result, frames[steps])
    if gif:
        pictures.write_gif(gif, {step: frames[step] for step in of_gif})
    if strip:
        pictures.write_picture(strip, pictures.strip(frames, painting))
    width, height = photograph.size
    print(f"{result}: {width} x {height} pixels")
