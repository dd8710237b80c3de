"""A teacher: its features are learned besides the labels, and only then."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torchvision.models import mobilenet_v3_small

from catdog.images import open_picture
from catdog.training.config import OptionError, TrainConfig
from catdog.training.loop import train_step
from catdog.training.state import Run
from catdog.training.teacher import LITE, Teacher, classes_loss, distillation_loss, load_teacher
from catdog.transforms import MEAN, STD, EvaluationPreset

CPU = torch.device("cpu")
GRAY = (0.5, 0.5, 0.5)


@pytest.fixture
def teacher() -> Teacher:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return Teacher(nn.Conv2d(3, 12, 32, stride=32), GRAY, GRAY)


def test_a_teacher_sees_pictures_as_it_was_trained_with_them():
    rgb = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    ours = (rgb - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    torch.testing.assert_close(Teacher(nn.Identity(), GRAY, GRAY)(ours), 2 * rgb - 1, atol=1e-5, rtol=0)


def test_what_is_learned_from_a_teacher_is_the_direction_of_the_features_at_every_place():
    features = torch.randn(2, 5, 3, 4, generator=torch.Generator().manual_seed(0))
    assert distillation_loss(3 * features, features).item() == pytest.approx(0, abs=1e-6)
    assert distillation_loss(-features, features).item() == pytest.approx(2, abs=1e-6)
    one_place_wrong = features.clone()
    one_place_wrong[0, :, 1, 2] *= -1
    assert distillation_loss(one_place_wrong, features).item() == pytest.approx(2 / 24, abs=1e-6)
    finer = features.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert distillation_loss(features, finer).item() == pytest.approx(0, abs=1e-6)


def test_a_run_learns_from_its_teacher_besides_the_labels_and_leaves_the_teacher_as_it_was(tiny_network, teacher):
    rng = torch.Generator().manual_seed(0)
    batch = torch.rand(8, 3, 64, 64, generator=rng), torch.eye(2).repeat(4, 1), torch.rand(8, 2, 2, 2, generator=rng)
    before = copy.deepcopy(teacher.state_dict())

    def loss_with(weight: float, steps: int = 1) -> float:
        torch.manual_seed(1)  # of the regressor
        network = copy.deepcopy(tiny_network).requires_grad_(True)
        config = TrainConfig(frozen_stages=0, frozen_batch_norm=True, teacher_weight=weight, teacher_classes=0)
        run = Run(network, config, CPU, 100, photos="", teacher=teacher)
        return [train_step(run, *batch)[0] for _ in range(steps)][-1]

    network = copy.deepcopy(tiny_network).requires_grad_(True)
    run = Run(network, TrainConfig(frozen_stages=0, frozen_batch_norm=True), CPU, 100, photos="")
    alone = train_step(run, *batch)[0]
    assert loss_with(0) == pytest.approx(alone, rel=1e-5)
    distillation = loss_with(1) - alone
    assert 0.5 < distillation < 1.5  # of a regressor that knows nothing yet
    assert loss_with(3) == pytest.approx(alone + 3 * distillation, rel=1e-4)
    assert loss_with(100, steps=30) < 0.8 * (alone + 100 * distillation)
    torch.testing.assert_close(teacher.state_dict(), before)


def test_classes_are_compared_in_the_whole_picture_and_at_every_place():
    readers = {False: nn.Identity(), True: nn.Linear(5, 3)}
    features = torch.randn(2, 5, 3, 4, generator=torch.Generator().manual_seed(0))
    swapped = features.flip(3)  # the whole picture is the same
    for linear, reader in readers.items():
        teacher = Teacher(nn.Conv2d(3, 5, 32), GRAY, GRAY, reader)
        assert classes_loss(features, features, teacher).item() == pytest.approx(0, abs=1e-6)
        truth = reader(features.movedim(1, -1)).softmax(-1)
        answers = reader(swapped.movedim(1, -1)).softmax(-1)
        by_hand = (truth * (truth / answers).log()).sum(-1).mean().item()
        assert classes_loss(swapped, features, teacher).item() == pytest.approx(by_hand / 2, rel=1e-4), linear
    assert classes_loss(features + 1, features, Teacher(nn.Conv2d(3, 5, 32), GRAY, GRAY, readers[False])).item() < 1e-6


def test_a_run_learns_the_teachers_classes_too(tiny_network):
    torch.manual_seed(5)
    teacher = Teacher(nn.Conv2d(3, 12, 32, stride=32), GRAY, GRAY, nn.Linear(12, 7))
    teacher.classifier.weight.mul_(20)  # it is sure of what it says
    rng = torch.Generator().manual_seed(0)
    batch = torch.rand(8, 3, 64, 64, generator=rng), torch.eye(2).repeat(4, 1), torch.rand(8, 2, 2, 2, generator=rng)

    def losses(weight: float) -> list[float]:
        torch.manual_seed(1)  # of the regressor
        network = copy.deepcopy(tiny_network).requires_grad_(True)
        options = {"teacher_weight": 0.0, "teacher_classes": weight}
        config = TrainConfig(frozen_stages=0, frozen_batch_norm=True, learning_rate=1e-2, **options)
        run = Run(network, config, CPU, 100, photos="", teacher=teacher)
        return [train_step(run, *batch)[0] for _ in range(30)]

    alone, once, twice = losses(0)[0], losses(1)[0], losses(2)
    assert once > alone + 0.01
    assert twice[0] - alone == pytest.approx(2 * (once - alone), rel=1e-3)
    assert twice[-1] < alone


def test_torchvisions_networks_teach_by_their_last_feature_map(monkeypatch):
    torch.manual_seed(0)
    network = mobilenet_v3_small(weights=None).eval()
    monkeypatch.setattr(
        "torchvision.models._api.load_state_dict_from_url", lambda *arguments, **options: network.state_dict()
    )
    teacher = load_teacher("mobilenet_v3_small")
    pictures = torch.randn(2, 3, 64, 96)
    assert teacher.channels == 576
    with torch.no_grad():
        torch.testing.assert_close(teacher(pictures), network.features(pictures), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("cat-ginger-kitten", range(281, 286)),
        ("cat-chelsea", range(281, 286)),
        ("dog-german-shepherd", range(151, 269)),
    ],
)
def test_efficientnet_lite2_s_features_tell_imagenet_s_cats_from_its_dogs(root, name, kinds):
    teacher = load_teacher(LITE)
    assert teacher.channels == 1280
    picture = EvaluationPreset()(open_picture(root / "examples" / f"{name}.jpg"))
    with torch.no_grad():
        features = teacher(picture[None])
        answers = teacher.classifier(features.mean((2, 3)))
    assert answers.argmax().item() in kinds


def test_a_network_without_a_feature_map_is_no_teacher(monkeypatch):
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", lambda *arguments, **options: None)
    monkeypatch.setattr(nn.Module, "load_state_dict", lambda *arguments, **options: None)
    with pytest.raises(OptionError, match="no feature map"):
        load_teacher("resnet18")
