#!/bin/bash
# optuna 5.0.0: create_study(direction="maximize", load_if_exists=True) of a study that was begun without a direction goes on
# minimizing, without a word. The correction of a script that forgot to say that accuracy is to be maximized has no effect on
# the study that it continues: best_params are those of the worst run, and the sampler looks for worse ones.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  optuna==5.0.0 sqlalchemy==2.1.9 alembic==1.20.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import warnings

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)


def accuracy(trial):
    return 1 - abs(trial.suggest_float("rate", 0, 1) - 0.5)


with warnings.catch_warnings():
    warnings.simplefilter("error")
    for direction in {}, {"direction": "maximize"}:
        study = optuna.create_study(study_name="a", storage="sqlite:///a.db", load_if_exists=True,
                                    sampler=optuna.samplers.TPESampler(seed=0 if not direction else 1), **direction)
        study.optimize(accuracy, n_trials=30)
values = [round(trial.value, 2) for trial in study.trials]
print("optuna", optuna.__version__, "direction:", study.direction.name, "best of", len(values), "accuracies from", min(values), "to",
      max(values), "is", round(study.best_value, 2), "mean of the last ten:", round(sum(values[-10:]) / 10, 2))
assert study.direction.name == "MINIMIZE" and len(values) == 60 and max(values) > 0.9
assert round(study.best_value, 2) == min(values) and sum(values[-10:]) / 10 < 0.7
PYTHON
