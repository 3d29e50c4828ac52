"""dig and nslookup in the shell: what BIND 9.18's printed when they asked dnsmasq the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from vnet.lab.lab import Lab

Shell = Callable[..., Any]

LAB = """
version: 1
hosts:
  gw:
    hypervisor: kvm
    switches:
      nm0:
        uplink: none
        ip: 10.9.0.1/24
        dns:
          domain: test
          lab: false
          hosts: {vm1: 10.9.0.2, vm2: 10.9.0.4}
          records: [test MX 10 mail.test, alias.test CNAME vm2.test, 'txt.test 300 TXT "a b" c']
vms:
  c:
    host: gw
    vnics: [{ip: [10.9.0.2/24, '2001:db8:9::2/64']}]
    dns: {servers: 10.9.0.1, search: test}
"""
ANSWERED = """
; <<>> DiG 9.18.49-1~deb12u3-Debian <<>> vm2.test
;; global options: +cmd
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 54862
;; flags: qr aa rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:
;vm2.test.			IN	A

;; ANSWER SECTION:
vm2.test.		0	IN	A	10.9.0.4

;; Query time: 0 msec
;; SERVER: 10.9.0.1#53(10.9.0.1) (UDP)
;; WHEN: Sun Nov 29 19:18:04 UTC 2026
;; MSG SIZE  rcvd: 53
"""
NO_NAME = """
; <<>> DiG 9.18.49-1~deb12u3-Debian <<>> @10.9.0.1 nosuch.test AAAA
; (1 server found)
;; global options: +cmd
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 62933
;; flags: qr rd ra; QUERY: 1, ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 1

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:
;nosuch.test.			IN	AAAA

;; Query time: 0 msec
;; SERVER: 10.9.0.1#53(10.9.0.1) (UDP)
;; WHEN: Sun Nov 29 19:18:04 UTC 2026
;; MSG SIZE  rcvd: 40
"""
NOBODY = """\
;; communications error to 10.9.0.77#53: timed out
;; communications error to 10.9.0.77#53: timed out

; <<>> DiG 9.18.49-1~deb12u3-Debian <<>> @10.9.0.77 vm1.test +time=1 +tries=2
; (1 server found)
;; global options: +cmd
;; no servers could be reached
"""
REFUSED = """\
;; communications error to 10.9.0.2#53: connection refused

; <<>> DiG 9.18.49-1~deb12u3-Debian <<>> @10.9.0.2 vm1.test +time=1 +tries=1
; (1 server found)
;; global options: +cmd
;; no servers could be reached
"""
FOUND = """\
Server:		10.9.0.1
Address:	10.9.0.1#53

alias.test	canonical name = vm2.test.
Name:	vm2.test
Address: 10.9.0.4
"""
NO_ANSWER = """\
Server:		10.9.0.1
Address:	10.9.0.1#53

Non-authoritative answer:
*** Can't find vm2.test: No answer

Authoritative answers can be found from:
"""
CANNOT_FIND = """\
Server:		10.9.0.1
Address:	10.9.0.1#53

** server can't find nosuch.test: NXDOMAIN
"""


def shown(shell: Shell, *commands: str) -> str:
    text = shell(Lab.from_text(LAB), *commands).out
    text = re.sub(r"id: [0-9]+", "id: N", text)
    return re.sub(r"WHEN: .*", "WHEN: ...", text)


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("c dig vm2.test", ANSWERED),
        ("c dig @10.9.0.1 nosuch.test AAAA", NO_NAME),
        ("c dig @10.9.0.77 vm1.test +time=1 +tries=2", NOBODY),
        ("c dig @10.9.0.2 vm1.test +time=1 +tries=1", REFUSED),
        ("c nslookup alias.test", FOUND),
        ("c nslookup -type=MX vm2.test", NO_ANSWER),
        ("c nslookup nosuch.test", CANNOT_FIND),
        ("c nslookup 10.9.0.2", "2.0.9.10.in-addr.arpa\tname = vm1.test.\n"),
        ("c dig +short vm2.test", "10.9.0.4\n"),
        ("c dig +identify +short vm2.test", "10.9.0.4 from server 10.9.0.1 in 0 ms.\n"),
        ("c dig -x 10.9.0.2 +noall +answer", "2.0.9.10.in-addr.arpa.\t0\tIN\tPTR\tvm1.test.\n"),
        ("c dig +nocomments +noall +answer MX test", "test.\t\t\t0\tIN\tMX\t10 mail.test.\n"),
        ("c dig -t TXT -q txt.test +noall +answer", 'txt.test.\t\t300\tIN\tTXT\t"a b" "c"\n'),
        ("c dig a.bc +noall +question", ";a.bc.\t\t\t\tIN\tA\n"),
        ("c dig +search vm1 +noall +answer", "vm1.test.\t\t0\tIN\tA\t10.9.0.2\n"),
        ("c dig -t BLAH vm2.test +short", ";; Warning, ignoring invalid type BLAH\n10.9.0.4\n"),
        ("c dig version.bind CH TXT +short", '"dnsmasq-2.90"\n'),
    ],
)
def test_what_is_printed(shell: Shell, command: str, printed: str) -> None:
    wanted = re.sub(r"WHEN: .*", "WHEN: ...", re.sub(r"id: [0-9]+", "id: N", printed))
    assert shown(shell, command).rstrip("\n") == wanted.rstrip("\n")


def test_long_names_push_the_columns_aside_as_bind_does(shell: Shell) -> None:
    lab = LAB.replace("records: [", "records: [www.a-very-long-name-here-for-tabs.test A 10.9.0.9,")
    ran = shell(Lab.from_text(lab), "c dig www.a-very-long-name-here-for-tabs.test +noall +answer")
    assert ran.out == "www.a-very-long-name-here-for-tabs.test. 0 IN A\t10.9.0.9\n"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("c dig vm2.test +nosuch", "Invalid option: +nosuch"),
        ("c dig -z", "Invalid option: -z"),
        ("c dig @nosuch vm2.test", "nosuch"),
        ("c dig a..b", "dig: 'a..b' is not a legal name (empty label)"),
        ("c dig -x 10.9", "Invalid IP address 10.9"),
        ("c dig vm2.test +tries=x", "Couldn't parse tries 'x'"),
        ("c nslookup -nosuch vm2.test", "Invalid option: nosuch"),
        ("c ping nosuch.test.", "ping: nosuch.test.: Name or service not known"),
    ],
)
def test_what_cannot_be_asked(shell: Shell, command: str, message: str) -> None:
    assert message in shell(Lab.from_text(LAB), command).err


def test_other_tools_take_names_from_the_dns(shell: Shell) -> None:
    ran = shell(Lab.from_text(LAB), "c ping vm1.test -c 1", "c curl http://vm1/x", "c ss -t")
    assert "PING vm1.test (10.9.0.2) 56(84) bytes of data." in ran.out
    assert "Could not resolve" not in ran.err
