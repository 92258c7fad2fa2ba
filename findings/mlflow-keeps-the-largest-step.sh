#!/bin/bash
# mlflow-skinny 3.17.2: the value of a metric that a run shows, and by which search_runs sorts and filters, is that of the
# largest step, not the one logged last. log_metric without a step writes step 0, so that a test accuracy that is logged at
# the end under the name of the curve (0.5), or after the training went on from step 0, changes nothing: the run keeps 0.9,
# and is the best in the list. RunData.metrics is documented to hold the value with the latest timestamp. The history has all
# three values.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  mlflow-skinny==3.17.2 sqlalchemy==2.1.9 alembic==1.20.1
cd "$work"
MLFLOW_DISABLE_TELEMETRY=true MLFLOW_LOGGING_LEVEL=WARNING "$work/venv/bin/python" - << 'PYTHON'
import mlflow

mlflow.set_tracking_uri("sqlite:///runs.db")
with mlflow.start_run() as run:
    for step, accuracy in (1, 0.7), (2, 0.9):
        mlflow.log_metric("accuracy", accuracy, step=step)
    mlflow.log_metric("accuracy", 0.5)
client = mlflow.MlflowClient()
shown = client.get_run(run.info.run_id).data.metrics["accuracy"]
above = [found.info.run_id for found in client.search_runs([run.info.experiment_id], "metrics.accuracy > 0.8")]
history = [(metric.step, metric.value) for metric in client.get_metric_history(run.info.run_id, "accuracy")]
times = [metric.timestamp for metric in client.get_metric_history(run.info.run_id, "accuracy")]
print("mlflow", mlflow.__version__, "step and value as logged:", history, "shown:", shown, "found above 0.8:", len(above))
assert history == [(1, 0.7), (2, 0.9), (0, 0.5)] and times == sorted(times)
assert shown == 0.9 and above == [run.info.run_id]
PYTHON
