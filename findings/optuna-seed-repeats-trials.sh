#!/bin/bash
# optuna 5.0.0: a study that is continued with a seeded sampler tries the same parameters again. Its random numbers begin
# anew, although the study's trials are there: a script that is run twice for five trials each, or two jobs of an array that
# share the study, train five settings twice and report ten trials. TPESampler, the default, draws its first ten trials at
# random. Without a seed all differ.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  optuna==5.0.0 sqlalchemy==2.1.9 alembic==1.20.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)


def settings(sampler, **seed):
    name = f"{sampler.__name__} {seed}"
    for _ in range(2):  # two runs of one script
        study = optuna.create_study(study_name=name, storage="sqlite:///a.db", load_if_exists=True, sampler=sampler(**seed))
        study.optimize(lambda trial: (trial.suggest_float("rate", 0, 1) - 0.5) ** 2, n_trials=5)
    return [trial.params["rate"] for trial in study.trials]


samplers = optuna.samplers.TPESampler, optuna.samplers.RandomSampler
different = {sampler.__name__: [len(set(settings(sampler, **seed))) for seed in ({"seed": 0}, {})] for sampler in samplers}
print("optuna", optuna.__version__, "different settings in ten trials, with and without a seed:", different)
assert different == {"TPESampler": [5, 10], "RandomSampler": [5, 10]}
PYTHON
