"""Topologies for labs on the kernel, by the name of the lab."""

from __future__ import annotations

PAIR = """
version: 1
name: {name}
hosts:
  h1: {{hypervisor: kvm, nics: {{eth0: {{ip: 192.0.2.1/24}}}}, switches: {{br0: }}}}
  h2: {{hypervisor: kvm, nics: {{eth0: {{ip: 192.0.2.2/24}}}}, switches: {{br0: }}}}
vms:
  vm1: {{host: h1, vnics: [{{ip: 10.0.0.1/24}}]}}
  vm2: {{host: h2, vnics: [{{ip: 10.0.0.2/24}}]}}
links: [{{ends: ['h1:eth0', 'h2:eth0']}}]
captures: ['vm1:eth0', 'h1:eth0', 'vm2:eth0']
"""

PINGS = """
scenario:
  - {at: 200ms, ping: {from: vm1, to: vm2, count: 2, interval: 50ms},
     expect: {received: 2, frames matching icmp on h1:eth0: 4}}
"""

ROUTED = """
version: 1
name: {name}
hosts:
  h1: {{hypervisor: xen, nics: {{eth0: {{ip: 192.0.2.1/24}}}}, switches: {{xenbr0: }}}}
  h2: {{hypervisor: kvm, nics: {{eth0: }}, switches: {{br0: }}}}
vms:
  vm1: {{host: h1, gateway: 10.0.1.254, vnics: [{{ip: 10.0.1.1/24}}]}}
  vm2: {{host: h1, gateway: 10.0.1.254, vnics: [{{ip: 10.0.1.2/24}}]}}
  far: {{host: h2, gateway: 10.0.2.254, vnics: [{{ip: 10.0.2.1/24}}]}}
switches: {{s1: {{ports: 2}}}}
routers:
  r1: {{nics: {{eth0: {{ip: 10.0.1.254/24}}, eth1: {{ip: 10.0.2.254/24}}, eth2: }}}}
links:
  - {{ends: ['h1:eth0', 's1:p1']}}
  - {{ends: ['r1:eth0', 's1:p2']}}
  - {{ends: ['r1:eth1', 'h2:eth0']}}
captures: ['vm1:eth0', 'h1:peth0', 'r1:eth1']
"""

EVERYTHING = """
scenario:
  - {at: 200ms, ping: {from: vm1, to: far, count: 2, interval: 50ms}, expect: {received: 2}}
  - {udp: {from: vm1, to: far, count: 3, interval: 5ms}, expect: {received: 3}}
  - udp: {from: vm1, to: far, port: 9, count: 3, interval: 5ms, echo: false}
    expect: {received: 3}
  - {tcp: {from: vm1, to: far, size: 100000}, expect: {received_bytes: 100000}}
  - {tcp: {from: vm1, to: far, port: 99, serve: false}, expect: {errors: 1}}
  - {http: {from: vm1, to: far, path: /x, size: 5000}, expect: {status: 200, received_bytes: 5000}}
  - {http: {from: vm1, to: far, path: /nowhere}, expect: {status: 404}}
  - {tcp: {from: vm1, to: far, port: 80}}
  - {http: {from: vm1, to: far, port: 7, size: 50, server: far}, expect: {status: 200}}
  - {arping: {from: vm1, to: 10.0.1.2, count: 2, interval: 300ms}, expect: {received: 2}}
  - {traceroute: {from: vm1, to: far}, expect: {reached: true, path: 10.0.1.254 10.0.2.1}}
  - {iperf3: {from: vm1, to: far, size: 200000}, expect: {sent_bytes: '>= 200000'}}
  - send: {from: vm1, packet: "Ether(dst='ff:ff:ff:ff:ff:ff')/IP(dst='10.0.1.2')/UDP(dport=9)"}
    expect: {sent: 1}
  - {fdb: {switch: 'h1:xenbr0', mac: vm1}, expect: {port: vif1.0}}
  - {fdb: {switch: s1, mac: vm1}, expect: {port: p1, moves: 0}}
  - {counters: {device: 'vm1:eth0'}, expect: {tx_packets: '> 10', link-mtu: 0}}
  - {ping: {from: vm1, to: far, count: 1, ttl: 1}, expect: {received: 0, errors: 1}}
  - {ping: {from: vm1, to: 10.9.9.9, count: 1}, expect: {errors: 1}}
  - {join: {machine: far, group: 239.1.2.3}, expect: {groups: 239.1.2.3}}
  - repeat: {count: 2, steps: [{ping: {from: vm2, to: vm1, count: 1}, expect: {received: 1}}]}
  - parallel:
      - {ping: {from: vm2, to: vm1, count: 1}, expect: {received: 1}}
      - {ping: {from: vm1, to: vm2, count: 1}, expect: {received: 1}}
  - {move: {vm: vm2, to: h2}}
  - expect:
      frames matching icmp on r1:eth1: '> 3'
      frames matching udp and ether broadcast on h1:peth0: 1
"""

OVERLAY = """
version: 1
name: {name}
hosts:
  h1:
    hypervisor: kvm
    nics: {{eth0: {{ip: 192.0.2.1/24, mtu: 1550}}}}
    switches:
      br-phy: {{type: ovs, uplink: eth0}}
      br-int:
        type: ovs
        ports: {{vx0: {{type: vxlan, options: {{remote_ip: 192.0.2.2, key: 7}}}}}}
  h2:
    hypervisor: kvm
    nics: {{eth0: {{ip: 192.0.2.2/24, mtu: 1550}}}}
    switches:
      br-phy: {{type: ovs, uplink: eth0}}
      br-int:
        type: ovs
        ports: {{vx0: {{type: vxlan, options: {{remote_ip: 192.0.2.1, key: 7}}}}}}
vms:
  vm1: {{host: h1, vnics: [{{switch: br-int, ip: 10.0.0.1/24}}]}}
  vm2: {{host: h2, vnics: [{{switch: br-int, ip: 10.0.0.2/24}}]}}
links: [{{ends: ['h1:eth0', 'h2:eth0'], mtu: 1550}}]
captures: ['vm1:eth0', 'h1:eth0']
scenario:
  - at: 200ms
    ping: {{from: vm1, to: vm2, count: 2, interval: 50ms, size: 1472, df: true}}
    expect: {{received: 2, frames matching udp dst port 4789 and len == 1564 on h1:eth0: 4}}
  - {{fdb: {{switch: 'h1:br-int', mac: vm2}}, expect: {{port: vx0}}}}
"""

WAITS = """
scenario:
  - {ping: {from: vm1, to: vm2, count: 1}}
  - {wait: 100s}
"""


def pair(name: str, scenario: str = PINGS) -> str:
    """Two guests on two hosts with a cable between."""
    return PAIR.format(name=name) + scenario


def routed(name: str, scenario: str = EVERYTHING) -> str:
    """Guests on Xen's bridge and on KVM's, a switch on the wire, and a router between."""
    return ROUTED.format(name=name) + scenario


def overlay(name: str) -> str:
    """Two guests in one VXLAN."""
    return OVERLAY.format(name=name)


LEASING = """
version: 1
name: {name}
hosts:
  h1:
    hypervisor: kvm
    nics: {{eth0: {{ip: 203.0.113.1/24}}}}
    switches: {{br0: {{uplink: none, ip: 10.0.0.1/24, dhcp: {{range: 10.0.0.50-10.0.0.59}}}}}}
    sysctls: {{net.ipv4.ip_forward: 1}}
vms:
  vm1: {{host: h1, vnics: [{{ip: dhcp}}]}}
routers:
  ext: {{nics: {{eth0: {{ip: 203.0.113.100/24}}}}, routes: [{{to: 10.0.0.0/24, via: 203.0.113.1}}]}}
links: [{{ends: ['h1:eth0', 'ext:eth0']}}]
captures: ['vm1:eth0']
scenario:
  - {{at: 9s, ping: {{from: vm1, to: ext, count: 1}}, expect: {{received: 1}}}}
"""


def leasing(name: str) -> str:
    """A guest that leases its address, and reaches the outside by the router it was told of."""
    return LEASING.format(name=name)


PULLS = """
scenario:
  - {at: 200ms, ping: {from: vm1, to: vm2, count: 1}, expect: {received: 1}}
  - {link: {end: 'h2:eth0', state: down}, expect: {state: down}}
  - {ping: {from: vm1, to: vm2, count: 1, timeout: 200ms}, expect: {received: 0}}
  - {link: {end: 'h1:eth0', state: up}}
  - {wait: 1s}
  - {ping: {from: vm1, to: vm2, count: 1}, expect: {received: 1}}
  - {link: {end: 'h1:eth0', latency: 1ms}}
"""

REFUSES = """
scenario:
  - {at: 200ms, ping: {from: vm1, to: far, count: 1}, expect: {received: 1}}
  - iptables:
      machine: r1
      commands: ['-A FORWARD -p icmp -j REJECT --reject-with icmp-admin-prohibited']
    expect: {commands: 1}
  - {ping: {from: vm1, to: far, count: 1}, expect: {received: 0, errors: 1}}
  - {http: {from: vm1, to: far, size: 100}, expect: {status: 200}}
  - {sysctl: {machine: r1, set: {net.ipv4.ip_forward: 0}}}
  - {udp: {from: vm1, to: far, timeout: 200ms}, expect: {received: 0}}
"""
