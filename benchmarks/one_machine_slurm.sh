#!/usr/bin/env bash
# Starts and stops a Slurm of this machine alone, to try job scripts with (root; Debian's slurmctld, slurmd, slurm-client).
#
#   benchmarks/one_machine_slurm.sh start FOLDER     # its configuration, state and logs; export SLURM_CONF=FOLDER/slurm.conf
#   benchmarks/one_machine_slurm.sh stop FOLDER
set -euo pipefail

[[ $# -eq 2 && ($1 == start || $1 == stop) ]] || {
  sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0" >&2
  exit 2
}
folder=$(realpath -m "$2")
export SLURM_CONF=$folder/slurm.conf

if [[ $1 == stop ]]; then
  scontrol shutdown
  exit
fi

mkdir -p "$folder"/{state,spool,log}
host=$(hostname -s)
# Requeued jobs start at once instead of after two minutes (bf_interval does not matter to one job at a time).
cat >"$SLURM_CONF" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldLogFile=$folder/log/slurmctld
SlurmdLogFile=$folder/log/slurmd
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=60
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=1000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
slurmctld
slurmd
for _ in $(seq 30); do
  [[ $(sinfo -h -o %T) == idle ]] && exit
  sleep 1
done
echo "error: the node does not become idle; see $folder/log" >&2
exit 4
