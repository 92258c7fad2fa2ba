"""Turns data sets of other programs into tar shards: bazel run //tools:to_tar -- SOURCE OUT"""

import argparse
import errno
import os
import pathlib
import signal
import sys

from convert import convert
from faults import COMMAND, RESOURCE, USAGE, Fault

_HELP = f"""Turns data sets of other programs into tar shards, which MoCo++ reads.

    {COMMAND} SOURCE OUT

SOURCE is one of these:
    Parquet files: one, or a folder of them, as on the Hugging Face hub
    a folder of Dataset.save_to_disk or DatasetDict.save_to_disk, or other Arrow files
    MosaicML's streaming (MDS) or litdata: the folder with index.json, or with a folder for each split
    LMDB: a database of encoded images, of pickled pairs (image, label), of Caffe's Datum; torchvision's LSUN

OUT is a new folder. Splits become OUT/train, OUT/val, ... Names, labels, the order, and the bytes of the image files are
kept; nothing is compressed again. Decoded pixels are written as PNG. docs/data.md says more.
"""


class _Stopped(BaseException):
    def __init__(self, number):
        super().__init__()
        self.number = number


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Fault(USAGE, f"{message}; --help lists what there is")


def _parse(arguments):
    parser = _Parser(prog="to_tar", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter,
                     allow_abbrev=False)
    parser.add_argument("source", metavar="SOURCE", help="data set to convert")
    parser.add_argument("out", metavar="OUT", help="folder to write, which must not exist")
    parser.add_argument("--columns", metavar="IMAGE,LABEL,NAME", help="columns of the images, the labels and the names, by name "
                        "or by number from 1; without LABEL, no labels are written (default: they are found)")
    parser.add_argument("--files", metavar="FOLDER", help="folder of the image files, where SOURCE holds paths instead of "
                        "pictures; / for whole paths")
    parser.add_argument("--shard-size", metavar="MB", type=int, default=1000,
                        help="largest size of a shard in megabytes, 1 to 1000000 (default: 1000)")
    options = parser.parse_args(arguments)
    if not 1 <= options.shard_size <= 1_000_000:
        raise Fault(USAGE, f"--shard-size={options.shard_size}: it must be 1 to 1000000")
    options.columns = [name.strip() for name in options.columns.split(",")] if options.columns else []
    if len(options.columns) > 3 or not all(options.columns[:1]):
        raise Fault(USAGE, f"--columns={','.join(options.columns)}: give up to three columns, IMAGE,LABEL,NAME; one whose name has "
                    "a comma by its number")
    return options


def _stop(number, _):
    for other in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(other, signal.SIG_IGN)  # what is half written is being removed
    raise _Stopped(number)


def main():
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, _stop)
    try:
        options = _parse(sys.argv[1:])
        # Paths are relative to the folder in which the command was typed.
        start = pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."))
        convert(start / options.source, start / options.out, options.columns,
                options.files and start / options.files, options.shard_size * 1_000_000)
        return 0
    except Fault as fault:
        print(f"error: {fault}", file=sys.stderr)
        return fault.code
    except MemoryError:
        print("error: memory ran out; nothing was kept. Close other programs, or use a machine with more", file=sys.stderr)
        return RESOURCE
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.EFBIG,
                               errno.EEXIST, errno.ENOTEMPTY):
            raise
        place = f"'{error.filename}': " if error.filename else ""
        print(f"error: {place}{error.strerror}; nothing was kept. Free space or give another folder, and run the command again",
              file=sys.stderr)
        return RESOURCE
    except _Stopped as stopped:
        print("stopped; nothing was kept", file=sys.stderr)
        return 128 + stopped.number


if __name__ == "__main__":
    sys.exit(main())
