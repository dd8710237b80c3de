"""figures.json: from a checkpoint's metadata to what the accuracy tab is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from catdog.checkpoint import Metadata, load_checkpoint
from catdog.measuring.figures import CalibrationFigures, DetectionFigures, Figures, Mean, Rate, ReliabilityBin
from catdog.measuring.record import TrainingRecord
from catdog.page.figures import figures_of
from catdog.page.kinds import kind_of


@pytest.fixture(scope="module")
def shipped() -> Metadata:
    return load_checkpoint()[1]


@pytest.fixture(scope="module")
def figures(shipped) -> Figures:
    read = Figures.from_dict(shipped.held_out)
    assert read
    return read


@pytest.fixture(scope="module")
def told(shipped) -> dict:
    return sent(shipped)


def sent(metadata: Metadata) -> dict:
    """As a browser gets it: JSON without NaN."""
    return json.loads(json.dumps(figures_of(metadata), allow_nan=False))


def measured(metadata: Metadata, figures: Figures) -> dict:
    return sent(replace(metadata, held_out=figures.to_dict()))["measured"]


def shares(rate: Rate) -> dict:
    return {"k": rate.k, "n": rate.n, "value": rate.value, "interval": list(rate.interval)}


def test_the_first_sentences_are_of_one_pet_of_neither_and_of_both(told, figures):
    simple = told["measured"]["simple"]
    rows = figures.confusion
    right = rows["cat"]["cat"] + rows["dog"]["dog"]
    assert simple["one-pet"] == shares(Rate(right, figures.counts["cat"] + figures.counts["dog"]))
    assert simple["neither"] == shares(figures.negatives.called_neither)
    assert simple["both"] == shares(figures.both.called_both)


def test_every_rate_comes_with_its_counts_and_its_interval(told, figures):
    rates = {each["code"]: each for each in told["measured"]["right"] + told["measured"]["wrong"]}
    assert len(rates) >= 12
    for code, rate in (
        ("verdict", figures.verdict_accuracy),
        ("two-way", figures.pets.two_way_accuracy),
        ("box", figures.maps.box_found),
        ("at-a-fifth", figures.made_up_both["at a fifth"]),
        ("called-both", figures.pets.called_both),
        ("sure-pet", figures.negatives.called_a_pet),
    ):
        assert rates[code] == {"code": code, **shares(rate)}


def test_what_was_not_measured_is_left_out(shipped, figures):
    bare = replace(
        figures,
        pets=None,
        pets_by_source={},
        negatives=None,
        both=None,
        pets_against_negatives=None,
        maps=None,
        made_up_both={},
    )
    told = measured(shipped, bare)
    assert [each["code"] for each in told["right"]] == ["verdict"] and told["wrong"] == []
    assert told["simple"]["both"] is None and told["detection"] is None and told["loss"] is None
    assert told["simple"]["one-pet"]  # the counts of verdicts still say it


def test_a_rate_of_no_photos_is_no_rate(shipped, figures):
    none = replace(figures, both=replace(figures.both, n=0, called_both=Rate(0, 0)))
    assert measured(shipped, none)["simple"]["both"] is None


def test_the_loss_of_a_single_pet_has_no_interval(shipped, figures):
    single = replace(figures, pets=replace(figures.pets, n=1, two_way_log_loss=Mean(0.25, None)))
    assert measured(shipped, single)["loss"] == {"n": 1, "value": 0.25, "interval": None}


def test_the_plots_have_every_bin_with_its_interval_and_the_threshold_in_use(shipped, figures):
    bins = (ReliabilityBin(0.1, 0, 40), ReliabilityBin(0.9, 30, 30))
    errors = dict.fromkeys(("cat", "dog"), CalibrationFigures(0.1, 0.1, bins))
    against = DetectionFigures(auroc=0.9, calibration_error=errors, roc=((0, 0), (0, 0.9), (1, 1)))
    detection = measured(shipped, replace(figures, pets_against_negatives=against))["detection"]
    assert detection["roc"] == [[0, 0], [0, 0.9], [1, 1]]
    assert [each[:3] for each in detection["reliability"]["dog"]] == [[0.1, 0, 40], [0.9, 30, 30]]
    assert detection["reliability"]["cat"][0][3:] == list(Rate(0, 40).interval)
    found, false = figures.pets.called_neither, figures.negatives.called_neither
    assert detection["decided"] == pytest.approx([1 - false.value, 1 - found.value])


def test_without_a_table_by_kind_there_are_the_kinds_that_the_verdicts_and_made_up_photos_tell_of(shipped, figures):
    told = sent(replace(shipped, held_out={name: value for name, value in shipped.held_out.items() if name != "kinds"}))
    kinds = {each["kind"]: each for each in told["measured"]["kinds"]}
    assert set(kinds) == {"cat", "dog", "both", "neither", "side-by-side", "at-a-half", "at-a-third", "at-a-fifth"}
    assert (kinds["dog"]["k"], kinds["dog"]["n"]) == (figures.confusion["dog"]["dog"], figures.counts["dog"])


def test_a_table_by_kind_is_told_in_the_page_s_own_kinds(shipped):
    table = [
        {
            "kind": "animal hamster",
            "label": "neither",
            "right": {"k": 39, "n": 40},
            "called": {"neither": 39, "cat": 1},
        },
        {"kind": "web rabbit", "label": "neither", "right": {"k": 9, "n": 10}, "called": {"neither": 9, "cat": 1}},
        {"kind": "my_folder_17", "label": "dog", "right": {"k": 1, "n": 5}, "called": {"cat": 4, "dog": 1}},
        {"kind": "neither:our_secrets", "label": "dog", "right": {"k": 0, "n": 0}, "called": {}},
        {"kind": "another one", "label": "dog", "right": {"k": 2, "n": 5}, "called": {"cat": 3, "dog": 2}},
    ]
    told = sent(replace(shipped, held_out={**shipped.held_out, "kinds": table}))
    kinds = {each["kind"]: (each["k"], each["n"]) for each in told["measured"]["kinds"]}
    assert kinds == {"small-animal": (48, 50), "dog": (3, 10)}
    assert "my_folder_17" not in json.dumps(told["measured"])
    assert "neither:our_secrets" not in json.dumps(told)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("dog in action", "action"),
        ("cat in scenes", "cat-scene"),
        ("cat kaggle", "cat"),
        ("neither rooms, houses", "room"),
        ("neither neither:mine", "neither"),
        ("both: natural scene", "both"),
        ("both: plain background (may be composited)", "both-studio"),
        ("animal red panda", "red-panda"),
        ("neither big cats", "big-cat"),
        ("Caltech101 animal panda", "other-animal"),
        ("cat flap IR snout", "night"),
        ("VOC hard cat", "hidden-cat"),
        ("VOC cat", "cat"),
        ("VOC car+person scene", "people"),
        ("VOC car scene", "street"),
        ("Flickr8k scene, hard", "snapshot"),
        ("category 9", "other"),
    ],
)
def test_kinds_are_told_by_their_names(name, kind):
    assert kind_of(name) == kind


def test_every_kind_and_code_has_words(root, told):
    from catdog.page.kinds import PATTERNS

    words = json.loads((root / "catdog/page/web/words/en.json").read_text(encoding="utf-8"))
    shown = {each["kind"] for each in told["measured"]["kinds"]} | {kind for _, kind in PATTERNS} | {"other"}
    assert {f"figure.kind-{kind}" for kind in shown} <= words.keys()
    assert {f"figure.{each['code']}" for each in told["measured"]["right"] + told["measured"]["wrong"]} <= words.keys()


def test_folders_own_names_are_nowhere_on_the_page(shipped):
    def renamed(values):
        text = (
            json.dumps(values)
            .replace("folders:folders", "folders:Grandma's pets")
            .replace("neither:neither", "neither:attic 3")
        )
        return json.loads(text.replace('"folders: class folders', "\"Grandma's pets: class folders"))

    training = renamed(shipped.training)
    training["before"] = {
        **training,
        "counts": {"training": {"folders:only earlier cat": 5}, "tuning": {}},
        "photos": "",
    }
    metadata = replace(shipped, training=training, held_out=renamed(shipped.held_out))
    told = sent(metadata)
    text = json.dumps(told)
    for name in ("Grandma", "attic", "only earlier", "folders:", "neither:"):
        assert name not in text
    sources = [each["source"] for each in told["measured"]["right"] if each["code"] == "source"]
    assert {"code": "kaggle"} in sources and {"code": "other", "number": 1} in sources


def test_a_source_has_the_same_number_wherever_it_is_shown(told, shipped):
    counts = shipped.training["counts"]["training"]
    photos = {
        (each["source"]["code"], each["source"].get("number"), each["label"]): each["training"]
        for each in told["made"]["photos"]
    }
    assert photos["kaggle", None, "cat"] == counts["kaggle cat"]
    assert photos["other", 1, "dog"] == counts["folders:everyday dog"]
    assert photos["other", 2, "dog"] == counts["folders:folders dog"]
    assert photos["other", 3, "neither"] == counts["neither:neither neither"]
    tables = [block["rows"] for block in told["card"] if "rows" in block]
    assert ["other photos 3 neither", str(counts["neither:neither neither"]), "285"] in [
        row for rows in tables for row in rows
    ]


def test_no_name_of_a_photo_that_may_not_be_shown_is_sent(told, figures):
    names = [each.name for each in figures.worst_mistakes]
    assert names and not any(name in json.dumps(told) for name in names)


def test_where_it_comes_from_is_what_the_checkpoint_says(told, shipped):
    made = told["made"]
    assert made["architecture"] == shipped.architecture and made["commit"] == shipped.training["commit"]
    assert (made["present"], made["both"]) == (shipped.present, shipped.both)
    assert sum(each["training"] for each in made["photos"]) == sum(shipped.training["counts"]["training"].values())


def test_the_model_card_is_headings_paragraphs_and_tables(told):
    card = told["card"]
    assert {tuple(block) for block in card} == {("heading",), ("text",), ("head", "rows")}
    assert "What it may be used for" in [block.get("heading") for block in card]
    for block in card:
        assert all(len(row) == len(block["head"]) for row in block.get("rows", []))
    assert any("Kaggle" in block.get("text", "") for block in card)


def test_a_checkpoint_without_figures_says_so():
    told = sent(Metadata())
    assert told["measured"] is None and told["card"] is None and told["made"]["photos"] == []


def test_a_softmax_says_what_it_is():
    assert sent(Metadata(head="softmax"))["made"]["head"] == "softmax"


def test_weights_that_came_without_a_record_have_no_run(shipped):
    record = TrainingRecord.from_dict(shipped.training)
    training = {**shipped.training, "epochs_run": None, "best_epoch": None, "tuning": None}
    assert (
        record and record.epochs_run is not None and "epochs" not in sent(replace(shipped, training=training))["made"]
    )


def test_what_is_not_finite_is_left_out(shipped, figures):
    pets = replace(figures.pets, two_way_log_loss=Mean(float("nan"), None))
    against = replace(figures.pets_against_negatives, auroc=float("nan"))
    told = measured(shipped, replace(figures, pets=pets, pets_against_negatives=against))
    assert told["loss"] is None and told["detection"] is None and told["calibration"]


def test_counts_that_cannot_be_are_no_figures(shipped, caplog):
    confusion = {"cat": {"cat": 3, "dog": -5}, "fox": {"fox": 1}}
    told = sent(replace(shipped, held_out={**shipped.held_out, "confusion": confusion}))
    assert told["measured"] is None and "no rate" in caplog.text


def test_kinds_without_words_are_not_told(shipped):
    confusion = {"cat": {"cat": 3, "dog": 1}, "fox": {"fox": 1}}
    held_out = {**shipped.held_out, "confusion": confusion, "made_up_both": {"upside down": {"k": 1, "n": 2}}}
    del held_out["kinds"]
    assert [each["kind"] for each in sent(replace(shipped, held_out=held_out))["measured"]["kinds"]] == ["cat"]


@pytest.mark.parametrize("held_out", [{"note": "mine"}, {"n": "<script>"}, {"n": 1e999}])
def test_figures_that_cannot_be_read_are_left_out_and_the_log_says_so(held_out, caplog):
    told = sent(Metadata(held_out=held_out, training={"init": "none"}))
    assert told["measured"] is None and told["card"] is None
    assert "cannot be read" in caplog.text


def test_strange_words_in_the_record_are_sent_as_they_are(shipped):
    training = {**shipped.training, "commit": "<b>x</b>", "options": {"note | `": "a|b\n\n| c"}}
    told = sent(replace(shipped, training=training))
    assert told["made"]["commit"] == "<b>x</b>"
    assert {"text": "| c |"} in told["card"]
