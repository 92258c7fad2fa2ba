#!/bin/bash
# tensorboard 2.21.0: EventAccumulator(path).Scalars(tag), which scripts use to plot runs, returns 10,000 random steps if the
# run has more, without a word: of 20,000 steps about every second one is missing, and with it a spike of the loss in one step.
# The maximum over the curve and a difference of two runs by row are then wrong. The number is the default of size_guidance,
# which the documentation of the class states; {"scalars": 0} keeps all, as tbparse 0.0.9 does.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  tensorboard==2.21.0 tbparse==0.0.9 setuptools==80.9.0
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import tensorboard
from tbparse import SummaryReader
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter


def read(steps, spike, **options):
    run = f"run-{steps}-{spike}"
    writer = EventFileWriter(run)
    for step in range(steps):
        loss = Summary.Value(tag="loss", simple_value=float(step == spike))
        writer.add_event(Event(step=step, wall_time=step, summary=Summary(value=[loss])))
    writer.close()
    losses = EventAccumulator(run, **options).Reload().Scalars("loss")
    return len(losses), max(loss.value for loss in losses), len(SummaryReader(run).scalars)


short, long, whole = read(10000, 777), read(20000, 777), read(20000, 778, size_guidance={"scalars": 0})
missed = sum(read(20000, spike)[1] == 0 for spike in (1000, 3000, 5000, 7000, 9000, 11000))
print("tensorboard", tensorboard.__version__, "steps, highest loss, steps of tbparse: of 10,000", short, "of 20,000", long,
      "with size_guidance", whole, "spikes missed of six:", missed)
assert short == (10000, 1.0, 10000) and long[0] == 10000 and long[2] == 20000 and whole == (20000, 1.0, 20000)
assert missed > 0
PYTHON
