"""Link aggregation: which links of a system lead to one and the same partner (IEEE 802.1AX)."""
