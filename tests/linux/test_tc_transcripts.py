"""``tc`` says what the real one says: sessions recorded on Linux 6.18 with iproute2 6.1.

The recorded devices are a veth pair with two queues each, which shows as a reference count more.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from vnet.base.chance import Chance
from vnet.base.ids import mac_from_text
from vnet.linux.netns.namespace import Namespace
from vnet.linux.tc.command import Tc
from vnet.linux.tc.errors import TcError
from vnet.netdev.pair import PairDevice, pair_up
from vnet.sim.scheduler import Scheduler

RECORDED = Path(__file__).parent.parent / "data" / "tc"
AUTOMATIC = re.compile(r"\b80[0-9a-f]{2}(?=:)")


def exchanges(session: str) -> Iterator[tuple[str, str]]:
    """Each command of a session, and what was printed."""
    for part in ("\n" + session).split("\n$ tc")[1:]:
        command, _, printed = part.partition("\n")
        yield command.strip(), printed.rstrip("\n")


@pytest.fixture
def tc() -> Tc:
    namespace = Namespace(Scheduler(), "h1", Chance(1))
    ends = [
        PairDevice(namespace.scheduler, name, mac_from_text(f"02:00:00:00:00:0{number}"))
        for number, name in enumerate(("d1", "d0"))
    ]
    pair_up(*ends)
    for end in ends:
        namespace.add_device(end)
        namespace.set_up(end.name)
    return Tc(namespace.traffic_control, {end.name: end for end in ends})


def said(tc: Tc, command: str) -> str:
    try:
        return tc.run(shlex.split(command))
    except TcError as refusal:
        return str(refusal)


def plain(text: str, seen: dict[str, str]) -> str:
    """Automatic handles numbered as they come, and trailing spaces gone only at the very end."""
    text = AUTOMATIC.sub(lambda found: seen.setdefault(found[0], f"auto{len(seen)}"), text)
    return text.replace("refcnt 3", "refcnt 2").rstrip("\n")


@pytest.mark.parametrize(
    "session", ["qdiscs", "tbf", "filters", "handles", "invisible", "classes", "htb"]
)
def test_a_session_with_the_kernel_goes_as_recorded(tc: Tc, session: str) -> None:
    theirs: dict[str, str] = {}
    ours: dict[str, str] = {}
    different = []
    for command, printed in exchanges((RECORDED / f"{session}.txt").read_text()):
        wanted, found = plain(printed, theirs), plain(said(tc, command), ours)
        if wanted != found:
            different.append(f"$ tc {command}\n--- real\n{wanted}\n--- ours\n{found}\n")
    assert not different, "\n".join(different)
