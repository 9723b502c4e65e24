"""No module of the package needs another that needs it: at module level imports have no cycles."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import l2l

ROOT = Path(l2l.__file__).parents[1]
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "l2l").rglob("*.py")
}


def _imports(nodes: list[ast.stmt]) -> Iterator[str]:
    """What is imported outside functions; not for annotations alone."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in FILES else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _imports(node.orelse)
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.ClassDef):
            yield from _imports(node.body + getattr(node, "orelse", []))


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    graph = {
        module: {name for name in _imports(ast.parse(path.read_text()).body) if name in FILES}
        for module, path in FILES.items()
    }
    assert "l2l.optimizers.base" in graph["l2l.estimators.adjoint"], "the test sees no imports"
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(f"imports go round: {' -> '.join(error.args[1])}") from None
