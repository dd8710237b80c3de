"""Start the page, then open the address that it prints."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from catdog import load
from catdog.checkpoint import CheckpointError
from catdog.cli import program
from catdog.device import DeviceError
from catdog.engines import Engine


@dataclass
class Options:
    """Start the page that tells cats and dogs apart, and print its address."""

    checkpoint: Path | None = None
    """The checkpoint; without it, the one that is shipped."""
    device: str = "auto"
    """cpu, cuda, mps, or auto: the GPU where there is one."""
    engine: Engine = "torch"
    """What computes the answers: torch, or openvino, which is faster on a CPU with instructions for bfloat16 and needs its
    packages: pip install openvino onnx onnxscript."""
    host: str | None = None
    """The address to listen at; 0.0.0.0 is every one of this machine's. Without it, this machine only."""
    port: int | None = None
    """The port; without it, the first free one from 7860 on."""
    share: bool = False
    """Also open a public address through Gradio's servers, for 72 hours."""
    mcp: bool = False
    """Also offer the endpoints to assistants as MCP tools, under /gradio_api/mcp/."""


def main() -> int:
    options = tyro.cli(Options, prog=program())
    if options.port is not None and not 1 <= options.port <= 65_535:
        print(f"{program()}: --port is {options.port}: it must be between 1 and 65535.", file=sys.stderr)
        return 2
    try:
        classifier = load(options.checkpoint, options.device, options.engine)
    except (CheckpointError, DeviceError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2

    from catdog import page  # after the checkpoint: a mistake in the arguments is told without loading Gradio

    try:
        page.launch(
            page.build(classifier),
            server_name=options.host,
            server_port=options.port,
            share=options.share,
            mcp_server=options.mcp or None,  # None: as the environment variable GRADIO_MCP_SERVER says
        )
    except OSError as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    return 0
