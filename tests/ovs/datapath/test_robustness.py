"""Any bytes under any actions: nothing raises, and every frame ends somewhere."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ovs.datapath.kit import SAME_TYPE, Table, output
from tests.ovs.dpif.strategies import ACTIONS
from tests.ovs.flow.frames import FRAMES, mutated
from vnet.ovs.datapath.edit.parts import EDITORS
from vnet.ovs.dpif.actions import (
    Ct,
    KeyPart,
    Meter,
    OdpAction,
    OdpActions,
    PopEth,
    PopMpls,
    PopNsh,
    PopVlan,
    PushEth,
    PushMpls,
    PushNsh,
    PushVlan,
    Recirc,
    Set,
    Userspace,
)
from vnet.ovs.dpif.cookies import SlowPath, SlowPathCookie
from vnet.ovs.dpif.dpif import Upcall
from vnet.ovs.dpif.meters import MeterBandConfig, MeterConfig
from vnet.ovs.flow.flow import ALL_ONES
from vnet.ovs.flow.ports import OdpPort
from vnet.sim.frame import Frame, Meta
from vnet.sim.trace import Trace, TraceNode

_DATA = st.one_of(
    st.integers(0, 1 << 32).map(lambda seed: mutated(Random(seed))),
    st.sampled_from(FRAMES),
    st.binary(max_size=120),
)


def _table() -> Table:
    def decide(upcall: Upcall) -> None:
        table.dpif.execute(upcall.frame, upcall.key, output(2))

    table = Table(decide=decide)
    table.dpif.meter_set(1, MeterConfig(False, (MeterBandConfig(1),)))
    return table


@given(_DATA, ACTIONS)
def test_any_frame_under_any_actions(data: bytes, actions: OdpActions) -> None:
    table = _table()
    if len(data) >= 14:
        table.put(data, actions, SAME_TYPE)
    frame = Frame(data, Meta(Trace(TraceNode(0, "test", "sent", data))))
    for _ in range(2):
        table.ports[1].receive(frame)
        table.ports[1].deliver(data)
    table.dpif.execute(Frame(data), 1, actions)
    table.scheduler.run(0)


_SIMPLE: list[OdpAction] = [
    *(PopVlan(), PopEth(), PopNsh(), PushVlan(0x8100, 5), PushVlan(0x88A8, 6), PushEth(1, 2)),
    *(PushMpls(0x100, 0x8847), PushMpls(0x010, 0x8848), PopMpls(0x0800), PopMpls(0x6558)),
    *(PopMpls(0x8847), PushNsh(1, 9, 1, 3, 5, bytes(16)), PushNsh(0, 9, 2, 4, 5, bytes(4))),
    *(Recirc(1), Ct(), Ct(commit=True), Meter(1)),
    Userspace(SlowPathCookie(SlowPath.ACTION)),
]


def _random_action(random: Random) -> OdpAction:
    if random.random() < 0.5:
        return random.choice(_SIMPLE)
    part = random.choice((*EDITORS, KeyPart.MARK))
    mask = random.getrandbits(1600) if random.random() < 0.7 else ALL_ONES
    is_masked = random.random() < 0.7
    return Set(part, random.getrandbits(1600) & mask, mask, is_masked)


@pytest.mark.parametrize("seed", range(10))
def test_no_frame_vanishes_without_a_reason(seed: int) -> None:
    """Of a frame there is at least one output, one upcall, or one drop."""
    random = Random(seed)
    table = _table()
    for number in range(150):
        data = mutated(random)
        actions = tuple(_random_action(random) for _ in range(random.randrange(5)))
        if random.random() < 0.7:
            actions += output(random.randrange(1, 7))
        in_port = 10 + number
        table.add_port(in_port)
        if len(data) >= 14:
            table.put(data, actions, SAME_TYPE, in_port)
        for _ in range(2):
            before = sum(table.drops().values()) + len(table.upcalls)
            table.send(data, in_port=in_port)
            held = table.datapath.tracker.fragments.held
            after = sum(table.drops().values()) + len(table.upcalls)
            assert after > before or table.sent() or held, (data.hex(), actions)
        table.dpif.port_del(OdpPort(in_port))
