"""What the log says of a bond whose links come and go, in Open vSwitch's words."""

from __future__ import annotations

import pytest

from tests.ovs.vswitchd.row_switch import RowSwitch, dummy, mutate, named_ports
from vnet.base.units import NS_PER_MS


def bonded(**columns: object) -> RowSwitch:
    """A bridge with a bond of ``p2`` and ``p3``."""
    switch = RowSwitch(in_order=True)
    switch.transact(
        *(
            {"op": "insert", "table": "Interface", "uuid-name": name, "row": row}
            for name, row in (
                ("p1", {"name": "br0", "type": "internal"}),
                ("p2", dummy("p2")),
                ("p3", dummy("p3")),
            )
        ),
        {
            "op": "insert",
            "table": "Port",
            "uuid-name": "port0",
            "row": {"name": "br0", "interfaces": ["named-uuid", "p1"]},
        },
        {
            "op": "insert",
            "table": "Port",
            "uuid-name": "port1",
            "row": {
                "name": "bond0",
                "interfaces": ["set", [["named-uuid", "p2"], ["named-uuid", "p3"]]],
                "bond_mode": "active-backup",
                **columns,
            },
        },
        {
            "op": "insert",
            "table": "Bridge",
            "uuid-name": "bridge",
            "row": {"name": "br0", "datapath_type": "dummy", "ports": named_ports(2)},
        },
        mutate("Open_vSwitch", "bridges", "insert", ["named-uuid", "bridge"]),
    )
    pass_ms(switch, 100)
    return switch


def pass_ms(switch: RowSwitch, ms: int) -> None:
    switch.scheduler.run(switch.scheduler.now_ns + ms * NS_PER_MS)


def said(switch: RowSwitch) -> list[str]:
    """What it has said of bonds since this was last asked."""
    lines = [line.removeprefix("bond|INFO|") for line in switch.log.lines if "bond|" in line]
    switch.log.lines.clear()
    return lines


@pytest.fixture
def switch() -> RowSwitch:
    switch = bonded()
    first, second = switch.vswitchd.bridges["br0"].switching.bundles["bond0"].ports
    assert said(switch) == [
        f"member {first.name}: enabled",
        f"member {second.name}: enabled",
        f"bond bond0: active member is now {first.name}",
    ]
    return switch


def test_links_that_fail_and_return(switch: RowSwitch) -> None:
    for name in ("p2", "p3"):
        switch.devices[name].set_carrier(False)
        pass_ms(switch, 100)
    assert said(switch) == [
        "member p2: link state down",
        "member p2: disabled",
        "bond bond0: active member is now p3",
        "member p3: link state down",
        "member p3: disabled",
        "bond bond0: all members disabled",
    ]
    switch.devices["p3"].set_carrier(True)
    pass_ms(switch, 100)
    assert said(switch) == [
        "member p3: link state up",
        "member p3: enabled",
        "bond bond0: active member is now p3",
    ]


def test_delays_and_what_becomes_of_them() -> None:
    switch = bonded(bond_updelay=1000, bond_downdelay=1000)
    said(switch)
    switch.devices["p2"].set_carrier(False)
    pass_ms(switch, 100)
    switch.devices["p2"].set_carrier(True)
    pass_ms(switch, 100)
    assert said(switch) == [
        "member p2: link state down",
        "member p2: will be disabled if it stays down for 1000 ms",
        "member p2: link state up",
        "member p2: will not be disabled",
    ]
    for name in ("p2", "p3"):
        switch.devices[name].set_carrier(False)
    pass_ms(switch, 2000)
    said(switch)
    switch.devices["p2"].set_carrier(True)
    pass_ms(switch, 100)
    assert said(switch) == [
        "member p2: link state up",
        "member p2: will be enabled if it stays up for 1000 ms",
        "bond bond0: active member is now p2, skipping remaining 1000 ms updelay (since no member "
        "was enabled)",
        "member p2: enabled",
    ]
