"""Tunnels in bytes: headers put in front, and taken off again (lib/netdev-native-tnl.c)."""
