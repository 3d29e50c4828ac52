"""A DHCP client (RFC 2131) that asks, waits and sets up its machine as dhclient does."""
