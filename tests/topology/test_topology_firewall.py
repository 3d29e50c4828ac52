"""``iptables`` and ``ip6tables`` in a file: both spellings, and mistakes with their places."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from vnet.base.errors import TopologyError
from vnet.lab.lab import Lab

_LAB = """\
version: 1
name: fw
hosts:
  h1: {nics: {eth0: {}}, switches: {br0: {uplink: eth0}}}
vms:
  vm1:
    host: h1
    vnics: [{ip: 10.0.0.1/24}]
"""


def lab(rules: str) -> Lab:
    return Lab.from_text(_LAB + indent(dedent(rules), "    "))


def problems(rules: str) -> list[str]:
    with pytest.raises(TopologyError) as caught:
        lab(rules)
    return [f"{p.line}:{p.column}: {p.what} ({p.hint})" for p in caught.value.problems]


def test_a_text_is_restored() -> None:
    with lab(
        """
        iptables: |
          *nat
          -A POSTROUTING -o eth0 -j MASQUERADE
          COMMIT
          *filter
          :INPUT DROP [0:0]
          -A INPUT -i lo -j ACCEPT
          COMMIT
        """
    ) as made:
        vm1 = made.machine("vm1")
        assert "-P INPUT DROP\n" in vm1.iptables("-S")
        assert "-A POSTROUTING -o eth0 -j MASQUERADE\n" in vm1.iptables("-t nat -S")
        assert "masquerade" in vm1.nft("list ruleset")


def test_keys_of_a_rule_may_be_the_letters_of_iptables() -> None:
    with lab(
        """
        iptables:
          filter:
            FORWARD:
              - {i: eth0, o: '! eth1', p: tcp, m: conntrack,
                 s: 10.0.0.1, d: 10.0.0.2, ctstate: NEW, j: DROP}
        """
    ) as made:
        rule = "-s 10.0.0.1/32 -d 10.0.0.2/32 -i eth0 ! -o eth1 -p tcp -m conntrack --ctstate NEW"
        assert f"-A FORWARD {rule} -j DROP\n" in made.machine("vm1").iptables("-S")


def test_tables_may_be_maps_with_rules_as_words_or_maps() -> None:
    with lab(
        """
        iptables:
          filter:
            INPUT:
              policy: DROP
              rules:
                - {protocol: tcp, dport: 80, jump: web}
                - {source: "! 10.0.0.0/8", jump: REJECT, reject-with: icmp-admin-prohibited}
                - -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
            web:
              - {match: [mark, comment], mark: 1/255, comment: "a b", goto: other}
              - {protocol: tcp, syn: true, jump: LOG, log-prefix: "new "}
            other: [-j ACCEPT]
        ip6tables:
          filter: {INPUT: {policy: DROP}}
        """
    ) as made:
        assert made.machine("vm1").iptables_save("-t filter").splitlines()[2:-2] == [
            ":INPUT DROP [0:0]",
            ":FORWARD ACCEPT [0:0]",
            ":OUTPUT ACCEPT [0:0]",
            ":other - [0:0]",
            ":web - [0:0]",
            "-A INPUT -p tcp -m tcp --dport 80 -j web",
            "-A INPUT ! -s 10.0.0.0/8 -j REJECT --reject-with icmp-admin-prohibited",
            "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            "-A other -j ACCEPT",
            '-A web -m mark --mark 0x1/0xff -m comment --comment "a b" -g other',
            '-A web -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j LOG --log-prefix "new "',
        ]
        assert made.machine("vm1").ip6tables("-S").startswith("-P INPUT DROP\n")


def test_mistakes_in_a_text_are_told_with_line_and_column() -> None:
    assert problems(
        """
        iptables: |
          *filter
          -A INPUT -p tcp --dprt 22 -j ACCEPT
          -A INPUT -m conntrak --ctstate NEW
          -A INPUT -j MASQUERADE
          COMMIT
          *nta
        """
    ) == [
        "12:23: iptables: unknown option \"--dprt\" (did you mean '--dport'?)",
        "13:19: iptables: Couldn't load match `conntrak':No such file or directory "
        "(did you mean 'conntrack'?)",
        "14:7: iptables: RULE_APPEND failed (Invalid argument): rule in chain INPUT "
        "(a match or target of it may not stand in this table or chain, or needs a -p)",
        "16:7: iptables: iptables-restore: line 6 table name 'nta' invalid ()",
    ]


def test_mistakes_in_tables_are_told_with_their_places() -> None:
    assert problems(
        """
        iptables:
          filter:
            INPUT:
              - {protocol: tcp, jump: ACEPT}
              - 5
            web: {policy: DROP}
            FORWARD: {polcy: DROP}
          nta: {}
        """
    ) == [
        "13:13: iptables: Chain 'ACEPT' does not exist (did you mean 'ACCEPT'?)",
        "14:13: a rule is words of iptables or a map, not the number 5 "
        "('-p tcp --dport 80 -j ACCEPT', or {protocol: tcp, dport: 80, jump: ACCEPT})",
        "15:23: web is no chain of its table's own and has no policy ()",
        "16:19: a chain has no 'polcy' (did you mean 'policy'?)",
        "17:7: there is no table 'nta' (did you mean 'nat'?)",
    ]


def test_rules_are_no_list() -> None:
    (problem,) = problems("iptables: [-j ACCEPT]")
    assert "wants rules, not a list" in problem
