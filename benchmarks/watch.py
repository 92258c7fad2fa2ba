"""Writes down what the programs of a name take while they run: a line in OUT for each of them every few seconds.

    python3 benchmarks/watch.py pretrain OUT [--folder RUN] [--every 10]        # until it is stopped (Ctrl-C, kill)

The columns of OUT, separated by tabs: seconds since the watch began, process, its memory of its own (RssAnon) and all
that it has mapped and touched (VmRSS) in MB, open files, threads, CPU seconds so far, and the MB of --folder on disk.
"""

import argparse
import os
import pathlib
import signal
import time

TICKS = os.sysconf("SC_CLK_TCK")


def size(folder):
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512
            except FileNotFoundError:  # a temporary file that has its final name by now
                pass
    return total / 1e6


def processes(name):
    """Facts of the processes whose program has this name; one that has ended meanwhile is left out."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text().strip() != name[:15]:
                continue
            status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
            stat = (process / "stat").read_text().rsplit(")", 1)[1].split()
            if "VmRSS" not in status:  # a zombie
                continue
            yield (process.name, int(status["RssAnon"].split()[0]) / 1e3, int(status["VmRSS"].split()[0]) / 1e3,
                   len(list((process / "fd").iterdir())), int(status["Threads"]),
                   (int(stat[11]) + int(stat[12])) / TICKS)
        except (FileNotFoundError, ProcessLookupError):
            continue


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--every", type=float, default=10, metavar="SECONDS")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begin = time.monotonic()
    with args.out.open("a") as out:
        print("seconds", "process", "own_mb", "resident_mb", "files", "threads", "cpu_seconds", "disk_mb", sep="\t",
              file=out)
        try:
            while True:
                disk = size(args.folder) if args.folder else 0
                for pid, own, resident, files, threads, cpu in processes(args.name):
                    print(f"{time.monotonic() - begin:.0f}\t{pid}\t{own:.1f}\t{resident:.1f}\t{files}\t{threads}\t{cpu:.1f}"
                          f"\t{disk:.1f}", file=out, flush=True)
                time.sleep(args.every)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
