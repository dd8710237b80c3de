"""The page's network in the browser by LiteRT.js beside ONNX Runtime Web, in turns: how fast, how many bytes, which shapes.

LiteRT's converter wants an environment of its own, and its runtime a folder of npm's:

    pip install litert-torch torchvision pillow-heif safetensors scipy     # in another environment, for --convert
    npm install --prefix lite @litertjs/core
    python -m research.compare_litert --convert --model lite/network.tflite
    python -m research.compare_litert --model lite/network.tflite --runtime lite/node_modules
"""

from __future__ import annotations

import gzip
import shutil
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
import tyro

from catdog.checkpoint import CheckpointError, load_checkpoint
from catdog.cli import program
from catdog.engines.onnx import ExportedNetwork, export_onnx
from catdog.files import CHECKPOINT
from catdog.measuring.tables import markdown_table
from catdog.resnet import folded

ROUNDS, RUNS = 3, 20
PATIENCE = 120_000  # ms
PAGE = """<!doctype html><script type="importmap">{"imports": {
    "@litertjs/core": "./lite/@litertjs/core/dist/index.js",
    "@litertjs/wasm-utils": "./lite/@litertjs/wasm-utils/dist/index.js"
}}</script>"""
TIMED = """const took = [];
    for (let run = 0; run < RUNS + 3; run++) {
        const started = performance.now();
        await once();
        if (run >= 3) took.push(performance.now() - started);
    }
    return took;""".replace("RUNS", str(RUNS))
LITERT = f"""async ({{ size, threads }}) => {{
    const {{ loadLiteRt, loadAndCompile, Tensor }} = await import("@litertjs/core");
    await loadLiteRt(new URL("./lite/@litertjs/core/wasm/", location.href).href, {{ threads: threads > 1 }});
    const model = await loadAndCompile("./network.tflite", {{ accelerator: "wasm" }});
    const input = new Float32Array(3 * size * size).fill(0.1);
    const once = async () => {{
        const tensor = new Tensor(input, [1, 3, size, size]);
        const found = await model.run(tensor);
        tensor.delete();
        for (const each of found) (each.toTypedArray(), each.delete());
    }};
    {TIMED}
}}"""
ONNX = f"""async ({{ size, threads }}) => {{
    const ort = await import(new URL("./ort/ort.wasm.min.mjs", location.href).href);
    ort.env.wasm.numThreads = threads;
    const session = await ort.InferenceSession.create("./network.onnx", {{ executionProviders: ["wasm"] }});
    const input = new Float32Array(3 * size * size).fill(0.1);
    const once = () => session.run({{ pictures: new ort.Tensor("float32", input, [1, 3, size, size]) }});
    {TIMED}
}}"""


@dataclass
class Options:
    """Compare LiteRT.js with ONNX Runtime Web."""

    model: Path
    """The network as LiteRT reads it."""
    convert: bool = False
    """Write it, in an environment with litert-torch."""
    runtime: Path = Path("node_modules")
    """Where npm has put @litertjs/core."""
    checkpoint: Path = CHECKPOINT


def main() -> int:
    options = tyro.cli(Options, prog=program())
    try:
        network, metadata = load_checkpoint(options.checkpoint)
    except CheckpointError as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    size = metadata.input_size
    if options.convert:
        import litert_torch  # pyright: ignore[reportMissingImports]  # in an environment of its own

        answering = ExportedNetwork(folded(network)).eval()
        litert_torch.convert(answering, (torch.zeros(1, 3, size, size),)).export(str(options.model))
        return 0
    from playwright.sync_api import sync_playwright

    from catdog.cli.benchmark.browser import BROWSER
    from catdog.cli.benchmark.device import serving
    from catdog.page.site import RUNTIME, RUNTIME_FILES

    took: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        (folder / "index.html").write_text(PAGE)
        shutil.copytree(options.runtime / "@litertjs", folder / "lite" / "@litertjs")
        shutil.copytree(RUNTIME / "dist", folder / "ort")
        shutil.copyfile(options.model, folder / "network.tflite")
        export_onnx(network, metadata, folder / "network.onnx", "int8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*BROWSER])
        for _ in range(ROUNDS):
            for threads in (1, 2):
                for runtime, script in (("ONNX Runtime Web", ONNX), ("LiteRT.js", LITERT)):
                    with serving(folder, threads) as address:
                        page = browser.new_page()
                        page.set_default_timeout(PATIENCE)
                        page.goto(address)
                        row = f"{runtime}, {threads} thread{'s' * (threads > 1)}"
                        took.setdefault(row, []).append(
                            median(page.evaluate(script, {"size": size, "threads": threads}))
                        )
                        page.close()
        browser.close()
        compressed = partial(packed, folder)
        sizes = {
            "ONNX Runtime Web": (
                compressed("network.onnx"),
                sum(map(compressed, [f"ort/{one}" for one in RUNTIME_FILES])),
            ),
            "LiteRT.js": (
                compressed("network.tflite"),
                sum(map(compressed, ("lite/@litertjs/core/dist/index.js", *of_litert(folder)))),
            ),
        }
    body: list[Any] = []
    for row, values in took.items():
        weights, runtime = sizes[row.split(",")[0]]
        body.append(
            (row, f"{median(values):.0f} ({min(values):.0f} to {max(values):.0f})", f"{weights:.1f}", f"{runtime:.1f}")
        )
    print(markdown_table((f"{size} x {size} px", "ms", "network, MB packed", "runtime, MB packed"), body))
    return 0


def of_litert(folder: Path) -> list[str]:
    """The files of its runtime that a browser with 128-bit instructions and without threads asks for."""
    return [f"lite/@litertjs/core/wasm/litert_wasm_internal.{kind}" for kind in ("js", "wasm")]


def packed(folder: Path, name: str) -> float:
    """Megabytes by gzip."""
    return len(gzip.compress((folder / name).read_bytes(), 9)) / 1e6


if __name__ == "__main__":
    sys.exit(main())
