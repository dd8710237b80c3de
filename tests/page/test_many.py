"""What the many tab knows as well as the program does: which files are pictures, and how a probability is written."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import PurePosixPath

import numpy as np
import pytest
from demanded import skip

from catdog.images import COMPANIONS, EXTENSIONS, is_picture


@pytest.fixture
def in_node(root):
    """Calls a function of the page's modules with each of some values, in Node."""
    node = shutil.which("node")
    if node is None:
        skip("needs node on the PATH")

    def call(module: str, function: str, values: list) -> list:
        address = (root / "catdog" / "page" / "web" / "many" / module).as_uri()
        script = (
            f"import {{ {function} }} from {json.dumps(address)};"
            f"console.log(JSON.stringify({json.dumps(values)}.map((value) => {function}(value))));"
        )
        command = [node, "--no-warnings", "--input-type=module", "--eval", script]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    return call


def test_the_page_takes_the_same_files_for_pictures_as_the_program(in_node):
    names = [f"cat{ending}" for ending in sorted(EXTENSIONS)] + [f"{name}/cat.jpg" for name in sorted(COMPANIONS)]
    names += [
        "CAT.JPG",
        "a/b.Png",
        ".cat.jpg",
        "a/.b/cat.jpg",
        "._cat.jpg",
        ".jpg",
        "jpg",
        "cat.mp4",
        "cat.jpg.zip",
        "cat.",
    ]
    assert in_node("names.js", "isPicture", names) == [is_picture(PurePosixPath(name)) for name in names]


def test_probabilities_in_the_table_have_the_digits_that_predict_writes(in_node):
    numbers = np.random.default_rng(0).random(500)
    values = [0.0, 1.0, *numbers.tolist(), *(10 ** (-20 * numbers)).tolist(), *np.float32(numbers[:100]).tolist()]
    assert in_node("csv.js", "number", values) == [repr(value) for value in values]
