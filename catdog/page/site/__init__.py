"""The page without a server: a folder of files for any host, with the network in it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from catdog.checkpoint import load_checkpoint, local_checkpoint
from catdog.classifier import Classifier
from catdog.device import choose_device
from catdog.engines.onnx import Weights, export_onnx
from catdog.engines.onnx_inside import layered_model, shuffled_model
from catdog.files import EXAMPLES
from catdog.layers import depths_of, layers_of
from catdog.page.about import about
from catdog.page.assets import HERE, POLICY, bank_of, read_web
from catdog.page.code import code
from catdog.page.figures import figures_of
from catdog.page.sending import digest_of

SITE = Path(__file__).parent
RUNTIME = HERE.parent.parent / "site" / "node_modules" / "onnxruntime-web"
RUNTIME_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
GRAPHICS_FILES = (
    "ort.jspi.min.mjs",
    "ort-wasm-simd-threaded.jspi.mjs",
    "ort-wasm-simd-threaded.jspi.wasm",
)  # with WebGPU
LIBHEIF = RUNTIME.parent / "libheif-js" / "libheif-wasm"
HEIC = "runtime/libheif.mjs"
PACKED = "runtime/runtime.packed"  # not .gz, which some hosts send unpacked
GRAPHICS_PACKED = "runtime/graphics.packed"
STORED = "network"  # what the models of the tour call the file with their weights
NOT_IN_A_PAGE = "frame-ancestors"  # browsers take this rule from a header alone


class SiteError(ValueError):
    """A site that cannot be built: one sentence with a way out."""


def build_site(out: Path, checkpoint: Path | str | None = None, weights: Weights = "int8") -> dict[str, int]:
    """Write the page and the network into a folder that any host can serve, below any path.

    Args:
        out: a folder that is empty, or that an earlier build has made: what is in it is replaced.
        checkpoint: a file, or `owner/name` on the Hugging Face Hub; without one, the checkpoint that is shipped.
        weights: how the network's weights are stored.

    Returns:
        The files by name, and their bytes.

    Raises:
        SiteError: where the folder holds other things, or the runtime has not been installed.
        CheckpointError, ExportError, OSError: as in reading and exporting a checkpoint.
    """
    needed = [*(RUNTIME / "dist" / name for name in RUNTIME_FILES + GRAPHICS_FILES), LIBHEIF / "libheif-bundle.mjs"]
    if missing := [path.name for path in needed if not path.is_file()]:
        raise SiteError(f"{missing[0]} is missing: in a checkout, run npm ci --prefix site")
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "service-worker.js").is_file())):
        raise SiteError(f"{out} holds other things: give a folder that is empty or does not exist.")
    network, metadata = load_checkpoint(local_checkpoint(checkpoint))
    classifier = Classifier(network, metadata, choose_device("cpu"))
    with tempfile.TemporaryDirectory() as place:
        model = Path(place) / "network.onnx"
        export_onnx(network, metadata, model, weights)
        content = model.read_bytes()
    inside = {
        "layers": layered_model(network, metadata, weights, content, STORED),
        "shuffled": shuffled_model(network, content, STORED),
    }
    files = runtime_files()
    known = about_of(classifier, content, inside, files)
    files |= {known["network"]["file"]: content}
    files |= {known["inside"][name]["file"]: each for name, each in inside.items()}
    files |= page_files(classifier, known)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as place:
        whole = Path(place) / "site"
        for name, each in files.items():
            path = whole / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(each)
        if out.exists():
            shutil.rmtree(out)
        whole.rename(out)
    return {name: len(each) for name, each in files.items()}


def about_of(
    classifier: Classifier, content: bytes, inside: dict[str, bytes], runtime: dict[str, bytes]
) -> dict[str, Any]:
    """about.json for the device: what the server's says, and where the network and its runtime are and how its answer is
    read.

    Args:
        content: the network.
        inside: the models that read their weights from it.
        runtime: what `runtime_files` gives.
    """
    metadata = classifier.metadata
    return about(classifier) | {
        "engine": "device",
        "device": "",
        "network": {
            **part_of(f"network/{digest_of(content)}.onnx", content),
            "resize": metadata.resize,
            "bias": np.asarray(classifier.bias, np.float64).tolist(),
            "finer_scale": metadata.finer_scale,
        },
        "inside": {
            "stored": STORED,
            "layers_of": [layer._asdict() for layer in layers_of(classifier.network)],
            "depths": depths_of(classifier.network),
            **{name: part_of(f"network/{digest_of(each)}.onnx", each) for name, each in inside.items()},
        },
        "runtime": {
            "folder": "runtime/",
            "main": f"runtime/{RUNTIME_FILES[0]}",
            "packed": part_of(PACKED, runtime[PACKED]),
            "graphics": {
                "main": f"runtime/{GRAPHICS_FILES[0]}",
                "packed": part_of(GRAPHICS_PACKED, runtime[GRAPHICS_PACKED]),
            },
            "heic": HEIC,
        },
    }


def part_of(file: str, content: bytes) -> dict[str, Any]:
    """A large file, and what the page finds out whether it came whole by."""
    return {"file": file, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def runtime_files() -> dict[str, bytes]:
    """ONNX Runtime in two builds, their large files packed, since not every host packs what it sends; and libheif."""
    files = {}
    for names, packed in ((RUNTIME_FILES, PACKED), (GRAPHICS_FILES, GRAPHICS_PACKED)):
        *small, large = names
        files |= {f"runtime/{name}": (RUNTIME / "dist" / name).read_bytes() for name in small}
        files[packed] = gzip.compress((RUNTIME / "dist" / large).read_bytes(), 9, mtime=0)
    files[HEIC] = (LIBHEIF / "libheif-bundle.mjs").read_bytes()
    files["runtime/libheif-LICENSE"] = (LIBHEIF / "LICENSE").read_bytes()
    return files | {
        f"runtime/{name}": (RUNTIME / name).read_bytes() for name in ("README.md", "package.json")
    }  # the license of ONNX Runtime


def page_files(classifier: Classifier, known: dict[str, Any]) -> dict[str, bytes]:
    """Everything but the network and its runtime."""
    _, web = read_web()
    web["engine/index.js"] = (SITE / "engine.js").read_bytes()
    web["start.js"] = (SITE / "start.js").read_bytes()
    digest = digest_of(*(part for name, content in sorted(web.items()) for part in (name.encode(), content)))
    page = web.pop("index.html").decode()
    files = {f"web/{digest}/{name}": content for name, content in web.items()}
    files |= {each["photo"]: (EXAMPLES.parent / each["photo"]).read_bytes() for each in known["examples"]}
    files |= bank_of(known)
    files |= {
        "index.html": html_of(page, digest),
        "about.json": as_json(known),
        "code.json": as_json(code()),
        "figures.json": as_json(figures_of(classifier.metadata)),
        "icon.svg": (HERE / "icon.svg").read_bytes(),
        "card.jpg": (HERE / "card.jpg").read_bytes(),
        **{f"icon-{side}.png": icon(side) for side in ICON_SIDES},
        "manifest.webmanifest": as_json(MANIFEST),
        ".nojekyll": b"",  # or GitHub Pages would leave files out
    }
    names = sorted(files)
    of_graphics = [f"runtime/{name}" for name in GRAPHICS_FILES[:-1]]  # which not every device needs
    large = [known["network"]["file"], PACKED, HEIC, GRAPHICS_PACKED, *of_graphics]
    small = [
        *("" if name == "index.html" else name for name in names if name != ".nojekyll"),
        *(f"runtime/{name}" for name in RUNTIME_FILES[:-1]),
        *(known["inside"][name]["file"] for name in ("layers", "shuffled")),
    ]
    version = digest_of(*(part for name in names for part in (name.encode(), files[name])))
    worker = (SITE / "service-worker.js").read_text(encoding="utf-8")
    for mark, value in (("{{digest}}", version), ("{{small}}", json.dumps(small)), ("{{large}}", json.dumps(large))):
        worker = worker.replace(mark, value)
    return files | {"service-worker.js": worker.encode()}


def icon(side: int) -> bytes:
    """The mark on a ground that reaches to the edges: home screens cut it as they like."""
    content = io.BytesIO()
    with Image.open(HERE / "icon.png") as whole:
        small = whole.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
    small.quantize(64).save(content, "PNG", optimize=True)
    return content.getvalue()


ICON_SIDES = (180, 192, 512)  # px: iOS, Android, where an app is installed
MANIFEST = {
    "id": "catdog",
    "name": "catdog",
    "short_name": "catdog",
    "description": "A cat, a dog, both or neither?",
    "start_url": "./",
    "scope": "./",
    "display": "standalone",
    "background_color": "#faf8f5",
    "theme_color": "#faf8f5",
    "icons": [
        {"src": "icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
        *(
            {"src": f"icon-{side}.png", "sizes": f"{side}x{side}", "type": "image/png", "purpose": purpose}
            for side, purpose in ((192, "any"), (512, "any"), (512, "maskable"))
        ),
    ],
}


def html_of(page: str, digest: str) -> bytes:
    """index.html with the policy in its own text, the manifest and the start of the service worker."""
    rules = [rule for rule in POLICY.split("; ") if not rule.startswith(NOT_IN_A_PAGE)]
    policy = "; ".join(rules).replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '  <link rel="manifest" href="manifest.webmanifest">\n'
        f'  <link rel="apple-touch-icon" href="icon-{ICON_SIDES[0]}.png">\n'
        f'  <script type="module" src="web/{digest}/start.js"></script>\n'
    )
    preload = '<link rel="modulepreload" href="web/{{digest}}/engine/%s">'
    own = "\n  ".join(preload % name for name in ("device.js", "device/pace.js"))
    page = page.replace(preload % "server.js", own).replace("{{digest}}", digest).replace("{{address}}", "")
    return page.replace('<link rel="icon"', f'{head}  <link rel="icon"', 1).encode()


def as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
