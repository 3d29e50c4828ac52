"""OpenFlow that nobody would send, thrown at a bridge.

    python -m benchmarks.fuzz_openflow 1000000
    python -m benchmarks.fuzz_openflow 10000 --seed 7 --messages FILE

Messages that controllers do send, of each version, are changed: bytes flipped, left out, doubled,
cut, and parts of others put in; lengths that are wrong, versions and types that are others. FILE
has more of them, in lines of hexadecimal digits. Each client says some of it, in pieces, and
leaves, in the middle of a message as often as not; frames go through the bridge meanwhile.

After each client: a bystander's echo comes back, and its question after all flows is answered by
whole messages; nobody who has left is remembered. Whoever breaks the protocol loses the connection.
An exception ends the run with what was sent.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.dummy_switch import BRIDGE, DummySwitch
from benchmarks.harness import interpreter
from benchmarks.openflow_samples import FRAME, clear, samples
from vnet.base.chance import Chance, Stream
from vnet.base.units import NS_PER_MS
from vnet.ovs.connmgr.ofconn import Ofconn
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.connection.hello import hello
from vnet.ovs.openflow.wire.message import MessageReader, ProtocolError

MESSAGES_A_CLIENT = 20
_HEADER_BYTES = 8
_ODD_BYTES = (0, 1, 2, 4, 8, 0x10, 0x7F, 0x80, 0xFE, 0xFF)
_FLOWS_REQUEST = bytes.fromhex(
    "0412003800000009000100000000 0000".replace(" ", "")
    + "ff000000ffffffffffffffff00000000"
    + "00" * 16
    + "0001000400000000"
)
_ECHO = bytes.fromhex("040200080000000a")
_ECHO_REPLY = bytes.fromhex("040300080000000a")


class Mutator:
    """Takes messages and spoils them."""

    def __init__(self, chance: Stream, more: Sequence[bytes] = ()) -> None:
        self._chance = chance
        self._samples = {
            version: samples(version) + [raw for raw in more if raw[0] == version]
            for version in OpenFlowVersion
        }

    def message(self, version: OpenFlowVersion) -> bytes:
        """One message, spoilt a little or a lot, or not at all. Mostly its length is right."""
        raw = bytearray(self._chance.choice(self._samples[version]))
        for _ in range(self._chance.choice((0, 1, 1, 2, 4))):
            self._spoil(raw, version)
        if self._chance.random() < 0.98:
            raw[2:4] = min(len(raw), 0xFFFF).to_bytes(2, "big")
        if self._chance.random() < 0.02:
            raw[self._chance.randrange(2)] = self._chance.randrange(256)
        return bytes(raw)

    def _spoil(self, raw: bytearray, version: OpenFlowVersion) -> None:
        chance = self._chance
        at = chance.randrange(_HEADER_BYTES, len(raw) + 1)
        match chance.randrange(6):
            case 0 | 1:
                raw[at : at + 1] = bytes((chance.choice(_ODD_BYTES),))
            case 2:
                raw[at : at + 2] = chance.randrange(1 << 16).to_bytes(2, "big")
            case 3:
                del raw[at : at + 8 * chance.randrange(1, 4)]
            case 4:
                other = chance.choice(self._samples[version])
                start = chance.randrange(_HEADER_BYTES, len(other) + 1)
                raw[at:at] = other[start : start + 8 * chance.randrange(1, 20)]
            case _:
                raw[at:at] = raw[at : at + 8 * chance.randrange(1, 8)]
        raw += bytes(max(0, _HEADER_BYTES - len(raw)))


class Peer:
    """A controller's end, which takes in what it is told."""

    def __init__(self, switch: DummySwitch, version: OpenFlowVersion) -> None:
        self._reader = MessageReader()
        self.heard: list[bytes] = []
        connmgr = switch.daemon.vswitchd.running[BRIDGE].connmgr
        self.ofconn: Ofconn = connmgr.connect(
            self._take, name="peer", is_primary=True, versions=tuple(OpenFlowVersion)
        )
        self.ofconn.start()
        self.ofconn.take(hello((version,), 1))

    def _take(self, data: bytes) -> None:
        self._reader.take(data)
        while (message := self._reader.next()) is not None:
            self.heard.append(message.raw)

    def say(self, data: bytes) -> list[bytes]:
        """What is answered to some bytes. Raises ProtocolError where that is the end."""
        self.heard.clear()
        self.ofconn.take(data)
        while self.ofconn.run():
            pass
        return self.heard


class Fuzzer:
    """A bridge, a bystander and one hostile client after the other."""

    def __init__(self, seed: int, more: Sequence[bytes] = ()) -> None:
        self._chance = Chance(seed).stream("fuzz openflow")
        self._mutator = Mutator(self._chance, more)
        self._switch = DummySwitch()
        # Half of the bridges take what OpenFlow has and Open vSwitch lacks.
        full = ("other_config:openflow-full=true",) if seed % 2 else ()
        self._switch.add_bridge(3, full)
        self._switch.vswitchd.backer.packet_in_sink = None
        self._connmgr = self._switch.daemon.vswitchd.running[BRIDGE].connmgr
        self._bystander = Peer(self._switch, OpenFlowVersion.OF13)
        self.n_messages = self.n_answers = self.n_cut_off = 0

    def client(self) -> None:
        """Let one client come, say its say, and leave."""
        version = self._chance.choice(tuple(OpenFlowVersion))
        peer = Peer(self._switch, version)
        said: list[bytes] = []
        try:
            self._say(peer, version, said)
        except ProtocolError:
            self.n_cut_off += 1
        except Exception as error:
            error.add_note("\n".join(raw.hex() for raw in said))
            raise
        peer.ofconn.closed()
        try:
            self._check()
        except Exception as error:
            error.add_note("\n".join(raw.hex() for raw in said))
            raise

    def _say(self, peer: Peer, version: OpenFlowVersion, said: list[bytes]) -> None:
        rest = b""
        for _ in range(MESSAGES_A_CLIENT):
            said.append(self._mutator.message(version))
            self.n_messages += 1
            data = rest + said[-1]
            n_bytes = len(data) - self._chance.choice((0, 0, 0, 1, 9))
            self.n_answers += len(peer.say(data[:n_bytes]))
            rest = data[max(n_bytes, 0) :]
            if self._chance.random() < 0.2:
                self._switch.inject(f"p{self._chance.randrange(1, 4)}", FRAME)
        self._switch.scheduler.run(self._switch.scheduler.now_ns + NS_PER_MS)

    def _check(self) -> None:
        if len(self._connmgr.connections) != 1:
            raise AssertionError("somebody who has left is remembered")
        if _ECHO_REPLY not in self._bystander.say(_ECHO):
            raise AssertionError("the bystander is not answered")
        kinds = [raw[1] for raw in self._bystander.say(_FLOWS_REQUEST)]
        if 19 not in kinds:
            raise AssertionError("nobody says what flows there are")
        if self._chance.random() < 0.2:
            self._bystander.say(clear(OpenFlowVersion.OF13))
        self._switch.take_sent()


def fuzz(messages: int, seed: int, more: Sequence[bytes] = ()) -> Fuzzer:
    """Throw so many messages, or a few more."""
    fuzzer = Fuzzer(seed, more)
    while fuzzer.n_messages < messages:
        fuzzer.client()
    return fuzzer


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz_openflow")
    parser.add_argument("count", type=int, nargs="?", default=100_000, metavar="MESSAGES")
    parser.add_argument("--seed", type=int, default=1, help="other messages")
    parser.add_argument("--messages", type=Path, metavar="FILE", help="more messages to spoil")
    chosen = parser.parse_args()
    more = [] if chosen.messages is None else chosen.messages.read_text().split()
    print(interpreter())
    fuzzer = fuzz(chosen.count, chosen.seed, [bytes.fromhex(text) for text in more])
    print(
        f"{fuzzer.n_messages:,} messages, seed {chosen.seed}: {fuzzer.n_answers:,} answers, "
        f"{fuzzer.n_cut_off:,} clients lost their connection, and nobody else anything"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
