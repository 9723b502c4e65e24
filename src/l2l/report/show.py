"""What the notebooks show with: tables, pictures and paragraphs as IPython's display objects."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from IPython.display import HTML, Image, Markdown
from markupsafe import Markup
from matplotlib.figure import Figure

from l2l.config import Config
from l2l.report import captions, verdicts
from l2l.report.captions import alternative
from l2l.report.facts import facts
from l2l.report.html import Row, is_wide, table
from l2l.report.plots import png
from l2l.results import Results


def rows(found: Sequence[Row], heading: str) -> HTML:
    """A table.

    Args:
        found: see `l2l.report.html.table`.
        heading: its caption.
    """
    return HTML(table(found, heading))


def claims(keys: Collection[str], results: Results) -> HTML:
    """Claims with their verdicts and comparisons."""
    table = results.claims()
    return HTML("\n".join(verdicts.block(table, key, results.config) for key in keys))


def text(*paragraphs: str) -> Markdown:
    """Paragraphs of Markdown."""
    return Markdown("\n\n".join(paragraphs))


def items(lines: list[str]) -> Markdown:
    """A list of lines of Markdown."""
    return Markdown("\n".join(f"- {line}" for line in lines))


def plot(figure: Figure, alt: str) -> Image:
    """A figure that was drawn just now.

    Args:
        figure: the figure.
        alt: what is seen, for those who cannot see it.
    """
    return Image(data=png(figure), format="png", alt=alt)


def figure(name: str, results: Results) -> Image:
    """One of the run's figures, from the folder of figures, by name."""
    content = results.figure(name).with_suffix(".png").read_bytes()
    config = results.config
    wide = is_wide(content, config.figures)
    alt = alternative(name, config)
    return Image(data=content, format="png", alt=alt, metadata={"wide": wide})


def caption(name: str, results: Results) -> HTML:
    """The caption of one of the run's figures, as it stands on the page of results."""
    made_from = ". ".join(fact[0].upper() + fact[1:] for fact in facts(name, results))
    seen = captions.caption(name, results.config).seen
    return HTML(Markup('<p>{}</p><p class="facts">{}.</p>').format(seen, made_from))


def warning(config: Config) -> HTML:
    """A banner where the numbers mean nothing; nothing elsewhere."""
    if config.protocol != "smoke":
        return HTML("")
    return HTML(
        '<p class="banner" role="note">Protocol smoke: a quick test that everything runs. '
        "Its optimizers are barely trained: the numbers and pictures below mean nothing, and no "
        "claim gets a verdict.</p>"
    )
