"""What is written to a setting and read from it, as the files below /proc/sys have it."""

from __future__ import annotations

from vnet.base.errors import UsageError
from vnet.base.text import one_of, quote
from vnet.linux.netns.sysctl.knob import Knob, Value

_MOST_DIGITS = 20


def parse_value(knob: Knob, key: str, given: int | str) -> Value:
    """What a setting is set to. Raises :class:`UsageError` for what the kernel refuses."""
    if isinstance(knob.default, str):
        text = str(given).strip()
        if knob.choices and text not in knob.choices:
            known = f"there is {one_of(knob.choices)}"
            raise UsageError(f'setting key "{key}": No such file or directory', known)
        return text
    numbers = [_number(word) for word in str(given).split()]
    wanted = len(knob.default) if isinstance(knob.default, tuple) else 1
    whole = tuple(number for number in numbers if number is not None)
    if len(whole) != wanted or len(numbers) != wanted:
        what = "a whole number" if wanted == 1 else f"{wanted} whole numbers"
        raise UsageError(f"{key} takes {what}, not {quote(str(given))}")
    if not all(knob.least <= number <= knob.most for number in whole):
        what = f"{knob.least} to {knob.most}"
        raise UsageError(f"{key} takes {what}, not {quote(str(given))}")
    if knob.is_range and whole[0] > whole[1]:
        raise UsageError(f"{key} takes the smaller number first, not {quote(str(given))}")
    return whole if isinstance(knob.default, tuple) else whole[0]


def _number(word: str) -> int | None:
    """As strtol(3) reads it: 0x10 and 010 are 16 and 8."""
    digits = word.removeprefix("-")
    if not (digits.isascii() and digits.isalnum() and len(digits) <= _MOST_DIGITS):
        return None
    base = 10
    if digits[:1] == "0":
        base = 16 if digits[1:2] in ("x", "X") else 8
    try:
        return int(word, base)
    except ValueError:
        return None


def text_of(value: Value) -> str:
    """A setting as it is shown: several numbers with tabs between."""
    return "\t".join(map(str, value)) if isinstance(value, tuple) else str(value)
