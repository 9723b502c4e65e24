"""Tables of verdicts in a page that someone writes by hand."""

from pathlib import Path

import pytest

from l2l.config import Config
from l2l.errors import UserError
from l2l.report.marked import fill, over_several, overview, tables
from l2l.report.verdicts import difference
from l2l.results import Results

PAGE = """# Mine

Before.

<!-- {}: by make publish -->
an old table
<!-- end -->

Between.

<!-- not replicated: by make publish -->
<!-- end -->
After.
"""


def test_marked_tables_are_replaced_and_nothing_else(
    results: Results, config: Config, tmp_path: Path
):
    page, found = tmp_path / "page.md", tables(results.claims(), config)
    page.write_text(PAGE.format("verdicts"))
    fill(page, found)
    once = page.read_text()
    for part in (*found.values(), "# Mine\n\nBefore.\n", "\nBetween.\n", "<!-- end -->\nAfter.\n"):
        assert part in once
    assert "an old table" not in once
    fill(page, found)
    assert page.read_text() == once


@pytest.mark.parametrize("text", [PAGE.format("verdict"), "# No marks\n", None])
def test_a_page_without_known_marks_is_refused_and_stays(text: str | None, tmp_path: Path):
    page = tmp_path / "page.md"
    if text is not None:
        page.write_text(text)
    with pytest.raises(UserError, match=r"page\.md") as error:
        fill(page, {"verdicts": "", "not replicated": ""})
    assert "\n" not in str(error.value)
    assert (page.read_text() if page.exists() else None) == text


def test_each_verdict_has_a_row_and_what_replicates_is_not_among_the_rest(
    results: Results, config: Config
):
    claims = results.claims()
    overall = claims[claims["deciding"]]
    rows = overview(overall, over_several(claims), config)
    assert [row["verdict"] for row in rows] == [*overall["verdict"]]
    assert [row["difference"] for row in rows] == [*map(difference, overall.to_dict("records"))]
    assert [row["claim"] for row in rows if row["claim"]] == [*dict.fromkeys(overall["claim"])]
    assert "replicated" in {*overall["verdict"]}, "or the next line could not fail"
    assert "| replicated |" not in tables(claims, config)["not replicated"]
