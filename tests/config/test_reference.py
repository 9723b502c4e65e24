"""docs/configuration.md is what the schema says, and the schema says what every key means."""

from pathlib import Path

import pytest

from l2l.cli.app import app
from l2l.config.schema import Config

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
SCHEMA = Config.model_json_schema()
SECTIONS = {"Config": SCHEMA, **SCHEMA["$defs"]}


def test_the_committed_page_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    app(["config", "--reference", "--protocol", "default"], standalone_mode=False)
    command = "run: l2l config --reference > docs/configuration.md"
    assert capsys.readouterr().out == PAGE.read_text(encoding="utf-8"), command


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_has_a_sentence_on_the_page(section: str) -> None:
    assert SECTIONS[section]["description"] in PAGE.read_text(encoding="utf-8")


def test_every_key_has_a_sentence() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    assert len(rows) > len(SECTIONS)
    for row in rows:
        meaning = row.split(" | ")[-1].removesuffix(" |")
        assert len(meaning.split()) > 1, row
        assert meaning.endswith("."), row
