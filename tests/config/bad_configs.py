"""Bad configurations made from the schema: each differs from the default in one place.

What is bad is read off the types of `l2l.config`: a value of another type, one beyond a bound, no
number, no choice, a key that is not there or missing, a name that nothing has.
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo

from l2l.config import Config, load_config
from l2l.config.base import Name

Path = tuple[str | int, ...]
MISSING = object()
"""In the place of a value: the key is taken away."""
NO_REFERENCE = ("figure", "name", "parameters", "baseline")
"""Names that are given, not looked up."""


@dataclass(frozen=True)
class Bad:
    """One mistake.

    Attributes:
        path: the keys down to it.
        value: what stands there; MISSING: nothing.
        why: of which kind it is.
    """

    path: Path
    value: Any
    why: str

    @property
    def key(self) -> str:
        """The dotted path that a message has to have."""
        return ".".join(map(str, self.path))

    def tree(self) -> dict[str, Any]:
        """The whole default configuration, with the mistake."""
        tree: Any = copy.deepcopy(default())
        inner = tree
        for key in self.path[:-1]:
            inner = inner[key]
        if self.value is MISSING:
            del inner[self.path[-1]]
        elif isinstance(inner, list) and self.path[-1] == len(inner):
            inner.append(self.value)
        else:
            inner[self.path[-1]] = self.value
        return tree


@functools.cache
def default() -> dict[str, Any]:
    """The default configuration, every entry complete, without most of its entries.

    There is one recipe for each kind of optimizer with each kind of estimator. It is checked in a
    fraction of the time, and no field of the schema is missing.
    """
    tree = load_config().model_dump(mode="json")
    measured = tree["measurements"]
    recipes: dict[str, Any] = {}
    for name, entry in tree["recipes"].items():
        kinds = (entry["optimizer"]["kind"], entry["estimator"]["kind"])
        recipes.setdefault(str(kinds), name)
    kept = {*recipes.values(), "mnist_paper", "mnist_base", "neural_art"}
    kept |= {stage["recipe"] for stage in measured["meta_gradients"]["stages"].values()}
    while more := {tree["recipes"][name]["start_from"] for name in kept} - {None} - kept:
        kept |= more
    tree["recipes"] = {name: tree["recipes"][name] for name in kept}
    experiments = ("mnist", "ablations_mnist", "neural_art")
    tree["experiments"] = {name: tree["experiments"][name] for name in experiments}
    for entry in tree["experiments"].values():
        entry["learned"] = [name for name in entry["learned"] if name in kept]
    problems = {entry["problem"] for entry in tree["recipes"].values()}
    problems |= {entry["validation"]["problem"] or "mnist" for entry in tree["recipes"].values()}
    problems |= {"quadratic", "mnist", "cifar10", "neural_art", "small_problems"}
    tree["problems"] = {name: tree["problems"][name] for name in sorted(problems)}
    tree["problems"]["small_problems"]["of"] = ["quadratic", "mnist"]
    measured["overhead"]["recipes"] = ["mnist_paper"]
    measured["overhead"]["problems"] = {"mnist": "MNIST"}
    measured["updates"]["experiments"] = {"mnist": ["mnist_paper"]}
    claims = {name: tree["claims"][name] for name in ("C2", "C3", "C12", "C14")}
    claims["C12"]["sizes"]["experiments"] = ["mnist"]
    claims["C14"]["measured"] = claims["C14"]["measured"][:1]
    study = {"experiments": ["mnist"], "recipes": ["mnist_paper"], "problems": ["mnist"]}
    study |= {"claims": list(claims), "measurements": ["overhead"]}
    tree |= {"claims": claims, "studies": {"mnist": tree["studies"]["mnist"] | study}}
    Config.model_validate(tree)
    return tree


@dataclass(frozen=True)
class Place:
    """A place of the default configuration, and what the schema says of it.

    Attributes:
        path: the keys down to it.
        kind: the type of what stands there.
        value: what stands there.
        required: whether something has to stand there.
        field: the schema's name of it: the same for all recipes, all problems of a kind, ...
    """

    path: Path
    kind: Any
    value: Any
    required: bool
    field: str

    def mistakes(self) -> dict[str, list[Bad]]:
        """Kind of mistake -> all that can be made here."""
        found: dict[str, list[Bad]] = {}

        def add(why: str, value: Any, path: Path = self.path) -> None:
            found.setdefault(why, []).append(Bad(path, value, why))

        for value, why in _wrong(self.kind):
            if _refused(self.kind, value):
                add(why, value)
        if self.required:
            add("missing key", MISSING)
        if _is_name(self.kind) and self.path[-1] not in NO_REFERENCE:
            add("unknown name", "nobody_at_all")
        for member in map(_bare, _members(self.kind)):
            if _is_section(member):
                add("unknown key", 1, (*self.path, "no_such_key"))
            elif get_origin(member) is dict and self.value:
                add("bad name", next(iter(self.value.values())), (*self.path, "No/Name"))
        return found


@st.composite
def bad_configs(draw: st.DrawFn) -> Bad:
    """Any field of the schema as often as another, in any entry; any mistake likewise."""
    places = _by_field()[draw(st.sampled_from(sorted(_by_field())))]
    mistakes = draw(st.sampled_from(places)).mistakes()
    return draw(st.sampled_from(mistakes[draw(st.sampled_from(sorted(mistakes)))]))


@functools.cache
def _by_field() -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for place in _places(Config, default(), ()):
        found.setdefault(place.field, []).append(place)
    return found


def _places(section: type[BaseModel], values: dict[str, Any], path: Path) -> Iterator[Place]:
    for name, field in section.model_fields.items():
        kind: Any = field.annotation
        if field.metadata or field.discriminator:
            extra = [Field(discriminator=field.discriminator)] if field.discriminator else []
            kind = Annotated[(kind, *field.metadata, *extra)]
        where = f"{section.__name__}.{name}"
        if name in values:
            required = field.is_required() and not _taken_over((*path, name))
            yield Place((*path, name), kind, values[name], required, where)
            yield from _within(kind, values[name], (*path, name), where)


def _taken_over(path: Path) -> bool:
    """Whether an entry that does not say this takes it from the common values."""
    if path in (("protocol",), ("optimizers",)) or path[0] == "recipes":
        return path[2:] in ((), ("meta_seeds",))
    return path[0] == "experiments" and path[2:3] in (("tuning",), ("evaluation",))


def _within(kind: Any, value: Any, path: Path, field: str) -> Iterator[Place]:
    """Places within a value: of a section, of entries by name, of a list's first items."""
    for member in map(_bare, _members(kind)):
        inner = get_args(member)
        if _is_section(member) and isinstance(value, dict):
            tag = get_args(member.model_fields["kind"].annotation) if "kind" in value else ()
            if not tag or value["kind"] in tag:
                yield from _places(member, value, path)
        elif get_origin(member) is dict and isinstance(value, dict):
            for key, entry in value.items():
                yield Place((*path, key), inner[1], entry, False, f"{field}.*")
                yield from _within(inner[1], entry, (*path, key), f"{field}.*")
        elif get_origin(member) is tuple and isinstance(value, list):
            for index, item in enumerate(value[:2]):
                yield Place((*path, index), inner[0], item, False, f"{field}[]")
                yield from _within(inner[0], item, (*path, index), f"{field}[]")


def _wrong(kind: Any) -> Iterator[tuple[Any, str]]:
    """Values that may be wrong in the place of this type."""
    for value in ("no number", "", [], [[]], 2.5, None):
        yield value, "wrong type" if value != [] else "empty list"
    if not any(_is_section(m) or get_origin(m) is dict for m in map(_bare, _members(kind))):
        yield {}, "wrong type"  # elsewhere mappings are laid on what is there
        yield {"a": 1}, "wrong type"
    yield "no_such_choice", "unknown choice"
    yield True, "true or false"
    for value in (float("nan"), float("inf"), float("-inf")):
        yield value, "not finite"
    for value in (-1, 0, 10**30, -(10**200), -1e300, 1e300):
        yield value, "out of range"
    for bound in _bounds(kind):
        for value in (bound - 1, bound, bound + 1, bound - 0.01, bound + 0.01):
            yield value, "out of range"


def _refused(kind: Any, value: Any) -> bool:
    """Whether the type alone refuses the value, as the sections of the configuration read it."""
    if isinstance(value, bool):  # no section takes them: l2l.config.base
        return True
    try:
        _adapter(kind).validate_python(value)
    except ValidationError:
        return True
    return False


def _adapter(kind: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(kind, config=ConfigDict(allow_inf_nan=False))
    except PydanticUserError:  # a section has this in a configuration of its own
        return TypeAdapter(kind)


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _bare(kind: Any) -> Any:
    """A type without what `Annotated` adds."""
    return _bare(get_args(kind)[0]) if get_origin(kind) is Annotated else kind


def _members(kind: Any) -> list[Any]:
    """The members of a union, the type itself where it is none."""
    if get_origin(_bare(kind)) not in (Union, types.UnionType):
        return [kind]
    return [inner for member in get_args(_bare(kind)) for inner in _members(member)]


def _bounds(kind: Any) -> Iterator[float]:
    """The numbers of ge, gt, le and lt, wherever they stand in the type."""
    for extra in getattr(kind, "__metadata__", ()):
        for bound in extra.metadata if isinstance(extra, FieldInfo) else [extra]:
            for name in ("ge", "gt", "le", "lt"):
                if hasattr(bound, name):
                    yield getattr(bound, name)
    if get_origin(kind) not in (None, Literal, tuple, dict):
        for inner in get_args(kind):
            yield from _bounds(inner)


def _is_name(kind: Any) -> bool:
    """Whether it may be a name of an entry: text of their pattern."""
    pattern = repr(get_args(Name)[1].metadata[0])
    return any(pattern in repr(member) for member in (kind, *_members(kind)))
