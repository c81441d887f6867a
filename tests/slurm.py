#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""slurm: deploy/slurm on a real Slurm: munged, slurmctld and slurmd of Debian, on this machine and for this test alone.

    tests/slurm.py [--target plain] [--build build/default]

A campaign as an array of 8 shards, with the merge as a dependent job. One task is requeued while it plays, one is told
that its time is nearly over and requeues itself, and one is killed with SIGKILL and requeued by hand. What the merged
store says is what one machine finds with the same seed.
"""
import getpass
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess

import command
import shard

SHARDS = 8
DAEMONS = ["munged", "slurmctld", "slurmd"]
SCENARIOS = ["plain/abba_deadlock", "plain/check_then_act", "plain/wakeup_ok"]
CONFIGURATION = """
ClusterName=constrictor
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=1,sched_min_interval=100000
SlurmdParameters=config_overrides
KillWait=5
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=node Default=YES MaxTime=INFINITE State=UP
"""


def free_ports(count):
    """Ports that nobody has just now, all of them held until the last is found."""
    sockets = [socket.socket() for _ in range(count)]
    for item in sockets:
        item.bind(("127.0.0.1", 0))
    ports = [item.getsockname()[1] for item in sockets]
    for item in sockets:
        item.close()
    return ports


class Cluster:
    """One node, one partition; everything it has is below a folder."""

    def __init__(self, test):
        self.test = test
        self.folder = test.work / "cluster"
        self.processes = []
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        controller, node = free_ports(2)
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(
            host=socket.gethostname().split(".")[0], controller=controller, node=node, user=getpass.getuser(),
            folder=self.folder))
        test.environment["SLURM_CONF"] = str(self.folder / "slurm.conf")
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        self.folder.chmod(0o755)

    def start(self, *words):
        """A daemon in the foreground, so that it ends when we end it."""
        log = open(self.folder / f"{pathlib.Path(words[0]).name}.out", "w")
        self.processes.append(subprocess.Popen(words, env=self.test.environment, stdout=log, stderr=log,
                                               start_new_session=True))
        log.close()

    def up(self):
        """Start it all; true when the node is idle."""
        self.start("/usr/sbin/munged", "--foreground", "--force", f"--key-file={self.folder}/munge.key",
                   f"--socket={self.folder}/munge.socket", f"--pid-file={self.folder}/munged.pid",
                   f"--log-file={self.folder}/munged.log", f"--seed-file={self.folder}/munged.seed")
        if not self.until(lambda: self.ask("munge", "-n", "-S", f"{self.folder}/munge.socket").returncode == 0):
            return False
        self.start("/usr/sbin/slurmctld", "-D", "-c")
        self.start("/usr/sbin/slurmd", "-D", "-N", "node")
        return self.until(lambda: self.ask("sinfo", "-h", "-o", "%t").stdout.strip() == "idle")

    def ask(self, *words):
        return subprocess.run(words, env=self.test.environment, cwd=self.test.work, capture_output=True, text=True)

    def until(self, holds):
        """Ask again and again, as long as every daemon lives. The bound in time is ctest's."""
        while not holds():
            if any(process.poll() is not None for process in self.processes):
                return False
        return True

    def states(self, job):
        """Array task (or "") to state, of tasks that have not ended."""
        listed = self.ask("squeue", "-h", "-r", "-o", "%K %T", "-j", job).stdout.split("\n")
        return dict(line.split() for line in listed if line)

    def down(self):
        for process in reversed(self.processes):
            try:
                os.killpg(process.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        for process in self.processes:
            process.wait()

    def logs(self):
        return "\n".join(f"    {path.name}: {path.read_text(errors='replace')[-1500:]}"
                         for path in sorted(self.folder.glob("*.out")) + sorted(self.folder.glob("*.log")))


def units(path):
    """How many units a shard has played to their end."""
    try:
        return shard.rows(path, "SELECT count(*) FROM exploration WHERE verdict IS NOT NULL")[0][0]
    except sqlite3.Error:
        return 0  # there is no store yet, or it is just being made


def command_of(cluster, task):
    """The process that plays a shard."""
    wanted = f"{cluster.test.work}/results/shard-{task}".encode()
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended
        if words[:2] == [os.fsencode(cluster.test.environment["CONSTRICTOR"]), b"run"] and wanted in words:
            return int(path.parent.name)
    raise SystemExit(f"slurm.py: task {task} plays nothing")


def disturb(test, cluster, job, task, what):
    """Interrupt a task that has played something and has more to do, and have it played again."""
    store = test.work / f"results/shard-{task}/results.db"
    if not test.check(cluster.until(lambda: units(store) > 0), f"task {task} plays", cluster.logs()):
        return
    if what == "kill":  # as a kernel without memory would
        os.kill(command_of(cluster, task), signal.SIGKILL)
        cluster.until(lambda: cluster.states(job).get(str(task)) in (None, "COMPLETING"))
        test.check(cluster.until(lambda: cluster.ask("scontrol", "requeue", f"{job}_{task}").returncode == 0),
                   f"task {task} is killed, and requeued", cluster.logs())
        return
    # scancel of this Slurm asks again for minutes after a signal has come: it is ended when the task has gone.
    asking = subprocess.Popen([*what, f"{job}_{task}"], env=test.environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    gone = cluster.until(lambda: cluster.states(job).get(str(task)) != "RUNNING")
    test.check(gone, f"task {task} ends: {' '.join(what)}", cluster.logs())
    asking.terminate()
    asking.wait()


def check_array(test, cluster, runs):
    words = [*SCENARIOS, "--target", test.target, "--runs", str(runs), "--seed", "5"]
    submitted = cluster.ask(command.ROOT / "deploy/slurm/submit", "--shards", str(SHARDS), "results", "--", *words)
    if not test.check(submitted.returncode == 0 and submitted.stdout.startswith("shards "),
                      "submit: an array and a merge", submitted.stderr):
        return
    job, merge = submitted.stdout.replace(",", "").split()[1::2]
    disturb(test, cluster, job, 2, ("scontrol", "requeue"))
    disturb(test, cluster, job, 3, ("scancel", "--signal=USR1", "--batch"))
    disturb(test, cluster, job, 4, "kill")
    waiting = cluster.states(merge)
    test.check(set(waiting.values()) == {"PENDING"}, "the merge waits for the shards", waiting)
    test.check(cluster.until(lambda: release(cluster, job, merge)), "everything ends", cluster.logs())
    merged = (test.work / "results/merge.log").read_text()
    test.check(f" {len(SCENARIOS) * runs} runs" in merged and "not come to" not in merged,
               "the merge counts each run once, and misses no shard", merged)
    for name in ("report.html", "junit.xml", "results.sarif", "summary.md"):
        test.check((test.work / "results" / name).stat().st_size > 100, f"the merge has written {name}")
    for task, cut in ((2, (None, 130)), (3, (130,)), (4, (None,))):
        ends = [row[0] for row in shard.rows(test.work / f"results/shard-{task}/results.db",
                                             "SELECT exit_code FROM session ORDER BY started_ms")]
        test.check(len(ends) == 2 and ends[0] in cut and ends[1] == 0, f"task {task} was cut off and begun again", ends)
    whole = test.command("run", *words, "--out", "whole", "--shard", "1/1")
    test.check(whole.status == 0, "the same campaign on one machine", whole)
    shard.same(test, "whole/results.db", "results/all.db", "one machine and an array of 8")


def release(cluster, job, merge):
    """True when nothing is left. Slurm lets a requeued task wait for a while; here nobody has to."""
    left = {**cluster.states(job), **cluster.states(merge)}
    for task, state in cluster.states(job).items():
        if state == "PENDING" and task.isdigit():
            cluster.ask("scontrol", "update", f"JobId={job}_{task}", "StartTime=now")
    return not left


def main():
    test = command.Test(command.arguments(__doc__, "plain").parse_args())
    missing = [name for name in DAEMONS if not shutil.which(name, path="/usr/sbin:/usr/bin")]
    if missing:
        test.give_up(f"this machine has Slurm: {', '.join(missing)} is missing", "    ./bootstrap deps installs it")
    if os.getuid() != 0:
        print("# skipped: slurmd starts jobs as root only")
        raise SystemExit(command.SKIPPED)
    test.need_runner()
    test.environment["CONSTRICTOR"] = str(test.build / "constrictor")
    cluster = Cluster(test)
    try:
        if test.check(cluster.up(), "a cluster of one node", cluster.logs()):
            check_array(test, cluster, 4608)
    finally:
        cluster.down()
    test.end()


if __name__ == "__main__":
    main()
