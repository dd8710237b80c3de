"""The options of a training run, checked at once."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from catdog.files import CHECKPOINT
from catdog.transforms import STRIDE, EvaluationPreset, PlainPreset, Resize, TrainingPreset

Arch = Literal["resnet18", "resnet34", "resnet50"]
Recipe = Literal["default", "finish", "quick", "tutorial"]


class OptionError(ValueError):
    """An option that cannot be used: one sentence that says what is wrong and what to do."""


def default_out(arch: str = "resnet18", dry_run: bool = False) -> Path:
    """Where a run saves its checkpoint unless --out says so: never where the program's own one is, and never where a dry
    run could spoil what a real one made."""
    return Path("runs") / ("dry-run.safetensors" if dry_run else f"catdog-{arch}.safetensors")


@dataclass
class TrainConfig:
    """Train a cat-or-dog network on folders of photos, and save it as one checkpoint."""

    data: tuple[Path, ...] = ()
    """Labeled folders: Kaggle Dogs vs. Cats, class folders (cat/, dog/, both/, neither/) or Oxford-IIIT Pet.
    Without any, Oxford-IIIT Pet is downloaded."""
    neither: tuple[Path, ...] = ()
    """Folders of photos with neither a cat nor a dog."""
    exclude: Path | None = None
    """A CSV whose column path names photos to leave out, such as one that evaluate.py --suspects wrote."""
    relabel: Path | None = None
    """A CSV with the columns path and label (cat, dog, both or neither): what photos show that their folders have wrong.
    Held-out photos keep the label they came with, so that figures stay comparable."""
    kinds: Path | None = None
    """A CSV with the columns path and kind, which names kinds of scene or animal for figures by kind. Without it, CSVs beside
    the folders: scenes-kinds.csv beside scenes."""
    out: Path = field(default_factory=default_out)
    """Where the checkpoint goes, with its model card and curves beside it; without it, runs/catdog-ARCH.safetensors. Open
    the page with it: python app.py --checkpoint FILE."""
    init: str = "imagenet"
    """Starting weights: imagenet (downloaded by torchvision), none, or a file: torchvision-style weights or one of our
    checkpoints."""
    arch: Arch = "resnet18"
    recipe: Recipe = "default"
    """A set of defaults. finish: after a run, from its checkpoint, the last stage and head alone at the size that they answer
    at. quick: 14 epochs at up to 160 px. tutorial: resize 256, center crop 224, no augmentation, cross-entropy, Adam at
    0.001, batch 32."""
    resume: bool = False
    """Go on where a stopped run with the same options and --out was."""
    dry_run: bool = False
    """Two batches through everything, in seconds; writes --out too, by default runs/dry-run.safetensors."""
    device: str = "auto"
    bfloat16: bool = False
    """On the CPU, compute the layers in bfloat16: faster on processors with instructions for it (lscpu lists avx512_bf16
    or amx_bf16), slower on others."""
    workers: int = 2
    """Processes that decode and augment photos. With a GPU, give as many as there are cores."""
    seed: int = 0

    epochs: int = 30
    """0 trains nothing: what comes afterwards is made anew, such as --average, --refit-head, calibration and figures."""
    batch_size: int = 64
    """Photos a step, over all processes."""
    train_size: int = 192
    """Input size in pixels that training ends with; it starts at --start-size."""
    start_size: int = 128
    input_size: int = 256
    """Short side in pixels of what the trained network is shown."""
    resize: Resize = "whole"
    """What the trained network sees of a photo: whole, squash or crop."""

    loss: Literal["binary", "cross-entropy"] = "binary"
    """binary: two independent labels. cross-entropy: a plain softmax over cat and dog."""
    label_smoothing: float = 0.01
    composite: float = 0.2
    """Share of samples put together from two photos, most of them a cat and a dog."""
    place_loss: float = 0.2
    """Weight of the loss that asks each label's strongest place to lie on its animal, in photos put together. Not with
    --mixup or --cutmix, which blend places too."""
    scene: float = 0.15
    """Share of samples pasted small into a photo without a pet, as pets stand in everyday scenes."""
    cutouts: Path | None = None
    """A checkpoint whose evidence cuts pets out for that, where no trimap does, and says what --cover covers."""
    cover: float = 0.0
    """Share of samples covered where that checkpoint tells the pet best, its face most often, so that the rest is learned."""
    teacher: str = "efficientnet-lite2"
    """A network trained on ImageNet whose last feature map is learned besides the labels: efficientnet-lite2, which two
    packages hold, one of torchvision's that have features, such as efficientnet_v2_s, which is downloaded, or none."""
    teacher_weight: float = 4.0
    """Weight of the loss that compares with it."""
    teacher_classes: float = 1.0
    """Weight of the loss that compares the classes that the teacher reads in what is predicted and in its features."""
    made_negative: float = 0.03
    """Share of samples replaced by made-up photos with neither; at least 0.25 where no real ones are given."""
    balance: float = 0.6
    """A source of n photos is drawn with a share of n ** balance."""

    augment: bool = True
    """Random crop, flip, rotation, color and blur; without it, photos as they are shown later."""
    min_crop: float = 0.5
    """Smallest random crop, as a share of the photo's area."""
    rotation: float = 12.0
    """Largest random rotation in degrees."""
    color: float = 0.4
    """Strength of random brightness, contrast and saturation."""
    trivial: float = 0.25
    """Share of the photos that are not put together which TrivialAugment distorts: one of fourteen ways, any strength."""
    erase: float = 0.1
    """Share of them in which a random rectangle, 2% to 20% of the input, is blotted out."""
    far: float = 0.0
    """Share of them that stand small in a plain frame, up to three times as wide and high."""
    dark: float = 0.0
    """Share of them that are made darker, by a gamma of up to 2.5."""
    mixup: float = 0.0
    """Every batch is blended with itself in another order, by a share drawn from Beta(mixup, mixup); 0 leaves it."""
    cutmix: float = 0.0
    """The same with a rectangle pasted instead; with both, each batch gets one of them."""

    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    learning_rate: float = 1e-3
    """Of the head and the last stage."""
    stage_decay: float = 0.32
    """Each earlier stage's rate, as a share of the next one's."""
    weight_decay: float = 0.05
    frozen_stages: int = 1
    """Stages left as they are, from the input on: 1 is the stem and the first stage; 4 trains the head alone. With
    --init none, none."""
    frozen_batch_norm: bool = False
    """Batch norm keeps its running statistics everywhere."""
    schedule: Literal["one-cycle", "cosine", "step"] = "one-cycle"
    warm_up: float = 0.15
    """Share of the steps in which one-cycle's rate rises."""
    ema: float = 0.999
    """Decay a step of the averaged weights, which are the ones kept; 0 keeps the last step's."""
    average: tuple[Path, ...] = ()
    """Checkpoints of earlier runs on the way to this one: the weights that are kept are the mean of theirs and this run's."""
    average_weight: float = 1.0
    """What each of them counts in that mean, where this run counts 1."""
    refit_head: float = 0.0
    """After training, fit the head once more to the training photos as they are shown; the smaller this number, the further
    from what training left. 0 leaves it."""
    patience: int = 10
    """Epochs without a lower tuning loss after which training stops."""

    def __post_init__(self) -> None:
        limits = {
            "epochs": (0, 10_000),
            "batch_size": (2, 65_536),
            "train_size": (64, 1024),
            "start_size": (64, 1024),
            "input_size": (64, 1024),
            "workers": (0, 256),
            "label_smoothing": (0, 0.5),
            "composite": (0, 1),
            "place_loss": (0, 100),
            "teacher_weight": (0, 1000),
            "teacher_classes": (0, 1000),
            "made_negative": (0, 1),
            "scene": (0, 1),
            "cover": (0, 1),
            "balance": (0, 1),
            "min_crop": (0.01, 1),
            "rotation": (0, 180),
            "color": (0, 1),
            "trivial": (0, 1),
            "erase": (0, 1),
            "far": (0, 1),
            "dark": (0, 1),
            "mixup": (0, 10),
            "cutmix": (0, 10),
            "learning_rate": (1e-8, 10),
            "stage_decay": (1e-6, 1),
            "weight_decay": (0, 1),
            "frozen_stages": (0, 4),
            "warm_up": (0.001, 0.9),
            "ema": (0, 0.99999),
            "average_weight": (0, 100),
            "refit_head": (0, 1),
            "patience": (1, 10_000),
        }
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                option = name.replace("_", "-")
                raise OptionError(f"--{option} is {getattr(self, name)}: it must be between {low} and {high}.")
        for name in ("train_size", "start_size", "input_size"):
            if getattr(self, name) % STRIDE:
                option = name.replace("_", "-")
                raise OptionError(f"--{option} is {getattr(self, name)}: it must be a multiple of {STRIDE}.")
        if self.out.suffix != ".safetensors":
            raise OptionError(f"--out is {self.out}: its name must end in .safetensors.")
        if self.dry_run and is_shipped(self.out):
            raise OptionError(
                f"--out is {self.out}, the checkpoint that comes with the program, which a dry run would spoil: give "
                "another --out."
            )
        if self.place_loss and (self.mixup or self.cutmix):
            raise OptionError(
                "--place-loss does not go with --mixup or --cutmix, which blend places too: add --place-loss 0."
            )
        if self.out.is_dir():
            raise OptionError(f"--out is {self.out}, a folder: it must be a file.")
        if self.init == "none":  # stages that have learned nothing must learn
            self.frozen_stages, self.stage_decay = 0, 1.0
        if self.refit_head and self.loss == "cross-entropy":
            raise OptionError(
                "--refit-head fits two independent labels: with --loss cross-entropy, add --refit-head 0."
            )
        if self.loss == "cross-entropy":  # a softmax has no word for both or neither
            self.composite = self.made_negative = 0.0

    def evaluation_preset(self) -> EvaluationPreset:
        return EvaluationPreset(self.input_size, self.resize)

    def training_preset(self) -> TrainingPreset | PlainPreset:
        if not self.augment:
            return PlainPreset(self.resize)
        return TrainingPreset(self.rotation, self.color, self.min_crop, self.trivial, self.erase, self.far, self.dark)

    def shapes_at(self, epoch: int) -> list[tuple[int, int]]:
        """Input shapes (h, w) of an epoch's batches.

        Small pictures for the first third: they are cheap, and the first epochs learn the coarse things. All are smaller
        than what the trained network is shown, since random crops make pets look larger (Touvron et al. 2019, "Fixing
        the train-test resolution discrepancy"). Square, wide and tall ones where it will see whole photos.
        """
        share = min(1.0, epoch / (0.35 * self.epochs))
        size = self.start_size + STRIDE * int((self.train_size - self.start_size) * share / STRIDE)
        if self.resize != "whole":
            return [(size, size)]
        return [(size, size), (size - 16, size + 16), (size + 16, size - 16)]

    def fixed(self) -> dict[str, str]:
        """The options that a resumed run must share with the run it goes on with; the photos are compared themselves."""
        free = {
            "resume",
            "device",
            "workers",
            "out",
            "patience",
            "data",
            "neither",
            "exclude",
            "relabel",
            "kinds",
            "average",
            "average_weight",
            "refit_head",
        }
        return {key: str(value) for key, value in asdict(self).items() if key not in free}


RECIPES: dict[Recipe, TrainConfig] = {"default": TrainConfig()}
RECIPES["finish"] = replace(
    RECIPES["default"],
    recipe="finish",
    epochs=2,
    start_size=256,
    train_size=256,
    composite=0.15,
    scene=0.05,
    teacher="none",
    balance=0.7,
    min_crop=0.65,
    trivial=0.15,
    erase=0.05,
    learning_rate=1e-4,
    frozen_stages=3,
    warm_up=0.1,
    ema=0.99,
    refit_head=1e-3,
)
RECIPES["quick"] = replace(
    RECIPES["default"],
    recipe="quick",
    epochs=14,
    train_size=160,
    input_size=224,
    label_smoothing=0.02,
    composite=0.25,
    place_loss=0.0,
    scene=0.0,
    teacher="none",
    balance=0.7,
    min_crop=0.35,
    trivial=0.0,
    erase=0.0,
    weight_decay=0.02,
    ema=0.998,
    patience=5,
)
RECIPES["tutorial"] = replace(
    RECIPES["quick"],
    recipe="tutorial",
    epochs=10,
    batch_size=32,
    train_size=224,
    start_size=224,
    input_size=224,
    resize="crop",
    loss="cross-entropy",
    label_smoothing=0.0,
    balance=1.0,
    augment=False,
    optimizer="adam",
    stage_decay=1.0,
    weight_decay=0.0,
    frozen_stages=0,
    schedule="step",
    ema=0.0,
)


def is_shipped(path: Path) -> bool:
    """Whether a path, however it is written, is that of the checkpoint that comes with the program."""
    if path.exists() and CHECKPOINT.exists():
        return os.path.samefile(path, CHECKPOINT)
    return path.resolve() == CHECKPOINT.resolve()
