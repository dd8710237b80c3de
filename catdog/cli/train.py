"""Train a cat-or-dog network on folders of photos, and save it as one checkpoint."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import sys
from contextlib import nullcontext
from dataclasses import replace

import torch.distributed as dist
import tyro

from catdog.checkpoint import CheckpointError
from catdog.cli import log_to_terminal, program
from catdog.datasets import DataError
from catdog.device import DeviceError, choose_device, is_out_of_memory, keep_memory
from catdog.images import one_line
from catdog.training.config import RECIPES, OptionError, TrainConfig, default_out, is_shipped
from catdog.training.distributed import rank_and_world
from catdog.training.run import Outcome, locked, train
from catdog.training.teacher import INSTALL_LITE, LITE, lite_is_installed

log = logging.getLogger(__name__)


def main() -> int:
    """Train as the options say: 0 done, 1 some photos failed or the run was stopped, 2 wrong use."""
    log_to_terminal()
    out = "a file"
    try:
        config = with_teacher_at_hand(parse(sys.argv[1:]))
        out = config.out
        keep_memory()
        join(config)
        with locked(config.out) if rank_and_world()[0] == 0 else nullcontext():
            outcome = train(config)
        if outcome.saved:
            print(how_to_use(config, outcome))
        return 0 if outcome.finished and not outcome.skipped else 1
    except KeyboardInterrupt:  # outside the loop, which stops by itself
        return ended(1, "stopped; go on with --resume if training had begun.")
    except (DataError, CheckpointError, DeviceError, OptionError) as error:
        return ended(2, str(error)) if os.environ.get("LOCAL_RANK", "0") == "0" else 2  # once on a machine
    except RuntimeError as error:
        if is_out_of_memory(error):
            return ended(2, "The memory is too small: take a smaller --batch-size or --train-size.")
        if not another_ended(error):
            raise
        return ended(1, "another process of this run ended: go on with --resume.")
    except OSError as error:
        return ended(2, f"{one_line(error.filename or out)} cannot be used: {error.strerror}.")
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def parse(arguments: list[str]) -> TrainConfig:
    """Options from a command line; --recipe, --arch and --dry-run choose the defaults that the others change.

    Raises:
        OptionError: for an option that cannot be used.
    """
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--recipe", choices=list(RECIPES), default="default")
    first.add_argument("--arch", default=TrainConfig.arch)
    first.add_argument("--dry-run", "--dry_run", action="store_true")
    chosen, _ = first.parse_known_args(arguments)
    defaults = replace(RECIPES[chosen.recipe], out=default_out(chosen.arch, chosen.dry_run))
    return tyro.cli(TrainConfig, default=defaults, args=arguments, prog=program())


def with_teacher_at_hand(config: TrainConfig) -> TrainConfig:
    """A dry run needs no teacher: where the default one's packages are missing, it goes on without."""
    if not config.dry_run or config.teacher != LITE or lite_is_installed():
        return config
    log.warning(
        f"{program()}: This dry run goes on without a teacher. A real one needs {LITE}'s packages: {INSTALL_LITE}. Or leave "
        "it out: --teacher none."
    )
    return replace(config, teacher="none")


def join(config: TrainConfig) -> None:
    """Where torchrun started several processes, have them find each other."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        dist.init_process_group("nccl" if choose_device(config.device).type == "cuda" else "gloo")


def another_ended(error: RuntimeError) -> bool:
    """Whether what the processes of a run do in common failed, as it does when one of them is no longer there."""
    return dist.is_initialized() and (isinstance(error, dist.DistError) or "gloo" in str(error))


def how_to_use(config: TrainConfig, outcome: Outcome) -> str:
    app = "python app.py" if program().endswith(".py") else "catdog app"
    page = app if is_shipped(config.out) else f"{app} --checkpoint {shlex.quote(str(config.out))}"
    if outcome.finished:
        return f"Open the page with it: {page}"
    return f"Stopped before the end: go on with --resume, or use it as it is: {page}"


def ended(status: int, sentence: str) -> int:
    print(f"{program()}: {sentence}", file=sys.stderr)
    return status
