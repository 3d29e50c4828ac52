"""``sysctl``: the knobs of a namespace."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.linux.netns.sysctl.sysctls import Sysctls


def sysctls_text(sysctls: Sysctls, keys: Iterable[str] | None = None) -> str:
    """``key = value`` for ``keys``, or for every knob by name."""
    shown = sysctls.items() if keys is None else [(key, sysctls.text(key)) for key in keys]
    return "\n".join(f"{key} = {value}" for key, value in shown)
