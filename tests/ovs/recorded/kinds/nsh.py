"""Network service headers: put on, taken off, matched and rewritten (RFC 8300)."""

from __future__ import annotations

from tests.ovs.recorded.script import BRIDGE, Script

_PORTS = ("p1", "p2", "p3")
_ENCAPS = (
    *("encap(nsh)", "encap(nsh(md_type=1))", "encap(nsh(md_type=2))"),
    "encap(nsh(md_type=2,tlv(0x1000,10,0x12345678),tlv(0x2000,20,0xfedcba9876543210)))",
)
_SETS = (
    *("set_field:0x1234->nsh_spi", "set_field:0x11->nsh_si", "set_field:0x11223344->nsh_c1"),
    *("set_field:0x55667788->nsh_c2", "set_field:1->nsh_c3", "set_field:2->nsh_c4"),
    *("set_field:2->nsh_flags", "set_field:3->nsh_ttl", "dec_nsh_ttl", "dec_nsh_ttl"),
    *("move:NXOXM_NSH_C1[]->NXOXM_NSH_C2[]", "load:0x99->NXOXM_NSH_SI[]"),
)
_ETHERNET = "encap(ethernet),set_field:11:22:33:44:55:66->eth_dst"
_INSIDE = (
    *("decap(),decap(),output:3", "decap(),output:3", "dec_nsh_ttl,output:2", "output:2"),
    *("decap(),decap(),resubmit(,2)", "set_field:0x77->nsh_c1,output:3", "decap(),dec_nsh_ttl"),
    *("decap(),decap(),decap(),output:2", f"decap(),{_ETHERNET},output:2", "normal", "in_port"),
)
_MATCHES = (
    *("nsh_mdtype=1", "nsh_mdtype=2", "nsh_np=3", "nsh_np=1", "nsh_spi=0x1234", "nsh_si=255"),
    *("nsh_si=0x11", "nsh_c1=0x11223344", "nsh_ttl=63", "nsh_flags=0", "nsh_c1=0/0xff"),
)


def draw(script: Script) -> None:
    script.bridge()
    for number, name in enumerate(_PORTS, 1):
        script.port(name, number)
    flows = [
        f"table=0,priority={priority},in_port=1,{kind}actions={_put_on(script)}"
        for priority, kind in enumerate(script.some(("", "ip,", "udp,", "arp,", "ipv6,"), 1), 1)
    ]
    flows += [
        f"table=0,priority={priority},in_port=2,dl_type=0x894f{_match(script)},"
        f"actions={script.choose(*_INSIDE)}"
        for priority in range(1, script.number(3, 6))
    ]
    flows += ["table=1,actions=output:2", "table=2,ip,actions=output:1", "table=2,actions=output:3"]
    flows += ["table=0,priority=0,actions=normal"]
    for flow in flows:
        script.ofctl(f"-OOpenFlow13 add-flow {BRIDGE} {flow}")
    for _ in range(script.number(5, 9)):
        if script.happens(0.5):
            kind = script.choose("udp", "tcp", "arp", "udp6", "icmp", "udp,dl_vlan=5")
            flow = f"{kind},dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02"
            script.receive("p1", flow)
            script.show(f"ovs-appctl ofproto/trace {BRIDGE} in_port=p1,{flow}")
        else:
            script.receive("p2", _frame(script))
    script.show(f"ovs-ofctl -OOpenFlow13 dump-flows {BRIDGE}")


def _put_on(script: Script) -> str:
    actions = [script.choose(*_ENCAPS), *script.some(_SETS)[:3]]
    if script.happens(0.2):
        actions += [script.choose(*_ENCAPS), *script.some(_SETS)[:1]]
    if script.happens(0.9):
        actions.append(_ETHERNET)
    return ",".join([*actions, script.choose("output:2", "output:3", "resubmit(,1)", "in_port")])


def _match(script: Script) -> str:
    return (
        "".join(f",{match}" for match in script.some(_MATCHES)[:2]) if script.happens(0.7) else ""
    )


def _frame(script: Script) -> bytes:
    """An Ethernet frame with a service header, and perhaps something that it does not announce."""
    context = bytes(script.number(0, 255) for _ in range(16))
    kind = script.choose("fixed", "fixed", "variable", "short")
    following = script.choose(1, 3, 3, 3, 4, 9)
    path = bytes.fromhex("00123411") if script.happens(0.5) else bytes.fromhex("000007ff")
    if kind == "variable":
        words = script.number(0, 3)
        body = bytes.fromhex("01020304" * words)
        header = bytes([0x0F, 0xC0 | (2 + words), 2, following]) + path + body
    else:
        header = bytes.fromhex("0fc601") + bytes([following]) + path + context
    inside = bytes.fromhex("0200000000020200000000010800" if following == 3 else "")
    inside += bytes.fromhex("4500001c00000000401166cd0a0000010a000002003500350008eb6d")
    frame = bytes.fromhex("020000000002020000000001894f") + header + inside
    return frame[: script.number(16, 40)] if kind == "short" else frame
