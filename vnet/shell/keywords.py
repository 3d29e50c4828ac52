"""Words that come in pairs, as ip(8) and its kin take them: ``dev eth0 vlan 10 master``."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from vnet.base.errors import UsageError
from vnet.base.ids import Mac, mac_from_text
from vnet.base.text import one_of, quote


class Keywords:
    """What was given behind a command of ``tool``.

    ``valued`` keywords are followed by a value, ``flags`` stand alone. With ``bare`` one word may
    stand without a keyword; it is :attr:`bare` then. Raises :class:`UsageError`.
    """

    def __init__(
        self,
        tool: str,
        words: Sequence[str],
        *,
        valued: Collection[str] = (),
        flags: Collection[str] = (),
        bare: bool = False,
    ) -> None:
        self._tool = tool
        self.values: dict[str, str] = {}
        self.flags: list[str] = []
        self.bare: str | None = None
        waiting = list(reversed(words))
        while waiting:
            word = waiting.pop()
            if word in valued:
                if not waiting:
                    raise UsageError(f"{tool}: {word} wants a value")
                self.values[word] = waiting.pop()
            elif word in flags:
                self.flags.append(word)
            elif bare and self.bare is None:
                self.bare = word
            else:
                known = one_of([*valued, *flags])
                raise UsageError(f"{tool}: {quote(word)} is out of place", f"it takes {known}")

    def get(self, keyword: str) -> str | None:
        """The value of a keyword, or None."""
        return self.values.get(keyword)

    def need(self, keyword: str, message: str) -> str:
        """The value of a keyword that must be there; ``message`` is what the tool says if not."""
        if keyword not in self.values:
            raise UsageError(message, f"usage: {self._tool} ... {keyword} {keyword.upper()}")
        return self.values[keyword]

    def number(self, keyword: str, default: int = 0) -> int:
        """The whole number behind a keyword, in decimal or with 0x in front."""
        text = self.values.get(keyword)
        return default if text is None else whole(f"{self._tool}: {keyword}", text)

    def chosen(self, *flags: str) -> str | None:
        """Which of ``flags`` was given last, or None."""
        return next((flag for flag in reversed(self.flags) if flag in flags), None)


def whole(what: str, text: str) -> int:
    """A whole number that is not negative."""
    digits = text.removeprefix("0x")
    base = 16 if digits is not text and text.startswith("0x") else 10
    try:
        number = int(digits, base) if digits.isascii() and digits.isalnum() else -1
    except ValueError:
        number = -1
    if not 0 <= number < 1 << 32:
        raise UsageError(f"{what} takes a whole number, not {quote(text)}")
    return number


def on_or_off(keyword: str, text: str) -> bool:
    """``on`` or ``off``, in the words of iproute2 where it is neither."""
    if text not in ("on", "off"):
        raise UsageError(
            f'Error: argument of "{keyword}" must be one of "off", "on", not {text!r}'.replace(
                "'", '"'
            )
        )
    return text == "on"


def hardware_address(text: str) -> Mac:
    """A MAC address."""
    try:
        return mac_from_text(text)
    except ValueError:
        raise UsageError(f"Invalid mac address {text}", "six bytes: 02:00:00:00:00:01") from None
