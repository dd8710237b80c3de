"""The page rests on what Gradio and its clients offer to everyone: nothing private of theirs is imported or replaced."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

THEIRS = ("gradio", "gradio_client", "safehttpx", "starlette", "fastapi", "uvicorn", "mcp", "httpx", "anyio")
OFFERED = {
    "gradio",
    "gradio_client",
}  # from which only what the package itself names is taken, from no module inside it


def modules(root: Path) -> list[Path]:
    return sorted((root / "catdog").rglob("*.py"))


def package_of(name: str | None) -> str:
    return (name or "").partition(".")[0]


def private(tree: ast.Module) -> list[str]:
    """What a module imports or touches of those packages that they do not offer."""
    found, theirs = [], set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            theirs |= {
                (each.asname or each.name).partition(".")[0] for each in node.names if package_of(each.name) in THEIRS
            }
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            if package_of(node.module) in THEIRS:
                theirs |= {each.asname or each.name for each in node.names}
            names = [f"{node.module}.{each.name}" for each in node.names]
            found += [node.module for _ in [0] if package_of(node.module) in OFFERED and "." in (node.module or "")]
        else:
            continue
        found += [
            name
            for name in names
            if package_of(name) in THEIRS and any(part.startswith("_") for part in name.split("."))
        ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            base = node.value
            while isinstance(base, (ast.Attribute, ast.Call)):
                base = base.value if isinstance(base, ast.Attribute) else base.func
            if isinstance(base, ast.Name) and base.id in theirs | {"server", "request", "blocks"}:
                found.append(ast.unparse(node))
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id in theirs:
                found.append(f"{ast.unparse(target)} = ...")
        if isinstance(node, ast.ClassDef):
            found += [
                f"class {node.name}({ast.unparse(base)})"
                for base in node.bases
                if ast.unparse(base).partition(".")[0] in theirs & {"Server", "Blocks", "gradio", "gr"}
            ]
    return found


def test_nothing_private_is_imported_touched_or_replaced(root):
    wrong = {
        path.name: found for path in modules(root) if (found := private(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert not wrong


@pytest.mark.parametrize(
    "code",
    [
        "from gradio.blocks import Block",
        "import gradio._simple_templates",
        "import gradio as gr\ngr.Blocks._queue = None",
        "import gradio\ngradio.mcp = None",
        "from gradio import Server\nServer.launch = None",
        "from gradio import Server\nclass Ours(Server): pass",
        "def build(server):\n    server._deferred_apis.clear()",
        "from starlette.requests import Request\nRequest(scope)._receive",
    ],
)
def test_what_would_rest_on_a_private_name_is_found(code):
    assert private(ast.parse(code))


def test_no_text_of_gradio_is_matched(root):
    """Its page is not served, so its classes, its script and its words are nowhere to be matched."""
    for path in (root / "catdog" / "page").rglob("*"):
        if path.suffix in (".py", ".js", ".css", ".html") and "vendor" not in path.parts:
            text = path.read_text(encoding="utf-8")
            for name in ("gradio-app", "gradio-container", "window.gradio_config", "svelte-"):
                assert name not in text, f"{path.name}: {name}"
