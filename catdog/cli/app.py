"""Start the page, then open the address that it prints."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from catdog import load
from catdog.checkpoint import CheckpointError
from catdog.classifier import Classifier
from catdog.cli import LabelOrder, ending_at_once, in_order, log_to_terminal, program
from catdog.cli.serving import (
    MAX_PORT,
    UPLOADS_MODE,
    ServingError,
    check_proxies,
    choose_uploads,
    find_address,
    root_path,
    without_proxies,
)
from catdog.device import DeviceError
from catdog.engines import Engine

BUILT = Path("dist")  # where the documentation has build_site.py write
START = "service-worker.js"


@dataclass
class Options:
    """Start the page that tells cats and dogs apart, and print its address."""

    checkpoint: Path | None = None
    """The trained network to use: a file, or owner/name on the Hugging Face Hub; without it, the one that comes with catdog."""
    labels: LabelOrder | None = None
    """Which output of another program's checkpoint comes first, where its file does not say so."""
    device: str = "auto"
    """cpu, cuda, mps, or auto: the GPU where there is one."""
    engine: Engine = "torch"
    """What computes the answers: torch, or openvino, which is faster on a CPU with instructions for bfloat16 and needs its
    packages: pip install openvino onnx onnxscript."""
    host: str | None = None
    """The address to listen at; 0.0.0.0 is every one of this machine's. Without it, this machine only."""
    port: int | None = None
    """The port; without it, the first free one from 7860 on."""
    root_path: str | None = None
    """Where a reverse proxy shows the page below a path of its site: that path, such as /catdog, or the whole address, such as
    https://example.com/catdog, where the proxy does not say what its own is."""
    site: Path | None = None
    """A folder that build_site.py has written: visitors may then have their photos answered on their own device. Without it,
    dist, where there is one."""
    share: bool = False
    """Also open a public address through Gradio's servers, for 72 hours."""
    mcp: bool = False
    """Also offer the endpoints to assistants as MCP tools, under /gradio_api/mcp/."""


def main() -> int:
    options = tyro.cli(Options, prog=program())
    log_to_terminal()
    try:
        if options.port is not None and not 1 <= options.port <= MAX_PORT:
            raise ServingError(f"--port is {options.port}: it must be between 1 and {MAX_PORT}.")
        host, _ = find_address(options.host, options.port)  # a mistake in the arguments is told without loading Gradio
        below = root_path(options.root_path)
        if options.site and not (options.site / START).is_file():
            raise ServingError(f"--site is {options.site}: build_site.py has written nothing there.")
        if options.share:
            check_proxies()
        classifier = load(options.checkpoint, options.device, options.engine, in_order(options.labels))
        serve(classifier, options, host, below)
    except (CheckpointError, DeviceError, ServingError, OSError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    return 0


def serve(classifier: Classifier, options: Options, host: str, below: str) -> None:
    """Serve the page until Ctrl-C or a polite kill, after either of which the uploads are deleted."""
    os.environ.pop("GRADIO_SERVER_NAME", None)  # Gradio would look for free ports there, and fails where it is IPv6
    uploads = choose_uploads()
    with ending_at_once(), without_proxies():
        from catdog import page
    site = options.site or (BUILT if (BUILT / START).is_file() else None)
    uploads.mkdir(UPLOADS_MODE, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _, port = find_address(host, options.port)
    while True:
        try:
            with without_proxies(f"localhost,{host}" if options.share else "*"):
                return page.launch(
                    page.build(classifier, site),
                    server_name=f"[{host}]" if ":" in host else host,  # as in a URL
                    server_port=port,
                    root_path=below,
                    share=options.share,
                    mcp_server=options.mcp or None,  # None: as the environment variable GRADIO_MCP_SERVER says
                )
        except OSError:
            taken, (_, port) = port, find_address(host, options.port)
            if port == taken:  # it was not that another program came first
                raise
