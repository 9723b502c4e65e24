"""What is loaded has to be what the records say: captions and claims go by them."""

from __future__ import annotations

from pathlib import Path

import pytest

from l2l.cli.options import _check_stand_ins
from l2l.errors import UserError
from l2l.files import write_json
from l2l.layout import Layout


@pytest.mark.parametrize(("noted", "used"), [(None, "crops"), ("crops", None), ("crops", "others")])
def test_another_stand_in_than_noted_is_refused(
    noted: str | None, used: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    layout = Layout("smoke")
    _check_stand_ins({"photographs": used}, layout)  # nothing is noted yet
    write_json(layout.data("photographs"), {"stand_in": noted})
    with pytest.raises(UserError, match=r"photographs\.json says .* delete the file"):
        _check_stand_ins({"photographs": used}, layout)
    _check_stand_ins({"photographs": noted, "styles": "x"}, layout)
