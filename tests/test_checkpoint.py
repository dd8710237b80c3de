"""A checkpoint comes back as it was saved, and a file that is none is refused in one sentence."""

from __future__ import annotations

import json
import math
import os
import pickle
import resource
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from catdog import checkpoint
from catdog.checkpoint import (
    CheckpointError,
    Metadata,
    header_digest,
    load_checkpoint,
    load_initial_weights,
    save_checkpoint,
)
from catdog.resnet import ResNet, resnet18, resnet34

METADATA = Metadata(
    head="softmax",
    input_size=256,
    resize="squash",
    temperature=(1.25, 0.75),
    offset=(0.5, -0.25),
    top_weight=(0.1, 0.2),
    present=0.41,
    both=0.63,
    evidence_scale=12.5,
    finer_scale=9.5,
    box_threshold=0.35,
    real_negatives=False,
    training={"data": ["a", "b"], "counts": {"cat": 3}, "seed": 7},
    held_out={"two_way": {"value": 0.99, "k": 99, "n": 100}},
)


@pytest.fixture(scope="session")
def saved(network18, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "network.safetensors"
    save_checkpoint(path, network18, METADATA)
    return path


@pytest.fixture(scope="session")
def contents(saved) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The saved file's tensors and metadata."""
    with safe_open(saved, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "file.safetensors"


def refusal(path: Path) -> str:
    """Why the file is not loaded: one sentence that names it."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    text = str(caught.value)
    assert path.name in text and "\n" not in text
    return text


# ---------------------------------------------------------------------------- there and back


def test_metadata_and_weights_come_back_as_they_were_saved(saved, network18):
    network, metadata = load_checkpoint(saved)
    assert metadata == METADATA
    assert not network.training
    expected = network18.state_dict()
    for name, tensor in network.state_dict().items():
        assert tensor.dtype == expected[name].dtype
        rounded = expected[name].half().float() if tensor.is_floating_point() else expected[name]
        assert torch.equal(tensor, rounded), name


def test_the_loaded_network_answers_as_the_saved_one(saved, network18):
    batch = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(load_checkpoint(saved)[0](batch), network18(batch), atol=0.02, rtol=0.01)


def test_weights_are_stored_as_float16_and_metadata_as_text(saved, contents):
    tensors, header = contents
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16, torch.int64}
    assert saved.stat().st_size < 23e6
    assert header["format_version"] == "4"
    assert json.loads(header["labels"]) == ["cat", "dog"]
    assert json.loads(header["training"]) == METADATA.training


def test_saving_leaves_the_network_in_float32(network18, file):
    save_checkpoint(file, network18, METADATA)
    assert {tensor.dtype for tensor in network18.parameters()} == {torch.float32}


def test_another_architecture_is_built_from_its_name(file):
    save_checkpoint(file, resnet34(), replace(METADATA, architecture="resnet34"))
    network, metadata = load_checkpoint(file)
    assert metadata == replace(METADATA, architecture="resnet34")
    assert len(network.layer3) == 6


def test_metadata_come_back_where_the_file_starts_with_the_byte_of_a_pickle(contents, file):
    tensors, header = contents  # a safetensors file starts with its header's length, a pickle with 0x80

    def write(note: str) -> dict:
        training = METADATA.training | {"note": note}
        changed = header | {"training": json.dumps(training)}
        safetensors.torch.save_file(tensors, file, changed | {"header_sha256": header_digest(changed, tensors)})
        return training

    write("")
    training = write("x" * ((0x80 - file.read_bytes()[0]) % 256))
    assert file.read_bytes()[0] == 0x80
    assert load_checkpoint(file)[1] == replace(METADATA, training=training)


# ---------------------------------------------------------------------------- saving fails


def test_a_disk_that_is_full_in_the_middle_leaves_the_earlier_checkpoint_and_no_temporary_file(saved, network18, file):
    before = saved.read_bytes()
    file.write_bytes(before)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))  # bytes a file may have
    try:
        with pytest.raises(OSError, match="File too large"):
            save_checkpoint(file, network18, METADATA)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_rename_that_fails_leaves_the_earlier_checkpoint_and_no_temporary_file(saved, network18, file, monkeypatch):
    before = saved.read_bytes()
    file.write_bytes(before)

    def refused(source, target):
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(OSError, match="Permission denied"):
        save_checkpoint(file, network18, METADATA)
    monkeypatch.undo()
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_kill_while_saving_leaves_the_earlier_checkpoint(saved, network18, file, monkeypatch):
    before = saved.read_bytes()
    file.write_bytes(before)

    def killed(source, target):
        assert Path(source).parent == file.parent, "a rename across disks is no single step"
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(file, network18, METADATA)
    assert file.read_bytes() == before


def test_a_save_replaces_the_earlier_file_and_leaves_no_other(network18, file):
    file.write_bytes(b"old")
    save_checkpoint(file, network18, METADATA)
    assert load_checkpoint(file)[1] == METADATA
    assert list(file.parent.iterdir()) == [file]


# ---------------------------------------------------------------------------- what is refused


def test_a_missing_checkpoint_says_how_to_make_one(tmp_path):
    assert "python scripts/train.py" in refusal(tmp_path / "gone.safetensors")


def test_a_folder_is_no_checkpoint(tmp_path):
    assert "is a folder" in refusal(tmp_path)


def test_a_git_lfs_pointer_says_how_to_fetch_the_weights(file):
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 22400000\n")
    assert "git lfs pull" in refusal(file)


@pytest.mark.parametrize("share", [0.0, 0.00001, 0.001, 0.5, 0.9999])
def test_a_truncated_file_is_refused(saved, file, share):
    content = saved.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    assert "cut off" in refusal(file)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.999999])
def test_one_changed_byte_among_the_weights_is_noticed(saved, file, share):
    content = bytearray(saved.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    content[start + int((len(content) - start) * share)] ^= 1
    file.write_bytes(content)
    assert "damaged" in refusal(file)


class Small(ResNet):
    """As few weights as there can be, so that every byte of the file can be changed in turn."""

    def __init__(self, num_classes: int = 2) -> None:
        torch.nn.Module.__init__(self)
        self.layer1 = torch.nn.Conv2d(3, 2, 1)
        self.fc = torch.nn.Linear(2, num_classes)


@pytest.mark.slow
@pytest.mark.parametrize("change", ["a bit", "all bits", "to a space"])
def test_any_changed_byte_is_noticed_or_changes_nothing(file, monkeypatch, change):
    monkeypatch.setitem(checkpoint.ARCHITECTURES, "resnet18", Small)
    monkeypatch.setattr(checkpoint, "probed", lambda network: torch.zeros(1, 2))  # it answers nothing
    save_checkpoint(file, Small(), METADATA)
    network, metadata = load_checkpoint(file)
    content = file.read_bytes()
    noticed = 0
    for place, byte in enumerate(content):
        changed = {"a bit": byte ^ (1 << place % 8), "all bits": byte ^ 0xFF, "to a space": ord(" ")}[change]
        file.write_bytes(content[:place] + bytes([changed]) + content[place + 1 :])
        start = Small()
        try:
            other, read = load_checkpoint(file)
        except CheckpointError:
            noticed += 1
        else:
            assert read == metadata, place
            torch.testing.assert_close(other.state_dict(), network.state_dict(), atol=0, rtol=0)
        try:
            load_initial_weights(start, file)
        except CheckpointError:
            continue
        torch.testing.assert_close(start.state_dict(), network.state_dict(), atol=0, rtol=0)
    spaces = content.count(b" ") if change == "to a space" else 0
    assert noticed == len(content) - spaces


def test_metadata_under_a_changed_name_are_noticed(contents, file):
    tensors, header = contents
    for name in header:
        safetensors.torch.save_file(tensors, file, {key + "x" * (key == name): value for key, value in header.items()})
        assert "damaged" in refusal(file), name


def test_a_changed_byte_is_noticed_where_training_starts_from_the_file(saved, file):
    content = bytearray(saved.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        load_initial_weights(resnet18(), file)


@pytest.mark.parametrize("without", [("header_sha256",), ("header_sha256", "sha256")])
def test_an_early_checkpoint_without_digests_is_loaded(contents, file, without):
    tensors, header = contents
    safetensors.torch.save_file(tensors, file, {name: value for name, value in header.items() if name not in without})
    assert load_checkpoint(file)[1] == METADATA


def test_another_program_s_safetensors_is_refused(file):
    safetensors.torch.save_file({"transformer.weight": torch.zeros(3)}, file)
    assert "does not fit" in refusal(file)


@pytest.mark.parametrize("content", [b"dear sir or madam" * 9, b"\x89PNG\r\n\x1a\n", b"\0" * 100, b"PK\x03\x04 half"])
def test_another_kind_of_file_is_refused(file, content):
    file.write_bytes(content)
    refusal(file)


@pytest.mark.parametrize(
    ("version", "named", "top_weight"), [("1", {}, (0, 0)), ("2", {"focus": "[0.1, 0.2]"}, (0.1, 0.2))]
)
def test_files_of_earlier_formats_are_read(contents, file, version, named, top_weight):
    tensors, header = contents
    later = ("top_weight", "finer_scale", "header_sha256")
    header = {name: value for name, value in header.items() if name not in later}
    header |= named | {"format_version": version, "held_out": '{"centre_on_pet": 1, "a centred box": 2}'}
    safetensors.torch.save_file(tensors, file, header | {"header_sha256": header_digest(header, tensors)})
    held_out = {"center_on_pet": 1, "a centered box": 2}
    assert load_checkpoint(file)[1] == replace(METADATA, top_weight=top_weight, held_out=held_out, finer_scale=None)


def test_a_file_from_before_finer_maps_had_a_scale_is_read(contents, file):
    tensors, header = contents
    header = {name: value for name, value in header.items() if name not in ("finer_scale", "header_sha256")}
    header["format_version"] = "3"
    safetensors.torch.save_file(tensors, file, header | {"header_sha256": header_digest(header, tensors)})
    metadata = load_checkpoint(file)[1]
    assert metadata == replace(METADATA, finer_scale=None)
    assert (
        metadata.scale_at(2 * metadata.input_size) == metadata.evidence_scale == METADATA.scale_at(METADATA.input_size)
    )
    assert METADATA.scale_at(2 * METADATA.input_size) == 9.5


def test_another_format_version_is_refused(contents, file):
    tensors, header = contents
    safetensors.torch.save_file(tensors, file, header | {"format_version": "5"})
    assert "format version 5" in refusal(file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("architecture", "vgg16"),
        ("architecture", {}),
        ("head", "hydra"),
        ("labels", ["dog", "cat"]),
        ("resize", "stretch"),
        ("input_size", 0),
        ("input_size", "224"),
        ("input_size", 33),
        ("input_size", True),
        ("input_size", 224.0),
        ("input_size", 100_000),
        ("input_size", 10**400),
        ("mean", [0, 0, 0]),
        ("temperature", [0, 1]),
        ("temperature", [1]),
        ("temperature", 1.0),
        ("temperature", ["warm", "cold"]),
        ("temperature", [1, float("nan")]),
        ("temperature", [1, 10**400]),
        ("temperature", [1, 1e-300]),
        ("offset", [0]),
        ("offset", [-(10**400), 0]),
        ("offset", None),
        ("offset", ["a", "b"]),
        ("present", 1),
        ("present", None),
        ("both", -0.5),
        ("both", "often"),
        ("present", float("nan")),
        ("both", 1.5),
        ("both", True),
        ("evidence_scale", 0),
        ("evidence_scale", 1e-300),
        ("evidence_scale", 1e300),
        ("evidence_scale", None),
        ("finer_scale", -1),
        ("finer_scale", "half"),
        ("box_threshold", 7),
        ("box_threshold", None),
        ("training", None),
        ("training", {"photos": 7}),
        ("training", {"options": []}),
        ("training", {"options": {"seed": "now"}}),
        ("training", {"folders": 3}),
        ("training", {"photos": "no base64!"}),
        ("held_out", []),
    ],
)
def test_impossible_metadata_is_refused(contents, file, name, value):
    tensors, header = contents
    safetensors.torch.save_file(tensors, file, header | {name: json.dumps(value)})
    assert "metadata" in refusal(file)


@pytest.mark.parametrize("name", ["temperature", "head", "labels"])
def test_incomplete_metadata_is_refused_and_what_lacks_is_named(contents, file, name):
    tensors, header = contents
    safetensors.torch.save_file(tensors, file, {key: value for key, value in header.items() if key != name})
    assert name in refusal(file)


@pytest.mark.parametrize("text", ["{half", "[" * 100_000, '{"a":' * 100_000, "9" * 100_000], ids=lambda text: text[:5])
def test_metadata_that_is_no_json_is_refused(contents, file, text):
    tensors, header = contents
    for name in ("present", "training", "labels"):
        safetensors.torch.save_file(tensors, file, header | {name: text})
        assert "metadata" in refusal(file)


def test_a_sentence_stays_short_whatever_names_a_file_has(contents, file):
    tensors, header = contents
    long = "layer\n" * 10_000
    safetensors.torch.save_file(tensors, file, header | {long: "1"})
    assert len(refusal(file)) < 400
    safetensors.torch.save_file(tensors, file, header | {"format_version": long})
    assert len(refusal(file)) < 400
    safetensors.torch.save_file(tensors | {long: torch.zeros(1)}, file, header)
    assert len(refusal(file)) < 400
    file = file.with_suffix(".pth")
    torch.save({long: torch.zeros(1)}, file)
    assert len(refusal(file)) < 400
    torch.save({"classes": [long, "dog"], **tensors}, file)
    assert len(refusal(file)) < 400


@pytest.mark.parametrize("change", ["missing", "unexpected", "wrong shape"])
def test_weights_that_do_not_fit_the_named_architecture_are_refused(contents, file, change):
    tensors, header = dict(contents[0]), dict(contents[1])
    if change == "missing":
        del tensors["layer1.0.conv1.weight"]
    elif change == "unexpected":
        tensors["layer5.weight"] = torch.zeros(1)
    else:
        tensors["fc.bias"] = torch.zeros(3)
    safetensors.torch.save_file(tensors, file, header | {"sha256": checkpoint.weights_digest(tensors)})
    assert "does not fit a resnet18" in refusal(file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("conv1.weight", float("nan")),
        ("layer4.1.bn2.running_var", float("inf")),
        ("layer1.0.bn1.running_var", -1.0),
        ("fc.bias", float("-inf")),
        ("", 65504.0),  # every layer's: they multiply to more than a float32 holds
    ],
)
def test_weights_that_give_no_finite_answer_are_refused(contents, file, name, value):
    tensors, header = contents
    names = [name] if name else [key for key in tensors if "weight" in key]
    forged = tensors | {key: torch.full_like(tensors[key], value) for key in names}
    header = {key: text for key, text in header.items() if "sha256" not in key}
    safetensors.torch.save_file(forged, file, header)
    assert "finite" in refusal(file)
    pickled = file.with_suffix(".pth")
    torch.save(forged, pickled)
    assert "finite" in refusal(pickled)
    if not math.isfinite(value):
        with pytest.raises(CheckpointError, match="finite"):
            load_initial_weights(resnet18(), pickled)


def huge() -> torch.Tensor:
    """64 GB as a file may declare them: one number, repeated."""
    return torch.zeros(1).expand(2**34)


@pytest.mark.parametrize(
    "forged",
    [
        {"layer4.0.conv1.weight": huge()},
        {"fc.weight": torch.zeros(1, 1).expand(1, 2**34), "fc.bias": torch.zeros(1)},
        {"bn1.running_mean": huge(), "conv1.bias": huge()},
        {"conv1.weight": torch.zeros(64, 3, 7, 7).to_sparse()},
        {"conv1.weight": torch.zeros(64, 3, 7, 7, device="meta")},
        {"conv1.weight": torch.zeros(64, 3, 7, 7, dtype=torch.complex64)},
        {"conv1.weight": torch.quantize_per_tensor(torch.zeros(64, 3, 7, 7), 0.1, 0, torch.quint8)},
    ],
    ids=["a layer", "the head", "a bias to absorb", "sparse", "meta", "complex", "quantized"],
)
@pytest.mark.parametrize("load", [load_checkpoint, lambda path: load_initial_weights(resnet18(), path)])
def test_tensors_that_are_larger_than_they_are_or_no_plain_ones_are_refused(contents, file, forged, load):
    file = file.with_suffix(".pth")
    torch.save(contents[0] | forged, file)
    try:
        load(file)
    except CheckpointError as error:
        assert "\n" not in str(error)
    else:
        assert load is not load_checkpoint  # what does not fit is not taken to start from


def test_a_file_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(file):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}))
        with archive.open("archive/data/0", "w", force_zip64=True) as member:
            for _ in range(2**8 + 1):
                member.write(bytes(2**22))
    assert file.stat().st_size < 2**21
    assert "more than 1 GB" in refusal(file)


def test_a_sparse_file_of_gigabytes_is_refused_before_it_is_read(file):
    with file.open("wb") as target:
        header = json.dumps({"a": {"dtype": "F32", "shape": [2**32], "data_offsets": [0, 2**34]}}).encode()
        target.write(len(header).to_bytes(8, "little") + header)
        target.truncate(8 + len(header) + 2**34)
    assert "more than 1 GB" in refusal(file)


def test_lists_that_name_each_other_are_gone_through_once(file):
    laughs: list = ["ha"]
    for _ in range(6):
        laughs = [laughs] * 1000
    file = file.with_suffix(".pth")
    torch.save({"laughs": laughs, "index": {10**400: "cat"}, "classes": {"9" * 10_000: "cat"}}, file)
    assert "no state_dict" in refusal(file)


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    start=st.sampled_from([b"", b"\x80\x02", b"\x80\x03X", b"PK\x03\x04", b"\x10\0\0\0\0\0\0\0{"]),
    rest=st.binary(max_size=60),
)
def test_random_bytes_raise_nothing_but_checkpoint_errors(file, start, rest):
    file.write_bytes(start + rest)
    refusal(file)


# ---------------------------------------------------------------------------- to start training from


def test_starting_weights_are_taken_where_they_fit_and_the_rest_is_named(tmp_path, network18):
    tensors = {name: value for name, value in network18.state_dict().items() if not name.startswith("layer4.1.conv2")}
    tensors |= {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000), "extra": torch.zeros(1)}
    torch.save(tensors, tmp_path / "imagenet.pth")
    network = resnet18()
    head = network.fc.weight.clone()
    missing, unexpected = load_initial_weights(network, tmp_path / "imagenet.pth")
    assert missing == ["fc.bias", "fc.weight", "layer4.1.conv2.weight"]
    assert unexpected == ["extra", "fc.bias", "fc.weight"]
    assert torch.equal(network.layer2[0].conv1.weight, network18.layer2[0].conv1.weight)
    assert torch.equal(network.fc.weight, head)


def test_a_checkpoint_of_ours_can_be_started_from(saved, network18):
    network = resnet18()
    assert load_initial_weights(network, saved) == ([], [])
    assert torch.equal(network.fc.weight, network18.fc.weight.half().float())


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_starting_weights_that_cannot_be_read_are_refused(tmp_path, content):
    path = tmp_path / "weights.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"weights\.pt"):
        load_initial_weights(resnet18(), path)


def test_starting_weights_of_which_nothing_fits_are_refused(file):
    safetensors.torch.save_file({"transformer.weight": torch.zeros(3)}, file)
    with pytest.raises(CheckpointError, match="Nothing in .* fits"):
        load_initial_weights(resnet18(), file)
