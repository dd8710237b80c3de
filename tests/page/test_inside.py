"""The inside tab's routes, without a browser: the stages, the methods, and that leaving ends the work."""

from __future__ import annotations

import asyncio
import base64
import copy
import gc
import json
import threading

import numpy as np
import pytest
import torch
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from catdog.cams import CAM_METHODS, cam_map
from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.labels import LABELS
from catdog.layers import STAGES, run_layers
from catdog.page import inside
from catdog.page.turns import Turns
from catdog.resnet import resnet18


@pytest.fixture(scope="module")
def classifier(tiny_network) -> Classifier:
    return Classifier(copy.deepcopy(tiny_network), Metadata(input_size=64), torch.device("cpu"))


@pytest.fixture(scope="module")
def client(classifier) -> TestClient:
    app = FastAPI()
    app.include_router(inside.router(classifier, Turns()))
    return TestClient(app)


@pytest.fixture(scope="module")
def photo(examples) -> bytes:
    return examples[0].read_bytes()


def lines(response) -> list[dict]:
    assert response.status_code == 200
    return [json.loads(line) for line in response.text.splitlines()]


def test_the_stages_come_with_a_map_each(client, photo):
    answer = client.post("/engine/stages?label=dog", content=photo).json()
    assert answer["label"] == "dog" and answer["seconds"] > 0 and "preview" not in answer
    sides = [min(np.shape(values)) for values in answer["maps"]]
    assert sides == [16, 8, 4, 2]  # a quarter of the input's 64 px, and half as many each stage
    assert all(np.max(values) == 1 for values in answer["maps"])


def test_each_layer_shows_its_strongest_channels_as_they_are(client, classifier, photo):
    answer = client.post("/engine/layers", content=photo).json()
    decoded = classifier.open(photo)
    batch = classifier.metadata.preset()(decoded.picture, decoded.size)[None]
    with torch.inference_mode():
        found = run_layers(classifier.network, batch, torch.ones(4), torch.ones(4))
    assert answer["size"] == list(decoded.size)
    assert [layer["name"] for layer in answer["layers"]] == ["stem", "stage1", "stage2", "stage3", "stage4"]
    for layer, output in zip(answer["layers"], found.outputs):
        assert (layer["channels"], layer["height"], layer["width"]) == output.shape[1:]
        means = output[0].mean((1, 2))
        assert means[[each["channel"] for each in layer["shown"]]].tolist() == pytest.approx(
            means.sort(descending=True).values[:9].tolist(), rel=1e-4
        )
        for each in layer["shown"]:
            values = np.frombuffer(base64.b64decode(each["values"]), np.uint8).reshape(output.shape[2:])
            exact = output[0, each["channel"]].numpy()
            assert values / 255 * each["peak"] == pytest.approx(exact, abs=each["peak"] / 400)


def test_each_stage_s_last_block_adds_up(client, photo):
    answer = client.post("/engine/layers", content=photo).json()
    assert len(answer["blocks"]) == len(STAGES)
    for block in answer["blocks"]:
        x, residual, total = (np.array(values) for values in block["maps"])
        assert x + residual == pytest.approx(total, abs=0.02)
        assert max(abs(values).max() for values in (x, residual, total)) == pytest.approx(block["scale"], abs=0.01)


def test_other_weights_give_other_answers(client, classifier, photo, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    [expected] = classifier.explain([photo])
    answer = client.post("/engine/weights", content=photo).json()
    assert answer["checkpoint"]["prediction"]["logits"] == pytest.approx(expected.prediction.logits, abs=1e-3)
    assert answer["shuffled"]["prediction"]["logits"] != pytest.approx(expected.prediction.logits, abs=0.1)
    assert np.shape(answer["shuffled"]["evidence"]) == expected.evidence.shape
    assert answer["imagenet"] is None


def test_imagenet_s_weights_answer_too_where_they_are_there(photo, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    torch.save(resnet18(num_classes=1000).state_dict(), tmp_path / "checkpoints" / "resnet18-f37072fd.pth")
    classifier = Classifier(resnet18(), Metadata(input_size=64), torch.device("cpu"))
    app = FastAPI()
    app.include_router(inside.router(classifier, Turns()))
    answer = TestClient(app).post("/engine/weights", content=photo).json()
    assert np.shape(answer["imagenet"]["evidence"]) == np.shape(answer["checkpoint"]["evidence"])


def test_without_a_label_the_stages_are_those_of_the_likelier_one(client, classifier, examples, photo):
    [prediction] = classifier.classify(examples[:1])
    likelier = max(LABELS, key=lambda label: getattr(prediction, label))
    assert client.post("/engine/stages", content=photo).json()["label"] == likelier


def test_a_browser_that_cannot_draw_the_photo_gets_it_as_a_jpeg(client, photo):
    preview = client.post("/engine/stages?preview=1", content=photo).json()["preview"]
    assert preview.startswith("data:image/jpeg;base64,")


def test_a_method_ends_with_the_package_s_map_by_places_and_its_time(client, classifier, examples, photo):
    *_, last = lines(client.post("/engine/methods?method=GradCAM&label=dog&stage=4", content=photo))
    assert last["seconds"] > 0
    assert (last["method"], last["stage"], last["label"]) == ("GradCAM", 4, "dog")
    decoded = classifier.open(examples[0])
    assert last["size"] == list(decoded.size)
    batch = classifier.metadata.preset()(decoded.picture, decoded.size)[None]
    [values] = cam_map(classifier.network, batch, "GradCAM", 4, LABELS.index("dog"))
    height, width = np.shape(last["map"])
    means = values.reshape(height, values.shape[0] // height, width, values.shape[1] // width).mean((1, 3))
    assert np.array(last["map"]) == pytest.approx(means / means.max(), abs=0.002)


@pytest.mark.parametrize("method", CAM_METHODS)
def test_every_method_gives_a_map_of_an_early_stage(client, photo, method):
    *_, last = lines(client.post(f"/engine/methods?method={method}&label=cat&stage=1", content=photo))
    assert min(np.shape(last["map"])) == 16
    assert np.min(last["map"]) >= 0 and np.max(last["map"]) in (0, 1)  # some of this network's maps are empty


def test_a_slow_method_tells_how_far_it_is(client, photo, monkeypatch):
    monkeypatch.setattr(inside, "REPORT_SECONDS", 0.01)
    *reports, last = lines(client.post("/engine/methods?method=ScoreCAM&label=dog&stage=2", content=photo))
    shares = [each["share"] for each in reports]
    assert "map" in last
    assert len(shares) > 2 and shares == sorted(shares) and 0 <= shares[0] < shares[-1] <= 1


@pytest.mark.parametrize(
    "query",
    [
        "method=GradCAM&label=both&stage=4",
        "method=Nothing&label=cat&stage=4",
        "method=GradCAM&label=cat&stage=5",
        "label=cat",
    ],
)
def test_only_what_there_is_can_be_asked_for(client, photo, query):
    assert lines(client.post(f"/engine/methods?{query}", content=photo)) == [{"problem": "wrong-wish"}]


def test_stages_are_only_there_for_the_two_labels(client, photo):
    answer = client.post("/engine/stages?label=both", content=photo)
    assert answer.status_code == 400 and answer.json() == {"problem": "wrong-wish"}


@pytest.mark.parametrize(("content", "code"), [(b"", "empty"), (b"no picture", "unknown-type")])
def test_what_is_no_photo_is_a_code(client, content, code):
    answer = client.post("/engine/stages", content=content)
    assert answer.status_code == 400 and answer.json() == {"problem": code}
    assert lines(client.post("/engine/methods?method=GradCAM&label=cat&stage=4", content=content))[-1] == {
        "problem": code
    }


def test_maps_of_a_very_wide_photo_stay_small(client, tmp_path):
    path = tmp_path / "wide.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 1000, 3), np.uint8)).save(path)
    answer = client.post("/engine/stages", content=path.read_bytes())
    assert max(np.shape(answer.json()["maps"][0])) <= 2 * 16 and len(answer.content) < 100_000
    assert len(client.post("/engine/layers", content=path.read_bytes()).content) < 200_000


def test_a_visitor_who_leaves_ends_the_work_and_gives_back_the_place(classifier, photo, monkeypatch):
    monkeypatch.setattr(inside, "REPORT_SECONDS", 0.01)
    ended = threading.Event()
    real = inside.method_of

    def watched(*arguments):
        try:
            return real(*arguments)
        except inside.Stopped:
            ended.set()
            raise

    monkeypatch.setattr(inside, "method_of", watched)
    complaints: list[dict] = []

    async def leave() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
        slow = Turns(at_once=1, places=1)
        work = inside.method_told(classifier, slow, "a", photo, {"method": "ScoreCAM", "stage": "4", "label": "dog"})
        assert "share" in await anext(work)
        await work.aclose()
        assert await asyncio.to_thread(ended.wait, 30), "the work went on without its visitor"
        with slow.place("another"):
            pass
        await asyncio.sleep(0.1)  # for what is said of the thread's end
        gc.collect()

    asyncio.run(leave())
    assert not complaints, "who leaves is no mistake in the log"


def test_who_finds_the_line_full_is_told_so(classifier, photo):
    async def ask() -> list[dict]:
        slow = Turns(at_once=1, places=1)
        with slow.place("another"):
            wish = {"method": "GradCAM", "stage": "4", "label": "dog"}
            return [each async for each in inside.method_told(classifier, slow, "a", photo, wish)]

    assert asyncio.run(ask()) == [{"problem": "busy"}]


def test_the_quick_line_s_bounds_hold_for_the_stages(classifier, photo):
    app, turns = FastAPI(), Turns(places=0)
    app.include_router(inside.router(classifier, turns))
    answer = TestClient(app).post("/engine/stages", content=photo)
    assert answer.status_code == 503 and answer.json() == {"problem": "busy"}


# ---------------------------------------------------------------------------- without parts of blocks


def test_with_all_blocks_the_answer_is_the_classifier_s_and_each_change_is_measured(client, classifier, photo):
    said = client.post("/engine/blocks?off=&part=change", content=photo).json()
    [expected] = classifier.explain([photo])
    assert said["prediction"]["logits"] == pytest.approx(expected.prediction.logits, abs=1e-3)
    assert said["prediction"]["verdict"] == expected.prediction.verdict
    assert np.array(said["evidence"]) == pytest.approx(expected.evidence, abs=1e-3)
    assert sum(said["depths"]) == len(said["changes"]) and min(said["changes"]) > 0


def test_a_block_without_its_change_lets_its_input_pass_and_without_its_shortcut_it_does_not(client, classifier, photo):
    network = copy.deepcopy(classifier.network)
    blocks = [block for stage in STAGES for block in getattr(network, f"layer{stage}")]
    last = len(blocks) - 1
    with torch.inference_mode():
        for name in ("bn2", "bn3"):  # whose output is F(x)
            if norm := getattr(blocks[last], name, None):
                changed = norm
        weight, bias = changed.weight.clone(), changed.bias.clone()
        changed.weight.zero_()
        changed.bias.zero_()
    [expected] = Classifier(network, classifier.metadata, torch.device("cpu")).explain([photo])
    said = client.post(f"/engine/blocks?off={last}&part=change", content=photo).json()
    assert said["prediction"]["logits"] == pytest.approx(expected.prediction.logits, abs=1e-3)
    whole = client.post("/engine/blocks?off=&part=change", content=photo).json()
    other = client.post(f"/engine/blocks?off={last}&part=shortcut", content=photo).json()
    assert weight.any() or bias.any()
    logits = [each["prediction"]["logits"] for each in (said, whole, other)]
    assert len({tuple(each) for each in logits}) == 3
    assert said["changes"] == whole["changes"], "what is switched off last changes nothing before it"


@pytest.mark.parametrize(
    "query", ["off=99&part=change", "off=-1&part=change", "off=0,&part=change", "off=x&part=change", "off=0&part=all"]
)
def test_only_blocks_and_parts_that_there_are_can_be_left_out(client, photo, query):
    answer = client.post(f"/engine/blocks?{query}", content=photo)
    assert (answer.status_code, answer.json()) == (400, {"problem": "wrong-wish"})
