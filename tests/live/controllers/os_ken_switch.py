"""A learning switch of os-ken's (OpenFlow 1.3), for its own Python: it listens at a PORT."""

from __future__ import annotations

import sys
from typing import Any

from os_ken import cfg
from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib import hub
from os_ken.lib.packet import ethernet, packet
from os_ken.ofproto import ofproto_v1_3


class LearningSwitch(app_manager.OSKenApp):  # type: ignore[misc]
    """Sends what nobody is known for to all, and makes flows between those who have spoken."""

    OFP_VERSIONS = (ofproto_v1_3.OFP_VERSION,)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ports: dict[int, dict[str, int]] = {}

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)  # type: ignore[untyped-decorator]
    def begun(self, event: Any) -> None:
        """Whatever no flow is for comes here."""
        switch = event.msg.datapath
        ofproto, parser = switch.ofproto, switch.ofproto_parser
        self.ports[switch.id] = {}
        whole = parser.OFPActionOutput(ofproto.OFPP_CONTROLLER, ofproto.OFPCML_NO_BUFFER)
        self.add_flow(switch, 0, parser.OFPMatch(), [whole])

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)  # type: ignore[untyped-decorator]
    def packet_in(self, event: Any) -> None:
        """Learn where the sender is, and send the frame on."""
        message = event.msg
        switch = message.datapath
        ofproto, parser = switch.ofproto, switch.ofproto_parser
        in_port = message.match["in_port"]
        header = packet.Packet(message.data).get_protocol(ethernet.ethernet)
        ports = self.ports[switch.id]
        ports[header.src] = in_port
        out_port = ports.get(header.dst, ofproto.OFPP_FLOOD)
        actions = [parser.OFPActionOutput(out_port)]
        if out_port != ofproto.OFPP_FLOOD:
            match = parser.OFPMatch(in_port=in_port, eth_src=header.src, eth_dst=header.dst)
            self.add_flow(switch, 1, match, actions)
        switch.send_msg(
            parser.OFPPacketOut(
                datapath=switch,
                buffer_id=ofproto.OFP_NO_BUFFER,
                in_port=in_port,
                actions=actions,
                data=message.data,
            )
        )

    def add_flow(self, switch: Any, priority: int, match: Any, actions: list[Any]) -> None:
        """One flow of table 0."""
        ofproto, parser = switch.ofproto, switch.ofproto_parser
        apply = parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, actions)
        switch.send_msg(
            parser.OFPFlowMod(datapath=switch, priority=priority, match=match, instructions=[apply])
        )


if __name__ == "__main__":
    cfg.CONF(
        args=["--ofp-listen-host=127.0.0.1", f"--ofp-tcp-listen-port={sys.argv[1]}"],
        project="os_ken",
        default_config_files=[],
    )
    manager = app_manager.AppManager.get_instance()
    manager.load_apps([__name__, "os_ken.controller.ofp_handler"])
    hub.joinall(manager.instantiate_apps(**manager.create_contexts()))
