#!/bin/sh
# What is in lab.db, for a database server that is there: OVS_RUNDIR says where.
# ovsdb-tool create lab.db; ovsdb-server --run=./lab.sh --remote=punix:$OVS_RUNDIR/db.sock lab.db
set -e
dummy() { echo "-- set interface $1 type=dummy ofport_request=$2"; }
ovs-vsctl --no-wait init -- set open . external_ids:system-id=lab other_config:max-idle=9000
ovs-vsctl --no-wait add-br br0 -- set bridge br0 datapath_type=dummy fail_mode=secure \
  other_config:hwaddr=aa:55:aa:55:00:00 other_config:datapath-id=fedcba9876543210 \
  protocols=OpenFlow10,OpenFlow13,OpenFlow15 external_ids:purpose=access
ovs-vsctl --no-wait add-br br1 -- set bridge br1 datapath_type=dummy fail_mode=standalone \
  other_config:hwaddr=aa:55:aa:55:01:00
ovs-vsctl --no-wait add-br fake10 br0 10
ovs-vsctl --no-wait add-port br0 p1 tag=10 $(dummy p1 1) -- set interface p1 external_ids:vm=vm1
ovs-vsctl --no-wait add-port br0 p2 trunks=10,20,30 vlan_mode=trunk $(dummy p2 2)
ovs-vsctl --no-wait add-port br0 p3 tag=20 vlan_mode=native-untagged $(dummy p3 3)
ovs-vsctl --no-wait add-bond br0 bond0 p4 p5 bond_mode=active-backup $(dummy p4 4) $(dummy p5 5)
ovs-vsctl --no-wait add-port br0 to-br1 \
  -- set interface to-br1 type=patch options:peer=to-br0 ofport_request=10
ovs-vsctl --no-wait add-port br1 to-br0 \
  -- set interface to-br0 type=patch options:peer=to-br1 ofport_request=10
ovs-vsctl --no-wait add-port br1 q1 $(dummy q1 1) -- set interface q1 ingress_policing_rate=1000
ovs-vsctl --no-wait set port p1 qos=@q -- --id=@q create qos type=linux-htb \
  other_config:max-rate=1000000 queues:0=@a queues:1=@b \
  -- --id=@a create queue other_config:min-rate=100000 -- --id=@b create queue dscp=10 >/dev/null
ovs-vsctl --no-wait -- --id=@p get port p1 -- --id=@o get port p3 -- --id=@m create mirror \
  name=watch select_src_port=@p output_port=@o -- add bridge br0 mirrors @m >/dev/null
ovs-vsctl --no-wait -- --id=@t create flow_table name=first flow_limit=100 \
  -- set bridge br1 flow_tables:0=@t >/dev/null
