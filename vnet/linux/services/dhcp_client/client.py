"""A DHCP client's states (RFC 2131 section 4.4), with dhclient's timers.

The client is told of messages and of the time, and acts through its :class:`Machine`: there is no
socket and no clock in here. Moments are Unix time in nanoseconds; as with dhclient most of them
begin with a whole second, and the rest of it is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from vnet.base.chance import Stream
from vnet.base.ids import IPV4_ANY, IPV4_BROADCAST, IpAddress, ip_text
from vnet.linux.services.dhcp_client.lease import ClientLease, lease_in, timed
from vnet.linux.services.dhcp_client.messages import Messages
from vnet.linux.services.dhcp_client.settings import ClientSettings
from vnet.wire import dhcp, dhcp_options
from vnet.wire.dhcp import Dhcp

_NS_PER_S = 1_000_000_000
_NS_PER_US = 1_000
_RANDOM = 1 << 31
_MOST_SECS = 0xFFFF
_QUENCH_NS = 500_000_000
_DECLINE_WAIT_S = 10


class State(Enum):
    """Where a client stands."""

    STOPPED = "stopped"
    INIT = "init"
    REBOOTING = "rebooting"
    SELECTING = "selecting"
    REQUESTING = "requesting"
    BOUND = "bound"
    RENEWING = "renewing"


class Reason(Enum):
    """What dhclient-script(8) is called for."""

    PREINIT = "PREINIT"
    BOUND = "BOUND"
    REBOOT = "REBOOT"
    RENEW = "RENEW"
    EXPIRE = "EXPIRE"
    FAIL = "FAIL"
    RELEASE = "RELEASE"
    STOP = "STOP"
    TIMEOUT = "TIMEOUT"


class Machine(Protocol):
    """What the client does to its machine."""

    def now_ns(self) -> int:
        """Unix time."""
        ...

    def wake_at(self, time_ns: int | None) -> None:
        """Call :meth:`DhcpClient.woken` then, and not when it was asked for before."""
        ...

    def send(self, message: Dhcp, source: IpAddress, target: IpAddress) -> None:
        """To everybody past the IP stack, or to one server by a socket."""
        ...

    def configure(self, reason: Reason, old: ClientLease | None, new: ClientLease | None) -> bool:
        """Run the script; False if the new address is not to be had, for somebody has it."""
        ...

    def log(self, text: str) -> None: ...


class DhcpClient:
    """The client of one interface.

    ``active`` is the lease it has, or remembers; ``state_changed`` is called whenever the state
    has become another.
    """

    def __init__(
        self,
        machine: Machine,
        name: str,
        mac: bytes,
        settings: ClientSettings,
        chance: Stream,
    ) -> None:
        self._machine = machine
        self._name = name
        self._mac = mac
        self._settings = settings
        self._chance = chance
        self._messages = Messages(mac, settings)
        self.state = State.STOPPED
        self.state_changed: Callable[[], None] = _nothing
        self.active: ClientLease | None = None
        self._xid = 0
        self._message: Dhcp | None = None
        self._server: IpAddress = IPV4_BROADCAST
        self._began_s = 0
        self._interval_s = 0
        self._secs = 0
        self._offers: list[ClientLease] = []
        self._rejected: set[bytes] = set()
        self._next: Callable[[], None] = _nothing

    # -- what the administrator says

    def start(self) -> None:
        """Begin: with the address of before, if its lease still holds."""
        self._machine.configure(Reason.PREINIT, None, None)
        self._reboot()

    def renew(self) -> None:
        """Ask for more time now, without waiting for T1; or begin, where nothing is lent."""
        if self.state in (State.BOUND, State.RENEWING):
            self._renew()
        elif self.state in (State.STOPPED, State.INIT):
            self.start()

    def release(self) -> None:
        """Give the address back and stop."""
        self._xid = self._new_xid()
        lease = self.active
        if lease is not None:
            self._machine.log(
                f"DHCPRELEASE of {ip_text(lease.ip)} on {self._name} to "
                f"{ip_text(lease.server or IPV4_BROADCAST)} port {dhcp.SERVER_PORT}"
            )
            message = self._messages.release(self._xid, lease)
            self._machine.send(message, lease.ip, lease.server or IPV4_BROADCAST)
            self._machine.configure(Reason.RELEASE, lease, None)
        self.active = None
        self._halt()

    def stop(self) -> None:
        """End without a word, as a killed program: address and lease stay as they are."""
        self._halt()

    def _halt(self) -> None:
        self._machine.wake_at(None)
        self._enter(State.STOPPED)

    def woken(self) -> None:
        """The moment has come that was asked for."""
        self._next()

    # -- states

    def _enter(self, state: State) -> None:
        was, self.state = self.state, state
        if state is not was:
            self.state_changed()

    def _reboot(self) -> None:
        """INIT-REBOOT: ask for the address that we had, unless we had none."""
        lease = self.active
        if lease is None or lease.expires_s <= self._now_s():
            return self._init()
        self._enter(State.REBOOTING)
        self._xid = self._new_xid()
        self._message = self._messages.request(self._xid, wish=lease.ip)
        return self._begin(self._send_request)

    def _init(self) -> None:
        self._xid = self._new_xid()
        self._message = self._messages.discover(self._xid, self.active)
        self._offers = []
        self._enter(State.SELECTING)
        self._begin(self._send_discover)

    def _begin(self, send: Callable[[], None]) -> None:
        """Send what is ready, at once and then again and again."""
        self._began_s = self._now_s()
        self._interval_s = self._settings.initial_interval_s
        self._next = send
        send()

    def _select(self) -> None:
        """Take the first of the offers."""
        if not self._offers:
            return self._init()
        lease = self._offers[0]
        self._enter(State.REQUESTING)
        self._message = self._messages.request(self._xid, wish=lease.ip, server=lease.server)
        return self._begin(self._send_request)

    def _renew(self) -> None:
        """T1 is over: ask the server for more time, and once T2 is, anybody."""
        assert self.active is not None, "who is bound has a lease"
        self._message = self._messages.request(self._xid, ciaddr=self.active.ip)
        self._server = self.active.server or IPV4_BROADCAST
        self._enter(State.RENEWING)
        self._begin(self._send_request)

    def _bind(self, lease: ClientLease) -> None:
        reason = {State.REQUESTING: Reason.BOUND, State.REBOOTING: Reason.REBOOT}.get(
            self.state, Reason.RENEW
        )
        old = None if self.state is State.REBOOTING else self.active
        if not self._machine.configure(reason, old, lease):
            return self._decline(lease)
        self.active = lease
        left_s = lease.renew_s - self._now_s()
        self._next = self._renew
        self._wake_in(left_s)
        address = ip_text(lease.ip)
        self._machine.log(f"bound to {address} -- renewal in {left_s} seconds.")
        return self._enter(State.BOUND)

    def _decline(self, lease: ClientLease) -> None:
        self._machine.log(
            f"DHCPDECLINE of {ip_text(lease.ip)} on {self._name} to "
            f"{ip_text(IPV4_BROADCAST)} port {dhcp.SERVER_PORT}"
        )
        message = self._messages.decline(self._xid, lease)
        self._machine.send(message, IPV4_ANY, IPV4_BROADCAST)
        self._next = self._init
        self._enter(State.INIT)
        self._machine.wake_at(self._machine.now_ns() + _DECLINE_WAIT_S * _NS_PER_S)

    def _expire(self, lease: ClientLease | None) -> None:
        """The address is ours no longer; look for another."""
        self._machine.configure(Reason.EXPIRE, lease, None)
        self._machine.configure(Reason.PREINIT, None, None)
        self._init()

    def _give_up(self) -> None:
        """Nobody has offered anything: use what we had, or rest for some minutes."""
        self._machine.log("No DHCPOFFERS received.")
        lease = self.active
        if lease is not None and lease.expires_s > self._now_s():
            self._machine.log(f"Trying recorded lease {ip_text(lease.ip)}")
            if self._machine.configure(Reason.TIMEOUT, None, lease):
                left_s = lease.renew_s - self._now_s()
                self._enter(State.BOUND)
                if left_s <= 0:
                    self._machine.log("bound: immediate renewal.")
                    return self._renew()
                self._machine.log(f"bound: renewal in {left_s} seconds.")
                self._next = self._renew
                return self._wake_in(left_s)
        self._machine.log("No working leases in persistent database - sleeping.")
        self._machine.configure(Reason.FAIL, None, None)
        self._enter(State.INIT)
        self._next = self._init
        retry_s = self._settings.retry_s
        return self._wake_in((retry_s + 1) // 2 + self._random() % retry_s)

    # -- sending, and again

    def _send_discover(self) -> None:
        settings, now_s = self._settings, self._now_s()
        spent_s = now_s - self._began_s
        if spent_s > settings.timeout_s:
            return self._give_up()
        self._back_off(self._random())
        end_s = self._began_s + settings.timeout_s
        if now_s + self._interval_s > end_s:
            self._interval_s = end_s - now_s + 1
        self._secs = min(spent_s, _MOST_SECS)
        self._machine.log(
            f"DHCPDISCOVER on {self._name} to {ip_text(IPV4_BROADCAST)} port "
            f"{dhcp.SERVER_PORT} interval {self._interval_s}"
        )
        self._emit(self._secs, IPV4_ANY, IPV4_BROADCAST)
        return self._wake_in(self._interval_s)

    def _send_request(self) -> None:
        now_s, lease = self._now_s(), self.active
        spent_s = now_s - self._began_s
        is_new = self.state in (State.REQUESTING, State.REBOOTING)
        if is_new and spent_s > self._settings.reboot_timeout_s:
            return self._init()
        may_expire = lease is not None and self.state is not State.REQUESTING
        if may_expire and lease is not None and now_s > lease.expires_s:
            return self._expire(lease)
        self._back_off(self._random() >> 2)
        if may_expire and lease is not None and now_s + self._interval_s > lease.expires_s:
            self._interval_s = lease.expires_s - now_s + 1
        target, source, about = IPV4_BROADCAST, IPV4_ANY, IPV4_ANY
        if is_new:
            wish = None if self._message is None else _wish_of(self._message)
            about = wish or IPV4_ANY
        elif lease is not None:
            source = about = lease.ip
            target = IPV4_BROADCAST if now_s > lease.rebind_s else self._server
        self._machine.log(
            f"DHCPREQUEST for {ip_text(about)} on {self._name} to {ip_text(target)} port "
            f"{dhcp.SERVER_PORT}"
        )
        secs = self._secs if self.state is State.REQUESTING else min(spent_s, _MOST_SECS)
        self._emit(secs, source, target)
        return self._wake_in(self._interval_s)

    def _emit(self, secs: int, source: IpAddress, target: IpAddress) -> None:
        assert self._message is not None, "there is something to send"
        self._machine.send(self._message._replace(secs=secs), source, target)

    def _back_off(self, drawn: int) -> None:
        """Wait longer each time, about twice as long, up to a limit."""
        self._interval_s += drawn % (2 * self._interval_s)
        most_s = self._settings.most_interval_s
        if self._interval_s > most_s:
            self._interval_s = most_s // 2 + self._random() % most_s

    # -- receiving

    def heard(self, message: Dhcp, sender: IpAddress) -> None:
        """A message came for a client; it may be another's."""
        if message.op != dhcp.BOOT_REPLY or not message.whole or sender in self._rejected:
            return
        if message.xid != self._xid or message.chaddr != self._mac:
            return
        if message.type == dhcp.OFFER and self.state is State.SELECTING:
            self._offered(message, sender)
        elif self.state in (State.REBOOTING, State.REQUESTING, State.RENEWING):
            if message.type == dhcp.ACK:
                self._granted(message, sender)
            elif message.type == dhcp.NAK:
                self._refused(sender)

    def _offered(self, message: Dhcp, sender: IpAddress) -> None:
        lease = lease_in(message)
        if any(lease.ip == other.ip for other in self._offers):
            return None
        self._machine.log(f"DHCPOFFER of {ip_text(lease.ip)} from {ip_text(sender)}")
        wish = None if self._message is None else _wish_of(self._message)
        self._offers.insert(0 if lease.ip == wish else len(self._offers), lease)
        until_s = self._began_s + self._settings.select_s
        if until_s <= self._now_s():
            return self._select()
        self._next = self._select
        return self._machine.wake_at(until_s * _NS_PER_S + self._machine.now_ns() % _NS_PER_S)

    def _granted(self, message: Dhcp, sender: IpAddress) -> None:
        lease = lease_in(message)
        self._machine.log(f"DHCPACK of {ip_text(lease.ip)} from {ip_text(sender)}")
        length_s = lease.number(dhcp_options.LEASE_TIME) or 0
        if not length_s:
            self._machine.log("no expiry time on offered lease.")
            self._rejected.add(sender)
            self._next = self._init
            return self._machine.wake_at(self._machine.now_ns() + _QUENCH_NS)
        return self._bind(timed(lease, length_s, self._now_s(), self._random()))

    def _refused(self, sender: IpAddress) -> None:
        self._machine.log(f"DHCPNAK from {ip_text(sender)}")
        lease = self.active
        if lease is None:
            return
        self.active = None
        self._expire(lease)

    # -- time and chance

    def _now_s(self) -> int:
        return self._machine.now_ns() // _NS_PER_S

    def _random(self) -> int:
        """What random(3) gives."""
        return self._chance.randrange(_RANDOM)

    def _new_xid(self) -> int:
        """A drawn number, whose bytes go out as they are in memory."""
        return int.from_bytes(self._random().to_bytes(4, "little"), "big")

    def _wake_in(self, seconds: int) -> None:
        """So many seconds after this second began, and some part of one."""
        now_ns = self._machine.now_ns()
        rest_ns = now_ns % _NS_PER_S
        if seconds > 1:
            rest_ns = self._random() % 1_000_000 * _NS_PER_US
        self._machine.wake_at((now_ns // _NS_PER_S + seconds) * _NS_PER_S + rest_ns)


def _wish_of(message: Dhcp) -> IpAddress | None:
    """The address that a message of ours asks for."""
    value = message.option(dhcp_options.REQUESTED_ADDRESS, 4)
    return None if value is None else IpAddress(value)


def _nothing() -> None:
    return None
