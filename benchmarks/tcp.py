"""A bulk transfer over TCP between two machines on one link, segment by segment.

A gigabit for one virtual second is 83,000 segments of data and 41,000 acknowledgements: each is
built, checksummed, routed, sent over the link, parsed, checked and answered.
"""

from __future__ import annotations

from time import process_time

from benchmarks.harness import Cost, Speed, Work
from benchmarks.yardstick import hot_path
from vnet.base.chance import Chance
from vnet.base.ids import ip_from_text, mac_from_text, prefix_from_text
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.tcp import TcpListener, TcpSocket
from vnet.netdev.nic import Nic
from vnet.sim.link import Link
from vnet.sim.scheduler import Scheduler

GIGABIT = 1_000_000_000
LATENCY_NS = 50_000
ROUND_NS = 100_000_000
_BLOCK = bytes(65_536)


def two_machines() -> tuple[Scheduler, list[Namespace]]:
    scheduler, chance = Scheduler(), Chance(1)
    link = Link(scheduler, ("a", "b"), latency_ns=LATENCY_NS, bandwidth_bps=GIGABIT)
    machines = []
    for number, name in enumerate("ab", 1):
        machine = Namespace(scheduler, name, chance)
        nic = Nic(scheduler, "eth0", mac_from_text(f"02:00:00:00:00:{number:02x}"))
        nic.plug(link.ends[number - 1])
        machine.add_device(nic)
        machine.set_up("eth0")
        machine.add_address("eth0", *prefix_from_text(f"10.0.0.{number}/24"))
        machines.append(machine)
    return scheduler, machines


def transfer() -> tuple[Scheduler, list[Namespace]]:
    """Two machines, one of which has begun to send as fast as it can."""
    scheduler, (sender, receiver) = two_machines()

    def accept(listener: TcpListener) -> None:
        socket = listener.accept()
        assert socket is not None
        socket.on_readable = read

    def read(socket: TcpSocket) -> None:
        socket.receive()

    def write(socket: TcpSocket) -> None:
        while socket.send(_BLOCK) == len(_BLOCK):
            pass

    receiver.sockets.tcp.listen(80, accept)
    client = sender.sockets.tcp.connect(ip_from_text("10.0.0.2"), 80)
    client.on_connected = client.on_writable = write
    return scheduler, [sender, receiver]


def frames_of(machine: Namespace) -> int:
    device = machine.interface("eth0").device
    return device.tx_packets + device.rx_packets


def segments() -> Work:
    scheduler, (sender, _receiver) = transfer()
    scheduler.run(ROUND_NS)
    before = frames_of(sender)

    def work() -> int:
        scheduler.run(2 * ROUND_NS)
        return frames_of(sender) - before

    return work


def one_second_s() -> float:
    scheduler, _machines = transfer()
    began_s = process_time()
    scheduler.run(GIGABIT)
    return process_time() - began_s


BENCHMARKS = (
    Speed("TCP segments over a link", "segments/s", segments, hot_path, "yardstick", 0.02),
    Cost("one virtual second of TCP at 1 Gbit/s", "s", one_second_s),
)
