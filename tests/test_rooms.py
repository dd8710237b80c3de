"""A room imports what its purpose needs, nothing goes in a circle, and who asks for an answer loads little."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Collection, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOMS = ("datasets", "training", "measuring", "batch", "cli", "page")  # folders; all else in catdog/ answers
FORBIDDEN = {
    "answering": {*ROOMS, "research"},
    "batch": {"datasets", "training", "measuring", "page", "cli", "research"},
    "datasets": {"training", "measuring", "batch", "page", "cli", "research"},
    "training": {"page", "cli", "research"},
    "measuring": {"training", "page", "cli", "research"},
    "page": {"training", "cli", "research"},
    "cli": {"research"},
}
SLOW_TO_LOAD = {
    "scipy",
    "sklearn",
    "matplotlib",
    "gradio",
    "pytorch_grad_cam",
    "pandas",
    "cv2",
    "onnx",
    "openvino",
    "ray",
}


@pytest.fixture(scope="module")
def modules(root) -> dict[str, set[str]]:
    """Module -> the modules of this repository that it imports anywhere in it, also within a function."""
    paths = {
        name_of(path.relative_to(root)): path for room in ("catdog", "research") for path in (root / room).rglob("*.py")
    }
    return {name: {*imported(path, paths)} - {name} for name, path in paths.items()}


def name_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path, known: Collection[str]) -> Iterator[str]:
    """The known modules that a file imports; of `from catdog.page import words`, that is `catdog.page.words`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in known)
        elif isinstance(node, ast.ImportFrom):
            assert node.module and node.level == 0, f"{path}: an import by dots"
            for each in node.names:
                names = [f"{node.module}.{each.name}", node.module]
                yield from [name for name in names if name in known][:1]


def room_of(module: str) -> str:
    package, _, rest = module.partition(".")
    if package == "research":
        return "research"
    folder = rest.partition(".")[0].replace("__main__", "cli")  # `python -m catdog`
    return folder if folder in ROOMS else "answering"


def test_every_room_is_there(modules):
    assert {room_of(module) for module in modules} == {*ROOMS, "answering", "research"}


def test_no_room_imports_what_its_purpose_does_not_need(modules):
    wrong = [
        f"{module} imports {other}"
        for module, others in modules.items()
        for other in others
        if room_of(other) in FORBIDDEN.get(room_of(module), set())
    ]
    assert not wrong


def test_no_import_goes_in_a_circle(modules):
    try:
        TopologicalSorter(modules).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def loaded_by(code: str, root: Path) -> set[str]:
    """The packages that a fresh Python has loaded after some code."""
    code = f"import sys; {code}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_catdog_loads_torch_and_pictures_and_little_else(root):
    assert not loaded_by("import catdog", root) & {*SLOW_TO_LOAD, "torchvision"}
    loaded = loaded_by("import catdog; catdog.Classifier", root)
    assert {"torch", "numpy", "PIL", "safetensors"} <= loaded
    assert not loaded & {*SLOW_TO_LOAD, "torchvision"}


def test_a_prediction_loads_no_scipy(root):
    code = "import catdog; catdog.load(device='cpu').classify(['examples/cat-chelsea.jpg'])"
    assert not loaded_by(code, root) & {*SLOW_TO_LOAD, "torchvision"}


@pytest.mark.slow
def test_the_page_loads_nothing_that_it_may_never_need(root):
    loaded = loaded_by("from catdog import page; page.build(__import__('catdog').load(device='cpu'))", root)
    assert not loaded & (SLOW_TO_LOAD - {"gradio", "scipy", "pandas"})
