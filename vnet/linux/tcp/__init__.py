"""TCP as Linux 6 speaks it with ``net.ipv4.tcp_congestion_control=reno``.

A :class:`~vnet.linux.tcp.connection.Connection` knows no sockets and no clock: it is told of
segments, of time, and of what its program wants, and it leaves segments, deadlines and events
to be taken. Inside it, sequence numbers are unbounded integers that begin at the initial one;
:mod:`~vnet.linux.tcp.sequence` folds and unfolds the 32 bits of the wire.

    states       RFC 9293's table: state x event -> state
    handshake    what is agreed on in SYN and SYN-ACK
    connection   the two halves together, and the program's calls    writing   what leaves
    arrival      segments in, checked in RFC 9293's order    intake   what they carry
    keepalive    how long a silent peer is waited for
    receiver     reassembly, SACK blocks    window   what is advertised    ack_policy   when
    sender       what leaves and what timeouts do      chunks   how much of it at once (Nagle)
    acks         what acknowledgements do              probes   what is asked in silence
    scoreboard   what is in flight          rack     what of it is lost    recovery     then what
    reno         the congestion window      rtt      the retransmission timeout
    time_wait    what is left of a connection for a minute
    stray        the answers to segments that belong to no connection
"""
