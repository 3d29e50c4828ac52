"""What a machine's calls say of arguments of the wrong type."""

from __future__ import annotations

from typing import Any

import pytest

from vnet.base.errors import UsageError
from vnet.lab.lab import Lab

_CALLS = ("ping", "arping", "udp", "tcp", "iperf3", "http_get", "traceroute", "tracepath")


@pytest.mark.parametrize("target", [5, None, b"10.0.0.2", ["vm2"]])
@pytest.mark.parametrize("call", _CALLS)
def test_a_target_is_a_text(two: Lab, call: str, target: Any) -> None:
    with pytest.raises(UsageError, match=r"a target of .* cannot be"):
        getattr(two.vm("vm1"), call)(target)


@pytest.mark.parametrize(
    ("call", "arguments", "words"),
    [
        ("ping", {"target": "vm2", "source": 5}, "a source of 5 cannot be"),
        ("ping", {"target": "vm2", "family": 5}, "a family of 5 cannot be"),
        ("ping", {"target": "vm2", "deadline": 5}, "5 is not a duration"),
        ("http_get", {"target": "vm2", "path": 5}, "a path of 5 cannot be"),
        ("tc", {"command": 5}, "a command of 5 cannot be"),
        ("iperf3", {"target": "vm2", "time": 5}, "5 is not a duration"),
    ],
)
def test_so_are_others(two: Lab, call: str, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        getattr(two.vm("vm1"), call)(**arguments)
