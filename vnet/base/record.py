"""``dataclass(frozen=True, slots=True)`` for files with many of them.

The standard library's writes six functions for each class and compiles them, used or not: a
millisecond a class, which is most of what it takes to import a hundred. Here the constructor is
compiled when the first object is made, and the other methods are shared closures. Everything else
is as there (``replace``, ``fields`` and ``match`` work), and mypy takes it for the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["record"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:
    from dataclasses import _FIELD as ORDINARY_FIELD
    from dataclasses import MISSING, Field, FrozenInstanceError, field
    from operator import attrgetter

    def record(*, frozen: bool, slots: bool):
        """A frozen class with slots: there is no other here, and the words say so where it is used.

        Fields may be as :func:`dataclasses.field` makes them.
        """
        if not (frozen and slots):
            raise TypeError("a record is frozen and has slots")
        return _make

    def _make(cls):
        fields = _fields_of(cls)
        inherited = {name for base in cls.__mro__[1:] for name in getattr(base, "__slots__", ())}
        namespace = {
            name: value
            for name, value in vars(cls).items()
            if name not in fields and name not in ("__dict__", "__weakref__")
        }
        names = tuple(fields)
        namespace["__slots__"] = tuple(name for name in names if name not in inherited)
        namespace["__match_args__"] = tuple(name for name in names if not fields[name].kw_only)
        namespace["__dataclass_fields__"] = fields
        for name, method in _methods(fields).items():
            namespace.setdefault(name, method)
        made = type(cls)(cls.__name__, cls.__bases__, namespace)
        made.__qualname__ = cls.__qualname__
        if "__init__" not in namespace:
            made.__init__ = _constructor(made, fields)
        return made

    def _fields_of(cls):
        """By name: those of the classes it is derived from first."""
        found = {}
        for base in cls.__mro__[-1:0:-1]:
            found |= getattr(base, "__dataclass_fields__", {})
        for name, kind in vars(cls).get("__annotations__", {}).items():
            if str(kind).removeprefix("typing.").startswith("ClassVar"):
                continue
            default = vars(cls).get(name, MISSING)
            one = default if isinstance(default, Field) else field(default=default)
            one.name, one.type = name, kind
            if one.kw_only is MISSING:
                one.kw_only = False
            one._field_type = ORDINARY_FIELD
            found[name] = one
        return found

    def _methods(fields):
        compared = _reader([name for name, one in fields.items() if one.compare])
        shown = [name for name, one in fields.items() if one.repr]
        every = tuple(fields)

        def equals(self, other):
            if other.__class__ is not self.__class__:
                return NotImplemented
            return compared(self) == compared(other)

        def show(self):
            values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
            return f"{self.__class__.__qualname__}({values})"

        def set_state(self, state):
            for name, value in zip(every, state, strict=True):
                object.__setattr__(self, name, value)

        return {
            "__eq__": equals,
            "__hash__": lambda self: hash(compared(self)),
            "__repr__": show,
            "__getstate__": lambda self: [getattr(self, name) for name in every],
            "__setstate__": set_state,
            "__setattr__": _refuse_assignment,
            "__delattr__": _refuse_deletion,
        }

    def _reader(names):
        """What reads the values that make two objects equal."""
        return attrgetter(*names) if names else lambda _object: ()

    def _refuse_assignment(_self, name, _value):
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def _refuse_deletion(_self, name):
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def _constructor(cls, fields):
        """A constructor that gives way to a compiled one when it is first called."""

        def construct_first(self, *values, **named):
            cls.__init__ = _compile_constructor(cls, fields)
            cls.__init__(self, *values, **named)

        return construct_first

    def _compile_constructor(cls, fields):
        known = {"MISSING": MISSING}
        by_place, by_name, lines = ["self"], [], []
        for name, one in fields.items():
            if not one.init:
                continue  # ``__post_init__`` sets it.
            known[f"set_{name}"] = getattr(cls, name).__set__
            parameters = by_name if one.kw_only else by_place
            value = name
            if one.default is not MISSING:
                known[f"default_{name}"] = one.default
                parameters.append(f"{name}=default_{name}")
            elif one.default_factory is not MISSING:
                known[f"make_{name}"] = one.default_factory
                parameters.append(f"{name}=MISSING")
                value = f"make_{name}() if {name} is MISSING else {name}"
            else:
                parameters.append(name)
            lines.append(f" set_{name}(self, {value})")
        if hasattr(cls, "__post_init__"):
            lines.append(" self.__post_init__()")
        body = "\n".join(lines) or " pass"
        parameters = [*by_place, "*", *by_name] if by_name else by_place
        exec(f"def __init__({', '.join(parameters)}):\n{body}", known)  # noqa: S102
        made = known["__init__"]
        made.__qualname__ = f"{cls.__qualname__}.__init__"
        return made
