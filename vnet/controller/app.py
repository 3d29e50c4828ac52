"""An app: a file of Python with functions that want to be told of events."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any, TypeVar

from vnet.base.errors import Terminated, UsageError, VnetError
from vnet.controller.events import EVENTS

Handler = Callable[[Any], object]
_Function = TypeVar("_Function", bound=Handler)

_WANTED = "__vnet_events__"


def on(*events: type) -> Callable[[_Function], _Function]:
    """Have the function below be called with each event of these kinds."""
    for event in events:
        if event not in EVENTS:
            known = ", ".join(each.__name__ for each in EVENTS)
            what = getattr(event, "__name__", repr(event))
            raise TypeError(f"@on({what}) names no event; there are {known}")

    def declare(function: _Function) -> _Function:
        setattr(function, _WANTED, events)
        return function

    return declare


class AppError(VnetError):
    """What is wrong with an app, or went wrong in it: its file, the line in that, and what."""


class App:
    """An app that runs. Whoever makes two of one file has two that share nothing.

    ``definitions`` are what its file defines, functions and all else.
    Raises :class:`AppError` where the file cannot be run, and UsageError where there is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise UsageError(f"there is no app {path}", "an app is a file of Python")
        self._handlers: dict[type, list[Handler]] = {event: [] for event in EVENTS}
        self.definitions = self._run()
        for value in self.definitions:
            if inspect.isfunction(value):
                for event in getattr(value, _WANTED, ()):
                    self._handlers[event].append(value)
        if not any(self._handlers.values()):
            hint = "a function under @on(PacketIn) hears of packets"
            raise AppError(f"{self.name}: nothing in it wants to be told of anything", hint)

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.path.name

    def tell(self, event: object) -> None:
        """Call whoever wants to hear of an event. Raises :class:`AppError`."""
        for handler in self._handlers[type(event)]:
            self.call(handler, event)

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call one of the app's functions. Raises :class:`AppError` for whatever that raises."""
        try:
            function(*arguments)
        except Terminated:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's code may raise anything
            raise AppError(self._told(error)) from None

    def _run(self) -> list[Any]:
        """Run the file; what it defines."""
        loader = _Loader(f"vnet_app_{self.path.stem}", str(self.path))
        spec = spec_from_file_location(loader.name, loader=loader)
        assert spec is not None, "a loader is given"
        module = module_from_spec(spec)
        # Data classes look their module up by its name.
        sys.modules[loader.name] = module
        self.call(loader.exec_module, module)
        return list(vars(module).values())

    def _told(self, error: BaseException) -> str:
        """What went wrong, at the innermost line of the app itself."""
        if isinstance(error, SyntaxError) and error.filename == str(self.path):
            return f"{self.name}:{error.lineno}: {error.msg}"
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename == str(self.path)]
        place = f"{self.name}:{own[-1].lineno}" if own else self.name
        if isinstance(error, VnetError):
            return f"{place}: {error}"
        return f"{place}: {' '.join(traceback.format_exception_only(error)).strip()}"


class _Loader(SourceFileLoader):
    """Leaves no compiled file beside the app."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the base's
        return self.source_to_code(self.get_data(self.path), self.path)
