"""JSON objects, read member by member; the first fault is kept and told at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vnet.ovs.ovsdb.errors import OvsdbError, syntax_error
from vnet.ovs.ovsdb.json_text import Json, integer_of
from vnet.ovs.ovsdb.name_order import in_hash_order


def is_id(json: Json) -> bool:
    """Whether a value is an <id>: a name of letters, digits and ``_`` (RFC 7047 section 3.1)."""
    return isinstance(json, str) and json.isascii() and json.isidentifier()


def is_string(json: Json) -> bool:
    return isinstance(json, str)


def is_array(json: Json) -> bool:
    return isinstance(json, list)


def is_object(json: Json) -> bool:
    return isinstance(json, dict)


def is_boolean(json: Json) -> bool:
    return isinstance(json, bool)


def is_integer(json: Json) -> bool:
    return integer_of(json) is not None


def is_type(json: Json) -> bool:
    """A string or an object: how types are written."""
    return isinstance(json, str | dict)


Kind = Callable[[Json], bool]


class ObjectParser:
    """Reads one object. ``what`` names it in errors: ``Parsing WHAT failed: ...``.

    A member that is missing or of a wrong kind reads as None; :meth:`finish` raises for it.
    """

    def __init__(self, json: Json, what: str) -> None:
        self.json = json
        self.fault: OvsdbError | None = None
        self._what = what
        self._members: Mapping[str, Json] = json if isinstance(json, dict) else {}
        self._used: set[str] = set()
        if not isinstance(json, dict):
            # What is no object is not quoted.
            self.fault = OvsdbError("syntax error", self._sentence("Object expected."))

    def member(self, name: str, kind: Kind, *, optional: bool = False) -> Json:
        """The member of a name, or None."""
        try:
            value = self._members[name]
        except KeyError:
            if not optional:
                self.fail(f"Required '{name}' member is missing.")
            return None
        if not kind(value):
            self.fail(f"Type mismatch for member '{name}'.")
            return None
        self._used.add(name)
        return value

    def fail(self, why: str) -> None:
        """Note a fault, unless there is one already."""
        if self.fault is None:
            self.fault = syntax_error(self.json, self._sentence(why))

    def check(self) -> None:
        """Raise the fault there is by now."""
        if self.fault is not None:
            raise self.fault

    def finish(self) -> None:
        """Raise the fault there is, or that there are members nobody asked for."""
        self.check()
        if len(self._used) < len(self._members):
            names = in_hash_order(self._members)
            self.fail(_not_allowed([name for name in names if name not in self._used]))
            self.check()

    def _sentence(self, why: str) -> str:
        return f"Parsing {self._what} failed: {why}"


def _not_allowed(names: list[str]) -> str:
    others = len(names) - 1
    if not others:
        return f"Member '{names[0]}' is present but not allowed here."
    plural = "s" if others > 1 else ""
    return (
        f"Member '{names[0]}' and {others} other member{plural} are present but not allowed here."
    )
