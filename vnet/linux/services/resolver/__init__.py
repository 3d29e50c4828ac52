"""What a C library does for programs that know a name and want an address (getaddrinfo)."""
