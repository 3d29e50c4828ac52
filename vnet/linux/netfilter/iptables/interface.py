"""Names of devices in rules: ``eth0``, or ``eth+`` for all that begin so."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.linux.netfilter.xtables.errors import XtablesError

_MOST_CHARACTERS = 15


@dataclass(frozen=True, slots=True)
class Interface:
    """``name`` as it was given; an empty one is every device."""

    name: str = ""

    def fits(self, device: str | None) -> bool:
        """Whether a device is meant; None, a packet without one, has an empty name."""
        name = device or ""
        if self.name.endswith("+"):
            return name.startswith(self.name[:-1])
        return not self.name or name == self.name


ANY_INTERFACE = Interface()


def read_interface(text: str) -> Interface:
    """Raises :class:`XtablesError` for what no device can be called."""
    if len(text) > _MOST_CHARACTERS:
        raise XtablesError(
            f"interface name `{text}' must be shorter than IFNAMSIZ ({_MOST_CHARACTERS})"
        )
    return Interface(text)
