"""Finished trainings on disk, so that none is ever done twice."""

import dataclasses
import json
import os

import keras

from experiments.layer_attention.settings import Run


class Storage:
    """The runs in a directory, one line of `runs.jsonl` each.

    Args:
        directory: `pathlib.Path` of an existing directory.
        settings: `Settings`. A directory holds runs of one kind of settings
            and one backend; with others a `ValueError` is raised.
    """

    def __init__(self, directory, settings):
        self._path = directory / "runs.jsonl"
        header = {
            "backend": keras.config.backend(),
            **dataclasses.asdict(settings),
        }
        # As it is read, with lists for tuples.
        header = json.loads(json.dumps(header))
        text = self._path.read_text() if self._path.exists() else ""
        # The last line is cut off if writing it was.
        whole = [line for line in text.splitlines() if line.endswith("}")]
        if whole and json.loads(whole[0]) != header:
            raise ValueError(
                f"{self._path} has runs of other settings or another backend. "
                "Choose another directory, or remove it."
            )
        self.runs = [Run(**json.loads(line)) for line in whole[1:]]
        contents = [json.dumps(header), *whole[1:]]
        temporary = self._path.with_suffix(".new")
        temporary.write_text("".join(f"{line}\n" for line in contents))
        os.replace(temporary, self._path)

    def add(self, run):
        self.runs.append(run)
        with open(self._path, "a") as file:
            file.write(json.dumps(dataclasses.asdict(run)) + "\n")
