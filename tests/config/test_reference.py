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
def test_a_section_and_every_key_of_it_have_a_sentence_on_the_page(section: str) -> None:
    text, entry = PAGE.read_text(encoding="utf-8"), SECTIONS[section]
    assert entry["description"] in text
    for key, value in entry["properties"].items():
        # pydantic leaves out a description that is that of the key's section
        meaning = value.get("description") or SECTIONS[value["$ref"].split("/")[-1]]["description"]
        meaning = " ".join(meaning.split())
        assert len(meaning.split()) > 1, f"{section}.{key} has no description"
        assert meaning.endswith("."), f"{section}.{key}: {meaning!r} is no sentence"
        assert f"| {meaning} |" in text
