"""Translation: from a flow and the OpenFlow tables to datapath actions and wildcards."""
