"""Meters: rates, bursts, bands; in flows, groups and clones, for controllers; changed, deleted."""

from __future__ import annotations

from tests.ovs.recorded.script import BRIDGE, Script

N_PORTS = 3
_IDS = ("1", "2", "7", "controller", "slowpath")
_FLOWS = (
    *("in_port=1,actions=meter:{m},output:2", "in_port=2,actions=meter:{m},goto_table:1"),
    *("in_port=1,udp,actions=meter:{m},group:1", "tcp,actions=meter:{m},normal"),
    *("in_port=2,udp,actions=clone(group:1),output:3", "in_port=3,actions=group:1"),
    *("in_port=3,udp,actions=meter:{m},resubmit(,1)", "table=1,actions=meter:{n},output:1"),
    *("in_port=1,tcp,actions=meter:{m},controller", "icmp,actions=meter:{m},ct(commit,table=1)"),
    *("in_port=2,tcp,actions=controller(max_len=64)", "in_port=1,udp,actions=controller,output:3"),
    *("arp,actions=controller(meter_id={m}),output:1", "in_port=3,tcp,actions=meter:{m},in_port"),
    *("icmp,actions=meter:{m},dec_ttl,output:2", "in_port=1,icmp,actions=meter:{m}"),
    *("in_port=2,actions=meter:{m},write_actions(group:1)", "in_port=3,ip,actions=output:2"),
    *("table=1,udp,actions=meter:{m},flood", "in_port=1,actions=output:2,meter:{m}"),
)


def draw(script: Script) -> None:
    script.bridge()
    for number in range(1, N_PORTS + 1):
        script.port(f"p{number}", number)
    for meter_id in ("1", "2", *script.some(_IDS[2:])):
        script.ofctl(f"-OOpenFlow13 add-meter {BRIDGE} {_meter(script, meter_id)}")
    buckets = script.choose(
        "type=all,bucket=actions=meter:1,output:1,bucket=actions=meter:2,output:2",
        "type=indirect,bucket=actions=meter:1,output:2",
        "type=all,bucket=actions=output:1,bucket=actions=meter:2,mod_nw_ttl:9,output:2",
    )
    script.ofctl(f"-OOpenFlow15 add-group {BRIDGE} group_id=1,{buckets}")
    for priority, flow in enumerate(script.some(_FLOWS, 4), 1):
        _add_flow(script, priority, flow)
    kinds = ["udp", "udp", "tcp", "icmp", "arp"]
    if script.happens(0.3):
        # No datapath can make such a packet, so that it comes up to the switch.
        script.ofctl(f"-OOpenFlow13 add-meter {BRIDGE} {_meter(script, 'slowpath')}")
        _add_flow(script, 99, "icmp,actions=set_field:8->icmp_type,output:1")
        kinds += ["icmp"] * 3
    for _ in range(script.number(4, 8)):
        _traffic(script, kinds)
        if script.happens(0.35):
            _change(script)
    _show(script)


def _add_flow(script: Script, priority: int, flow: str) -> None:
    actions = flow.format(m=script.choose("1", "2"), n=script.choose("1", "2", "7"))
    script.ofctl(f"-OOpenFlow15 add-flow {BRIDGE} priority={priority},{actions}")


def _meter(script: Script, meter_id: str) -> str:
    flags = [script.choose("pktps", "pktps", "kbps")]
    bursts = script.happens(0.4)
    flags += ["burst"] * bursts + ["stats"] * script.happens(0.6)
    bands = [_band(script, bursts) for _ in range(script.choose(1, 1, 1, 2, 3))]
    return f"meter={meter_id},{','.join(flags)},bands={','.join(bands)}"


def _band(script: Script, bursts: bool) -> str:
    words = [f"type=drop,rate={script.choose(1, 1, 2, 3, 5, 10, 100, 4294967295)}"]
    words += [f"burst_size={script.choose(1, 2, 4, 10, 4294967295)}"] * bursts
    return ",".join(words)


def _traffic(script: Script, kinds: list[str]) -> None:
    """A burst of equal frames, or different ones, and perhaps a pause."""
    port = script.number(1, N_PORTS)
    kind = script.choose(*kinds)
    target = port % N_PORTS + 1
    frame = f"{kind},dl_src=02:00:00:00:00:0{port},dl_dst=02:00:00:00:00:0{target}"
    if kind != "arp":
        ttl = script.choose(64, 64, 1)
        frame += f",nw_src=10.0.0.{port},nw_dst=10.0.0.{target},nw_ttl={ttl}"
    script.receive(f"p{port}", *[frame] * script.number(1, 6))
    if script.happens(0.6):
        script.warp(script.choose(1, 2, 10, 333, 500, 999, 1_000, 2_500, 10_000))


def _change(script: Script) -> None:
    """Something happens to a meter, or what it has seen is asked for."""
    meter_id = script.choose(*_IDS)
    match script.number(1, 7):
        case 1 | 2:
            script.ofctl(f"-OOpenFlow13 mod-meter {BRIDGE} {_meter(script, meter_id)}")
        case 3:
            script.ofctl(f"-OOpenFlow13 del-meter {BRIDGE} meter={meter_id}")
        case 4:
            script.ofctl(f"-OOpenFlow13 add-meter {BRIDGE} {_meter(script, meter_id)}")
        case 5:
            script.ofctl(
                f"-OOpenFlow13 add-meter {BRIDGE} "
                "meter=9,pktps,bands=type=dscp_remark,rate=1,prec_level=1"
            )
        case 6:
            script.ofctl(f"-OOpenFlow13 del-meters {BRIDGE}")
        case 7:
            script.show(f"ovs-ofctl -OOpenFlow13 meter-stats {BRIDGE}")


def _show(script: Script) -> None:
    script.show(f"ovs-ofctl -OOpenFlow13 meter-features {BRIDGE}")
    script.show(f"ovs-ofctl -OOpenFlow13 dump-meters {BRIDGE}")
    script.show(f"ovs-ofctl -OOpenFlow13 meter-stats {BRIDGE}")
    script.show(f"ovs-ofctl -OOpenFlow15 --no-names dump-flows {BRIDGE}")
    script.show(f"ovs-ofctl --no-names dump-ports {BRIDGE}")
