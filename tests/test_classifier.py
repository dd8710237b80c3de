"""The interfaces that others rely on: classify, explain, load."""

from __future__ import annotations

import io
import mmap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image

import catdog
from catdog.checkpoint import CheckpointError, Metadata, save_checkpoint
from catdog.classifier import Classifier
from catdog.decision import probabilities_of
from catdog.evidence import strongest_places
from catdog.images import ImageError, open_reduced
from catdog.inputs import CHUNK_SIZE

FLIP = Image.Transpose.FLIP_LEFT_RIGHT


@pytest.fixture(scope="module")
def classifier(network18) -> Classifier:
    return Classifier(network18, Metadata(temperature=(0.8, 1.2), offset=(0.1, -0.2)), torch.device("cpu"))


def test_a_prediction_has_the_promised_fields(classifier, examples):
    [prediction] = classifier.classify(examples[:1])
    assert isinstance(prediction, catdog.Prediction)
    assert 0 <= prediction.cat <= 1 and 0 <= prediction.dog <= 1
    assert prediction.verdict in ("cat", "dog", "both", "neither")
    cat, dog = prediction.logits
    assert prediction.cat == pytest.approx(1 / (1 + np.exp(-(cat / 0.8 + 0.1))), abs=1e-6)
    assert prediction.dog == pytest.approx(1 / (1 + np.exp(-(dog / 1.2 - 0.2))), abs=1e-6)


def test_an_explanation_adds_up_to_its_logits(classifier, examples):
    for explanation in classifier.explain(examples):
        assert explanation.evidence.dtype == np.float32 and explanation.evidence.shape[0] == 2
        total = explanation.evidence.sum((1, 2)) + explanation.bias
        assert total == pytest.approx(explanation.prediction.logits, abs=1e-4)
        assert set(explanation.boxes) == {"cat", "dog"}


def test_the_whole_photo_is_seen_and_a_wide_one_has_a_wide_map(classifier, quadrants):
    wide = quadrants.resize((600, 300))
    [explanation] = classifier.explain([wide])
    assert explanation.view == (0, 0, 600, 300)
    assert explanation.evidence.shape == (2, 7, 14)


def test_a_larger_input_gives_a_finer_map(classifier, quadrants):
    square = quadrants.resize((300, 300))
    [coarse], [fine] = (classifier.explain([square], size=size) for size in (224, 448))
    assert coarse.evidence.shape == (2, 7, 7) and fine.evidence.shape == (2, 14, 14)


@pytest.mark.slow
def test_the_mirror_image_and_the_sizes_are_averaged(classifier, examples):
    pictures = [Image.open(path).convert("RGB") for path in examples[:6]]
    mirrors = [picture.transpose(FLIP) for picture in pictures]

    def logits(pictures, **options) -> np.ndarray:
        return np.array([answer.logits for answer in classifier.classify(pictures, **options)])

    both_ways = (logits(pictures) + logits(mirrors)) / 2
    assert logits(pictures, mirrored=True) == pytest.approx(both_ways, abs=1e-2)  # a resize is not quite symmetric
    assert abs(logits(pictures) - both_ways).max() > 0.02
    three = [logits(pictures, sizes=(size,)) for size in (96, 224, 160)]
    assert logits(pictures, sizes=(96, 224, 160)) == pytest.approx(sum(three) / 3, abs=1e-4)
    assert three[1] == pytest.approx(logits(pictures), abs=1e-4)


def test_what_the_strongest_places_say_is_averaged_too(network18, examples):
    metadata = Metadata(top_weight=(0.5, 1.0))
    classifier = Classifier(network18, metadata, torch.device("cpu"))
    picture = Image.open(examples[0]).convert("RGB")
    views = [(size, shown) for size in (64, 128) for shown in (picture, picture.transpose(FLIP))]
    seen = [classifier.explain([shown], size=size)[0] for size, shown in views]
    logits = np.mean([each.prediction.logits for each in seen], 0)
    strongest = np.mean([strongest_places(each.evidence[None])[0] for each in seen], 0)
    [answer] = classifier.classify([picture], sizes=(64, 128), mirrored=True)
    expected = probabilities_of(logits[None], strongest[None], metadata.calibration())[0]
    assert (answer.cat, answer.dog) == pytest.approx(tuple(expected), abs=5e-3)


def test_the_map_of_both_ways_adds_up_and_is_itself_mirrored(classifier, quadrants):
    [there], [back] = (
        classifier.explain([picture], mirrored=True) for picture in (quadrants, quadrants.transpose(FLIP))
    )
    assert there.evidence.sum((1, 2)) + there.bias == pytest.approx(there.prediction.logits, abs=1e-4)
    assert there.evidence == pytest.approx(back.evidence[..., ::-1], abs=1e-3)
    assert there.extent.shape == (2, *(2 * side for side in there.evidence.shape[1:])) and np.ptp(there.extent) > 0.01
    assert there.extent == pytest.approx(back.extent[..., ::-1], abs=1e-3)
    assert there.signature == pytest.approx(back.signature, abs=1e-3) and there.signature.max() > 0.01
    assert there.prediction.logits == pytest.approx(back.prediction.logits, abs=1e-2)


def test_of_a_cat_and_a_dog_each_box_leaves_out_what_is_the_other_s(tiny_network):
    both = Classifier(tiny_network, Metadata(input_size=64, present=0, both=0, box_threshold=0.5), torch.device("cpu"))
    extent = np.full((2, 4, 6), 0.5, np.float32)
    extent[0, :, :3] = extent[1, :, 3:] = 1  # each label reaches over the whole picture, further on its own half
    answers = (
        np.ones((1, 2, 2, 3), np.float32),
        np.zeros((1, 2), np.float32),
        extent[None],
        np.ones((1, 2, 8), np.float32),
    )
    both.forward = lambda *_: answers
    [explanation] = both.explain([Image.new("RGB", (96, 64))])
    assert explanation.boxes == {
        "cat": pytest.approx((0, 0, 48, 64), abs=2),
        "dog": pytest.approx((48, 0, 96, 64), abs=2),
    }
    assert (explanation.extent == extent).all()


@pytest.mark.parametrize("sizes", [(224, 100), (0,), (-32,)])
def test_a_size_that_is_no_multiple_of_32_is_refused(classifier, examples, sizes):
    with pytest.raises(ValueError, match="multiple of 32"):
        classifier.classify(examples[:1], sizes=sizes)


def test_only_what_is_in_the_verdict_gets_a_box(classifier, examples):
    for explanation in classifier.explain(examples):
        shown = {label for label, box in explanation.boxes.items() if box is not None}
        allowed = {"both": {"cat", "dog"}, "neither": set()}.get(explanation.prediction.verdict)
        assert shown <= (allowed if allowed is not None else {explanation.prediction.verdict})


def test_every_kind_of_input_gives_the_same_answer_in_order(classifier, examples):
    path = examples[1]
    picture = Image.open(path)
    inputs = [path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes()), picture, np.asarray(picture)]
    answers = classifier.classify([examples[2], *inputs])
    assert answers[0] != answers[1]
    for answer in answers[1:]:
        assert answer.logits == pytest.approx(answers[1].logits, abs=1e-4)


def test_a_batch_answers_as_single_pictures_do(classifier, examples):
    together = classifier.explain(examples)
    for path, explanation in zip(examples, together):
        [alone] = classifier.explain([path])
        assert explanation.evidence == pytest.approx(alone.evidence, abs=1e-4)
        assert explanation.prediction.verdict == alone.prediction.verdict


def test_bad_pictures_are_returned_in_their_place_or_raised(classifier, examples):
    mixed = [examples[0], b"no picture", "nowhere.jpg", examples[1]]
    answers = classifier.classify(mixed, errors="return")
    assert [getattr(answer, "code", None) for answer in answers] == [None, "unknown-type", "missing", None]
    assert answers[3] == classifier.classify([examples[1]])[0]
    with pytest.raises(ImageError, match="not a picture"):
        classifier.classify(mixed)


def test_nothing_to_classify_gives_nothing(classifier):
    assert classifier.classify([]) == []


def test_a_single_picture_instead_of_a_list_is_told(classifier, examples):
    content = examples[0].read_bytes()
    with examples[0].open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        single = [examples[0], str(examples[0]), content, bytearray(content), memoryview(content), io.BytesIO(content)]
        single += [file, mapped, Image.open(examples[0]), np.zeros((8, 8, 3), np.uint8), classifier.open(content)]
        for each in (*single, None, 7):
            for ask in (classifier.classify, classifier.explain):
                with pytest.raises(TypeError, match=r"Hand over a list of pictures, .*\[picture\]"):
                    ask(each)


def test_pictures_without_an_order_are_refused(classifier, examples):
    for pictures in ({"cat": examples[0]}, {examples[0], examples[1]}):
        with pytest.raises(TypeError, match=r"no order .* hand over a list"):
            classifier.classify(pictures)
    named = {"cat": examples[0]}
    assert classifier.classify(named.values()) == classifier.classify(list(named.values()))


# ---------------------------------------------------------------------------- decoded once


def test_a_picture_that_is_opened_once_gives_the_answers_of_its_file(classifier, examples, monkeypatch):
    buffer = io.BytesIO()
    Image.open(examples[1]).resize((4000, 3000)).save(buffer, "JPEG", quality=90)
    camera, small = buffer.getvalue(), examples[2].read_bytes()
    opened = [classifier.open(each) for each in (camera, small)]
    assert opened[0].size == (4000, 3000) and opened[0].picture.size == (2000, 1500)
    from_files = [classifier.classify([camera, small])]
    from_files += [classifier.explain([camera, small], size=size) for size in (None, 448)]
    monkeypatch.setattr(Image, "open", None)
    assert classifier.classify(opened) == from_files[0]
    for size, expected in zip((None, 448), from_files[1:]):
        for one, other in zip(classifier.explain(opened, size=size), expected):
            assert one.prediction == other.prediction and one.boxes == other.boxes
            assert np.array_equal(one.evidence, other.evidence)
    with pytest.raises(ValueError, match="short_side=2240"):
        classifier.explain(opened[:1], size=1120)


def test_what_was_reduced_too_far_for_an_answer_is_refused(classifier, quadrants):
    buffer = io.BytesIO()
    quadrants.resize((1600, 1200)).save(buffer, "JPEG")
    with pytest.raises(ValueError, match="short_side=896"):
        classifier.classify([open_reduced(buffer.getvalue(), 160)], errors="return")


def test_a_prediction_is_the_explanation_s_to_the_bit_and_computes_no_extent_and_no_box(
    classifier, examples, monkeypatch
):
    explained = [each.prediction for each in classifier.explain(examples, mirrored=True)]
    monkeypatch.setattr("catdog.evidence.extent_of", None)
    monkeypatch.setattr("catdog.classifier.boxes_of", None)
    assert classifier.classify(examples, mirrored=True) == explained
    with pytest.raises(TypeError):
        classifier.explain(examples)


def test_a_generator_of_many_pictures_is_read_a_chunk_at_a_time(network18, quadrants):
    classifier = Classifier(network18, Metadata(input_size=32), torch.device("cpu"))
    small = quadrants.resize((32, 32))
    asked, seen = [], []
    real = classifier.forward

    def forward(batch, with_extent=True):
        seen.append(len(asked))
        return real(batch, with_extent)

    classifier.forward = forward
    answers = classifier.classify(asked.append(1) or small for _ in range(2 * CHUNK_SIZE + 1))
    assert len(answers) == 2 * CHUNK_SIZE + 1
    assert set(seen) == {CHUNK_SIZE, 2 * CHUNK_SIZE, 2 * CHUNK_SIZE + 1}


@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 1)])
def test_a_strip_is_refused_before_it_becomes_a_billion_pixels(classifier, size):
    with pytest.raises(ImageError, match="factor"):
        classifier.classify([Image.new("RGB", size)])


def test_long_photos_are_limited_to_two_to_one(classifier):
    [explanation] = classifier.explain([Image.new("RGB", (1900, 100))])
    assert explanation.evidence.shape == (2, 7, 14)
    assert explanation.view == (0, 0, 1900, 100)


def test_threads_get_the_answers_that_one_gets(classifier, examples):
    alone = [classifier.classify([path])[0] for path in examples]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda path: classifier.classify([path])[0], examples * 3))
    for index, answer in enumerate(together):
        assert answer.logits == pytest.approx(alone[index % len(examples)].logits, abs=1e-5)


def test_load_reads_a_checkpoint_onto_a_device(network18, tmp_path, examples):
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, network18, Metadata(present=0.4))
    classifier = catdog.load(path, device="cpu")
    assert classifier.device.type == "cpu" and classifier.metadata.present == 0.4
    assert len(classifier.classify(examples[:1])) == 1


def test_a_missing_checkpoint_names_the_command_that_makes_one(tmp_path):
    with pytest.raises(CheckpointError, match=r"scripts/train\.py"):
        catdog.load(tmp_path / "none.safetensors")


def test_a_device_that_is_not_there_is_told():
    with pytest.raises(ValueError, match="--device cpu"):
        catdog.load(device="cuda:77")
