"""A learning switch: frames teach where their senders are, and make flows between stations.

vnet shell @controlled-switches -c 'controller sw1 @learning-switch' -c 'ping h1 h3'
"""

from vnet.controller import PacketIn, SwitchConnected, on

ports: dict[tuple[str, str], int] = {}
"""At which port of which switch a station is, by its MAC address."""


@on(SwitchConnected)
def begin(event: SwitchConnected) -> None:
    """Frames that no flow is for shall come here."""
    event.switch.flow_mod("priority=0, actions=CONTROLLER")


@on(PacketIn)
def learn(event: PacketIn) -> None:
    """Learn where the sender is, and send the frame on: to the receiver, or to everybody."""
    switch, frame = event.switch, event.packet
    ports[switch.name, frame.src] = event.in_port
    port = ports.get((switch.name, frame.dst))
    if port is None:
        event.send_on("FLOOD")
        return
    stations = f"dl_src={frame.src}, dl_dst={frame.dst}"
    switch.flow_mod(f"idle_timeout=60, in_port={event.in_port}, {stations}, actions={port}")
    event.send_on(f"output:{port}")
