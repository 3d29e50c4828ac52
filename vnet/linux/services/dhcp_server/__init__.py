"""A DHCP server (RFC 2131) that decides, waits and writes as dnsmasq does."""
