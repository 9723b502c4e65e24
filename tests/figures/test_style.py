"""One look for each optimizer, and figures that are saved whole, without dates."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.figures.fake_results import fake

from l2l.figures.optimizer_loop import FIGURE as LOOP
from l2l.figures.style import display_name, looks, names_in, save
from l2l.registry import BASELINES as REGISTERED

BASELINES = [baseline.name for baseline in REGISTERED.values()]


@pytest.mark.parametrize(
    "learned",
    [
        ["LSTM", "LSTM-sub", "One shared LSTM"],
        ["LSTM (paper)", "LSTM (long unroll)"],
        ["LSTM", "LSTM (long unroll)", "LSTM (continued)"],
        ["LSTM", "LSTM (paper)", "LSTM (long unroll)", "LSTM-sub", "a_new_recipe"],
        ["LSTM (continued)", "One shared LSTM", "LSTM"],
    ],
)
def test_optimizers_of_a_figure_differ_in_colour_and_without_colour(learned: list[str]) -> None:
    found = looks([*BASELINES, *learned])
    for one, other in itertools.combinations(found.values(), 2):
        assert one.color != other.color
        assert (one.dashes, one.width) != (other.dashes, other.width)


def test_learned_optimizers_are_drawn_thicker() -> None:
    found = looks([*BASELINES, "LSTM (paper)", "LSTM (long unroll)", "a_new_recipe"])
    thickest_baseline = max(found[name].width for name in BASELINES)
    assert all(look.width > thickest_baseline for n, look in found.items() if n not in BASELINES)


def test_an_unknown_recipe_keeps_its_look_beside_known_ones() -> None:
    alone = looks(["a_new_recipe"])["a_new_recipe"]
    assert looks([*BASELINES, "LSTM (paper)", "a_new_recipe"])["a_new_recipe"] == alone
    assert alone.color not in {look.color for look in looks([*BASELINES, "LSTM (paper)"]).values()}


def test_where_two_share_a_look_the_first_keeps_it() -> None:
    apart = {name: looks([name])[name] for name in ("LSTM", "LSTM (paper)")}
    assert apart["LSTM"] == apart["LSTM (paper)"]
    met = looks(["LSTM (paper)", "LSTM", *BASELINES])
    assert met["LSTM"] == apart["LSTM"]
    assert met["LSTM (paper)"] not in looks(["LSTM", *BASELINES]).values()


def test_unknown_recipes_of_a_figure_differ_while_spare_looks_last() -> None:
    found = looks(["conv", "deep", "shared", "wide"])
    assert len({look.color for look in found.values()}) == 4
    assert len(looks([f"recipe{k}" for k in range(9)])) == 9


def test_names_are_labels_then_usual_names_then_keys(labels: dict[str, str]) -> None:
    assert display_name("mnist_paper", labels) == "LSTM (paper)"
    assert display_name("adam", labels) == "ADAM"
    assert display_name("unheard_of", labels) == "unheard_of"


def test_recipes_of_one_label_share_name_and_look_unless_they_meet_in_a_panel() -> None:
    labels = {"first": "LSTM", "five_sub": "LSTM-sub", "two_sub": "LSTM-sub"}
    apart = names_in([["nag", "first", "five_sub"], ["first", "two_sub", "nag"]], labels)
    assert [*apart.values()] == ["LSTM", "LSTM-sub", "LSTM-sub", "NAG"]
    met = names_in([["first", "five_sub", "two_sub"], ["first"]], labels)
    assert met == {
        "first": "LSTM",
        "five_sub": "LSTM-sub (five_sub)",
        "two_sub": "LSTM-sub (two_sub)",
    }
    found = looks(met.values())
    assert found["LSTM-sub (five_sub)"] != found["LSTM-sub (two_sub)"]


REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.figures.fake_results import fake
from tests.figures.fake_tables import make_curves
from l2l.figures.base import figures
from l2l.figures.style import save
table = make_curves(["nag", "mnist_paper", "mnist_long_unroll"], problems=3)
names = ("mnist", "mnist_40_units", "mnist_two_layers", "mnist_relu", "mnist_tanh")
results = fake(**dict.fromkeys(names, table))
for name in ("mnist", "mnist_transfer", "coordinatewise_lstm"):
    save(figures(results.config)[name].draw(results), Path(sys.argv[2]) / name)
"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("drawn"), {"PYTHONHASHSEED": "1"})


def run(folder: Path, variables: dict[str, str]) -> Path:
    """Draw figures in a process of its own with these environment variables."""
    command = [sys.executable, "-c", SCRIPT, str(REPOSITORY), str(folder)]
    subprocess.run(command, check=True, env=os.environ | variables)
    return folder


def same(one: Path, other: Path) -> bool:
    names = sorted(path.name for path in one.iterdir())
    assert len(names) == 9
    assert names == sorted(path.name for path in other.iterdir())
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def test_same_inputs_give_the_same_bytes_in_another_process_at_another_time(
    drawn: Path, tmp_path: Path
) -> None:
    assert same(drawn, run(tmp_path, {"PYTHONHASHSEED": "2", "SOURCE_DATE_EPOCH": "1700000000"}))


def test_a_matplotlibrc_of_the_user_changes_nothing(drawn: Path, tmp_path: Path) -> None:
    lines = ["text.usetex: True", "text.color: white", "savefig.transparent: True"]
    lines += [
        "lines.linewidth: 9",
        "xtick.major.size: 20",
        "font.family: serif",
        "axes.grid: False",
    ]
    (tmp_path / "matplotlibrc").write_text("\n".join(lines))
    variables = {"MATPLOTLIBRC": str(tmp_path / "matplotlibrc")}
    assert same(drawn, run(tmp_path / "figures", variables))


def test_png_pdf_and_json_are_written_and_nothing_else(tmp_path: Path) -> None:
    png, pdf, lines = save(LOOP.draw(fake()), tmp_path / "new" / "loop")
    assert json.loads(lines.read_text()) == [], "a diagram has no lines with numbers"
    assert png.read_bytes().startswith(b"\x89PNG")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert sorted((tmp_path / "new").iterdir()) == [lines, pdf, png]
    assert b"CreationDate" not in pdf.read_bytes()


def test_fonts_in_the_pdf_are_truetype_not_type3(tmp_path: Path) -> None:
    _, pdf, _ = save(LOOP.draw(fake()), tmp_path / "loop")
    assert b"/Type3" not in pdf.read_bytes()
    assert b"/CIDFontType2" in pdf.read_bytes()


def test_png_has_the_printed_width_times_the_dpi(tmp_path: Path) -> None:
    png, *_ = save(LOOP.draw(fake()), tmp_path / "loop")
    assert int.from_bytes(png.read_bytes()[16:20], "big") == round(3.25 * 200)


def test_a_broken_save_leaves_the_old_files(tmp_path: Path) -> None:
    stem = tmp_path / "loop"
    old = [path.read_bytes() for path in save(LOOP.draw(fake()), stem)]
    broken = LOOP.draw(fake())
    broken.text(0.5, 0.5, r"$\no_such_symbol$")
    with pytest.raises(ValueError, match="no_such_symbol"):
        save(broken, stem)
    assert [stem.with_suffix(s).read_bytes() for s in (".png", ".pdf", ".json")] == old
    assert len(list(tmp_path.iterdir())) == 3
