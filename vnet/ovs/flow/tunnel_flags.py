"""What a packet's tunnel said, as bits of a flow's ``tun_flags``.

Source: FLOW_TNL_F_* in lib/packets.h of Open vSwitch.
"""

from typing import Final

OAM: Final = 0x1
DONT_FRAGMENT: Final = 0x2
CHECKSUM: Final = 0x4
KEY: Final = 0x8
GENEVE: Final = 0x10
"""Never a flow's: datapaths tell packets of Geneve by it, whose options may be none
(FLOW_TNL_F_UDPIF)."""
