"""Samples for collectors: sFlow, IPFIX, NetFlow and the ``sample`` action, as traces show them."""

from __future__ import annotations

from tests.ovs.recorded.script import BRIDGE, Script

_PORTS = ("p1", "p2", "p3")
_COLLECTOR = 'targets=\\"127.0.0.1:5555\\"'
_SAMPLE = (
    "sample(probability={p},collector_set_id={set},obs_domain_id=8,obs_point_id={point}{more})"
)
_FLOWS = (
    *("in_port=1,actions={s},output:2", "in_port=2,actions={s},normal", "arp,actions=drop"),
    *("in_port=1,ip,actions=mod_dl_src:02:00:00:00:00:09,{s},output:2,output:3", "udp,actions={s}"),
    *("in_port=3,actions=mod_vlan_vid:20,normal", "tcp,actions=resubmit(,1)"),
    *("table=1,actions=output:1,{s},output:2", "dl_vlan=10,actions=strip_vlan,output:3"),
    *("udp,in_port=2,actions=clone({s},output:1),output:3", "icmp,actions=output:to1,output:2"),
)


def draw(script: Script) -> None:
    script.bridge()
    for number, name in enumerate(_PORTS, 1):
        script.port(name, number, script.choose("", "", "tag=10"))
    script.bridge("br1", dpid=2)
    script.port("q1", 1, bridge="br1")
    script.vsctl(
        f"add-port {BRIDGE} to1 -- set interface to1 type=patch options:peer=to0 ofport_request=4 "
        "-- add-port br1 to0 -- set interface to0 type=patch options:peer=to1 ofport_request=2"
    )
    script.ofctl("add-flow br1 actions=normal")
    script.ofctl(f"add-flow {BRIDGE} priority=0,actions=normal")
    if script.happens(0.25):
        script.ofctl(f"-OOpenFlow13 add-meter {BRIDGE} meter=slowpath,pktps,bands=type=drop,rate=9")
    for priority, flow in enumerate(script.some(_FLOWS, 3), 1):
        script.ofctl(f"-OOpenFlow15 add-flow {BRIDGE} priority={priority},{_filled(script, flow)}")
    for change in script.some((_sflow, _ipfix, _collector_set, _netflow), 1):
        change(script)
        _look(script)


def _filled(script: Script, flow: str) -> str:
    sample = _SAMPLE.format(
        p=script.choose(1, 1000, 65535),
        set=script.choose(1, 2),
        point=script.number(0, 9),
        more=script.choose("", "", ",sampling_port=2", ",sampling_port=2,egress", ",ingress"),
    )
    return flow.format(s=sample)


def _sflow(script: Script) -> None:
    rate = script.choose("", "sampling=1", "sampling=2", "sampling=1000")
    script.vsctl(
        f"set bridge {BRIDGE} sflow=@s "
        f"-- --id=@s create sflow {_COLLECTOR} agent=127.0.0.1 header=128 {rate}"
    )


def _ipfix(script: Script) -> None:
    bridge = script.choose(BRIDGE, BRIDGE, "br1")
    settings = " ".join(
        script.some(
            (
                script.choose("sampling=1", "sampling=3", "sampling=65536"),
                "other_config:enable-input-sampling=true",
                "other_config:enable-output-sampling=true",
            )
        )
    )
    script.vsctl(f"set bridge {bridge} ipfix=@i -- --id=@i create ipfix {_COLLECTOR} {settings}")


def _collector_set(script: Script) -> None:
    bridge = script.choose(BRIDGE, BRIDGE, BRIDGE, "br1")
    script.vsctl(
        f"-- --id=@br get bridge {bridge} -- --id=@i create ipfix {_COLLECTOR} "
        f"-- --id=@c create flow_sample_collector_set id={script.choose(1, 2)} bridge=@br ipfix=@i"
    )


def _netflow(script: Script) -> None:
    script.vsctl(f"set bridge {BRIDGE} netflow=@n -- --id=@n create netflow {_COLLECTOR}")


def _look(script: Script) -> None:
    for _ in range(4):
        port = script.choose(*_PORTS)
        kind = script.choose(
            "udp", "tcp", "icmp", "arp", "udp6", "udp,dl_vlan=10", "dl_type=0x88b5"
        )
        flow = f"{kind},dl_src=02:00:00:00:00:0{port[1]},dl_dst=02:00:00:00:00:07"
        script.show(f"ovs-appctl ofproto/trace {BRIDGE} in_port={port},{flow}")
        script.receive(port, flow)
