"""The look of all figures: one colour and one dash pattern per optimizer, sizes, and saving.

Colours are Okabe and Ito's (2008), which colour-blind readers tell apart; dash patterns and widths
keep the lines apart on a grey printer. Figures are `matplotlib.figure.Figure`s without pyplot, so
that no window system is needed and nothing global is left behind.
"""

from __future__ import annotations

import io
import json
import logging
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import matplotlib
from matplotlib.figure import Figure

from l2l.config.schema import FigureSettings
from l2l.figures.lines import lines_of
from l2l.files import write_bytes
from l2l.registry import BASELINES

SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
BLACK, GREY, LIGHT_GREY = "#000000", "#5F5F5F", "#D9D9D9"
ORANGE, GREEN, BLUE = "#E69F00", "#009E73", "#0072B2"
VERMILLION, PURPLE, WINE, OLIVE = "#D55E00", "#CC79A7", "#882255", "#999933"
INDIGO = "#332288"
Value = TypeVar("Value")


@dataclass(frozen=True)
class Look:
    """How the line of one optimizer is drawn.

    Attributes:
        color: hexadecimal RGB.
        dashes: lengths of ink and gaps in line widths; empty for a solid line.
        width: in points.
    """

    color: str
    dashes: tuple[float, ...]
    width: float


LEARNED_WIDTH = 1.7
HANDCRAFTED_WIDTH = 1.1
LSTM = Look(VERMILLION, (), LEARNED_WIDTH)
SECOND = Look(BLUE, (5, 0.8), LEARNED_WIDTH)
THIRD = Look(ORANGE, (2.5, 0.8), LEARNED_WIDTH)
LOOKS = {
    baseline.name: Look(baseline.color, baseline.dashes, HANDCRAFTED_WIDTH)
    for baseline in BASELINES.values()
} | {
    "LSTM": LSTM,
    "LSTM (paper)": LSTM,
    "LSTM (long unroll)": SECOND,
    "LSTM-sub": SECOND,
    "LSTM (continued)": THIRD,
    "One shared LSTM": THIRD,
}
FALLBACKS = (
    Look(INDIGO, (1.6, 1), LEARNED_WIDTH),
    Look(WINE, (6, 0.8, 1.2, 0.8), LEARNED_WIDTH),
    Look(OLIVE, (1.2, 0.8), LEARNED_WIDTH),
    Look(GREY, (6, 0.8, 1.2, 0.8, 1.2, 0.8), LEARNED_WIDTH),
)


def looks(names: Iterable[str]) -> dict[str, Look]:
    """The look of each optimizer by the name that a reader sees, the same in all figures.

    Learned optimizers without a look of their own get one of the spare ones, chosen by their name;
    where two would share a look, the later one in the alphabet takes the next spare one.
    """
    chosen: dict[str, Look] = {}
    taken = 0
    for name in sorted(set(names)):
        if name in LOOKS and LOOKS[name] not in chosen.values():
            chosen[name] = LOOKS[name]
            continue
        start = zlib.crc32(name.encode())
        candidates = [FALLBACKS[(start + k) % len(FALLBACKS)] for k in range(len(FALLBACKS))]
        free = [look for look in candidates if look not in chosen.values()]
        chosen[name] = free[0] if free else candidates[taken % len(FALLBACKS)]
        taken += 1
    return chosen


def times(ratio: float) -> str:
    """A large ratio: "×13", "×4·10¹²"."""
    if ratio < 1e4:
        return f"×{ratio:,.0f}"
    digit, exponent = f"{ratio:.0e}".split("e")
    return f"×{digit}·10{str(int(exponent)).translate(SUPERSCRIPTS)}"


def display_name(optimizer: str, labels: dict[str, str]) -> str:
    """The name that a reader sees: the label, the name of a hand-crafted optimizer, or the key.

    Args:
        optimizer: a key of the tables.
        labels: recipe -> label of the learned optimizers, see `Config.labels`.
    """
    if optimizer in BASELINES and optimizer not in labels:
        return BASELINES[optimizer].name
    return labels.get(optimizer, optimizer)


def names_in(panels: Iterable[Collection[str]], labels: dict[str, str]) -> dict[str, str]:
    """The names of all optimizers of a figure: equal names, equal looks, one entry in its legend.

    Recipes with the same label share it, as the LSTM-subs of different panels do. Where two of
    them meet in a panel, their keys stand behind their names.

    Args:
        panels: the keys of the optimizers in each panel.
        labels: recipe -> label of the learned optimizers.

    Returns:
        key -> name, over all panels; learned optimizers first, in the order of the labels.
    """
    panels = [set(panel) for panel in panels]
    order = {key: place for place, key in enumerate((*labels, *BASELINES))}
    keys = sorted(set().union(*panels), key=lambda key: (order.get(key, len(order)), key))
    names = {key: display_name(key, labels) for key in keys}
    counts = [Counter(names[key] for key in panel) for panel in panels]
    ambiguous = {name for panel in counts for name, times in panel.items() if times > 1}
    return {key: f"{name} ({key})" if name in ambiguous else name for key, name in names.items()}


def named(names: Mapping[str, str], values: Mapping[str, Value]) -> dict[str, Value]:
    """Values by the names of optimizers, in place of their keys."""
    return {names[key]: value for key, value in values.items()}


RENDERING: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same on every machine
    "mathtext.fontset": "cm",
    "pdf.fonttype": 42,
    "path.simplify": False,
}


@contextmanager
def rendering(**parameters: Any) -> Iterator[None]:
    """Within this context, matplotlib has its own defaults and these, whatever a user's file says.

    Args:
        parameters: of `matplotlib.rcParams`, over RENDERING.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RENDERING | parameters)
        yield


def look_of(style: FigureSettings) -> AbstractContextManager[None]:
    """Within this context, new figures and axes have the project's fonts, sizes and lines."""
    small = max(style.font_size - 1, 7) if style.font_size >= 7 else style.font_size
    parameters = {
        "figure.dpi": style.dpi,
        "font.size": style.font_size,
        "axes.titlesize": style.font_size,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": style.font_size,
        "xtick.labelsize": small,
        "ytick.labelsize": small,
        "legend.fontsize": small,
        "legend.title_fontsize": small,
        "axes.linewidth": 0.6,
        "axes.edgecolor": GREY,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "grid.color": "#EBEBEB",
        "grid.linewidth": 0.6,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.minor.width": 0.4,
        "ytick.minor.width": 0.4,
        "xtick.color": GREY,
        "ytick.color": GREY,
        "xtick.labelcolor": "black",
        "ytick.labelcolor": "black",
        "legend.frameon": False,
        "legend.handlelength": 2.6,
        "legend.borderaxespad": 0.2,
        "legend.labelspacing": 0.25,
        "legend.columnspacing": 1.0,
        "legend.handletextpad": 0.5,
        "figure.constrained_layout.h_pad": 0.02,
        "figure.constrained_layout.w_pad": 0.02,
    }
    return rendering(**parameters)


def new_figure(style: FigureSettings, height: float, width: float = 1) -> Figure:
    """An empty white figure; both sizes are in units of the printed width of a column."""
    size = (width * style.width_inches, height * style.width_inches)
    return Figure(figsize=size, layout="constrained", facecolor="white")


def save(figure: Figure, stem: Path) -> tuple[Path, Path, Path]:
    """Write <stem>.png, .pdf and .json, each whole or not at all, without dates in them.

    All are made before any is written. The same figure gives the same bytes. The JSON has the
    numbers of its lines, see `l2l.figures.lines`.

    Args:
        figure: what to save.
        stem: path without a suffix; its folder is made if there is none.

    Raises:
        OSError: where the directory cannot be written; files that were there before stay.
    """
    png, pdf, lines = (stem.with_name(f"{stem.name}.{kind}") for kind in ("png", "pdf", "json"))
    silent = {png: ["Software"], pdf: ["CreationDate", "Creator", "Producer"]}
    rendered: dict[Path, bytes] = {}
    # Computer Modern's files are dated 1904, which fontTools remarks on at each use.
    logging.getLogger("fontTools.ttLib.tables._h_e_a_d").setLevel(logging.ERROR)
    with rendering():
        for path, keys in silent.items():
            buffer, metadata = io.BytesIO(), dict.fromkeys(keys)
            figure.savefig(buffer, format=path.suffix[1:], dpi="figure", metadata=metadata)
            rendered[path] = buffer.getvalue()
            if path == png:  # now, while the layout is that of the PNG
                numbers = json.dumps(lines_of(figure), ensure_ascii=False, separators=(",", ":"))
                rendered[lines] = f"{numbers}\n".encode()
                figure.set_layout_engine("none")  # to lay out takes as long as to draw
    for path, content in rendered.items():
        write_bytes(path, content)
    return png, pdf, lines
