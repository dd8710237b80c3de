"""Whatever is handed over, however hostile: a right answer or one ImageError, in bounded time and memory."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hostile
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.images import ImageError, open_picture, open_reduced
from catdog.images.decode import ORIENTATION_TAG
from catdog.images.heif import pixels_to_decode

CASES = hostile.cases()
MAX_SECONDS = 5.0  # of a processor; the slowest takes about one
MAX_MEGABYTES = 600  # beyond what the process held before
PROPERTY = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def outcome(source: object, short_side: int | None = None) -> str:
    """`picture`, or the error's code once its text is seen to be one sentence for people."""
    try:
        picture = open_reduced(source, short_side).picture
    except ImageError as error:
        sentence = str(error)
        assert sentence.isprintable() and len(sentence) < 300, sentence
        assert sentence.endswith(".") and "Traceback" not in sentence
        return error.code
    assert picture.mode == "RGB" and min(picture.size) > 0
    return "picture"


@contextmanager
def bounded_time_and_memory(seconds: float = MAX_SECONDS) -> Iterator[None]:
    """Fail where what is done within takes more of a processor's time or, as Linux tells it, of memory."""
    linux = sys.platform == "linux"
    if linux:
        Path("/proc/self/clear_refs").write_text("5")  # from here on VmHWM is a new peak (man 5 proc)
        before = megabytes("VmRSS")
    started = time.process_time()
    yield
    took = time.process_time() - started
    assert took < seconds, f"{took:.1f} seconds"
    if linux:
        taken = megabytes("VmHWM") - before
        assert taken < MAX_MEGABYTES, f"{taken:.0f} MB"


def megabytes(name: str) -> float:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured on Linux alone")
def test_the_memory_bound_is_of_one_input_however_much_an_earlier_one_took(monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "MAX_MEGABYTES", 80)
    np.ones(200 << 20, np.uint8)
    with bounded_time_and_memory():
        np.ones(70 << 20, np.uint8)
    with pytest.raises(AssertionError, match=" MB"), bounded_time_and_memory():
        np.ones(300 << 20, np.uint8)  # much more, since the system may take back pages of this process meanwhile


def test_the_time_bound_is_of_one_input(monkeypatch):
    monkeypatch.setattr("time.process_time", iter([0.0, MAX_SECONDS - 0.1, 10.0, 10.1 + MAX_SECONDS]).__next__)
    with bounded_time_and_memory():
        pass
    with pytest.raises(AssertionError, match=" seconds"), bounded_time_and_memory():
        pass


def test_there_are_a_hundred_hostile_inputs_of_twenty_kinds():
    assert len(CASES) >= 200
    assert len({name.partition("/")[0].rstrip("s") for name in CASES}) >= 20


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore")
def test_a_hostile_input_is_answered_or_refused_in_bounded_time_and_memory(name):
    source = CASES[name]()
    with bounded_time_and_memory():
        said = outcome(source)
    source = CASES[name]()  # a file object was read to its end
    with bounded_time_and_memory():
        reduced = outcome(source, short_side=4)
    assert reduced == said
    kind = name.partition("/")[0]
    if kind in ("svgs", "nothing", "strip"):
        assert said != "picture"
    if kind == "bomb":
        assert said in ("too-large", "damaged", "unknown-type")


CUT = hostile.to_be_cut()


@pytest.mark.slow
@pytest.mark.parametrize("name", CUT)
@pytest.mark.filterwarnings("ignore")
def test_a_file_that_is_cut_off_at_any_byte_is_refused_or_lacks_no_pixel(name):
    """So it is at every marker, chunk, block and directory too."""
    content = CUT[name]
    whole = open_picture(content)
    for end in range(len(content)):
        with bounded_time_and_memory():
            said = outcome(content[:end])
        assert outcome(content[:end], short_side=4) == said, end
        assert said in ("picture", "damaged", "unknown-type", "empty"), end
        if said == "picture":
            assert open_picture(content[:end]) == whole, end


REFUSED = """BMP of runs|TIFF tile far larger|share their bytes|5000 scans|200000 segments|100000 blocks|100000 comments
PNG of 200000|HEIF, gigantic|JPEG, gigantic|AVIF, gigantic|a thousand segments|Photoshop|one strip a pixel"""


@pytest.mark.parametrize("part", REFUSED.replace("\n", "|").split("|"))
@pytest.mark.filterwarnings("ignore")
def test_what_only_costs_time_is_refused_before_it_is_decoded(part, monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *arguments, **options: pytest.fail("it is handed to the decoder"))
    names = [name for name in CASES if part in name]
    assert names
    for name in names:
        assert outcome(CASES[name]()) == "damaged", name


HONEST = """PNG, orientation 9|JPEG, orientation 9|PNG, a directory in itself|JPEG, a directory in itself|PNG, gigantic
PNG, for CMYK|PNG, turned over|GIF of a million frames|JPEG and ZIP|PNG and a page|GIF and a page|JPEG in a JPEG
PNG, as text|the prefix a thousand times|JPEG of fill bytes|PNG of 16 bits gray|TIFF of 16 bits|WebP of 61 frames
WebP of a million frames"""


@pytest.mark.parametrize("part", HONEST.replace("\n", "|").split("|"))
@pytest.mark.filterwarnings("ignore")
def test_what_is_odd_and_harmless_is_still_a_picture(part):
    for name in [name for name in CASES if name.endswith(part)]:
        assert outcome(CASES[name]()) == "picture", name


# ---------------------------------------------------------------------------- files and their names


@pytest.mark.parametrize("named", ["photo.jpg", "photo.png", "photo.gif", "photo.svg", "photo.txt", "photo"])
@pytest.mark.parametrize("format", hostile.FORMATS)
def test_a_wrong_extension_changes_nothing(tmp_path, format, named):
    path = tmp_path / named
    path.write_bytes(hostile.encoded(format))
    assert open_picture(path).size == hostile.PICTURE.size


TRICKS = ["../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:1/cat.jpg", "~root/.profile"]
TRICKS += [
    "\0.jpg",
    "a\nb.jpg",
    "\x1b[2J\x1b]0;owned\x07.jpg",
    "\u202egpj.exe",
    "\udcff.jpg",
    "x" * 300,
    "x/" * 3000,
    "",
    ".",
]
TRICKS += ["-rf", "$(touch owned)", "%00.jpg", "..\\..\\windows\\win.ini", "C:\\con", "|id", "photo.jpg/", "*"]
DEVICES = ["/dev/zero", "/dev/stdin", "/proc/self/mem", "/proc/self/environ", "/dev/fd/0"]


@pytest.mark.parametrize("name", TRICKS + DEVICES, ids=ascii)
def test_a_trick_in_a_path_ends_in_the_same_error(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    assert outcome(name) in ("missing", "unknown-type", "empty")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither pipes with names nor these names")
def test_odd_files_end_in_the_same_error(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "folder.jpg").mkdir()
    for name in ("pipe.jpg", "loop.jpg", "folder.jpg"):
        assert outcome(tmp_path / name) == "missing"


@pytest.mark.skipif(os.name == "nt", reason="Windows does not allow such names")
def test_a_name_that_would_write_over_the_terminal_is_shown_without_its_codes(tmp_path):
    path = tmp_path / "\x1b[2Jcat\n\u202e.jpg"
    path.write_bytes(b"no picture")
    with pytest.raises(ImageError) as caught:
        open_picture(path)
    assert str(caught.value).startswith("\ufffd[2Jcat\ufffd\ufffd.jpg is not a picture")


# ---------------------------------------------------------------------------- properties


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@settings(PROPERTY, max_examples=120)
@given(name=st.sampled_from(sorted(CASES)), data=st.data())
def test_a_hostile_input_that_is_garbled_further_ends_in_the_same_error(name, data):
    source = CASES[name]()
    if not isinstance(source, bytes) or len(source) > 200_000:
        return
    content = bytearray(source)
    changes = st.tuples(st.integers(0, max(0, len(content) - 1)), st.integers(0, 255))
    for place, value in data.draw(st.lists(changes, min_size=1, max_size=8)):
        content[place : place + 1] = bytes([value])
    outcome(bytes(content))


@settings(PROPERTY, max_examples=60)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)).filter(lambda size: max(size) <= 20 * min(size)),
    orientation=st.integers(1, 8),
    format=st.sampled_from(["PNG", "TIFF", "WEBP"]),
    seed=st.integers(0, 9),
)
def test_any_orientation_gives_the_same_upright_picture(size, orientation, format, seed):
    upright = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    flips = {2: "x", 3: "xy", 4: "y", 6: "x", 7: "xy", 8: "y"}.get(orientation, "")
    stored = upright[:, ::-1] if "x" in flips else upright
    stored = stored[::-1] if "y" in flips else stored
    stored = stored.swapaxes(0, 1) if orientation > 4 else stored  # rows for columns
    tag = Image.Exif()
    tag[ORIENTATION_TAG] = orientation
    options = {"lossless": True} if format == "WEBP" else {}
    content = hostile.encoded(format, Image.fromarray(np.ascontiguousarray(stored)), exif=tag.tobytes(), **options)
    assert np.array_equal(np.asarray(open_picture(content)), upright)


@pytest.fixture(scope="module")
def classifier(tiny_network) -> Classifier:
    return Classifier(tiny_network, Metadata(input_size=64), torch.device("cpu"))


@PROPERTY
@given(
    sizes=st.lists(st.tuples(st.integers(8, 90), st.integers(8, 90)), min_size=1, max_size=5),
    broken=st.integers(0, 5),
    seed=st.integers(0, 9),
)
def test_a_batch_answers_as_each_picture_alone_does_and_in_order(classifier, sizes, broken, seed):
    rng = np.random.default_rng(seed)
    pictures: list[object] = [rng.integers(0, 256, (height, width, 3), np.uint8) for width, height in sizes]
    pictures.insert(broken, b"no picture")
    together = classifier.explain(pictures, errors="return")
    for picture, answer in zip(pictures, together):
        [alone] = classifier.explain([picture], errors="return")
        if isinstance(alone, ImageError):
            assert isinstance(answer, ImageError) and str(answer) == str(alone)
            continue
        assert answer.prediction.logits == pytest.approx(alone.prediction.logits, abs=1e-4)
        assert answer.evidence == pytest.approx(alone.evidence, abs=1e-4)
        assert (answer.view, list(answer.boxes)) == (alone.view, ["cat", "dog"])


@PROPERTY
@given(st.integers(0, 10), st.sampled_from([0.02, 0.05, 0.1]))
def test_a_border_around_a_photo_never_changes_which_label_leads(examples, index, share):
    """On photos that show one pet for sure: the shipped network."""
    path = [path for path in examples if path.name.startswith(("cat", "dog"))][index % 5]
    picture = open_picture(path)
    wide = round(share * min(picture.size))
    bordered = Image.new("RGB", (picture.width + 2 * wide, picture.height + 2 * wide), (124, 116, 104))
    bordered.paste(picture, (wide, wide))
    plain, padded = shipped().classify([picture, bordered])
    assert (plain.cat > plain.dog) == (padded.cat > padded.dog) == path.name.startswith("cat")


def test_errors_that_are_returned_hold_no_picture(classifier):
    """Thirty photos of 36 MB each, cut off in the middle."""
    whole = hostile.encoded("PNG", Image.effect_noise((4_000, 3_000), 9).convert("RGB"), compress_level=1)
    cut = whole[: len(whole) * 3 // 4]
    with bounded_time_and_memory(seconds=60):
        errors = classifier.classify([cut] * 30, errors="return")
    assert [error.code for error in errors] == ["damaged"] * 30
    assert all(error.__traceback__ is error.__cause__ is error.__context__ is None for error in errors)


def shipped(loaded: list[Classifier] = []) -> Classifier:  # noqa: B006
    """The shipped network, loaded once."""
    if not loaded:
        import catdog

        loaded.append(catdog.load(device="cpu"))
    return loaded[0]


# ---------------------------------------------------------------------------- fuzzing

FUZZER = """
import sys, types
import atheris, numpy, pillow_heif
package = sys.modules["catdog"] = types.ModuleType("catdog")  # without its __init__, which imports torch
package.__path__ = ["catdog"]
with atheris.instrument_imports(include=["PIL", "catdog"]):
    from PIL import AvifImagePlugin, BmpImagePlugin, GifImagePlugin, JpegImagePlugin, MpoImagePlugin
    from PIL import PngImagePlugin, TiffImagePlugin, WebPImagePlugin
    import catdog.images as images

def once(content):
    try:
        assert images.open_picture(bytes(content)).mode == "RGB"
    except images.ImageError as error:
        assert str(error).isprintable()

atheris.Setup(sys.argv, once)
atheris.Fuzz()
"""


@pytest.mark.slow
@pytest.mark.timeout(0)  # the process has a limit of its own
def test_coverage_guided_fuzzing_finds_nothing_that_escapes(root, tmp_path):
    """CATDOG_FUZZ_SECONDS says for how long; 60 without it."""
    pytest.importorskip("atheris", reason="atheris has no wheel for this Python: pip install atheris")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for index, (_, make) in enumerate(CASES.items()):
        content = make()
        if isinstance(content, bytes) and len(content) < 20_000:
            (corpus / str(index)).write_bytes(content)
    seconds = int(os.environ.get("CATDOG_FUZZ_SECONDS", "60"))
    limits = [f"-max_total_time={seconds}", "-timeout=60", "-rss_limit_mb=3000", "-max_len=20000"]
    command = [sys.executable, "-W", "ignore", "-c", FUZZER, str(corpus), *limits, f"-artifact_prefix={tmp_path}/"]
    # from a small process: a child begins with the peak of whoever starts it (man 2 getrusage)
    between = [sys.executable, "-c", "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"]
    done = subprocess.run(
        [*between, *command], cwd=root, capture_output=True, text=True, errors="replace", timeout=seconds + 580
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Done" in done.stderr, done.stderr[-2000:]


@pytest.mark.slow
def test_a_process_that_opens_every_hostile_input_is_alive_at_the_end(root):
    """All of them in an order of its own, twice, in a process that may use three gigabytes."""
    program = """if True:
        import random, resource, sys, types, warnings
        package = sys.modules["catdog"] = types.ModuleType("catdog")
        package.__path__ = ["catdog"]
        sys.path.insert(0, "tests")
        warnings.simplefilter("ignore")
        import hostile
        from catdog.images import ImageError, open_picture
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
        cases = hostile.cases()
        for name in random.Random(0).sample(sorted(cases), len(cases)) * 2:
            source = cases[name]()
            try:
                open_picture(source)
            except ImageError:
                pass
            except Exception as error:
                raise SystemExit(f"{name}: {error!r}")
        print("alive")
    """
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=280)
    assert done.stdout.strip() == "alive", done.stderr[-2000:]


MUTATOR = """
import random, resource, sys, time, types, warnings
package = sys.modules["catdog"] = types.ModuleType("catdog")  # without its __init__, which imports torch
package.__path__ = ["catdog"]
sys.path.insert(0, "tests")
warnings.simplefilter("ignore")
import hostile
from catdog.images import ImageError, open_picture
from PIL import Image

seconds, seed = float(sys.argv[1]), int(sys.argv[2])
draw = random.Random(seed)
pictures = {"small": Image.effect_noise((48, 32), 60).convert("RGB"), "plain": Image.new("RGB", (2_000, 1_500), (90, 120, 40))}
starts = [hostile.encoded(format, picture) for format in hostile.FORMATS for picture in pictures.values()]
starts += [hostile.encoded("JPEG", pictures["plain"], progressive=True), hostile.gray_tiff(
    64, 64, (322, 4, 1, 64), (323, 4, 1, 64), (324, 4, 1, "data"), (325, 4, 1, 4_096), data=bytes(4_096))]
starts += [hostile.encoded("TIFF", pictures["plain"], compression=way) for way in ("tiff_lzw", "tiff_deflate", "jpeg")]
starts += [hostile.heic_grid((512, 512), 2, 2, (1_000, 1_000)), hostile.encoded("PNG", icc_profile=hostile.SRGB)]

def mutated(content):
    content = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 3, 5))):
        size = draw.choice((1, 2, 4))
        reach = len(content) if draw.random() < 0.3 else min(len(content), 600)
        place = draw.randrange(max(1, reach - size))
        number = draw.choice((0, 1, 2, 255, 256, 4_096, 9_000, 65_535, 2**20, 2**31 - 1, 2**32 - 1, draw.getrandbits(32)))
        content[place:place + size] = (number % 256**size).to_bytes(size, draw.choice(("big", "little")))
    return bytes(content)

def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) / 1024

open_picture(starts[0])
end, tried, slowest = time.monotonic() + seconds, 0, 0.0
while time.monotonic() < end:
    content = mutated(draw.choice(starts))
    begun = time.process_time()
    try:
        open_picture(content)
    except ImageError:
        pass
    took = time.process_time() - begun
    slowest, tried = max(slowest, took), tried + 1
    if took > 3 or peak() > 1_000:
        open(f"{sys.argv[3]}/input", "wb").write(content)
        raise SystemExit(f"seed {seed}, input {tried}: {took:.1f} s, {peak():.0f} MB, starts with {content[:40]!r}")
print(f"{tried} inputs, the slowest took {slowest:.2f} s; at most {peak():.0f} MB")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured on Linux alone")
@pytest.mark.timeout(0)  # the process has a limit of its own
def test_no_mutated_header_costs_more_than_three_seconds_or_a_gigabyte(root, tmp_path, capsys):
    """CATDOG_FUZZ_SECONDS says for how long, CATDOG_FUZZ_SEED which; 60 and 0 without them."""
    seconds, seed = (os.environ.get(f"CATDOG_FUZZ_{name}", other) for name, other in (("SECONDS", "60"), ("SEED", "0")))
    command = [sys.executable, "-c", MUTATOR, seconds, seed, str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=int(seconds) + 120)
    with capsys.disabled():
        print(f"\n{done.stdout}", end="")
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_sequence_is_measured_by_its_pictures_whatever_its_track_says():
    content = io.BytesIO()
    frames = [Image.new("RGB", (1_200, 900), color) for color in ("red", "blue")]
    frames[0].save(content, "AVIF", save_all=True, append_images=frames[1:], quality=1, speed=10)
    track = content.getvalue().replace(b"meta", b"free", 1)  # the picture that the file has besides
    assert pixels_to_decode(track) == (1_200 * 900, 1_200 * 900)
    small = track.replace(struct.pack(">HH", 1_200, 900), struct.pack(">HH", 64, 64))
    assert small != track and pixels_to_decode(small) == (1_200 * 900, 64 * 64)
