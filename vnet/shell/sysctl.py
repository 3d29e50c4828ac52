"""``sysctl`` as procps 4.0 has it: what it does with each word, and what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from vnet.base.errors import UsageError
from vnet.linux.netns.sysctl.names import parse_setting
from vnet.linux.netns.sysctl.sysctls import Sysctls

_ROOT = "/proc/sys/"


def run_sysctl(sysctls: Sysctls, words: Sequence[str], options: Mapping[str, object]) -> str:
    """The lines that are printed, complaints among them, in the order in which they come.

    Raises :class:`UsageError` where there are only complaints.
    """
    printer = _Printer(sysctls, options)
    if "all" in options:
        printer.show(key for key, _value in sysctls.items())
    elif not words:
        raise UsageError("sysctl: which key?", "sysctl -a lists them")
    else:
        for number, word in enumerate(words):
            printer.take(number, word)
    if printer.complaints and not printer.has_shown:
        raise UsageError("\n".join(printer.lines), printer.hint)
    return printer.separator.join(printer.lines)


class _Printer:
    def __init__(self, sysctls: Sysctls, options: Mapping[str, object]) -> None:
        self._sysctls = sysctls
        self._options = options
        pattern = options.get("pattern")
        try:
            self._pattern = None if pattern is None else re.compile(str(pattern))
        except re.error:
            raise UsageError(f"sysctl: {pattern!r} is no regular expression") from None
        self.lines: list[str] = []
        self.complaints = 0
        self.hint = ""
        self.has_shown = False
        self.separator = "" if "binary" in options else "\n"

    def take(self, number: int, word: str) -> None:
        """One word: a key, a directory, or a key with its value."""
        key, equals, value = word.partition("=")
        if not equals and "write" in self._options:
            return self._complain(f"command line({number}): invalid syntax, continuing...")
        if not equals:
            return self._read(key)
        return self._write(key, value)

    def _read(self, key: str) -> None:
        found = self._find(key)
        if found is not None:
            return self.show([found])
        below = _dotted(key).rstrip(".") + "."
        inside = [each for each, _value in self._sysctls.items() if each.startswith(below)]
        if inside:
            return self.show(inside)
        return self._unknown(key)

    def _write(self, key: str, value: str) -> None:
        found = self._find(key)
        if found is None:
            return self._unknown(key)
        try:
            self._sysctls[found] = value
        except UsageError as refused:
            if refused.what.startswith("setting key"):
                return self._complain(refused.what)
            self.hint = refused.what
            return self._complain(f'setting key "{_dotted(key)}": Invalid argument')
        self.has_shown = True
        if "quiet" not in self._options:
            self.lines.append(self._line(found, value))
        return None

    def _find(self, key: str) -> str | None:
        if parse_setting(key) is None:
            return None
        try:
            return self._sysctls.find(key).text
        except UsageError:
            return None

    def _unknown(self, key: str) -> None:
        if "ignore" in self._options:
            self.has_shown = True
            return
        try:
            self._sysctls.find(key)
        except UsageError as unknown:
            self.hint = unknown.hint
        path = _ROOT + "/".join(_parts(key))
        self._complain(f"cannot stat {path}: No such file or directory")

    def _complain(self, what: str) -> None:
        self.complaints += 1
        self.lines.append(f"sysctl: {what}")

    def show(self, keys: Sequence[str] | Iterator[str]) -> None:
        """Keys with their values, as far as they match."""
        self.has_shown = True
        for key in keys:
            if self._pattern is None or self._pattern.search(key):
                self.lines.append(self._line(key, self._sysctls.text(key)))

    def _line(self, key: str, value: str) -> str:
        if "names" in self._options:
            return key
        if "values" in self._options or "binary" in self._options:
            return value
        return f"{key} = {value}"


def _parts(key: str) -> list[str]:
    """The directories of a key: whichever of ``.`` and ``/`` comes first parts them, and the other
    is part of a name."""
    slash, dot = key.find("/"), key.find(".")
    if slash >= 0 and (dot < 0 or slash < dot):
        return key.split("/")
    return [part.replace("/", ".") for part in key.split(".")]


def _dotted(key: str) -> str:
    return ".".join(part.replace(".", "/") for part in _parts(key))
