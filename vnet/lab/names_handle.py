"""What a Python user asks a machine about names: with dig, and as its programs do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress, ip_from_text, ip_text
from vnet.guest.machine import Machine, address_in
from vnet.lab.arguments import duration_ns, spelt, within
from vnet.lab.names import name_server

if TYPE_CHECKING:
    from vnet.guest.apps.dns.dig import DigResult
    from vnet.lab.lab import Lab


class NamesHandle:
    """The calls of a machine that wait for answers about names."""

    _lab: Lab
    _machine: Machine

    def dig(
        self,
        name: str,
        kind: str = "A",
        *,
        server: str | None = None,
        port: int = 53,
        klass: str = "IN",
        tries: int = 3,
        timeout: str = "5s",
        recurse: bool = True,
        authentic: bool = True,
        dnssec: bool = False,
        edns: bool = True,
        cookie: bool = True,
        size: int = 1232,
        tcp: bool = False,
        ignore: bool = False,
    ) -> DigResult:
        """dig(1): a question to ``server``, or to those of the machine's resolver; waits for the
        answer.

        ``recurse`` is its +recurse, ``authentic`` +adflag, ``size`` +bufsize, and ``ignore`` takes
        an answer that was cut off.
        """
        from vnet.guest.apps.dns.names import class_number, type_number

        number, class_ = type_number(spelt("kind", kind)), class_number(spelt("klass", klass))
        if number is None or class_ is None:
            wrong = kind if number is None else klass
            raise UsageError(f"dig: {wrong!r} is no type or class of records")
        servers = []
        if server is not None and self._lab.network.machine(server) is None:
            servers = [self._resolve(server)[0]]
        elif server is not None:
            servers = [name_server(self._lab.network, server, self._machine)]
        app = self._machine.make_dig(
            spelt("name", name),
            kind=number,
            klass=class_,
            servers=servers,
            port=within("port", port, 1, 65_535),
            tries=within("tries", tries, 1, 100),
            timeout_ns=duration_ns(timeout),
            recurse=recurse,
            authentic=authentic,
            dnssec=dnssec,
            edns=edns,
            cookie=cookie,
            size_bytes=within("size", size, 0, 65_535),
            tcp=tcp,
            ignore=ignore,
        )
        self._lab.wait_for(app)
        return app.result

    def resolve(self, name: str, *, family: int | None = None) -> list[str]:
        """The addresses of a name, as programs find them (getaddrinfo), the best first.

        Raises :class:`UsageError` where there are none, and says why.
        """
        if family not in (None, 4, 6):
            raise UsageError(f"a family of {family!r} cannot be", "4 or 6")
        app = self._machine.make_resolve(spelt("name", name), family)
        self._lab.wait_for(app)
        if app.failure is not None:
            raise UsageError(f"{name}: {app.failure.value}")
        return [ip_text(ip) for ip in app.addresses]

    def _resolve(
        self, target: str, family: int | None = None
    ) -> tuple[IpAddress | bytes, str | None]:
        from vnet.guest.machine import reachable_address

        machine = self._lab.network.machine(spelt("target", target))
        if machine is not None:
            if family not in (None, 4, 6):
                raise UsageError(f"a family of {family!r} cannot be", "4 or 6")
            return reachable_address(machine, self._machine, family), None
        try:
            return address_in(target)
        except UsageError:
            if not self._machine.namespace.resolv_conf.servers:
                raise
        return ip_from_text(self.resolve(target, family=family)[0]), None
