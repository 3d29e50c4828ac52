"""One OpenFlow switch: tables, rules, groups, translation to datapath actions, and statistics."""
