"""Where a configuration comes from, later layers win.

The layers are config/default.yaml with the files of studies/, the overlay of the protocol,
config/released.yaml, the user's files, and single values (`--set`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from l2l.config.base import MISTAKE, SECTIONS
from l2l.config.schema import Config, Protocol
from l2l.errors import UserError, did_you_mean

PROTOCOLS: tuple[str, ...] = get_args(Protocol)
DEFAULTS = Path(__file__).parents[1] / "defaults"
"""Links to config/ and studies/ of the checkout; an installed package has the files."""
FURTHER = "further"
"""The study of what no other study defines: the experiments and claims of a user's file."""
LIKE = ("problems", "recipes", "experiments")
"""The sections whose entries may be `like` another one."""
ORIGINS: dict[str, dict[str, dict[str, Any]]] = {
    "trained": {"recipes": {"origin": "trained"}, "experiments": {"tuning": {"origin": "tuned"}}},
    "released": {
        "recipes": {"origin": "released"},
        "experiments": {"tuning": {"origin": "released"}},
    },
}
"""`optimizers` -> what every entry of these sections has; `mixed`: what it says itself."""


def load_config(
    protocol: str | None = None,
    files: Iterable[str | Path] = (),
    settings: Iterable[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """Merge the layers and check the result.

    Args:
        protocol: smoke, default or paper: the overlay that is laid on the default. None: the
            protocol that the user's files or overrides name, else default.
        files: the user's YAML files, later ones win. Mappings merge, all else replaces.
        settings: "dotted.key=value" strings (value in YAML), as given to `--set`.
        overrides: a nested mapping that wins over the files, as Snakemake's `--config` gives.

    Raises:
        UserError: one line with the key, the value and what is allowed.

    Example:
        >>> config = load_config("smoke", settings=["evaluation.problems=7"])
        >>> config.evaluation.problems, config.experiments["mnist"].baselines
        (7, ('adam', 'nag'))
    """
    user: dict[str, Any] = {}
    for layer in [*(_read(Path(file)) for file in files), dict(overrides or {})]:
        user = merge(user, layer)
    for setting in settings:
        user = merge(user, _parse_setting(setting))
    chosen = user.get("protocol", "default") if protocol is None else protocol
    if chosen not in PROTOCOLS:
        raise UserError(f"config: protocol = {chosen!r}: allowed are {', '.join(PROTOCOLS)}")
    overlays = [] if chosen == "default" else [chosen]
    if user.get("optimizers") == "released":
        if chosen == "paper":
            raise UserError(
                "config: optimizers = released: what is released was trained in the protocol "
                "default, not paper"
            )
        if chosen == "default":  # smoke is small as it is
            overlays.append("released")
    merged = _default()
    for name in overlays:
        merged = merge(merged, _read(config_folder() / f"{name}.yaml"))
    content = _filled({**merge(merged, user), "protocol": chosen})
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        raise UserError(f"config: {_one_line(error, content)}") from None


def config_folder() -> Path:
    """The folder of default.yaml and its overlays: of the checkout, or of the installed package."""
    return (DEFAULTS / "config").resolve()


def resolved_yaml(config: Config, study: str | None = None) -> str:
    """The configuration as YAML, every entry complete; `load_config(files=[...])` reads it back.

    Args:
        config: what is printed.
        study: print the entries of this study alone.
    """
    content = config.model_dump(mode="json")
    if study:
        content = {
            key: {name: content[key][name] for name in value} if key in SECTIONS else value
            for key, value in content["studies"][study].items()
        }
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # of libyaml: many times faster
    return yaml.dump(content, Dumper=dumper, sort_keys=False, allow_unicode=True)


def changes(config: Config) -> dict[str, Any]:
    """The least that `load_config(overrides=...)` needs to give this configuration.

    All of it where an entry goes its own way from a changed one that it is `like`.
    """
    chosen = {"protocol": config.protocol, "optimizers": config.optimizers}
    whole = config.model_dump(mode="json")
    least = chosen | _difference(load_config(overrides=chosen).model_dump(mode="json"), whole)
    return least if load_config(overrides=least) == config else whole


def _difference(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """The least that `merge` has to lay on `base` to give `over`."""
    differing = {key: value for key, value in over.items() if key not in base or base[key] != value}
    for key, value in differing.items():
        if _belong_together(base.get(key), value):
            differing[key] = _difference(base[key], value)
    return differing


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`: mappings merge key by key, everything else is replaced.

    A mapping with another `kind` is replaced too: the settings of one kind are not those of
    another.
    """
    merged = dict(base)
    for key, value in over.items():
        below: Any = merged.get(key)
        merged[key] = merge(below, value) if _belong_together(below, value) else value
    return merged


def _belong_together(below: Any, over: Any) -> bool:
    """Whether both are mappings, and not of different kinds."""
    if not (isinstance(below, Mapping) and isinstance(over, Mapping)):
        return False
    return "kind" not in over or "kind" not in below or over["kind"] == below["kind"]


@functools.cache
def _default() -> Mapping[str, Any]:
    """config/default.yaml and what the studies define, each study with the names of its entries."""
    merged = _read(config_folder() / "default.yaml")
    merged |= {section: {} for section in SECTIONS}
    files = {path.stem: _read(path) for path in (DEFAULTS / "studies").glob("*.yaml")}
    places = {name: (study.pop("place", math.inf), name) for name, study in files.items()}
    studies = {name: files[name] for name in sorted(files, key=places.__getitem__)}
    for name, study in studies.items():
        for section in SECTIONS:
            entries = study.get(section, {})
            for twice in entries.keys() & merged[section].keys():
                raise UserError(f"studies/{name}.yaml: another study has {section}.{twice} too")
            merged[section] |= entries
            study[section] = list(entries)
    claims = sorted(merged["claims"].items(), key=lambda claim: (len(claim[0]), claim[0]))
    return {**merged, "claims": dict(claims), "studies": studies}  # C2 before C10


def _filled(config: dict[str, Any]) -> dict[str, Any]:
    """A merged configuration with every entry complete.

    An entry with `like: name` is laid on that entry of its section. An experiment takes what it
    does not set of `tuning` and `evaluation` from the sections of these names, a recipe its
    `meta_seeds` from the value of that name. `optimizers` decides about the `origin` of all, unless
    it is mixed. Entries that no study has get a study of their own.

    Args:
        config: of all layers. What has another form than expected is left for the schema to refuse.

    Raises:
        UserError: `like` names no entry, or goes round in a circle.
    """
    whole = dict(config)
    for section in LIKE:
        entries = whole.get(section)
        if isinstance(entries, Mapping):
            whole[section] = {name: _laid(section, entries, name) for name in entries}
    for name, entry in _mappings(whole.get("recipes")):
        if "meta_seeds" in whole:
            whole["recipes"][name] = {"meta_seeds": whole["meta_seeds"], **entry}
    for name, entry in _mappings(whole.get("experiments")):
        common: dict[str, Any] = {k: whole[k] for k in ("tuning", "evaluation") if k in whole}
        whole["experiments"][name] = merge(common, entry)
    for section, settings in ORIGINS.get(str(whole.get("optimizers")), {}).items():
        for name, entry in _mappings(whole.get(section)):
            whole[section][name] = merge(entry, settings)
    studies = whole.get("studies")
    further = {}
    for section in SECTIONS:
        lists = [study.get(section) for _, study in _mappings(studies)]
        taken = [name for names in lists if isinstance(names, list) for name in names]
        further[section] = [name for name, _ in _mappings(whole.get(section)) if name not in taken]
    if isinstance(studies, Mapping) and (further["experiments"] or further["claims"]):
        whole["studies"] = {**studies, FURTHER: {"title": "Further experiments", **further}}
    return whole


def _mappings(entries: Any) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(entries, Mapping):
        return []
    return [(name, entry) for name, entry in entries.items() if isinstance(entry, Mapping)]


def _laid(section: str, entries: Mapping[str, Any], name: str, seen: tuple[str, ...] = ()) -> Any:
    """An entry laid on the one it is like, that one on the one it is like, and so on."""
    entry = entries[name]
    if not isinstance(entry, Mapping) or "like" not in entry:
        return entry
    own = {key: value for key, value in entry.items() if key != "like"}
    other, key = entry["like"], f"config: {section}.{name}.like = {entry['like']!r}"
    if not isinstance(other, str) or other not in entries:
        raise UserError(
            f"{key}: there is no such entry{did_you_mean(other, entries)}; there are: "
            f"{', '.join(map(str, entries))}"
        )
    if other in (*seen, name):
        raise UserError(f"{key}: goes round in a circle; let one of them stand for itself")
    base = _laid(section, entries, other, (*seen, name))
    return merge(base, own) if isinstance(base, Mapping) else entry


def _read(path: Path) -> dict[str, Any]:
    try:
        content = _parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the configuration {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text") from None
    except ValueError as error:
        raise UserError(f"{path} is not valid YAML: {error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected 'key: value' lines, found {type(content).__name__}")
    return content


def _parse(text: str) -> Any:
    """The content of YAML; ValueError with one line if it is none, or if a key stands twice."""
    try:
        return yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(" ".join(str(error).split())) from None


# libyaml's parser, if PyYAML has it: ten times as fast, and each job reads a configuration.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A key that stands twice is an error: one of its values would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in lines:
                raise ValueError(f"'{name}' stands twice, in lines {lines[name]} and {line}")
            lines[name] = line
        return super().construct_mapping(node, deep)


def _parse_setting(setting: str) -> dict[str, Any]:
    key, equals, text = setting.partition("=")
    if not equals or not all(key.split(".")):
        raise UserError(f"--set {setting!r}: expected key=value, such as evaluation.problems=8")
    try:
        value = _parse(text)
    except ValueError as error:
        raise UserError(f"--set {setting!r}: the value is not valid YAML: {error}") from None
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def _one_line(error: ValidationError, content: Mapping[str, Any]) -> str:
    """The first mistake, and how many more there are.

    Args:
        error: what pydantic found.
        content: the configuration that it was found in.
    """
    entries: dict[Any, Any] = {}  # an entry that another one is like has the same mistakes
    for entry in error.errors():
        place = entry["loc"][2:] if entry["loc"][:1] in [(name,) for name in SECTIONS] else ()
        once = (place or entry["loc"], entry["type"], repr(entry["input"]))
        entries.setdefault(once, entry)
    errors = [(_key(entry, content), entry) for entry in entries.values()]
    key = errors[0][0]
    related = [pair for pair in errors if pair[0] == key or pair[0].startswith(key + ".")]
    key, first = max(related, key=lambda pair: pair[0].count("."))  # a bad item says more
    rest = f"; {len(errors) - len(related)} more mistakes" if len(errors) > len(related) else ""
    context = first.get("ctx", {})
    tag = f"{key}.{context.get('discriminator', '').strip(chr(39))}"
    match first["type"]:
        case "missing":
            return f"{key} is missing{rest}"
        case "union_tag_not_found":
            return f"{tag} is missing{rest}"
        case "union_tag_invalid":
            return f"{tag} = '{context['tag']}': allowed are {context['expected_tags']}{rest}"
        case kind if kind == MISTAKE:
            return f"{key + ': ' if key else ''}{first['msg']}{rest}"
    value = repr(first["input"])
    value = value if len(value) <= 60 else value[:57] + "..."
    alternatives = dict.fromkeys(entry["msg"] for other, entry in related if other == key)
    return f"{key} = {value}: {'; or: '.join(alternatives)}{rest}"  # several: of a union


def _key(error: Any, content: Any) -> str:
    """The dotted key of an error, without the tags that pydantic adds for members of a union."""
    keys = []
    for part in error["loc"]:
        index = isinstance(content, Sequence) and isinstance(part, int)
        if index or (isinstance(content, Mapping) and part in content):
            keys.append(str(part))
            content = content[part]
    if error["type"] == "missing":
        keys.append(str(error["loc"][-1]))
    return ".".join(keys)
