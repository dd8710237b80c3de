"""predict.py --ray: the same rows from many processes, also when some of them are killed."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from PIL import Image

from catdog.batch import cluster
from catdog.checkpoint import Metadata, save_checkpoint
from catdog.inputs import CHUNK_SIZE
from catdog.resnet import resnet18

TOKEN = "0123456789abcdef0123456789abcdef"
HOLDER = """
import ray
ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
print(ray.get_runtime_context().gcs_address, flush=True)
input()
"""
needs_ray = pytest.mark.skipif(
    find_spec("ray") is None, reason="Ray is not installed: it has no wheels for every system"
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("checkpoint") / "net.safetensors"
    save_checkpoint(path, resnet18(), Metadata(input_size=32))
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory, examples) -> Path:
    """Small photos, one of them broken. CATDOG_RAY_PHOTOS says how many; 1000 without it."""
    folder = tmp_path_factory.mktemp("photos")
    contents = []
    for path in examples:
        small = Image.open(path).resize((96, 64))
        small.save(folder / path.name)
        contents.append((folder / path.name).read_bytes())
        (folder / path.name).unlink()
    for index in range(int(os.environ.get("CATDOG_RAY_PHOTOS", "1000"))):
        (folder / f"{index}.jpg").write_bytes(contents[index % len(contents)])
    (folder / "17.jpg").write_bytes(b"broken")
    return folder


def predict(root: Path, photos: Path, checkpoint: Path, out: Path, *more: str, **environment: str) -> subprocess.Popen:
    """predict.py over relative paths, started in the folder above the photos."""
    command = [sys.executable, str(root / "scripts" / "predict.py"), photos.name, "--csv", str(out)]
    command += ["--checkpoint", os.path.relpath(checkpoint, photos.parent), "--device", "cpu", *more]
    return subprocess.Popen(
        command,
        cwd=photos.parent,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def expected(root, photos, checkpoint, tmp_path_factory) -> list[dict[str, str]]:
    """The rows without Ray."""
    out = tmp_path_factory.mktemp("plain") / "rows.csv"
    with predict(root, photos, checkpoint, out) as process:
        said = process.stdout.read()
    assert process.returncode == 1, said  # one photo is broken
    return rows_in(out)


def rows_in(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def assert_same(found: list[dict[str, str]], expected: list[dict[str, str]]) -> None:
    """The last digits of a sum depend on the number of threads."""
    assert [row["path"] for row in found] == [row["path"] for row in expected]
    for one, other in zip(found, expected):
        assert (one["verdict"], one["error"]) == (other["verdict"], other["error"])
        for name in ("cat", "dog"):
            assert float(one[name] or 2) == pytest.approx(float(other[name] or 2), abs=1e-6)


@pytest.fixture
def two_workers() -> Iterator[dict[str, str]]:
    """A cluster of two cores on the loopback address: where it is, and what its users have in their environment."""
    environment = cluster.LOCAL_ENVIRONMENT | {"RAY_AUTH_TOKEN": TOKEN, "RAY_USAGE_STATS_ENABLED": "0"}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        yield environment | {"address": process.stdout.readline().strip(), "pid": str(process.pid)}
        process.communicate("\n")


def rows_done(folder: Path) -> int:
    """Rows in the journals of a folder."""
    return sum(path.read_bytes().count(b"\n") for path in folder.glob(".*.part"))


def workers_under(pid: int) -> list[int]:
    """Processes of the cluster that classify: descendants of the one that started it, known by the name Ray gives them.

    While such a worker imports torch, ctypes starts `ldconfig`, which has the worker's name until it is executed: a child
    of a worker is none.
    """
    parents, names = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(folder.name)] = (folder / "cmdline").read_text()
        except (OSError, ValueError):  # ended meanwhile
            continue

    def descends(child: int) -> bool:
        return child == pid or (child in parents and descends(parents[child]))

    named = {child for child in names if "Worker" in names[child].partition("\0")[0] and descends(child)}
    return [child for child in named if parents[child] not in named]


def memory_of(pid: int) -> int:
    """Bytes that are the process's own: the object store is shared."""
    fields = dict(line.partition(":")[::2] for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["RssAnon"].split()[0]) * 1024


@needs_ray
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds workers and their memory in /proc")
@pytest.mark.timeout(1800)
def test_two_workers_one_of_them_killed_give_the_same_rows_in_memory_that_stays_flat(
    root, photos, checkpoint, expected, two_workers, tmp_path
):
    out, address, holder = tmp_path / "rows.csv", two_workers.pop("address"), int(two_workers.pop("pid"))
    killed, survivor, started = 0, 0, set()
    memory: dict[str, list[int]] = {"driver": [], "worker": []}
    with predict(root, photos, checkpoint, out, "--ray", address, **two_workers) as process:
        while process.poll() is None:
            done = rows_done(tmp_path)
            running = workers_under(holder)
            started |= set(running)
            if done and not killed:
                assert len(running) == 2
                killed, survivor = running
                os.kill(killed, signal.SIGKILL)
            if done:
                memory["driver"].append(memory_of(process.pid))
                with suppress(OSError, KeyError):  # it ends with the run
                    memory["worker"].append(memory_of(survivor))
            time.sleep(0.02)
        said = process.stdout.read()
    assert process.returncode == 1, said
    assert killed and killed not in workers_under(holder)
    assert len(started) == 3, "no worker took the place of the killed one"
    assert "Traceback" not in said
    assert_same(rows_in(out), expected)
    assert not list(tmp_path.glob(".*.part"))
    for whose, looks in memory.items():
        quarter = len(looks) // 4  # of the looks, not of the rows: a fast machine has many rows done at the first look
        assert max(looks[quarter:]) - max(looks[: quarter or 1]) < 50 * 2**20, (whose, looks)


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_without_an_address_this_machine_is_the_cluster_and_a_killed_run_goes_on(
    root, photos, checkpoint, expected, tmp_path
):
    out = tmp_path / "rows.csv"
    with predict(root, photos, checkpoint, out) as process:
        while process.poll() is None and rows_done(tmp_path) < CHUNK_SIZE:  # fewer are made again
            time.sleep(0.01)
        process.kill()
    [journal] = tmp_path.glob(".*.part")
    before = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(before).replace(b'"verdict": "', b'"verdict": "in the first run: '))
    with predict(root, photos, checkpoint, out, "--ray") as process:
        said = process.stdout.read()
    assert process.returncode == any(row["error"] for row in expected), said
    found = rows_in(out)
    kept = sum(row["verdict"].startswith("in the first run: ") for row in found)
    assert 0 < kept < len(expected)
    for row in found:
        row["verdict"] = row["verdict"].replace("in the first run: ", "")
    assert_same(found, expected)
