"""Device code without the device: placement, half precision, too little memory, borrowed GPUs."""

from __future__ import annotations

import copy
import importlib.util
import platform
import subprocess
import sys
import warnings
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
import torch
from starlette.testclient import TestClient
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode

from catdog import classifier as classifier_module
from catdog import device, page
from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.device import DeviceError, half_precision
from catdog.engines.torch import torch_forward
from catdog.evidence import evidence_and_logits
from catdog.labels import VERDICTS
from catdog.resnet import ARCHITECTURES, ResNet, folded, resnet18
from catdog.training.losses import label_loss

CUDA = torch.device("cuda", 0)


class Recorded(TorchDispatchMode):
    """Of every operation its name, and the types and devices of the tensors that it takes and gives."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, set[torch.dtype], set[str]]] = []

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        result = function(*arguments, **(options or {}))
        tensors = [
            each for each in torch.utils._pytree.tree_leaves((arguments, result)) if isinstance(each, torch.Tensor)
        ]
        self.calls.append(
            (str(function), {each.dtype for each in tensors}, {each.device.type for each in tensors if each.ndim})
        )
        return result

    def of(self, name: str) -> set[torch.dtype]:
        return set().union(*(types for function, types, _ in self.calls if name in function))


@pytest.fixture
def fake_cuda():
    """Tensors without values on a GPU that is not there: what lies where and in which type is kept, as on a real one."""
    with FakeTensorMode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of autocast, that there is no GPU
        yield


def on_the_gpu(make: Callable[[], ResNet], dtype: torch.dtype = torch.float32) -> ResNet:
    """A network as Classifier answers with it, its batch norms folded, on the GPU that is not there."""
    with unset_fake_temporarily():
        network = folded(make())
        shapes = {name: each.shape for name, each in network.state_dict().items()}
    state = {name: torch.empty(shape, dtype=dtype, device=CUDA) for name, shape in shapes.items()}
    network.load_state_dict(state, assign=True)
    return network


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_answer_and_maps_stay_on_the_gpu(fake_cuda, architecture):
    network = on_the_gpu(ARCHITECTURES[architecture])
    with Recorded() as recorded:
        evidence, logits = evidence_and_logits(network, torch.empty(2, 3, 64, 96, device=CUDA))
    assert evidence.device == logits.device == CUDA
    assert (evidence.shape, logits.shape) == ((2, 2, 2, 3), (2, 2))
    assert set().union(*(devices for _, _, devices in recorded.calls)) == {"cuda"}


def test_weights_that_are_loaded_stay_on_the_gpu(fake_cuda, network18):
    with CUDA:
        network = resnet18()
        state = {name: torch.empty_like(tensor) for name, tensor in network.state_dict().items()}
    network.load_state_dict(state, assign=True)
    assert {tensor.device for tensor in (*network.parameters(), *network.buffers())} == {CUDA}


def test_a_tensor_that_is_left_on_the_cpu_would_be_noticed(fake_cuda):
    with CUDA:
        network = resnet18().eval()
    with pytest.raises(RuntimeError, match="device"):
        evidence_and_logits(network, torch.empty(2, 3, 64, 64, device="cpu"))


def test_half_precision_begins_at_the_first_layer_and_ends_with_the_features(fake_cuda):
    network = on_the_gpu(resnet18, torch.float16)
    with Recorded() as recorded:
        evidence, logits = evidence_and_logits(network, torch.empty(2, 3, 64, 64, device=CUDA, dtype=torch.float16))
    assert recorded.of("convolution") == {torch.float16}
    assert recorded.of("bmm") == {torch.float32}
    assert evidence.dtype == logits.dtype == torch.float32
    names = [name for name, _, _ in recorded.calls]
    last = max(index for index, name in enumerate(names) if "convolution" in name)
    assert "bmm" in " ".join(names[last:])


def test_a_batch_goes_to_the_gpu_once_and_only_answer_and_maps_come_back(fake_cuda, tiny_network, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "numpy", lambda tensor: np.empty(tensor.shape))  # these have no values to give
    forward = torch_forward(on_the_gpu(lambda: tiny_network), CUDA)
    batch = torch.empty(2, 3, 64, 96)
    with Recorded() as recorded:
        evidence, logits, extent, signatures = forward(batch)
    assert (evidence.shape, logits.shape, extent.shape) == ((2, 2, 2, 3), (2, 2), (2, 2, 4, 6))
    assert signatures.shape == (2, 2, tiny_network.fc.in_features)
    between = [name for name, _, devices in recorded.calls if len(devices) > 1]
    assert len(between) == 5 and all("to" in name for name in between)
    assert {name for name, _, devices in recorded.calls if devices == {"cpu"}} <= {"prim.device.default"}


def test_a_classifier_computes_with_folded_batch_norms(tiny_network):
    classifier = Classifier(copy.deepcopy(tiny_network), Metadata(input_size=64), torch.device("cpu"))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in classifier.folded.modules())
    used = []
    for network in (classifier.network, classifier.folded):
        network.conv1.register_forward_hook(lambda *_, network=network: used.append(network))
    classifier.explain([np.zeros((40, 40, 3), np.uint8)])
    assert used == [classifier.folded]


@pytest.mark.parametrize("kind", ["binary", "cross-entropy"])
def test_the_loss_of_half_precision_logits_is_computed_in_single_on_the_gpu(fake_cuda, kind):
    logits = torch.empty(4, 2, device=CUDA, dtype=torch.float16)
    with Recorded() as recorded:
        loss = label_loss(logits.float(), torch.empty(4, 2, device=CUDA), kind, smoothing=0.1)
    assert (loss.dtype, loss.device) == (torch.float32, CUDA)
    assert all("cpu" not in devices for _, _, devices in recorded.calls)
    assert all(torch.float16 not in types for name, types, _ in recorded.calls if "_to_copy" not in name)


def test_half_precision_is_for_cuda_unless_bfloat16_is_asked_for_on_the_cpu():
    ones = torch.ones(2, 2)
    with half_precision(torch.device("cpu")):
        assert (ones @ ones).dtype == torch.float32
    with half_precision(torch.device("cpu"), bfloat16=True):
        assert (ones @ ones).dtype == torch.bfloat16
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no GPU
        context = half_precision(CUDA)
    assert (context.device, context.fast_dtype) == ("cuda", torch.float16)


# ---------------------------------------------------------------------------- memory of freed tensors

NEW_PAGES_OF_TENSORS = """
import resource
import torch
from catdog.device import keep_memory

def new_pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(100 << 20, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(min(new_pages() for _ in range(9)))
keep_memory()
print(min(new_pages() for _ in range(9)))
"""


@pytest.mark.skipif(sys.platform != "linux" or not platform.libc_ver()[0], reason="an option of glibc's allocator")
def test_a_tensor_gets_the_memory_that_an_earlier_one_left_where_it_is_kept(root):
    done = subprocess.run(
        [sys.executable, "-c", NEW_PAGES_OF_TENSORS], cwd=root, capture_output=True, text=True, check=True
    )
    given_back, kept = map(int, done.stdout.split())
    assert kept < given_back / 10


FREED_BETWEEN_OTHERS = """
from pathlib import Path
from catdog.device import give_back_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20

before = resident()
blocks = [bytearray(b"x" * 60_000) for _ in range(4_000)]
del blocks[:-1]
print(resident() - before)
give_back_memory()
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux" or not platform.libc_ver()[0], reason="what glibc's allocator keeps")
def test_memory_that_was_freed_between_other_blocks_goes_back_to_the_system(root):
    done = subprocess.run(
        [sys.executable, "-c", FREED_BETWEEN_OTHERS], cwd=root, capture_output=True, text=True, check=True
    )
    held, left = map(int, done.stdout.split())
    assert held > 100 and left < 40


# ---------------------------------------------------------------------------- too little memory


def too_small(network: ResNet, largest: int, error: RuntimeError, sizes: list[int]) -> Classifier:
    """A classifier on a device that holds so many pictures at once."""
    classifier = Classifier(network, Metadata(input_size=64), torch.device("cpu"))
    real = classifier.forward

    def forward(batch, with_all=True):
        sizes.append(len(batch))
        if len(batch) > largest:
            raise error
        return real(batch, with_all)

    classifier.forward = forward
    return classifier


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError])
@pytest.mark.parametrize("largest", [1, 3, 4])
def test_a_batch_that_does_not_fit_is_answered_in_smaller_ones(tiny_network, monkeypatch, error, largest):
    pictures = list(np.random.default_rng(0).integers(0, 256, (10, 40, 40, 3), np.uint8))
    plain = Classifier(tiny_network, Metadata(input_size=64), torch.device("cpu")).explain(pictures)
    sizes: list[int] = []
    small = too_small(tiny_network, largest, error("MPS backend out of memory"), sizes)
    released = []
    monkeypatch.setattr(classifier_module, "release_memory", released.append)
    with pytest.warns(UserWarning, match="too small for 10 pictures at once: they are answered in parts"):
        found = small.explain(pictures)
    assert sizes[0] == 10 and min(sizes) <= largest and released
    for one, two in zip(plain, found):
        assert two.prediction.logits == pytest.approx(one.prediction.logits, abs=1e-4)
        assert two.evidence == pytest.approx(one.evidence, abs=1e-4)


def test_memory_too_small_for_one_picture_is_told_with_a_way_out(tiny_network):
    classifier = too_small(tiny_network, 0, torch.OutOfMemoryError("out of memory"), [])
    few = pytest.warns(UserWarning, match="in parts")
    with few, pytest.raises(DeviceError, match=r"too small for a picture of 64x64: .*--device cpu"):
        classifier.classify(list(np.zeros((5, 40, 40, 3), np.uint8)))


def test_another_error_of_the_device_is_not_taken_for_too_little_memory(tiny_network):
    sizes: list[int] = []
    broken = too_small(tiny_network, 0, RuntimeError("an illegal instruction"), sizes)
    with pytest.raises(RuntimeError, match="illegal"):
        broken.classify([np.zeros((40, 40), np.uint8)] * 4)
    assert sizes == [4]


# ---------------------------------------------------------------------------- ZeroGPU


@pytest.fixture
def zero_gpu(monkeypatch) -> list[str]:
    """A stand-in of the `spaces` package: the calls for which a GPU was borrowed."""
    calls: list[str] = []
    package = ModuleType("spaces")

    def borrow(call):
        def borrowed(*arguments):
            calls.append(call.__name__)
            return call(*arguments)

        return borrowed

    package.GPU = borrow
    monkeypatch.setitem(sys.modules, "spaces", package)
    monkeypatch.setenv("SPACES_ZERO_GPU", "1")
    return calls


def test_on_a_zero_gpu_space_the_package_is_imported_with_the_device_code(zero_gpu):
    spec = importlib.util.spec_from_file_location("device_on_a_space", device.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.spaces is sys.modules["spaces"]
    assert not device.gpu_is_borrowed()  # this process is on none


def test_the_gpu_is_borrowed_once_a_batch_and_for_nothing_else(zero_gpu, tiny_network, monkeypatch):
    monkeypatch.setattr(device, "spaces", sys.modules["spaces"])
    pictures = list(np.random.default_rng(0).integers(0, 256, (3, 40, 40, 3), np.uint8))
    classifier = Classifier(tiny_network, Metadata(input_size=64), torch.device("cpu"))
    assert zero_gpu == []
    classifier.classify(pictures)
    assert zero_gpu == ["forward"]
    classifier.classify([b"no picture"], errors="return")
    assert zero_gpu == ["forward"]
    classifier.explain([*pictures, np.zeros((40, 80), np.uint8)])  # another shape: another batch
    assert zero_gpu == ["forward"] * 3


def test_the_page_is_answered_from_the_cpu_without_a_borrowed_gpu(zero_gpu, tiny_network, monkeypatch, examples):
    monkeypatch.setattr(device, "spaces", sys.modules["spaces"])
    classifier = Classifier(tiny_network, Metadata(input_size=64), torch.device("cpu"))
    classifier.device = torch.device("meta")  # as a GPU that is not there between two calls
    visitor = TestClient(page.build(classifier))
    for route in ("explain", "classify", "frame"):
        answer = visitor.post(f"/engine/{route}", content=examples[1].read_bytes())
        assert answer.json()["prediction"]["verdict"] in VERDICTS.values(), answer.text
    assert zero_gpu == []
    assert classifier.live.device == torch.device("cpu")


def test_a_camera_is_answered_in_bfloat16_where_the_cpu_is_faster_in_it(tiny_network, monkeypatch):
    photo = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    for fast in (False, True):
        monkeypatch.setattr("catdog.classifier.has_fast_bfloat16", lambda fast=fast: fast)
        classifier = Classifier(tiny_network, Metadata(input_size=64), torch.device("cpu"))
        [exact], [quick] = classifier.explain([photo]), classifier.live.explain([photo])
        difference = np.abs(np.subtract(exact.prediction.logits, quick.prediction.logits)).max()
        assert 0 < difference < 0.05 if fast else difference == 0
        np.testing.assert_allclose(quick.evidence.sum((1, 2)) + quick.bias, quick.prediction.logits, atol=1e-4)
        assert classifier.live.live is classifier.live
        assert classifier.explain([photo])[0].prediction == exact.prediction, "a photo's answer stays exact"
