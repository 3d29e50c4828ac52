"""iptables, ip6tables and their -save and -restore: what they read, do and print (1.8.9)."""
