#!/bin/bash
# chromadb 1.5.9: collection.add with an id that the collection has already changes nothing, without an error or a warning,
# although its documentation says that it raises a ValueError: the old features and the old label stay, while new ids of the
# same call are stored. So after another round of training, features that are added under the names of the images leave those
# of the old encoder in place, and a search mixes both. upsert replaces them.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  chromadb==1.5.9 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import chromadb

client = chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False))
collection = client.create_collection("images")
collection.add(ids=["a.jpg"], embeddings=[[1.0, 0.0]], metadatas=[{"label": "cat"}])
new = {"ids": ["a.jpg", "b.jpg"], "embeddings": [[0.0, 7.0], [0.0, 5.0]], "metadatas": [{"label": "dog"}, {"label": "dog"}]}


def stored():
    rows = collection.get(ids=["a.jpg", "b.jpg"], include=["embeddings", "metadatas"])
    return {name: (embedding.tolist(), metadata["label"])
            for name, embedding, metadata in zip(rows["ids"], rows["embeddings"], rows["metadatas"])}


collection.add(**new)
added = stored()
collection.upsert(**new)
upserted = stored()
print("chromadb", chromadb.__version__, "after add:", added, "after upsert:", upserted)
assert added == {"a.jpg": ([1, 0], "cat"), "b.jpg": ([0, 5], "dog")}
assert upserted == {"a.jpg": ([0, 7], "dog"), "b.jpg": ([0, 5], "dog")}
PYTHON
