"""JSON-RPC 1.0 as Open vSwitch speaks it: JSON values back to back on a stream, no framing."""
