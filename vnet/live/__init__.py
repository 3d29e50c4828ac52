"""Where the lab meets the machine it runs on: real sockets, real devices, the wall clock."""
