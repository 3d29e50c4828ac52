"""iperf3: bulk transfers over TCP, with the real program's protocol, options and table.

client   iperf3 -c    server   iperf3 -s    both with a control connection of ``messages``
stream   a connection that carries data     table    what is printed
"""
