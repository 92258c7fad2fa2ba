#!/usr/bin/env python3
"""Lists the warnings of another compiler about our sources: tools/check_warnings.py [COMPILER], by default clang++.

It asks Bazel how each source of //... is compiled, and lets the compiler check the source in the same way, without making
code (-fsyntax-only). `bazel build //...` must have been Bazel's last build: it makes the headers, and a folder with all
sources. Exit codes: 0, there are no warnings; 1, there are some, or errors; 2, bad usage.
"""

import concurrent.futures
import json
import os
import subprocess
import sys

# Of GCC alone. What says where outputs go is left out, too.
LEFT_OUT = {"-fno-canonical-system-headers", "-Wunused-but-set-parameter", "-Wno-free-nonheap-object", "-MD", "-c"}
LEFT_OUT_WITH_NEXT = {"-MF", "-o"}


def bazel(*words):
    return subprocess.run(["bazel", *words], check=True, stdout=subprocess.PIPE, text=True).stdout


def compile_commands():
    """The words after the compiler's name, by source of ours."""
    commands = {}
    for action in json.loads(bazel("aquery", "--output=jsonproto", 'mnemonic("CppCompile", //...)'))["actions"]:
        words = iter(action["arguments"][1:])
        kept = []
        for word in words:
            if word in LEFT_OUT_WITH_NEXT:
                next(words)
            elif word not in LEFT_OUT:
                kept.append(word)
        source = action["arguments"][action["arguments"].index("-c") + 1]
        if not source.startswith(("external/", "bazel-out/")):
            commands[source] = kept
    return commands


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        print(__doc__)
        sys.exit(0 if len(sys.argv) == 2 else 2)
    compiler = sys.argv[1] if len(sys.argv) == 2 else "clang++"
    os.chdir(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    commands = compile_commands()
    root = bazel("info", "execution_root").strip()

    def check(source):
        return subprocess.run([compiler, "-fsyntax-only", *commands[source]], cwd=root, stderr=subprocess.PIPE, text=True)

    told = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, (source, result) in enumerate(zip(commands, pool.map(check, commands)), 1):
            if sys.stderr.isatty():
                print(f"\r{done} of {len(commands)}", end="", file=sys.stderr)
            if result.returncode != 0 or result.stderr:
                told += 1
                print(f"{source}:\n{result.stderr}", flush=True)
    print(f"{compiler}: warnings or errors in {told} of {len(commands)} sources")
    sys.exit(told > 0)


if __name__ == "__main__":
    main()
