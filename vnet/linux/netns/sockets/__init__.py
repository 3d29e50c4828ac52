"""Sockets of a namespace: UDP, and ICMP echo with its errors.

``table`` finds the socket that a packet, or an error about one, is for; each kind of socket has
its file. There is no blocking here: a socket calls back when something arrives, in the event in
which it arrives. What programs make of that is the guest's business.
"""
