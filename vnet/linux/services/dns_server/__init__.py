"""A DNS server that answers from hosts, leases and records, or forwards, as dnsmasq does."""
