"""From what pydantic found to what the author of a file wants to read.

:func:`judge` holds the plain values of a file against the models of
:mod:`~vnet.topology.schema.topology` and turns each error into one sentence at its line and
column. So that the reading can go on and find the problems that come later (a link to
nothing, say), the faulty entries are cut out and the rest is returned, with a note of
what was cut: nobody shall be told that h1 does not exist when h1 is merely misspelt
inside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, escaped, one_of, quote
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.port import OvsPortFile
from vnet.topology.schema.step import VERBS
from vnet.topology.schema.topology import TopologyFile
from vnet.topology.schema.values import RefusedError, kind_of
from vnet.topology.schema.wire import WireFile

NODE_SECTIONS = ("hosts", "vms", "switches", "routers")
LIST_SECTIONS = ("links", "captures", "scenario")

# Keys that no other part of a file depends on: without them an entry still makes sense.
_HARMLESS = frozenset(
    {"ageing", "at", "bandwidth", "df", "echo", "interval", "ipv6", "latency", "mac", "mode"}
    | {"mtu", "port", "queue", "size", "timeout", "ttl", "up"}
    | {"corrupt", "duplicate", "jitter", "loss", "reorder"}
    | {"fail_mode", "flood_vlans", "flows", "groups", "meters", "ofport", "other_config"}
    | {"controller", "protocols"}
    | {"cvlans", "protected", "tag", "trunks", "vlan_mode"}
    | {"qos", "ingress_policing_rate", "ingress_policing_burst"}
    | {"default_pvid", "group_fwd_mask", "vlan_filtering", "vlan_protocol", "vlan_stats"}
    | {"forward_delay", "hello_time", "max_age", "multicast", "priority"}
)

# What belongs in the options of a port, and not beside them.
_PORT_OPTIONS = ("peer", "remote_ip", "local_ip", "key", "dst_port", "df_default", "tos", "ttl")

# What a value had to be, for the errors that say no more than that.
_WANTED = {
    "model_type": "a map",
    "model_attributes_type": "a map",
    "dict_type": "a map",
    "list_type": "a list",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "text",
}


class Cut:
    """What was left out of a file because it is faulty."""

    def __init__(self) -> None:
        self.sections: set[str] = set()
        self.nodes: set[str] = set()
        # For each list that lost entries: the places in the file of those that remain.
        self.kept: dict[str, list[int]] = {}

    def excuses(self, node: str) -> bool:
        """Whether ``node`` may exist, only that it could not be understood."""
        if self.sections.intersection(NODE_SECTIONS) or node in self.nodes:
            return True
        # An instance of a template that was cut: its name with a number behind.
        stem = len(node.rstrip("0123456789"))
        return any(node[:end] in self.nodes for end in range(stem, len(node)))

    def index(self, section: str, position: int) -> int:
        """The place in the file of entry ``position`` of what is left of a list."""
        kept = self.kept.get(section)
        return kept[position] if kept is not None else position


def judge(value: object, report: Report) -> tuple[TopologyFile, Cut]:
    """Validate a whole file; problems go to ``report``, what is sound comes back."""
    if not isinstance(value, dict):
        report.add((), f"a topology is a map, not {kind_of(value)}", "it begins with 'version: 1'")
        raise report.error()
    try:
        return TopologyFile.model_validate(value), Cut()
    except ValidationError as error:
        errors: list[Any] = error.errors(include_url=False)
    for fault in errors:
        _report_fault(fault, report)
    sound, cut = _cut_out(value, errors)
    try:
        return TopologyFile.model_validate(sound), cut
    except ValidationError:  # A fault that cutting did not remove; the report has it.
        raise report.error() from None


def judge_wire(settings: Mapping[str, object]) -> WireFile:
    """Settings of a link that somebody asks for while it runs, spelt as in a file.

    Raises :class:`UsageError` with the first fault, in the words of a file's.
    """
    try:
        return WireFile.model_validate(dict(settings))
    except ValidationError as error:
        fault = _explained(error.errors(include_url=False)[0], WireFile)
        raise UsageError(fault.what, fault.hint) from None


class _Fault(NamedTuple):
    path: Path
    what: str
    hint: str
    at_key: bool


def _report_fault(fault: Any, report: Report) -> None:
    path, what, hint, at_key = _explained(fault, TopologyFile)
    report.add(path, what, hint, at_key=at_key)


def _explained(fault: Any, model: type[BaseModel]) -> _Fault:
    """A fault that pydantic found in ``model``, in words."""
    path: Path = tuple(fault["loc"])
    kind: str = fault["type"]
    at_key = False
    if path and path[-1] == "[key]":
        path, at_key = path[:-1], True
    if kind == "extra_forbidden":
        known = _keys_at(path[:-1], model)
        if path[-1] in known:
            return _Fault(path, *_of_other_type(str(path[-1])), True)
        hint = did_you_mean(str(path[-1]), known, "known here")
        if path[-1] in _PORT_OPTIONS and "ports" in path[-3:-2]:
            hint = f"it is an option: write options: {{{path[-1]}: ...}}"
        return _Fault(path, f"unknown key {quote(path[-1])}", hint, True)
    if kind == "missing":
        hint = "write 'version: 1'" if path == ("version",) else ""
        return _Fault(path[:-1], f"missing key {quote(path[-1])}", hint, True)
    return _Fault(path, *_sentence(fault, kind, path), at_key)


def _of_other_type(key: str) -> tuple[str, str]:
    """A key of a port that the port of a switch of another type has."""
    if key in OvsPortFile.model_fields:
        return f"{key} is for switches of Open vSwitch", "write type: ovs"
    return f"{key} is for Linux bridges", "write type: linux"


def _sentence(fault: Any, kind: str, path: Path) -> tuple[str, str]:
    value = fault["input"]
    context = fault.get("ctx", {})
    key = next((step for step in reversed(path) if isinstance(step, str)), "the file")
    key = escaped(key[:63])
    if kind == "value_error" and isinstance(context.get("error"), RefusedError):
        refusal = context["error"]
        wants = refusal.what.startswith("wants ")
        return (f"{key} {refusal.what}" if wants else refusal.what), refusal.hint
    if kind in _WANTED:
        hint = ""
        if kind == "bool_type" and str(value).lower() in ("yes", "no", "on", "off"):
            hint = "in YAML 1.2 yes, no, on and off are text"
        subject = f"an entry of {key}" if isinstance(path[-1], int) else key
        return f"{subject} wants {_WANTED[kind]}, not {kind_of(value)}", hint
    if kind == "literal_error":
        return _not_one_of(key, value, str(context["expected"]))
    if kind in ("greater_than_equal", "less_than_equal"):
        if isinstance(value, int) and value < 0:
            return f"{key} is negative: {quote(value)[1:-1]}", f"at least {context.get('ge', 0)}"
        if kind == "greater_than_equal":
            return f"{key} is too small: {value}", f"at least {context['ge']}"
        return f"{key} is too large: {quote(value)[1:-1]}", f"at most {context['le']}"
    if kind in ("too_short", "too_long"):
        limit = context.get("min_length", context.get("max_length"))
        bound = "at least" if kind == "too_short" else "at most"
        entries = "1 entry" if len(value) == 1 else f"{len(value)} entries"
        return f"{key} has {entries}", f"{'exactly' if key == 'ends' else bound} {limit}"
    return f"{key}: {escaped(str(fault['msg']))}", ""


def _not_one_of(key: str, value: object, expected: str) -> tuple[str, str]:
    words = re.findall("'([^']*)'", expected)
    if not isinstance(value, str):
        return f"{key} wants a word, not {kind_of(value)}", f"one of {one_of(words)}"
    return f"{key} cannot be {quote(value)}", did_you_mean(value, words, "one of")


def _keys_at(path: Path, top: type[BaseModel]) -> list[str]:
    """The keys that the model at ``path`` knows, found by walking the annotations."""
    annotation: Any = top
    for step in path:
        annotation = _bare(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            hints = get_type_hints(annotation)  # A step may hold steps: forward references.
            annotation = next(
                hints[name]
                for name, info in annotation.model_fields.items()
                if (info.alias or name) == step
            )
        else:
            annotation = get_args(annotation)[-1]
    fields = (info for model in _models(annotation) for info in model.model_fields.items())
    return list(dict.fromkeys(info.alias or name for name, info in fields))


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models that ``annotation`` allows: one, or several where another key decides."""
    if get_origin(annotation) in (Annotated, Union, UnionType):
        allowed = get_args(annotation)
        if get_origin(annotation) is Annotated:
            allowed = allowed[:1]
        return [model for each in allowed for model in _models(each)]
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return [annotation] if is_model else []


def _bare(annotation: Any) -> Any:
    """``annotation`` without ``Annotated`` and without ``| None``."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            annotation = next(arg for arg in get_args(annotation) if arg is not type(None))
        else:
            return annotation


def _cut_out(value: dict[str, Any], errors: list[Any]) -> tuple[dict[str, Any], Cut]:
    """``value`` without what the errors are about, as little as makes sense."""
    cut = Cut()
    doomed: dict[Path, None] = {}
    for fault in errors:
        path: Path = tuple(fault["loc"])
        section = str(path[0])
        unknown = fault["type"] == "extra_forbidden"
        # What a step does is one of its keys: without it, there is no step.
        verb = section == "scenario" and len(path) > 2 and isinstance(path[-2], int)
        if (unknown and not verb) or _is_harmless(path, fault):
            doomed[_whole(path)] = None
            if section in NODE_SECTIONS and len(path) > 1:
                cut.nodes.add(str(path[1]))
        elif section in NODE_SECTIONS and len(path) > 1:
            doomed[path[:2]] = None
            cut.nodes.add(str(path[1]))
        elif section in LIST_SECTIONS and len(path) > 1:
            doomed[path[:2]] = None
        else:
            doomed[(section,)] = None
            cut.sections.add(section)
    for section in LIST_SECTIONS:
        gone = {path[1] for path in doomed if len(path) == 2 and path[0] == section}
        if gone:
            cut.kept[section] = [i for i in range(len(value[section])) if i not in gone]
    sound = _without(value, [path for path in doomed if path != ("version",)])
    sound["version"] = 1
    return sound, cut


def _whole(path: Path) -> Path:
    """A mirror or a port without one of its keys is another one, or none: it goes as a whole."""
    at = next((n for n in range(2, len(path)) if path[n] in ("mirrors", "ports")), len(path))
    return path[: at + 2]


def _is_harmless(path: Path, fault: Any) -> bool:
    inner = len(path) > 2 and fault["type"] != "missing"
    if path[0] == "scenario" and path[-1] in VERBS:
        return False  # Without it the step does nothing.
    if inner and path[0] == "scenario" and "link" in path[-3:-1]:
        return False  # One setting may be all that the step changes.
    return inner and (path[-1] in _HARMLESS or path[-2] == "expect")


def _without(value: Any, paths: list[Path]) -> Any:
    """A copy of ``value`` that lacks what ``paths`` lead to; untouched parts are shared."""
    below: dict[str | int, list[Path]] = {}
    for path in paths:
        below.setdefault(path[0], []).append(path[1:])
    if isinstance(value, dict):
        return {
            key: _without(item, below[key]) if key in below else item
            for key, item in value.items()
            if () not in below.get(key, ())
        }
    if isinstance(value, list):
        return [
            _without(item, below[index]) if index in below else item
            for index, item in enumerate(value)
            if () not in below.get(index, ())
        ]
    return value
