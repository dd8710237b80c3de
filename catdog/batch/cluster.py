"""Pictures classified by the workers of a Ray cluster, for more of them than one machine can answer."""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import sys
import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from catdog.batch.rows import Row, row_of
from catdog.classifier import load
from catdog.device import DeviceError
from catdog.engines import Engine
from catdog.inputs import CHUNK_SIZE

ANSWER_SECONDS = 10  # a cluster's head answers within one
HERE = [
    str(Path(__file__).parents[2]),
    *filter(None, [os.environ.get("PYTHONPATH")]),
]  # where workers find this package
RETRIES = 3  # of a chunk whose worker ended: a picture that ends every worker must not be tried for ever

# A cluster on this machine is for this machine: others reach neither its ports nor, without the token, its workers.
LOCAL_ENVIRONMENT = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}


class ClusterError(ValueError):
    """A cluster that is not there or has ended: one sentence that says what to do."""


class Worker:
    """One process of the cluster, with the checkpoint loaded once."""

    def __init__(
        self,
        checkpoint: Path | None,
        device: str,
        engine: Engine,
        labels: Sequence[str] | None,
        folder: str,
        views: dict[str, Any],
    ) -> None:
        os.chdir(folder)  # relative paths mean here what they mean to the caller
        self.classify = partial(load(checkpoint, device, engine, labels).classify, errors="return", **views)

    def __call__(self, chunk: dict[str, Any]) -> list[dict[str, str]]:
        """A chunk's paths as bytes -> rows as JSON, which keeps every path and every digit."""
        paths = [os.fsdecode(path) for path in chunk["item"]]
        return [{"row": json.dumps(row_of(path, answer))} for path, answer in zip(paths, self.classify(paths))]


def connect(address: str | None) -> None:
    """Join the cluster at HOST:PORT or `auto`, the one that runs on this machine; without an address start one here.

    Raises:
        ClusterError: where Ray is not installed, or nobody answers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to Ray's makers
    if address is None:
        os.environ.update(LOCAL_ENVIRONMENT, RAY_AUTH_TOKEN=secrets.token_hex(32))
    elif address != "auto":
        check_answers(address)
    try:
        import ray.data
    except ImportError as error:
        raise ClusterError("--ray needs Ray, which is not installed: pip install 'ray[data]'.") from error
    try:
        ray.init(
            address or "local",
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(HERE)}},
        )
    except ConnectionError as error:
        raise ClusterError("No Ray cluster runs on this machine: give --ray HOST:PORT, or --ray alone.") from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True


def check_answers(address: str) -> None:
    """Ray itself would go on trying for minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ClusterError(
            f"--ray is {address}: it must be HOST:PORT of a Ray cluster, auto, or stand alone after the paths."
        )
    try:
        socket.create_connection((host, int(port)), ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"Nobody answers at {address}: start a cluster there with `ray start --head`.") from error


def classify_on_cluster(
    paths: list[str],
    checkpoint: Path | None,
    device: str,
    engine: Engine,
    labels: Sequence[str] | None,
    views: dict[str, Any],
) -> Iterator[Row]:
    """A row a picture, in order, from as many workers as the cluster has GPUs, or cores where it has none.

    A worker that ends is started anew, and its chunk done again.

    Args:
        views: what `Classifier.classify` takes as `sizes` and `mirrored`.

    Raises:
        ClusterError: where that does not help.
        DeviceError: for a device that the cluster does not have.
    """
    import ray.data
    from ray.exceptions import RayActorError

    if not paths:
        return
    have = ray.cluster_resources()
    gpus = 0 if device == "cpu" else int(have.get("GPU", 0))
    if device.startswith("cuda") and not gpus:
        raise DeviceError("The cluster has no GPU: use --device cpu or auto.")
    names = [os.fsencode(path) for path in paths]  # not every name is Unicode
    chunks = [names[start : start + CHUNK_SIZE] for start in range(0, len(names), CHUNK_SIZE)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        rows = ray.data.from_items(chunks, override_num_blocks=len(chunks)).flat_map(
            Worker,
            fn_constructor_args=(
                checkpoint.resolve() if checkpoint and checkpoint.exists() else checkpoint,  # else of the Hub
                device.partition(":")[0],
                engine,
                labels,
                os.getcwd(),
                views,
            ),
            concurrency=min(len(chunks), gpus or int(have["CPU"])),
            num_gpus=1 if gpus else None,
            num_cpus=None if gpus else 1,
            max_task_retries=RETRIES,  # goes in Ray 2.64, which says nothing of what comes instead
        )
    try:
        with tqdm(total=len(paths), unit="picture", disable=not sys.stderr.isatty()) as bar:
            for batch in rows.iter_batches(batch_size=None):
                yield from map(json.loads, batch["row"])
                bar.update(len(batch["row"]))
    except RayActorError as error:
        raise ClusterError(
            "The cluster's workers do not start, or end again and again: see that every machine has the photos and the "
            f"checkpoint under the same paths ({str(error).splitlines()[0]})"
        ) from error
